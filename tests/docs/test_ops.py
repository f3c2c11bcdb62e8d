"""docs/ops.md is what the registry of ops says."""

from __future__ import annotations

from archdsl.ops import OPS
from docs.generate_ops import PAGE, page


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate_ops"


def test_every_op_has_a_row() -> None:
    rows = [line.split("|")[1].strip().strip("`") for line in page().splitlines() if line.startswith("| `")]
    assert sorted(row.split("(")[0] for row in rows) == sorted(OPS)
    for row in rows:
        name, _, rest = row.partition("(")
        assert [part.split(":")[0] for part in rest.split(", ") if ":" in part] == list(OPS[name].parameter_names)
