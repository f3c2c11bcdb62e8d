"""How expressions group; every line follows from the precedence table of grammar/arch.lark."""

from __future__ import annotations

import pytest

from archdsl.syntax import ast
from tests.syntax.helpers import SPECS, nodes, read, read_expression, show

GROUPING = {
    # -> binds loosest, and is flat
    "a + b -> c": "((a + b) -> c)",
    "a -> b -> c": "(a -> b -> c)",
    "(a -> b) -> c": "((a -> b) -> c)",
    # labels take one whole operand of ->
    "l: a * b -> c": "((l: (a * b)) -> c)",
    "stage l1: [a, b] -> c": "((stage l1: [a, b]) -> c)",
    "l: a or b": "(l: (a or b))",
    "outer: inner: f": "(outer: (inner: f))",
    "id + (block: f -> g)": "(id + ((block: f) -> g))",
    # conditionals reach to the right
    "if a then b else c -> d": "(if a then b else (c -> d))",
    "if a then b -> c else d": "(if a then (b -> c) else d)",
    "if a then b else if c then d else e": "(if a then b else (if c then d else e))",
    "f(if a == 0 then 1 else 2, b)": "f((if (a == 0) then 1 else 2), b)",
    "if a then b else l: [c]": "(if a then b else (l: [c]))",
    # logic
    "a or b and not c == d": "(a or (b and (not (c == d))))",
    "not not a": "(not (not a))",
    "a == b or c != d": "((a == b) or (c != d))",
    "(a < b) == c": "((a < b) == c)",
    # ranges
    "0..n - 1": "(0..(n - 1))",
    "a..b == c": "((a..b) == c)",
    "0..n": "(0..n)",
    "xs[1..4]": "xs[(1..4)]",
    "xs[2..]": "xs[(2..)]",
    "xs[..i + 1]": "xs[(..(i + 1))]",
    "xs[-1]": "xs[(- 1)]",
    # arithmetic
    "a - b - c": "((a - b) - c)",
    "a + b * c // d % e": "(a + (((b * c) // d) % e))",
    "-a * b": "((- a) * b)",
    "-a^2": "(- (a ^ 2))",
    "a^b^c": "(a ^ (b ^ c))",
    "2^-i": "(2 ^ (- i))",
    "64 * 2^i": "(64 * (2 ^ i))",
    "a * -b": "(a * (- b))",
    "4 * f(x).y[0]": "(4 * f(x).y[0])",
    # calls
    "f(64, stride = 2, ..compound(phi = 3),)": "f(64, stride = 2, ..compound(phi = 3))",
    "layer_scale(init = 1e-6, table = 1)": "layer_scale(init = 1e-06, table = 1)",
    "row.table.stage": "row.table.stage",
    "f()()": "f()()",
    # lists and tuples
    "[]": "[]",
    "[a, (n - 1) of f(x), g if c,]": "[a, (n - 1) of f(x), g if c]",
    "[n - 1 of f -> g if c]": "[(n - 1) of (f -> g) if c]",
    "[if a then b else c if d]": "[(if a then b else c) if d]",
    "[f(i) for i in 0..n]": "[f(i) for i in (0..n)]",
    "[l{i}: f for i, (n, d) in zip(a, b) if n > 0]": "[(l{i}: f) for <i, <n, d>> in zip(a, b) if (n > 0)]",
    "[f for (n, d) in xs]": "[f for <<n, d>> in xs]",
    "[f for i in 0..n for j in 0..i if c for k in xs]": "[f for i in (0..n) for j in (0..i) if c for k in xs]",
    "[..a, b, ..c + d, ..0..3]": "[..a, b, ..(c + d), ..(0..3)]",
    "[2 of ..a if c, ..b if d]": "[2 of ..a if c, ..b if d]",
    "[..f(i) for i in xs if c]": "[..f(i) for i in xs if c]",
    "[..[f, g]][..2]": "[..[f, g]][(..2)]",
    "(a, b)": "<a, b>",
    "(a,)": "<a>",
    "(a)": "a",
    # names
    "in -> stage -> on + init": "(in -> stage -> (on + init))",
    "layer{i + 1}.conv{2 * j}x: f": "(layer{(i + 1)}.conv{(2 * j)}x: f)",
    '"block{s}-{j}": f': "(block{s}-{j}: f)",
    "classifier.0: f": "(classifier.0: f)",
    "in: f": "(in: f)",
}


@pytest.mark.parametrize(("text", "grouped"), GROUPING.items())
def test_grouping(text: str, grouped: str) -> None:
    assert show(read_expression(text)) == grouped


NUMBERS = {
    "0": 0,
    "0.0": 0.0,
    "25_557_032": 25557032,
    "0.5": 0.5,
    "1e-3": 0.001,
    "1.5e3": 1500.0,
    "4.09G": 4_090_000_000,
    "1.5K": 1500,
    "21.8M": 21_800_000,
    "0.0001K": 0.1,
    "0.1_5": 0.15,
}


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers(text: str, value: float) -> None:
    node = read_expression(text)
    assert isinstance(node, ast.Number)
    assert node.value == value
    assert type(node.value) is type(value)
    assert node.text == text


def test_strings_know_three_escapes() -> None:
    assert read_expression(r'"a\"b\\c\nd # e"') == ast.String('a"b\\c\nd # e', span=read_expression("x").span)


def test_an_expression_goes_on_where_a_line_begins_or_ends_with_an_operator() -> None:
    one_line = read("model M {\n  x = a + b -> c -> d\n}")
    assert read("model M {\n  x = a +\n\n b  # why\n  -> c ->\n # what\n d\n}\n") == one_line
    assert read("model M {\n  x =\n    a\n  + b\n    -> c\n    -> d\n}") == one_line


def test_a_minus_continues_a_line_only_before_a_space() -> None:
    body = read("model M {\n  x = a\n  - b\n}").items[0]
    assert isinstance(body, ast.Definition)
    assert len(body.body) == 1
    body = read("model M {\n  x = a\n  -b\n}").items[0]
    assert isinstance(body, ast.Definition)
    assert len(body.body) == 2


def test_newlines_do_not_count_in_round_and_square_brackets() -> None:
    assert read_expression("f(\n  a,\n\n  b # c\n)[\n0\n]") == read_expression("f(a, b)[0]")


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_text_of_every_expression_s_span_is_that_expression(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    checked = 0
    for node in nodes(read(text)):
        open_range = isinstance(node, ast.Range) and (node.start is None or node.stop is None)
        if isinstance(node, ast.Expression.__args__) and not open_range:  # type: ignore[attr-defined]
            assert "\n" not in node.span.text[:1]
            target = node.span.text
            if isinstance(node, ast.TupleExpr) and not target.startswith("("):
                continue  # `a, b = c, d`: the values are a tuple without parentheses
            assert read_expression(target) == node
            checked += 1
    assert checked > 10
