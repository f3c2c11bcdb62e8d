"""Training what a spec describes: the pieces of a recipe, and the engine of `archdsl train`.

The parts are timm's and torch's (`archdsl[train]`); nothing but `archdsl train` imports this package.
"""

from __future__ import annotations

from archdsl.training.pieces import Pieces

__all__ = ["Pieces"]
