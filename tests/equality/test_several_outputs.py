"""Networks of several outputs that nobody ships, as their users write them, equal to modules written by hand.

Detectors, segmentation with deep supervision, two heads, branches of several resolutions, a discriminator's features:
the keys, the names and the numbers, in training and in evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from archdsl.api import open_source
from archdsl.backends.diagram.choices import Level
from archdsl.backends.module import build_module
from archdsl.backends.proof import prove
from archdsl.graph.backbone import feature_info
from archdsl.source import Source
from archdsl.variant import Variant

Outputs = Mapping[str, Tensor]

FPN = """
"Feature Pyramid Networks (Lin et al., 2017), arXiv:1612.03144, with RetinaNet's heads on every level"

block Unit(width: int, stride: int = 1) = conv: conv(width, 3, stride, bias = false) -> bn: bn -> relu

block Head(out: int, depth: int = 2) {
  x = in
  for i in 0..depth { x = x -> conv.{i}: conv(in.channels, 3) -> relu }
  x -> predict: conv(out, 3)
}

fn top_down(maps: list(tensor), width: int) {
  "From the coarsest on: what the lateral convolution sees, and what is above, made as large."
  merged = []
  for i in reversed(0..len(maps)) {
    lateral = maps[i] -> inner_blocks.{i}: conv(width, 1)
    x = if len(merged) == 0 then lateral else lateral + ((merged[0], lateral) -> resize)
    merged = [x] + merged
  }
  [x -> layer_blocks.{i}: conv(width, 3) for i, x in merged]
}

model Detector(width: int = 16, levels: int = 3, anchors: int = 3, classes: int = 5) {
  x = image(3, 64, 64) -> stem: Unit(8, 2)
  maps = []
  for i in 0..levels {
    x = x -> stage layer{i + 1}: [Unit(8 * 2^i, 2), Unit(8 * 2^i)]
    maps = maps + [x]
  }
  for i, p in top_down(maps, width) {
    output p{i + 2} = p
    output cls{i + 2} = p -> cls.{i}: Head(anchors * classes)
    output box{i + 2} = p -> box.{i}: Head(anchors * 4)
  }
}
"""


class Unit(nn.Module):
    def __init__(self, inside: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, width, 3, stride, 1, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Head(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.conv = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.predict = nn.Conv2d(width, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.conv:
            x = F.relu(conv(x))
        return self.predict(x)


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = Unit(3, 8, 2)
        self.layer1 = nn.Sequential(Unit(8, 8, 2), Unit(8, 8))
        self.layer2 = nn.Sequential(Unit(8, 16, 2), Unit(16, 16))
        self.layer3 = nn.Sequential(Unit(16, 32, 2), Unit(32, 32))
        self.inner_blocks = nn.ModuleList(nn.Conv2d(width, 16, 1) for width in (8, 16, 32))
        self.layer_blocks = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(3))
        self.cls = nn.ModuleList(Head(16, 15) for _ in range(3))
        self.box = nn.ModuleList(Head(16, 12) for _ in range(3))

    def forward(self, x: Tensor) -> Outputs:
        x = self.stem(x)
        maps = [x := self.layer1(x), x := self.layer2(x), self.layer3(x)]
        merged = [self.inner_blocks[2](maps[2])]
        for i in (1, 0):
            lateral = self.inner_blocks[i](maps[i])
            merged.insert(0, lateral + F.interpolate(merged[0], size=lateral.shape[-2:], mode="nearest"))
        found: dict[str, Tensor] = {}
        for i, x in enumerate(merged):
            p = self.layer_blocks[i](x)
            found |= {f"p{i + 2}": p, f"cls{i + 2}": self.cls[i](p), f"box{i + 2}": self.box[i](p)}
        return found


UNET = """
"U-Net (Ronneberger et al., 2015), arXiv:1505.04597, with the deep supervision of UNet++ (arXiv:1807.10165)"

block Double(width: int) = [conv(width, 3), bn, relu, conv(width, 3), bn, relu]

model UNet(width: int = 4, depth: int = 3, classes: int = 2, supervised: bool = true) {
  x = image(1, 32, 32)
  require x.height % 2^depth == 0 and x.width % 2^depth == 0, "the sides are multiples of 2^depth"
  skips = []
  for i in 0..depth {
    skip = x -> stage down{i}: Double(width * 2^i)
    skips = skips + [skip]
    x = skip -> maxpool(2, padding = 0)
  }
  x = x -> stage bottom: Double(width * 2^depth)
  for i in reversed(0..depth) {
    stage up{i} {
      x = x -> up_{i}: conv_transpose(width * 2^i, 2, stride = 2, padding = 0)
      x = concat(skips[i], x) -> merge_{i}: Double(width * 2^i)
    }
    if supervised and i > 0 { output side{i} = x -> side_{i}: conv(classes, 1) }
  }
  x -> out: conv(classes, 1)
}

variant unet = UNet
variant plain = UNet(supervised = false)
"""


def double(inside: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in (inside, width):
        layers += [nn.Conv2d(i, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, supervised: bool = True) -> None:
        super().__init__()
        self.supervised = supervised
        for i, inside in enumerate((1, 4, 8)):
            setattr(self, f"down{i}", double(inside, 4 * 2**i))
        self.bottom = double(16, 32)
        for i in (2, 1, 0):
            setattr(self, f"up_{i}", nn.ConvTranspose2d(8 * 2**i, 4 * 2**i, 2, 2))
            setattr(self, f"merge_{i}", double(8 * 2**i, 4 * 2**i))
            if supervised and i:
                setattr(self, f"side_{i}", nn.Conv2d(4 * 2**i, 2, 1))
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Outputs | Tensor:
        skips, found = [], {}
        for i in range(3):
            skips.append(x := self.get_submodule(f"down{i}")(x))
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for i in (2, 1, 0):
            x = torch.cat([skips[i], self.get_submodule(f"up_{i}")(x)], 1)
            x = self.get_submodule(f"merge_{i}")(x)
            if self.supervised and i:
                found[f"side{i}"] = self.get_submodule(f"side_{i}")(x)
        return {"logits": self.out(x), **found} if self.supervised else self.out(x)


ROTATION = """
"RotNet as a second task (Gidaris et al., 2018), arXiv:1803.07728"

model Net(classes: int = 10, rotations: int = 4) {
  x = image(3, 32, 32) -> stem: [conv(8, 3, stride = 2), bn, relu] -> body: [conv(16, 3, stride = 2), bn, relu]
  features = x -> gap -> flatten
  output rotation = features -> rotation: linear(rotations)
  features -> dropout(0.0) -> fc: linear(classes)
}
"""


class Rotation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU())
        self.rotation = nn.Linear(16, 4)
        self.fc = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Outputs:
        x = F.adaptive_avg_pool2d(self.body(self.stem(x)), 1).flatten(1)
        return {"logits": self.fc(x), "rotation": self.rotation(x)}


HRNET = """
"Deep High-Resolution Representation Learning (Wang et al., 2019), arXiv:1908.07919: branches that exchange"

block Unit(width: int, stride: int = 1) = [conv(width, 3, stride, bias = false), bn, relu]

fn exchange(xs: list(tensor), m: int) = [
  sum_of([x -> carried(m, i, j, y.channels) for j, x in xs]) -> relu
  for i, y in xs
]

fn sum_of(xs: list(tensor)) {
  total = xs[0]
  for x in xs[1..] { total = total + x }
  total
}

fn carried(m: int, i: int, j: int, width: int) =
  if i == j then id
  else if j > i then up(m, i, j, width, 2^(j - i))
  else "fuse.{m}.{i}.{j}": [conv(width, 3, 2, bias = false) for _k in 0..(i - j)]

fn up(m, i, j, width, scale) = "fuse.{m}.{i}.{j}": [conv(width, 1, bias = false), bn, resize(scale_factor = scale)]

model Branches(width: int = 4, modules: int = 2) {
  x = image(3, 32, 32) -> stem: Unit(width, 2)
  xs = [x -> transition.0: Unit(width), x -> transition.1: Unit(2 * width, 2), x -> transition.2: Unit(4 * width, 4)]
  for m in 0..modules {
    xs = exchange([x -> branches.{m}.{i}: Unit(width * 2^i) for i, x in xs], m)
  }
  xs
}
"""


def unit(inside: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = (4, 8, 16)
        self.stem = unit(3, 4, 2)
        self.transition = nn.ModuleList(unit(4, w, 2**i) for i, w in enumerate(widths))
        self.branches = nn.ModuleList(nn.ModuleList(unit(w, w) for w in widths) for _ in range(2))
        self.fuse = nn.ModuleList(
            nn.ModuleList(nn.ModuleDict({str(j): self._carried(i, j) for j in range(3) if i != j}) for i in range(3))
            for _ in range(2)
        )

    @staticmethod
    def _carried(i: int, j: int) -> nn.Module:
        width, inside = 4 * 2**i, 4 * 2**j
        if j > i:
            conv = nn.Conv2d(inside, width, 1, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(width), nn.Upsample(scale_factor=2 ** (j - i), mode="nearest"))
        convs = [nn.Conv2d(inside if k == 0 else width, width, 3, 2, 1, bias=False) for k in range(i - j)]
        return nn.Sequential(*convs)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(x)
        xs = [layer(x) for layer in self.transition]
        for m in range(2):
            xs = [self.get_submodule(f"branches.{m}.{i}")(x) for i, x in enumerate(xs)]
            xs = [F.relu(sum(self._to(m, i, j, x) for j, x in enumerate(xs))) for i in range(3)]  # type: ignore[arg-type]
        return tuple(xs)

    def _to(self, m: int, i: int, j: int, x: Tensor) -> Tensor:
        found: Tensor = x if i == j else self.get_submodule(f"fuse.{m}.{i}.{j}")(x)
        return found


DISCRIMINATOR = """
"pix2pixHD's discriminator (Wang et al., 2018), arXiv:1711.11585: the features of all layers are matched"

model Discriminator(width: int = 8, layers: int = 3) {
  x = image(3, 64, 64) -> model0: [conv(width, 4, 2, padding = 2), leaky_relu(0.2)]
  output features0 = x
  for i in 1..layers {
    x = x -> model{i}: [conv(width * 2^i, 4, 2, padding = 2), instancenorm, leaky_relu(0.2)]
    output features{i} = x
  }
  x -> out: conv(1, 4, padding = 2)
}
"""


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model0 = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 2), nn.LeakyReLU(0.2, True))
        for i in (1, 2):
            conv = nn.Conv2d(4 * 2**i, 8 * 2**i, 4, 2, 2)
            norm = nn.InstanceNorm2d(8 * 2**i)
            setattr(self, f"model{i}", nn.Sequential(conv, norm, nn.LeakyReLU(0.2, True)))
        self.out = nn.Conv2d(32, 1, 4, 1, 2)

    def forward(self, x: Tensor) -> Outputs:
        found: dict[str, Tensor] = {}
        for i in range(3):
            found[f"features{i}"] = x = self.get_submodule(f"model{i}")(x)
        return {"logits": self.out(x), **found}


CASES: dict[str, tuple[str, type[nn.Module]]] = {
    "fpn": (FPN, Detector),
    "unet": (UNET, UNet),
    "rotation": (ROTATION, Rotation),
    "hrnet": (HRNET, Branches),
    "discriminator": (DISCRIMINATOR, Discriminator),
}


def variant(text: str, name: str | None = None) -> Variant:
    file = open_source(Source("test.arch", dedent(text)))
    errors = [d for d in file.check() if d.severity == "error"]
    assert not errors, errors
    return file[name or next(iter(file))]


def named(value: Any) -> dict[str, Tensor]:
    if isinstance(value, Tensor):
        return {"logits": value}
    if isinstance(value, Mapping):
        return dict(value)
    names = getattr(value, "_fields", tuple(map(str, range(len(value)))))
    return dict(zip(names, value, strict=True))


def pair(case: str) -> tuple[Variant, nn.Module, nn.Module]:
    """A variant, its module, and the one written by hand, with the same weights."""
    text, theirs_class = CASES[case]
    made = variant(text)
    torch.manual_seed(0)
    theirs, ours = theirs_class(), build_module(made.graph, made.source)
    for weight in theirs.buffers():
        if weight.is_floating_point():
            nn.init.uniform_(weight, 0.5, 1.5)
    ours.load_state_dict(theirs.state_dict())
    return made, ours, theirs


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("case", CASES)
def test_equal_to_the_module_by_hand(case: str, training: bool) -> None:
    made, ours, theirs = pair(case)
    assert list(ours.state_dict()) == list(dict.fromkeys(ours.state_dict()))
    image = torch.randn(2, *made.graph.input_shape.dims, generator=torch.Generator().manual_seed(3))
    wanted, found = theirs.train(training)(image.clone()), ours.train(training)(image)
    assert list(named(found)) == list(named(wanted))
    for name, value in named(wanted).items():
        assert torch.equal(named(found)[name], value), name
    gradients = []
    for model, value in ((theirs, wanted), (ours, found)):
        sum((tensor * (i + 1)).sum() for i, tensor in enumerate(named(value).values())).backward()  # type: ignore[union-attr]
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.equal(gradients[0][name], gradients[1][name]) for name in gradients[0])


def test_an_output_is_what_its_name_says_whatever_a_variable_was_called() -> None:
    """The image's variable is `x`: where an output has that name, it is no longer free for what comes after."""
    text = """
    model Net {
      s = image(3, 8, 8) -> a: conv(4, 3)
      output h = s
      output x = s -> b: conv(4, 3)
      t = s -> c: conv(4, 3)
      output last = add(t -> d: conv(4, 3), t -> e: conv(4, 3))
    }
    """
    made = variant(text)
    net = build_module(made.graph, made.source)
    b, c, d, e = map(net.get_submodule, "bcde")
    found = named(net(torch.randn(1, 3, 8, 8)))
    assert list(found) == ["h", "x", "last"]
    assert torch.equal(found["x"], b(found["h"]))
    t = c(found["h"])
    assert torch.equal(found["last"], d(t) + e(t))


@pytest.mark.parametrize("case", CASES)
def test_every_view_of_them(case: str) -> None:
    """The proof of the source, the table, the pictures and the page of each."""
    made = variant(CASES[case][0])
    assert prove(made.graph, made.source).params == made.graph.params
    assert made.table.params == made.graph.params
    levels: tuple[Level, ...] = ("overview", "blocks", "graph")
    for level in levels:
        assert made.drawing(level).svg
    assert made.page()


def test_feature_maps() -> None:
    info = feature_info(variant(FPN).graph)
    assert (info.names(), info.reduction()) == (["stem", "layer1", "layer2", "layer3"], [2, 4, 8, 16])
    assert feature_info(variant(UNET).graph).names() == ["down0", "down1", "down2", "bottom", "up2", "up1", "up0"]


def test_what_deep_supervision_leaves_behind() -> None:
    """Without it the network returns a tensor; what only it needs is a row of its own with it."""
    made, plain = variant(UNET), variant(UNET, "plain")
    image = torch.randn(1, 1, 32, 32)
    assert isinstance(build_module(plain.graph, plain.source)(image), Tensor)
    rows = [row.name for row in made.table.rows]
    assert rows[-2:] == ["side2", "side1"]
    assert rows[:-2] == [row.name for row in plain.table.rows]
    assert made.diff(plain).outputs == (("logits", "side2", "side1"), ("logits",))


def test_a_size_that_the_spec_forbids_is_refused_by_the_module() -> None:
    made = variant(UNET)
    model = build_module(made.graph, made.source)
    assert model(torch.randn(1, 1, 16, 40)).logits.shape == (1, 2, 16, 40)
    with pytest.raises(ValueError, match="the sides are multiples of 2\\^depth"):
        model(torch.randn(1, 1, 36, 32))
