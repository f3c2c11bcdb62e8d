"""The canonical layout: nothing is lost, formatting twice changes nothing, and it looks as intended."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.syntax import format_file
from archdsl.syntax.columns import WIDTH
from tests.syntax.helpers import ROOT, SPECS, read


def formatted(text: str) -> str:
    """The layout of a text, checked to mean the same and to be stable."""
    file = read(text)
    result = format_file(file)
    assert read(result) == file
    assert format_file(read(result)) == result
    comments = sorted(re.findall(r"#.*", text))
    assert sorted(re.findall(r"#.*", result)) == comments
    return result


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs_survive(path: Path) -> None:
    """As they are, and with the line breaks, blanks and comments at other places."""
    text = path.read_text()
    formatted(text)
    for seed in range(4):
        formatted(rearranged(text, random.Random(seed)))


def rearranged(text: str, chance: random.Random) -> str:
    """The text with some line breaks more and others less; literals, comments and labels stay."""
    other = {
        ", ": [",\n", ",  # note\n"],
        " -> ": ["\n -> ", "   -> "],
        "(": ["(\n"],
        "[": ["[\n"],
        "(\n": ["("],
        "[\n": ["["],
        ",\n": [", "],
    }
    share = chance.choice([0.02, 0.1, 0.5])

    def change(match: re.Match[str]) -> str:
        return chance.choice(other[match[1]]) if match[1] and chance.random() < share else match[0]

    return re.sub(r'"""(?:.|\n)*?"""|"[^"\n]*"|#.*|\{[^{}\n]*\}|(, | -> |[(\[]\n?|,\n)', change, text)


RECIPES = """\
recipe   a for   m,n{"doc"
  epochs=3,lr = 1   # beside
  # above
  optimizer=sgd( 0.9 )
  progressive( size,mixup )in 2*2{
    16,0
    # a row
    320,  0.25 }
}
recipe b=a with{epochs = 5,progressive = none}
recipe c for m=b
"""


def test_recipes() -> None:
    assert (
        formatted(RECIPES)
        == """\
recipe a for m, n {
  "doc"
  epochs = 3, lr = 1  # beside
  # above
  optimizer = sgd(0.9)
  progressive(size, mixup) in 2 * 2 {
    16,  0
    # a row
    320, 0.25
  }
}
recipe b = a with { epochs = 5, progressive = none }
recipe c for m = b
"""
    )


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.arch")), ids=lambda path: path.stem)
def test_shipped_specs_are_in_the_canonical_layout(path: Path) -> None:
    assert formatted(path.read_text()) == path.read_text()


UNCHANGED = [
    '"Paper"\n\ndefault conv(bias = false)\n\nfn f(x, y: int in 1..3 = 2) = x\n',
    "block A = in\nblock B = A\n",
    "variant a = M(1, x = 2)\nvariant b = a with (x = 3)\nvariant c = M\nvariant d = a with ()\n",
    "variant a = M\nexpect a { top1 = 76.1 }\n\nvariant b = a with (x = 3)\nexpect b { top1 = 77.0 }\n",
    "variant a = M\n\nexpect b { top1 = 76.1 }\n",
    "block A on (a, b) {\n  c  = a\n  de = b\n\n  # two\n  if c { c } else { de }\n}\n",
    "model M {\n  for i in 0..3 { x = x -> a{i}: conv(3) }\n  x\n}\n",
    "model M {\n  output aux = x -> h: head(3)\n  if a { output b = x }\n  x\n}\n",
    'checkpoint c for M {\n  "a.b" = "c"\n  "d"   = none\n}\n',
    'model M {\n  stage a { x = in }\n  stage s{i + 1}.b {\n    y = x -> a\n    # why\n  }\n  stage "3-{i}" { y }\n}\n',
    "model M {\n  x = in  -> a\n   -> b   -> c\n   -> def -> e\n}\n",
    "table t(a, b, c) {\n  1,  10.5, a\n  20, 3.0,  bcd  # end\n}\n",
    "variants M(unit, depths) {\n  m1:  Basic(a = 2), [2, 2]\n  m20: Bottleneck,   [2, 24], x = 1, y = 2\n}\n",
    "variants M(a, b) {\n  m1: 100, 2\n  m2: 3,   4,    ..f()\n  m3: 3,   2000, b = 1, ..f()\n}\n",
    "expect a  { params = 1,  macs = 4.09G, top1 = 7 }\n# why\nexpect bc { params = 10, top1 = 70 }\n",
    "expect a { x = 1, yy = 2, z = 3 }\nexpect b { x = 1, z = 2, z = 3 }\n\nexpect long { x = 1 }\n",
    "preprocess a    { size = 2 }\npreprocess b, c { size = 2 }\n",
    "preprocess M {\n  size = 224, crop = 0.9\n  mean = [1, 2]  # of them\n\n  std = [1]\n}\npreprocess m { b = 2 }\n",
    "fn f() = bn\n\nblock g() on (a, b) = a\n",
    "model M(\n  a: int, b: list(int) = [1, 2]\n) {\n  a\n}\n",
    "fn f = concat(\n  a: b,\n  # of c\n  c: d  # beside c\n    -> e,\n)\n",
    "fn f = [\n  a, b, c,  # why\n  d\n  # end\n]\n",
    "fn f = x -> [blocks: [\n  f(i) for i in 0..3\n]]\n",
    "fn f = [\n  if a then b\n  else c\n  for i in xs\n  if i\n]\n",
    "fn f = [a, ..b, 2 of ..[c, d] if e, ..b + c, ..(if a then b else c)]\n",
    "fn f = [..[a, b] for i in xs if i for j in i]\n",
    "fn f = [\n  ..a for i in xs if i\n  # each\n  for j in i\n  if j\n]\n",
    "fn f = x\n    -> concat(\n      a,\n      b,\n    )\n    -> c\n",
    "fn f = (\n  a,\n)\n",
    "fn f =\n  if a then b\n  else if c then d\n  else e\n",
    "model M {\n  if a { b }\n  else if c { d }\n  else { e }\n  if a { b } else { c }\n}\n",
    "model M {\n  a   = b\n     -> c\n  def = e\n}\n",
    "preprocess a, b { size = 224 }\n",
    f"init {'a' * 60}, {'b' * 50},\n     c, d {{\n  conv: zeros\n}}\n",
    'checkpoint timm for a, b { "x" = "y" }\n',
    'init M, n {\n  conv:         a(1)\n  "features.*": b\n}\n',
    "expect m { params = 25_557_032, macs = 4.09G }\n",
    'checkpoint timm for M {\n  "doc"\n  "a"   = "b"\n  "cde" = "f"\n}\n',
    'checkpoint timm for M {\n  # flat\n  count n in "b.{s}.{i}"  # all\n  "a"     = "b"\n  "c.{n}" = "b.{s}.{i}"\n}\n',
    'weights "weights/net.arch"\n\nweights own for m { v1: file = "a.pth" }\n',
    'weights timm for m = "n" {\n  # why\n  "doc"\n  v1: hub = "a/b", top1 = 7.5  # good\n  "b-1": file = "a"\n}\n',
    'checkpoint timm for M { count n in "b.{i}", "c.{n}" = "b.{i}" }\n',
    'reference timm for M\nreference tv for a = "e", b, c = "f" with (d = 2)\nreference tv for a { x = [], y = 1 }\n',
    'reference timm for M with (d = 0.2) {\n  # why\n  "doc"\n  tolerance = 1e-9\n  sizes = [96]  # even\n}\n',
    "fn f(count, n) = count -> f(count = n)\n",
    "fn f = (a, b)[0] -> (if c then d else e) -> (f -> g)\n",
    "fn f = [a, (n - 1) of b, c if d, -x^2, (-x)^2, 2^-x, (a,), not (a and b)]\n",
    "fn f(x) =\n  if x then a\n  else b: [c, d]\n",
    'use "common.arch" (SE, divisible)\n',
    "# only a comment\n",
    "",
]


@pytest.mark.parametrize("text", UNCHANGED, ids=lambda text: text[:30])
def test_canonical_text_stays(text: str) -> None:
    assert formatted(text) == text


CHANGED = [
    ("fn f(x)=x+1", "fn f(x) = x + 1\n"),
    ("fn f = ((a))", "fn f = a\n"),
    ("fn f = (a*b)+c", "fn f = a * b + c\n"),
    ("fn f = a*(b+c)", "fn f = a * (b + c)\n"),
    ("fn f = a-(b-c)", "fn f = a - (b - c)\n"),
    ("fn f = f(a,b=1,..c,)", "fn f = f(a, b = 1, ..c)\n"),
    ("model M\n{\nx = 1\n\n\n\ny = 2 }", "model M {\n  x = 1\n\n  y = 2\n}\n"),
    (
        "model M {\n\n  if a {\n b } \n else if c { d }\n}",
        "model M {\n  if a {\n    b\n  } else if c {\n    d\n  }\n}\n",
    ),
    ("fn a = 1\n\n\n\nfn b = 2\nmodel M { c }", "fn a = 1\n\nfn b = 2\n\nmodel M { c }\n"),
    ("expect m {\n params = 1, macs = 2 }", "expect m {\n  params = 1, macs = 2\n}\n"),
    ("table t(a, b) { 1, 2\n 30, 4 }", "table t(a, b) {\n  1,  2\n  30, 4\n}\n"),
    ("fn f = g(a,\n b, c)", "fn f = g(\n  a, b, c\n)\n"),
    ("fn f = [\na,\nb, c,]", "fn f = [\n  a,\n  b,\n  c,\n]\n"),
    ("fn f(a,\n b) = a", "fn f(\n  a, b\n) = a\n"),
    (
        "init a {\n x: y\n}\ninit b {\n z: y\n}\ninit c { z: y }",
        "init a {\n  x: y\n}\n\ninit b {\n  z: y\n}\ninit c { z: y }\n",
    ),
    ("expect abc { a = 1 }\nexpect d { b = 2 }", "expect abc { a = 1 }\nexpect d   { b = 2 }\n"),
    ("model M { if a { b }\n else {\n c }\n }", "model M {\n  if a {\n    b\n  } else {\n    c\n  }\n}\n"),
    ("fn f = l1 : a", "fn f = l1: a\n"),
    ("fn f = [.. a,2 of ..b, .. (c),..(c+d)]", "fn f = [..a, 2 of ..b, ..c, ..c + d]\n"),
    ("fn f = [..(a -> b) for i in xs for j in ys]", "fn f = [..(a -> b) for i in xs for j in ys]\n"),
    ("model M {\n stage  a\n { b }\n}", "model M {\n  stage a {\n    b\n  }\n}\n"),
]


@pytest.mark.parametrize(("text", "expected"), CHANGED, ids=lambda text: text[:30])
def test_layout(text: str, expected: str) -> None:
    assert formatted(text) == expected


def test_what_hangs_keeps_hanging() -> None:
    """Where its author did not hang it, it fits after a break before the arrow."""
    member = "unit(64 * 2^s, if s > 0 and j == 0 then 2 else 1, pooled, rates[first + j]) for j in 0..n"
    text = f"model M {{\n  x = x -> stage layer{{s + 1}}: [\n    {member}\n  ]\n  x\n}}\n"
    assert formatted(text) == text
    assert formatted(text.replace("[\n    ", "[").replace("\n  ]", "]")) == (
        f"model M {{\n  x = x\n   -> stage layer{{s + 1}}: [{member}]\n  x\n}}\n"
    )


LONG = ", ".join(f"argument{i}: int = {i}" for i in range(12))


@pytest.mark.parametrize(
    "text",
    [
        f"model M({LONG}) {{ a }}",
        f"block M({LONG}) on (a, b) = a",
        f"variant a = M({LONG.replace(': int', '')})",
        f"reference timm for {', '.join(f'variant_number_{i}' for i in range(9))} with ({LONG.replace(': int', '')})",
        f"fn f = if condition then f({LONG.replace(': int', '')}) else if other then {'a' * 60} else {'b' * 60}",
        f"fn f = if condition then {'a' * 60} else if other then {'b' * 60} else {'c' * 60}",
        f"model M {{\n  if a {{ b = {'a' * 60} }} else {{ b = {'c' * 60} }}\n  b\n}}",
        f"default conv({LONG.replace(': int', '')[:90]}), bn(epsilon = 1e-3, momentum = 0.1)",
        f"preprocess {', '.join(f'variant_number_{i}' for i in range(9))} {{ size = 2 }}",
        f"expect a {{ {LONG.replace(': int', '')} }}",
        f"variants M(a, b) {{\n  a: f({'x' * 50}), 1\n  b: 2, [{'y' * 60}]\n  c: 1, [2], z = [{'z' * 50}]\n}}",
        f"expect {'a' * 60} {{ x = 1 }}\nexpect b {{ x = 1, y = {'1' * 50}, z = 1 }}",
    ],
)  # fmt: skip
def test_no_line_is_too_long(text: str) -> None:
    assert max(map(len, formatted(text).splitlines())) <= WIDTH


def test_comments_stay_where_they_are() -> None:
    text = """# first

# about f
fn f = a  # beside f

block A {  # beside the brace
  # about x
  x = in  # the input
   -> a  # one
   # above b
   -> b

  # about y

  y = f(
    a,  # the first
    b
  )  # the second
  # last in the block
}

# last
"""
    result = formatted(text)
    assert result == text.replace("{  # beside the brace\n", "{\n  # beside the brace\n")


def test_a_comment_inside_a_row_moves_above_it() -> None:
    text = "table t(a, b) {\n  1, [2, # two\n      3]\n}\n"
    assert formatted(text) == "table t(a, b) {\n  # two\n  1, [2, 3]\n}\n"


def test_a_long_line_is_broken_at_arrows_and_commas() -> None:
    result = formatted("fn f = " + " -> ".join(f"convolution{i}(a, b)" for i in range(20)))
    assert max(map(len, result.splitlines())) <= 120
    result = formatted("fn f = f(" + ", ".join(f"argument{i}" for i in range(40)) + ")")
    assert max(map(len, result.splitlines())) <= 120


def combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Every kind of expression over others in parentheses, with line breaks and comments at some of the joints."""
    part = inner.map(lambda text: f"({text})")
    space = st.sampled_from([" ", " ", "\n", "  # note\n\n", "   "])
    operator = st.sampled_from("+ - * / // % ^ == < and or ->".split())
    wrap = st.sampled_from(
        ["l{{i}}: {}", "stage l: {}", '"q{{j}}-": {}', "-{}", "not {}", "{}.y", "f({},)", "{}({})", "f(a = {}, ..{})",
         "{}[{}]", "xs[{}..]", "xs[..{}]", "0..{}",
         "[{}, {} of {} if {}]", "[{} for i, (n, d) in {} if {}]", "({}, {})",
         "({},)", "if {} then {} else {}"]
    )  # fmt: skip
    return st.one_of(
        st.tuples(part, space, operator, part).map(lambda p: f"{p[0]}{p[1]}{p[2]} {p[3]}"),
        st.tuples(wrap, part, part, part, part).map(lambda p: p[0].format(*p[1:])),
        st.tuples(part, space, part, space, part).map(lambda p: f"f({p[0]},{p[1]}{p[2]},{p[3]}{p[4]})"),
        st.tuples(part, space, part, space, part).map(lambda p: f"if {p[0]}{p[1]}then {p[2]}{p[3]}else {p[4]}"),
    )


LONG_LEAVES = ["a" * 30, f"f({'b' * 40}, {'c' * 20})", f"[x, {'y' * 50}]", "z" * 70]


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.sampled_from(["a", "in", "3", "0.5", '"s"', "[]", *LONG_LEAVES]), combine, max_leaves=12))
def test_any_expression_keeps_its_meaning(text: str) -> None:
    formatted(f"fn f = {text}")
    formatted(f"fn f = g({text}, b: ({text}) -> ({text}))")
    formatted(f"model M {{\n  x = {text}\n  a, b = {text}, c\n  if a {{ ({text}) }}\n  ({text})\n}}")


@pytest.mark.parametrize(
    "text", ["f(a = (a), ..(l{i}: (a)))", "f(..(a: b -> c))", "f(..a)", "[..(l: a), b]", "f(..g(x).y)"]
)
def test_what_is_spread_keeps_its_meaning(text: str) -> None:
    """Directly behind `..` a label would not be one."""
    formatted(f"fn f = {text}")
