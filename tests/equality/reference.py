"""Reference models, and how to compare ours with them so that a bug shows.

A network as its library initialises it hides errors: with the default initialisation 21 of 29 planted errors went
unseen (deleted ConvNeXt blocks among them), because residual branches and deep signals vanish. So the reference is
randomised (every layer keeps the signal's scale, every scalar differs from its neutral value), its batch norms are
calibrated on a batch and then disturbed, and differences are measured in units of the logits' spread.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_NORMS = (*_BATCH_NORMS, nn.LayerNorm, nn.GroupNorm)


@functools.cache
def _declare_operators() -> torch.library.Library:
    """Declare the two compiled operators that torchvision looks up when imported; they are never called.

    With this it can be imported also where its library does not load (a build for another torch or device).
    The declarations live as long as the returned object, which the cache keeps.
    """
    library = torch.library.Library("torchvision", "FRAGMENT")
    if not hasattr(torch.ops.torchvision, "nms"):
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def import_torchvision() -> Any:
    """The torchvision module."""
    _declare_operators()
    import torchvision

    return torchvision


def _torchvision(name: str, **kwargs: Any) -> nn.Module:
    model: nn.Module = import_torchvision().models.get_model(name, weights=None, **kwargs)
    return model


def _timm(name: str, **kwargs: Any) -> nn.Module:
    import_torchvision()
    import timm

    model: nn.Module = timm.create_model(name, pretrained=False, **kwargs)
    return model


def _pytorchcv(name: str, **kwargs: Any) -> nn.Module:
    import_torchvision()
    from pytorchcv.model_provider import get_model

    model: nn.Module = get_model(name, pretrained=False, **kwargs)
    return model


def _lite(name: str, **kwargs: Any) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    model: nn.Module = EfficientNet.from_name(name, **kwargs)
    return model


_LIBRARIES: dict[str, Callable[..., nn.Module]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "pytorchcv": _pytorchcv,
    "efficientnet_lite": _lite,
}


def reference_model(library: str, name: str, *, device: str = "cpu", **kwargs: Any) -> nn.Module:
    """The reference network `name` of `library`, in eval mode and without pretrained weights.

    On the CPU it is built on the meta device and then given memory, which skips the initialisation (most of the time
    that building takes). Its values are undefined until `randomize`; only for `randomize` or a `load_state_dict`.
    """
    with torch.device("meta"):
        model = _LIBRARIES[library](name, **kwargs)
    if device != "meta":
        model.to_empty(device=device)
    return model.eval()


def drop_modules(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Every dropout or stochastic depth module with the name of the attribute that holds its probability.

    Libraries call it by several names; the class name tells what it is.
    """
    for module in model.modules():
        kind = type(module).__name__.lower()
        if "drop" in kind or kind == "stochasticdepth":
            for attribute in ("p", "drop_prob", "rate"):
                if isinstance(getattr(module, attribute, None), float | int):
                    yield module, attribute
                    break
            else:
                raise AssertionError(f"{type(module).__name__}: where is its probability?")


def without_drops(model: nn.Module) -> nn.Module:
    """`model` with all its drop probabilities set to zero, so that training steps are deterministic."""
    for module, attribute in drop_modules(model):
        setattr(module, attribute, 0.0)
    return model


@torch.no_grad()
def randomize(model: nn.Module, seed: int = 0, size: int = 96, batch: int = 4) -> nn.Module:
    """Give `model` values under which an error shows; see the module docstring. In place; returns it in eval mode.

    Convolution and linear weights N(0, 1/fan_in), norm weights U(.5, 1.5), all biases N(0, .2), other parameters
    (layer scale, gamma, GRN) U(.3, .7); batch norm statistics from one batch of `size`×`size` images, then jittered.
    """
    rng = torch.Generator().manual_seed(seed)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias":
                parameter.normal_(0, 0.2, generator=rng)
            elif isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
                parameter.normal_(0, parameter[0].numel() ** -0.5, generator=rng)
            elif isinstance(module, _NORMS):
                parameter.uniform_(0.5, 1.5, generator=rng)
            else:
                parameter.uniform_(0.3, 0.7, generator=rng)
    _calibrate(model, torch.randn(batch, 3, size, size, generator=rng), rng)
    return model


def _calibrate(model: nn.Module, images: Tensor, rng: torch.Generator) -> None:
    norms = [m for m in model.modules() if isinstance(m, _BATCH_NORMS)]
    momenta = [m.momentum for m in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = 1.0
        norm.train()
    if norms:
        model(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean += torch.randn(norm.num_features, generator=rng) * 0.1 * norm.running_var.sqrt()
        norm.running_var *= torch.empty(norm.num_features).uniform_(0.8, 1.25, generator=rng)


@torch.no_grad()
def compare(reference: nn.Module, ours: nn.Module, size: int, seed: int = 1, batch: int = 2) -> float:
    """max |difference| / std of the reference's logits, both in eval mode, on one random batch; 0 is bit-equality.

    Raises AssertionError where the comparison would mean nothing: shapes differ, or the reference's logits are not
    finite or do not vary.
    """
    x = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))
    expected, actual = reference.eval()(x), ours.eval()(x)
    assert actual.shape == expected.shape, f"{tuple(actual.shape)} instead of {tuple(expected.shape)}"
    spread = expected.std().item()
    assert torch.isfinite(expected).all(), "the reference's logits are not finite"
    assert spread > 1e-3, f"the reference's logits hardly vary (std {spread:.1e})"
    difference = ((actual - expected).abs().max() / spread).item()
    return difference if torch.isfinite(actual).all() else float("inf")


def macs(model: nn.Module, size: int) -> int:
    """Multiply-accumulates of one `size`×`size` image, convolutions and matrix products; works on the meta device."""
    device = next(model.parameters()).device
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.empty(1, 3, size, size, device=device))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


def state(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shape of every entry of the state_dict."""
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


_SETTINGS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("stride", "padding", "dilation", "groups", "padding_mode"),
    nn.BatchNorm1d: ("eps", "momentum", "affine", "track_running_stats"),
    nn.BatchNorm2d: ("eps", "momentum", "affine", "track_running_stats"),
    nn.LayerNorm: ("eps", "normalized_shape"),
    nn.GroupNorm: ("eps", "num_groups"),
    nn.Linear: (),
}


def settings(model: nn.Module) -> dict[str, dict[str, Any]]:
    """The hyperparameters of every layer that has weights, by its path.

    Outputs alone do not show them all: a LayerNorm's 1e-6 against 1e-5 stays near rounding, a momentum acts in
    training only.
    """
    found = {}
    for path, module in model.named_modules():
        for kind, names in _SETTINGS.items():
            if isinstance(module, kind):
                values = {name: getattr(module, name) for name in names}
                found[path] = {"kind": kind.__name__} | {k: _plain(v) for k, v in values.items()}
    return found


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


class _Recorder(TorchDispatchMode):
    """Records every aten operation that computes something, with its scalar arguments and its inputs' shapes."""

    # Views and bookkeeping, which may differ between equal networks.
    IGNORED = frozenset(
        "view _unsafe_view reshape permute transpose t expand detach alias unsqueeze squeeze empty clone".split()
    )

    COMMUTATIVE = frozenset({"add", "mul"})

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[tuple[Any, ...]] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # An operation in place computes the same as its other form.
        name = func.overloadpacket.__name__.removesuffix("_")
        if name not in self.IGNORED:
            described = [_describe(a) for a in (*args, *(kwargs or {}).values())]
            if name in self.COMMUTATIVE:
                described.sort(key=str)
            self.seen[(name, *described)] += 1
        return func(*args, **(kwargs or {}))


def _describe(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        return tuple(argument.shape)
    if isinstance(argument, list | tuple):
        return tuple(_describe(a) for a in argument)
    return argument if isinstance(argument, int | float | str | bool | None) else str(argument)


def operations(model: nn.Module, size: int) -> Counter[tuple[Any, ...]]:
    """What eval mode computes on one `size`×`size` image of the meta device: each operation and how often.

    It sees what has no weights: pools, activations (and GELU's approximation), concatenations, sums. In no order,
    because two branches may be written down either way round.
    """
    with torch.no_grad(), _Recorder() as recorder:
        model.eval()(torch.empty(1, 3, size, size, device="meta"))
    return recorder.seen


def drop_rates(model: nn.Module, size: int) -> list[float]:
    """The probabilities of the dropout and stochastic depth modules that run in training, in order, zeros left out."""
    rates: list[float] = []
    with _hooked(drop_modules(model), rates), torch.no_grad():
        model.train()(torch.empty(2, 3, size, size, device="meta"))
    model.eval()
    return rates


@contextmanager
def _hooked(modules: Iterable[tuple[nn.Module, str]], rates: list[float]) -> Iterator[None]:
    def record(attribute: str) -> Callable[[nn.Module, Any], None]:
        def hook(module: nn.Module, _: Any) -> None:
            if rate := float(getattr(module, attribute)):
                rates.append(rate)

        return hook

    handles = [module.register_forward_pre_hook(record(attribute)) for module, attribute in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def train_step(model: nn.Module, size: int, seed: int = 2, batch: int = 4) -> dict[str, Tensor]:
    """Gradients and buffers after one training step's forward and backward pass, drop probabilities zero.

    The loss weighs every logit differently, so that no two of them can be exchanged unnoticed.
    """
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, 3, size, size, generator=rng)
    without_drops(model).train().zero_grad(set_to_none=True)
    logits = model(x)
    (logits * torch.randn(logits.shape, generator=rng)).sum().backward()
    results = {f"gradient of {key}": value.grad for key, value in model.named_parameters()}
    assert all(gradient is not None for gradient in results.values())
    return {k: v for k, v in results.items() if v is not None} | dict(model.named_buffers())
