"""Numbers of one dtype as numbers of another: what they lose is said, what would be another number is an error.

Reports E508 and E509.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import Bag

if TYPE_CHECKING:
    import torch


@dataclass
class _Changed:
    """How many tensors, and numbers of them, went from one dtype to another; and how many numbers were rounded."""

    tensors: int = 0
    numbers: int = 0
    rounded: int = 0


@dataclass
class Dtypes:
    """The changes of dtype of one file's tensors, with the errors among them."""

    bag: Bag = field(default_factory=Bag)
    _adapted: list[str] = field(default_factory=list)
    _changes: dict[tuple[torch.dtype, torch.dtype], _Changed] = field(default_factory=dict)

    def usable(self, name: str, tensor: torch.Tensor) -> bool:
        """Whether the numbers are weights as they stand; E509 for those that need scales (eight bits and fewer)."""
        if tensor.is_floating_point() and tensor.dtype.itemsize < 2:
            self.bag.report("E509", None, key=name, dtype=short(tensor.dtype))
            return False
        return True

    def changed(self, name: str, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """The tensor in another dtype; E508 if a finite number of the tensor is infinite there."""
        import torch

        result = tensor.to(dtype, memory_format=torch.contiguous_format)
        if not tensor.is_floating_point():
            return result
        lost = result.isinf() & tensor.isfinite()
        if lost.any():
            value = f"{tensor[lost].flatten()[0].item():.6g}"
            self._too_large(name, value, str(tensor.dtype), dtype)
        count = self._changes.setdefault((tensor.dtype, dtype), _Changed())
        count.tensors += 1
        count.numbers += tensor.numel()
        same = result.to(tensor.dtype) == tensor
        count.rounded += int((~(same | tensor.isnan())).sum())
        return result

    def adapted(self, name: str, kernel: torch.Tensor, numbers: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """What was made of a kernel for other channels, in another dtype; E508 if finite numbers gave an infinite one.

        `numbers` are as they were computed: float64, or of the dtype already.
        """
        import torch

        result = numbers.to(dtype, memory_format=torch.contiguous_format)
        finite = kernel.isfinite().all(dim=1, keepdim=True)
        lost = result.isinf() & finite
        if lost.any():
            value = f"{numbers[lost].flatten()[0].item():.6g}"
            wider = str(torch.float64) if bool(numbers[lost].isfinite().all()) and dtype != torch.float64 else None
            self._too_large(name, f"{value} for {numbers.shape[1]} channels", wider, dtype)
        if kernel.dtype != dtype:
            change = f"{short(kernel.dtype)} and became {short(dtype)}"
            channels = "1 channel" if numbers.shape[1] == 1 else f"{numbers.shape[1]} channels"
            self._adapted.append(f"`{name}` is {change}, for {channels}: reckoned in float64, and rounded once")
        return result

    def say(self, note: str) -> None:
        """Keep a note about a kernel that was made for other channels."""
        self._adapted.append(note)

    def _too_large(self, name: str, value: str, wider: str | None, dtype: torch.dtype) -> None:
        self.bag.report("E508", None, facts={"theirs": wider, "ours": short(dtype)}, key=name, value=value)

    def notes(self) -> tuple[str, ...]:
        """A sentence for each pair of dtypes, and for each kernel that was made for other channels."""
        changes = tuple(
            f"{change.tensors:,} tensors are {short(old)} and became {short(new)}: "
            + (
                f"{change.rounded:,} of {change.numbers:,} numbers were rounded (dtype={old} keeps them)"
                if change.rounded
                else "exactly, no number changed"
            )
            for (old, new), change in self._changes.items()
        )
        return (*changes, *self._adapted)


def short(dtype: torch.dtype) -> str:
    """`float16`"""
    return str(dtype).removeprefix("torch.")
