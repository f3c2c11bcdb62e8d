"""`archdsl list` shows recorded figures, as fast as one family is checked, and never those of another text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl import api, library
from archdsl.cli import recorded
from docs.generate_facts import PAGE, facts
from tests.cli.conftest import Run
from tests.cli.test_imports import modules


def test_the_recorded_facts_are_those_of_the_specs() -> None:
    assert PAGE.read_text(encoding="utf-8") == facts(), "run python -m docs.generate_facts"


def test_listing_what_is_recorded_reads_no_spec(tmp_path: Path) -> None:
    none_of = ("archdsl.semantics", "archdsl.ops", "archdsl.graph.ir", "archdsl.cli.documents", "torch", "pydantic")
    assert modules(tmp_path, "list").isdisjoint(none_of)


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of some of the shipped specs, in their place."""
    folder = tmp_path / "specs"
    folder.mkdir()
    for name in ("common.arch", "mobilenet_v2.arch", "squeezenet.arch", recorded.FILE):
        shutil.copy(PAGE.parent / name, folder)
    shutil.copytree(PAGE.parent / "weights", folder / "weights")
    monkeypatch.setattr(library, "roots", lambda kind: (folder,))
    monkeypatch.setattr(library, "find", lambda kind, name: path if (path := folder / name).is_file() else None)
    monkeypatch.setattr(recorded, "find", library.find)
    return folder


@pytest.fixture
def elaborated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were elaborated."""
    names: list[str] = []
    compute = recorded.computed
    monkeypatch.setattr(recorded, "computed", lambda source: (names.append(Path(source.name).name), compute(source))[1])
    return names


def _params(arch: Run) -> dict[str, int]:
    document = arch("list", "--json").json
    return {variant["name"]: variant["params"] for family in document["families"] for variant in family["variants"]}


def test_nothing_is_elaborated_that_is_recorded(arch: Run, specs: Path, elaborated: list[str]) -> None:
    before = _params(arch)
    assert elaborated == []
    (specs / recorded.FILE).unlink()
    assert _params(arch) == before
    assert elaborated == ["common.arch", "mobilenet_v2.arch", "squeezenet.arch"]


def test_an_edited_spec_shows_its_own_figures(arch: Run, specs: Path, elaborated: list[str]) -> None:
    before = _params(arch)
    text = (specs / "squeezenet.arch").read_text().replace("classes: int = 1000", "classes: int = 10")
    published = [line for line in text.split("\n") if line.startswith("expect")]
    (specs / "squeezenet.arch").write_text("\n".join(line for line in text.split("\n") if line not in published))
    after = _params(arch)
    assert elaborated == ["squeezenet.arch"]
    changed = {name for name in after if after[name] != before[name]}
    assert "squeezenet1_0" in changed
    assert after["squeezenet1_0"] == api.open(specs / "squeezenet.arch")["squeezenet1_0"].graph.params


def test_a_spec_that_uses_an_edited_one_shows_its_own_figures(arch: Run, specs: Path, elaborated: list[str]) -> None:
    _params(arch)
    (specs / "common.arch").write_text((specs / "common.arch").read_text() + "\nfn added(n) = n\n")
    _params(arch)
    assert "common.arch" in elaborated
    using = [path.name for path in specs.glob("*.arch") if 'use "common.arch"' in path.read_text()]
    assert set(elaborated) == {"common.arch", *using} != {"common.arch"}


def test_an_added_spec_is_listed(arch: Run, specs: Path, elaborated: list[str]) -> None:
    (specs / "mine.arch").write_text("model Mine = image(3, 8, 8) -> gap -> flatten -> fc: linear(2)\n")
    assert _params(arch)["Mine"] == 3 * 2 + 2
    assert elaborated == ["mine.arch"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_bytes(b"\xff"),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "version": "0.0"})),
    ],
)
def test_records_of_another_version_or_none_are_left_aside(
    arch: Run, specs: Path, elaborated: list[str], spoil: Callable[[Path], object]
) -> None:
    before = _params(arch)
    spoil(specs / recorded.FILE)
    assert _params(arch) == before
    assert len(elaborated) == 3


def test_places_are_said_as_the_other_commands_say_them(arch: Run) -> None:
    """The recorded file holds no folder of the machine it was written on."""
    assert not re.search(r'"file": "[^"]*[/\\]', PAGE.read_text(encoding="utf-8"))
    families = arch("list", "--json").json["families"]
    asked = [variant for family in families for variant in family["variants"] if variant["sizes"]]
    assert asked
    shown = arch("show", asked[0]["name"], "--json").json
    assert asked[0]["sizes"] == shown["variant"]["sizes"]
