"""What a network owes to the size of its image: the decisions that read the height or width of a tensor.

A spec is elaborated for images of one size. What it asks about a tensor there (`x.height == y.height`, a kernel of
`x.height // 2`) is fixed then, and the network is the same for images of another size only as far as the answers are.
Each answer is kept with the tensors it is about, so that `forward` can ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.source import Span
from archdsl.symbolic import Binary, Const, Expr, Local, Not, Symbol, Value, evaluate

if TYPE_CHECKING:
    from archdsl.graph.ir import Ref

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(slots=True, repr=False, unsafe_hash=True)
class SizeOf(Expr):
    """A size of a tensor that depends on the image's: of this axis of what torch sees, the batch included."""

    ref: Ref
    axis: int
    value: int

    def under(self, values: Mapping[str, Value]) -> Value:
        return self.value


@dataclass(frozen=True, slots=True)
class SizeDecision:
    """One answer. `wrong` is what must not hold of the tensors where the network is to be this one.

    `text` is what the spec asked, `span` where; `answer` says what came out, as the end of a sentence. `message` is
    that of a `require`.
    """

    wrong: Expr
    text: str
    answer: str
    span: Span
    message: str = ""

    @property
    def refs(self) -> tuple[Ref, ...]:
        """The tensors, in the order in which they are asked about."""
        return tuple(dict.fromkeys(atom.ref for atom in _atoms(self.wrong)))

    @property
    def place(self) -> str:
        """`nasnet.arch:30`"""
        return f"{Path(self.span.source.name).name}:{self.span.line}"

    def __str__(self) -> str:
        """`x.height == 8` holds (net.arch:3)"""
        return f"`{self.text}` {self.answer} ({self.place})"

    def condition(self) -> str:
        """`wrong` as Python, in which `{0}` stands for the first of `refs`."""
        return str(_over(self.wrong, {ref: f"{{{index}}}" for index, ref in enumerate(self.refs)}))

    def moved(self, refs: Mapping[Ref, Ref]) -> SizeDecision | None:
        """The same about other tensors; None where one of them is missing."""
        if not all(ref in refs for ref in self.refs):
            return None
        return SizeDecision(_moved(self.wrong, refs), self.text, self.answer, self.span, self.message)

    def at(self, dims: Callable[[Ref], tuple[int, ...]]) -> SizeDecision | None:
        """The same where the tensors have other sizes; None where the answer is another there."""
        wrong = _at(self.wrong, dims)
        return None if evaluate(wrong, {}) else SizeDecision(wrong, self.text, self.answer, self.span, self.message)


def _at(expr: Expr, dims: Callable[[Ref], tuple[int, ...]]) -> Expr:
    if isinstance(expr, SizeOf):
        return SizeOf(expr.ref, expr.axis, dims(expr.ref)[expr.axis - 1])
    return _rebuilt(expr, [_at(part, dims) for part in expr.parts()])


def has_sizes(expr: Expr) -> bool:
    """Whether an expression depends on the size of the image."""
    return any(True for _ in _atoms(expr))


def decided(expr: Expr, value: Any, span: Span, message: str = "") -> SizeDecision:
    """What was decided when an expression over sizes had this value."""
    text = " ".join(span.text.split())
    if not _is_plain(expr) or not isinstance(value, int):
        # Not to be asked again as it stands: the sizes themselves must be what they were.
        atoms = dict.fromkeys(_atoms(expr))
        wrong = reduce(lambda a, b: Binary("or", a, b), (Binary("!=", atom, Const(atom.value)) for atom in atoms))
        answer = "was worked out from " + ", ".join(str(atom.value) for atom in atoms)
        return SizeDecision(wrong, text, answer, span, message)
    if isinstance(value, bool):
        answer = "holds" if value else "does not hold"
        return SizeDecision(_opposite(expr) if value else expr, text, answer, span, message)
    return SizeDecision(Binary("!=", expr, Const(value)), text, f"is {value}", span, message)


def image_size(ref: Ref, height: int, width: int, span: Span) -> SizeDecision:
    """Only images of exactly this size."""
    wrong = Binary(
        "or",
        Binary("!=", SizeOf(ref, 2, height), Const(height)),
        Binary("!=", SizeOf(ref, 3, width), Const(width)),
    )
    return SizeDecision(wrong, "the image", f"is of {height}×{width}", span)


def _atoms(expr: Expr) -> list[SizeOf]:
    """The sizes in an expression, from the left. There are none in the named numbers of bodies."""
    found: list[SizeOf] = []
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, SizeOf):
            found.append(part)
        elif not isinstance(part, Local):
            stack.extend(reversed(part.parts()))
    return found


def _is_plain(expr: Expr) -> bool:
    """Whether an expression is arithmetic over sizes and numbers alone."""
    match expr:
        case SizeOf():
            return True
        case Const():
            return isinstance(expr.value, int | float)
        case Binary() | Not():
            return all(map(_is_plain, expr.parts()))
    return False


def _opposite(expr: Expr) -> Expr:
    if isinstance(expr, Not):
        return expr.operand
    if isinstance(expr, Binary) and expr.op in _OPPOSITE:
        return Binary(_OPPOSITE[expr.op], expr.left, expr.right)
    return Not(expr)


def _over(expr: Expr, names: Mapping[Ref, str]) -> Expr:
    if isinstance(expr, SizeOf):
        return Symbol(f"{names[expr.ref]}.shape[{expr.axis}]")
    return _rebuilt(expr, [_over(part, names) for part in expr.parts()])


def _moved(expr: Expr, refs: Mapping[Ref, Ref]) -> Expr:
    if isinstance(expr, SizeOf):
        return SizeOf(refs[expr.ref], expr.axis, expr.value)
    return _rebuilt(expr, [_moved(part, refs) for part in expr.parts()])


def _rebuilt(expr: Expr, parts: Sequence[Expr]) -> Expr:
    return expr.rebuild(parts) if parts else expr
