"""Every syntax error: its code, the place of its caret, and the hint for the mistake that probably caused it."""

from __future__ import annotations

import pytest

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.source import Source
from archdsl.syntax import parse


def errors(text: str) -> list[Diagnostic]:
    bag = Bag()
    assert parse(Source("test.arch", text), bag) is None
    return sorted(bag, key=lambda d: d.span.start if d.span else 0)


# text, with «» around what the caret marks; code; part of the hint
MISTAKES = [
    ("fn f = «'»a'", "E001", "double quotes"),
    ("fn f = a «&»& b", "E001", "`and`"),
    ("fn f = a «−» b", "E001", "minus"),
    ("fn f = a«;» b", "E001", "new line"),
    (r'fn f = «"\d"»', "E001", "escapes"),
    ("fn f = a «b»", "E002", ""),
    ("fn f(x «y») = 1", "E002", ""),
    ("model M { x = xs[1«:»3] }", "E002", "xs[1..3]"),
    ("model M { x = xs[«:»i] }", "E002", "xs[1..3]"),
    ("model M { x = xs[«a:»b] }", "E002", "xs[1..3]"),
    ("model M { if x «=» 3 { y = 2 } }", "E002", "`==`"),
    ("model M { x = 2*«*»i }", "E002", "`^`"),
    ("model M { x +«=» 1 }", "E002", "x = x + 1"),
    ("model M { x = y «if» c else d }", "E002", "if c then a else b"),
    ("model M { y = f(i) «for» i in xs }", "E002", "comprehension"),
    ("model M { return «x» }", "E002", "leave `return` out"),
    ("recipe b «with» a { epochs = 3 }", "E002", "behind `=`: `recipe b = a with {"),
    ("recipe b for net «with» a { epochs = 3 }", "E002", "behind `=`: `recipe b = a with {"),
    ("variant b «with» a (width = 2)", "E002", "behind `=`: `variant b = a with ("),
    ("model M {\n  for i in «xs:»\n    x = 1\n}", "E002", "braces"),
    ("model M {\n  if x > 3«:»\n    x = 1\n}", "E002", "braces"),
    ("model M {\n  if a { b }\n  elif «c» { d }\n}", "E002", "else if"),
    ("fn f = lambda «x:» x", "E002", "anonymous"),
    ("fn f = id + «block:» conv(3)", "E002", "parentheses"),
    ("fn f = x -> «if» c then a else b", "E002", "parentheses"),
    ("fn «of»(x) = 1", "E002", "reserved"),
    ("model M { for «=» x }", "E002", "reserved"),
    ("variants M(a) {\n  x: 3,«»\n  y: 4\n}", "E002", "comma"),
    ("fn f = [\n  a«»\n  b\n]", "E002", ""),
    ("fn f = [a ->«»\n  , b]", "E002", ""),
    ("fn f = [8«:» a]", "E002", "numbered by themselves"),
    ("fn f = a -> 8«:» b", "E002", "numbered by themselves"),
    ("fn f = a -> «{»p}.x: b", "E002", "is a string"),
    ("recipe a {\n  «epochs:» 5\n}", "E002", "`size = 224`"),
    ("preprocess a { «size:» 5 }", "E002", "`size = 224`"),
    ("recipe a { «progresive»(size) { 1 } }", "E002", "did you mean `progressive`?"),
    ("«receipe» a { epochs = 3 }", "E010", "did you mean `recipe`?"),
    ("«modl» M = a", "E010", "did you mean `model`?"),
    ("«blok» B(x) {\n  x\n}", "E010", "did you mean `block`?"),
    ("«expcet» m { params = 3 }", "E010", "did you mean `expect`?"),
    ("model M { «fro» i in xs { a } }", "E002", "did you mean `for`?"),
    ("model M { for i «ni» xs { a } }", "E002", "did you mean `in`?"),
    ("model M { if c { a } «esle» { b } }", "E002", "did you mean `else`?"),
    ("fn f = if c «thn» a else b", "E002", "did you mean `then`?"),
    ("fn f = [2 «fo» a]", "E002", "did you mean `of`?"),
    ("fn f = a «adn» b", "E002", "did you mean `and`?"),
    ("fn f = «nto» a", "E002", "did you mean `not`?"),
    ("model M { «requir» a > 3 }", "E002", "did you mean `require`?"),
    ("model M { «stge» layer1: a }", "E002", "did you mean `stage`?"),
    ("model M { «iff» c { a } }", "E002", "did you mean `if`?"),
    ("model M { «ouput» x = a }", "E002", "did you mean `output`?"),
    ("expect m { params = 3 «macs» = 4 }", "E002", "own line"),
    ("model M {\n  x = 1 } «}»", "E002", "remove"),
    ("fn f = a +«»", "E003", ""),
    ("fn f(x)«»", "E003", ""),
    ("fn f = if a then b else«»", "E003", ""),
    ("fn f = «[»1, 2", "E004", ""),
    ("model M {\n  x = conv«(»3\n  y = relu\n}", "E004", ""),
    ("model M «{»\n  x = conv(3)\n\nfn f = 3", "E004", ""),
    ("model M {\n  for i in xs «{»\n    x = 1\n  x\n}\n\nfn f = 3", "E004", ""),
    ("model M {\n  x = concat(\n    conv«(»(3, 1),\n    relu\n  )\n}", "E004", ""),
    ("model M(\n  a: list«(»int, b: int\n) {\n  x\n}", "E004", ""),
    ("init M «[»\n  conv: zeros\n}", "E004", ""),
    ('checkpoint c for M {\n  "a" =«»\n  "b" = "c"\n}', "E002", ""),
    ("variants M(a) {\n  x: 3,«»\n}", "E002", "comma"),
    ('fn f = «"abc»\nfn g = 2', "E005", '`"`'),
    ("fn f = layer«{}»: a", "E006", ""),
    ("fn f = layer{i +«»}: a", "E006", ""),
    ("fn f = layer{a «b»}: c", "E006", ""),
    ('fn f = "«a{b»": a', "E006", ""),
    ("fn f(«layer{i}»: int) = 1", "E006", ""),
    ("variants M(a) { «x.y»: 1 }", "E006", ""),
    ("init M { «conv{i}»: zeros }", "E006", "string"),
    ("fn f = «3x»", "E007", "25_557_032"),
    ("fn f = «1__0»", "E007", ""),
    ("fn f = «1e999»", "E007", ""),
    ("fn f = «1e3K»", "E007", ""),
    ("fn f = «" + "9" * 5000 + "»", "E007", ""),
    ("fn f = a < b «<» c", "E008", "and"),
    ("fn f = a == b «!=» c", "E008", "and"),
    ("«x» = 3", "E010", "top level"),
    ("«def» foo(x): x", "E010", "fn name"),
    ("«import» torch", "E010", "use"),
    ("block A {\n  «block» B = conv(3)\n}", "E010", "}"),
]


@pytest.mark.parametrize(
    "marked",
    [
        "model M {\n  if c {\n    x = 1 «}»\n  }\n}",
        "model M {\n  x = concat(\n    conv(3) «)»,\n    relu\n  )\n}",
        'checkpoint c for M {\n  "a" «}» = "b"\n}',
    ],
)
def test_the_closer_that_is_one_too_many_is_named(marked: str) -> None:
    """It closes in the midst of a line what was opened above; the one that is left over stands further down."""
    before, _, rest = marked.partition("«")
    found = errors(before + rest.replace("»", ""))
    assert [error.code for error in found][:1] == ["E002"]
    assert [label.span.start for label in found[0].secondary] == [len(before)]


def test_a_closer_of_another_item_is_not_named() -> None:
    found = errors("fn f = [\n  a, b]\nfn g = a]\n")
    assert [(error.code, error.secondary) for error in found] == [("E002", ())]


@pytest.mark.parametrize(("marked", "code", "hint"), MISTAKES, ids=lambda value: value[:40])
def test_mistakes(marked: str, code: str, hint: str) -> None:
    before, _, rest = marked.partition("«")
    inside, _, after = rest.partition("»")
    found = errors(before + inside + after)
    assert [error.code for error in found] == [code], [str(error) for error in found]
    span = found[0].span
    assert span is not None
    assert (span.start, span.end) == (len(before), len(before) + len(inside))
    assert hint in (found[0].help or "")


def test_an_error_in_each_item_is_reported() -> None:
    text = 'fn a = 1 +\n\nfn b = 2\n\nblock C {\n  x = (3\n}\n\nmodel D { y = ] }\nvariant e = 3\nfn f = "x\n'
    assert [(error.code, error.span.line) for error in errors(text) if error.span] == [
        ("E002", 1), ("E004", 6), ("E002", 9), ("E002", 10), ("E005", 11),
    ]  # fmt: skip


def test_the_lines_torn_off_by_an_error_are_not_errors_of_their_own() -> None:
    found = errors("block A {\n  x = 1\n}\n  y = 2\n  z = 3\n}\n\nfn f = 3\n")
    assert [error.code for error in found][:1] == ["E010"]
    assert len(found) <= 2


def test_an_unclosed_bracket_also_shows_where_it_was_noticed() -> None:
    (error,) = errors("model M {\n  x = f(1\n}\nfn g = 2\n")
    assert [label.span.text for label in error.secondary] == ["}"]
    (error,) = errors("model M {\n  x = f(1)\n\nvariants M() {\n}\n")
    assert [label.span.text for label in error.secondary] == ["variants"]


def test_what_was_expected_is_named() -> None:
    assert errors("use 3 (a)")[0].label == "expected a string"
    assert errors("fn f(a b) = 1")[0].label == "expected `)`, `,` or `=`"
    assert errors("fn f = (1 + )")[0].label == "expected an expression"
    assert errors("fn (a) = 1")[0].label == "expected a name"


@pytest.mark.parametrize(
    "text",
    [
        "fn f = " + "(" * 300 + "1" + ")" * 300,
        "fn f = " + "[" * 100_000,
        "fn f = " + "f(" * 101 + ")" * 101,
        "fn f = " + "-" * 300 + "1",
        "fn f = " + "not " * 300 + "a",
        "fn f = " + "2^" * 300 + "2",
        "fn f = " + "1 + " * 300 + "1",
        "fn f = " + "x" + ".y" * 300,
        "fn f = " + "x" + "()" * 300,
        "fn f = " + "if a then b else " * 300 + "c",
        "fn f = " + "a: " * 300 + "c",
        "model M { " + "if a { } else " * 300 + "{ } }",
        "model M { " + "if a { " * 300 + "} " * 300 + "}",
        "fn f(x: " + "list(" * 300 + "int" + ")" * 300 + ") = 1",
        "#" * 1_000_001,
    ],
    ids=lambda text: text[:30],
)
def test_depth_and_size_are_limited(text: str) -> None:
    assert "E009" in [error.code for error in errors(text)]


def test_hundred_levels_are_enough_for_anyone() -> None:
    bag = Bag()
    text = "fn f = " + "f(" * 99 + "1" + ")" * 99 + "\nfn g = [" + "1, " * 5000 + "]\nfn h = a" + " -> b" * 3000
    assert parse(Source("test.arch", text), bag) is not None, [str(d) for d in bag]
