"""DenseNet for CIFAR equals pytorchcv's, bit for bit."""

from __future__ import annotations

import pytest

import archdsl
from tests.equality import checks, ours, reference
from tests.equality.mapped import any_size

VARIANTS = (
    "densenet40_k12_cifar10 densenet100_k12_cifar10 densenet100_k24_cifar10 densenet40_k12_bc_cifar10 "
    "densenet40_k24_bc_cifar10 densenet40_k36_bc_cifar10 densenet100_k12_bc_cifar10 densenet190_k40_bc_cifar10 "
    "densenet250_k24_bc_cifar10"
).split()
ONE_EACH = ["densenet40_k12_cifar10", "densenet40_k12_bc_cifar10"]


def pair_of(variant: str, device: str = "cpu") -> checks.Pair:
    theirs = any_size(reference.reference_model("pytorchcv", variant, device=device), "features.final_pool")
    return theirs, ours.empty_model("densenet_cifar", variant)


class TestStructure(checks.Structure):
    SIZE = 33

    @pytest.fixture(scope="class", params=VARIANTS)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        return pair_of(request.param, "meta")


@pytest.mark.parametrize("variant", ONE_EACH)
def test_operations(variant: str) -> None:
    checks.assert_same_operations(pair_of(variant, "meta"), (32, 33))


@pytest.mark.parametrize("variant", ONE_EACH)
def test_outputs(variant: str) -> None:
    theirs, _ = pair_of(variant)
    reference.randomize(theirs, size=32)
    mine = ours.with_state_of(theirs, "densenet_cifar", variant)
    assert checks.output_differences(theirs, mine, (32, 33)) == {32: 0.0, 33: 0.0}


def test_training_step() -> None:
    theirs, _ = pair_of("densenet40_k12_bc_cifar10")
    reference.randomize(theirs, size=32)
    mine = ours.with_state_of(theirs, "densenet_cifar", "densenet40_k12_bc_cifar10", copy=True)
    checks.assert_same_training_step(theirs, mine, 32)


@pytest.mark.parametrize(
    ("variant", "millions"),
    [("densenet40_k12_cifar10", 1.0), ("densenet100_k12_cifar10", 7.0), ("densenet100_k24_cifar10", 27.2)],
)
def test_the_papers_networks_without_compression(variant: str, millions: float) -> None:
    """Table 2 of the paper: the parameters of DenseNets that are neither B nor C."""
    plain = archdsl.find("densenet_cifar", variant).override({"width": 16, "compression": 1.0})
    assert round(plain.graph.params / 1e6, 1) == millions
