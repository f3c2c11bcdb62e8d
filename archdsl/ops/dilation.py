"""Windows over an image whose strides are taken away: how each op goes on, so that the values stay what they were.

A network of output stride 32 that is to have 16 computes, where a stride of 2 is taken away, at every position what it
computed at every second one; what follows looks at every second position, by dilation. So the denser map holds the
other, position by position: the rule of the à trous algorithm, of torchvision's `replace_stride_with_dilation` and of
timm's `output_stride`. Two things are as in timm, where the denser map does not always hold the other exactly. Windows
that tile the image (2×2, stride 2: ConvNeXt's convolutions, many pools) are padded to keep its size: maps of odd sizes
have a border more. And means of tiles of which the last may overhang the image (ResNet-D's shortcuts) are never
dilated, and count the border. What has no dilated form in torch, other means and blurs, is refused where it needs one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archdsl.ops.geometry import TF_SAME, Size, pair
from archdsl.ops.spec import Holes

Pair = tuple[int, int]


def _one(values: tuple[int, ...]) -> Any:
    """A size as a spec writes it: one number where both are equal."""
    return values[0] if values[0] == values[1] else tuple(values)


def _stride(params: Any, holes: Holes) -> Any:
    strides = pair(params.kernel if params.stride is None else params.stride)
    return _one(tuple(1 if drop else stride for stride, drop in zip(strides, holes.drop, strict=True)))


def _kept(kernel: Size, dilation: Size) -> Any:
    """Padding that keeps the size at stride 1; the greater part last, where there are two."""
    extents = [d * (k - 1) for k, d in zip(pair(kernel), pair(dilation), strict=True)]
    return TF_SAME if any(extent % 2 for extent in extents) else None


def _tiles(params: Any, holes: Holes) -> bool:
    """Whether the windows lie side by side, without a border, and will not do so."""
    kernels = pair(params.kernel)
    strides = pair(params.kernel if params.stride is None else params.stride)
    return all(holes.drop) and kernels == strides and _numbers(params.padding) == (0, 0)


def _numbers(padding: Any) -> Pair | None:
    """Padding in numbers; None where it is a rule."""
    return None if padding is None or isinstance(padding, str) else pair(padding)


def dilated_conv(params: Any, holes: Holes) -> Mapping[str, Any] | str:
    """`dilate` of convolutions."""
    kernels, dilations = pair(params.kernel), pair(params.dilation)
    spread = holes.spread if kernels != (1, 1) else (1, 1)
    dilation = _one(tuple(d * s for d, s in zip(dilations, spread, strict=True)))
    padding = params.padding
    if (numbers := _numbers(padding)) is not None:
        padding = _one(tuple(p * s for p, s in zip(numbers, holes.spread, strict=True)))
        if kernels != (1, 1) and _tiles(params, holes):
            padding = _kept(params.kernel, dilation)
    return {"stride": _stride(params, holes), "padding": padding, "dilation": dilation}


def _overhang(params: Any, holes: Holes) -> bool | str:
    """Whether the last window may overhang the end, which at stride 1 is padding that keeps the size, or why not."""
    strides = pair(params.kernel if params.stride is None else params.stride)
    if not params.ceil_mode or strides == (1, 1):
        return False
    over = {kernel - stride for kernel, stride in zip(pair(params.kernel), strides, strict=True)}
    if all(holes.drop) and _numbers(params.padding) == (0, 0) and over <= {0, 1}:
        return True
    return "its last window overhangs the image (`ceil_mode`), which has no equal at stride 1"


def dilated_maxpool(params: Any, holes: Holes) -> Mapping[str, Any] | str:
    """`dilate` of the maximum. torch's pools pad half a kernel at most, however far it is spread."""
    overhang = _overhang(params, holes)
    if isinstance(overhang, str):
        return overhang
    kernels = pair(params.kernel)
    dilation = _one(tuple(d * s for d, s in zip(pair(params.dilation), holes.spread, strict=True)))
    found = {"stride": _stride(params, holes), "dilation": dilation, "ceil_mode": False}
    numbers = _numbers(params.padding)
    if overhang or _tiles(params, holes):
        return {**found, "padding": _kept(params.kernel, dilation) if dilation == 1 else TF_SAME}
    if holes.spread == (1, 1) or numbers == (0, 0) or params.padding == TF_SAME:
        return {**found, "padding": params.padding}
    keeps = tuple(d * (k - 1) for k, d in zip(kernels, pair(params.dilation), strict=True))
    if numbers is None or keeps == (2 * numbers[0], 2 * numbers[1]):
        return {**found, "padding": TF_SAME}
    return "its padding is neither none nor such as keeps the size"


def dilated_avgpool(params: Any, holes: Holes) -> Mapping[str, Any] | str:
    """`dilate` of the mean."""
    overhang, tiles = _overhang(params, holes), _tiles(params, holes)
    if isinstance(overhang, str):
        return overhang
    found = {"stride": _stride(params, holes), "ceil_mode": False}
    if overhang and tiles:
        return {**found, "padding": TF_SAME, "count_include_pad": True}  # timm's rule: it counts the border
    if holes.spread != (1, 1) and pair(params.kernel) != (1, 1):
        return _NO_DILATION
    return {**found, "padding": TF_SAME, "count_include_pad": False} if overhang or tiles else found


def dilated_blur(params: Any, holes: Holes) -> Mapping[str, Any] | str:
    """`dilate` of the blur, which slides by 1, undilated, wherever it halved the size: timm's does."""
    if holes.spread != (1, 1) and not any(holes.drop):
        return _NO_DILATION
    return {"stride": 1}


_NO_DILATION = "torch has no dilated form of it"


def wider_border(params: Any, holes: Holes) -> Mapping[str, Any] | str:
    """`dilate` of a border that is added or taken away: as many positions as were neighbours."""
    if getattr(params, "mode", "constant") != "constant" and holes.spread != (1, 1):
        return "a border that is taken from the image has no equal where its positions lie apart"
    rows, columns = holes.spread
    return {
        "left": params.left * columns,
        "right": params.right * columns,
        "top": params.top * rows,
        "bottom": params.bottom * rows,
    }
