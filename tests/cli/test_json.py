"""Every document of `--json` has the keys and types that `archdsl.cli.schema` declares, no more and no fewer."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from archdsl.cli.schema.common import VERSION, Document
from archdsl.cli.schema.differences import DiffDocument, StepsDocument
from archdsl.cli.schema.exploring import PlotDocument, ScaleDocument, SearchDocument, SweepDocument
from archdsl.cli.schema.specs import (
    BuildDocument,
    CheckDocument,
    DrawDocument,
    ExplainDocument,
    FmtDocument,
    FormattedJson,
    ListDocument,
    ShowDocument,
)
from archdsl.cli.schema.training import RecipeDocument
from archdsl.cli.schema.weights import PredictDocument, PredictionJson, WeightsDocument
from tests.cli.conftest import Run


def problems(value: Any, type_: Any, where: str = "document") -> list[str]:
    """Where a value is not of a type made of TypedDicts, lists, dicts, unions and plain types."""
    if is_typeddict(type_):
        hints = get_type_hints(type_)
        if not isinstance(value, dict) or set(value) != set(hints):
            return [f"{where}: {value!r} has not the keys {sorted(hints)}"]
        return [p for key, hint in hints.items() for p in problems(value[key], hint, f"{where}.{key}")]
    origin, args = get_origin(type_), get_args(type_)
    if origin is list:
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [p for i, item in enumerate(value) for p in problems(item, args[0], f"{where}[{i}]")]
    if origin is dict:
        return [p for key, item in value.items() for p in problems(item, args[1], f"{where}.{key}")]
    if origin is Literal:
        return [] if value in args else [f"{where} is {value!r}"]
    if origin in (Union, UnionType):
        return [] if any(not problems(value, arg, where) for arg in args) else [f"{where} is none of {args}: {value!r}"]
    return [] if type(value) is (NoneType if type_ is None else type_) else [f"{where} is a {type(value).__name__}"]


def test_the_check_bites() -> None:
    good = {"file": "a", "changed": True}
    assert problems(good, FormattedJson) == []
    assert problems({**good, "x": 1}, FormattedJson)
    assert problems({"file": "a"}, FormattedJson)
    assert problems({"file": None, "changed": True}, FormattedJson)
    assert problems({"path": "a", "classes": [{"label": "b", "probability": "c"}]}, PredictionJson)


@pytest.mark.parametrize(
    ("args", "document"),
    [
        ("build small.arch", BuildDocument),
        ("build small.arch --all -o - --no-proof", BuildDocument),
        ("check small.arch wrong.arch none.arch", CheckDocument),
        ("check", CheckDocument),
        ("show small.arch", ShowDocument),
        ("show small.arch:large", ShowDocument),
        ("show resnet50", ShowDocument),
        ("show small.arch --batch 2 --device t4", ShowDocument),
        ("draw small.arch:large", DrawDocument),
        ("draw small.arch:large -o -", DrawDocument),
        ("diff small.arch:small small.arch:small", DiffDocument),
        ("sweep small.arch:small --set width=2,4 --image 16,32x48", SweepDocument),
        ("sweep small.arch:small --set width=2,4 --costs", SweepDocument),
        ("scale efficientnet_b0", ScaleDocument),
        ("scale small.arch:small --along width --target params=1K", ScaleDocument),
        ("search resnet", SearchDocument),
        ("search efficientnet compound_grid --samples 2", SearchDocument),
        ("plot resnet18 -o -", PlotDocument),
        ("list", ListDocument),
        ("weights resnet50", WeightsDocument),
        ("recipe efficientnet_v2", RecipeDocument),
        ("recipe convnext imagenet22k", RecipeDocument),
        ("recipe convnext_roadmap original --diff resnet:original", RecipeDocument),
        ("recipe efficientnet_v2 code_m --as timm", RecipeDocument),
        ("recipe resnet v2 --as torchvision --devices 8", RecipeDocument),
        ("recipe resnet v2 --plot -o v2.svg", RecipeDocument),
        ("explain e101", ExplainDocument),
        ("fmt small.arch", FmtDocument),
        ("show wrong.arch", Document),
        ("build none.arch", Document),
        ("build small.arch --set clases=3", Document),
    ],
)
def test_document(arch: Run, args: str, document: Any) -> None:
    result = arch(*args.split(), "--json")
    assert problems(result.json, document) == []
    assert result.json["command"] == args.split()[0]
    assert result.json["version"] == VERSION
    assert result.json["ok"] == (result.code == 0) == (result.json["diagnostics"] == [])


def test_recipes_that_differ(arch: Run) -> None:
    result = arch("recipe", "resnet", "a1", "--diff", "a2", "--json")
    assert result.code == 1
    assert problems(result.json, RecipeDocument) == []


def test_difference(arch: Run) -> None:
    for args in ("small.arch:small :large", "resnet50 seresnet50", "resnet50 mobilenet_v2", "resnet18 --set classes=2"):
        result = arch("diff", *args.split(), "--json")
        assert result.code == 1
        assert problems(result.json, DiffDocument) == []
        assert result.json["ok"]
        assert not result.json["equal"]
        sides = [[s[side] for s in result.json["sections"] if s[side]] for side in ("before", "after")]
        for side, name in zip(sides, ("before", "after"), strict=True):
            assert sum(section["macs"] for section in side) == result.json[name]["macs"]
    (fc,) = result.json["sections"][-1]["blocks"][-1]["ops"]
    assert fc["parameters"] == [{"name": "out", "values": [[1000, 2]]}]
    assert result.json["weights"]["resized"] == [
        {"key": "fc.weight", "before": [1000, 512], "after": [2, 512]},
        {"key": "fc.bias", "before": [1000], "after": [2]},
    ]


def test_steps(arch: Run) -> None:
    result = arch("diff", "convnext_roadmap", "--json")
    assert problems(result.json, StepsDocument) == []
    assert result.json["ok"]


def test_predict(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from archdsl import predict
    from archdsl.predict import Prediction

    calls: list[tuple[object, ...]] = []

    def fake(variant: Any, weights: str, checkpoint: str | None, **more: Any) -> Any:
        calls.append((variant.name, weights, checkpoint))
        more["say"](weights, ["said"])
        return Fake()

    class Fake:
        def predict(self, images: list[str], top: int) -> list[Prediction]:
            calls.append((images, top))
            return [Prediction(path, (("cat", 0.75), ("dog", 0.125))) for path in images]

    monkeypatch.setattr(predict, "classifier", fake)
    args = ("predict", "small.arch:large", "--weights", "w.pth", "--checkpoint", "timm", "--top", "2", "a.png", "b.png")
    result = arch(*args, "--json")
    assert calls == [("large", "w.pth", "timm"), (["a.png", "b.png"], 2)]
    assert result.json["weights"] == "w.pth"
    assert problems(result.json, PredictDocument) == []
    assert result.json["notes"] == ["w.pth: said"]
    assert result.err == "note: w.pth: said\n"
    assert result.json["predictions"][1]["classes"][0] == {"label": "cat", "probability": 0.75}
    assert arch(*args).out == "a.png\n   75.00%  cat\n   12.50%  dog\n\nb.png\n   75.00%  cat\n   12.50%  dog\n"


def test_notes_do_not_mix_with_data(arch: Run) -> None:
    result = arch("build", "small.arch", "--json")
    assert "wrote small.py" in result.err
    assert [built["path"] for built in result.json["built"]] == ["small.py"]
    assert result.json["built"][0]["proof"]["keys"] == 14
