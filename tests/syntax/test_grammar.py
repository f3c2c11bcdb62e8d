"""The parser is Lark's, comes saved with the grammar, and is told what it is told: children, places, threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lark
import pytest

from archdsl.diagnostics.core import Bag
from archdsl.resources import find
from archdsl.source import Source
from archdsl.syntax import grammar, parse, parse_expression
from archdsl.syntax.build import Build
from archdsl.syntax.lexing import Lexer, Token
from archdsl.syntax.parser import CALLBACKS, Failure, Parser, the_parser
from archdsl.syntax.reading import Reader
from tests.syntax.helpers import CASES, ROOT

TEXT = (ROOT / "grammar" / "arch.lark").read_text()


def _rules(parser: lark.Lark) -> set[str]:
    """The rules that become something of their own: not those that are spliced, nor those that pass their child on."""
    return {
        rule.alias or rule.origin.name
        for rule in parser.rules
        if rule.alias or not (rule.origin.name.startswith("_") or rule.options.expand1)
    }


def test_the_saved_parser_is_of_this_grammar_and_this_lark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "compile_grammar", lambda *_: pytest.fail("run python -m docs.generate_parser"))
    assert grammar.load_grammar(CALLBACKS).parse_interactive(start="item").accepts()


@pytest.mark.parametrize("saved", ["of another grammar", "by another Lark", "not at all"])
def test_no_other_parser_is_loaded(saved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / grammar.SAVED
    text = TEXT.replace('"block"', '"bloc"') if saved == "of another grammar" else TEXT
    with monkeypatch.context() as patch:
        if saved == "by another Lark":
            patch.setattr(lark, "__version__", "1.0.0")
        path.write_bytes(grammar.save_grammar(text, CALLBACKS))
    there = None if saved == "not at all" else path
    monkeypatch.setattr(grammar, "find", lambda kind, name: there if name == grammar.SAVED else find(kind, name))
    compiled: list[str] = []
    compile_grammar = grammar.compile_grammar
    monkeypatch.setattr(grammar, "compile_grammar", lambda *of: compiled.append(of[0]) or compile_grammar(*of))
    assert "BLOCK" in grammar.load_grammar(CALLBACKS).parse_interactive(start="item").accepts()
    assert compiled == [TEXT]


def test_the_builder_has_a_method_for_every_rule() -> None:
    rules = _rules(the_parser().lark) - {"file"}  # items are parsed one by one
    assert len(rules) > 50
    assert all(callable(getattr(Build, rule, None)) for rule in rules)


def test_places_are_those_that_lark_would_give_its_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of everything in parentheses, too: Lark's `propagate_positions` is an account of its own."""
    given: list[tuple[str, int, int]] = []

    def noted(rule: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(build: Build, children: list[Any], start: int, end: int) -> Any:
            given.append((rule, start, end))
            return method(build, children, start, end)

        return call

    rules = _rules(the_parser().lark) - {"file"}
    for rule in rules:
        monkeypatch.setattr(Build, rule, noted(rule, getattr(Build, rule)))
    parser = Parser()
    monkeypatch.undo()
    trees = lark.Lark(TEXT, parser="lalr", start=grammar.STARTS, propagate_positions=True)
    for path in CASES:
        source = Source(path.name, path.read_text())
        for chunk in Lexer(source, parser.terminals).run():
            given.clear()
            if isinstance(
                parser.parse(chunk.tokens, "item", Build(source, Bag(), Reader(source, Bag()).piece)), Failure
            ):
                continue
            assert sorted(given) == sorted(_places(trees, chunk.tokens, rules))


def _places(trees: lark.Lark, tokens: list[Token], rules: set[str]) -> list[tuple[str, int, int]]:
    interactive = trees.parse_interactive(start="item")
    for token in tokens:
        interactive.feed_token(token)
    tree = interactive.feed_eof(tokens[-1])
    found = [tree] if isinstance(tree, lark.Token) else list(tree.iter_subtrees())
    return [
        (node.data, node.meta.start_pos, node.meta.end_pos)
        for node in found
        if isinstance(node, lark.Tree) and node.data in rules
    ]


def test_threads_parse_each_its_own_text() -> None:
    """The parser is one for all threads; what it calls belongs to the text that a thread parses."""
    wrong: list[str] = []
    ready = threading.Barrier(4)

    def read(number: int) -> None:
        text = f"model M{number} {{ " + " -> ".join([f"c{number}{{i + {number}}}: conv({number})"] * 60) + " }"
        ready.wait()
        for _ in range(5):
            bag = Bag()
            file = parse(Source(f"{number}", text), bag)
            if file is None or {str(number)} != {item.span.source.name for item in file.items} or len(bag):
                wrong.append(text)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_in_a_label_s_braces_is_parsed_on_the_way() -> None:
    expression = parse_expression(Source("", "(a{f(1)}.b{(i + 1)}: x) -> y"), Bag())
    assert expression is not None
    assert (expression.span.start, expression.span.end) == (0, 28)


def test_resources_are_single_files_of_their_folder() -> None:
    assert find("grammar", "arch.lark") == ROOT / "grammar" / "arch.lark"
    for name in ("", "..", "../pyproject.toml", "/etc/passwd", "nothing.lark", "a\\b", "C:x", "a\0b"):
        assert find("grammar", name) is None
