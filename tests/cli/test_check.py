"""`archdsl check` says what it did not check."""

from __future__ import annotations

from tests.cli.conftest import Run

_PARTS = """\
block Used(width: int) { conv(width, 3) -> bn }
block Spare(width: int) { conv(width, "3") }
fn twice(x: int) = 2 * x
model Net(width: int) { image(3, 32, 32) -> Used(twice(width)) -> gap -> flatten -> linear(10) }
"""


def test_what_no_variant_uses(arch: Run) -> None:
    result = arch("check", "-", stdin=_PARTS)
    assert result.code == 0
    assert (
        "no variants, no errors\n  nothing uses block Used, block Spare, fn twice, model Net: only names" in result.out
    )


def test_in_json(arch: Run) -> None:
    (found,) = arch("check", "-", "--json", stdin=_PARTS + "variant net = Net(8)\n").json["files"]
    assert (found["variants"], found["unchecked"]) == (["net"], ["Spare"])


def test_nothing_is_said_where_all_is_used(arch: Run) -> None:
    assert "nothing uses" not in arch("check", "resnet").out


def test_spaces_are_counted(arch: Run) -> None:
    space = "space few for Net { width in [8, 16] }\n"
    assert "no variants, 1 space, no errors" in arch("check", "-", stdin=_PARTS + space).out
