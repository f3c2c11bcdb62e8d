"""What Python gives is a plain value behind the door, or an error that says what was expected."""

from __future__ import annotations

import enum
import itertools
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import archdsl
from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.predict import predict
from tests import libraries

CODE = "boom(); import os"


class Five(enum.IntEnum):
    FIVE = 5

    def __repr__(self) -> str:
        return CODE

    __str__ = __repr__


class Number(int):
    def __repr__(self) -> str:
        return CODE

    __str__ = __repr__

    def __format__(self, how: str) -> str:
        return CODE


class Float(float):
    __repr__ = __str__ = Number.__repr__


class Text(str):
    __repr__ = __str__ = Number.__repr__


class Hostile:
    def _raise(self, *arguments: object) -> Any:
        raise RuntimeError(CODE)

    __repr__ = __str__ = __index__ = __fspath__ = __len__ = __iter__ = __float__ = __bool__ = _raise


class HostileList(list[Any]):
    __iter__ = __len__ = Hostile._raise


class HostileTuple(tuple[Any, ...]):
    __iter__ = __len__ = Hostile._raise


class HostileDict(dict[str, Any]):
    items = __iter__ = __len__ = Hostile._raise


class Pairless(dict[str, Any]):
    def items(self) -> Any:
        return [1, 2]


class EndlessDict(dict[str, Any]):
    def items(self) -> Any:
        return ((f"n{i}", i) for i in itertools.count())


class HostileReal(numpy.float32):
    __float__ = Hostile._raise


class Path_:  # noqa: N801
    def __fspath__(self) -> bytes:
        return b"x"


OWN: list[Any] = []
OWN.append(OWN)
DEEP: list[Any] = []
WIDE: list[Any] = [1]
for _ in range(50):
    DEEP, WIDE = [DEEP], [WIDE, WIDE]

HOSTILE: dict[str, Any] = {
    "None": None,
    "True": True,
    "-7": -7,
    "10^18": 10**18,
    "10^5000": 10**5000,
    "nan": float("nan"),
    "inf": float("inf"),
    "1.5": 1.5,
    "empty": "",
    "nul": "a\0b",
    "surrogate": "\ud800",
    "long": "x" * 200_000,
    "bytes": b"x",
    "own": OWN,
    "deep": DEEP,
    "wide": WIDE,
    "endless": itertools.count(),
    "range": range(10**12),
    "generator": (i for i in [1]),
    "Number": Number(-5),
    "Float": Float(1.5),
    "Text": Text("x"),
    "Hostile": Hostile(),
    "HostileList": HostileList([1.5, 64]),
    "HostileTuple": HostileTuple([1.5, 64]),
    "HostileDict": HostileDict(classes=1),
    "Pairless": Pairless(classes=1),
    "EndlessDict": EndlessDict(classes=1),
    "HostileReal": HostileReal(0.5),
    "bytes path": Path_(),
    "array": numpy.arange(3),
    "float32": numpy.float32(0.5),
    "bool_": numpy.bool_(True),
    "tensor": torch.tensor(0.5),
    "class": int,
    "function": print,
    "dict": {"a": 1},
    "int dict": {1: "2"},
    "set": {1},
    "object": object(),
    "1j": 1j,
    "path": Path("no such"),
}

META = {"device": "meta"}
R18 = archdsl.find("resnet18")
CALLS: dict[str, Callable[[Any], object]] = {
    "open": archdsl.open,
    "find": archdsl.find,
    "find variant": lambda x: archdsl.find("resnet", x),
    "load": lambda x: archdsl.load(x, device="meta"),
    "load variant": lambda x: archdsl.load("resnet", x, device="meta"),
    "weights": lambda x: archdsl.load("resnet18", weights=x, device="meta"),
    "checkpoint": lambda x: archdsl.load("resnet18", weights="absent", checkpoint=x, device="meta"),
    "prefix": lambda x: archdsl.load("resnet18", weights="absent", prefix=x, device="meta"),
    "weights_set": lambda x: archdsl.load("resnet18", weights="absent", weights_set=x, device="meta"),
    "in_channels": lambda x: archdsl.load("resnet18", in_channels=x, device="meta"),
    "image_size": lambda x: archdsl.load("resnet18", image_size=x, device="meta"),
    "image_size sides": lambda x: archdsl.load("resnet18", image_size=(x, 64), device="meta"),
    "features": lambda x: archdsl.load("resnet18", features=x, device="meta"),
    "features member": lambda x: archdsl.load("resnet18", features=[x], device="meta"),
    "output_stride": lambda x: archdsl.load("resnet18", output_stride=x, device="meta"),
    "with_output_stride": lambda x: R18.with_output_stride(x).graph,
    "device": lambda x: archdsl.load("resnet18", device=x),
    "dtype": lambda x: archdsl.load("resnet18", dtype=x, device="meta"),
    "classes": lambda x: archdsl.load("resnet18", classes=x),
    "classes, empty": lambda x: R18.override({"classes": x}).empty(),
    "depths": lambda x: archdsl.load("resnet18", depths=x, device="meta"),
    "unknown": lambda x: archdsl.load("resnet18", clases=x, device="meta"),
    "override": R18.override,
    "set": R18.set,
    "set value": lambda x: R18.set({"classes": x}).graph,
    "for_image": lambda x: R18.for_image(x).graph,
    "for_image size": lambda x: R18.for_image(size=x).graph,
    "variant features": R18.features,
    "diff": R18.diff,
    "drawing": R18.drawing,
    "drawing options": lambda x: R18.drawing("overview", x),
    "drawing other": lambda x: R18.drawing("diff", None, x),
    "page": R18.page,
    "render": R18.drawing().render,
    "engine": lambda x: R18.drawing().render("svg", x),
    "file": lambda x: archdsl.open("squeezenet")[x],
    "new_classifiers": R18.new_classifiers,
    "reset_classifier": lambda x: archdsl.load("resnet18", device="meta").reset_classifier(x),
    "reset_classifier pool": lambda x: archdsl.load("resnet18", device="meta").reset_classifier(0, x),
    "save model": lambda x: archdsl.save_pretrained(x, "absent/m"),
    "save labels": lambda x: archdsl.save_pretrained(archdsl.load("resnet18", device="meta"), "absent/m", labels=x),
    "save license": lambda x: archdsl.save_pretrained(archdsl.load("resnet18", device="meta"), "absent/m", license=x),
    "save folder": lambda x: archdsl.save_pretrained(archdsl.load("resnet18", device="meta"), x),
    "from_pretrained": archdsl.from_pretrained,
    "from_pretrained revision": lambda x: archdsl.from_pretrained("absent", revision=x),
    "from_pretrained dtype": lambda x: archdsl.from_pretrained("absent", dtype=x),
    "push repo": lambda x: archdsl.push_to_hub(archdsl.load("resnet18", device="meta"), x),
    "timm spec": lambda x: (libraries.declare_operators(), archdsl.timm.register(x)),
    "timm prefix": lambda x: archdsl.timm.register("absent", prefix=x),
    "predict variant": lambda x: predict(x, "absent", []),
    "predict weights": lambda x: predict(LITE.override({"classes": 1000}), x, []),  # no default for what was set
    "predict images": lambda x: predict(LITE, "absent", x),
    "predict image": lambda x: predict(LITE, "absent", [x]),
    "predict checkpoint": lambda x: predict(LITE, "absent", [], x),
    "predict set": lambda x: predict(LITE, "absent", [], weights_set=x),
    "predict top": lambda x: predict(LITE, "absent", [], top=x),
    "predict batch": lambda x: predict(LITE, "absent", [], batch=x),
}
LITE = archdsl.find("efficientnet_lite0")

FINE = {
    ("weights", "None"),
    ("in_channels", "None"),
    ("image_size", "None"),
    ("features", "True"),
    ("features member", "Number"),  # there are five
    ("output_stride", "None"),
    ("device", "None"),
    ("dtype", "None"),
    ("for_image", "None"),
    ("for_image size", "None"),
    ("variant features", "None"),
    ("drawing options", "None"),
    ("page", "None"),
    ("new_classifiers", "None"),
    ("reset_classifier pool", "None"),
    ("reset_classifier pool", "empty"),
    ("timm spec", "None"),
}
"""What is no mistake."""


@pytest.mark.parametrize("call", CALLS)
def test_every_argument_of_every_function(call: str) -> None:
    """ArchError, or a TypeError or ValueError of our own, which does not print what the value says of itself."""
    for name, value in HOSTILE.items():
        if (call, name) in FINE:
            CALLS[call](value)
            continue
        with pytest.raises((ArchError, TypeError, ValueError)) as raised:
            CALLS[call](value)
        said = str(raised.value)
        assert CODE not in said, name
        assert len(said) < 2000, name
        last = traceback.extract_tb(raised.tb)[-1].filename
        assert "archdsl" in last, (name, said)


@pytest.mark.parametrize("value", [5, Five.FIVE, Number(5), numpy.int64(5), numpy.uint8(5), torch.tensor(5)], ids=type)
def test_whatever_is_a_whole_number(value: Any) -> None:
    variant = R18.override({"classes": value}).for_image(value, (value + 64, numpy.int32(64)))
    assert variant.graph.output_shape.dims == (5,)
    assert str(variant.graph.input_shape) == "5×69×64"
    assert CODE not in variant.source
    assert variant.source == R18.override({"classes": 5}).for_image(5, (69, 64)).source
    assert archdsl.load("resnet18", classes=value, device="meta").fc.out_features == 5


def test_only_values_of_pythons_own_come_through() -> None:
    given = [Number(3), [Float(0.5), numpy.float32(0.5)], (True, numpy.bool_(False)), Text("x"), range(2)]
    found = arguments.plain(given)
    assert found == (3, (0.5, 0.5), (True, False), "x", (0, 1))

    def types(value: Any) -> Any:
        return tuple(map(types, value)) if type(value) is tuple else type(value)

    assert types(found) == (int, (float, float), (bool, bool), str, (int, int))


def test_a_bool_is_no_number_and_a_number_no_bool() -> None:
    for parameters in ({"classes": True}, {"aux_heads": 1}):
        family = "googlenet" if "aux_heads" in parameters else "resnet18"
        with pytest.raises(ArchError):
            archdsl.load(family, device="meta", **parameters)


def test_numbers_choose_feature_maps_as_timms_do() -> None:
    """The map of stride 2, which has no stage here, counts: from both ends they agree."""
    libraries.import_torchvision()
    import timm

    for chosen in ([-2, -1], [-1, -3], [-4], [-5], [0, 2], [1], [4]):
        info = archdsl.load("resnet18", features=chosen, device="meta").feature_info
        theirs = timm.create_model("resnet18", features_only=True, out_indices=sorted(chosen)).feature_info
        assert info.channels() == theirs.channels()
        assert info.reduction() == theirs.reduction()
    assert archdsl.load("resnet18", features=["layer1", -1], device="meta").feature_info.names() == ["layer1", "layer4"]
    assert R18.features(range(1, 3)).names == ("layer1", "layer2")
    assert R18.features((numpy.int64(0), 0)).names == ("relu1",)


@pytest.mark.parametrize("number", [5, -6, 10**30])
def test_a_feature_map_that_is_not_there(number: int) -> None:
    with pytest.raises(ArchError) as raised:
        archdsl.load("resnet18", features=[-1, number], device="meta")
    (found,) = raised.value.diagnostics
    assert found.code == "E624"
    assert f"no feature map number {number}: it has 5" in found.message


def test_a_network_without_a_head_has_no_classes() -> None:
    for features in (True, ["layer1"], "layer1", [-1]):
        with pytest.raises(ArchError) as raised:
            archdsl.load("resnet18", features=features, classes=10, device="meta")
        assert [d.code for d in raised.value.diagnostics] == ["E625"]


def test_no_memory_is_said(tmp_path: Path) -> None:
    """360 GB: more than the machines have that tests run on, and within what a spec may ask for."""
    path = tmp_path / "net.arch"
    path.write_text("model Net = image(3, 4, 4) -> stem: conv(90_000, 1) -> gap -> flatten -> fc: linear(1_000_000)\n")
    with pytest.raises(ArchError) as raised:
        archdsl.load(path)
    (found,) = raised.value.diagnostics
    assert found.code == "E626"
    assert "90,001,360,000 parameters of `Net`, 360 GB" in found.message
