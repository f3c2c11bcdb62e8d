"""EfficientNet with TensorFlow's padding equals timm's (tf_), bit for bit, and so do Lite networks.

Expected values are timm's own models.
"""

from __future__ import annotations

import pytest
from torch import nn

from tests.equality import checks, ours, reference

# timm's default is no dropout; the rates are those of the authors' code (efficientnet_builder.py).
DROPOUT = {"b0": 0.2, "b1": 0.2, "b2": 0.3, "b3": 0.3, "b4": 0.4, "b5": 0.4, "b6": 0.5, "b7": 0.5, "b8": 0.5, "l2": 0.5}
VARIANTS = [f"tf_efficientnet_{size}" for size in DROPOUT]
# The same blocks, more of them: names, shapes and settings tell all there is to compare.
DEEPER = VARIANTS[4:]
LITE = [f"lite{number}" for number in range(5)]


def reference_model(variant: str, device: str = "cpu", drops: bool = True) -> nn.Module:
    rate = DROPOUT[variant.rpartition("_")[2]]
    rates = {"drop_rate": rate, "drop_path_rate": 0.2} if drops else {}
    return reference.reference_model("timm", variant, device=device, **rates)


class TestStructure(checks.Structure):
    # timm writes SAME padding at stride 1 as a number, ours computes it: test_outputs compares.
    EXCEPT = frozenset({"padding"})

    @pytest.fixture(scope="class", params=[variant for variant in VARIANTS if variant not in DEEPER])
    @classmethod
    def variant(cls, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls, variant: str) -> checks.Pair:
        return reference_model(variant, "meta"), ours.empty_model("efficientnet_tf", variant)

    @pytest.fixture
    def dropout(self, variant: str) -> float:
        """timm calls the classifier's dropout as a function, so that it is not among its modules."""
        return DROPOUT[variant.rpartition("_")[2]]

    def test_drop_rates(self, pair: checks.Pair, dropout: float) -> None:  # type: ignore[override]
        theirs, mine = pair
        expected = [*reference.drop_rates(theirs, self.SIZE), dropout]
        assert reference.drop_rates(mine, self.SIZE) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("variant", DEEPER)
def test_state_dict_of_the_deeper(variant: str) -> None:
    mine = ours.empty_model("efficientnet_tf", variant)
    assert reference.state(mine) == reference.state(reference_model(variant, "meta"))


def test_operations() -> None:
    # timm pads before every strided convolution, ours only where the padding is not the same on both sides.
    pair = reference_model("tf_efficientnet_b1", "meta"), ours.empty_model("efficientnet_tf", "tf_efficientnet_b1")
    checks.assert_same_operations(pair, ignored=("constant_pad_nd", "convolution"))


@pytest.mark.parametrize("variant", ["tf_efficientnet_b0", "tf_efficientnet_b2"])
def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference_model(variant))
    mine = ours.with_state_of(theirs, "efficientnet_tf", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    theirs = reference.randomize(reference_model("tf_efficientnet_b0", drops=False))
    mine = ours.with_state_of(theirs, "efficientnet_tf", "tf_efficientnet_b0", copy=True)
    checks.assert_same_training_step(theirs, mine)


class TestLite(checks.Structure):
    EXCEPT = frozenset({"padding"})

    @pytest.fixture(scope="class", params=LITE)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant = f"tf_efficientnet_{request.param}"
        theirs = reference.reference_model("timm", variant, device="meta", drop_path_rate=0.2)
        return theirs, ours.empty_model("efficientnet_tf", variant, dropout_rate=0.0)


def test_outputs_of_lite() -> None:
    theirs = reference.randomize(reference.reference_model("timm", "tf_efficientnet_lite1"))
    mine = ours.with_state_of(theirs, "efficientnet_tf", "tf_efficientnet_lite1")
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}
