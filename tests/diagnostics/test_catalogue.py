"""The catalogue: every entry is whole, templates use what they say they use, and every code in use has words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archdsl.diagnostics.core
from archdsl.diagnostics.catalogue import describe, entries, explain
from archdsl.diagnostics.entry import MAX_FACT, Entry, fields

ALL = list(entries().values())
PACKAGE = Path(archdsl.diagnostics.core.__file__).parents[1]

every_entry = pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.code)


def _templates(entry: Entry) -> list[str]:
    return [entry.message, *entry.labels, *entry.helps]


@every_entry
def test_entry_is_whole(entry: Entry) -> None:
    assert re.fullmatch(r"E\d{3}", entry.code)
    for text in (entry.title, entry.message, entry.explanation, entry.example, entry.fixed):
        assert text.strip()
    assert entry.example.strip() != entry.fixed.strip()
    assert entry.fence in ("arch", "sh", "text")
    assert not entry.message.rstrip().endswith(".")


@every_entry
def test_templates_use_documented_facts_only(entry: Entry) -> None:
    used = {name for template in _templates(entry) for name in fields(template)}
    assert used == set(entry.facts.split())
    assert all(name.isidentifier() for name in used)
    for template in _templates(entry):
        assert all(not spec and not conversion for _, _, spec, conversion in Formatter().parse(template))


@every_entry
def test_examples_have_balanced_brackets(entry: Entry) -> None:
    """Of the mended ones; the compiler's own tests run the examples."""
    for opening, closing in ("()", "[]", "{}"):
        assert entry.fixed.count(opening) == entry.fixed.count(closing)


@every_entry
def test_explain_is_markdown_with_both_examples(entry: Entry) -> None:
    text = explain(entry.code)
    assert text is not None
    assert text.startswith(f"# {entry.code}: {entry.title}\n")
    assert text.count("```") == 4
    assert not re.search(r"^    ", text.split("```")[0], re.MULTILINE)


def test_codes_are_in_order() -> None:
    codes = [entry.code for entry in ALL]
    assert codes == sorted(set(codes))


def test_unknown_codes() -> None:
    assert explain("E999") is None
    assert explain(" e201 ") == explain("E201")
    with pytest.raises(KeyError):
        describe("E999", {})


def test_facts_are_data() -> None:
    """A fact is not a template, has no attributes and no items, and cannot fill the screen."""
    assert describe("E101", {"name": "{name.__class__}{0}{{"}).message == "unknown name `{name.__class__}{0}{{`"
    assert describe("E302", {"what": "a", "expected": True, "got": (1, 2)}).message == "a must be true, got 1, 2"
    assert len(describe("E101", {"name": "x" * 10_000}).message) < MAX_FACT + 50
    assert "about 10001 digits" in describe("E302", {"got": 10**10_000}).message


def test_a_hint_needs_its_facts() -> None:
    assert describe("E101", {"name": "a", "suggestion": "b"}).help == "did you mean `b`?"
    assert describe("E101", {"name": "a", "suggestion": None}).help == describe("E101", {"name": "a"}).help
    assert "did you mean" not in (describe("E101", {"name": "a"}).help or "")
    assert describe("E201", {}).label == ""


@given(st.sampled_from([e.code for e in ALL]), st.dictionaries(st.text(max_size=9), st.text() | st.integers()))
def test_any_facts_do(code: str, facts: dict[str, object]) -> None:
    assert describe(code, facts).message


# --- the rest of the package -----------------------------------------------------------------


@cache
def _trees() -> dict[str, ast.Module]:
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if "entries" not in path.parts]
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path, tree in _trees().items():
        yield from ((path, node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _reports() -> Iterator[tuple[str, int, ast.Call]]:
    """Calls whose arguments hold a literal code: `report("E101", …)`, `Problem("E201", …)`."""
    for path, call in _calls():
        if any(_code(argument) for argument in call.args):
            yield path, call.lineno, call


def _code(node: ast.expr) -> str | None:
    found = isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"E\d{3}", node.value)
    return found[0] if found else None


def _literal_facts(call: ast.Call) -> list[ast.expr | None] | None:
    """The keys of facts that are given as a dictionary display; None where there is no such."""
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "facts")]
    return next((argument.keys for argument in given if isinstance(argument, ast.Dict)), None)


def _takers() -> dict[str, set[str]]:
    """The parameters of the functions that take every other keyword for a fact of a code, by their names."""
    found: dict[str, set[str]] = {}
    for node in chain.from_iterable(map(ast.walk, _trees().values())):
        if isinstance(node, ast.FunctionDef) and node.args.kwarg is not None:
            names = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
            if "code" in names and node.name != "__init__":
                found[node.name] = found.get(node.name, set()) | names
    return found


def test_every_keyword_is_a_parameter_or_a_fact() -> None:
    """A misspelt `note = …`, or a parameter of another function, would be taken for a fact and never be shown."""
    takers = _takers()
    assert set(takers) == {"of", "report", "error", "refuse"}
    every = {name for entry in ALL for name in entry.facts.split()}
    assert not every & set.union(*takers.values())
    wrong = []
    for path, call in _calls():
        code = next(filter(None, map(_code, call.args)), None)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        takes = name in takers and (name != "of" or ast.unparse(call.func) == "ArchError.of")
        given = {keyword.arg for keyword in call.keywords if keyword.arg} - takers[name] if takes else set()
        if code or takes:
            given |= {key.value for key in _literal_facts(call) or () if isinstance(key, ast.Constant)}
        unknown = given - (set(entries()[code].facts.split()) if code in entries() else every)
        if unknown:
            wrong.append(f"{path}:{call.lineno}: {code or name} knows no {sorted(map(str, unknown))}")
    assert not wrong, "\n".join(wrong)


def test_every_reported_code_has_words_and_its_facts() -> None:
    wrong = []
    for path, line, call in _reports():
        code = next(filter(None, map(_code, call.args)))
        if code not in entries():
            wrong.append(f"{path}:{line}: {code} is not in the catalogue")
            continue
        given = {keyword.arg for keyword in call.keywords}
        if "download" in path:  # `Wanted.refuse` adds the name of what is wanted
            given.add("name")
        literal = _literal_facts(call)
        given |= {key.value if isinstance(key, ast.Constant) else None for key in literal or ()}
        computed = None in given or (literal is None and ("facts" in given or len(call.args) > 3))
        missing = set(fields(entries()[code].message)) - given
        if missing and not computed:
            wrong.append(f"{path}:{line}: {code} lacks the facts {sorted(missing)}")
    assert not wrong, "\n".join(wrong)
