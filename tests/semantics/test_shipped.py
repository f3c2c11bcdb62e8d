"""The shipped specs have no finding: no error, no warning, of any of their variants."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from archdsl import library
from archdsl.api import ArchFile
from archdsl.source import Source


@pytest.mark.parametrize("path", library.shipped(), ids=lambda path: path.stem)
def test_nothing_is_found(path: Path) -> None:
    assert ArchFile(library.read(path)).check() == ()


def test_a_variant_is_found_by_its_name_in_the_files_that_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    names_of = library._variant_names

    def watched(source: Source) -> tuple[str, ...]:
        parsed.append(PurePath(source.name).stem)
        return names_of(source)

    monkeypatch.setattr(library, "_variant_names", watched)
    for name, family in (("van_b0", "van"), ("regnetx_002", "regnet_timm")):
        source, variant = library.locate(name)
        assert (PurePath(source.name).stem, variant) == (family, name)
    assert set(parsed) == {"van", "regnet_timm"}
