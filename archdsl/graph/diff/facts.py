"""What a node is to torch, and how two nodes differ. Takes nodes; gives `CallFacts` and `ParameterChange`s.

Two nodes with equal facts are built alike, however they were written: `gap` and `adaptive_avgpool(1)`, a padding that
keeps the size and the same padding as a number, a convolution whose groups are its channels and a depthwise one.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from archdsl.graph.ir import Node
from archdsl.graph.templates import Bodies
from archdsl.ops.spec import Shape
from archdsl.symbolic import IN_CHANNELS, Const, Expr, Symbol, evaluate, lift, symbols


class CallFacts(NamedTuple):
    """`target` is what torch runs (`nn.Conv2d`), `values` what it is given, by name where there is one."""

    target: str
    values: tuple[tuple[str, Any], ...]
    inputs: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A parameter and the values it had and has: one pair for each distinct pair among the places where it changed."""

    name: str
    values: tuple[tuple[Any, Any], ...]

    @property
    def before(self) -> tuple[Any, ...]:
        """The values it had, repetitions of a value in a row left out."""
        return _runs([old for old, _ in self.values])

    @property
    def after(self) -> tuple[Any, ...]:
        return _runs([new for _, new in self.values])

    def inverse(self) -> ParameterChange:
        return ParameterChange(self.name, tuple((new, old) for old, new in self.values))


def _runs(values: list[Any]) -> tuple[Any, ...]:
    return tuple(value for i, value in enumerate(values) if i == 0 or value != values[i - 1])


def facts_of(node: Node) -> CallFacts:
    """The facts of one node, its input shapes included."""
    target, given = _lowering(node)
    known = _known(node)
    values = ((name, _flat(evaluate(expr, known))) for name, expr in given.items())
    return CallFacts(target, tuple(values), node.input_shapes)


class Kinds(Bodies):
    """Numbers for nodes: equal for those that are built alike."""

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[Hashable, int] = {}

    def of(self, node: Node) -> int:
        """The number of the node's facts."""
        key = (node.op.name, node.params, node.input_shapes)
        number = self._of.get(key)
        if number is None:
            number = self._of[key] = self.number(facts_of(node))
        return number


def changes(before: Node, after: Node) -> tuple[ParameterChange, ...]:
    """The parameters in which two nodes differ by themselves: what only follows from a wider input is left out."""
    one, other = _lowering(before)[1], _lowering(after)[1]
    old, new = (
        _parameters(before, dict(zip(one, other, strict=False))),
        _parameters(after, dict(zip(other, one, strict=False))),
    )
    found = []
    for name in _names(before, after, old, new):
        a, b = old[name], new[name]
        if a.value != b.value and not (_follows(name, a, before) and _follows(name, b, after)):
            found.append(ParameterChange(name, ((a.value, b.value),)))
    return tuple(found)


def width(node: Node) -> str | None:
    """The parameter that says how many channels come out; None where that follows from the input."""
    return node.op.channels.name if isinstance(node.op.channels, Symbol) and node.op.channels != IN_CHANNELS else None


def target_of(node: Node) -> str:
    """What torch runs, without what it is given."""
    return _lowering(node)[0]


def is_commutative(node: Node) -> bool:
    """Whether the op gives the same with its two inputs exchanged: to the last bit, a sum or product of two."""
    call = node.lowering.call
    return call is not None and re.fullmatch(r"\{0\} [+*] \{1\}", call.template) is not None


def is_idle(node: Node) -> bool:
    """Whether a node gives back what it gets, in training too: a dropout of 0."""
    return node.op.role == "regularizer" and getattr(node.params, "p", None) == 0


def has_window(node: Node) -> bool:
    """Whether the op looks at neighbours."""
    return getattr(node.params, "kernel", 1) not in (1, (1, 1))


def kind_of(node: Node) -> str:
    """What a reader takes for another layer: the role of the op, and of a convolution whether it is a depthwise one."""
    return node.word if node.op.role == "conv" else node.op.role


def _lowering(node: Node) -> tuple[str, Mapping[str, Expr]]:
    """The target and its arguments: by keyword, or by the op's parameter they are, or by their position."""
    lowering = node.lowering
    if lowering.module is not None:
        module = lowering.module
        names = [arg.name if isinstance(arg, Symbol) else f"#{i}" for i, arg in enumerate(module.args)]
        defaults = {name: lift(default) for name, default in module.defaults.items()}
        return module.target, {**dict(zip(names, module.args, strict=True)), **defaults, **module.kwargs}
    if lowering.parameter is not None:
        parameter = lowering.parameter
        dims = {f"#{i}": expr for i, expr in enumerate(parameter.shape)}
        return parameter.template, {**dims, "init": parameter.init}
    if lowering.call is not None:
        return lowering.call.template, dict(lowering.call.values)
    return node.op.name, {name: Const(getattr(node.params, name)) for name in node.op.parameter_names}


def _known(node: Node) -> dict[str, Any]:
    known = {name: getattr(node.params, name) for name in node.op.parameter_names}
    return known | ({IN_CHANNELS.name: node.input_shapes[0].channels} if node.input_shapes else {})


def _flat(value: Any) -> Any:
    """A size that is the same for rows and columns as one number."""
    same = isinstance(value, tuple) and len(value) == 2 and value[0] == value[1] and type(value[0]) is int
    return value[0] if same else value


class _Parameter(NamedTuple):
    """A value and, where torch is given it, the expression it comes from."""

    value: Any
    expr: Expr | None


def _parameters(node: Node, names: Mapping[str, str]) -> dict[str, _Parameter]:
    """The op's parameters with their meaning resolved: an omitted padding is the one that torch is given. What is given
    by position has the name that it has with another op, if that is known from `names`."""
    known = _known(node)
    given = {names.get(name, name) if name.startswith("#") else name: expr for name, expr in _lowering(node)[1].items()}
    result = {name: _Parameter(_flat(known[name]), given.get(name)) for name in node.op.parameter_names}
    for name, expr in given.items():
        if name not in result or result[name].value is None:
            result[name] = _Parameter(_flat(evaluate(expr, known)), expr)
    return result


def _names(before: Node, after: Node, old: Mapping[str, _Parameter], new: Mapping[str, _Parameter]) -> list[str]:
    """The parameters to compare, in the order in which they are written."""
    if before.op is after.op:
        names = before.op.parameter_names
    else:
        written = [*before.op.parameter_names, *after.op.parameter_names, *old]
        names = tuple(name for name in dict.fromkeys(written) if name in old and name in new)
    return [name for name in names if not (_is_unset(before, name) and _is_unset(after, name))]


def _is_unset(node: Node, name: str) -> bool:
    """Whether a parameter was left to its meaning."""
    return name in node.op.parameter_names and getattr(node.params, name) is None


def _follows(name: str, parameter: _Parameter, node: Node) -> bool:
    """Whether a value that is not written as the width is only the width of the input (groups of a depthwise one)."""
    if name == width(node) or type(parameter.value) is not int or not node.input_shapes:
        return False
    computed = parameter.expr is not None and IN_CHANNELS.name in symbols(parameter.expr)
    return computed or parameter.value == node.input_shapes[0].channels
