"""`archdsl` where torchvision has no compiled operators: `python -m tests.training.command train …`."""

from __future__ import annotations

import sys

from archdsl.cli.app import run
from tests.libraries import declare_operators

if __name__ == "__main__":
    declare_operators()
    sys.exit(run(sys.argv[1:]))
