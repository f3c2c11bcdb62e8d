"""`python -m tests.verify …` is `archdsl verify …` with torchvision importable everywhere; see tests/libraries.py.

`python -m tests.verify -o docs/parity.md` writes docs/parity.md.
"""

from __future__ import annotations

import sys

from archdsl.cli.app import run
from tests.libraries import declare_operators

if __name__ == "__main__":
    declare_operators()
    sys.exit(run(["verify", *sys.argv[1:]]))
