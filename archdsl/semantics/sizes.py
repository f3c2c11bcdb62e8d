"""How large a network may be: beyond these limits nobody could build it, and torch's own counters overflow.

Takes the arguments, shapes and weights of a node; gives what is too large about them,
as code and facts (E330, E331, E333).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archdsl.ops.spec import OpParams, OpSpec, Shape, Weight
from archdsl.semantics.values import Arg, Value

MAX_SIDE = 1_000_000
"""Channels, height and width of a feature map, and whole numbers given to an op: kernels, strides, padding, outputs."""
MAX_ELEMENTS = 100_000_000_000
"""Elements of a tensor: of the output of a layer for one image, of a weight."""
MAX_PARAMETERS = 1_000_000_000_000
"""Elements of all weights of a network."""
MAX_BRANCHES = 256
"""Inputs and outputs of a layer, outputs of a block or network: each is a name, a wire, a line of source."""
_SMALL = 1000
"""With no argument above it a window needs no closer look."""

Excess = tuple[str, dict[str, object]]


def largest(value: Value) -> int:
    """The greatest whole number in an argument; 0 if there is none."""
    if isinstance(value, tuple | list):
        return max(map(largest, value), default=0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def excessive_argument(op: OpSpec, args: Mapping[str, Arg]) -> tuple[Arg, Excess] | None:
    """The first argument that is too large a number."""
    for name, arg in args.items():
        size = largest(arg.value)
        if size > MAX_SIDE:
            return arg, _side(f"{name} of {op.name}", size)
    return None


def is_wide(args: Mapping[str, Arg]) -> bool:
    """Whether some argument is so large that the window of an op may be too large."""
    return any(largest(arg.value) > _SMALL for arg in args.values())


def excessive_output(op: OpSpec, outputs: tuple[Shape, ...]) -> Excess | None:
    """What is too large about what an op gives."""
    shape = outputs[0]
    channels, height, width = shape.channels, shape.height, shape.width
    if (channels > MAX_SIDE or height > MAX_SIDE or width > MAX_SIDE) and shape.layout != "flat":
        # a flat tensor is as long as it has elements
        for side, size in (("number of channels", channels), ("height", height), ("width", width)):
            if size > MAX_SIDE:
                return _side(f"the {side} after {op.name}", size)
    if channels * height * width * len(outputs) > MAX_ELEMENTS:
        return _tensor(f"what {op.name} gives", str(shape))
    return None


def excessive_branches(what: str, got: int) -> Excess | None:
    """Too many inputs, or outputs, of one thing: `what` says which and of what."""
    return ("E333", {"what": what, "got": f"{got:_}", "limit": MAX_BRANCHES}) if got > MAX_BRANCHES else None


def excessive_window(op: OpSpec, params: OpParams, inputs: tuple[Shape, ...]) -> Excess | None:
    """A window, holes included, that is too large."""
    window = max(op.reach(params, inputs).extent)
    return _side(f"the window of {op.name}", window) if window > MAX_SIDE else None


def excessive_weight(op: OpSpec, weights: Iterable[Weight]) -> Excess | None:
    """A weight that is too large."""
    for weight in weights:
        if weight.elements > MAX_ELEMENTS:
            return _tensor(f"the {weight.name or 'weight'} of {op.name}", "×".join(map(str, weight.shape)))
    return None


def _side(what: str, got: int) -> Excess:
    return "E330", {"what": what, "got": f"{got:_}", "limit": f"{MAX_SIDE:_}"}


def _tensor(what: str, shape: str) -> Excess:
    return "E331", {"what": what, "shape": shape, "limit": f"{MAX_ELEMENTS:_}"}
