"""`python -m tests.find_names`: what the libraries have of our networks under names that no `reference` says.

Prints every model of torchvision, timm and pytorchcv that is equal in structure to a variant, is not named by a
`reference` of it, and is not explained in tests/equality/explained.py: either it is equal, then the spec should have a
`reference` (and a `checkpoint` map where its keys are others), or it is not, then that page says why. With `--all` also
what is explained or another name of what is named, and the modules of timm that have none of our families. Takes about
a minute.
"""

from __future__ import annotations

import sys

from tests.equality.explained import VARIANTS, explanation
from tests.registers import LIBRARIES, candidates


def main(every: bool) -> int:
    """Print the candidates, one a line; the exit code says whether something is left to do."""
    left = False
    for library in LIBRARIES:
        for found in candidates(library, VARIANTS, every=every):
            explained = explanation(found)
            said = f"= {found.alias}" if found.alias else explained.reason if explained else ""
            left |= not said
            if every or not said:
                sys.stdout.write(f"{found.variant}  {library} {found.model}  {said}".rstrip() + "\n")
    return int(left)


if __name__ == "__main__":
    sys.exit(main("--all" in sys.argv[1:]))
