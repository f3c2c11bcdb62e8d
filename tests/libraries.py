"""The reference libraries where torchvision's own library does not load: for the tests and `python -m tests.verify`.

torchvision's Python code needs two compiled operators only in that it looks them up when imported; no classifier calls
them. Declared beforehand, it can be imported where its library is a build for another torch or device, as in the
environment that tests/run makes. The product declares nothing: `archdsl verify` says that torchvision cannot be
imported there.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from archdsl.verify import libraries
from archdsl.verify.randomize import give_memory
from archdsl.verify.traits import on_meta


@functools.cache
def declare_operators() -> torch.library.Library:
    """Declare the operators; they live as long as the returned object, which the cache keeps."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    if not hasattr(torch.ops.torchvision, "nms"):
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def import_torchvision() -> Any:
    """The torchvision module."""
    declare_operators()
    import torchvision

    return torchvision


def reference_model(library: str, name: str, *, device: str = "cpu", **arguments: Any) -> nn.Module:
    """The reference network `name` of `library`, in eval mode; on the CPU its values are undefined.

    Only for `randomize`, for a `load_state_dict`, or for the meta device.
    """
    declare_operators()
    model = libraries.built(library, name, arguments)
    return model if device == "meta" else give_memory(model)


class OnMeta(TorchDispatchMode):
    """Networks on the meta device run in a third of the time within it: no batch norm is taken apart in Python."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return on_meta(func, args, kwargs or {})
