"""Variants with other values for their parameters equal the libraries' models built with other arguments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archdsl
from archdsl.api import ArchFile
from archdsl.source import Source
from tests.equality import held


@pytest.mark.parametrize("width", [0.25, 0.75, 1.3])
def test_widths_of_mobilenet_v2(width: float) -> None:
    variant = held.variant("mobilenet_v2", "mobilenet_v2", width=width)
    result = held.against(variant, "torchvision", "mobilenet_v2", {"width_mult": width}, numbers=False)
    held.assert_equal(result, numbers=False)


def test_width_of_mobilenet_v3() -> None:
    variant = held.variant("mobilenet_v3", "mobilenet_v3_large", width=0.75)
    result = held.against(variant, "torchvision", "mobilenet_v3_large", {"width_mult": 0.75}, numbers=False)
    held.assert_equal(result, numbers=False)


def test_depth_of_a_preresnet_for_cifar() -> None:
    variant = held.variant("preresnet", "preresnet110_cifar10", layers=20)
    held.assert_equal(held.against(variant, "pytorchcv", "preresnet20_cifar10", {}, sizes=(32, 33)))


@pytest.mark.parametrize(
    ("family", "name", "rate"), [("resnet_d", "resnet50d", 0.05), ("convnext_v2", "convnextv2_nano", 0.3)]
)
def test_stochastic_depth(family: str, name: str, rate: float) -> None:
    """What A1 and A2 of ResNet strikes back change in the network; ConvNeXt V2's fine-tuning."""
    variant = held.variant(family, name, drop_path_rate=rate)
    held.assert_equal(
        held.against(variant, "timm", name, {"drop_path_rate": rate}, numbers=False, sizes=(65,)), numbers=False
    )


def test_the_convnext_xl_of_fewer_blocks_and_channels() -> None:
    """Too large to be chosen for its numbers."""
    short = {"depths": [1, 2, 2, 1], "dims": [16, 32, 64, 128]}
    variant = held.variant("convnext", "convnext_xlarge", **short)
    held.assert_equal(held.against(variant, "timm", "convnext_xlarge", {"drop_path_rate": 0.2, **short}))


def test_timms_names_of_a_network_of_torchvision() -> None:
    """timm's RegNetX-800MF is torchvision's under other names."""
    held.assert_equal(held.against(archdsl.find("regnet_x_800mf"), "timm", "regnetx_008", {}))


PYTORCHCV = {
    "seresnet50": "legacy_seresnet50",
    "seresnet101": "legacy_seresnet101",
    "seresnet152": "legacy_seresnet152",
    "senet154": "legacy_senet154",
}


@pytest.mark.parametrize("name", PYTORCHCV)
def test_pytorchcvs_squeeze_and_excitation(name: str) -> None:
    """pytorchcv's networks are the legacy ones but for a pool with padding, and dropout in one of them only.

    So its files are not for these: here its names are read by the map of those that are equal.
    """
    settings = {"pool": "maxpool(3, stride = 2)", "dropout_rate": "0.2" if name == "senet154" else "0.0"}
    path = Path("specs/senet.arch").absolute()
    text, count = re.subn(
        r"checkpoint pytorchcv for seresnet50b, [^{]*\{", "checkpoint pytorchcv for SENet {", path.read_text("utf-8")
    )
    assert count == 1
    file = ArchFile(Source(str(path.parent / "all.arch"), text))
    variant = file[PYTORCHCV[name]].set(settings)
    numbers = name == "seresnet50"
    held.assert_equal(held.against(variant, "pytorchcv", name, {}, numbers=numbers), numbers=numbers)
