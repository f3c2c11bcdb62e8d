"""One form for what computes the same: takes a call of an aten operation, gives what to compare of it.

Equal networks are written differently: a default that is left out or given, in place or not, two halves by `chunk`, by
`split` or by two slices, up to the last or to the 64th value, a crop as a slice or as negative padding. None of that
may be told apart, and nothing else may be thrown together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from torch import Tensor

Operation: TypeAlias = tuple[Any, ...]

# Views and bookkeeping, which may differ between equal networks, and operations that only move values: channel shuffles
# written as views.
_IGNORED = frozenset(
    "view _unsafe_view reshape permute transpose t expand detach alias unsqueeze squeeze empty clone contiguous "
    "channel_shuffle native_channel_shuffle".split()
)
# Of operands that are stretched to each other's shape (a factor for each channel, C×1×1) the sizes count alone, and
# either may come first.
_ELEMENTWISE = frozenset({"add", "mul", "addcmul"})
_POOLS = frozenset({"avg_pool2d", "max_pool2d_with_indices", "max_pool2d"})
_PARTS = frozenset({"slice", "select", "narrow", "split", "split_with_sizes", "chunk", "unbind", "constant_pad_nd"})


def canonical(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> Iterator[Operation]:
    """What a call computes: name, shapes, arguments. Nothing for what only moves values, several for several parts."""
    # An operation in place computes the same as its other form.
    name = func.overloadpacket.__name__.removesuffix("_")
    if name in _IGNORED:
        return
    given = _bound(func, args, kwargs)
    if name in _PARTS:
        yield from _parts(name, given, result)
    elif name == "convolution":
        yield _convolution(given, result)
    elif name == "cat":
        # Concatenating one by one or all at once is the same; of one tensor, nothing.
        if len(given["tensors"]) > 1:
            yield name, tuple(result.shape)
    elif name == "mean" and given.get("dim"):
        # A mean over (-1, -2) of four axes is the mean over (2, 3), whether or not it keeps them.
        rank = given["self"].dim()
        yield name, _described(given["self"]), tuple(sorted(axis % rank for axis in given["dim"]))
    elif name in _ELEMENTWISE:
        yield name, *sorted((_sizes(_described(value)) for value in given.values()), key=str)
    elif name in _POOLS:
        yield _pool(name, given)
    else:
        rank = given["self"].dim() if isinstance(given.get("self"), Tensor) else 0
        if rank and type(given.get("dim")) is int:
            given["dim"] %= rank
        yield name, *map(_described, given.values())


def _bound(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument by its name, with the defaults of those that are left out."""
    declared = func._schema.arguments
    given = {argument.name: value for argument, value in zip(declared, args, strict=False)} | dict(kwargs)
    return {argument.name: given.get(argument.name, argument.default_value) for argument in declared}


def _convolution(given: Mapping[str, Any], result: Tensor) -> Operation:
    """Of its output instead of its input, without the padding: that may be an operation of its own."""
    kept = {name: value for name, value in given.items() if name not in ("input", "padding")}
    return "convolution", tuple(result.shape), *map(_described, kept.values())


def _pool(name: str, given: dict[str, Any]) -> Operation:
    """One number stands for both axes, and a stride that is not given for the kernel's size."""
    pairs: dict[str, Any] = {
        key: _pair(given[key]) for key in ("kernel_size", "stride", "padding", "dilation") if key in given
    }
    pairs["stride"] = pairs["stride"] or pairs["kernel_size"]
    given |= pairs
    if given["stride"] == (1, 1):
        given["ceil_mode"] = False  # the last window ends where the image does
    if given["padding"] == (0, 0) and not given["ceil_mode"] and "count_include_pad" in given:
        given["count_include_pad"] = True  # there is none to count
    return name.removesuffix("_with_indices"), *map(_described, given.values())


def _pair(value: Any) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return values * 2 if len(values) == 1 else values


# --- parts -----------------------------------------------------------------------------------


def _parts(name: str, given: Mapping[str, Any], result: Any) -> Iterator[Operation]:
    """Each part of a tensor that is taken, along one axis: its start, step and size. One that is all of it is none."""
    x: Tensor = given["self"]
    for axis, start, step, size in _cuts(name, given, result):
        if (start, step, size) != (0, 1, x.shape[axis]):
            yield "part", axis, start, step, size, x.shape[1] if x.dim() > 1 else None


def _cuts(name: str, given: Mapping[str, Any], result: Any) -> Iterator[tuple[int, int, int, int]]:
    """Axis, start, step and size of what is cut out."""
    x: Tensor = given["self"]
    if name == "constant_pad_nd":  # padding itself belongs to what follows; less than none is a cut
        for number, (before, after) in enumerate(zip(given["pad"][::2], given["pad"][1::2], strict=True)):
            axis = x.dim() - 1 - number
            if before < 0 or after < 0:
                yield axis, max(-before, 0), 1, x.shape[axis] + before + after
        return
    axis = given["dim"] % x.dim()
    total = x.shape[axis]
    if name == "slice":
        start = 0 if given["start"] is None else given["start"]
        yield axis, min(start % total if start < 0 else start, total), given["step"], result.shape[axis]
    elif name == "select":
        yield axis, given["index"] % total, 1, 1
    elif name == "narrow":
        yield axis, given["start"] % total, 1, given["length"]
    elif name == "unbind":
        yield from ((axis, index, 1, 1) for index in range(total))
    else:
        start = 0
        for part in result:
            yield axis, start, 1, part.shape[axis]
            start += part.shape[axis]


def _sizes(shape: Any) -> Any:
    """The dimensions of a shape that are not 1, in no order."""
    return tuple(sorted(size for size in shape if size != 1)) if isinstance(shape, tuple) else shape


def _described(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        return tuple(argument.shape)
    if isinstance(argument, list | tuple):
        return tuple(_described(a) for a in argument)
    if isinstance(argument, float):
        return float(f"{argument:.9g}")  # 1 - 0.99 is not quite 0.01
    return argument if isinstance(argument, int | str | bool | None) else str(argument)
