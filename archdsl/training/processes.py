"""The processes of a training: one, or those that `torchrun` starts, each with a device of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import ArchError
from archdsl.quiet import import_torch

if TYPE_CHECKING:
    import torch


def count() -> int:
    """How many processes there are: torchrun says it."""
    number = os.environ.get("WORLD_SIZE", "1")
    return int(number) if number.isdecimal() and int(number) > 0 else 1


def is_first() -> bool:
    """Whether this is the one that writes and reports."""
    return os.environ.get("RANK", "0") == "0"


@dataclass(frozen=True)
class Processes:
    """This process among `world`, and its device."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def summed(self, values: list[float]) -> list[float]:
        """The sums over all processes."""
        import torch

        if self.world == 1:
            return values
        kind = torch.float32 if self.device.type == "mps" else torch.float64
        tensor = torch.tensor(values, dtype=kind, device=self.device)
        torch.distributed.all_reduce(tensor)
        return [float(value) for value in tensor]

    def wait(self) -> None:
        """Until all are here."""
        if self.world > 1:
            self.summed([0.0])


@contextmanager
def joined(device: str | None) -> Iterator[Processes]:
    """This process, joined with the others; without a device, the first CUDA device or the CPU. Raises E658."""
    import_torch()
    import torch

    rank, local = (int(os.environ.get(name, "0")) for name in ("RANK", "LOCAL_RANK"))
    world = count()
    name = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(name)
        if found.type == "cuda" and world > 1 and ":" not in name:
            found = torch.device("cuda", local)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        facts = {"what": f"device `{name}`", "detail": str(error).splitlines()[0]}
        raise ArchError.of("E658", facts=facts, hint="--device cpu trains on the processor") from None
    if found.type == "cuda":
        torch.cuda.set_device(found)
    if world == 1:
        yield Processes(0, 1, found)
        return
    torch.distributed.init_process_group("nccl" if found.type == "cuda" else "gloo")
    try:
        yield Processes(rank, world, found)
    except RuntimeError as error:
        if not _lost(error):
            raise
        facts = {"what": f"process {rank} of {world}", "detail": "another process of the training has ended"}
        raise ArchError.of("E658", facts=facts, hint="the one that ended says why") from None
    finally:
        torch.distributed.destroy_process_group()


def _lost(error: RuntimeError) -> bool:
    """Whether another process is not there any more; gloo has no error of its own."""
    import torch

    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error)
