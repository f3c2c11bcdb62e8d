"""`archdsl verify` notices planted errors: each mutation changes one thing of a torchvision model, or of a spec.

Without this a comparison that always says "equal" would look like success.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.api import ArchFile
from archdsl.graph.reference import Comparison, Reference
from archdsl.source import Source
from archdsl.verify.back import check_conversion_back
from archdsl.verify.compare import compare, compare_models
from archdsl.verify.numbers import output_difference, outputs
from archdsl.verify.results import Result
from archdsl.verify.running import Meaningless
from archdsl.weights import export_keys, import_keys
from tests import libraries

Mutation = Callable[[nn.Module], object]


def _set(attribute: str, value: Any, *, kind: type[nn.Module], nth: int = 0) -> Mutation:
    def mutate(model: nn.Module) -> None:
        setattr([m for m in model.modules() if isinstance(m, kind)][nth], attribute, value)

    return mutate


def _replace(path: str, module: nn.Module) -> Mutation:
    return lambda model: model.set_submodule(path, module)


def _hook(path: str, change: Callable[[Tensor], Tensor]) -> Mutation:
    """Change what the module at `path` returns."""
    return lambda model: model.get_submodule(path).register_forward_hook(lambda _, __, output: change(output))


def _left_out(path: str) -> Mutation:
    """The module at `path` gives its input back; its weights stay."""
    return lambda model: model.get_submodule(path).register_forward_hook(lambda _, inputs, __: inputs[0])


def _stride_on_first_convolution(model: nn.Module) -> None:
    """ResNet as He et al. wrote it: the same parameters as torchvision's, another function."""
    block = model.get_submodule("layer2.0")
    assert isinstance(block.conv1, nn.Conv2d)
    assert isinstance(block.conv2, nn.Conv2d)
    block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)


def _same_padding(model: nn.Module) -> None:
    """TensorFlow's SAME: at even sizes a stride-2 convolution pads on the right and below only."""
    convolution = model.get_submodule("features.0.0")
    assert isinstance(convolution, nn.Conv2d)
    convolution.padding = (0, 0)
    convolution.register_forward_pre_hook(lambda _, inputs: nn.functional.pad(inputs[0], (0, 1, 0, 1)))


def _reversed_concatenation(model: nn.Module) -> None:
    layer = model.get_submodule("features.denseblock2.denselayer3")
    layer.register_forward_pre_hook(lambda _, inputs: (inputs[0][::-1],))


def _no_skip(model: nn.Module) -> None:
    model.get_submodule("features.6.2").use_res_connect = False  # type: ignore[assignment]


def _dilated(model: nn.Module) -> None:
    _set("dilation", (2, 2), kind=nn.Conv2d, nth=1)(model)
    _set("padding", (6, 6), kind=nn.Conv2d, nth=1)(model)


# What each mutation changes must show in the outputs, whatever else shows it.
MUTATIONS: dict[str, dict[str, Mutation]] = {
    "resnet50": {
        "bn eps": _set("eps", 1e-3, kind=nn.BatchNorm2d, nth=20),
        "stride on conv1": _stride_on_first_convolution,
        "an activation negated": _hook("layer3.2.bn1", torch.neg),
        "maxpool without padding": _replace("maxpool", nn.MaxPool2d(3, 2, 0, ceil_mode=True)),
        "average for max pooling": _replace("maxpool", nn.AvgPool2d(3, 2, 1)),
        "replicating padding": _set("padding_mode", "replicate", kind=nn.Conv2d, nth=9),
        "a residual branch left out": _hook("layer3.4.bn3", torch.zeros_like),
        "shortcut without norm": _left_out("layer2.0.downsample.1"),
        "a block left out": _left_out("layer3.5"),
    },
    "resnext50_32x4d": {
        "channels of the groups shuffled": _hook("layer2.1.bn1", lambda y: nn.functional.channel_shuffle(y, 2)),
    },
    "densenet121": {
        "another activation after the last norm": _hook("features.norm5", torch.abs),
        "new channels first": _reversed_concatenation,
        "max for average pooling": _replace("features.transition2.pool", nn.MaxPool2d(2, 2)),
        "a layer's output lost": _hook("features.denseblock3.denselayer9", torch.zeros_like),
    },
    "convnext_tiny": {
        "layer scale doubled": _hook("features.5.3.block.6", lambda y: 2 * y),
        "GELU by tanh": _replace("features.5.3.block.4", nn.GELU("tanh")),
        "ReLU for GELU": _replace("features.5.3.block.4", nn.ReLU()),
        "a block left out": _left_out("features.5.4"),
        "dilation": _dilated,
    },
    "efficientnet_b0": {
        "gate left out": _hook("features.4.1.block.2.scale_activation", torch.ones_like),
        "hard gate": _replace("features.4.1.block.2.scale_activation", nn.Hardsigmoid()),
        "ReLU in the squeeze": _replace("features.4.1.block.2.activation", nn.ReLU()),
        "activation after projection": _hook("features.3.1.block.3", nn.functional.silu),
        "skip left out": _no_skip,
        "bn eps": _set("eps", 1e-3, kind=nn.BatchNorm2d, nth=-1),
        "SAME padding": _same_padding,
        "logits zero": _hook("classifier", torch.zeros_like),
    },
}
OUTPUTS = [
    pytest.param(name, mutate, id=f"{name}-{what}") for name, ms in MUTATIONS.items() for what, mutate in ms.items()
]


def verified(name: str, mutate: Mutation, *, numbers: bool) -> Result:
    """torchvision's model, mutated, against ours."""
    theirs = libraries.reference_model("torchvision", name, device="meta")
    mutate(theirs)
    variant = archdsl.find(name)
    reference = Reference("torchvision", name, {}, Comparison(sizes=(96, 97)))
    return compare_models(variant, reference, theirs, variant.empty(), numbers=numbers)


@pytest.mark.parametrize(("name", "mutate"), OUTPUTS)
def test_a_planted_error_shows_in_the_outputs(name: str, mutate: Mutation) -> None:
    result = verified(name, mutate, numbers=True)
    assert result.verdict == "differs"
    assert "outputs" in {finding.check for finding in result.findings}


@pytest.mark.parametrize("name", MUTATIONS)
def test_nothing_is_found_without_one(name: str) -> None:
    result = verified(name, lambda _: None, numbers=True)
    assert (result.findings, result.verdict) == ([], "equal")
    assert result.differences == {96: 0.0, 97: 0.0}


# What outputs cannot show (or hardly), the comparison of structure must; of the largest networks it is all there is.
STRUCTURE: list[tuple[str, str, Mutation]] = [
    ("settings", "convnext_tiny", _set("eps", 1e-5, kind=nn.LayerNorm, nth=3)),
    ("settings", "efficientnet_b0", _set("momentum", 0.01, kind=nn.BatchNorm2d, nth=3)),
    ("settings", "resnet18", _set("padding_mode", "replicate", kind=nn.Conv2d, nth=3)),
    ("settings", "resnet50", _stride_on_first_convolution),
    ("macs", "resnet50", _stride_on_first_convolution),
    ("operations", "convnext_tiny", _replace("features.5.3.block.4", nn.GELU("tanh"))),
    ("operations", "resnet18", _replace("maxpool", nn.MaxPool2d(3, 2, 1, ceil_mode=True))),
    ("operations", "efficientnet_b0", _no_skip),
    ("operations", "efficientnet_b0", _replace("features.2.0.block.0.2", nn.Identity())),
    ("operations", "efficientnet_b0", _replace("features.4.1.block.2.scale_activation", nn.Hardsigmoid())),
    ("drops", "efficientnet_b0", _replace("classifier.0", nn.Dropout(0.3))),
    ("drops", "convnext_tiny", _replace("features.5.3.stochastic_depth", nn.Dropout(0.05))),
    ("drops", "resnet18", _replace("avgpool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Dropout(0.1)))),
    ("keys", "resnet18", _replace("layer4.1", nn.Identity())),
    ("keys", "resnet18", _replace("fc", nn.Linear(512, 10))),
    ("params", "resnet18", lambda model: model.get_parameter("fc.bias").requires_grad_(False)),
]


@pytest.mark.parametrize(
    ("check", "name", "mutate"), STRUCTURE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_planted_error_shows_in_the_structure(check: str, name: str, mutate: Mutation) -> None:
    assert check in {finding.check for finding in verified(name, mutate, numbers=False).findings}


def test_only_training_shows_another_momentum() -> None:
    result = verified("resnet18", _set("momentum", 0.01, kind=nn.BatchNorm2d, nth=3), numbers=True)
    assert result.differences == {96: 0.0, 97: 0.0}
    assert {"settings", "training"} <= {finding.check for finding in result.findings}
    assert result.training is not None
    assert result.training > 0.01


# --- errors in a spec --------------------------------------------------------------------------

# Family, variant, what stands there, what is planted.
IN_SPECS = {
    "stride on the other convolution": (
        "resnet",
        "resnet50",
        "conv1: conv(mid, 1)",
        "conv1: conv(mid, 1, stride)",
        "conv2: conv(mid, 3, stride, groups = groups)",
        "conv2: conv(mid, 3, groups = groups)",
    ),
    "eps": ("resnet", "resnet18", "default conv(bias = false)", "default conv(bias = false), bn(eps = 1e-3)"),
    "a block left out": ("resnet", "resnet18", "[2, 2, 2, 2]", "[2, 2, 1, 2]"),
    "a gate of another kind": ("mobilenet_v3", "mobilenet_v3_small", "gate = hardsigmoid", "gate = sigmoid"),
    "no gate": (
        "mobilenet_v3",
        "mobilenet_v3_small",
        "    SqueezeExcite(divisible(hidden // 4), gate = hardsigmoid) if se,\n",
        "",
    ),
    "padding": (
        "mobilenet_v3",
        "tf_mobilenetv3_small_minimal_100",
        'first = conv(padding = "tf_same")',
        "first = conv",
    ),
}


@pytest.mark.parametrize("what", IN_SPECS)
def test_an_error_in_a_spec_is_found(what: str) -> None:
    family, name, *changes = IN_SPECS[what]
    path = Path("specs") / f"{family}.arch"
    text = path.read_text(encoding="utf-8")
    for before, after in zip(changes[::2], changes[1::2], strict=True):
        assert before in text
        text = text.replace(before, after)
    variant = ArchFile(Source(str(path.absolute().parent / "changed.arch"), text))[name]
    verdicts = {compare(variant, reference).verdict for reference in variant.references}
    # Refused is what another library calls so and is another network: not a verdict about this one.
    assert "differs" in verdicts
    assert verdicts <= {"differs", "refused"}


# --- the way back -----------------------------------------------------------------------------


def _named_back(map_name: str) -> Result:
    """ConvNeXt-T against timm, with the map to timm's names called `map_name`."""
    path = Path("specs") / "convnext.arch"
    text = path.read_text(encoding="utf-8").replace("checkpoint timm for", f"checkpoint {map_name} for")
    variant = ArchFile(Source(str(path.absolute().parent / "changed.arch"), text))["convnext_tiny"]
    (reference,) = (found for found in variant.references if found.library == "timm")
    return compare(variant, reference, numbers=False)


def test_a_file_must_get_the_librarys_names_back() -> None:
    """Files load by whatever map fits; written for the library they have its names by its own map only."""
    assert _named_back("timm").findings == []
    found = _named_back("other").findings
    assert {finding.check for finding in found} == {"names"}
    assert "written by the names of timm, stem.0.weight is missing" in [finding.detail for finding in found]


FORGOTTEN: dict[str, Callable[[dict[str, Tensor]], object]] = {
    "a shape": lambda state: state.update({"stages.0.blocks.0.gamma": torch.zeros(96, 1, 1)}),
    "half": lambda state: state.update({"stem.0.bias": state["stem.0.bias"].half()}),
    "a value": lambda state: state["head.fc.bias"].add_(1),
    "a key": lambda state: state.__delitem__("stem.0.bias"),
    "one more": lambda state: state.update({"stem.9.bias": torch.zeros(1)}),
}


@pytest.mark.parametrize("what", FORGOTTEN)
def test_the_way_back_is_compared_tensor_for_tensor(what: str) -> None:
    variant = archdsl.find("convnext_tiny")
    shapes = {key: weight.shape for key, weight, _ in variant.graph.state()}
    theirs = export_keys(variant, {key: torch.ones(shape) for key, shape in shapes.items()}, "timm")
    ours = import_keys(variant, {key: tensor.clone() for key, tensor in theirs.items()}, "timm")
    assert check_conversion_back(variant, "timm", ours, theirs) == []
    FORGOTTEN[what](theirs)
    assert len(check_conversion_back(variant, "timm", ours, theirs)) == 1


# --- what a reference says -------------------------------------------------------------------------


def test_what_is_said_to_differ_has_to() -> None:
    """An exception that is none any more is found."""
    variant = archdsl.find("resnet18")
    reference = Reference("torchvision", "resnet18", {}, Comparison(differs=("macs",)), "once they did")
    result = compare(variant, reference, numbers=False)
    assert [(finding.check, finding.detail) for finding in result.findings] == [
        ("macs", "they are equal, though the reference says that they differ")
    ]


def test_a_tolerance_hides_no_error() -> None:
    theirs = libraries.reference_model("torchvision", "resnet18", device="meta")
    _set("eps", 1.1e-5, kind=nn.BatchNorm2d, nth=3)(theirs)
    variant = archdsl.find("resnet18")
    reference = Reference("torchvision", "resnet18", {}, Comparison(tolerance=1e-9), "to see")
    result = compare_models(variant, reference, theirs, variant.empty())
    assert {"settings", "outputs", "training"} <= {finding.check for finding in result.findings}


def test_networks_as_they_are_initialized_are_refused() -> None:
    """The reason for randomising: as torchvision initialises it, EfficientNet-B0's logits hardly vary at all."""
    fresh = libraries.import_torchvision().models.efficientnet_b0().eval()
    with pytest.raises(Meaningless, match="hardly vary"):
        output_difference(fresh, copy.deepcopy(fresh), 96)


class Two(NamedTuple):
    b: Tensor
    a: Tensor


def test_outputs_of_every_form() -> None:
    """Of a network that returns several tensors each is compared; one that returns something else says nothing."""
    one, two = torch.zeros(1), torch.ones(1)
    named = Two(one, two)
    assert list(outputs(one)) == ["logits"]
    assert list(outputs(named)) == list(outputs({"b": one, "a": two, "c": None})) == ["a", "b"]
    assert list(outputs((one, two))) == list(outputs([one, two])) == ["0", "1"]
    for odd in ("text", [[one], two], {"a": [one]}, None, ()):
        with pytest.raises(Meaningless):
            outputs(odd)
