"""Blocks whose activations are not kept for the backward pass but computed again: `set_grad_checkpointing`.

A block's `forward` is replaced on the instance by a `Recomputed`, which copies and pickles take along. What comes out
is the same, bit for bit, running statistics included: torch alone would count a batch twice in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


class Recomputed:
    """The `forward` of one block, run without keeping what lies inside."""

    def __init__(self, block: nn.Module) -> None:
        self.block = block

    def __call__(self, *inputs: Any) -> Any:
        import torch
        from torch.utils.checkpoint import checkpoint

        forward = type(self.block).forward
        if not torch.is_grad_enabled():
            return forward(self.block, *inputs)

        def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
            return nullcontext(), _statistics_kept(self.block)

        return checkpoint(forward, self.block, *inputs, use_reentrant=False, context_fn=contexts)


@contextmanager
def _statistics_kept(block: nn.Module) -> Iterator[None]:
    """Let what is computed again count into copies of the buffers."""
    owners = [(module._buffers, dict(module._buffers)) for module in block.modules() if module._buffers]
    for buffers, old in owners:
        buffers.update({name: None if value is None else value.clone() for name, value in old.items()})
    try:
        yield
    finally:
        for buffers, old in owners:
            buffers.update(old)


def recompute(blocks: list[nn.Module], enable: bool) -> None:
    """Have these blocks computed again in the backward pass, or not any more."""
    for block in blocks:
        vars(block).pop("forward", None)
        if enable:
            block.forward = Recomputed(block)
