"""Numbers, booleans, strings, lists: values and the errors of operators, as docs/language.md says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.semantics.helpers import check, codes, evaluate, net, only


def _is(value: Any, expected: Any) -> bool:
    """Equal, and of the same type: 1, 1.0 and true are three values."""
    return type(value) is type(expected) and value == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("10 - 2 - 3", 5),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7 % 3", 1),
        ("6 / 3", 2),
        ("7 / 2", 3.5),
        ("6.0 / 3", 2.0),
        ("2 * 0.5", 1.0),
        ("2 ^ -1", 0.5),
        ("2 ^ 0.5 ^ 2", 2**0.25),
        ("4.09G", 4_090_000_000),
        ("1.5K", 1500),
        ("25_557_032", 25_557_032),
        ("1e-3", 0.001),
        ("1 < 2", True),
        ("2 <= 1", False),
        ("1 == 1.0", True),
        ("1 == true", False),
        ('"a" == "a"', True),
        ('"a" < "b"', True),
        ("not 1 == 2", True),
        ("true and not false or false", True),
        ("if 1 < 2 then 3 else 4", 3),
        ("if 2 < 1 then 3 else 4", 4),
    ],
)
def test_arithmetic(text: str, expected: Any) -> None:
    assert _is(evaluate(text), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int(2.9)", 2),
        ("int(-2.9)", -2),
        ("round(2.5)", 2),  # half to even, as Python and the reference implementations round
        ("round(3.5)", 4),
        ("ceil(2.1)", 3),
        ("floor(-2.1)", -3),
        ("abs(-3)", 3),
        ("min(3, 1, 2)", 1),
        ("max([3, 1, 2])", 3),
        ("sum([1, 2, 3])", 6),
        ("sum(0..4)", 6),
        ("len([1, [2, 3]])", 2),
        ("len(2..7)", 5),
        ("zip([1, 2], [3, 4])", ((1, 3), (2, 4))),
        ("linspace(0, 1, 3)", (0.0, 0.5, 1.0)),
        ("linspace(0, 0.1, 1)", (0.0,)),
        ("linspace(0, 0.1, 0)", ()),
        ("sqrt(16)", 4.0),
        ("unique([2, 1, 2])", (2, 1)),
        ("count([1, 2, 1], 1)", 2),
        ("reversed([1, 2])", (2, 1)),
    ],
)
def test_builtins(text: str, expected: Any) -> None:
    assert _is(evaluate(text), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2] + [3]", (1, 2, 3)),
        ("[2 of 1, 3]", (1, 1, 3)),
        ("[0 of 1]", ()),
        ("[1, 2 if 1 > 2, 3]", (1, 3)),
        ("[2 of 5 if true]", (5, 5)),
        ("[2 of 5 if false]", ()),
        ("[i * i for i in 0..4]", (0, 1, 4, 9)),
        ("[i for i in 0..6 if i % 2 == 0]", (0, 2, 4)),
        ("[10 * i + v for i, v in [7, 8]]", (7, 18)),
        ("[a * b for (a, b) in [[1, 2], [3, 4]]]", (2, 12)),
        ("[i + a * b for i, (a, b) in zip([1, 2], [3, 4])]", (3, 9)),
        ("[10 * i + j for i in 0..3 for j in 0..i]", (10, 20, 21)),
        ("[x for xs in [[1, 2], [3]] for x in xs if x != 2]", (1, 3)),
        ("[i + j for i in 0..3 if i > 0 for j in [10, 20] if i * j != 40]", (11, 21, 12)),
        ("[..[1, 2], 3]", (1, 2, 3)),
        ("[0, ..1..3, ..[]]", (0, 1, 2)),
        ("[..(3, 4), ..[5 if 1 > 2]]", (3, 4)),
        ("[2 of ..[1, 2]]", (1, 2, 1, 2)),
        ("[..[1, 2] if 1 > 2, 3]", (3,)),
        ("[2 of ..[1] if true]", (1, 1)),
        ("[..[i, 10 * i] for i in 1..3]", (1, 10, 2, 20)),
        ("[..[..[1], 2], [3]]", (1, 2, (3,))),
        ("[1, 2, 3][0]", 1),
        ("[1, 2, 3][-1]", 3),
        ("[1, 2, 3][1..]", (2, 3)),
        ("[1, 2, 3][..2]", (1, 2)),
        ("[1, 2, 3][1..1]", ()),
        ("(0..5)[2]", 2),
    ],
)
def test_lists(text: str, expected: Any) -> None:
    assert _is(evaluate(text), expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 + true", "E304"),
        ('1 + "a"', "E304"),
        ('"a" + "b"', "E304"),
        ('1 < "a"', "E304"),
        ("[1] * 2", "E304"),
        ("relu == relu", "E304"),
        ("1 / 0", "E305"),
        ("1 // 0", "E305"),
        ("1 % 0", "E305"),
        ("1.0 / 0.0", "E305"),
        ("0 ^ -1", "E321"),
        ("(-1) ^ 0.5", "E321"),
        ("10 ^ 19", "E321"),
        ("1e18 * 10", "E321"),
        ("9999999999999999999", "E321"),
        ("exp(1000)", "E321"),
        ("exp(700)", "E321"),
        ("log(0)", "E302"),
        ("[1, 2][2]", "E306"),
        ("[1, 2][-3]", "E306"),
        ("[1, 2][0..3]", "E306"),
        ("[1, 2][1.0]", "E301"),
        ("[1, 2][1 / 2]", "E303"),
        ("3[0]", "E301"),
        ("[-1 of 2]", "E302"),
        ("[1.5 of 2]", "E301"),
        ("[5 / 2 of 2]", "E303"),
        ("[true of 2]", "E301"),
        ("[1, relu]", "E301"),
        ("0..2.5", "E301"),
        ("0..(5 / 2)", "E303"),
        ("not 1", "E310"),
        ("1 and true", "E310"),
        ("true and 1", "E310"),
        ("if 1 then 2 else 3", "E310"),
        ("-true", "E301"),
        ("[i for i in 3]", "E311"),
        ("[i for i in 0..3 for j in i]", "E311"),
        ("[..3]", "E301"),
        ("[..relu]", "E301"),
        ('[.."ab"]', "E301"),
        ("[..[1], relu]", "E301"),
        ("[..nothing]", "E101"),
        ("[conv(8, 3), bn] + [conv(8, 3), relu]", "E329"),
        ("[] + [conv(8, 3)]", "E329"),
        ("[conv(8, 3)] + []", "E329"),
        ("[1] + relu", "E329"),
        ("[relu] + [1]", "E329"),
        ("[relu] / [relu]", "E304"),
        ("[a for (a, b) in [1, 2]]", "E307"),
        ("[a for a, b, c in [[1, 2, 3]]]", "E307"),
        ("zip([1], [1, 2])", "E308"),
        ("max([])", "E301"),
        ("max(1, true)", "E301"),
        ("round([1])", "E301"),
        ("len(3)", "E301"),
        ("linspace(0, 1, 2.5)", "E301"),
        ("int(1, 2)", "E105"),
        ("int()", "E103"),
        ("int(value = 1)", "E102"),
        ("1(2)", "E309"),
        ("nothing", "E101"),
        ("[1, 2].width", "E114"),
        ("[200_001 of 1]", "E315"),
        ("[100_000 of ..[1, 2, 3]]", "E315"),
        ("[..0..100_000 for i in 0..3]", "E315"),
        ("[i for i in 0..1000 for j in 0..1000]", "E315"),
    ],
)
def test_errors(text: str, code: str) -> None:
    if code == "E315":
        assert codes(net(f"image(3, 4, 4) -> conv(sum({text}), 1)")) == [code]
    else:
        assert evaluate(text) == code


def test_and_or_stop_where_they_are_decided() -> None:
    assert evaluate("false and [1][5] == 1") is False
    assert evaluate("true or [1][5] == 1") is True
    assert evaluate("true and [1][5] == 1") == "E306"


def test_and_or_stop_with_parameters_too() -> None:
    block = "block B(i: int) = conv(if i > 0 and [1, 2][i - 3] == 1 then 4 else 8, 1)"
    assert codes(net("image(3, 4, 4) -> B(0)", block)) == []
    assert codes(net("image(3, 4, 4) -> B(2)", block)) == []
    assert codes(net("image(3, 4, 4) -> B(5)", block)) == ["E306"]


def test_inexact_division_names_both_numbers() -> None:
    found = only(net("image(3, 8, 8) -> [depth / 2 of conv(4, 1)]", parameters="depth = 5"))
    assert found.code == "E303"
    assert "5 / 2" in found.message
    assert found.span is not None
    assert found.span.text == "depth / 2"


def test_one_failed_value_causes_one_error() -> None:
    text = net(
        """
        a = 1 / 0
        b = a + 1
        c = [a, b]
        x = image(3, 8, 8) -> conv(c[0], 3)
        y = if a > 1 then x else x -> relu
        for i in 0..a { y = y -> conv(b, 3) }
        y + x -> conv(len(c), 1)
        """
    )
    assert codes(text) == ["E305"]


def test_several_errors_of_one_run() -> None:
    text = net(
        """
        a = 1 / 0
        b = [1, 2][7]
        x = image(3, 8, 8) -> conv(16, 3, strde = 2)
        y = image(3, 8, 8)
        z = unknown
        x
        """
    )
    # Names first, then what elaboration finds, in the order of the text.
    assert codes(text) == ["E102", "E101", "E305", "E306", "E324"]


def test_a_local_that_hides_an_op_is_named_as_the_cause() -> None:
    found = only(net("image(3, 8, 8) -> dropout(dropout)", parameters="dropout = 0.2"))
    assert found.code == "E309"
    assert "hides" in (found.help or "")


def test_a_condition_on_a_number_in_a_list_may_depend_on_a_parameter() -> None:
    block = "block B(more: bool) = conv(sum([4, 2 if more]), 1)"
    assert codes(net("image(3, 4, 4) -> B(true) -> B(false)", block)) == []


@pytest.mark.parametrize("value", ["[3, 3.0]", "[true, 3]", "[3.0, 3.0]"])
def test_equal_numbers_of_other_types_are_other_arguments(value: str) -> None:
    """A kernel of [3, 3] seen before does not make [3.0, 3.0] a kernel."""
    text = net(f"image(3, 8, 8) -> conv(4, [3, 3]) -> conv(4, {value})")
    assert all(d.code in ("E301", "E317") for d in check(text))
    assert codes(text)
