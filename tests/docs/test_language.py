"""docs/language.md is true: its examples are checked, built and run, its errors are the errors it says.

A fence's info string says what is tested:

- ```` ```arch ```` a whole file without findings, laid out as `archdsl fmt` does; `params=`, `macs=`, `output=` of its
  first variant; every variant's source is proved by running it.
- ```` ```arch error E204 ```` a file with findings of that code only.
- ```` ```arch values ```` lines `expression  # value`, both in the language.
- ```` ```paths ```` paths of the layers with weights of the example above it; ```` ```diagnostic ```` its first line;
  ```` ```python generated ```` a part of its first variant's source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archdsl.api import ArchFile
from archdsl.diagnostics.catalogue import entries
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.diagnostics.render import render_plain
from archdsl.graph.reference import LIBRARIES, Comparison
from archdsl.graph.settings import INITIALIZERS, Preprocess
from archdsl.ops import OPS
from archdsl.python_names import PYTHON_NAMES
from archdsl.semantics.builtins import BUILTINS
from archdsl.semantics.parameters import TYPES
from archdsl.source import Source
from archdsl.syntax import format_file, parse

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "language.md"
TEXT = PAGE.read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass
class Example:
    """One fence, with the fences of other languages that follow it."""

    line: int
    words: list[str]
    text: str
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        return self.words[1:] if self.words[:1] == ["error"] else []

    @property
    def facts(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in self.words if "=" in word)


def _examples() -> Iterator[Example]:
    latest: Example | None = None
    for match in FENCE.finditer(TEXT):
        language, info, text = match.groups()
        line = TEXT.count("\n", 0, match.start()) + 1
        if language == "arch":
            if latest is not None:
                yield latest
            latest = Example(line, info.split(), text)
        else:
            assert latest is not None, f"line {line}: no example above"
            assert language not in latest.notes, f"line {line}: two of one kind"
            latest.notes[language] = text
    assert latest is not None
    yield latest


EXAMPLES = list(_examples())


def _those(kind: str) -> list[object]:
    chosen = [e for e in EXAMPLES if (e.words[:1] == [kind] if kind else e.words[:1] not in (["error"], ["values"]))]
    return [pytest.param(example, id=f"line{example.line}") for example in chosen]


def _check(text: str) -> tuple[ArchFile | None, tuple[Diagnostic, ...]]:
    try:
        file = ArchFile(Source("example.arch", text))
        return file, tuple(file.check())
    except ArchError as error:
        return None, tuple(error.diagnostics)


def _formatted(text: str) -> str:
    syntax = parse(Source("example.arch", text), Bag())
    assert syntax is not None
    return format_file(syntax)


def test_there_are_examples_of_every_kind() -> None:
    assert len(_those("")) >= 20
    assert len(_those("error")) >= 15
    assert len(_those("values")) >= 4
    known = {"arch", "paths", "diagnostic", "python"}
    assert {match[1] for match in FENCE.finditer(TEXT)} == known
    assert TEXT.count("```") == 2 * len(FENCE.findall(TEXT)), "a fence is not closed, or was not read"


@pytest.mark.parametrize("example", _those(""))
def test_example(example: Example) -> None:
    file, findings = _check(example.text)
    assert not findings, render_plain(findings)
    assert file
    assert _formatted(example.text) == example.text
    variant = next(iter(file.values()))
    found = {
        "params": f"{variant.graph.params:_}",
        "macs": f"{variant.graph.macs:_}",
        "output": "x".join(map(str, variant.graph.output_shape.dims)),
    }
    expected = example.facts
    assert {name: found[name] for name in expected} == expected
    if "paths" in example.notes:
        paths = [node.path for node in variant.graph.nodes if node.weights]
        assert example.notes["paths"].split() == paths
    if "python" in example.notes:
        assert example.notes["python"] in variant.source


@pytest.mark.parametrize("example", _those(""))
def test_example_runs(example: Example) -> None:
    """The generated source of every variant is built and run, its keys and output compared with the graph."""
    from archdsl.backends.proof import prove

    file, _ = _check(example.text)
    assert file
    for variant in file.values():
        assert prove(variant.graph, variant.source).params == variant.graph.params


@pytest.mark.parametrize("example", _those("error"))
def test_error(example: Example) -> None:
    _, findings = _check(example.text)
    assert [d.code for d in findings] == example.codes, render_plain(findings)
    if "diagnostic" in example.notes:
        shown = render_plain(findings).splitlines()[0]
        assert example.notes["diagnostic"].strip() == shown


VALUES = [
    pytest.param(*re.split(r"\s+# ", line), id=line.split("#")[0].strip())
    for example in EXAMPLES
    if example.words == ["values"]
    for line in example.text.splitlines()
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_value(expression: str, value: str) -> None:
    body = f"  value = {expression}\n  require value == {value}\n"
    _, findings = _check(f"model Net {{\n{body}  image(3, 8, 8) -> gap -> flatten -> linear(1)\n}}\n")
    assert not findings, render_plain(findings)
    wrong = body.replace("==", "!=") if "==" not in expression else body.replace(f"== {value}", f"!= {value}")
    _, findings = _check(f"model Net {{\n{wrong}  image(3, 8, 8) -> gap -> flatten -> linear(1)\n}}\n")
    assert [d.code for d in findings] == ["E316"]


# --- tables of the page against the code -----------------------------------------------------


def _section(title: str) -> str:
    """The text under a heading, up to the next heading of any level."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", FENCE.sub("", TEXT), re.MULTILINE | re.DOTALL)
    assert match, title
    return match[1]


def _first_cells(title: str) -> list[str]:
    """The code spans in the first column of a section's table."""
    rows = re.findall(r"^\| (.*?)\s*(?<!\\)\|", _section(title), re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def test_every_builtin_is_listed() -> None:
    assert sorted(cell.split("(")[0] for cell in _first_cells("Built-in functions")) == sorted(BUILTINS)


def test_every_type_is_listed() -> None:
    assert set(_first_cells("Values")) == set(TYPES)


def test_every_initializer_is_listed() -> None:
    assert sorted(_first_cells("init")) == sorted(INITIALIZERS)


def test_every_preprocess_key_is_listed() -> None:
    assert sorted(_first_cells("preprocess")) == sorted(Preprocess.model_fields)


def test_every_part_of_a_reference_is_listed() -> None:
    words = set(_first_cells("reference"))
    assert set(LIBRARIES) <= words
    assert set(Comparison.model_fields) <= words


def test_roles_with_weights() -> None:
    named = re.search(r"the roles with weights are (.*?)\)", _section("init"), re.DOTALL)
    assert named
    found = set()
    for op in OPS.values():
        for example in op.examples:
            if op.weights(op.params(**example.arguments), example.inputs):
                found.add(op.role)
    assert set(re.findall(r"`(\w+)`", named[1])) == found


def test_reserved_words() -> None:
    from archdsl.resources import find

    path = find("grammar", "arch.lark")
    assert path is not None
    grammar = path.read_text(encoding="utf-8")
    rules = re.sub(r"//.*", "", grammar)
    words = set(re.findall(r'"([a-z]+)"', rules))
    names = re.search(r"^!\?name: (.*?)\n\n", rules, re.MULTILINE | re.DOTALL)
    assert names
    soft = set(re.findall(r'"([a-z]+)"', names[1]))
    text = _section("Text").split("Reserved words:")[1]
    hard_text, soft_text = text.split("\n\n")[:2]
    assert set(re.findall(r"`([a-z]+)`", hard_text)) == words - soft
    assert soft <= set(re.findall(r"`([a-z]+)`", soft_text))
    needed = text.split("source needs:")[1].split(". ")[0]
    assert set(re.findall(r"`(\w+)`", needed)) == PYTHON_NAMES


def test_limits() -> None:
    from archdsl.semantics import context, operators, reserved, sizes, variants
    from archdsl.syntax import lexing, reading

    text = _section("Limits")
    limits = (reading.MAX_TEXT, context.MAX_LIST, context.MAX_PARTS, context.MAX_STEPS, sizes.MAX_SIDE)
    for limit in limits:
        assert f"| {limit:,} |" in text
    for limit in (lexing.MAX_NESTING, context.MAX_DEPTH, sizes.MAX_BRANCHES, variants.MAX_AMENDED):
        assert f"| {limit} |" in text
    assert f"| {reserved.MAX_LABEL} characters, {reserved.MAX_COMPONENTS} components |" in text
    assert operators.MAX_NUMBER == 10**18
    assert (sizes.MAX_ELEMENTS, sizes.MAX_PARAMETERS) == (10**11, 10**12)


def test_codes_exist_and_ranges_cover_them() -> None:
    known = sorted(entries())
    assert set(re.findall(r"E\d{3}", TEXT)) <= set(known)
    ranges = re.findall(r"^\| (E\d{3})–(E\d{3}) \|", _section("Diagnostics"), re.MULTILINE)
    assert [code for low, high in ranges for code in known if low <= code <= high] == known
    assert all(low in known and high in known for low, high in ranges)
    assert [code for code, entry in entries().items() if entry.severity == "warning"] == ["E121", "E458", "E691"]


# --- links -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", ["docs/language.md", "docs/ops.md", "docs/json.md", "docs/verify.md", "README.md", "CONTRIBUTING.md"]
)
def test_links(page: str) -> None:
    path = ROOT / page
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:")):
            continue
        file, _, anchor = target.partition("#")
        other = path.parent / file if file else path
        assert other.exists(), target
        if anchor:
            headings = HEADING.findall(FENCE.sub("", other.read_text(encoding="utf-8")))
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target
