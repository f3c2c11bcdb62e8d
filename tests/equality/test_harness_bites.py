"""The comparisons notice planted errors: each mutation changes one thing of a torchvision model.

Without this a comparison that always says "equal" would look like success.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.equality import reference

SIZE = 96
# What the comparisons between libraries allow where an equal order of operations is impossible. The torchvision
# families are held to 0.
TOLERANCE = 1e-6

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


def _no_layer_scale(model: nn.Module) -> None:
    model.get_parameter("features.5.3.layer_scale").data.fill_(1.0)


def _no_skip(model: nn.Module) -> None:
    model.get_submodule("features.6.2").use_res_connect = False  # type: ignore[assignment]


MUTATIONS: dict[str, dict[str, Mutation]] = {
    "resnet50": {
        "bn eps": _set("eps", 1e-3, kind=nn.BatchNorm2d, nth=20),
        "stride on conv1": _stride_on_first_convolution,
        "an activation negated": _hook("layer3.2.bn1", torch.neg),
        "maxpool without padding": _replace("maxpool", nn.MaxPool2d(3, 2, 0, ceil_mode=True)),
        "average for max pooling": _replace("maxpool", nn.AvgPool2d(3, 2, 1)),
        "replicating padding": _set("padding_mode", "replicate", kind=nn.Conv2d, nth=9),
        "a residual branch left out": _hook("layer3.4.bn3", torch.zeros_like),
        "shortcut without norm": _replace("layer2.0.downsample.1", nn.Identity()),
        "a block left out": _replace("layer3.5", nn.Identity()),
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
        "layer scale left out": _no_layer_scale,
        "GELU by tanh": _replace("features.5.3.block.4", nn.GELU("tanh")),
        "ReLU for GELU": _replace("features.5.3.block.4", nn.ReLU()),
        "a block left out": _replace("features.5.4", nn.Identity()),
        "dilation": lambda m: [
            _set("dilation", (2, 2), kind=nn.Conv2d, nth=1)(m),
            _set("padding", (6, 6), kind=nn.Conv2d, nth=1)(m),
        ],
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


@pytest.fixture(scope="module", params=MUTATIONS)
def randomized(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    name: str = request.param
    return name, reference.randomize(reference.reference_model("torchvision", name), size=SIZE)


def test_every_planted_error_shows_in_the_outputs(randomized: tuple[str, nn.Module]) -> None:
    name, model = randomized
    differences = {}
    for mutation, mutate in MUTATIONS[name].items():
        mutated = copy.deepcopy(model)
        mutate(mutated)
        differences[mutation] = reference.compare(model, mutated, SIZE)
    assert {mutation: d for mutation, d in differences.items() if d <= TOLERANCE} == {}


def test_equal_models_do_not_differ(randomized: tuple[str, nn.Module]) -> None:
    _, model = randomized
    assert reference.compare(model, copy.deepcopy(model), SIZE) == 0.0
    expected = reference.train_step(copy.deepcopy(model), SIZE)
    actual = reference.train_step(copy.deepcopy(model), SIZE)
    assert all(torch.equal(actual[key], expected[key]) for key in expected)


# What outputs cannot show (or hardly), the structural comparisons must.
@pytest.mark.parametrize(
    ("name", "mutate"),
    [
        pytest.param("convnext_tiny", _set("eps", 1e-5, kind=nn.LayerNorm, nth=3), id="layer norm eps"),
        pytest.param("efficientnet_b0", _set("momentum", 0.01, kind=nn.BatchNorm2d, nth=3), id="bn momentum"),
        pytest.param("resnet18", _set("groups", 2, kind=nn.Conv2d, nth=3), id="groups"),
    ],
)
def test_settings_differ(name: str, mutate: Mutation) -> None:
    model = reference.reference_model("torchvision", name, device="meta")
    expected = reference.settings(model)
    mutate(model)
    assert reference.settings(model) != expected


@pytest.mark.parametrize(
    ("name", "mutate"),
    [
        pytest.param("convnext_tiny", _replace("features.5.3.block.4", nn.GELU("tanh")), id="gelu"),
        pytest.param("resnet18", _replace("maxpool", nn.MaxPool2d(3, 2, 1, ceil_mode=True)), id="ceil_mode"),
        pytest.param("efficientnet_b0", _no_skip, id="skip"),
        pytest.param("efficientnet_b0", _replace("features.2.0.block.0.2", nn.Identity()), id="activation"),
    ],
)
def test_operations_differ(name: str, mutate: Mutation) -> None:
    model = reference.reference_model("torchvision", name, device="meta")
    expected = reference.operations(model, SIZE)
    mutate(model)
    assert reference.operations(model, SIZE) != expected


@pytest.mark.parametrize("name", ["convnext_tiny", "efficientnet_b0"])
def test_drop_rates_differ(name: str) -> None:
    model = reference.reference_model("torchvision", name, device="meta")
    expected = reference.drop_rates(model, SIZE)
    module, attribute = list(reference.drop_modules(model))[4]
    setattr(module, attribute, getattr(module, attribute) + 0.01)
    assert len(expected) > 5
    assert reference.drop_rates(model, SIZE) != expected


def test_randomize_keeps_signals_alive() -> None:
    """The reason for randomising: as torchvision initialises it, EfficientNet-B0's logits hardly vary at all."""
    fresh = reference.import_torchvision().models.efficientnet_b0().eval()
    with pytest.raises(AssertionError, match="hardly vary"):
        reference.compare(fresh, fresh, SIZE)
