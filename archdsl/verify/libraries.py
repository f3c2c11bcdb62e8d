"""Reference networks: takes a `Reference`, gives the library's module without memory and without values.

A library is used as it is. Two kinds of networks are made to run at any image size, which changes no weight: average
pools of pytorchcv whose kernel is the feature map of one image size (`final_pool`) take the whole map instead, and
efficientnet_lite_pytorch, which computes its padding for one size, is asked to compute it for each.

What is passed on is what `Reference.refusal` lets through, and of that only names in the library's register of
classifiers: nothing that a spec says can make a library read a file or reach a network.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from archdsl.graph.reference import LIBRARIES, Plain, Reference


class Unavailable(Exception):
    """The library cannot be imported here; says why."""


class LibraryRefused(Exception):
    """The library does not build what the reference names; says why."""


def _torchvision(library: Any, name: str, **arguments: Any) -> nn.Module:
    model: nn.Module = library.models.get_model(name, weights=None, **arguments)
    return model


def _timm(library: Any, name: str, **arguments: Any) -> nn.Module:
    model: nn.Module = library.create_model(name, pretrained=False, **arguments)
    return model


def _pytorchcv(library: Any, name: str, **arguments: Any) -> nn.Module:
    model: nn.Module = library.get_model(name, pretrained=False, **arguments)
    for path, module in list(model.named_modules()):
        if path.rpartition(".")[2] == "final_pool" and isinstance(module, nn.AvgPool2d):
            model.set_submodule(path, nn.AdaptiveAvgPool2d(1))
    return model


def _lite(library: Any, name: str, **arguments: Any) -> nn.Module:
    model: nn.Module = library.EfficientNet.from_name(name, **{"image_size": None, **arguments})
    return model


def _is_torchvisions(library: Any, name: str) -> bool:
    """Classifiers only: detectors and segmenters fetch the weights of their backbones."""
    return name in library.models.list_models(module=library.models)


def _is_timms(library: Any, name: str) -> bool:
    known: bool = library.is_model(name)
    return known


def _is_pytorchcvs(library: Any, name: str) -> bool:
    return name in library._models


def _is_lite(_: Any, name: str) -> bool:
    return name in {*(f"efficientnet-lite{n}" for n in range(5)), *(f"efficientnet-b{n}" for n in range(9))}


_BUILDERS: Mapping[str, tuple[str, Callable[[Any, str], bool], Callable[..., nn.Module]]] = {
    "torchvision": ("torchvision", _is_torchvisions, _torchvision),
    "timm": ("timm", _is_timms, _timm),
    "pytorchcv": ("pytorchcv.model_provider", _is_pytorchcvs, _pytorchcv),
    "efficientnet_lite_pytorch": ("efficientnet_lite_pytorch", _is_lite, _lite),
}
"""For each library the module to import, whether a name is one of its classifiers, and how it makes one."""

assert tuple(_BUILDERS) == LIBRARIES


@cache
def unavailable(library: str) -> str:
    """Why a library cannot be imported; empty if it can."""
    try:
        importlib.import_module(_BUILDERS[library][0])
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == library:
            return f"{library} is not installed"
        return f"{library} cannot be imported: {error}"
    except Exception as error:  # a broken installation, or one for another torch
        return f"{library} cannot be imported: {error}"
    return ""


@cache
def version(library: str) -> str:
    """The library's version; empty if it is not known."""
    try:
        return importlib.metadata.version(library.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return ""


def reference_model(reference: Reference) -> nn.Module:
    """The network that a reference names, in eval mode, on the meta device: no memory, no values.

    Raises Unavailable, or Refused if the library has no such model or does not take the arguments, or if they are none
    that a spec may give: neither check nor a `Reference` made in Python gets around that.
    """
    if reference.refusal:
        raise LibraryRefused(reference.refusal)
    if why := unavailable(reference.library):
        raise Unavailable(why)
    name, knows, _ = _BUILDERS[reference.library]
    if not knows(importlib.import_module(name), reference.model):
        raise LibraryRefused(f"{reference.library} has no classifier {reference.model}")
    return built(reference.library, reference.model, {key: _as_list(v) for key, v in reference.arguments.items()})


def built(library: str, model: str, arguments: Mapping[str, Any]) -> nn.Module:
    """A library's network, in eval mode, on the meta device; whatever it is given. Raises Refused."""
    name, _, build = _BUILDERS[library]
    try:
        with _WithoutMemory(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network = build(importlib.import_module(name), model, **arguments)
    except Exception as error:  # whatever it raises: unknown names and arguments are of several kinds
        raise LibraryRefused(f"{library} does not build it: {type(error).__name__}: {error}") from error
    return network.eval()


class _WithoutMemory(TorchFunctionMode):
    """Within it what modules allocate is on the meta device; what libraries compute sizes and rates with is not.

    What would fill it with numbers, of which there are none, is left out: half of the time that a network takes.
    """

    ALLOCATES = frozenset({torch.empty, torch.full, torch.ones, torch.rand, torch.randn, torch.zeros})
    FILLS = frozenset({Tensor.normal_, Tensor.uniform_, Tensor.erfinv_, Tensor.clamp_, Tensor.fill_, Tensor.zero_})

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self.ALLOCATES and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        if func in self.FILLS or getattr(func, "__module__", "") == nn.init.__name__:
            filled = kwargs["tensor"] if "tensor" in kwargs else args[0]
            if filled.is_meta:
                return filled
        return func(*args, **kwargs)


def _as_list(value: Plain) -> Any:
    """Libraries take lists where the language has them."""
    return [_as_list(item) for item in value] if isinstance(value, tuple) else value
