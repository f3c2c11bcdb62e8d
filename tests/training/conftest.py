"""Pictures and a network that train in seconds; timm needs operators of torchvision's that need not be compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from tests.libraries import declare_operators
from tests.training.digits import write_digits

SPEC = """
model Net(classes = 10, dropout_rate: float = 0.0) = image(1, 8, 8)
  -> stage s1: [conv(8, 3, bias = false), bn, relu]
  -> stage s2: [conv(16, 3, 2, bias = false), bn, relu]
  -> gap -> flatten -> dropout(dropout_rate) -> fc: linear(classes)
variant net = Net()
preprocess Net { mean = [0.3], std = [0.35] }

recipe plain for Net {
  "A table of a paper."
  epochs = 3, batch = 32, optimizer = sgd(momentum = 0.9), lr = 0.1, lr_scaling = "linear", schedule = cosine
  size = 8, updates = "step", warmup = linear(epochs = 1), weight_decay = 1e-4, no_decay = ["bias", "norm"]
}
# Everything that has a state or is random.
recipe full for Net = plain with {
  optimizer = adamw, lr = 0.01, ema = decay(0.9, start = "ramp"), mixup = 0.2, cutmix = 1, smoothing = 0.1
  augment = randaugment(layers = 2, std = 0.5), erasing = 0.2, repeats = 2, dropout_rate = 0.1, size = none
  progressive(size, magnitude) in 3 { 8, 3
    16, 9 }
}
recipe bold for Net = plain with { lr = 1e30, warmup = none }
recipe mean for Net = plain with { average = last(2) }
"""


@pytest.fixture(autouse=True)
def _operators() -> None:
    declare_operators()


@pytest.fixture(scope="session")
def _digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_digits(tmp_path_factory.mktemp("pictures") / "digits", limit=320)


@pytest.fixture
def digits(_digits: Path) -> Path:
    """256 pictures to train with and 64 to test on, which no test changes."""
    return _digits


@pytest.fixture
def net(tmp_path: Path) -> str:
    path = tmp_path / "net.arch"
    path.write_text(SPEC)
    return f"{path}:net"


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """A command line in this process: exit code, output, notes."""
    from archdsl.cli.app import run as run_command

    def made(*args: object) -> Result:
        capfd.readouterr()
        code = run_command([str(arg) for arg in args])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return made


def replaced(given: Sequence[object], *more: object) -> list[object]:
    """A command line with further options, each of which is given once: in place of what was given of it."""
    kept = [(i, word) for i, word in enumerate(given) if not (i and given[i - 1] in more[::2])]
    return [*(word for _, word in kept if word not in more[::2]), *more]


def weights(folder: Path, name: str = "last") -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / f"{name}.safetensors")


def codes(result: Result) -> list[str]:
    return [line.split("[")[1][:4] for line in result.err.splitlines() if line.startswith("error[")]
