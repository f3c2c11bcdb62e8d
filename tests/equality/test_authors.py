"""Files of the authors' own code: the keys are those of a network written here, or of the library that published them.

The networks below are written from the papers (arXiv:2201.03545, arXiv:2301.00808) with the key names and shapes of the
authors' code (facebookresearch/ConvNeXt, facebookresearch/ConvNeXt-V2), so that each map is held against something else
than itself. VAN has its authors' names already: test_van. EfficientNet-PyTorch's are a `reference`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.variant import Variant
from archdsl.weights.loading import export_keys, import_keys
from tests.equality import held
from tests.libraries import import_torchvision, reference_model

# In double precision: the authors compute norms of channels first by hand, and add a scaled norm otherwise.
TOLERANCE = 1e-10


class ChannelsFirst(nn.LayerNorm):
    """Layer norm over the channels of N×C×H×W."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, eps=1e-6)

    def forward(self, input: Tensor) -> Tensor:
        centred = input - input.mean(1, keepdim=True)
        normed = centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + self.eps)
        return self.weight[:, None, None] * normed + self.bias[:, None, None]


class GRN(nn.Module):
    """Global response normalization, channels last."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.empty(1, 1, 1, dim)), nn.Parameter(torch.empty(1, 1, 1, dim))

    def forward(self, x: Tensor) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        return self.gamma * (x * (norm / (norm.mean(-1, keepdim=True) + 1e-6))) + self.beta + x


class Block(nn.Module):
    """ConvNeXt's, with layer scale, or V2's, with GRN."""

    def __init__(self, dim: int, rate: float, second: bool) -> None:
        super().__init__()
        if not second:
            self.gamma = nn.Parameter(torch.empty(dim))
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        if second:
            self.grn = GRN(4 * dim)
        self.drop_path = held.StochasticDepth(rate)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.gelu(self.pwconv1(self.norm(self.dwconv(x).permute(0, 2, 3, 1))))
        y = self.gamma * self.pwconv2(y) if hasattr(self, "gamma") else self.pwconv2(self.grn(y))
        return x + self.drop_path(y.permute(0, 3, 1, 2))


class ConvNeXt(nn.Module):
    def __init__(self, depths: Sequence[int], dims: Sequence[int], rate: float, second: bool) -> None:
        super().__init__()
        self.downsample_layers = nn.ModuleList([nn.Sequential(nn.Conv2d(3, dims[0], 4, 4), ChannelsFirst(dims[0]))])
        for before, dim in itertools.pairwise(dims):
            self.downsample_layers.append(nn.Sequential(ChannelsFirst(before), nn.Conv2d(before, dim, 2, 2)))
        rates = iter([rate * number / (sum(depths) - 1) for number in range(sum(depths))])
        self.stages = nn.ModuleList(
            [
                nn.Sequential(*[Block(dim, next(rates), second) for _ in range(n)])
                for n, dim in zip(depths, dims, strict=True)
            ]
        )
        self.norm, self.head = nn.LayerNorm(dims[-1], eps=1e-6), nn.Linear(dims[-1], 1000)

    def forward(self, x: Tensor) -> Tensor:
        for down, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(down(x))
        logits: Tensor = self.head(self.norm(x.mean([-2, -1])))
        return logits


# Depths, channels of the first stage, stochastic depth.
CONVNEXT = {
    "convnext_tiny": ([3, 3, 9, 3], 96, 0.1),
    "convnext_small": ([3, 3, 27, 3], 96, 0.4),
    "convnext_base": ([3, 3, 27, 3], 128, 0.5),
    "convnext_large": ([3, 3, 27, 3], 192, 0.5),
    "convnext_xlarge": ([3, 3, 27, 3], 256, 0.2),
    "convnextv2_atto": ([2, 2, 6, 2], 40, 0.0),
    "convnextv2_femto": ([2, 2, 6, 2], 48, 0.0),
    "convnextv2_pico": ([2, 2, 6, 2], 64, 0.0),
    "convnextv2_nano": ([2, 2, 8, 2], 80, 0.0),
    "convnextv2_tiny": ([3, 3, 9, 3], 96, 0.0),
    "convnextv2_base": ([3, 3, 27, 3], 128, 0.0),
    "convnextv2_large": ([3, 3, 27, 3], 192, 0.0),
    "convnextv2_huge": ([3, 3, 27, 3], 352, 0.0),
}


# 1×1 convolutions of ours are linear layers of theirs.
CONVOLUTIONS = ("convnextv2_atto", "convnextv2_femto", "convnextv2_pico", "convnextv2_nano")


def convnext(name: str, depths: Sequence[int], width: int, rate: float) -> nn.Module:
    with torch.device("meta"):
        return ConvNeXt(depths, [width * 2**i for i in range(4)], rate, "v2" in name)


@pytest.mark.parametrize("name", CONVNEXT)
def test_structure_of_convnext(name: str) -> None:
    theirs = convnext(name, *CONVNEXT[name])
    differs = ("settings",) if name in CONVOLUTIONS else ()
    found = held.against_transcription(
        archdsl.find(name), theirs, numbers=False, tolerance=TOLERANCE, checkpoint="authors", differs=differs
    )
    held.assert_equal(found, numbers=False)


@pytest.mark.parametrize("name", ["convnext_tiny", "convnext_xlarge", "convnextv2_atto", "convnextv2_tiny"])
def test_numbers_of_convnext(name: str) -> None:
    """One of each layout, of fewer blocks and channels."""
    depths, width, rate = [1, 2, 2, 1], 24, CONVNEXT[name][2]
    sizes = {"width": width} if "v2" in name else {"dims": [width * 2**i for i in range(4)]}
    ours = held.variant("convnext_v2" if "v2" in name else "convnext", name, depths=depths, **sizes)
    differs = ("settings",) if name in CONVOLUTIONS else ()
    theirs = convnext(name, depths, width, rate)
    held.assert_equal(
        held.against_transcription(ours, theirs, tolerance=TOLERANCE, checkpoint="authors", differs=differs)
    )


# --- pycls -----------------------------------------------------------------------------------


def conv(before: int, out: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(before, out, kernel, stride, kernel // 2, groups=groups, bias=bias)


class SE(nn.Module):
    def __init__(self, dim: int, squeezed: int, act: type[nn.Module]) -> None:
        super().__init__()
        one, other = conv(dim, squeezed, 1, bias=True), conv(squeezed, dim, 1, bias=True)
        self.f_ex = nn.Sequential(one, act(), other, nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        weighed: Tensor = x * self.f_ex(nn.functional.adaptive_avg_pool2d(x, 1))
        return weighed


class Transform(nn.Sequential):
    """Of a bottleneck."""

    def __init__(self, before: int, out: int, stride: int, inner: int, groups: int, squeezed: int) -> None:
        super().__init__()
        self.a, self.a_bn, self.a_af = conv(before, inner, 1), nn.BatchNorm2d(inner), nn.ReLU()
        self.b, self.b_bn, self.b_af = conv(inner, inner, 3, stride, groups), nn.BatchNorm2d(inner), nn.ReLU()
        if squeezed:
            self.se = SE(inner, squeezed, nn.ReLU)
        self.c, self.c_bn = conv(inner, out, 1), nn.BatchNorm2d(out)


class Bottleneck(nn.Module):
    def __init__(self, before: int, out: int, stride: int, inner: int, groups: int, squeezed: int) -> None:
        super().__init__()
        if stride != 1 or before != out:
            self.proj, self.bn = conv(before, out, 1, stride), nn.BatchNorm2d(out)
        self.f = Transform(before, out, stride, inner, groups, squeezed)

    def forward(self, x: Tensor) -> Tensor:
        kept = self.bn(self.proj(x)) if hasattr(self, "proj") else x
        return torch.relu(kept + self.f(x))


class MBConv(nn.Module):
    def __init__(self, before: int, out: int, stride: int, expand: int, kernel: int) -> None:
        super().__init__()
        hidden = before * expand
        if expand != 1:
            self.exp, self.exp_bn = conv(before, hidden, 1), nn.BatchNorm2d(hidden)
        self.dwise, self.dwise_bn = conv(hidden, hidden, kernel, stride, hidden), nn.BatchNorm2d(hidden)
        self.se = SE(hidden, before // 4, nn.SiLU)
        self.lin_proj, self.lin_proj_bn = conv(hidden, out, 1), nn.BatchNorm2d(out)
        self.has_skip = stride == 1 and before == out

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.silu(self.exp_bn(self.exp(x))) if hasattr(self, "exp") else x
        y = self.lin_proj_bn(self.lin_proj(self.se(nn.functional.silu(self.dwise_bn(self.dwise(y))))))
        return x + y if self.has_skip else y


class PyCls(nn.Module):
    """Stem, stages s1, s2 … of blocks b1, b2 …, head; of RGB pictures, which pycls turns to BGR when it reads them."""

    def __init__(self, stem: nn.Sequential, stages: Sequence[Sequence[nn.Module]], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        for s, blocks in enumerate(stages, 1):
            stage = nn.Sequential()
            for b, block in enumerate(blocks, 1):
                stage.add_module(f"b{b}", block)
            self.add_module(f"s{s}", stage)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        x = x.flip(1)
        for part in self.children():
            x = part(x)
        return x


class Head(nn.Module):
    def __init__(self, before: int, width: int = 0) -> None:
        super().__init__()
        if width:
            self.conv, self.conv_bn = conv(before, width, 1), nn.BatchNorm2d(width)
        self.fc = nn.Linear(width or before, 1000)

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "conv"):
            x = nn.functional.silu(self.conv_bn(self.conv(x)))
        logits: Tensor = self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


def stem(width: int, kernel: int, after: nn.Module) -> nn.Sequential:
    found = nn.Sequential()
    found.conv, found.bn, found.af = conv(3, width, kernel, 2), nn.BatchNorm2d(width), after
    return found


def pycls(name: str) -> nn.Module:
    """From pycls's configs/dds_baselines: depths, widths, widths of groups and so on, stage by stage."""
    with torch.device("meta"):
        if name == "efficientnet_b0":
            rows = zip([1, 2, 2, 3, 3, 4, 1], [16, 24, 40, 80, 112, 192, 320], [1, 6, 6, 6, 6, 6, 6],
                       [1, 2, 2, 2, 1, 2, 1], [3, 3, 5, 3, 5, 5, 3], strict=True)  # fmt: skip
            stages, before = [], 32
            for depth, out, expand, stride, kernel in rows:
                inputs = [before, *[out] * (depth - 1)]
                stages.append([MBConv(n, out, 1 if i else stride, expand, kernel) for i, n in enumerate(inputs)])
                before = out
            return PyCls(stem(32, 3, nn.SiLU()), stages, Head(before, 1280))
        depths, widths, ratio, group, se = {
            "regnetx_002": ([1, 1, 4, 7], [24, 56, 152, 368], 1.0, [8] * 4, False),
            "regnety_002": ([1, 1, 4, 7], [24, 56, 152, 368], 1.0, [8] * 4, True),
            "resnet50": ([3, 4, 6, 3], [256, 512, 1024, 2048], 0.25, [64, 128, 256, 512], False),
            "resnext50_32x4d": ([3, 4, 6, 3], [256, 512, 1024, 2048], 0.5, [4, 8, 16, 32], False),
        }[name]
        old = name.startswith("resne")
        before, blocks = 64 if old else 32, []
        first = stem(64, 7, nn.Sequential(nn.ReLU(), nn.MaxPool2d(3, 2, 1))) if old else stem(32, 3, nn.ReLU())
        for s, (depth, out) in enumerate(zip(depths, widths, strict=True)):
            inner = int(out * ratio)
            inputs = [before, *[out] * (depth - 1)]
            strides = [1 if old and s == 0 else 2, *[1] * (depth - 1)]
            blocks.append(
                [
                    Bottleneck(n, out, stride, inner, inner // group[s], round(n / 4) if se else 0)
                    for n, stride in zip(inputs, strides, strict=True)
                ]
            )
            before = out
        return PyCls(first, blocks, Head(before))


@pytest.mark.parametrize("name", ["resnet50", "resnext50_32x4d", "regnetx_002", "regnety_002", "efficientnet_b0"])
def test_pycls(name: str) -> None:
    """Whose first convolution sees BGR, so that its numbers are in the other order."""
    found = held.against_transcription(
        archdsl.find(name), pycls(name), tolerance=TOLERANCE, checkpoint="pycls", differs=("drops",) * ("eff" in name)
    )
    held.assert_equal(found)


# --- torchvision's DenseNet --------------------------------------------------------------------


def _published(names: str) -> tuple[Variant, dict[str, Tensor], dict[str, Tensor]]:
    """densenet121, its weights by torchvision's names, and the same as in torchvision's files, which are older."""
    state = reference_model("torchvision", names).state_dict()
    state = {key: torch.rand(value.shape) for key, value in state.items() if "num_batches" not in key}
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d\.)", r"\1.\2", key): tensor for key, tensor in state.items()}
    return archdsl.find(names), state, old


@pytest.mark.parametrize("name", ["densenet121", "densenet161", "densenet169", "densenet201"])
def test_torchvisions_old_names_of_densenet(name: str) -> None:
    variant, state, old = _published(name)
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    read = import_keys(variant, old)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], tensor) for key, tensor in state.items())


def test_those_names_are_what_torchvision_reads() -> None:
    """By its own function, which renames them."""
    _, state, old = _published("densenet121")
    model = reference_model("torchvision", "densenet121")
    weights = SimpleNamespace(get_state_dict=lambda **_: old)
    import_torchvision().models.densenet._load_state_dict(model, weights, False)
    assert all(torch.equal(model.state_dict()[key], tensor) for key, tensor in state.items())


def test_such_a_file_loads(tmp_path: Path) -> None:
    variant, state, old = _published("densenet121")
    torch.save(old, tmp_path / "densenet121-a639ec97.pth")
    model = archdsl.load("densenet121", weights=tmp_path / "densenet121-a639ec97.pth")
    assert all(torch.equal(model.state_dict()[key], tensor) for key, tensor in state.items())
    again = export_keys(variant, model.state_dict(), "torchvision_published")
    assert all(torch.equal(again[key], tensor) for key, tensor in old.items())
