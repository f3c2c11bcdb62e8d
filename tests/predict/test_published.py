"""Pictures by published weights: the default without a word, others by name, with their classes and preprocessing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import archdsl
from archdsl.cli.app import run
from archdsl.diagnostics.core import ArchError
from archdsl.predict import class_labels, predict
from archdsl.weights.download.places import folder_of
from tests.weights.server import Server, serving

NET = """
model Net(classes: int = 1000) = image(3, 8, 8) -> gap -> flatten -> fc: linear(classes)
variant net = Net
variant other = Net
preprocess Net { mean = [0, 0, 0], std = [1, 1, 1], labels = "imagenet1k", resize = 8, size = 8 }
weights own for net {
  v1: url = "URL/v1.safetensors", sha256 = "SHA", default = true
  v2: file = "v2.safetensors"
  tf: file = "tf.safetensors", label_offset = 1, mean = [0.5, 0.5, 0.5]
  wide: file = "wide.safetensors", classes = 21841
}
weights own for other { v1: file = "v2.safetensors" }
"""


def weights(best: int, rows: int = 1000) -> dict[str, torch.Tensor]:
    """Weights that know one class; class 3 is likelier in pictures that are light once they are normalized."""
    state = {"fc.weight": torch.zeros(rows, 3), "fc.bias": torch.zeros(rows)}
    state["fc.bias"][best] = 5
    state["fc.weight"][3 + (rows == 1001)] = 4
    return state


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    save_file(weights(1), "v1.safetensors")
    data = Path("v1.safetensors").read_bytes()
    with serving() as made:
        made.serve("/v1.safetensors", data)
        text = NET.replace("URL", made.url).replace("SHA", hashlib.sha256(data).hexdigest())
        Path("net.arch").write_text(text)
        save_file(weights(2), "v2.safetensors")
        save_file(weights(2, 1001), "tf.safetensors")
        save_file(weights(5, 21841), "wide.safetensors")
        Image.new("RGB", (8, 8), "white").save("white.png")
        Image.new("RGB", (8, 8), "black").save("black.png")
        yield made


def label(number: int) -> str:
    labels = class_labels("imagenet1k")
    assert labels is not None
    return labels[number]


def best(*names: str, **options: Any) -> list[str]:
    variant = archdsl.find("net.arch:net")
    return [found.classes[0][0] for found in predict(variant, *names, ["black.png", "white.png"], **options)]  # type: ignore[arg-type]


def test_the_default_is_taken_and_said(server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["predict", "net.arch:net", "black.png", "--json", "--top", "1"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["weights"] == "own/net.v1"
    assert document["predictions"][0]["classes"][0]["label"] == label(1)
    assert err.splitlines()[0] == f"weights: own/net.v1 (the default, {server.url}/v1.safetensors)"
    assert err.splitlines()[1].startswith("fetching ")
    assert run(["predict", "net.arch:net", "black.png"]) == 0
    assert capsys.readouterr().err.splitlines() == err.splitlines()[:1]
    assert len(server.gets()) == 1


def test_a_name_is_taken(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "net.arch:net", "black.png", "--weights", "v2", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["weights"] == "own/net.v2"
    assert json.loads(out)["predictions"][0]["classes"][0]["label"] == label(2)
    assert err == "weights: own/net.v2 (v2.safetensors beside the spec)\n"
    assert run(["predict", "net.arch:net", "black.png", "--weights", "./v2.safetensors", "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["weights"], err) == ("./v2.safetensors", "")
    assert run(["predict", "net.arch:net", "black.png", "--weights", "v3"]) == 2
    assert "E519" in capsys.readouterr().err
    assert run(["predict", "net.arch:net", "black.png", "--weights", "v2", "--checkpoint", "timm"]) == 2
    assert "--checkpoint does nothing" in capsys.readouterr().err
    assert server.gets() == []


def test_they_bring_their_classes_and_their_preprocessing(server: Server) -> None:
    """White is 1 by the spec's preprocessing and 0.5 by that of `tf`, whose class 2 is the spec's 1."""
    assert best("v2") == [label(2), label(3)]
    assert best("tf") == [label(1), label(3)]
    bright = predict(archdsl.find("net.arch:net"), "tf", ["white.png"])[0].classes[0][1]
    model: Any = archdsl.load("net.arch:net", weights="tf").eval()
    with torch.inference_mode():
        assert model(torch.full((1, 3, 8, 8), 0.5)).softmax(1)[0, 3].item() == pytest.approx(bright)
    with pytest.raises(ArchError) as caught:  # the names of 21,841 classes are not known
        best("wide")
    assert [d.code for d in caught.value.diagnostics] == ["E609"]


def test_a_published_file_by_its_path(server: Server) -> None:
    """It is prepared for as the spec says; where it was published with something else, that is said."""
    digest = hashlib.sha256(Path("v2.safetensors").read_bytes()).hexdigest()
    text = Path("net.arch").read_text()
    row = 'file = "v2.safetensors"'
    Path("v2.safetensors").rename("mine.safetensors")
    notes: list[str] = []
    said: Any = lambda path, texts: notes.extend(texts)  # noqa: E731
    for more, told in ((", crop = 0.5", 1), ("", 0), (", mean = [0.5, 0.5, 0.5]", 1), (", top1 = 3", 0)):
        Path("net.arch").write_text(text.replace(row, f'{row}, sha256 = "{digest[:12]}"{more}', 1))
        notes.clear()
        predict(archdsl.find("net.arch:net"), "mine.safetensors", ["white.png"], say=said)
        assert len(notes) == told
        assert all("it is own/net.v2: with that name" in note for note in notes)


def test_classes_that_a_file_names_are_not_the_specs(server: Server) -> None:
    """As `archdsl train` names them: by path and as published, converted, loaded, saved and loaded again."""
    names = [f"mine {i}" for i in range(1000)]
    text = Path("net.arch").read_text().replace("image(3, 8, 8) -> gap", "image(3, 8, 8) -> stem: conv(3, 1) -> gap")
    Path("net.arch").write_text(text)
    state = weights(2) | {"stem.weight": torch.eye(3).reshape(3, 3, 1, 1), "stem.bias": torch.zeros(3)}
    save_file(state, "v1.safetensors")
    save_file(state, "v2.safetensors", {"format": "pt", "archdsl": json.dumps({"classes": names, "epoch": 3})})
    assert best("v2") == best("./v2.safetensors") == ["mine 2", "mine 3"]
    variant = archdsl.find("net.arch:net")
    assert variant.convert("v2.safetensors", "own", "own.safetensors").notes == ()
    assert best("./own.safetensors") == ["mine 2", "mine 3"]
    assert "names of its classes" in variant.convert("v2.safetensors", "own", "own.pth").notes[0]
    for source in ("v2", "./own.safetensors"):
        model: Any = archdsl.load("net.arch:net", weights=source)
        assert model.pretrained_cfg["label_names"] == names
        archdsl.save_pretrained(model, "saved", overwrite=True)
        assert json.loads(Path("saved/config.json").read_text())["label_names"] == names
        assert best("./saved/model.safetensors") == ["mine 2", "mine 3"]
    assert "label_names" not in archdsl.load("net.arch:net", weights="v2", classes=7).pretrained_cfg  # type: ignore[operator]
    assert "label_names" not in archdsl.load("net.arch:net", weights="./v1.safetensors").pretrained_cfg  # type: ignore[operator]


def test_from_python_the_default_is_a_note(server: Server) -> None:
    with pytest.warns(archdsl.WeightsNote, match=r"net: the weights are own/net\.v1, those that the spec says"):
        assert predict(archdsl.find("net.arch:net"), None, ["black.png"])[0].classes[0][0] == label(1)


def test_fetching_alone(server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """For machines that have no network later: the paths are data, and what lies there is used without one."""
    place = folder_of(f"{server.url}/v1.safetensors") / "v1.safetensors"
    assert place.is_relative_to(tmp_path / "torch" / "hub" / "checkpoints" / "archdsl")
    assert run(["weights", "net.arch:net", "--fetch", "default", "--fetch", "own/net.v1", "--fetch", "v2"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{place}\n{tmp_path / 'v2.safetensors'}\n"
    assert err.startswith("fetching ")
    server.files.clear()
    assert run(["weights", "net.arch:net", "--fetch", "default", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["fetched"] == [{"name": "own/net.v1", "path": str(place)}]
    assert [entry["name"] for entry in document["published"]] == ["own/net.v1"]
    assert best("default") == [label(1), label(3)]
    assert len(server.gets()) == 1
    assert run(["weights", "net.arch", "--fetch", "default"]) == 2
    assert run(["weights", "--fetch", "default"]) == 2
    assert "--fetch wants one network" in capsys.readouterr().err
    assert run(["weights", "net.arch:net", "--fetch", "v9"]) == 2
    assert "E519" in capsys.readouterr().err


def test_without_a_default(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "net.arch:other", "black.png"]) == 2
    err = capsys.readouterr().err
    assert "E532" in err
    assert "no weights are given for `other`, and none of the 1 published ones is the default" in err
    assert "own/other.v1" in err
    assert run(["predict", "net.arch:net", "--set", "classes=10", "black.png"]) == 2
    assert "without what was set" in capsys.readouterr().err
    Path("bare.arch").write_text(NET.partition("weights")[0])
    assert run(["predict", "bare.arch:net", "black.png"]) == 2
    assert "the spec lists none" in capsys.readouterr().err
    assert server.gets() == []


def test_other_classes_than_the_file_has(server: Server) -> None:
    with pytest.raises(ArchError) as caught:
        predict(archdsl.find("net.arch:net").override({"classes": 10}), "v2", ["black.png"])
    assert caught.value.diagnostics[0].code in ("E302", "E503")
