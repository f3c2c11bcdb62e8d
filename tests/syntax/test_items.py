"""What each kind of item becomes."""

from __future__ import annotations

import pytest

from archdsl.diagnostics.core import Bag
from archdsl.source import Source
from archdsl.syntax import ast, parse
from tests.syntax.helpers import SPECS, read, show, show_argument, show_target


def only(text: str) -> ast.ItemSyntax:
    items = read(text).items
    assert len(items) == 1
    return items[0]


def definition(text: str) -> ast.Definition:
    item = only(text)
    assert isinstance(item, ast.Definition)
    return item


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs_parse(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    bag = Bag()
    assert parse(Source("spec.arch", text), bag) is not None, [str(d) for d in bag]


def test_empty_files() -> None:
    for text in ("", "\n\n", "# nothing\n", "  # nothing"):
        assert read(text).items == ()


def test_docstring() -> None:
    file = read('# first\n"Paper, arXiv:1\\"2"\n\n"more"\n')
    assert file.docstring is not None
    assert file.docstring.text == 'Paper, arXiv:1"2'
    assert [type(item) for item in file.items] == [ast.Docstring, ast.Docstring]


def test_use_and_default() -> None:
    use = only('use "common.arch" (SE, divisible,)')
    assert isinstance(use, ast.Use)
    assert (use.path.value, [n.name for n in use.names]) == ("common.arch", ["SE", "divisible"])
    default = only("default conv(bias = false), bn(eps = 1e-3)")
    assert isinstance(default, ast.Default)
    assert [show(call) for call in default.calls] == ["conv(bias = False)", "bn(eps = 0.001)"]


@pytest.mark.parametrize("kind", ["block", "fn", "scaling", "model"])
def test_definitions(kind: str) -> None:
    item = definition(f'{kind} Name(a, b = 2) {{\n  "doc"\n  x = a\n\n  x -> b\n}}')
    assert (item.kind, item.name, item.expression, item.inputs) == (kind, "Name", False, ())
    assert item.docstring is not None
    assert item.docstring.text == "doc"
    assert [type(s) for s in item.body] == [ast.Assign, ast.Result]
    short = definition(f"{kind} Name =\n  a -> b")
    assert (short.parameters, short.expression, len(short.body)) == ((), True, 1)


def test_inputs_of_a_block() -> None:
    assert [n.name for n in definition("block A on (prev, cur) { prev }").inputs] == ["prev", "cur"]
    item = definition("block A(f) on (x,) = x")
    assert ([p.name for p in item.parameters], [n.name for n in item.inputs]) == (["f"], ["x"])


def test_parameters() -> None:
    text = 'fn f(a, b: int, c: int in 1..10 = 3, d: string in ["a", "b"], e: list(list(int)) = [], g: float in 0..) = a'
    a, b, c, d, e, g = definition(text).parameters
    assert (a.name, a.type, a.allowed, a.default) == ("a", None, None, None)
    assert b.type is not None
    assert b.type.name == "int"
    assert c.allowed is not None
    assert c.default is not None
    assert (show(c.allowed), show(c.default)) == ("(1..10)", "3")
    assert d.allowed is not None
    assert show(d.allowed) == "['a', 'b']"
    assert e.type is not None
    assert e.type.element is not None
    assert e.type.element.element is not None
    assert e.type.element.element.name == "int"
    assert g.allowed is not None
    assert show(g.allowed) == "(0..)"


def test_statements() -> None:
    body = definition(
        """model M {
          a, b = b, a
          skip, x = in -> split(2)
          if a { x = 1 } else if b { x = 2 }
          else { x = 3
            y = 4 }
          for i, (n, dim) in zip(a, b) { }
          for (n, dim) in xs { n }
          require a < b, "so"
          require a
          x
        }"""
    ).body
    swap, split, choice, loop, unpacking, require, bare, result = body
    assert isinstance(swap, ast.Assign)
    assert (show_target(swap.target), show(swap.value)) == ("<a, b>", "<b, a>")
    assert isinstance(split, ast.Assign)
    assert show(split.value) == "(in -> split(2))"
    assert isinstance(choice, ast.IfStatement)
    assert isinstance(choice.no[0], ast.IfStatement)
    assert len(choice.no[0].no) == 2
    assert isinstance(loop, ast.For)
    assert show_target(loop.target) == "<i, <n, dim>>"
    assert loop.body == ()
    assert isinstance(unpacking, ast.For)
    assert show_target(unpacking.target) == "<<n, dim>>"
    assert isinstance(require, ast.Require)
    assert require.message is not None
    assert require.message.value == "so"
    assert isinstance(bare, ast.Require)
    assert bare.message is None
    assert isinstance(result, ast.Result)


def test_table() -> None:
    table = only('table t(a, b) {\n  "doc"\n\n  1, "x"  # first\n  -2, [3, 4]\n  - 3, if a then b else c\n}')
    assert isinstance(table, ast.Table)
    assert table.docstring is not None
    assert [c.name for c in table.columns] == ["a", "b"]
    # `- 3` begins with a minus and a space: it goes on with the row above, which the number of values then reveals.
    assert [[show(v) for v in row.values] for row in table.rows] == [
        ["1", "'x'"],
        ["(- 2)", "([3, 4] - 3)", "(if a then b else c)"],
    ]
    single = only('table t(a) {\n  "x"\n  "y"\n}')
    assert isinstance(single, ast.Table)
    assert (single.docstring, len(single.rows)) == (None, 2)


def test_variants() -> None:
    item = only('variants M(a, b) {\n  "doc"\n  m1: Basic, [2, 2]\n  m2: b = 3, ..row\n}')
    assert isinstance(item, ast.Variants)
    assert item.docstring is not None
    assert [(row.name, [show_argument(a) for a in row.arguments]) for row in item.rows] == [
        ("m1", ["Basic", "[2, 2]"]),
        ("m2", ["b = 3", "..row"]),
    ]
    assert [row.name_span.text for row in item.rows] == ["m1", "m2"]


def test_variant() -> None:
    variants = read("variant a = M(1)\nvariant b = M\nvariant c = a with (x = 2)\nvariant with = init with ()").items
    found = [(v.name, v.base.name, len(v.arguments), v.amends) for v in variants if isinstance(v, ast.Variant)]
    assert found == [("a", "M", 1, False), ("b", "M", 0, False), ("c", "a", 1, True), ("with", "init", 0, True)]


@pytest.mark.parametrize("separator", [", ", "\n", ",\n", "\n\n  # c\n"])
def test_entries_end_with_a_comma_or_a_line(separator: str) -> None:
    expect = only(f"expect m {{ params = 25_557_032{separator}macs = 4.09G }}")
    assert isinstance(expect, ast.Expect)
    assert [(e.key, show(e.value)) for e in expect.entries] == [("params", "25557032"), ("macs", "4090000000")]
    preprocess = only(f"preprocess m, n {{ size = 224{separator}mean = [0.5] }}")
    assert isinstance(preprocess, ast.Preprocess)
    assert [target.name for target in preprocess.targets] == ["m", "n"]
    assert [e.key for e in preprocess.entries] == ["size", "mean"]
    init = only(f'init M, n {{ conv: kaiming(mode = "x"){separator}"features.*.fc": zeros }}')
    assert isinstance(init, ast.Init)
    assert [target.name for target in init.targets] == ["M", "n"]
    assert [(r.pattern, r.quoted, show(r.value)) for r in init.rules] == [
        ("conv", False, "kaiming(mode = 'x')"),
        ("features.*.fc", True, "zeros"),
    ]
    checkpoint = only(
        f'checkpoint timm for M, n {{\n "doc"\n "a.{{i}}" = "b.{{i + 1}}"{separator}count n in "d.{{k}}"'
        f'{separator}"c" = "d" }}'
    )
    assert isinstance(checkpoint, ast.Checkpoint)
    assert checkpoint.docstring is not None
    assert (checkpoint.name, [target.name for target in checkpoint.targets]) == ("timm", ["M", "n"])
    rules = [r for r in checkpoint.rules if isinstance(r, ast.KeyRule)]
    assert [(r.theirs.value, r.ours.value) for r in rules] == [("a.{i}", "b.{i + 1}"), ("c", "d")]
    counter = checkpoint.rules[1]
    assert isinstance(counter, ast.Counter)
    assert (counter.name, counter.name_span.text, counter.ours.value) == ("n", "n", "d.{k}")


@pytest.mark.parametrize("separator", [", ", "\n", ",\n", "\n\n  # c\n"])
def test_recipe(separator: str) -> None:
    item = only(
        f'recipe a for m, n {{\n "doc"\n x = f(1){separator}progressive(p, q) in 4 {{ 1, 2\n 3, 4 }}{separator}y = z }}'
    )
    assert isinstance(item, ast.Recipe)
    assert (item.name, [target.name for target in item.targets], item.base) == ("a", ["m", "n"], None)
    assert item.docstring is not None
    first, stages, last = item.members
    assert isinstance(first, ast.Entry)
    assert isinstance(stages, ast.Progressive)
    assert isinstance(last, ast.Entry)
    assert [column.name for column in stages.columns] == ["p", "q"]
    assert stages.count is not None
    assert (show(stages.count), [[show(value) for value in row.values] for row in stages.rows]) == (
        "4",
        [["1", "2"], ["3", "4"]],
    )


def test_recipe_from_another() -> None:
    items = read("recipe a = b\nrecipe c for m = a with { x = 1 }\nrecipe recipe = with with {}").items
    found = [(i.name, i.base.name, i.braces, len(i.members)) for i in items if isinstance(i, ast.Recipe) and i.base]
    assert found == [("a", "b", False, 0), ("c", "a", True, 1), ("recipe", "with", True, 0)]


@pytest.mark.parametrize("separator", [", ", "\n", ",\n", "\n\n  # c\n"])
def test_reference(separator: str) -> None:
    item = only(f'reference timm for a, b = "c" with (d = 0.2, e = true) {{\n "doc"\n sizes = [96]{separator}x = 1 }}')
    assert isinstance(item, ast.Reference)
    assert (item.library.name, [t.target.name for t in item.targets]) == ("timm", ["a", "b"])
    assert [t.span.text for t in item.targets] == ["a", 'b = "c"']
    assert [t.model and t.model.value for t in item.targets] == [None, "c"]
    assert [(a.name, show(a.value)) for a in item.arguments] == [("d", "0.2"), ("e", "True")]
    assert item.docstring is not None
    assert item.docstring.text == "doc"
    assert [e.key for e in item.entries] == ["sizes", "x"]


def test_reference_without_its_options() -> None:
    item = only("reference reference for reference")
    assert isinstance(item, ast.Reference)
    assert [t.model for t in item.targets] == [None]
    assert (item.arguments, item.docstring, item.entries) == ((), None, ())
    assert isinstance(only("model M {\n  reference = 3\n}"), ast.Definition)


def test_stages_in_braces() -> None:
    stem, numbered, quoted = definition(
        'model M {\n stage stem { x = a }\n stage s{i + 1}.b\n { }\n stage "3-{n}" {\n x\n } }'
    ).body
    assert isinstance(stem, ast.Stage)
    assert (stem.name_span.text, [part.text for part in stem.parts], len(stem.body)) == ("stem", ["stem"], 1)
    assert isinstance(numbered, ast.Stage)
    assert numbered.name_span.text == "s{i + 1}.b"
    assert [part.span.text for part in numbered.parts] == ["s", "{i + 1}", ".b"]
    assert isinstance(quoted, ast.Stage)
    assert quoted.quoted
    assert (quoted.name_span.text, [part.span.text for part in quoted.parts]) == ('"3-{n}"', ["3-", "{n}"])


def test_spans_of_names_and_labels() -> None:
    item = definition("block Name(a: int) {\n  x = in -> stage layer{i}: conv(k = 3).y\n}")
    assert item.name_span.text == "Name"
    statement = item.body[0]
    assert isinstance(statement, ast.Assign)
    arrow = statement.value
    assert isinstance(arrow, ast.Arrow)
    labelled = arrow.operands[1]
    assert isinstance(labelled, ast.Labelled)
    assert (labelled.label_span.text, labelled.label_span.line, labelled.label_span.column) == ("layer{i}", 2, 19)
    assert [part.span.text for part in labelled.parts] == ["layer", "{i}"]
    hole = labelled.parts[1].value
    assert hole is not None
    assert (hole.span.text, hole.span.start) == ("i", labelled.label_span.start + 6)
    assert isinstance(labelled.value, ast.Attribute)
    assert labelled.value.name_span.text == "y"
    assert isinstance(labelled.value.value, ast.CallExpr)
    name_span = labelled.value.value.arguments[0].name_span
    assert name_span is not None
    assert name_span.text == "k"
