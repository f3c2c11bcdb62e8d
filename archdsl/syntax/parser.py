"""The parser at work: takes the tokens of one item, gives what the builder makes of them, or where they stop making
sense.

Lark's LALR(1) parser shifts and reduces. It calls the builder with the children of each reduction; this module adds
what Lark does not tell there: where the syntax begins and ends in the text, parentheses included, and how many levels
it has.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lark import Token as LarkToken
from lark import UnexpectedToken

from archdsl.syntax.build import Build
from archdsl.syntax.grammar import load_grammar, terminals_of
from archdsl.syntax.lexing import MAX_NESTING, Token

_DEEPER = frozenset(
    "chain label stage quoted_label quoted_stage conditional binary unary chained interval call subscript attribute "
    "sequence splice group comprehension if_statement for_statement".split()
)
"""The reductions that count as a level of the tree."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where the tokens stop making sense. `expected` are the kinds of those that could have come instead."""

    index: int
    expected: frozenset[str]
    too_deep: bool = False


END = LarkToken("$END", "")


class _TooDeep(Exception):
    """The tree has more levels than it may."""


class _Parse:
    """One parse. Beside each value on Lark's stack stand its start and its levels."""

    __slots__ = ("build", "end", "levels", "starts", "values")

    def __init__(self, build: Build, values: list[Any]) -> None:
        self.build = build
        self.values = values  # Lark's
        self.starts: list[int] = []
        self.levels: list[int] = []
        self.end = 0

    def shifted(self, token: Token) -> None:
        """The token is the last of the values."""
        at = len(self.values) - 1
        levels = self.levels
        if len(levels) > at:  # Lark made one value of several without a call: `(x)` is `x`
            levels[at - 1 :] = [max(levels[at - 1 :])]
        levels.append(0)
        self.starts[at:] = [token.start_pos]
        self.end = token.end_pos

    def reduced(self, method: Callable[..., Any], deeper: bool, children: list[Any]) -> Any:
        """What the builder makes of the children, which are no longer among the values."""
        at = len(self.values)
        levels = max(self.levels[at:]) + deeper
        if levels > MAX_NESTING:
            raise _TooDeep
        self.levels[at:] = [levels]
        return method(self.build, children, self.starts[at], self.end)


class Callbacks(threading.local):
    """What Lark calls: for each rule a function of the children, which the builder of the running parse answers."""

    running: _Parse

    def __getattr__(self, rule: str) -> Callable[[list[Any]], Any]:
        method, deeper = getattr(Build, rule), rule in _DEEPER
        return lambda children: self.running.reduced(method, deeper, children)

    def __reduce__(self) -> str:
        return "CALLBACKS"  # saved with the parser by this name


CALLBACKS = Callbacks()


class Parser:
    """Parses many texts, in any number of threads."""

    def __init__(self) -> None:
        self.lark = load_grammar(CALLBACKS)
        self.terminals = terminals_of(self.lark)

    def parse(self, tokens: Sequence[Token], start: str, build: Build) -> Any:
        """The value of the start symbol, or a Failure."""
        lark = self.lark.parse_interactive(start=start)
        parse = _Parse(build, lark.parser_state.value_stack)
        outer = vars(CALLBACKS).get("running")  # a label's braces are parsed while the label is
        CALLBACKS.running = parse
        fed = 0
        try:
            for token in tokens:
                lark.feed_token(token)
                parse.shifted(token)
                fed += 1
            return lark.feed_token(END)
        except UnexpectedToken:
            kinds = self.terminals.kinds
            return Failure(fed, frozenset(kinds.get(name, name) for name in lark.accepts()))  # type: ignore[no-untyped-call]
        except _TooDeep:
            return Failure(fed, frozenset(), too_deep=True)
        finally:
            if outer is not None:
                CALLBACKS.running = outer


@cache
def the_parser() -> Parser:
    """The parser of the language."""
    return Parser()
