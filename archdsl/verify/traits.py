"""What a network is, read without computing with it: takes a module on the meta device, gives plain data to compare.

Outputs alone do not show everything: a LayerNorm's 1e-6 against 1e-5 stays near rounding, a momentum acts in training
only, and the largest networks are rarely run.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from archdsl.verify.operations import Operation, canonical
from archdsl.verify.running import ran

Settings = dict[str, Any]


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shape of every entry of the state_dict."""
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


# --- settings --------------------------------------------------------------------------------

_SETTINGS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("stride", "padding", "dilation", "groups", "padding_mode"),
    nn.BatchNorm2d: ("eps", "momentum", "affine", "track_running_stats"),
    nn.LayerNorm: ("eps", "normalized_shape"),
    nn.GroupNorm: ("eps", "num_groups"),
    nn.Linear: (),
}


def settings(model: nn.Module) -> dict[str, Settings]:
    """The hyperparameters of every layer that has weights, by its path.

    The padding of a convolution that computes it for each image (TensorFlow's SAME) is None: compare it with nothing.
    """
    found = {}
    for path, module in model.named_modules():
        for kind, names in _SETTINGS.items():
            if isinstance(module, kind):
                values = {name: _plain(getattr(module, name)) for name in names}
                if "padding" in values and "same" in type(module).__name__.lower():
                    values["padding"] = None
                found[path] = {"kind": kind.__name__, **values}
    return found


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


# --- operations ------------------------------------------------------------------------------

_BATCH_NORMS = frozenset({"native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training"})


def on_meta(func: Any, args: Any, kwargs: Any) -> Any:
    """What an operation gives on the meta device. That of a batch norm is made here: torch takes it apart into a dozen
    operations, each in Python, which is most of the time that a network takes there."""
    if func.overloadpacket.__name__ in _BATCH_NORMS and args[0].is_meta:
        statistics = args[0].new_empty(args[0].shape[1])
        return torch.empty_like(args[0]), statistics, statistics
    return func(*args, **kwargs)


class _Recorder(TorchDispatchMode):
    """Records every aten operation that computes something, in the one form that `operations.canonical` gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[Operation] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = on_meta(func, args, kwargs or {})
        self.seen.update(canonical(func, args, kwargs or {}, result))
        return result


def work(model: nn.Module, size: int, whose: str = "the network") -> tuple[int, Counter[Operation]]:
    """What eval mode computes on one `size`×`size` image of the meta device: multiply-accumulates, and operations.

    MACs are those of convolutions and matrix products, by torch's own counter. The operations are each with how often
    it is done, in no order, because two branches may be written down either way round; they show what has no weights:
    pools, activations (and GELU's approximation), concatenations, sums. Raises CannotRun.
    """
    with torch.no_grad(), _Recorder() as recorder, FlopCounterMode(display=False) as counter:
        ran(model.eval(), torch.empty(1, 3, size, size, device="meta"), whose)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2, recorder.seen


# --- drops -----------------------------------------------------------------------------------


class _DropDecisions(TorchDispatchMode):
    """Records the probability of every random decision to drop something, and the shape of the decision."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, tuple[int, ...]]] = []
        self.uniform: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = on_meta(func, args, kwargs or {})
        name = func.overloadpacket.__name__
        if name in ("bernoulli_", "bernoulli"):
            keep = args[1] if len(args) > 1 else 0.5  # the default, which is left out
            self._saw(1 - keep, args[0])
        elif name == "native_dropout":
            self._saw(args[1], args[0])
        elif name == "rand" or (name in ("detach", "alias") and self._is_uniform(args[0])):
            self.uniform.append(result)
        elif name in ("add", "add_") and self._is_uniform(args[0]):
            self._saw(1 - args[1], args[0])  # floor(keep + uniform)
        return result

    def _is_uniform(self, tensor: object) -> bool:
        return any(tensor is uniform for uniform in self.uniform)

    def _saw(self, rate: float, decision: Tensor) -> None:
        if rate > 0:
            self.seen.append((rate, tuple(decision.shape)))


def drops(model: nn.Module, size: int, whose: str = "the network") -> list[tuple[float, tuple[int, ...]]]:
    """The rates of dropout and stochastic depth as training on `size`×`size` images meets them, in order.

    Each with the shape of the decision: one for each sample and value, or one for each sample. Zeros are left
    out. Raises CannotRun.
    """
    with torch.no_grad(), _DropDecisions() as coins:
        ran(model.train(), torch.empty(2, 3, size, size, device="meta"), f"{whose} in training")
    model.eval()
    return coins.seen
