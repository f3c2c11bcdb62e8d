"""Runs the LALR(1) tables over the tokens of one item, calling the builder at each reduction.

Lark's own driver does the same; this one needs neither Lark's import nor its tokens, keeps the places of everything on
a stack beside the values (so a node's span includes its parentheses), and passes over chains of single productions
(`sum: term: factor: …`) in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from archdsl.syntax.grammar import Tables
from archdsl.syntax.lexing import MAX_NESTING, Token

Callback: TypeAlias = Callable[[Any, list[Any], int, int], Any]
"""Method of the builder: (builder, children, start, end) -> syntax."""

_DEEPER = frozenset(
    "chain label stage quoted_label quoted_stage conditional binary unary chained interval call subscript attribute "
    "sequence splice group comprehension if_statement for_statement".split()
)
"""The reductions that count as a level of the tree."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where the tokens stop making sense. `expected` are the terminals that could have come instead."""

    index: int
    expected: frozenset[str]
    too_deep: bool = False


class Parser:
    """The tables bound to the methods of a builder class. Has no state of its own but a memo; parses many texts."""

    def __init__(self, tables: Tables, builder: type) -> None:
        self.tables = tables
        self.rules = [
            (origin, size, _callback(builder, method), plan, method in _DEEPER, method == "")
            for origin, size, method, plan in tables.rules
        ]
        self.memo: dict[tuple[int, int, str], int] = {}

    def parse(self, tokens: Sequence[Token], start: str, build: Any) -> Any:
        """The value of the start symbol, or a Failure."""
        actions, gotos, rules, memo = self.tables.actions, self.tables.gotos, self.rules, self.memo
        first, final = self.tables.starts[start]
        states = [first]
        values: list[Any] = []
        starts: list[int] = []
        ends: list[int] = []
        heights: list[int] = []
        last = tokens[-1][3] if tokens else 0
        for index, token in enumerate([*tokens, ("$END", "", last, last)]):
            terminal = token[0]
            while True:
                state = states[-1]
                action = actions[state].get(terminal)
                if action is None:
                    return Failure(index, self.expected(states))
                if action >= 0:
                    states.append(action)
                    values.append(token)
                    starts.append(token[2])
                    ends.append(token[3])
                    heights.append(0)
                    break
                origin, size, callback, plan, deeper, passes = rules[~action]
                if size == 1:
                    if passes:
                        key = (states[-2], state, terminal)
                        known = memo.get(key)
                        states[-1] = self._skip(key) if known is None else known
                        if terminal == "$END" and states[-1] == final:
                            return values[0]
                        continue
                    children = [values[-1]]
                    states.pop()
                else:
                    children = values[-size:]
                    del states[-size:], values[1 - size :], starts[1 - size :]
                    end = ends[-1]
                    del ends[1 - size :]
                    ends[-1] = end
                    height = max(heights[-size:])
                    del heights[1 - size :]
                    heights[-1] = height
                if plan is not None:
                    children = _select(children, plan)
                values[-1] = children[0] if passes else callback(build, children, starts[-1], ends[-1])
                if deeper:
                    heights[-1] += 1
                    if heights[-1] > MAX_NESTING:
                        return Failure(index, frozenset(), too_deep=True)
                states.append(gotos[states[-1]][origin])
                if terminal == "$END" and states[-1] == final:
                    return values[0]
        raise AssertionError("the tables accept nothing at the end of the tokens")

    def _skip(self, key: tuple[int, int, str]) -> int:
        """The state after all single productions that `terminal` makes the top state reduce by, over the one below."""
        below, state, terminal = key
        while True:
            action = self.tables.actions[state].get(terminal, 0)
            if action >= 0:
                break
            origin, size, _, _, _, passes = self.rules[~action]
            if not passes or size != 1:
                break
            state = self.tables.gotos[below][origin]
            if terminal == "$END" and any(state == final for _, final in self.tables.starts.values()):
                break
        self.memo[key] = state
        return state

    def expected(self, states: list[int]) -> frozenset[str]:
        """The terminals that the stack can really take (an LALR table alone also lists some that fail later)."""
        return frozenset(t for t in self.tables.actions[states[-1]] if self._accepts(list(states), t))

    def _accepts(self, states: list[int], terminal: str) -> bool:
        finals = {final for _, final in self.tables.starts.values()}
        while True:
            action = self.tables.actions[states[-1]].get(terminal)
            if action is None:
                return False
            if action >= 0:
                return True
            origin, size = self.rules[~action][:2]
            del states[len(states) - size :]
            states.append(self.tables.gotos[states[-1]][origin])
            if terminal == "$END" and states[-1] in finals:
                return True


def _select(children: list[Any], plan: tuple[tuple[int, bool], ...]) -> list[Any]:
    """The children that count: punctuation dropped, inner lists spliced in, None for missing optional parts."""
    if plan and plan[0][1]:
        # A list that grows on its left keeps growing: copying it each time would be quadratic.
        chosen, plan = children[plan[0][0]], plan[1:]
    else:
        chosen = []
    for index, splice in plan:
        if splice:
            chosen += children[index]
        else:
            chosen.append(children[index] if index >= 0 else None)
    result: list[Any] = chosen
    return result


def _listed(build: Any, children: list[Any], start: int, end: int) -> list[Any]:
    return children


@cache
def _callback(builder: type, method: str) -> Callback:
    callback: Callback = _listed if method in ("", "[]") else getattr(builder, method)
    return callback
