"""What every network offers to those who build on it, for every model of every family, on the meta device."""

from __future__ import annotations

import copy
import functools
from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl
from archdsl import phases
from archdsl.api import Variant
from archdsl.backends.proof import prove
from archdsl.diagnostics.core import ArchError
from archdsl.graph.backbone import feature_info, head_of
from tests import shipped


@functools.cache
def models() -> dict[str, Variant]:
    """The cheapest variant of every model, by `family:variant`."""
    found: dict[tuple[str, str], Variant] = {}
    for family, variant in shipped.variants():
        known = found.setdefault((family, variant.graph.root.definition), variant)
        if variant.graph.macs < known.graph.macs:
            found[family, variant.graph.root.definition] = variant
    return {f"{family}:{variant.name}": variant for (family, _), variant in found.items()}


@pytest.fixture(scope="module", params=models())
def spec(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def image(variant: Variant) -> torch.Tensor:
    return torch.empty(1, *variant.graph.input_shape.dims, device="meta")


def outputs_of(variant: Variant, model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    output = model(x)
    result: torch.Tensor = output.logits if variant.graph.output_names else output
    return result


@pytest.fixture(scope="module")
def whole(spec: str) -> nn.Module:
    return archdsl.load(spec, device="meta").eval()


def test_a_whole_network(spec: str, whole: nn.Module) -> None:
    variant = models()[spec]
    features = whole.forward_features(image(variant))
    assert features.ndim == 4
    assert features.shape[1] == whole.num_features
    assert whole.forward_head(features).shape == (1, *variant.graph.output_shape.dims)
    seen = whole.forward_head(features, pre_logits=True)
    assert seen.shape[1] == whole.head_hidden_size
    assert whole.feature_info.channels()
    assert whole.feature_info.reduction() == sorted(whole.feature_info.reduction())


def test_a_new_classifier(spec: str, whole: nn.Module) -> None:
    variant = models()[spec]
    model = copy.deepcopy(whole)
    model.reset_classifier(0)
    pooled = model.forward_head(torch.empty(1, *shape_of_features(variant), device="meta"), pre_logits=True)
    assert outputs_of(variant, model, image(variant)).flatten(1).shape[1] == pooled.shape[1]
    model.reset_classifier(3)
    assert outputs_of(variant, model, image(variant)).shape == (1, 3)
    assert outputs_of(variant, whole, image(variant)).shape == (1, *variant.graph.output_shape.dims)
    wanted = {key: weight.shape for key, weight, _ in variant.override({"classes": 3}).graph.state()}
    assert {key: tuple(value.shape) for key, value in model.state_dict().items()} == wanted


def test_feature_maps(spec: str, whole: nn.Module) -> None:
    """Of the last stage of every resolution, and of the first stage alone."""
    variant = models()[spec]
    chosen = variant.features()
    maps = chosen.empty().eval()(image(variant))
    info = feature_info(variant.graph, chosen.names)
    assert list(maps) == list(chosen.names) == info.names()
    assert [value.shape[1] for value in maps.values()] == info.channels()
    sizes = [tuple(value.shape[2:]) for value in maps.values()]
    assert sizes == sorted(set(sizes), reverse=True)
    first = whole.feature_info[0]
    alone = variant.features([first.name])
    (value,) = alone.empty().eval()(image(variant)).values()
    assert value.shape[1] == first.channels
    everything = {key: value.shape for key, value in whole.state_dict().items()}
    assert {key: weight.shape for key, weight, _ in alone.graph.state()}.items() < everything.items()


def test_all_layers_of_all_stages_are_needed(spec: str) -> None:
    variant = models()[spec]
    graph = variant.graph
    staged = {key for key, _, node in graph.state() if node.stage and node.id not in graph.aux}
    every = variant.features(feature_info(graph).names())
    assert staged <= {key for key, _, _ in every.graph.state()} < {key for key, _, _ in graph.state()}


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_other_channels(spec: str, channels: int) -> None:
    """One kernel sees the image, and it alone has another shape."""
    variant = models()[spec]
    other = variant.for_image(channels)
    before, after = ({key: weight.shape for key, weight, _ in v.graph.state()} for v in (variant, other))
    (key,) = {key for key in after if before[key] != after[key]}
    assert after[key][1] == channels
    assert other.graph.output_shape == variant.graph.output_shape


def shape_of_features(variant: Variant) -> tuple[int, ...]:
    head = head_of(variant.graph)
    assert head is not None
    return variant.graph.shape(head.features).dims


NAMED = """
model Net(num_features: bool = true, classes: int = 5) {
  x = image(3, 16, 16) -> conv1: conv(8, 3)
  x = x -> stage NAME: [conv(8, 3), relu]
  if num_features { x = x -> a: conv(8, 1) -> relu -> b: conv(8, 1) } else { x = x -> a: conv(8, 3) }
  x -> gap -> flatten -> fc: linear(classes)
}
"""


@pytest.mark.parametrize("name", ["feature_info", "forward_features", "forward_head", "num_features"])
def test_a_layer_may_have_such_a_name(name: str, tmp_path: Path) -> None:
    """Then the model is what the spec says, and has nothing of what would hide the layer."""
    path = tmp_path / "net.arch"
    path.write_text(NAMED.replace("NAME", name))
    variant = archdsl.find(path)
    assert prove(variant.graph, variant.source).keys == 10
    model = archdsl.load(path)
    assert isinstance(getattr(model, name), nn.Sequential)
    part = archdsl.load(path, features=True)
    assert list(part(torch.zeros(1, 3, 16, 16))) == [name]


def test_a_parameter_may_have_such_a_name(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text(NAMED.replace("NAME", "body"))
    model = archdsl.load(path, num_features=False)
    assert model.num_features == 8
    assert model.feature_info.channels() == [8]


START = "model Net = image(3, 16, 16) -> conv(8, 3)"
HEADS = {
    # What lies inside a block cannot be split off, and what comes from two layers has no classifier.
    f"block Head = gap -> flatten -> fc: linear(5)\n{START} -> head: Head": None,
    "model Net { x = image(3, 16, 16) -> gap -> flatten\n (x -> a: linear(5)) + (x -> b: linear(5)) }": None,
    START: None,
    # Without a global pool the head begins behind the last layer with weights.
    f"{START} -> relu -> avgpool(4, padding = 0) -> flatten -> fc: linear(5)": "8×16×16",
    f"{START} -> relu -> dropout(0.1) -> fc: conv(5, 1) -> gap -> flatten": "8×16×16",
    f"{START} -> gap -> mid: conv(9, 1) -> relu -> flatten -> fc: linear(5)": "8×16×16",
}


@pytest.mark.parametrize("text", HEADS)
def test_where_a_head_begins(text: str, tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text(text + "\n")
    variant, model = archdsl.find(path), archdsl.load(path).eval()
    prove(variant.graph, variant.source)
    assert hasattr(model, "forward_head") == (HEADS[text] is not None)
    if HEADS[text] is not None:
        image = torch.randn(2, 3, 16, 16)
        features = model.forward_features(image)
        assert "×".join(map(str, features.shape[1:])) == HEADS[text]
        assert torch.equal(model.forward_head(features), model(image))


def test_a_part_is_proved_and_keeps_its_stages_when_changed() -> None:
    part = archdsl.find("resnet18").features(["layer1", "layer3"])
    assert prove(part.graph, part.source).params == part.graph.params
    smaller = part.for_image(1, 64).override({"classes": 3})
    assert smaller.maps is not None
    assert smaller.names == ("layer1", "layer3")
    assert [str(smaller.graph.shape(ref)) for ref in smaller.graph.outputs] == ["64×16×16", "256×4×4"]
    assert part.references == ()
    assert archdsl.find("resnet18").references != ()


def test_a_part_is_cut_from_the_graph_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    variant = archdsl.find("resnet18").override({"classes": 7})
    whole, made = variant.graph, []
    monkeypatch.setattr(phases, "elaborated", lambda *args, **more: made.append(args))
    part = variant.features()
    assert part.whole is variant
    assert part.whole.graph is whole
    assert len(part.graph.outputs) == 5
    assert made == []


def test_what_is_no_stage() -> None:
    with pytest.raises(ArchError) as raised:
        archdsl.load("resnet50", features=["layer1", "layer5", "conv9"], device="meta")
    assert [d.code for d in raised.value.diagnostics] == ["E122", "E122"]
    assert "did you mean `layer1`?" in str(raised.value)


def test_what_would_change_nothing_is_refused() -> None:
    with pytest.raises(TypeError, match="none are given"):
        archdsl.load("resnet18", checkpoint="timm", device="meta")


def test_an_image_has_two_sides() -> None:
    with pytest.raises(ValueError, match="height and width, not \\(64,\\)"):
        archdsl.find("resnet18").for_image(size=(64,))  # type: ignore[arg-type]
