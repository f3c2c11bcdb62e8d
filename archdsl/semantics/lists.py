"""Lists: literals, repeats, comprehensions, ranges, and the binding of names to their members.

Takes the syntax of a list and the `Frame` it stands in; gives a tuple of values, or a `Sequence` where the members are
layers. Reports E301, E302, E306, E307, E311 and E315.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archdsl.semantics.core import Frame
from archdsl.semantics.operators import OperatorRules
from archdsl.semantics.values import (
    MAX_SIZE,
    UNKNOWN,
    Choice,
    Identity,
    Layer,
    Record,
    Sequence,
    Tensor,
    Traced,
    expr_of,
    list_of,
    members,
    plain,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.syntax import ast

_UNPACK_TENSOR = "this is one tensor: `split(2)` gives two, and so does a block whose result is a tuple"

MAX_LIST = MAX_SIZE


class ListRules(OperatorRules):
    """Rules for lists and for what walks over them."""

    def _list(self, node: ast.ListExpr, frame: Frame) -> Any:
        values: list[Any] = []
        for item in node.items:
            members_ = self._item(item, frame)
            if members_ is UNKNOWN:
                return UNKNOWN
            values.extend(members_)
        return self.list_value(values, node.span, frame)

    def list_value(self, values: list[Any], span: Span, frame: Frame) -> Any:
        """A list of values, or a sequence if its members are layers."""
        self.step(frame, span, len(values))
        if len(values) > MAX_LIST:
            self.limit(frame, span, "members of a list", MAX_LIST)
        if any(isinstance(value, tuple | Record) for value in values):
            self.sized(values, span, frame)
        layers = [isinstance(value, Layer) for value in values]
        if not any(layers):
            return tuple(values)
        if not all(layers):
            odd = next(value for value in values if not isinstance(value, Layer))
            got = type_name(odd)
            return self.error("E301", span, frame, what="every member of a sequence", expected="a layer", got=got)
        return Sequence(span, tuple(values), size=self.sized(values, span, frame))

    def sized(self, values: Iterable[Any], span: Span, frame: Frame) -> int:
        """How much some values hold together; E315 where that is too much to work with."""
        total = 1
        for value in values:
            total += value.size if isinstance(value, Layer) else self.walk(value, span, frame)
            if total > MAX_LIST + 1:
                self.limit(frame, span, "members of a list or layer", MAX_LIST)
        return total

    def _item(self, item: ast.Item, frame: Frame) -> Any:
        """The members that one item of a list stands for, or UNKNOWN."""
        if item.condition is not None:
            return self._optional(item, item.condition, frame)
        if item.count is not None:
            return self._repeated(item, item.count, frame)
        return self._spliced(item.value, frame)

    def _spliced(self, node: ast.Expression | ast.Splice, frame: Frame) -> Any:
        """One value as a list of it; of `..xs` the members; or UNKNOWN."""
        if not isinstance(node, ast.Splice):
            value = self.evaluate(node, frame)
            return UNKNOWN if value is UNKNOWN else [value]
        value = self.evaluate(node.value, frame)
        while isinstance(value, Choice):  # how many members there are depends on the condition
            self.structural(value.condition, frame)
            value = value.layer
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, Sequence):
            self.step(frame, node.span, len(value.layers))
            return list(value.layers)
        items = list_of(value)
        if items is None:
            expected, help_ = "a list or a sequence", "`..` puts the members of a list into another: `[..layers, relu]`"
            got = type_name(value)
            return self.error(
                "E301", node.value.span, frame, what="what stands after ..", expected=expected, got=got, help=help_
            )
        self.structural(expr_of(value), frame)
        self.step(frame, node.span, len(items))
        return list(members(value))

    def _repeated(self, item: ast.Item, times: ast.Expression, frame: Frame) -> Any:
        count = self.integer(times, frame, "the number of repeats")
        if count is UNKNOWN:
            return UNKNOWN
        number = plain(count)
        if number < 0:
            what = "the number of repeats"
            return self.error("E302", times.span, frame, what=what, expected="at least 0", got=number)
        if number > MAX_LIST:
            self.limit(frame, item.span, "members of a list", MAX_LIST)
        self.structural(expr_of(count), frame)
        values = self._spliced(item.value, frame)
        if values is UNKNOWN:
            return UNKNOWN
        if number * len(values) > MAX_LIST:
            self.limit(frame, item.span, "members of a list", MAX_LIST)
        return values * number

    def _optional(self, item: ast.Item, condition: ast.Expression, frame: Frame) -> Any:
        test = self.condition(condition, frame)
        if test is UNKNOWN:
            return UNKNOWN
        always = _without_condition(item)
        if not isinstance(test, Traced) or item.count is not None or isinstance(item.value, ast.Splice):
            self.structural(expr_of(test), frame)
            return self._item(always, frame) if plain(test) else []
        if not test.value:
            if self._is_plain(item.value, frame):
                self.structural(test.expr, frame)
                return []
            # A layer left out still leaves a mark, so that instances with and without it share one class.
            return [Choice(item.span, test.expr, False, item.span, Identity(item.span))]
        value = self.evaluate(item.value, frame)
        if isinstance(value, Layer):
            return [Choice(item.span, test.expr, True, item.span, value, size=value.size)]
        self.structural(test.expr, frame)
        return UNKNOWN if value is UNKNOWN else [value]

    def _comprehension(self, node: ast.Comprehension, frame: Frame) -> Any:
        outer = dict(frame.locals)
        values: list[Any] = []
        whole = self._clauses(node, 0, values, frame)
        frame.locals = outer
        return self.list_value(values, node.span, frame) if whole else UNKNOWN

    def _clauses(self, node: ast.Comprehension, depth: int, values: list[Any], frame: Frame) -> bool:
        """Put into `values` what a comprehension gives from one of its clauses on; False after an error."""
        clause = node.clauses[depth]
        listed = self.iterable(self.evaluate(clause.iterable, frame), clause.iterable.span, frame)
        if listed is UNKNOWN:
            return False
        whole = True
        for index, value in listed:
            self.step(frame, node.span)
            if not self.bind_loop(clause.target, index, value, frame):
                return False
            if clause.condition is not None:
                keep = self.condition(clause.condition, frame)
                if keep is UNKNOWN:
                    return False
                self.structural(expr_of(keep), frame)
                if not plain(keep):
                    continue
            if depth + 1 < len(node.clauses):
                if not self._clauses(node, depth + 1, values, frame):
                    return False
                continue
            made = self._spliced(node.value, frame)
            whole = whole and made is not UNKNOWN
            if made is not UNKNOWN:
                values += made
            if len(values) > MAX_LIST:
                self.limit(frame, node.span, "members of a list", MAX_LIST)
        return whole

    def iterable(self, value: Any, span: Span, frame: Frame) -> Any:
        """Pairs (index, member) of a list or range, or UNKNOWN with E311 reported."""
        if value is UNKNOWN:
            return UNKNOWN
        self.walk(value, span, frame)
        if list_of(value) is None:
            return self.error("E311", span, frame, got=type_name(value))
        value = self.unsized(value, span, frame)
        self.structural(expr_of(value), frame)
        return enumerate(members(value))

    def bind_loop(self, target: ast.Target, index: int, value: Any, frame: Frame) -> bool:
        """Bind the target of a loop: `v`, `(a, b)`, or with the index `i, v` and `i, (a, b)`."""
        if target.name is not None:
            return self.bind(target, value, frame)
        if len(target.items) == 2:
            first, second = target.items
            return all([self.bind(first, index, frame), self.bind(second, value, frame)])
        if len(target.items) == 1:  # `(a, b)`: the member alone, without its index
            return self.bind(target.items[0], value, frame)
        help_ = "write the index first and the member in brackets: for i, (a, b) in list"
        given = "an index and a member"
        self.error("E307", target.span, frame, given=given, wanted=len(target.items), help=help_)
        self.bind_unknown(target, frame)
        return False

    def bind(self, target: ast.Target, value: Any, frame: Frame) -> bool:
        """Bind names to a value, unpacking lists; False after E307."""
        if target.name is not None:
            frame.locals[target.name] = value
            self.let_go(target.name, value)
            return True
        listed = list_of(value)
        if listed is None or len(listed) != len(target.items):
            if value is not UNKNOWN:
                given = type_name(value) if listed is None else f"{len(listed)} value{'s' * (len(listed) != 1)}"
                help_ = _UNPACK_TENSOR if isinstance(value, Tensor) else None
                self.error("E307", target.span, frame, help=help_, given=given, wanted=len(target.items))
            for part in target.items:
                self.bind_unknown(part, frame)
            return False
        bound = [self.bind(part, item, frame) for part, item in zip(target.items, members(value), strict=True)]
        return all(bound)  # every name is bound, whatever became of those before it

    def let_go(self, name: str, value: Any) -> None:
        """Note that a tensor has a name that may stay unused."""
        if name.startswith("_") and isinstance(value, Tensor):
            self.discarded.append(value.ref)

    def bind_unknown(self, target: ast.Target, frame: Frame) -> None:
        """Bind every name of a target to UNKNOWN, so that no second error follows."""
        if target.name is not None:
            frame.locals[target.name] = UNKNOWN
        for part in target.items:
            self.bind_unknown(part, frame)

    def _range(self, node: ast.Range, frame: Frame) -> Any:
        if node.start is None or node.stop is None:
            help_ = "a range has two ends here: 0..n"
            return self.error(
                "E301", node.span, frame, what="a range", expected="closed at both ends", got="an open one", help=help_
            )
        start, stop = self.integer(node.start, frame, "the bound"), self.integer(node.stop, frame, "the bound")
        if start is UNKNOWN or stop is UNKNOWN:
            return UNKNOWN
        self.structural(expr_of(start), frame)
        self.structural(expr_of(stop), frame)
        span = range(plain(start), plain(stop))
        if len(span) > MAX_LIST:
            self.limit(frame, node.span, "members of a range", MAX_LIST)
        return span

    def _tuple(self, node: ast.TupleExpr, frame: Frame) -> Any:
        values = tuple(self.evaluate(item, frame) for item in node.items)
        if any(value is UNKNOWN for value in values):
            return UNKNOWN
        if any(isinstance(value, tuple | Record | Layer) for value in values):
            self.sized(values, node.span, frame)
        return values


def _without_condition(item: ast.Item) -> ast.Item:
    """A member of a list without its condition."""
    return ast.Item(item.value, item.count, None, span=item.span)
