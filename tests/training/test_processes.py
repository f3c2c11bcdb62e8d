"""Two processes under torchrun are one with the double batch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.digits import write_digits

Run = Callable[..., Any]
ROOT = Path(__file__).parents[2]

# No batch norm, whose statistics are those of a process; one step of plain descent: what changes is the gradient.
SPEC = """
model Net(classes = 10) = image(1, 8, 8) -> stage s: [conv(8, 3), relu, conv(8, 3), relu] -> gap -> flatten
  -> fc: linear(classes)
preprocess Net { mean = [0.3], std = [0.35] }
recipe step for Net {
  epochs = 1, batch = 64, optimizer = sgd, lr = 1, lr_scaling = "none", schedule = constant, size = 8
  erasing = 0.3, crop_scale = [0.5, 1]
}
recipe more for Net = step with {
  epochs = 2, batch = 16, lr = 0.05, repeats = 2, ema = decay(0.9), size = none
  progressive(size) { 8
    12 }
}
"""


def train(folder: Path, name: str, recipe: str, run: Run | None, *more: object) -> dict[str, torch.Tensor]:
    """The weights after a training, by `run` in this process or by torchrun in two."""
    from safetensors.torch import load_file

    args = ["train", folder / "net.arch", "--recipe", recipe, "--data", folder / "digits", "-o", folder / name]
    args += ["--workers", 0, "--device", "cpu", *more]
    if run is not None:
        assert run(*args).code == 0
    else:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        command = [sys.executable, *launcher, "-m", "tests.training.command", *map(str, args)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("last.safetensors") == 1  # one process speaks
    return load_file(folder / name / "last.safetensors")


@pytest.mark.slow
def test_the_gradients_of_two_are_those_of_one_with_the_double_batch(tmp_path: Path, run: Run) -> None:
    (tmp_path / "net.arch").write_text(SPEC)
    write_digits(tmp_path / "digits", limit=80)  # 64 to train with
    one, two = train(tmp_path, "one", "step", run), train(tmp_path, "two", "step", None)
    for key, value in one.items():
        assert torch.allclose(value, two[key], rtol=1e-5, atol=1e-6), key
    one, two = train(tmp_path, "1", "more", run), train(tmp_path, "2", "more", None, "--micro-batch", 4)
    for key, value in one.items():
        assert torch.allclose(value, two[key], rtol=1e-4, atol=1e-5), key
    rows = [[json.loads(line) for line in (tmp_path / n / "log.jsonl").read_text().splitlines()] for n in ("1", "2")]
    for a, b in zip(*rows, strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-4)
        assert (a["top1"], a["images"]) == pytest.approx((b["top1"], b["images"]))


@pytest.mark.slow
def test_a_broken_picture_of_one_process_is_no_traceback_of_another(tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text(SPEC)
    data = write_digits(tmp_path / "digits", limit=80)
    broken = min((data / "train" / "0").iterdir())
    broken.write_bytes(broken.read_bytes()[:50])
    with pytest.raises(AssertionError) as caught:
        train(tmp_path, "run", "step", None)
    said = str(caught.value)
    assert f"error[E651]: cannot read {broken}" in said
    assert f"{ROOT}/archdsl/" not in said, said
    assert "error[E658]: process" in said or said.count("error[") == 1  # torchrun may end the other first
