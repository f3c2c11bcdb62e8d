"""Pretrained weights in a network of other classes, for other images, and in the part that gives feature maps.

Expected values are timm's own: `adapt_input_conv` through its pretrained loading, and its feature extractors.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.verify.randomize import randomize
from tests import libraries

IMAGE = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def timm_model(name: str, **options: Any) -> nn.Module:
    return randomize(libraries.reference_model("timm", name, **options))


def saved(model: nn.Module, folder: Path, **changes: Tensor | None) -> Path:
    """A file with a model's weights, some of them changed, or left out (None)."""
    path = folder / "weights.pth"
    state = {**model.state_dict(), **{key.replace("/", "."): value for key, value in changes.items()}}
    torch.save({key: value for key, value in state.items() if value is not None}, path)
    return path


def codes(path: Path, spec: str, **options: Any) -> list[str]:
    with pytest.raises(ArchError) as raised:
        archdsl.load(spec, weights=path, **options)
    return [d.code for d in raised.value.diagnostics]


# --- images of other channels ----------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize(("spec", "key"), [("resnet18", "conv1.weight"), ("resnet18d", "conv1.0.weight")])
def test_first_layer_as_timm_adapts_it(spec: str, key: str, channels: int, tmp_path: Path) -> None:
    theirs = timm_model(spec)
    from timm.models import adapt_input_conv  # torchvision is there by now

    mine = archdsl.load(spec, in_channels=channels, weights=saved(theirs, tmp_path))
    wanted = {**theirs.state_dict(), key: adapt_input_conv(channels, theirs.state_dict()[key].clone())}
    assert [k for k, value in mine.state_dict().items() if not torch.equal(value, wanted[k])] == []


SMALL = """
model Net(classes: int = 3) = image(3, 8, 8) -> stem: [conv(2, 3), bn, relu] -> gap -> flatten -> fc: linear(classes)
variant net = Net()
"""


def small(folder: Path, kernel: Tensor) -> tuple[Path, Path]:
    """A spec, and a file of it with a kernel of these numbers for each of three channels (broadcast)."""
    spec = folder / "net.arch"
    spec.write_text(SMALL, encoding="utf-8")
    state = {**archdsl.load(spec, dtype=kernel.dtype).state_dict()}
    state["stem.0.weight"] = kernel.reshape(1, -1, 1, 1).expand(2, 3, 3, 3).clone()
    torch.save(state, folder / "w.pth")
    return spec, folder / "w.pth"


@pytest.mark.parametrize(("numbers", "stored", "dtype", "total"), [
    ([30000.0], torch.float16, None, 90000.0),
    ([1, 1 / 256, 1], torch.bfloat16, None, 2.00390625),
    ([1.0000000001], torch.float64, torch.float64, sum([1.0000000001] * 3)),
    ([1.0000000001], torch.float32, torch.float64, 3.0),
    ([1e38, 1e38, -1e38], torch.float64, None, 1e38),
])  # fmt: skip
def test_a_sum_over_channels_is_rounded_once(
    numbers: list[float], stored: torch.dtype, dtype: torch.dtype | None, total: float, tmp_path: Path
) -> None:
    spec, path = small(tmp_path, torch.tensor(numbers, dtype=stored))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        kernel = archdsl.load(spec, in_channels=1, weights=path, dtype=dtype).stem[0].weight
    assert torch.equal(kernel, torch.full_like(kernel, total))
    notes = " ".join(str(note.message) for note in said)
    assert ("became float32, for 1 channel: reckoned in float64, and rounded once" in notes) == (dtype is None)


@pytest.mark.parametrize(("number", "stored", "dtype", "channels", "said", "wider"), [
    (1e300, torch.float64, None, 1, "3e+300", "dtype=torch.float64"),
    (3e38, torch.float32, None, 1, "9e+38", "dtype=torch.float64"),
    (3e38, torch.float32, None, 2, "4.5e+38", "dtype=torch.float64"),
    (30000, torch.float16, torch.float16, 1, "90000", "dtype=torch.float64"),
    (1e308, torch.float64, torch.float64, 1, "inf", "no dtype holds it"),
])  # fmt: skip
def test_a_sum_that_is_infinite_is_an_error(
    number: float, stored: torch.dtype, dtype: torch.dtype | None, channels: int, said: str, wider: str, tmp_path: Path
) -> None:
    spec, path = small(tmp_path, torch.tensor([number], dtype=stored))
    with pytest.raises(ArchError) as raised:
        archdsl.load(spec, in_channels=channels, weights=path, dtype=dtype)
    (found,) = raised.value.diagnostics
    assert found.code == "E508"
    assert f"`stem.0.weight` holds {said} for" in found.message
    assert wider in (found.help or "")


@pytest.mark.parametrize(("stored", "wanted"), [(13, 3), (13, 1), (13, 2), (13, 26), (4, 3), (5, 4), (1, 3), (2, 5)])
def test_kernels_of_any_number_of_channels(stored: int, wanted: int, tmp_path: Path) -> None:
    """An image whose channels are all equal gives what it gave; each channel counts alike."""
    theirs = archdsl.load("resnet18", in_channels=stored).eval()
    with pytest.warns(archdsl.WeightsNote, match=f"is for {stored} channels, not the 3 of the spec"):
        mine = archdsl.load("resnet18", in_channels=wanted, weights=saved(theirs, tmp_path)).eval()
    assert mine.conv1.weight.shape == (64, wanted, 7, 7)
    grey = torch.randn(2, 1, 33, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(
            mine.conv1(grey.expand(-1, wanted, -1, -1)), theirs.conv1(grey.expand(-1, stored, -1, -1))
        )
    assert all(torch.equal(mine.conv1.weight[:, 0], mine.conv1.weight[:, channel]) for channel in range(wanted))
    found = mine.state_dict()
    others = {key for key, value in theirs.state_dict().items() if not torch.equal(value, found[key])}
    assert others <= {"conv1.weight"}


BANDS = """
model Net(classes: int = 3) = image(13, 8, 8) -> stem: [conv(2, 3), bn, relu] -> gap -> flatten -> fc: linear(classes)
variant net = Net()
"""


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_a_spec_of_thirteen_channels(channels: int, tmp_path: Path) -> None:
    """Its own file for fewer channels; a colour picture's file for it, as timm does that."""
    from timm.models import adapt_input_conv

    spec = tmp_path / "bands.arch"
    spec.write_text(BANDS, encoding="utf-8")
    own = archdsl.load(spec).state_dict()
    fewer = archdsl.load(spec, in_channels=channels, weights=saved(archdsl.load(spec), tmp_path)).stem[0].weight
    assert fewer.shape == (2, channels, 3, 3)
    colours = archdsl.load(spec, in_channels=3)
    with pytest.warns(archdsl.WeightsNote, match="for 3 channels, not the 13"):
        many = archdsl.load(spec, in_channels=13, weights=saved(colours, tmp_path)).stem[0].weight
    assert torch.equal(many, adapt_input_conv(13, colours.stem[0].weight.detach().clone()))
    assert own["stem.0.weight"].shape == (2, 13, 3, 3)


def test_other_channels_that_nobody_asked_for_are_an_error(tmp_path: Path) -> None:
    path = saved(archdsl.load("resnet18", in_channels=5), tmp_path)
    assert codes(path, "resnet18") == ["E503"]
    assert archdsl.load("resnet18", in_channels=5, weights=path).conv1.weight.shape[1] == 5


# --- other classes ---------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "path"), [("resnet18", "fc"), ("mobilenetv3_small_050", "classifier")])
def test_a_classifier_of_another_size_is_new(spec: str, path: str, tmp_path: Path) -> None:
    theirs = timm_model(spec)
    torch.manual_seed(1)
    mine = archdsl.load(spec, classes=7, weights=saved(theirs, tmp_path))
    wanted = theirs.state_dict()
    different = [k for k, v in mine.state_dict().items() if k not in (f"{path}.weight", f"{path}.bias")]
    assert all(torch.equal(mine.state_dict()[key], wanted[key]) for key in different)
    torch.manual_seed(1)
    fresh = archdsl.find(spec).override({"classes": 7}).new_classifiers()[path]
    assert torch.equal(mine.get_submodule(path).weight, fresh.weight)
    assert float(fresh.weight.detach().std()) > 0


def test_a_new_classifier_is_initialized_as_the_spec_says() -> None:
    """MobileNet v3's reference draws it from N(0, 0.01) and sets its bias to zero."""
    layer = archdsl.load("mobilenet_v3_small", classes=500)
    layer.reset_classifier(400)
    fresh = layer.classifier[3]
    assert fresh.weight.shape == (400, 1024)
    assert float(fresh.weight.detach().std()) == pytest.approx(0.01, rel=0.02)
    assert not fresh.bias.any()


def test_only_the_classifier_may_be_absent_and_only_where_classes_are_given(tmp_path: Path) -> None:
    theirs = timm_model("resnet18")
    path = saved(theirs, tmp_path, **{"fc/weight": None, "fc/bias": None})
    assert codes(path, "resnet18") == ["E501", "E501"]
    assert archdsl.load("resnet18", classes=10, weights=path).fc.weight.shape[0] == 10
    path = saved(theirs, tmp_path, **{"layer1/0/conv1/weight": None})
    assert codes(path, "resnet18", classes=10) == ["E501"]
    path = saved(theirs, tmp_path, **{"layer1/0/conv1/weight": torch.zeros(3)})
    assert codes(path, "resnet18", classes=10) == ["E503"]
    path = saved(theirs, tmp_path, more=torch.zeros(3))
    assert codes(path, "resnet18", classes=10) == ["E502"]


def test_a_classifier_that_fits_is_taken_from_the_file(tmp_path: Path) -> None:
    theirs = timm_model("resnet18", num_classes=10)
    mine = archdsl.load("resnet18", classes=10, weights=saved(theirs, tmp_path))
    assert torch.equal(mine.fc.weight, theirs.fc.weight)


@pytest.mark.parametrize(("changes", "classes"), [
    ({"fc/weight": torch.ones(7, 512)}, 1000),
    ({"fc/weight": torch.ones(7, 512), "fc/bias": None}, 7),
    ({"fc/bias": torch.ones(7)}, 1000),
    ({"fc/weight": None}, 1000),
])  # fmt: skip
def test_a_classifier_is_taken_or_new_as_a_whole(
    changes: dict[str, Tensor | None], classes: int, tmp_path: Path
) -> None:
    path = saved(timm_model("resnet18"), tmp_path, **changes)
    torch.manual_seed(1)
    mine = archdsl.load("resnet18", classes=classes, weights=path)
    torch.manual_seed(1)
    fresh = archdsl.find("resnet18").override({"classes": classes}).new_classifiers()["fc"]
    assert torch.equal(mine.fc.weight, fresh.weight)
    assert torch.equal(mine.fc.bias, fresh.bias)


def test_auxiliary_heads_get_new_classifiers_too(tmp_path: Path) -> None:
    theirs = libraries.reference_model("torchvision", "googlenet", aux_logits=True, init_weights=False)
    path = saved(randomize(theirs), tmp_path)
    mine = archdsl.load("googlenet", aux_heads=True, classes=5, weights=path)
    assert (mine.fc.out_features, mine.aux1.fc2.out_features, mine.aux2.fc2.out_features) == (5, 5, 5)
    assert torch.equal(mine.aux1.fc1.weight, theirs.aux1.fc1.weight)
    mine.reset_classifier(3)
    assert [tuple(output.shape) for output in mine.eval()(torch.randn(1, 3, 64, 64))] == [(1, 3)] * 3


# --- feature maps ----------------------------------------------------------------------------

TIMM = [
    ("resnet18", None, (0, 1, 2, 3, 4)),
    ("resnet18d", ["layer2", "layer4"], (2, 4)),
    ("mobilenetv2_100", None, (0, 1, 2, 3, 4)),
    ("mobilenetv3_small_050", ["blocks.0", "blocks.1", "blocks.3"], (1, 2, 3)),
    ("seresnet18", None, (0, 1, 2, 3, 4)),
    ("inception_v3", ["Mixed_5", "Mixed_6", "Mixed_7"], (2, 3, 4)),
]


@pytest.mark.parametrize(("spec", "names", "indices"), TIMM, ids=[spec for spec, _, _ in TIMM])
def test_feature_maps_as_timm_gives_them(
    spec: str, names: list[str] | None, indices: tuple[int, ...], tmp_path: Path
) -> None:
    theirs = timm_model(spec)
    path = saved(theirs, tmp_path)
    extractor = libraries.reference_model("timm", spec, features_only=True, out_indices=indices)
    assert extractor.load_state_dict(theirs.state_dict(), strict=False).missing_keys == []
    mine = archdsl.load(spec, features=True if names is None else names, weights=path).eval()
    image = IMAGE if spec != "inception_v3" else torch.randn(1, 3, 97, 97, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, actual = extractor.eval()(image), mine(image)
    assert mine.feature_info.channels() == extractor.feature_info.channels()
    assert mine.feature_info.reduction() == extractor.feature_info.reduction()
    assert len(actual) == len(expected)
    for value, wanted in zip(actual.values(), expected, strict=True):
        assert torch.equal(value, wanted)
    assert list(actual) == mine.feature_info.names()


@pytest.mark.parametrize("spec", ["resnet18", "mobilenetv3_small_050", "convnextv2_atto"])
def test_features_and_head_as_timm_has_them(spec: str, tmp_path: Path) -> None:
    theirs = timm_model(spec)
    mine = archdsl.load(spec, weights=saved(theirs, tmp_path)).eval()
    assert (mine.num_features, mine.head_hidden_size) == (theirs.num_features, theirs.head_hidden_size)
    with torch.no_grad():
        features = mine.forward_features(IMAGE)
        assert torch.equal(features, theirs.forward_features(IMAGE))
        assert torch.equal(mine.forward_head(features, pre_logits=True), theirs.forward_head(features, pre_logits=True))
        assert torch.equal(mine.forward_head(features), theirs(IMAGE))
        assert torch.equal(mine(IMAGE), theirs(IMAGE))


def test_a_file_of_the_whole_network_is_checked_as_a_whole(tmp_path: Path) -> None:
    theirs = timm_model("resnet18")
    assert codes(saved(theirs, tmp_path, more=torch.zeros(1)), "resnet18", features=["layer1"]) == ["E502"]
    path = saved(theirs, tmp_path, **{"layer1/0/conv1/weight": None})
    assert codes(path, "resnet18", features=["layer2"]) == ["E501"]
    # What lies behind the last feature map may be missing or of another size.
    path = saved(theirs, tmp_path, **{"layer4/0/conv1/weight": None, "fc/weight": torch.zeros(3, 512)})
    archdsl.load("resnet18", features=["layer1", "layer2"], weights=path)


def test_a_part_s_own_file_loads_into_it(tmp_path: Path) -> None:
    part = archdsl.load("resnet18", features=["layer2"])
    again = archdsl.load("resnet18", features="layer2", weights=saved(part, tmp_path))
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in part.state_dict().items())
