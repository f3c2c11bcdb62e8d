"""Diagnostics: what is wrong, where, and what to write instead. `core` finds, `catalogue` words, `render` shows."""

from archdsl.diagnostics.catalogue import describe, explain
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import Diagnostic, Label

__all__ = ["ArchError", "Bag", "Diagnostic", "Label", "describe", "explain"]
