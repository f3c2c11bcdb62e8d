"""Networks that people build of these ops, each against the library's module or a hand-written one: bit for bit.

U-Net, super-resolution, a feature pyramid, a generator, and attention over channels, branches and positions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import archdsl
from tests import libraries

libraries.declare_operators()


def built(spec: str, tmp_path: Path) -> nn.Module:
    file = tmp_path / "net.arch"
    file.write_text(spec, encoding="utf-8")
    return archdsl.load(file)


def randomized(module: nn.Module) -> nn.Module:
    """Weights and statistics that no initialization gives."""
    torch.manual_seed(1)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) * 0.4 + 0.1)
    return module


def assert_equal(ours: nn.Module, theirs: nn.Module, *sizes: tuple[int, ...]) -> None:
    """The same keys in the same order, and the same outputs, in evaluation and in training."""
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(randomized(theirs).state_dict())
    for training in (False, True):
        ours.train(training), theirs.train(training)
        for size in sizes:
            x = torch.randn(2, *size)
            with torch.no_grad():
                ours_out, theirs_out = ours(x), theirs(x)
            pairs = [(ours_out, theirs_out)] if isinstance(ours_out, Tensor) else zip(ours_out, theirs_out, strict=True)
            assert all(torch.equal(a, b) for a, b in pairs), (training, size)


UNET = """
block Double(width: int) =
  [conv(width, 3, bias = false), bn, relu, conv(width, 3, bias = false), bn, relu]

block Up(width: int) on (low, high) {
  x = low -> up: conv_transpose(width, 2, stride = 2, padding = 0)
  concat(high, x) -> conv: Double(width)
}

model UNet(width: int = 4, depth: int = 3, classes: int = 2) {
  x = image(3, 32, 48) -> inc: Double(width)
  skips = [x]
  for i in 0..depth {
    x = x -> maxpool(2, padding = 0) -> down{i}: Double(width * 2^(i + 1))
    skips = skips + [x]
  }
  for i in 0..depth { x = (x, skips[depth - 1 - i]) -> up{i}: Up(width * 2^(depth - 1 - i)) }
  x -> outc: conv(classes, 1)
}
"""


def double(inside: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
    )  # fmt: skip


class UpBlock(nn.Module):
    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inside, width, 2, 2)
        self.conv = double(2 * width, width)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        return self.conv(torch.cat([high, self.up(low)], 1))


class UNet(nn.Module):
    """Ronneberger et al. (2015), with padded convolutions and batch normalization, as most write it today."""

    def __init__(self, width: int = 4, depth: int = 3, classes: int = 2) -> None:
        super().__init__()
        self.depth = depth
        self.inc = double(3, width)
        for i in range(depth):
            self.add_module(f"down{i}", double(width * 2**i, width * 2 ** (i + 1)))
        for i in range(depth):
            self.add_module(f"up{i}", UpBlock(width * 2 ** (depth - i), width * 2 ** (depth - 1 - i)))
        self.outc = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = [self.inc(x)]
        for i in range(self.depth):
            skips.append(self.get_submodule(f"down{i}")(F.max_pool2d(skips[-1], 2)))
        x = skips.pop()
        for i in range(self.depth):
            x = self.get_submodule(f"up{i}")(x, skips.pop())
        return self.outc(x)


def test_unet(tmp_path: Path) -> None:
    assert_equal(built(UNET, tmp_path), UNet(), (3, 32, 48), (3, 40, 64))


ESPCN = """
model Espcn(factor: int = 3) =
  image(1, 17, 20) -> [conv(16, 5), tanh, conv(8, 3), tanh, conv(factor^2, 3), pixel_shuffle(factor)]
    -> [pixel_unshuffle(factor), pixel_shuffle(factor)]
"""


def test_sub_pixel_super_resolution(tmp_path: Path) -> None:
    """ESPCN (Shi et al., 2016); behind it what undoes itself."""
    theirs = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.Tanh(), nn.Conv2d(16, 8, 3, padding=1), nn.Tanh(),
        nn.Conv2d(8, 9, 3, padding=1), nn.PixelShuffle(3),
    )  # fmt: skip
    ours = built(ESPCN, tmp_path)
    ours.load_state_dict({f"sequence1.{k}": v for k, v in randomized(theirs).state_dict().items()})
    x = torch.randn(2, 1, 17, 20)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs(x))
        assert torch.equal(ours(x), theirs(x))


SRCNN = """
model Srcnn {
  x = image(3, 9, 10) -> resize(scale_factor = 3, mode = "bicubic", align_corners = false)
  y = x -> conv1: conv(16, 9) -> act1: prelu -> conv2: conv(8, 1) -> act2: prelu(per_channel = true)
    -> conv3: conv(3, 5)
  x - y
}
"""


class Srcnn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.act1 = nn.Conv2d(3, 16, 9, padding=4), nn.PReLU()
        self.conv2, self.act2 = nn.Conv2d(16, 8, 1), nn.PReLU(8)
        self.conv3 = nn.Conv2d(8, 3, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=3, mode="bicubic", align_corners=False)
        return x - self.conv3(self.act2(self.conv2(self.act1(self.conv1(x)))))


def test_super_resolution_of_a_residual(tmp_path: Path) -> None:
    """SRCNN (Dong et al., 2014) that computes what is to be subtracted, as DnCNN."""
    assert_equal(built(SRCNN, tmp_path), Srcnn(), (3, 9, 10), (3, 8, 13))


FPN = """
model Net(width: int = 8) {
  x = image(3, 33, 47)
  levels = []
  for i in 0..3 {
    x = x -> body.{i}: conv(4 * 2^i, 3, stride = 2)
    levels = levels + [x]
  }
  tops = [x -> fpn.inner_blocks.{i}: [conv(width, 1)] for i, x in levels]
  y = tops[2]
  output p2 = y -> fpn.layer_blocks.2: [conv(width, 3)]
  for i in [1, 0] {
    y = tops[i] + ((y, tops[i]) -> resize)
    output p{i} = y -> fpn.layer_blocks.{i}: [conv(width, 3)]
  }
}
"""


class Pyramid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        from torchvision.ops import FeaturePyramidNetwork

        self.body = nn.Sequential(*(nn.Conv2d(3 if i == 0 else 2 * 2**i, 4 * 2**i, 3, 2, 1) for i in range(3)))
        self.fpn = FeaturePyramidNetwork([4, 8, 16], 8)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = {}
        for i, layer in enumerate(self.body):
            x = maps[str(i)] = layer(x)
        result: dict[str, Tensor] = self.fpn(maps)
        return result


def test_feature_pyramid_equals_torchvision(tmp_path: Path) -> None:
    """Lin et al. (2017): each level is enlarged to the size of the one below, odd sizes included."""
    ours, theirs = built(FPN, tmp_path).eval(), randomized(Pyramid()).eval()
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    ours.load_state_dict(theirs.state_dict())
    for size in ((33, 47), (32, 64), (65, 39)):
        x = torch.randn(2, 3, *size)
        with torch.no_grad():
            got, expected = ours(x), theirs(x)
        assert all(torch.equal(getattr(got, f"p{i}"), expected[str(i)]) for i in range(3)), size


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_traced_pyramid_holds_at_sizes_of_another_parity(tmp_path: Path) -> None:
    """The size of the other tensor is taken from it each time: traced by jit and fx, and exported with free sizes."""
    ours = built(FPN, tmp_path).eval()
    x, free = torch.randn(2, 3, 33, 47), torch.export.Dim.DYNAMIC
    exported = torch.export.export(ours, (x,), dynamic_shapes=({0: free, 2: free, 3: free},)).module()
    ways = [torch.jit.trace(ours, x), torch.fx.symbolic_trace(ours), exported]
    for size in ((33, 47), (32, 64), (65, 38)):
        x = torch.randn(3, 3, *size)
        with torch.no_grad():
            expected = ours(x)
            assert all(torch.equal(a, b) for way in ways for a, b in zip(way(x), expected, strict=True)), size


DCGAN = """
default conv_transpose(bias = false, padding = 1)

model Generator(latent: int = 20, width: int = 4) {
  x = image(latent, 1, 1) -> main.0: conv_transpose(width * 8, 4, padding = 0) -> main.1: bn -> main.2: relu
  for i in 0..3 {
    n = 3 * (i + 1)
    x = x -> main.{n}: conv_transpose(width * 2^(2 - i), 4, stride = 2) -> main.{n + 1}: bn -> main.{n + 2}: relu
  }
  x -> main.12: conv_transpose(3, 4, stride = 2) -> main.13: tanh
}
"""


class Generator(nn.Module):
    """As in the examples of PyTorch (Radford et al., 2015)."""

    def __init__(self, nz: int = 20, ngf: int = 4) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False)]
        for i in (8, 4, 2):
            layers += [
                nn.BatchNorm2d(ngf * i),
                nn.ReLU(True),
                nn.ConvTranspose2d(ngf * i, ngf * i // 2, 4, 2, 1, bias=False),
            ]
        layers += [nn.BatchNorm2d(ngf), nn.ReLU(True), nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        result: Tensor = self.main(z)
        return result


def test_dcgan_generator(tmp_path: Path) -> None:
    assert_equal(built(DCGAN, tmp_path), Generator(), (20, 1, 1), (20, 2, 3))


ECA = """
default conv(bias = false), channel_conv(bias = false)

block Eca(kernel: int = 3) = id * (gap -> conv: channel_conv(kernel) -> sigmoid)

model Net(width: int = 16) {
  x = image(16, 9, 10)
  y = x -> conv1: conv(width, 3) -> bn1: bn -> relu -> conv2: conv(width, 3) -> bn2: bn -> se: Eca
  y + x -> relu
}
"""


def test_eca_block_equals_timm(tmp_path: Path) -> None:
    """Wang et al. (2020): attention over channels by a 1-D convolution, in a residual block."""
    from timm.layers import EcaModule
    from timm.models.resnet import BasicBlock

    assert_equal(built(ECA, tmp_path), BasicBlock(16, 16, attn_layer=EcaModule), (16, 9, 10), (16, 8, 8))


def test_circular_eca_equals_timm(tmp_path: Path) -> None:
    from timm.layers import CecaModule

    spec = """
        model Net = image(24, 9, 10)
          -> id * (gap -> conv: channel_conv(5, bias = false, padding_mode = "circular") -> sigmoid)
    """
    assert_equal(built(spec, tmp_path), CecaModule(kernel_size=5), (24, 9, 10))


SK = """
default conv(bias = false)

block Path(width: int, dilation: int) = conv: conv(width, 3, dilation = dilation) -> bn: bn -> relu

model Net(width: int = 32, squeezed: int = 8) {
  left, right = image(16, 9, 10) -> split(2)
  a = left -> paths.0: Path(width, 1)
  b = right -> paths.1: Path(width, 2)
  weights = a + b -> gap -> attn.fc_reduce: conv(squeezed, 1) -> attn.bn: bn -> relu
    -> attn.fc_select: conv(2 * width, 1) -> softmax(branches = 2)
  u, v = weights -> split(2)
  a * u + b * v
}
"""


def test_selective_kernel_equals_timm(tmp_path: Path) -> None:
    """Li et al. (2019), as timm has it: a softmax over the branches for each channel."""
    from timm.layers import SelectiveKernel

    assert_equal(built(SK, tmp_path), SelectiveKernel(16, 32), (16, 9, 10), (16, 8, 8))


CBAM = """
default conv(bias = false)

block Channels(squeezed: int) {
  "Both vectors go through the same two layers: side by side, as two rows of one image."
  both = (in -> gap -> pad(0, 0, 0, 1)) + (in -> adaptive_maxpool(1) -> pad(0, 0, 1, 0))
  y = both -> fc1: conv(squeezed, 1) -> relu -> fc2: conv(in.channels, 1)
  in * ((y -> crop(0, 0, 0, 1)) + (y -> crop(0, 0, 1, 0)) -> sigmoid)
}

block Positions = id * (concat(channel_mean, channel_max) -> conv: (conv: conv(1, 7) -> bn: bn) -> sigmoid)

model Net = image(32, 9, 10) -> channel: Channels(2) -> spatial: Positions
"""


def test_cbam_equals_timm(tmp_path: Path) -> None:
    """Woo et al. (2018): a gate for each channel, then one for each position."""
    from timm.layers.cbam import CbamModule

    assert_equal(built(CBAM, tmp_path), CbamModule(32), (32, 9, 10), (32, 8, 8))


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (5, 7)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (3, 1), (4, 2), (3, 4)])
@pytest.mark.parametrize("mode", ["reflect", "constant"])
def test_blur_pool_equals_timm(kernel: int, stride: int, mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    from timm.layers import BlurPool2d

    theirs, x = BlurPool2d(6, kernel, stride, mode), torch.randn(2, 6, *size)
    padding = "" if kernel % 2 and stride == 2 else f", padding = {(stride + kernel - 2) // 2}"
    spec = f'model N = image(6, {size[0]}, {size[1]}) -> blurpool({kernel}, {stride}, padding_mode = "{mode}"{padding})'
    assert torch.equal(built(spec, tmp_path)(x), theirs(x))


@pytest.mark.parametrize("kernel", range(2, 8))
def test_blur_pool_equals_zhang(kernel: int, tmp_path: Path) -> None:
    """The formulas of antialiased_cnns/blurpool.py (Zhang, 2019): its filters, and (k - 1) / 2 rounded down and up."""
    row = {2: [1, 1], 3: [1, 2, 1], 4: [1, 3, 3, 1], 5: [1, 4, 6, 4, 1], 6: [1, 5, 10, 10, 5, 1],
           7: [1, 6, 15, 20, 15, 6, 1]}[kernel]  # fmt: skip
    a = torch.tensor(row, dtype=torch.float32)
    weight = a[:, None] * a[None, :]
    weight = (weight / weight.sum())[None, None].repeat(4, 1, 1, 1)
    less, more = (kernel - 1) // 2, -(-(kernel - 1) // 2)
    x = torch.randn(2, 4, 10, 13)
    theirs = F.conv2d(F.pad(x, (less, more, less, more), mode="reflect"), weight, stride=2, groups=4)
    assert torch.equal(built(f"model N = image(4, 10, 13) -> blurpool({kernel})", tmp_path)(x), theirs)


ACTIVATIONS: dict[str, nn.Module] = {
    "elu(0.5)": nn.ELU(0.5),
    "selu": nn.SELU(),
    "celu(2)": nn.CELU(2.0),
    "mish": nn.Mish(),
    "softplus(2, 5)": nn.Softplus(2.0, 5.0),
    "softsign": nn.Softsign(),
    "tanhshrink": nn.Tanhshrink(),
    "logsigmoid": nn.LogSigmoid(),
    "hardtanh(-0.5, 2)": nn.Hardtanh(-0.5, 2.0),
    "hardshrink(0.3)": nn.Hardshrink(0.3),
    "softshrink(0.3)": nn.Softshrink(0.3),
    "threshold(0.1, 20)": nn.Threshold(0.1, 20.0),
    "rrelu(0.1, 0.3)": nn.RReLU(0.1, 0.3),
    "glu": nn.GLU(1),
    "log_softmax": nn.LogSoftmax(1),
    "instancenorm": nn.InstanceNorm2d(6),
    'pad(1, 2, 3, 0, mode = "reflect")': nn.ReflectionPad2d((1, 2, 3, 0)),
}


@pytest.mark.parametrize("written", ACTIVATIONS)
def test_positional_arguments_are_torchs(written: str, tmp_path: Path) -> None:
    x = torch.randn(2, 6, 5, 4)
    for form in (f"model N = image(6, 5, 4) -> {written}", f"model N = image(6, 5, 4) -> a: {written}"):
        assert torch.equal(built(form, tmp_path).eval()(x), ACTIVATIONS[written].eval()(x))


RESIZED: dict[str, dict[str, Any]] = {
    "size = 7": {"size": 7},
    'size = [3, 11], mode = "bilinear"': {"size": (3, 11), "mode": "bilinear"},
    'scale_factor = 1.7, mode = "nearest-exact"': {"scale_factor": 1.7, "mode": "nearest-exact"},
    'scale_factor = [2, 0.5], mode = "bicubic", align_corners = true': {
        "scale_factor": (2, 0.5), "mode": "bicubic", "align_corners": True,
    },
    'scale_factor = 0.4, mode = "bilinear", antialias = true': {
        "scale_factor": 0.4, "mode": "bilinear", "antialias": True,
    },
    'scale_factor = 0.4, mode = "area"': {"scale_factor": 0.4, "mode": "area"},
}  # fmt: skip


@pytest.mark.parametrize("written", RESIZED)
def test_resize_is_torchs_interpolate(written: str, tmp_path: Path) -> None:
    x = torch.randn(2, 3, 9, 14)
    expected = F.interpolate(x, **RESIZED[written])
    for form in ("{}", "a: {}", "[relu, {}]"):
        spec = f"model N = image(3, 9, 14) -> {form.format(f'resize({written})')}"
        assert torch.equal(built(spec, tmp_path)(x.relu() if "relu" in form else x),
                           F.interpolate(x.relu(), **RESIZED[written]) if "relu" in form else expected)  # fmt: skip


def test_transposed_convolution_is_torchs_with_its_own_initialization(tmp_path: Path) -> None:
    spec = "model N = image(4, 5, 6) -> c: conv_transpose(6, [3, 5], [2, 3], 1, [1, 2], 2, true, [1, 2])"
    torch.manual_seed(5)
    ours = built(spec, tmp_path)
    torch.manual_seed(5)
    theirs = nn.ConvTranspose2d(4, 6, (3, 5), (2, 3), 1, (1, 2), 2, True, (1, 2))
    assert torch.equal(ours.get_parameter("c.weight"), theirs.weight)
    assert torch.equal(ours.get_parameter("c.bias"), theirs.get_parameter("bias"))
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(ours(x), theirs(x))


def test_maximum_and_minimum_of_layers(tmp_path: Path) -> None:
    x = torch.randn(2, 3, 5, 4)
    spec = "model N = image(3, 5, 4) -> maximum(relu, tanh) - minimum(sigmoid, id)"
    expected = torch.maximum(x.relu(), x.tanh()) - torch.minimum(x.sigmoid(), x)
    assert torch.equal(built(spec, tmp_path)(x), expected)


def test_a_difference_keeps_its_order_and_its_parentheses(tmp_path: Path) -> None:
    x = torch.randn(2, 3, 5, 4)
    spec = """
        model N {
          x = image(3, 5, 4)
          a, b, c = [x -> relu, x -> tanh, x -> sigmoid]
          (a - (b - c)) * (a - b - c) - (a + (b - c))
        }
    """
    a, b, c = x.relu(), x.tanh(), x.sigmoid()
    assert torch.equal(built(spec, tmp_path)(x), (a - (b - c)) * (a - b - c) - (a + (b - c)))
