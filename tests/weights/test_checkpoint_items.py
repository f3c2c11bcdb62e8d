"""What `archdsl check` says about `checkpoint` items: E406, E407, E408, each at its place."""

from __future__ import annotations

import pytest

from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from tests.weights.specs import SPECS, TINY, TINY_MAP, file, tiny


def findings(*lines: str) -> list[Diagnostic]:
    """The findings about a map of the tiny network with these lines."""
    body = "\n  ".join(lines)
    return list(file(f"{TINY}\ncheckpoint theirs for Tiny {{\n  {body}\n}}\n").check())


def place(diagnostic: Diagnostic) -> str:
    assert diagnostic.span is not None
    return diagnostic.span.text


@pytest.mark.parametrize("text", [TINY + TINY_MAP, (SPECS / "densenet.arch").read_text(encoding="utf-8")])
def test_a_good_map_has_no_findings(text: str) -> None:
    assert [d for d in file(text).check() if d.code.startswith("E40")] == []


MALFORMED = [
    ('"a.{i" = "body.{i}"', "{"),
    ('"a.{i}" = "body.i}"', "}"),
    ('"a.{i}" = "body.{}"', "{}"),
    ('"a.{i}" = "body.{i + j}"', "{i + j}"),
    ('"a.{i}" = "body.{0 * i}"', "{0 * i}"),
    ('"a.{i}" = "body.{i // 2}"', "{i // 2}"),
    ('"a.{f(i)}" = "body.{i}"', "{f(i)}"),
    ('"a.{i}" = "body.{i}{j}"', "{j}"),
    ('"a.{i}" = "body.{i}0"', "0"),
    ('"a.{j}" = "body.{i}"', '"a.{j}"'),
    ('"a..b" = "fc"', '"a..b"'),
    ('"a" = ""', '""'),
    ('"a" = "fc."', '"fc."'),
    ('"a b" = "fc"', '"a b"'),
    ('"*.a" = "fc"', '"fc"'),
    ('"a" = "*.fc"', '"a"'),
    ('"*." = "*.bn"', '"*."'),
    ('"a.{i in 0..3}" = "body.{i}"', '"a.{i in 0..3}"'),
    ('"a.{i}" = "body.{i in 0..n}"', "{i in 0..n}"),
    ('"*.a" = none', '"*.a"'),
    ('"a.{i" = none', "{"),
]


@pytest.mark.parametrize(("line", "at"), MALFORMED)
def test_malformed(line: str, at: str) -> None:
    (found,) = findings(line)
    assert (found.code, place(found)) == ("E406", at)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('"*.a" = "fc"', "either side"),
        ('"a.{i}" = "fc"', "put `{i}` on our side"),
        ('"a.{i in 0..3}" = "body.{i}"', "on the right"),
        ('"a" = "fc."', "one dot"),
        ('"*.a" = none', "whole key"),
        ('"a.{i" = "body.{i}"', '"blocks.{s}.{i}.conv" ='),
    ],
)
def test_the_hint_is_about_the_fault(line: str, hint: str) -> None:
    (found,) = findings(line)
    assert hint in (found.help or "")


def test_a_counter_is_for_their_side_and_counted_once() -> None:
    (found,) = findings('count i in "body.{k}"', '"a.{i}" = "body.{i}"')
    assert (found.code, place(found)) == ("E406", '"body.{i}"')
    (found,) = findings('count n in "body.{k}"', 'count n in "stem"', '"a.{n}" = "body.{k}"')
    assert (found.code, place(found)) == ("E406", "n")


def test_a_counter_does_not_count_what_is_inside() -> None:
    (found,) = findings('count n in "body.{k}"', '"a.{n}" = "body.{k}"', '"*.b{n}" = "*.bn"')
    assert (found.code, place(found)) == ("E406", '"*.b{n}"')


def test_malformed_maps_cannot_be_loaded_with() -> None:
    with pytest.raises(ArchError) as raised:
        tiny('checkpoint theirs for Tiny { "a.{i" = "fc" }').keymaps  # noqa: B018
    assert [d.code for d in raised.value.diagnostics] == ["E406"]


def test_rules_without_effect() -> None:
    found = findings('"a.{i}" = "bodie.{i}"', '"b" = "fc"', 'count n in "stem.{i}"')
    assert [(d.code, place(d)) for d in found] == [("E407", '"bodie.{i}"'), ("E407", '"stem.{i}"')]


def test_a_rule_that_a_later_one_replaces() -> None:
    (found,) = findings('"a" = "fc"', '"b" = "fc"')
    assert (found.code, place(found)) == ("E407", '"fc"')
    assert found.span is not None
    assert "later rule" in found.label


def test_a_rule_needs_an_effect_in_one_variant_only() -> None:
    text = TINY.replace("[Unit(2 * width), Unit(2 * width)]", "[n of Unit(2 * width)]").replace(
        "width: int", "n: int = 1, width: int"
    )
    more = "variant more = tiny with (n = 3)\n"
    rule = 'checkpoint theirs for Tiny { "b" = "body.2" }\n'
    assert [d.code for d in file(text + rule).check()] == ["E407"]
    assert [d.code for d in file(text + more + rule).check()] == []


def test_clashes() -> None:
    (found,) = findings('"a" = "body.0"', '"a" = "body.1"')
    assert (found.code, place(found)) == ("E408", '"a"')
    assert "`a.conv.weight`" in found.message
    assert [label.span.line for label in found.secondary] == [found.span.line - 1] if found.span else False
    assert "`body.0.conv.weight`" in found.notes[0]
    # With a key that keeps its own name.
    (found,) = findings('"fc" = "body.0.bn"')
    assert (found.code, place(found)) == ("E408", '"fc"')
    # Within one rule.
    (found,) = findings('"fc" = "body.{i}"')
    assert (found.code, place(found), found.secondary) == ("E408", '"fc"', ())


def test_two_maps_of_one_name_are_one() -> None:
    text = TINY + 'checkpoint m for Tiny { "a" = "fc" }\ncheckpoint m for Tiny { "b" = "stem" }\n'
    assert list(file(text).check()) == []
    renamed = file(text)["tiny"].keymaps["m"].apply(["stem.weight", "fc.weight"]).theirs
    assert renamed == {"stem.weight": "b.weight", "fc.weight": "a.weight"}
    # So one line of two for the same key has no effect.
    item = 'checkpoint m for Tiny { "a" = "fc" }\n'
    found = list(file(TINY + item + item).check())
    assert [d.code for d in found] == ["E407"]


def test_the_map_of_a_variant_adds_to_its_models() -> None:
    text = (
        TINY
        + 'checkpoint m for tiny { "b" = "fc" }\n'
        + 'checkpoint m for Tiny { "a" = "fc", "c" = "stem" }\ncheckpoint o for Tiny {}\n'
    )
    keymaps = file(text)["tiny"].keymaps
    assert list(keymaps) == ["m", "o"]
    assert keymaps["m"].apply(["stem.weight", "fc.weight"]).theirs == {
        "stem.weight": "c.weight",
        "fc.weight": "b.weight",
    }


def test_clashes_of_a_variants_lines_with_its_models() -> None:
    """Alone, neither item gives a key twice."""
    text = TINY + 'checkpoint m for Tiny { "a" = "body.0" }\ncheckpoint m for tiny { "a" = "body.1" }\n'
    (found,) = file(text).check()
    assert (found.code, place(found)) == ("E408", '"a"')
