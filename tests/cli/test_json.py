"""Every document of `--json` is what `archdsl.cli.documents` declares: no other keys and types, no fewer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import archdsl
from archdsl.cli.documents.base import VERSION, Document, Envelope, Shape
from archdsl.cli.documents.differences import DiffDocument, StepsDocument
from archdsl.cli.documents.drawings import DrawDocument, PlotDocument
from archdsl.cli.documents.exploring import ScaleDocument, SearchDocument, SweepDocument
from archdsl.cli.documents.files import CheckDocument, ExplainDocument, FmtDocument
from archdsl.cli.documents.networks import ListDocument, VariantJson
from archdsl.cli.documents.specs import BuildDocument, ShowDocument
from archdsl.cli.documents.training import RecipeDocument
from archdsl.cli.documents.weights import PredictDocument, WeightsDocument
from tests.cli.conftest import Run


def problems(found: dict[str, Any], kind: type[Document]) -> list[str]:
    """Where a document, as it was printed, is not of a kind: nothing is converted, an int is no float."""
    envelope = {key: value for key, value in found.items() if key in Envelope.model_fields}
    keys = {key: value for key, value in found.items() if key not in envelope}
    return [problem for shape, part in ((Envelope, envelope), (kind, keys)) for problem in _problems(shape, part)]


def _problems(shape: type[Shape], part: dict[str, Any]) -> list[str]:
    try:
        made = shape.model_validate_json(json.dumps(part), strict=True)
    except ValidationError as error:
        return [f"{one['loc']}: {one['msg']}" for one in error.errors()]
    return [] if made.plain() == part else [f"{part} reads as {made.plain()}"]


def test_the_check_bites() -> None:
    told = {"version": 1, "command": "fmt", "ok": True, "diagnostics": []}
    good = {**told, "files": [{"file": "a", "changed": True}]}
    assert problems(good, FmtDocument) == []
    assert problems({**good, "x": 1}, FmtDocument)
    assert problems({**good, "files": [{"file": "a"}]}, FmtDocument)
    assert problems({**good, "files": [{"file": None, "changed": True}]}, FmtDocument)
    assert problems({**good, "files": [{"file": "a", "changed": 1}]}, FmtDocument)
    assert problems({**good, "version": 1.0}, FmtDocument)
    assert problems({**told, "code": 1, "markdown": ""}, ExplainDocument)
    assert problems(told, FmtDocument)


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
        ("show small.arch:large --batch 2 --device t4", ShowDocument),
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


def test_arguments_that_a_command_sets_are_texts_of_the_language_each_by_itself(arch: Run, tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text(
        "model Net(depths = [1, 1], deep: bool = false, width: int = 4) = image(3, 16, 16) -> stage s: [conv(width, 1)]"
        " -> gap -> flatten -> fc: linear(10)\nvariant net = Net\n"
    )
    variant = archdsl.find("net.arch").override({"depths": [2, 2], "deep": True})
    assert VariantJson.of(variant).arguments == {"depths": "[2, 2]", "deep": "true"}
    found = arch("scale", "net.arch", "--along", "width=2,4", "--json").json
    assert [point["variant"]["arguments"] for point in found["points"]] == [{"width": "2"}, {"width": "4"}]


def test_growth_over_nothing_is_null(arch: Run, tmp_path: Path) -> None:
    (tmp_path / "bare.arch").write_text(
        "model Bare = image(3, 16, 16) -> relu -> gap -> flatten\nvariant bare = Bare\n"
    )
    (point,) = arch("scale", "bare.arch", "--along", "image=16", "--json").json["points"]
    assert point["factors"] == {"macs": None, "params": None, "activations": 1.0}
