"""`archdsl train`: the plan, a training on real pictures, its files, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tarfile
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
from tests.training.conftest import replaced
from tests.training.digits import write_digits

DIGITS = Path(__file__).parents[2] / "docs" / "training" / "digits.arch"
Run = Callable[..., Any]


def weights(folder: Path, name: str = "last") -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / f"{name}.safetensors")


# --- the plan ------------------------------------------------------------------------------------


def test_the_plan_says_what_there_will_be_without_torch(net: str, digits: Path) -> None:
    code = "import sys; from archdsl.cli.app import run; assert run(sys.argv[1:]) == 0 and 'torch' not in sys.modules"
    args = [sys.executable, "-c", code, "train", net, "--recipe", "plain", "--data", str(digits), "--plan", "--json"]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert problems(found, TrainDocument) == []
    plan = found["plan"]
    assert (plan["train_pictures"], plan["test_pictures"], len(plan["classes"])) == (256, 64, 10)
    assert (plan["epochs"], plan["batch"], plan["steps"], plan["images"]) == (3, 32, 24, 768)
    macs = archdsl.find(net).graph.macs
    assert (plan["macs"], plan["test_macs"]) == (3 * macs * 768, macs * 64 * 3)
    assert plan["differences"] == []


def test_the_plan_in_words_says_what_differs_and_why(net: str, digits: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "--plan")
    shown = run(*given, "--batch", 64, "--epochs", 5, "--micro-batch", 16, "--image", 16, "--set", "classes=7")
    assert shown.code == 0
    lines = [line for line in shown.out.splitlines() if line.startswith("differs: ")]
    assert lines == [
        "differs: classes: 10, as the pictures have; the spec says 7",
        "differs: epochs: 5 as asked for, the recipe says 3",
        "differs: image: 16 as asked for, the recipe says 8",
        "differs: batch: 64 as asked for, the recipe says 32; learning rate 0.2, not 0.1 (by its rule, linear)",
        "differs: micro-batch: 16, as asked for; 4 of them make a step. Batch norm and mixing see 16 images at a time",
    ]
    assert "plain: A table of a paper." in shown.out
    assert "64 = 4 × 16" in shown.out


ABSOLUTE = """
recipe mile for Net = plain with { epochs = 90, schedule = milestones([30, 60], factor = 0.1) }
recipe steps for Net = plain with { epochs = 90, schedule = step(factor = 0.1, every = 30) }
recipe warm for Net = plain with { warmup = linear(epochs = 1, start = 0.01) }
recipe cool for Net = plain with { schedule = cosine(end = 0.01) }
recipe stages for Net = plain with { size = none
  progressive(epochs, size) { 1, 8
    2, 16 } }
"""


@pytest.mark.parametrize(
    ("recipe", "more", "code", "words"),
    [
        ("mile", ("--epochs", 50), 0, "differs: schedule: the milestone at 60 is after the last epoch"),
        ("steps", ("--epochs", 10), 0, "differs: schedule: the first step is after the last epoch"),
        ("warm", ("--batch", 2), 2, "the warmup begins at 0.01, above the learning rate (0.00625)"),
        ("cool", ("--batch", 2), 2, "the cosine ends at 0.01, not below the learning rate (0.00625)"),
        ("warm", ("--batch", 16), 0, "learning rate 0.05, not 0.1"),
        ("stages", ("--epochs", 6), 0, "the stages of progressive learning are shorter in proportion"),
    ],
)
def test_a_schedule_that_another_number_contradicts(
    recipe: str, more: tuple[object, ...], code: int, words: str, net: str, digits: Path, run: Run
) -> None:
    """What changes nothing any more is said, what would go the wrong way is refused."""
    path = Path(net.removesuffix(":net"))
    path.write_text(path.read_text() + ABSOLUTE)
    done = run("train", net, "--recipe", recipe, "--data", digits, "--plan", *more)
    assert done.code == code, done.err
    assert words in done.out + done.err
    assert codes(done) == (["E656"] if code else [])


def test_the_plan_says_what_is_begun_with(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "--plan", "--weights")
    file = tmp_path / "w.safetensors"
    for classes, words in ((10, ""), (7, ", with a new classifier")):
        save_file(archdsl.load(net, classes=classes).state_dict(), file)
        done = run(*given, file)
        assert done.code == 0, done.err
        assert f"differs: weights: begun with {file}{words}, not with the spec's `init`" in done.out.splitlines()
    save_file({"other": torch.zeros(1)}, file)
    for weights, code in ((file, "E501"), ("nonsense", "E519"), (tmp_path / "none.pth", "E504")):
        done = run(*given, weights)
        assert done.code != 0
        assert code in codes(done)


def test_the_plan_says_whether_published_weights_have_the_classes(digits: Path, run: Run) -> None:
    given = ("train", "resnet18", "--recipe", "strikes_back_a3", "--batch", 32, "--plan", "--data", digits)
    found = run(*given, "--set", "classes=10", "--weights", "IMAGENET1K_V1")
    assert "begun with IMAGENET1K_V1, with a new classifier" in found.out


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


def test_the_plan_shows_stages(net: str, digits: Path, run: Run) -> None:
    shown = run("train", net, "--recipe", "full", "--data", digits, "--plan").out
    rows = [line.split()[:3] for line in shown.splitlines() if line.split()[:1] in (["1"], ["2"], ["3"])]
    assert rows == [["1", "8", "3"], ["2", "12", "6"], ["3", "16", "9"]]


# --- training ------------------------------------------------------------------------------------


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


# --- what is refused -----------------------------------------------------------------------------


def codes(result: Any) -> list[str]:
    return [line.split("[")[1][:4] for line in result.err.splitlines() if line.startswith("error[")]


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--batch", 1000), "E649", "a batch of 1,000 is more than the 256 pictures of an epoch"),
        (("--micro-batch", 5), "E649", "not a whole number of micro-batches of 5: 4 would do"),
        (("--epochs", 1), "E656", "its warmup takes 1 epochs of 1"),
        (("--recipe", "full", "--image", 32), "E656", "its sizes grow from stage to stage"),
        (("--recipe", "full", "--epochs", 2, "--batch", 32), "E656", "3 stages"),
        (("--recipe", "plian"), "E647", "did you mean `plain`?"),
        (("--data", "nowhere"), "E648", "there is no such folder"),
        (("--device", "quantum"), "E658", "device `quantum`"),
    ],
)
def test_what_does_not_go_is_said_before_anything_is_trained(
    more: tuple[object, ...], code: str, words: str, net: str, digits: Path, tmp_path: Path, run: Run
) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    done = run(*replaced(given, *more))
    assert (done.code, codes(done)) == (2, [code]), done.err
    assert words in done.err


def test_a_network_for_other_channels_is_refused(tmp_path: Path, digits: Path, run: Run) -> None:
    spec = tmp_path / "n.arch"
    spec.write_text("""
        model N(classes = 10) = image(4, 8, 8) -> conv(4, 3) -> gap -> flatten -> fc: linear(classes)
        variant n = N()
        preprocess N { mean = [0, 0, 0, 0], std = [1, 1, 1, 1] }
        recipe r for N {
          epochs = 1, batch = 8, optimizer = sgd, lr = 1, lr_scaling = "none", schedule = constant, size = 8
        }
        """)
    done = run("train", spec, "--recipe", "r", "--data", digits, "-o", tmp_path / "run")
    assert (done.code, codes(done)) == (2, ["E650"])
    assert "its image has 4 channels" in done.err
    assert not (tmp_path / "run").exists()


SIZED = """
model N(classes = 10) {{
  x = image(1, 8, 8) -> conv1: conv(4, 3) -> bn -> relu
  if x.height > 12 {{ x = x -> {then} }}
  x -> gap -> flatten -> fc: linear(classes)
}}
variant n = N()
preprocess N {{ mean = [0], std = [1] }}
recipe tested for N {{
  epochs = 1, batch = 64, optimizer = sgd, lr = 0.1, lr_scaling = "none", schedule = constant, size = 8, test_size = 16
}}
recipe grown for N = tested with {{ size = none, test_size = none, epochs = 2, ema = decay(0.9)
  progressive(size) {{ 8
    16 }} }}
"""


@pytest.mark.parametrize("recipe", ["tested", "grown"])
def test_a_network_is_tested_as_the_one_for_images_of_that_size(
    recipe: str, tmp_path: Path, digits: Path, run: Run
) -> None:
    """Where it asks for the size of its image, that is another network with the same weights."""
    spec = tmp_path / "n.arch"
    spec.write_text(SIZED.format(then="maxpool(2, stride = 2, padding = 0)"))
    done = run("train", f"{spec}:n", "--recipe", recipe, "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    assert done.code == 0, done.err
    row = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    model = archdsl.load(spec, "n", weights=tmp_path / "run" / "last.safetensors", image_size=16).eval()
    pieces = Pieces(f"{spec}:n", recipe)
    right = 0
    for path in (digits / "val").rglob("*.png"):
        output = model(pieces.transforms(train=False)(Image.open(path))[None])
        right += int(output.argmax()) == int(path.parent.name)
    assert row["top1"] == pytest.approx(100 * right / 64)


def test_a_test_of_another_network_is_refused(tmp_path: Path, digits: Path, run: Run) -> None:
    spec = tmp_path / "n.arch"
    spec.write_text(SIZED.format(then="conv(4, 3)"))
    done = run("train", f"{spec}:n", "--recipe", "tested", "--data", digits, "--plan")
    assert (done.code, codes(done)) == (2, ["E656"])
    assert "images of its test, 16 pixels, make a network with other weights" in done.err


def test_networks_without_one_number_a_class_are_refused(tmp_path: Path, digits: Path, run: Run) -> None:
    spec = tmp_path / "n.arch"
    recipe = 'recipe r { epochs = 1, batch = 8, optimizer = sgd, lr = 1, lr_scaling = "none"\n'
    recipe += "  schedule = constant, size = 8 }\n"
    for body, words in (
        (
            "image(1, 8, 8) -> conv(4, 3) -> gap -> flatten -> fc: linear(3)",
            "the pictures have 10 classes, its output is 3",
        ),
        ("image(1, 8, 8) -> conv(4, 3)", "its output is 4×8×8"),
    ):
        spec.write_text(f"model N = {body}\nvariant n = N()\npreprocess N {{ mean = [0], std = [1] }}\n{recipe}")
        done = run("train", spec, "--recipe", "r", "--data", digits, "--plan")
        assert (done.code, codes(done)) == (2, ["E650"])
        assert words in done.err


def test_pictures_lie_in_folders_by_class(tmp_path: Path) -> None:
    from archdsl.training.datasets import find_data

    for name in ("train/10/a/1.png", "train/9/2.png", "train/9/10.png", "train/9/readme.txt", "val/9/3.JPG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_data(str(tmp_path))
    assert found.train.classes == ("9", "10")
    assert [file[:2] for file in found.train.files] == [("9/2.png", 0), ("9/10.png", 0), ("10/a/1.png", 1)]
    assert found.test is not None
    assert (found.test.classes, [file[:2] for file in found.test.files]) == (("9", "10"), [("9/3.JPG", 0)])
    assert find_data(str(tmp_path / "train")).test is None
    (tmp_path / "val" / "11").mkdir()
    (tmp_path / "train" / "empty").mkdir()
    for remove, words in (("train/empty", "`empty` holds no pictures"), ("val/11", "`11` is no class")):
        with pytest.raises(archdsl.ArchError) as caught:
            find_data(str(tmp_path))
        assert words in caught.value.diagnostics[0].message
        (tmp_path / remove).rmdir()
    with pytest.raises(archdsl.ArchError):
        find_data(str(tmp_path / "train" / "10" / "a"))


def test_a_broken_picture_ends_the_training_and_mended_it_goes_on(
    net: str, digits: Path, tmp_path: Path, run: Run
) -> None:
    data = tmp_path / "digits"
    shutil.copytree(digits, data)
    victim = sorted((data / "train" / "4").iterdir())[3]
    whole = victim.read_bytes()
    given = (
        "train",
        net,
        "--recipe",
        "plain",
        "--data",
        data,
        "-o",
        tmp_path / "run",
        "--workers",
        0,
        "--save-every",
        1,
    )
    victim.write_bytes(whole[:60] + bytes(len(whole) - 60))  # as many bytes: the same pictures by name and size
    broken = run(*given)
    assert (broken.code, codes(broken)) == (2, ["E651"])
    assert str(victim) in broken.err
    victim.write_bytes(whole)
    mended = run(*given, "--resume")
    assert mended.code == 0, mended.err
    assert run("train", net, "--recipe", "plain", "--data", data, "-o", tmp_path / "other", "--workers", 0).code == 0
    one, other = weights(tmp_path / "run"), weights(tmp_path / "other")
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_loss_that_is_no_number_ends_the_training_with_the_last_good_checkpoint(
    net: str, digits: Path, tmp_path: Path, run: Run
) -> None:
    given = (
        "train",
        net,
        "--recipe",
        "bold",
        "--data",
        digits,
        "-o",
        tmp_path / "run",
        "--workers",
        0,
        "--save-every",
        1,
    )
    done = run(*given)
    assert (done.code, codes(done)) == (2, ["E652"])
    assert "epoch 1" in done.err
    assert f"what was trained before is in {tmp_path / 'run' / 'checkpoint.pt'}" in done.err.replace("\n", " ")
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["model"]
    assert all(bool(value.isfinite().all()) for value in state.values() if value.is_floating_point())
    assert not (tmp_path / "run" / "best.safetensors").exists()


def test_a_step_that_no_weight_can_take_is_the_end(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    """Torch refuses it, as 1 / (1 - beta) times this learning rate is no float32."""
    path = Path(net.removesuffix(":net"))
    path.write_text(path.read_text() + "recipe bolder for Net = bold with { lr = 3e38, optimizer = adamw }\n")
    done = run("train", net, "--recipe", "bolder", "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    assert (done.code, codes(done)) == (2, ["E652"]), done.err
    assert "epoch 1, step 1 " in done.err
    assert "was trained before" not in done.err


def test_a_network_whose_answers_are_no_numbers_is_not_the_best(
    net: str, digits: Path, tmp_path: Path, run: Run
) -> None:
    """All steps of the epoch, one, had a loss; the weights after it are finite, and give no numbers."""
    given = ("train", net, "--recipe", "bold", "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    done = run(*given, "--batch", 256)
    assert (done.code, codes(done)) == (2, ["E652"]), done.err
    assert "the loss on the test pictures is no number in epoch 1, step 1" in done.err
    assert not any((tmp_path / "run" / name).exists() for name in ("best.safetensors", "checkpoint.pt", "log.jsonl"))


def test_what_timm_opens_is_trained_with_as_the_folder_is(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    with tarfile.open(tmp_path / "digits.tar", "w") as file:
        file.add(digits / "train", "train")
    given = ("train", net, "--recipe", "plain", "--epochs", 2, "--workers", 0, "-o")
    for name, data in (
        ("f", digits / "train"),
        ("tar", tmp_path / "digits.tar"),
        ("torch", f"torch/folder@{digits / 'train'}"),
    ):
        done = run(*given, tmp_path / name, "--data", data)
        assert done.code == 0, done.err
    # The order of the pictures in a tar file is its own; torchvision sorts as we do here.
    one, tar, torchvision = (weights(tmp_path / name) for name in ("f", "tar", "torch"))
    assert tar.keys() == one.keys()
    assert all(torch.equal(one[key], torchvision[key]) for key in one)
    assert (
        json.loads((tmp_path / "tar" / "run.json").read_text())["pictures"]["classes"]
        == json.loads((tmp_path / "f" / "run.json").read_text())["pictures"]["classes"]
    )
    for data, words in (("wds/digits", "as a stream"), ("torch/nothing@x", "nothing"), (tmp_path / "no.tar", "no.tar")):
        refused = run(*given, tmp_path / "refused", "--data", data)
        assert (refused.code, codes(refused)) == (2, ["E648"])
        assert words in refused.err


def test_16_bits_and_colour_are_read_as_predict_reads_them(tmp_path: Path) -> None:
    from archdsl.training.data import Pictures, Place
    from archdsl.training.datasets import find_data

    place = tmp_path / "train" / "a"
    place.mkdir(parents=True)
    Image.new("I;16", (8, 8), 32768).save(place / "1.png")
    Image.new("RGB", (8, 8), (128, 128, 128)).save(place / "2.png")
    from archdsl.transform import in_mode

    pictures: Any = Pictures(find_data(str(tmp_path)).train, lambda image: in_mode(image, "L").getpixel((0, 0)), ())
    assert [pictures[Place(0, n)] for n in range(2)] == [(128, 0), (128, 0)]
