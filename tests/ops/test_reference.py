"""Windows, paddings and helper modules against torch, timm, torchvision and TensorFlow's formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from archdsl.backends import torch_helpers as helpers
from archdsl.ops import OPS, Problem, Shape
from tests import libraries
from tests.ops.build import Case, arguments_of, forms

libraries.declare_operators()

sizes, small = st.integers(1, 17), st.integers(1, 5)


def _shape(name: str, x: Shape, **arguments: Any) -> Shape | Problem:
    op = OPS[name]
    outputs = op.shape(op.params(**arguments), (x,))
    return outputs if isinstance(outputs, Problem) else outputs[0]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["maxpool", "avgpool"]), sizes, sizes, small, small, st.integers(0, 3), small, st.booleans())
def test_pools_follow_torch_at_every_size(
    name: str, height: int, width: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool
) -> None:
    """The same sizes, and a problem exactly where torch refuses."""
    arguments: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}
    if name == "maxpool":
        arguments["dilation"] = dilation
    got = _shape(name, Shape(2, height, width), **arguments)
    x = torch.zeros(1, 2, height, width)
    try:
        if name == "maxpool":
            y = F.max_pool2d(x, kernel, stride, padding, dilation, ceil)
        else:
            y = F.avg_pool2d(x, kernel, stride, padding, ceil)
    except RuntimeError:
        assert isinstance(got, Problem)
        assert got.code in ("E204", "E210")
    else:
        assert isinstance(got, Shape)
        assert got.dims == tuple(y.shape[1:])


@settings(max_examples=300, deadline=None)
@given(sizes, sizes, st.tuples(small, small), small, st.none() | st.integers(0, 3), st.integers(1, 3))
def test_convolutions_follow_torch_at_every_size(
    height: int, width: int, kernel: tuple[int, int], stride: int, padding: int | None, dilation: int
) -> None:
    arguments = {"out": 4, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    got = _shape("conv", Shape(2, height, width), **arguments)
    x, weight = torch.zeros(1, 2, height, width), torch.zeros(4, 2, *kernel)
    if padding is None:
        if stride == 1 and not isinstance(got, Problem):
            assert (got.height, got.width) == (height, width)
        symmetric = all(dilation * (k - 1) % 2 == 0 for k in kernel)
        assert symmetric != (isinstance(got, Problem) and got.code == "E207")
        assume(symmetric)
    pads = padding if padding is not None else tuple(dilation * (k - 1) // 2 for k in kernel)
    try:
        y = F.conv2d(x, weight, None, stride, pads, dilation)
    except RuntimeError:
        assert isinstance(got, Problem)
        assert got.code == "E204"
    else:
        assert isinstance(got, Shape)
        assert got.dims == tuple(y.shape[1:])


def _tf_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """TensorFlow's SAME: before and after, as its documentation gives it."""
    outputs = (size + stride - 1) // stride
    total = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _pad_as_tf(x: torch.Tensor, kernel: int, stride: int, dilation: int, value: float) -> torch.Tensor:
    rows, columns = (_tf_padding(size, kernel, stride, dilation) for size in x.shape[2:])
    return F.pad(x, (*columns, *rows), value=value)


@settings(max_examples=150, deadline=None)
@given(sizes, sizes, small, st.integers(1, 4), st.integers(1, 2))
def test_tf_same_equals_its_formula(height: int, width: int, kernel: int, stride: int, dilation: int) -> None:
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    expected_size = (-(-height // stride), -(-width // stride))

    conv = helpers.Conv2dSame(3, 4, kernel, stride=stride, dilation=dilation).double()
    padded = _pad_as_tf(x, kernel, stride, dilation, 0.0)
    torch.testing.assert_close(conv(x), F.conv2d(padded, conv.weight, conv.bias, stride, 0, dilation))

    highest = helpers.MaxPool2dSame(kernel, stride=stride, dilation=dilation)(x)
    padded = _pad_as_tf(x, kernel, stride, dilation, float("-inf"))
    assert torch.equal(highest, F.max_pool2d(padded, kernel, stride, 0, dilation))

    mean = helpers.AvgPool2dSame(kernel, stride=stride)(x)
    windows = _pad_as_tf(x, kernel, stride, 1, float("nan")).unfold(2, kernel, stride).unfold(3, kernel, stride)
    torch.testing.assert_close(mean, windows.nanmean((-2, -1)))

    shape = Shape(3, height, width)
    for name, got in (("conv", conv(x)), ("maxpool", highest), ("avgpool", mean)):
        arguments = {"kernel": kernel, "stride": stride, "padding": "tf_same"} | ({"out": 4} if name == "conv" else {})
        inferred = _shape(name, shape, **arguments)
        assert isinstance(inferred, Shape)
        assert (inferred.height, inferred.width) == tuple(got.shape[2:]) == expected_size


def _copied(source: nn.Module, target: nn.Module) -> None:
    """Random weights, the same in both, by position."""
    for a, b in zip(source.parameters(), target.parameters(), strict=True):
        a.data.normal_()
        b.data.copy_(a.data.view_as(b))


@pytest.mark.parametrize("size", [13, 14, 15, 16])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 2), (2, 2), (7, 4)])
def test_tf_same_equals_timm(kernel: int, stride: int, size: int) -> None:
    from timm.layers.conv2d_same import Conv2dSame
    from timm.layers.pool2d_same import AvgPool2dSame, MaxPool2dSame

    x = torch.randn(2, 4, size, size)
    theirs, ours = Conv2dSame(4, 6, kernel, stride=stride), helpers.Conv2dSame(4, 6, kernel, stride=stride)
    _copied(theirs, ours)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(helpers.MaxPool2dSame(kernel, stride)(x), MaxPool2dSame(kernel, stride)(x))
    counted = helpers.AvgPool2dSame(kernel, stride, count_include_pad=True)
    assert torch.equal(counted(x), AvgPool2dSame(kernel, stride)(x))  # its padding is a part of the image


@pytest.mark.parametrize("channels_last", [False, True])
def test_global_response_norm_equals_timm(channels_last: bool) -> None:
    from timm.layers.grn import GlobalResponseNorm

    theirs, ours = (
        GlobalResponseNorm(6, channels_last=channels_last),
        helpers.GlobalResponseNorm(6, 1e-6, channels_last),
    )
    _copied(theirs, ours)
    x = torch.randn((2, 5, 4, 6) if channels_last else (2, 6, 5, 4))
    assert torch.equal(ours(x), theirs(x))


def test_standardized_convolution_equals_timm_and_the_papers_formula() -> None:
    from timm.layers.std_conv import StdConv2d

    theirs = StdConv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=True, eps=1e-8)
    ours = helpers.StdConv2d(4, 6, 3, stride=2, padding=1, groups=2)
    _copied(theirs, ours)
    x = torch.randn(2, 4, 9, 9)
    assert torch.equal(ours(x), theirs(x))
    variance, mean = torch.var_mean(ours.weight, (1, 2, 3), keepdim=True, correction=0)
    weight = (ours.weight - mean) / torch.sqrt(variance + 1e-8)
    torch.testing.assert_close(ours(x), F.conv2d(x, weight, ours.bias, 2, 1, 1, 2))


def test_layer_norm_equals_torchvision() -> None:
    from torchvision.models.convnext import LayerNorm2d

    theirs, ours = LayerNorm2d(6, eps=1e-6), helpers.LayerNorm2d(6, eps=1e-6)
    _copied(theirs, ours)
    x = torch.randn(2, 6, 5, 4)
    assert torch.equal(ours(x), theirs(x))


def test_linear_on_an_image_is_a_1x1_convolution() -> None:
    linear, conv = helpers.Linear2d(6, 4), nn.Conv2d(6, 4, 1)
    _copied(conv, linear)
    x = torch.randn(2, 6, 5, 4)
    torch.testing.assert_close(linear(x), conv(x))


def test_channel_affine_equals_torchvisions_transform_input() -> None:
    from torchvision.models.inception import Inception3

    reference = Inception3.__new__(Inception3)
    nn.Module.__init__(reference)
    reference.transform_input = True
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
    ours = helpers.ChannelAffine([d / 0.5 for d in deviation], [(m - 0.5) / 0.5 for m in mean])
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(ours(x), reference._transform_input(x))


@pytest.mark.parametrize("rank", [2, 4])
def test_drop_path_equals_torchvisions_row_mode(rank: int) -> None:
    from torchvision.ops import StochasticDepth

    x = torch.randn(64, *[3] * (rank - 1))
    outputs = []
    for module in (helpers.DropPath(0.25), StochasticDepth(0.25, "row")):
        torch.manual_seed(7)
        outputs.append(module.train()(x))
        assert module.eval()(x) is x
    assert torch.equal(outputs[0], outputs[1])
    assert 0 < (outputs[0].flatten(1) == 0).all(1).sum() < 64


def test_channel_shuffle_is_shufflenets() -> None:
    from torchvision.models.shufflenetv2 import channel_shuffle

    op, x = OPS["channel_shuffle"], torch.randn(2, 12, 5, 4)
    for groups in (1, 2, 3, 4, 6, 12):
        for form in forms(Case(op, arguments_of(op.name, groups=groups), (Shape(12, 5, 4),))).values():
            assert torch.equal(form(x), channel_shuffle(x, groups))


def test_layer_scale_equals_torchvisions_initial_value() -> None:
    from torchvision.models.convnext import CNBlock

    op = OPS["layer_scale"]
    built = forms(Case(op, arguments_of(op.name, init=1e-6), (Shape(6, 5, 4),)))["parameter"]
    expected = CNBlock(6, 1e-6, 0.0).layer_scale
    assert torch.equal(built.get_parameter("op"), expected)
