"""`output_stride`: equal to torchvision's and timm's networks that have it, and by its own definition to those without.

By definition a network whose strides are taken away computes, at the positions that it had, what it computed before.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from torch import nn

import archdsl
from archdsl import api
from archdsl.api import Variant
from archdsl.backends.proof import prove
from archdsl.cli.app import run
from archdsl.diagnostics.core import ArchError
from archdsl.graph.reference import Reference
from archdsl.source import Source
from archdsl.verify import traits
from archdsl.verify.compare import compare_models
from archdsl.verify.libraries import LibraryRefused, built
from archdsl.weights.loading import fit_keys
from tests import shipped
from tests.equality import held

DILATED = {8: [False, True, True], 16: [False, False, True]}
"""torchvision's `replace_stride_with_dilation`, of the stages 2 to 4."""


def variants() -> dict[str, list[tuple[Variant, Reference]]]:
    """Those that are held against timm, by family, the cheapest first."""
    found: dict[str, list[tuple[Variant, Reference]]] = {}
    for family, variant in shipped.variants():
        for reference in variant.references:
            if reference.library == "timm" and not reference.refuses:
                found.setdefault(family, []).append((variant, reference))
    return {family: sorted(pairs, key=lambda pair: pair[0].graph.macs) for family, pairs in found.items()}


FAMILIES = variants()

# Families of timm's whose constructors take no output stride, or 32 alone.
WITHOUT = {"densenet", "inception_resnet", "inception_v3", "inception_v4", "nasnet"}
# Of mobilenet_v3 only the networks that give feature maps do: tests/backbone/test_timm_features.py.
MAPS = {"mobilenet_v3"}
# Its networks are ResNet-200 and ConvNeXt-B, which other families hold.
AGAIN = {"convnext_roadmap_b"}
LARGE = {"convnext"}
"""Whose smallest network that is equal takes minutes; convnext_v2 has the same layers."""


def timms(reference: Reference, stride: int, **more: Any) -> nn.Module:
    """timm's network of an output stride. What it gives 1×1 convolutions as dilation changes nothing, and goes."""
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in reference.arguments.items()}
    model = built("timm", reference.model, {**given, "output_stride": stride, **more})
    return without_idle(model)


def without_idle(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            module.dilation = (1, 1)
    return model


def windows(model: nn.Module, paths: dict[str, str]) -> dict[str, Any]:
    """Stride, padding, dilation and groups of every convolution, by our path."""
    found = {}
    for path, values in traits.settings(model).items():
        if values["kind"] == "Conv2d":
            computed = values["padding"] is None
            found[paths.get(path, path)] = {
                key: None if computed and key == "padding" else v for key, v in values.items()
            }
    return found


def same_windows(variant: Variant, theirs: nn.Module) -> bool:
    """Whether every convolution slides alike; which maps they see the shapes of the rest show."""
    found = fit_keys(variant, theirs.state_dict()).theirs
    paths = {there.rpartition(".")[0]: here.rpartition(".")[0] for here, there in found.items()}
    expected, actual = windows(theirs, paths), windows(variant.empty(), {})
    for path, values in expected.items():
        if None in (values["padding"], actual[path]["padding"]):
            values["padding"] = actual[path]["padding"] = None
    return expected == actual


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - WITHOUT - MAPS - AGAIN))
def test_every_network_of_timms(family: str) -> None:
    """At 8, where two strides are taken away; 16 takes one of the two, and is tested below."""
    compared = 0
    for variant, reference in FAMILIES[family]:
        try:
            theirs = timms(reference, 8)
        except LibraryRefused:
            continue
        compared += 1
        assert same_windows(variant.with_output_stride(8), theirs), variant.name
    assert compared


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - WITHOUT - MAPS - AGAIN))
def test_numbers_of_timms(family: str, stride: int) -> None:
    """Operations and MACs; at 8, outputs and a training step, bit for bit; at an even and an odd size."""
    for variant, reference in FAMILIES[family]:
        try:
            theirs = timms(reference, stride)
        except LibraryRefused:
            continue
        ours, numbers = variant.with_output_stride(stride), stride == 8 and family not in LARGE
        held.assert_equal(compare_models(ours, reference, theirs, ours.empty(), numbers=numbers), numbers=numbers)
        return
    raise AssertionError


@pytest.mark.parametrize("family", sorted(WITHOUT))
def test_what_timm_has_not(family: str) -> None:
    for _, reference in FAMILIES[family][:1]:
        with pytest.raises(LibraryRefused):
            timms(reference, 8)


TORCHVISIONS = ["resnet50", "resnext50_32x4d", "wide_resnet50_2", "resnet101"]


@pytest.mark.parametrize("name", TORCHVISIONS)
@pytest.mark.parametrize("stride", [8, 16])
def test_torchvisions(name: str, stride: int) -> None:
    theirs = built("torchvision", name, {"replace_stride_with_dilation": DILATED[stride]})
    variant = archdsl.find(name)
    ours = variant.with_output_stride(stride)
    (reference,) = [reference for reference in variant.references if reference.library == "torchvision"]
    numbers = (name, stride) == ("resnet50", 8)
    held.assert_equal(compare_models(ours, reference, theirs, ours.empty(), numbers=numbers), numbers=numbers)


# --- by definition ---------------------------------------------------------------------------

EXACT = [
    ("resnet18", 8),
    ("preresnet18", 8),
    ("mobilenet_v2", 8),
    ("tf_efficientnet_lite0", 8),
    ("shufflenet_v2_x0_5", 8),
    ("shufflenet_g1_wd4", 16),
    ("googlenet", 8),
    ("squeezenet1_0", 8),
    ("squeezenet1_1", 8),
    ("inceptionresnetv1", 16),
    ("van_b0", 8),
]
"""Networks without gates, which are means over more positions where there are more."""


def pair_of(variant: Variant, stride: int) -> tuple[Any, Any]:
    """The last feature map of the network as it is, and of the denser one, with the same weights."""
    torch.manual_seed(0)
    name = variant.features().names[-1]
    whole = variant.features([name]).model_class().eval()
    for module in whole.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(cast(torch.Tensor, module.running_mean), 0, 0.1)
            nn.init.uniform_(cast(torch.Tensor, module.running_var), 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    dense = variant.with_output_stride(stride).features([name]).model_class().eval()
    dense.load_state_dict(whole.state_dict())
    return whole, dense


def held_by(dense: torch.Tensor, whole: torch.Tensor, ratio: int) -> bool:
    """Whether one map is the other at every so many positions, from some first one on."""
    height, width = whole.shape[2:]
    shifted = [dense[..., first::ratio, first::ratio][..., :height, :width] for first in range(ratio)]
    scale = whole.std()
    return any(one.shape == whole.shape and (one - whole).abs().max() < 1e-4 * scale for one in shifted)


@pytest.mark.parametrize(("name", "stride"), EXACT)
def test_the_denser_map_holds_the_other(name: str, stride: int) -> None:
    variant = archdsl.find(name)
    whole, dense = pair_of(variant, stride)
    ratio = whole.feature_info.reduction()[0] // stride
    assert dense.feature_info.reduction() == [stride]
    for size in (128, 145):
        x = torch.randn(1, 3, size, size)
        with torch.inference_mode():
            (coarse,), (fine,) = whole(x).values(), dense(x).values()
        assert held_by(fine, coarse, ratio), size
        assert not held_by(fine.roll(1, 1), coarse, ratio)


def test_densenet_where_sizes_are_even() -> None:
    whole, dense = pair_of(archdsl.find("densenet121"), 16)
    x = torch.randn(1, 3, 128, 128)
    with torch.inference_mode():
        (coarse,), (fine,) = whole(x).values(), dense(x).values()
    assert fine.shape[2:] == (8, 8)
    assert held_by(fine, coarse, 2)


WINDOWS = [
    "conv(4, 3, stride = 2, padding = 0)",
    "conv(4, 5, stride = 2)",
    "conv(4, [1, 3], stride = 2) -> conv(4, [3, 1])",
    "conv(4, 3, stride = 3) -> conv(4, 3, dilation = 2)",
    "dwconv(3, stride = 2) -> dwconv(5)",
    "std_conv(4, 3, stride = 2) -> std_conv(4, 3)",
    "maxpool(3, stride = 2, padding = 0) -> maxpool(3, stride = 1)",
    "maxpool(3, stride = 2, padding = 0, ceil_mode = true) -> maxpool(3, stride = 1)",
    "maxpool(3, stride = 2)",
    "maxpool(2, stride = 2, padding = 0, ceil_mode = true)",
    "avgpool(3, stride = 2)",
    "avgpool(3, stride = 2, padding = 0, ceil_mode = true)",
    "avgpool(3, stride = 2, count_include_pad = false)",
    "blurpool(3)",
    "subsample(2)",
    "pad(1, 2, 1, 2) -> conv(4, 3, stride = 2, padding = 0) -> pad(1, 1, 1, 1) -> conv(4, 3, padding = 0)",
    "conv(4, 3, stride = 2) -> crop(1, 1, 1, 1) -> conv(4, 3)",
]


@pytest.mark.parametrize("body", WINDOWS)
def test_every_window(body: str) -> None:
    """Twice in a row, so that the second stands where strides were taken away before, and with what follows."""
    once = body.startswith(("avgpool", "blurpool"))
    text = f"""
model Net(classes: int = 5) {{
  x = image(4, 32, 32) -> stage stem: conv(4, 3, stride = 2)
  x -> stage body: [{body}] -> stage tail: [conv(4, 3), {"conv(4, 3, stride = 2)" if once else body}, conv(4, 3)]
    -> gap -> flatten -> fc: linear(classes)
}}
variant net = Net()
"""
    net = api.open_source(Source("net.arch", text))["net"]
    whole, dense = pair_of(net, 2)
    ratio = whole.feature_info.reduction()[0] // 2
    prove(net.with_output_stride(2).graph, net.with_output_stride(2).source)
    for size in (64, 71):
        x = torch.randn(1, 4, size, size)
        with torch.inference_mode():
            (coarse,), (fine,) = whole(x).values(), dense(x).values()
        assert held_by(fine, coarse, ratio)


# --- what else follows -----------------------------------------------------------------------


def test_weights_sizes_costs_and_source(tmp_path: Any) -> None:
    whole, dense = archdsl.find("resnet18"), archdsl.find("resnet18").with_output_stride(8)
    assert [key for key, *_ in dense.graph.state()] == [key for key, *_ in whole.graph.state()]
    assert dense.table.rows[-2].output.height == 28
    assert dense.graph.macs > 2 * whole.graph.macs
    assert dense.graph.title == "resnet18 with output_stride = 8"
    prove(dense.graph, dense.source)
    torch.save(archdsl.load("resnet18").state_dict(), tmp_path / "resnet18.pth")
    model: Any = archdsl.load("resnet18", output_stride=8, weights=tmp_path / "resnet18.pth")
    assert model.feature_info.reduction() == [2, 4, 8, 8, 8]
    maps = archdsl.load("resnet18", output_stride=8, features=["layer4"], weights=tmp_path / "resnet18.pth")
    assert maps(torch.zeros(1, 3, 65, 64))["layer4"].shape == (1, 512, 9, 8)
    again = pickle.loads(pickle.dumps(model.eval()))
    x = torch.randn(1, 3, 65, 65)
    assert torch.equal(again(x), model(x))
    assert copy.deepcopy(model).layer4[1].conv1.dilation == (4, 4)
    assert pickle.loads(pickle.dumps(dense)).graph.macs == dense.graph.macs


def test_with_other_changes_in_any_order() -> None:
    one = archdsl.find("resnet18").with_output_stride(16).for_image(1, 65).override({"classes": 3})
    two = archdsl.find("resnet18").override({"classes": 3}).for_image(1, 65).with_output_stride(16)
    assert one.source == two.source
    assert one.features([0]).with_output_stride(8).graph.input_shape.channels == 1
    assert (
        archdsl.find("resnet18").with_output_stride(8).with_output_stride(32).graph.macs
        == archdsl.find("resnet18").graph.macs
    )


def refused(variant: Variant) -> Iterator[str]:
    with pytest.raises(ArchError) as caught:
        _ = variant.graph
    for diagnostic in caught.value.diagnostics:
        yield f"{diagnostic.code}: {diagnostic.message}"


def test_refusals() -> None:
    (text,) = refused(archdsl.find("resnet18").with_output_stride(64))
    assert text == "E627: `resnet18` has an output stride of 32, which cannot become 64"
    for name, path in [("inception_v3", "Mixed_7b.avgpool1"), ("nasnet_mobile", "reduction_cell_1.avgpool2")]:
        (text,) = refused(archdsl.find(name).with_output_stride(16))
        assert text.startswith("E628")
        assert f"`{path}` cannot go on there, torch has no dilated form of it" in text
    (text,) = refused(archdsl.find("densenet121").with_output_stride(8))
    assert "transition3" in text
    (text,) = refused(archdsl.find("convnext_tiny").with_output_stride(12))
    assert text == "E629: the strides of `convnext_tiny` do not come to 12, but to 8"
    with pytest.raises(TypeError):
        archdsl.find("resnet18").with_output_stride(8.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="positive"):
        archdsl.find("resnet18").with_output_stride(0)


def test_questions_about_sizes() -> None:
    """Where the answer stays it is asked again of the new sizes; where not, the network would be another one."""
    text = """
model Net(most: int) {
  x = image(3, 32, 32) -> a: conv(4, 3, stride = 2) -> b: conv(4, 3, stride = 2)
  if x.height <= most { x = x -> c: conv(4, 3) }
  x -> gap -> flatten -> fc: linear(5)
}
variant many = Net(8)
variant more = Net(100)
"""
    file = api.open_source(Source("net.arch", text))
    (said,) = refused(file["many"].with_output_stride(2))
    assert said.startswith("E630")
    kept = file["more"].with_output_stride(2)
    prove(kept.graph, kept.source)


def test_flattened_maps_are_no_longer_of_that_size() -> None:
    text = """
model Net = image(3, 32, 32) -> conv(4, 3, stride = 2) -> conv(4, 3, stride = 2) -> flatten -> fc: linear(5)
variant net = Net()
"""
    (said,) = refused(api.open_source(Source("net.arch", text))["net"].with_output_stride(2))
    assert "weights would have another size" in said


def test_on_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert run(["show", "resnet18", "--output-stride", "8"]) == 0
    shown = capsys.readouterr().out
    assert "output stride 8" in shown
    assert "28×28" in shown
    assert run(["build", "resnet18", "--output-stride", "8", "-o", str(tmp_path / "net.py")]) == 0
    assert "dilation=4" in (tmp_path / "net.py").read_text()
    assert run(["draw", "resnet18", "--output-stride", "8", "-o", str(tmp_path / "net.svg")]) == 0
    assert run(["diff", "resnet18", "--output-stride", "16"]) == 1
    assert "dilation" in capsys.readouterr().out
    assert run(["show", "resnet18", "--output-stride", "7"]) == 2
    assert "E629" in capsys.readouterr().err
