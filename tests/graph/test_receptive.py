"""Receptive fields: published figures, figures worked out by hand, and what autograd says."""

from __future__ import annotations

from fractions import Fraction
from textwrap import dedent
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import archdsl
from archdsl.api import Variant, open_source
from archdsl.graph.receptive import Field, receptive_fields
from archdsl.source import Source


def variant(text: str) -> Variant:
    (made,) = open_source(Source("test.arch", dedent(text).strip() + "\n")).values()
    return made


def fields(made: Variant) -> dict[str, Field]:
    return {node.path: field for node, field in zip(made.graph.nodes, receptive_fields(made.graph), strict=True)}


def last(made: Variant) -> Field:
    """The field of the last node that does not see everything."""
    return [field for field in receptive_fields(made.graph) if not field.everything][-1]


def field(size: int, stride: int, **more: bool) -> Field:
    return Field((Fraction(size),) * 2, (Fraction(stride),) * 2, **more)


# The table of Araujo et al., "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019.
@pytest.mark.parametrize(
    ("name", "size", "stride"),
    [
        ("inception_v3", 1311, 32),
        ("inception_v4", 2071, 32),
        ("inception_resnet_v2", 3039, 32),
        ("mobilenetv1_100", 315, 32),
    ],
)
def test_published_figures(name: str, size: int, stride: int) -> None:
    assert last(archdsl.find(name)) == field(size, stride)


# The same table, for TensorFlow's ResNet v1: the stride is on the 3×3 convolution of a stage's last block.
@pytest.mark.parametrize(("depths", "size"), [("[3, 4, 6, 3]", 483), ("[3, 4, 23, 3]", 1027), ("[3, 8, 36, 3]", 1507)])
def test_resnet_of_the_distill_table(depths: str, size: int) -> None:
    made = variant(
        f"""
        block Unit(width: int, stride: int) {{
          main = conv(width, 1) -> relu -> conv(width, 3, stride) -> relu -> conv(4 * width, 1)
          main + (if stride == 1 and in.channels == 4 * width then id else conv(4 * width, 1, stride)) -> relu
        }}
        model Slim(depths: list(int)) {{
          x = image(3, 224, 224) -> conv(64, 7, stride = 2) -> maxpool(3, stride = 2)
          for i, n in depths {{
            x = x -> [Unit(64 * 2^i, if j == n - 1 and i < 3 then 2 else 1) for j in 0..n]
          }}
          x
        }}
        variant slim = Slim({depths})
        """
    )
    assert last(made) == field(size, 32)


def test_torchvision_s_resnet_50_strides_earlier() -> None:
    # 7, stride 2; + 2·2 = 11 (pool, stride 4); + 3·2·4 = 35; then each stage's first block at the old stride:
    # + 2·4 + 3·2·8 = 91; + 2·8 + 5·2·16 = 267; + 2·16 + 2·2·32 = 427.
    assert last(archdsl.find("resnet50")) == field(427, 32)


def test_vgg_16_by_hand() -> None:
    made = variant(
        """
        block Conv = conv(8, 3) -> relu
        model VGG {
          x = image(3, 224, 224)
          for n in [2, 2, 3, 3, 3] { x = x -> [n of Conv] -> maxpool(2, padding = 0) }
          x
        }
        variant vgg = VGG
        """
    )
    assert last(made) == field(212, 32)  # the table's figure for VGG-16


def test_kernels_of_one_row_and_dilation() -> None:
    made = variant(
        """
        model M = image(3, 64, 64)
          -> a: conv(4, [1, 7]) -> b: conv(4, 3, dilation = 4) -> c: conv(4, 3, stride = [2, 1]) -> d: conv(4, 3)
        variant m = M
        """
    )
    found = fields(made)
    assert str(found["a"]) == "1×7, stride 1"
    assert str(found["b"]) == "9×15, stride 1"
    assert str(found["c"]) == "11×17, stride 2×1"
    assert str(found["d"]) == "15×19, stride 2×1"


def test_a_gate_is_no_part_of_the_field() -> None:
    made = variant(
        """
        model M {
          x = image(3, 64, 64) -> a: conv(8, 3)
          gate = x -> gap -> squeeze: conv(8, 1) -> sigmoid
          y = gate * x
          y -> b: conv(8, 3) -> gap -> flatten -> fc: linear(10)
        }
        variant m = M
        """
    )
    found = fields(made)
    assert found["a"] == field(3, 1)
    assert found["squeeze"].everything
    assert found["mul1"] == field(3, 1, gated=True)
    assert found["b"] == field(5, 1, gated=True)
    assert str(found["b"]) == "5×5, stride 1, and the whole image through a gate"
    assert str(found["fc"]) == "the whole image"


def test_the_longest_path_counts() -> None:
    made = variant(
        """
        model M {
          x = image(3, 64, 64)
          concat(x -> conv(4, 3) -> conv(4, 3), x -> conv(4, 7), x) -> conv(4, 1)
        }
        variant m = M
        """
    )
    assert last(made) == field(7, 1)


def test_upsampling_makes_strides_finer() -> None:
    made = variant(
        """
        model M = image(3, 64, 64) -> conv(4, 3, stride = 2) -> resize(scale_factor = 4) -> a: conv(4, 3)
        variant m = M
        """
    )
    assert fields(made)["a"] == Field((Fraction(4),) * 2, (Fraction(1, 2),) * 2)
    assert str(fields(made)["a"]) == "4×4, stride 0.5"


def test_a_tensor_that_only_has_the_size_wanted_does_not_count() -> None:
    """A large image made as small as another keeps its own field, and one position made large sees the whole image."""
    made = variant(
        """
        model M {
          x = image(3, 64, 64) -> a: conv(4, 3, stride = 2)
          y = x -> b: conv(4, 3, stride = 2) -> c: conv(4, 3, stride = 2) -> d: conv(4, 3)
          small = (x, y) -> e: resize(mode = "area")
          whole = (y -> gap, x) -> f: resize
          output all = whole
          concat(small, y) -> gap -> flatten -> g: linear(4)
        }
        variant m = M
        """
    )
    found = fields(made)
    assert found["a"] == field(3, 2)
    assert found["e"] == Field((3 + 3 * 2,) * 2, (8,) * 2)  # means of 4×4 positions that are 2 pixels apart
    assert found["d"] == Field((31,) * 2, (8,) * 2)
    assert found["f"].everything


def test_transposed_convolutions_see_what_reaches_them() -> None:
    """Of a kernel of 4 at stride 2 every second tap meets a position: two positions, half a step apart."""
    made = variant(
        """
        model M = image(3, 64, 64) -> a: conv(4, 3, stride = 4) -> b: conv_transpose(4, 4, stride = 2, padding = 1)
          -> c: conv_transpose(4, 3, stride = 2, output_padding = 1)
        variant m = M
        """
    )
    found = fields(made)
    assert found["b"] == field(3 + 4, 2)
    assert found["c"] == field(7 + 2, 1)


def _mean_for_maximum(
    x: Any, kernel: Any, stride: Any, padding: Any = 0, *_: Any, ceil_mode: bool = False, **__: Any
) -> Any:
    return functional.avg_pool2d(x, kernel, stride, padding, ceil_mode)


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "shufflenet_v2_x1_0", "densenet121"])
def test_autograd_sees_as_far(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With positive weights nothing cancels: the pixels with a gradient are the field, here its columns."""
    made = archdsl.find(name)
    found = receptive_fields(made.graph)
    index = max(i for i, f in enumerate(found) if not f.everything and made.graph.nodes[i].op.role == "conv")
    node, expected = made.graph.nodes[index], found[index]
    model = archdsl.load(name).double().eval()
    # A maximum depends on one position of its window at a time, a mean on all.
    monkeypatch.setattr(functional, "max_pool2d", _mean_for_maximum)
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.5)
    seen: list[torch.Tensor] = []
    model.get_submodule(node.path).register_forward_hook(lambda module, args, out: seen.append(out))
    width = int(expected.size[1]) // 32 * 32 + 320
    x = torch.ones((1, 3, 32, width), dtype=torch.float64, requires_grad=True)
    model(x)
    middle = seen[0][0, 0, 0, seen[0].shape[3] // 2]
    (grad,) = torch.autograd.grad(middle.log(), x)  # the logarithm keeps deep products in range
    columns = grad.abs().sum((0, 1, 2)).nonzero().flatten()
    assert int(columns.max() - columns.min()) + 1 == expected.size[1]
