"""Whole networks of ops that no shipped spec uses, held against timm's by `archdsl verify`: ResNets that blur (Zhang,
2019), and those with selective kernels (Li et al., 2019).
"""

from __future__ import annotations

import pytest

from archdsl.api import open_source
from archdsl.source import Source
from archdsl.verify.compare import compare
from tests import libraries
from tests.equality import held

SPEC = """
default conv(bias = false)

fn shortcut(x, out, stride) =
  if stride == 1 and x.channels == out then id else downsample: [conv(out, 1, stride), bn]

block Basic(width: int, stride: int = 1) {
  y = in -> conv1: conv(width, 3) -> bn1: bn -> relu
  if stride > 1 { y = y -> blurpool(3, stride) }
  y = y -> conv2: conv(width, 3) -> bn2: bn
  y + (in -> shortcut(in, width, stride)) -> relu
}

block Path(width: int, stride: int, dilation: int) =
  conv: conv(width, 3, stride, dilation = dilation) -> bn: bn -> relu

block Selective(width: int, stride: int) {
  left, right = in -> split(2)
  a = left -> paths.0: Path(width, stride, 1)
  b = right -> paths.1: Path(width, stride, 2)
  weights = a + b -> gap -> attn.fc_reduce: conv(max(16, width // 8), 1) -> attn.bn: bn -> relu
    -> attn.fc_select: conv(2 * width, 1) -> softmax(branches = 2)
  u, v = weights -> split(2)
  a * u + b * v
}

block SelectiveBasic(width: int, stride: int = 1) {
  y = in -> conv1: Selective(width, stride) -> conv2: (conv: conv(width, 3) -> bn: bn)
  y + (in -> shortcut(in, width, stride)) -> relu
}

model ResNet(unit: layer, blur: bool = false, classes: int = 1000) {
  x = image(3, 224, 224) -> conv1: conv(64, 7, stride = 2) -> bn1: bn -> relu
  if blur { x = x -> maxpool(3, stride = 1) -> blurpool } else { x = x -> maxpool(3, stride = 2) }
  for i, n in [2, 2, 2, 2] {
    x = x -> stage layer{i + 1}: [unit(64 * 2^i, stride = if i == 0 then 1 else 2), (n - 1) of unit(64 * 2^i)]
  }
  x -> gap -> flatten -> fc: linear(classes)
}

variant resnetblur18 = ResNet(Basic, blur = true)
variant skresnet18 = ResNet(SelectiveBasic)

reference timm for resnetblur18
reference timm for skresnet18 {
  "timm lays the branches side by side and sums over them."
  differs = ["operations"]
}
"""


@pytest.mark.parametrize("name", ["resnetblur18", "skresnet18"])
def test_equals_timm(name: str) -> None:
    libraries.declare_operators()
    variant = open_source(Source("resnets.arch", SPEC))[name]
    (reference,) = variant.references
    held.assert_equal(compare(variant, reference))
