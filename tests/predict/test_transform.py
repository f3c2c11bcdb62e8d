"""`variant.transform`: preprocessing as a callable equals torchvision's and timm's, on pictures and on pixels."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import archdsl
from archdsl import api
from archdsl.diagnostics.core import ArchError
from archdsl.graph.settings import Preprocess
from archdsl.source import Source
from archdsl.transform import Transform
from tests import libraries

PLAIN = """
model Plain(channels: int = 3) = image(channels, 20, 28) -> gap -> flatten -> fc: linear(5)
variant plain = Plain()
variant many  = Plain(13)
"""
SAID = "preprocess plain { mean = [0.5, 0.4, 0.3], std = [0.2, 0.3, 0.4] }\n"


def opened(text: str, name: str = "plain") -> api.Variant:
    return api.open_source(Source("plain.arch", text))[name]


@pytest.fixture(params=["cat", "coffee"])
def picture(request: pytest.FixtureRequest, pictures: dict[str, Path]) -> Image.Image:
    with Image.open(pictures[request.param]) as image:
        image.load()
    return image


@pytest.mark.parametrize(
    ("ours", "weights"),
    [
        ("resnet50", "ResNet50_Weights.IMAGENET1K_V2"),
        ("convnext_small", "ConvNeXt_Small_Weights.IMAGENET1K_V1"),
        ("mobilenet_v2", "MobileNet_V2_Weights.IMAGENET1K_V2"),
        ("regnet_y_128gf", "RegNet_Y_128GF_Weights.IMAGENET1K_SWAG_E2E_V1"),
    ],
)
def test_torchvisions(ours: str, weights: str, picture: Image.Image) -> None:
    libraries.import_torchvision()
    from torchvision import models

    owner, name = weights.split(".")
    theirs = getattr(models, owner)[name].transforms()
    found = archdsl.find(ours).transform(picture)
    assert torch.equal(found, theirs(picture.convert("RGB")))


@pytest.mark.parametrize("name", ["tf_efficientnet_lite1", "resnet101d", "regnety_640", "resnetv2_152x4_bit"])
def test_timms(name: str, picture: Image.Image) -> None:
    libraries.import_torchvision()
    import timm

    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    theirs = timm.data.create_transform(**config, is_training=False)
    assert torch.equal(archdsl.find(name).transform(picture), theirs(picture.convert("RGB")))


@pytest.mark.parametrize(("size", "crop"), [(384, 1.0), (288, 0.95)])
def test_squash_is_timms(size: int, crop: float, picture: Image.Image) -> None:
    """As timm evaluates its ConvNeXts for 384 pixels: nothing of the picture is lost, its proportions are."""
    libraries.import_torchvision()
    import timm

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    theirs = timm.data.create_transform(
        (3, size, size),
        is_training=False,
        crop_pct=crop,
        crop_mode="squash",
        interpolation="bicubic",
        mean=mean,
        std=std,
    )
    settings = Preprocess(size=size, crop=crop, squash=True, interpolation="bicubic", mean=mean, std=std)
    assert torch.equal(Transform(settings, (size, size))(picture), theirs(picture.convert("RGB")))


def test_squash_of_a_spec(picture: Image.Image) -> None:
    found = opened(PLAIN + SAID.replace("mean", "squash = true, crop = 0.5, mean")).transform
    assert found.resized == (40, 56)
    assert found(picture).shape == (3, 20, 28)
    assert not torch.equal(found(picture), opened(PLAIN + SAID).transform(picture))


def test_pixels_are_the_picture_that_has_them(picture: Image.Image) -> None:
    """Torch's and numpy's pixels, in any order of memory, alone and in batches and lists."""
    transform = archdsl.find("resnet18").transform
    image = picture.convert("RGB")
    expected = transform(image)
    rows = np.asarray(image)
    pixels = torch.tensor(rows).permute(2, 0, 1)
    turned = np.ascontiguousarray(rows[::-1, :, ::-1])[::-1, :, ::-1]  # BGR and upside down, seen from the other end
    for form in (pixels, pixels.contiguous(), rows, rows.transpose(2, 0, 1), turned):
        assert torch.equal(transform(form), expected)
    both = torch.stack([expected, transform(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))])
    for several in (torch.stack([pixels, pixels.flip(2)]), np.stack([rows, rows[:, ::-1]]), [rows, pixels.flip(2)]):
        assert torch.equal(transform(several), both)
    assert transform([image]).shape == (1, 3, 224, 224)


def test_any_number_of_channels() -> None:
    """Thirteen channels are resized one by one, as the grey pictures that they are."""
    means = ", ".join(["0.5"] * 13)
    said = f"preprocess many {{ mean = [{means}], std = [{means}], crop = 0.8 }}\n"
    transform = opened(PLAIN + said, "many").transform
    pixels = torch.randint(0, 256, (13, 50, 41), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = transform(pixels)
    assert found.shape == (13, 20, 28)
    grey = Transform(transform.settings.model_copy(update={"mean": (0.5,), "std": (0.5,)}), transform.size, 1)
    for channel in (0, 7, 12):
        assert torch.equal(found[channel], grey(Image.fromarray(pixels[channel].numpy()))[0])
    with pytest.raises(ValueError, match="13 channels"):
        transform(Image.new("RGB", (50, 40)))


def test_repr_and_pickle(picture: Image.Image) -> None:
    transform = archdsl.find("resnet50").transform
    assert repr(transform) == (
        "<archdsl transform: resize shorter side to 232 (bilinear) → crop the central 224 × 224 → normalize 3 channels "
        "from 0..1 by mean 0.485 0.456 0.406, std 0.229 0.224 0.225>"
    )
    again = pickle.loads(pickle.dumps(transform))
    assert again == transform
    assert torch.equal(again(picture), transform(picture))


class Pictures(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(self, transform: Transform, colours: list[str]) -> None:
        self.transform, self.colours = transform, colours

    def __len__(self) -> int:
        return len(self.colours)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.new("RGB", (60, 50), self.colours[index]))


@pytest.mark.slow
def test_workers_that_are_spawned() -> None:
    pictures = Pictures(opened(PLAIN + SAID).transform, ["red", "blue"])
    loader = torch.utils.data.DataLoader(pictures, batch_size=2, num_workers=1, multiprocessing_context="spawn")
    (batch,) = loader
    assert torch.equal(batch, torch.stack([pictures[0], pictures[1]]))


def test_the_image_that_was_asked_for() -> None:
    """`size` is what the weights were evaluated at; who asks for another image gets pictures of that size, the crop
    keeping its share."""
    resnet = archdsl.find("resnet18")
    assert resnet.for_image(channels=3).transform == resnet.transform
    smaller = resnet.for_image(size=112).transform
    assert (smaller.resized, smaller.size) == ((128,), (112, 112))
    wide = resnet.for_image(size=(64, 96)).transform
    assert (wide.resized, wide.size) == ((109,), (64, 96))
    assert resnet.features().transform == resnet.transform


def test_the_image_that_was_asked_for_where_the_spec_says_no_size() -> None:
    """`resize` is of the spec's own image, 28 here: the crop keeps 28/35 of it, of larger images, too."""
    said = SAID.replace("{", "{ resize = 35,")
    row = '\nweights own for plain { v1: file = "a.pth", mean = [0.1, 0.2, 0.3] }\n'
    plain = opened(PLAIN + said + row)
    for side, resized in ((28, 35), (14, 17), (56, 70)):
        there = plain.for_image(size=side)
        assert (there.transform.resized, there.transform.size) == ((resized,), (side, side))
        assert there.weights["v1"].transform.resized == (resized,)
        assert there.for_image(channels=3).transform.resized == (resized,)
    small = opened(PLAIN + said.replace("35", "27"))
    with pytest.raises(ArchError, match="at least the side of the crop"):
        _ = small.for_image(size=56).transform


def test_what_is_refused() -> None:
    with pytest.raises(ArchError) as caught:
        _ = opened(PLAIN).transform
    assert caught.value.diagnostics[0].code == "E609"
    with pytest.raises(ArchError) as caught:
        _ = archdsl.find("resnet18").for_image(1).transform
    (error,) = caught.value.diagnostics
    assert (error.code, error.span and error.span.text) == ("E302", "[0.485, 0.456, 0.406]")
    assert "`mean` and `std` of 1" in (error.help or "")
    transform = opened(PLAIN + SAID).transform
    wrong: list[tuple[Any, type[Exception], str]] = [
        ("cat.png", TypeError, "a picture of Pillow"),
        (None, TypeError, "a picture of Pillow"),
        ([], ValueError, "empty"),
        (torch.zeros(3, 30, 30), TypeError, "float32"),
        (np.zeros((30, 30, 3)), TypeError, "float64"),
        (torch.zeros(30, 30, 3, dtype=torch.uint8), ValueError, "30×30×3"),
        (torch.zeros(30, 30, dtype=torch.uint8), ValueError, "30×30"),
        (np.zeros((30, 30), np.uint8), ValueError, "30×30"),
        (np.zeros((3, 30, 3), np.uint8), ValueError, "may be"),
        (torch.zeros(3, 0, 30, dtype=torch.uint8), ValueError, "3×0×30"),
        (Image.new("RGB", (1, 9_000_000)), ValueError, "pixels"),
        (Image.new("F", (30, 30)), ValueError, "white"),
    ]
    for picture, error, words in wrong:
        with pytest.raises(error, match=words):
            transform(picture)
