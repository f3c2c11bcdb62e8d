"""The plan of a training: what there will be, what differs from the recipe, and why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import archdsl
from archdsl.cli.documents.training import TrainDocument
from tests.cli.test_json import problems
from tests.training.conftest import codes

Run = Callable[..., Any]


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


def test_the_plan_shows_stages(net: str, digits: Path, run: Run) -> None:
    shown = run("train", net, "--recipe", "full", "--data", digits, "--plan").out
    rows = [line.split()[:3] for line in shown.splitlines() if line.split()[:1] in (["1"], ["2"], ["3"])]
    assert rows == [["1", "8", "3"], ["2", "12", "6"], ["3", "16", "9"]]
