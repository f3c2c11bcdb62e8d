"""The accuracies that docs/training.md states: its small networks, by their recipes, on handwritten digits.

    OMP_NUM_THREADS=1 python -m tests.training.accuracy

Minutes on one processor. Exit code 1 where one is below what is stated.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.libraries import declare_operators
from tests.training.digits import write_digits
from tests.training.progressive import say, trained

STATED = {("small_resnet", "plain"): 98.5, ("small_efficientnet_v2", "progressive"): 97.5}
"""Percent of the test pictures, of the averaged weights after the last epoch."""


def main() -> int:
    declare_operators()
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        write_digits(Path(name) / "digits")
        for (variant, recipe), stated in STATED.items():
            found = trained(Path(name), recipe, 0, variant)
            say(f"{variant}, {recipe}: {found.accuracy:.2f} % ({stated} % stated), {found.seconds:.1f} s")
            missed += found.accuracy < stated
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
