"""EfficientNetV2 equals torchvision's (S, M, L) and timm's with TensorFlow's padding, bit for bit.

Expected values are the libraries' own: their models, and what torchvision's weights declare.
"""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from tests.equality import checks, ours, reference

# timm's default is no dropout; the rates are those of the authors' code (effnetv2_configs.py, survival rate 0.8).
DROPOUT = {"s": 0.2, "m": 0.3, "l": 0.4, "xl": 0.4, "b0": 0.2, "b1": 0.2, "b2": 0.3, "b3": 0.3}
TORCHVISION = ["efficientnet_v2_s", "efficientnet_v2_m", "efficientnet_v2_l"]
TIMM = [f"tf_efficientnetv2_{size}" for size in DROPOUT]
# The same blocks, more of them: names and shapes tell all there is to compare.
DEEPER = "efficientnet_v2_m efficientnet_v2_l tf_efficientnetv2_m tf_efficientnetv2_l tf_efficientnetv2_xl".split()
ONE_EACH = ("efficientnet_v2_s", "tf_efficientnetv2_b0", "tf_efficientnetv2_b3")


def reference_model(variant: str, device: str = "cpu", drops: bool = True) -> nn.Module:
    if variant in TORCHVISION:
        return reference.reference_model("torchvision", variant, device=device)
    size = variant.rpartition("_")[2]
    rates: dict[str, Any] = {"drop_rate": DROPOUT[size], "drop_path_rate": 0.2} if drops else {}
    return reference.reference_model("timm", variant, device=device, **rates)


@pytest.fixture(scope="class", params=[v for v in (*TORCHVISION, *TIMM) if v not in DEEPER])
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="class")
def pair(variant: str) -> checks.Pair:
    return reference_model(variant, "meta"), ours.empty_model("efficientnet_v2", variant)


class TestStructure(checks.Structure):
    # timm writes SAME padding at stride 1 as a number, ours computes it: test_outputs compares.
    EXCEPT = frozenset({"padding"})

    def test_drop_rates(self, pair: checks.Pair) -> None:
        theirs, mine = pair
        expected = reference.drop_rates(theirs, self.SIZE)
        if isinstance(rate := getattr(theirs, "drop_rate", None), float):
            expected.append(rate)  # timm calls the classifier's dropout as a function
        assert reference.drop_rates(mine, self.SIZE) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("variant", DEEPER)
def test_state_dict_of_the_deeper(variant: str) -> None:
    mine = ours.empty_model("efficientnet_v2", variant)
    assert reference.state(mine) == reference.state(reference_model(variant, "meta"))


@pytest.mark.parametrize("variant", TORCHVISION)
def test_published_counts(variant: str) -> None:
    checks.assert_declared_by_torchvision(ours.empty_model("efficientnet_v2", variant), variant)


@pytest.mark.parametrize("variant", ONE_EACH, indirect=True)
def test_operations(pair: checks.Pair, variant: str) -> None:
    # timm pads before every strided convolution, ours only where the padding is not the same on both sides.
    checks.assert_same_operations(pair, ignored=() if variant in TORCHVISION else ("constant_pad_nd", "convolution"))


@pytest.mark.parametrize("variant", ONE_EACH[:2])
def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference_model(variant))
    mine = ours.with_state_of(theirs, "efficientnet_v2", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    theirs = reference.randomize(reference_model("tf_efficientnetv2_b0", drops=False))
    mine = ours.with_state_of(theirs, "efficientnet_v2", "tf_efficientnetv2_b0", copy=True)
    checks.assert_same_training_step(theirs, mine)
