"""Line breaking for generated source: what `ruff format` leaves as it is (88 columns).

A statement comes as one line of text. If it is too long it is parsed, and split at its brackets as ruff would; members
of an nn.Sequential that does not fit get a line each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from archdsl.quoting import string_literal

WIDTH = 88
INDENT = "    "
_ONE_EACH = ("OrderedDict", "nn.Sequential", "super().__init__")

_PRECEDENCE: dict[type, int] = {
    ast.Add: 6, ast.Sub: 6, ast.Mult: 7, ast.Div: 7, ast.FloorDiv: 7, ast.Mod: 7, ast.Pow: 9,
}  # fmt: skip


def statement(start: str, expression: str, end: str = "", depth: int = 0) -> Iterator[str]:
    """The lines of a statement with one expression: `start` and `end` are glued to its first and last line."""
    line = f"{INDENT * depth}{start}{expression}{end}"
    if len(line) <= WIDTH:
        yield line
    else:
        node = ast.parse(expression, mode="eval").body
        yield from _Printer(expression).lines(node, start, end, depth, outermost=True)


def signature(start: str, items: Sequence[str], end: str, depth: int) -> Iterator[str]:
    """The lines of `start(item, item)end`: a function's head."""
    pad, inner = INDENT * depth, ", ".join(items)
    if len(f"{pad}{start}({inner}){end}") <= WIDTH:
        yield f"{pad}{start}({inner}){end}"
        return
    yield f"{pad}{start}("
    if len(f"{pad}{INDENT}{inner}") <= WIDTH:
        yield f"{pad}{INDENT}{inner}"
    else:
        yield from (f"{pad}{INDENT}{item}," for item in items)
    yield f"{pad}){end}"


class _Printer:
    """Splits one expression; its parts are taken from the text, so that parentheses and quotes stay as written."""

    def __init__(self, text: str) -> None:
        self.raw = text.encode()

    def _slice(self, start: int, end: int) -> str:
        return self.raw[start:end].decode()

    def _text(self, node: ast.expr) -> str:
        return self._slice(node.col_offset, node.end_col_offset or 0)

    def lines(self, node: ast.expr, start: str, end: str, depth: int, outermost: bool = False) -> Iterator[str]:
        """The lines of one part, whose first and last line are glued to `start` and `end`."""
        pad = INDENT * depth
        flat = f"{pad}{start}{self._text(node)}{end}"
        if len(flat) <= WIDTH:
            yield flat
            return
        match node:
            case ast.Call():
                name = self._text(node.func)
                items: list[tuple[str, ast.expr]] = [_unstarred(arg) for arg in node.args]
                items += [(f"{keyword.arg}=", keyword.value) for keyword in node.keywords]
                yield from self._items(f"{start}{name}(", items, f"){end}", depth, name in _ONE_EACH)
            case ast.List() | ast.Set():
                opening, closing = ("[", "]") if isinstance(node, ast.List) else ("{", "}")
                yield from self._items(start + opening, [_unstarred(e) for e in node.elts], closing + end, depth)
            case ast.Tuple():
                yield from self._items(f"{start}(", [_unstarred(e) for e in node.elts], f"){end}", depth)
            case ast.Dict():
                pairs = [
                    (f"{self._text(k)}: ", v) for k, v in zip(node.keys, node.values, strict=True) if k is not None
                ]
                yield from self._items(start + "{", pairs, "}" + end, depth)
            case ast.ListComp():
                yield from self._comprehension(node, start, end, depth)
            case ast.BinOp() | ast.BoolOp() | ast.Compare() | ast.IfExp():
                yield from self._operation(node, start, end, depth, outermost)
            case _:
                yield flat

    def _items(
        self,
        start: str,
        items: Sequence[tuple[str, ast.expr]],
        end: str,
        depth: int,
        one_each: bool = True,
    ) -> Iterator[str]:
        pad = INDENT * depth
        yield f"{pad}{start}"
        inner = ", ".join(prefix + self._text(item) for prefix, item in items)
        if len(pad) + len(INDENT) + len(inner) <= WIDTH and not (one_each and len(items) > 1):
            yield f"{pad}{INDENT}{inner}"
        else:
            for prefix, item in items:
                yield from self.lines(item, prefix, "," if len(items) > 1 else "", depth + 1)
        yield f"{pad}{end}"

    def _comprehension(self, node: ast.ListComp, start: str, end: str, depth: int) -> Iterator[str]:
        pad = INDENT * depth
        yield f"{pad}{start}["
        inner = self._slice(node.elt.col_offset, (node.end_col_offset or 0) - 1)
        loops = self._slice(node.elt.end_col_offset or 0, (node.end_col_offset or 0) - 1).strip()
        if isinstance(node.elt, ast.Tuple):  # its parentheses belong to it
            loops = loops.removeprefix(")").strip()
        if len(pad) + len(INDENT) + len(inner) <= WIDTH:
            yield f"{pad}{INDENT}{inner}"
        else:
            yield from self.lines(node.elt, "", "", depth + 1)
            yield f"{pad}{INDENT}{loops}"
        yield f"{pad}]{end}"

    def _operation(self, node: ast.expr, start: str, end: str, depth: int, outermost: bool) -> Iterator[str]:
        """A line for each operand, in parentheses where no brackets are around."""
        operands = list(self._operands(node))
        last = operands[-1][1]
        if not outermost:
            yield from self._operand_lines(operands, start, end, depth)
        elif len(operands) == 2 and not isinstance(node, ast.IfExp) and isinstance(last, ast.Call | ast.Set):
            # One operator, and brackets after it: these serve.
            head = self._slice(node.col_offset, last.col_offset)
            yield from self.lines(last, start + head, end, depth)
        else:
            text = INDENT * (depth + 1) + self._text(node)
            yield f"{INDENT * depth}{start}("
            yield from [text] if len(text) <= WIDTH else self._operand_lines(operands, "", "", depth + 1)
            yield f"{INDENT * depth}){end}"

    def _operand_lines(
        self, operands: Sequence[tuple[str, ast.expr, bool]], start: str, end: str, depth: int
    ) -> Iterator[str]:
        for position, (operator, operand, enclosed) in enumerate(operands):
            prefix = start if position == 0 else f"{operator} "
            suffix = end if position == len(operands) - 1 else ""
            if enclosed:
                yield f"{INDENT * depth}{prefix}({self._text(operand)}){suffix}"
            else:
                yield from self.lines(operand, prefix, suffix, depth)

    def _operands(self, node: ast.expr) -> Iterator[tuple[str, ast.expr, bool]]:
        """Operator, operand, and whether the operand is in parentheses; those of one level are one row."""
        match node:
            case ast.IfExp():
                row = [("", node.body), ("if", node.test), ("else", node.orelse)]
            case ast.BoolOp():
                word = "and" if isinstance(node.op, ast.And) else "or"
                row = [(word, value) for value in node.values]
            case ast.Compare():
                row = [("", node.left)]
                for left, right in zip([node.left, *node.comparators], node.comparators, strict=False):
                    row.append((self._operator(left, right), right))
            case ast.BinOp():
                left, operator = node.left, self._operator(node.left, node.right)
                if isinstance(left, ast.BinOp) and _level(left) == _level(node) and not self._enclosed(left):
                    yield from self._operands(left)
                    row = [(operator, node.right)]
                else:
                    row = [("", left), (operator, node.right)]
            case _:
                row = [("", node)]
        for word, operand in row:
            yield word, operand, self._enclosed(operand)

    def _operator(self, left: ast.expr, right: ast.expr) -> str:
        return self._slice(left.end_col_offset or 0, right.col_offset).strip("() ")

    def _enclosed(self, node: ast.expr) -> bool:
        """Whether an operand has parentheses of its own in the text."""
        before = self.raw[: node.col_offset].rstrip()
        after = self.raw[node.end_col_offset or 0 :].lstrip()
        return before.endswith(b"(") and after.startswith(b")") and not self._is_call(before[:-1])

    @staticmethod
    def _is_call(before: bytes) -> bool:
        return before[-1:].isalnum() or before[-1:] in (b"_", b"]", b")")


def _level(node: ast.BinOp) -> int:
    return _PRECEDENCE.get(type(node.op), 0)


def _unstarred(node: ast.expr) -> tuple[str, ast.expr]:
    return ("*", node.value) if isinstance(node, ast.Starred) else ("", node)


def refusal(message: str, depth: int) -> Iterator[str]:
    """`raise ValueError("…")`; a long message is several literals, a line each."""
    whole = list(statement("raise ", f"ValueError({string_literal(message)})", "", depth))
    if max(map(len, whole)) <= WIDTH:
        yield from whole
        return
    indent = INDENT * depth
    room = WIDTH - len(indent) - len(INDENT) - 2
    yield f"{indent}raise ValueError("
    part = ""
    for word in re.split(r"(?<= )", message):
        if part and len(string_literal(part + word)) - 2 > room:
            yield f"{indent}{INDENT}{string_literal(part)}"
            part = ""
        part += word
    yield f"{indent}{INDENT}{string_literal(part)}"
    yield f"{indent})"
