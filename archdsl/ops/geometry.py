"""Windows that slide over an image: parameter types, padding and output sizes of convolutions and pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from archdsl.ops.problems import impossible_size, needs_padding, refused, times, wrong_layout
from archdsl.ops.spec import INPUT, Made, Problem, Reach, Saved, Shape, argument
from archdsl.symbolic import Const, Expr, Index, Tuple

Pair: TypeAlias = tuple[int, int]
Size: TypeAlias = int | Pair
TF_SAME: Literal["tf_same"] = "tf_same"
_MEANING = "must be a whole number or a list of two, rows and columns"


def checked_size(least: int, *words: str | None) -> Callable[[Any], Any]:
    """A validator of sizes; `words` are accepted too. One plain function, so that there is one plain message."""
    quoted = "".join(f', or "{word}"' for word in words if word)

    def check(value: Any) -> Any:
        if type(value) is int:
            smallest = value
        elif isinstance(value, (tuple, list)) and len(value) == 2 and type(value[0]) is int and type(value[1]) is int:
            smallest, value = min(value), tuple(value)
        elif (value is None or isinstance(value, str)) and value in words:
            return value
        else:
            raise PydanticCustomError("size_type", "{meaning}", {"meaning": _MEANING + quoted})
        if smallest < least:
            # the type and the context of pydantic's own error for a declared bound
            raise PydanticCustomError("greater_than_equal", "must be at least {ge}", {"ge": least})
        return value

    return check


Window: TypeAlias = Annotated[Size, PlainValidator(checked_size(1), json_schema_input_type=Size)]
"""A kernel, stride, dilation or output size: one number for both axes, or rows and columns."""

StrideOrKernel: TypeAlias = Annotated[
    Size | None, PlainValidator(checked_size(1, None), json_schema_input_type=Size | None)
]
"""A pool's stride; None means the kernel's size, as in torch."""

FixedPadding: TypeAlias = Annotated[
    Size | None, PlainValidator(checked_size(0, None), json_schema_input_type=Size | None)
]
"""Padding on both sides of each axis; None keeps the size at stride 1."""

Padding: TypeAlias = Annotated[
    Size | Literal["tf_same"] | None,
    PlainValidator(checked_size(0, None, TF_SAME), json_schema_input_type=Size | Literal["tf_same"] | None),
]
"""As `FixedPadding`, or TensorFlow's SAME, which depends on the size of the input."""


def pair(value: Size) -> Pair:
    """Rows and columns."""
    return value if isinstance(value, tuple) else (value, value)


def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1, ceil: bool = False) -> int:
    """Positions of a window along one axis, by torch's rule; less than 1 where it does not fit.

    `ceil` lets the last window overhang the end, but it must start inside the input or its left padding.
    """
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def slide(
    op: str, x: Shape, kernel: Size, stride: Size, padding: Size | Literal["tf_same"] | None, dilation: Size = 1,
    ceil: bool = False,
) -> Pair | Problem:  # fmt: skip
    """Height and width after sliding a window over a C×H×W input, or why that is impossible."""
    if x.layout != "chw":
        return wrong_layout(op, x)
    (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
    if padding == TF_SAME:
        return -(-x.height // sh), -(-x.width // sw)
    if padding is None:
        twice_h, twice_w = dh * (kh - 1), dw * (kw - 1)
        if twice_h % 2 or twice_w % 2:
            return needs_padding(kernel)
        ph, pw = twice_h // 2, twice_w // 2
    else:
        assert not isinstance(padding, str)
        ph, pw = pair(padding)
    height = output_size(x.height, kh, sh, ph, dh, ceil)
    width = output_size(x.width, kw, sw, pw, dw, ceil)
    if height < 1 or width < 1:
        return impossible_size(x, (dh * (kh - 1) + 1, dw * (kw - 1) + 1), (ph, pw))
    return height, width


def padded_saves(
    x: Shape, output: Shape, kernel: Size, stride: Size, padding: Size | Literal["tf_same"] | None, dilation: Size = 1
) -> Saved:
    """What autograd keeps of a window that slides: the image, or, where TensorFlow's padding is a step of its own, the
    image with its border.
    """
    kernels, strides, dilations = pair(kernel), pair(stride), pair(dilation)
    reach = [d * (k - 1) for k, d in zip(kernels, dilations, strict=True)]
    if padding != TF_SAME or kernels == (1, 1) or (strides == (1, 1) and not any(r % 2 for r in reach)):
        return INPUT
    sizes = zip((x.height, x.width), (output.height, output.width), strides, reach, strict=True)
    height, width = (max(size, (out - 1) * step + far + 1) for size, out, step, far in sizes)
    return Saved(made=(Made(x.channels * height * width),))


def window_reach(kernel: Size, stride: Size, dilation: Size = 1) -> Reach:
    """What a position sees through a sliding window."""
    (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
    return Reach((dh * (kh - 1) + 1, dw * (kw - 1) + 1), (sh, sw))


def grid_reach(x: Shape, size: Size) -> Reach:
    """What a position sees where the input is divided into `size` windows, as torch's adaptive pools do."""
    (extent_h, step_h), (extent_w, step_w) = map(_grid_axis, (x.height, x.width), pair(size))
    return Reach((extent_h, extent_w), (step_h, step_w))


def _grid_axis(size: int, parts: int) -> tuple[int, Fraction]:
    """The widest window and the mean distance between windows."""
    return max(-(-(i + 1) * size // parts) - i * size // parts for i in range(parts)), Fraction(size, parts)


def padding_too_wide(kernel: Size, padding: object, dilation: Size = 1) -> Problem | None:
    """torch's pools refuse padding of more than half the kernel, however far it is spread."""
    if padding == TF_SAME or (padding is None and dilation == 1):
        return None
    kernels = pair(kernel)
    if padding is None:
        pads = tuple(d * (k - 1) // 2 for k, d in zip(kernels, pair(dilation), strict=True))
    else:
        assert isinstance(padding, (int, tuple))
        pads = pair(padding)
    most = (kernels[0] // 2, kernels[1] // 2)
    if pads[0] <= most[0] and pads[1] <= most[1]:
        return None
    detail = f"the padding of a pool must not exceed half its kernel, here {times(most)}"
    return refused(detail, "padding", "write pad(…) before the pool to pad further, and padding = 0")


def border_too_wide(mode: str, x: Shape, widths: Sequence[int], arguments: Sequence[str]) -> Problem | None:
    """A border taken from the image is not wider than the image: left, right, top, bottom, and their arguments."""
    for i, (width, name) in enumerate(zip(widths, arguments, strict=True)):
        size, what = (x.width, "columns") if i < 2 else (x.height, "rows")
        most = {"reflect": size - 1, "circular": size}.get(mode, width)
        if width > most:
            return refused(f'a border of {width} {what} cannot be "{mode}" where the image has {size}', name)
    return None


def padding_expr(kernel: Size, padding: object, dilation: Size = 1, dilated: bool = True) -> Expr:
    """The padding as a lowering writes it: what the spec gave, or the rule that keeps the size.

    For odd kernels that is `dilation * (kernel // 2)`, which folds to `kernel // 2` or a number.
    """
    return argument("padding") if padding is not None else _kept_size(kernel, dilation, dilated)


@cache
def _kept_size(kernel: Size, dilation: Size, dilated: bool) -> Expr:
    kernel_expr, dilation_expr = argument("kernel"), argument("dilation") if dilated else Const(1)
    if isinstance(kernel, int) and isinstance(dilation, int):
        return _keep_size(kernel_expr, dilation_expr, kernel)
    return Tuple(
        tuple(
            _keep_size(_axis(kernel_expr, kernel, i), _axis(dilation_expr, dilation, i), pair(kernel)[i])
            for i in range(2)
        )
    )


def _keep_size(kernel: Expr, dilation: Expr, value: int) -> Expr:
    return dilation * (kernel // 2) if value % 2 else dilation * (kernel - 1) // 2


def _axis(expr: Expr, value: Size, axis: int) -> Expr:
    return Index(expr, Const(axis)) if isinstance(value, tuple) else expr


def window_label(name: str, kernel: Size, *details: object, stride: Size | None = 1, dilation: Size = 1) -> str:
    """Short text for diagrams: `3×3 conv, 64, /2`."""
    parts = [f"{times(pair(kernel))} {name}", *map(str, details)]
    if dilation != 1:
        parts.append(f"dilation {dilation if isinstance(dilation, int) else times(dilation)}")
    if stride is not None and stride != 1:
        parts.append(f"/{stride if isinstance(stride, int) else times(stride)}")
    return ", ".join(parts)
