"""`archdsl train`: a training on real pictures, and its files."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import archdsl
from archdsl.cli.documents.training import TrainDocument
from archdsl.training import Pieces
from tests.cli.test_json import problems
from tests.training.conftest import weights
from tests.training.digits import write_digits

DIGITS = Path(__file__).parents[2] / "docs" / "training" / "digits.arch"
Run = Callable[..., Any]


def test_a_training_and_its_files(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "run"
    done = run("train", net, "--recipe", "full", "--data", digits, "-o", folder, "--workers", 0)
    assert done.code == 0, done.err
    assert done.err.count("epoch ") == 3
    assert done.out.splitlines()[1:] == [f"wrote {folder / name}" for name in (
        "best.safetensors", "averaged.safetensors", "last.safetensors", "log.csv", "log.jsonl", "curves.svg"
    )]  # fmt: skip
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    table = list(csv.DictReader((folder / "log.csv").open()))
    assert [row["size"] for row in rows] == [8, 12, 16]
    assert [int(row["step"]) for row in table] == [8, 16, 24]
    assert [row["images"] for row in rows] == [256, 512, 768]
    assert "<svg" in (folder / "curves.svg").read_text()
    best = max(max(row["top1"], row["average_top1"]) for row in rows)
    assert done.out.startswith(f"best: {best:.2f} % top-1")
    model = archdsl.load(net, weights=folder / "best.safetensors")
    assert set(model.state_dict()) == set(weights(folder, "averaged"))
    picture = next((digits / "val" / "3").iterdir())
    seen = run("predict", net, "--weights", folder / "best.safetensors", picture, "--top", 3)
    assert seen.code == 0, seen.err
    assert {line.split()[-1] for line in seen.out.splitlines()[1:]} <= set("0123456789")


def test_tensorboard_gets_the_rows_where_it_is_installed(
    net: str, digits: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, float, int]] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            assert (folder, purge_step) == (str(tmp_path / "run" / "tensorboard"), 1)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def flush(self) -> None: ...

    fake: Any = types.ModuleType("torch.utils.tensorboard")
    fake.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    given = ("train", net, "--recipe", "plain", "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    assert run(*given, "--epochs", 2).code == 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [(value, step) for name, value, step in written if name == "top1"] == [(r["top1"], r["step"]) for r in rows]


def test_the_accuracy_that_is_said_is_that_of_predict(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    from archdsl.predict import predict

    folder = tmp_path / "run"
    run("train", net, "--recipe", "plain", "--data", digits, "-o", folder, "--workers", 0)
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    pictures = sorted((digits / "val").rglob("*.png"))
    found = predict(archdsl.find(net), folder / "last.safetensors", pictures, top=1)
    right = sum(each.classes[0][0] == Path(each.path).parent.name for each in found)
    assert rows[-1]["top1"] == pytest.approx(100 * right / len(pictures))


@pytest.mark.parametrize("more", [(), ("--json",)])
@pytest.mark.parametrize("held_out", [True, False])
def test_another_preparation_than_the_specs_is_said(
    held_out: bool, more: tuple[str, ...], net: str, digits: Path, tmp_path: Path, run: Run
) -> None:
    shutil.copytree(digits / "train", tmp_path / "pictures" / "train")
    if held_out:
        shutil.copytree(digits / "val", tmp_path / "pictures" / "val")
    given = ("train", net, "--recipe", "plain", "--data", tmp_path / "pictures", "--workers", 0, "--epochs", 2, *more)
    assert "predict" not in run(*given, "-o", tmp_path / "same").err
    said = run(*given, "-o", tmp_path / "other", "--image", 16).err
    assert "`archdsl predict` goes by the spec" in said
    assert said.strip().endswith("and with --image 16 as the recipe")


def test_predict_takes_the_size_of_a_training(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    variant, file = archdsl.find(net), tmp_path / "w.safetensors"
    model = archdsl.load(net, image_size=16).eval()
    save_file(model.state_dict(), file, {"archdsl": json.dumps({"classes": list("0123456789")})})
    picture = next((digits / "val" / "3").iterdir())
    pixels = Pieces(variant, variant.recipes["plain"].changed(size=16)).transforms(train=False)(Image.open(picture))
    with torch.no_grad():
        best = model(pixels[None]).softmax(1).max().item()
    seen = run("predict", net, "--weights", file, picture, "--image", 16, "--json")
    assert seen.code == 0, seen.err
    assert json.loads(seen.out)["predictions"][0]["classes"][0]["probability"] == pytest.approx(best, rel=1e-6)


def test_the_mean_of_the_last_epochs(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "run"
    assert run("train", net, "--recipe", "mean", "--data", digits, "-o", folder, "--workers", 0).code == 0
    states = [weights(folder, f"epoch-{epoch}") for epoch in (2, 3)]
    for key, value in weights(folder, "averaged").items():
        mean = sum(state[key].double() for state in states) / 2
        assert torch.allclose(value.double(), mean if value.is_floating_point() else states[-1][key].double()), key
    assert sorted(path.name for path in folder.glob("epoch-*")) == ["epoch-2.safetensors", "epoch-3.safetensors"]


def test_micro_batches_add_up_to_the_same_step(tmp_path: Path, digits: Path, run: Run) -> None:
    """Without batch norm, whose statistics are those of a micro-batch."""
    spec = tmp_path / "plain.arch"
    spec.write_text(
        "model Net(classes = 10) = image(1, 8, 8) -> c: conv(8, 3) -> relu -> gap -> flatten -> fc: linear(classes)\n"
        "preprocess Net { mean = [0.3], std = [0.35] }\n"
        'recipe r for Net { epochs = 1, batch = 64, optimizer = sgd, lr = 0.1, lr_scaling = "none"\n'
        "  schedule = constant, size = 8 }\n"
    )
    for name, more in (("whole", ()), ("parts", ("--micro-batch", 16)), ("again", ("--recompute",))):
        given = ("train", spec, "--recipe", "r", "--data", digits, "-o", tmp_path / name, "--workers", 0)
        assert run(*given, *more).code == 0
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.allclose(whole[key], parts[key], atol=1e-6) for key in whole)
    assert not all(torch.equal(whole[key], parts[key]) for key in whole)
    assert all(torch.equal(whole[key], value) for key, value in weights(tmp_path / "again").items())


def test_other_types_and_layouts_come_near(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    """Rounding aside it is the same training; the weights stay float32."""
    given = ("train", net, "--recipe", "plain", "--data", digits, "--workers", 0, "--epochs", 2)
    assert "bfloat16" in run(*given, "--amp", "bfloat16", "--plan").out
    options = {"plain": (), "last": ("--channels-last",), "half": ("--amp", "bfloat16")}
    for name, more in options.items():
        done = run(*given, *more, "-o", tmp_path / name)
        assert done.code == 0, done.err
    plain = weights(tmp_path / "plain")
    for name, most in (("last", 1e-4), ("half", 0.1)):
        other = weights(tmp_path / name)
        apart = max(float((plain[key] - value).abs().max()) for key, value in other.items() if "running" not in key)
        assert apart < most, (name, apart)
        assert apart > 0 or name == "last"
        assert {value.dtype for value in other.values()} == {torch.float32, torch.int64}


def test_workers_change_nothing(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "full", "--data", digits, "--epochs", 3)
    for workers in (0, 2):
        assert run(*given, "-o", tmp_path / str(workers), "--workers", workers).code == 0
    one, other = weights(tmp_path / "0"), weights(tmp_path / "2")
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_another_seed_is_another_training(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "--workers", 0, "--epochs", 2)
    for seed in (0, 1):
        assert run(*given, "-o", tmp_path / str(seed), "--seed", seed).code == 0
    one, other = weights(tmp_path / "0"), weights(tmp_path / "1")
    assert not torch.equal(one["fc.weight"], other["fc.weight"])


def test_it_begins_with_given_weights(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "--workers", 0)
    run(*given, "-o", tmp_path / "first")
    best = json.loads((tmp_path / "first" / "log.jsonl").read_text().splitlines()[-1])["top1"]
    begun = run(*given, "-o", tmp_path / "second", "--weights", tmp_path / "first" / "last.safetensors", "--epochs", 2)
    assert begun.code == 0, begun.err
    first = json.loads((tmp_path / "second" / "log.jsonl").read_text().splitlines()[0])
    assert first["top1"] > best - 15
    three = tmp_path / "three"
    for name in ("0", "1", "2"):
        shutil.copytree(digits / "train" / name, three / "train" / name)
    begun = run(
        *given[:4],
        "--data",
        three,
        "-o",
        tmp_path / "third",
        "--weights",
        tmp_path / "first" / "last.safetensors",
        "--batch",
        8,
    )
    assert begun.code == 0, begun.err
    assert weights(tmp_path / "third")["fc.weight"].shape[0] == 3
    assert "note: classes: 3, as the pictures have; the spec says 10" in begun.err
    assert "nothing was held out" in begun.out


@pytest.mark.parametrize(("classes", "factor"), [(3, 0.001), (10, 1.0)])
def test_a_new_classifier_beside_given_weights_is_scaled(
    net: str, digits: Path, tmp_path: Path, run: Run, classes: int, factor: float
) -> None:
    """And one that was given is not."""
    path = Path(net.removesuffix(":net"))
    still = "recipe still for Net = plain with { epochs = 1, batch = 8, lr = 1e-30, warmup = none, weight_decay = none"
    path.write_text(
        f"{path.read_text()}{still}, no_decay = none }}\nrecipe scaled for Net = still with {{ head_scale = 0.001 }}\n"
    )
    save_file(archdsl.load(path, "net").state_dict(), tmp_path / "given.safetensors")
    pictures = tmp_path / "pictures"
    for name in map(str, range(classes)):
        shutil.copytree(digits / "train" / name, pictures / "train" / name)
    found = []
    for recipe in ("still", "scaled"):
        given = ("train", net, "--recipe", recipe, "--data", pictures, "-o", tmp_path / recipe, "--workers", 0)
        done = run(*given, "--weights", tmp_path / "given.safetensors")
        assert done.code == 0, done.err
        found.append(weights(tmp_path / recipe)["fc.weight"])
    assert torch.allclose(found[1], found[0] * factor, rtol=1e-5, atol=0)


@pytest.mark.slow
def test_digits_are_learnt(tmp_path: Path, run: Run) -> None:
    """The short form of `python -m tests.training.accuracy`; its other network is that of docs/training.md."""
    data = write_digits(tmp_path / "digits")
    network = f"{DIGITS}:small_efficientnet_v2"
    given = ("train", network, "--recipe", "progressive", "--data", data, "--epochs", 4, "--workers", 0)
    done = run(*given, "-o", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert problems(found, TrainDocument) == []
    assert found["run"]["best"] > 88
