"""TensorBoard's files, where TensorBoard is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_APART = ("epoch", "step")


class Board:
    """Curves in a folder; what was written there behind a step, by a run that was ended, is left out by TensorBoard."""

    def __init__(self, folder: str, step: int) -> None:
        self.writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self.writer = SummaryWriter(folder, purge_step=step + 1)

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of the log, at its step."""
        if self.writer is None:
            return
        for name, value in row.items():
            if name not in _APART:
                self.writer.add_scalar(name, value, row["step"])
        self.writer.flush()
