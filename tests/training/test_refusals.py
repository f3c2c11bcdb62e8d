"""What does not go is said before anything is trained; what goes wrong later ends it, and leaves what was good."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import archdsl
from archdsl.training import Pieces
from tests.training.conftest import codes, replaced, weights

Run = Callable[..., Any]


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
