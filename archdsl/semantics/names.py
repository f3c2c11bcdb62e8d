"""Names in bodies, checked before anything is elaborated, so that code no variant uses is checked too.

Takes a bound `Program`; reports E101, E102, E106 and E113.
"""

from __future__ import annotations

from archdsl.diagnostics.core import Bag
from archdsl.semantics.program import Program


def check_names(program: Program, bag: Bag) -> None:
    """Check the bodies of the root file and of the files it uses."""
