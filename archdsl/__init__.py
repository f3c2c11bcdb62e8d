"""archdsl: describe convolutional networks as the paper does; check, draw, print and run them.

    >>> import archdsl
    >>> archdsl.open("resnet")["resnet50"].graph.params
    25557032
    >>> model = archdsl.load("resnet50", classes=10)  # an nn.Module

Nothing here imports torch until `load` is called, nor anything else before it is needed: the command can be interrupted
quietly as soon as this module is there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from archdsl.api import ArchFile, Variant, find, load, open
    from archdsl.diagnostics.core import ArchError
    from archdsl.diagnostics.diagnostic import Diagnostic
    from archdsl.pretrained import from_pretrained, push_to_hub, save_pretrained
    from archdsl.weights.loading import WeightsNote

__version__ = "0.1.0"
_HOMES = {
    "ArchFile": "archdsl.api",
    "Variant": "archdsl.api",
    "find": "archdsl.api",
    "load": "archdsl.api",
    "open": "archdsl.api",
    "ArchError": "archdsl.diagnostics.core",
    "Diagnostic": "archdsl.diagnostics.core",
    "WeightsNote": "archdsl.weights.loading",
    "from_pretrained": "archdsl.pretrained",
    "push_to_hub": "archdsl.pretrained",
    "save_pretrained": "archdsl.pretrained",
}
__all__ = [
    "ArchError",
    "ArchFile",
    "Diagnostic",
    "Variant",
    "WeightsNote",
    "__version__",
    "find",
    "from_pretrained",
    "load",
    "open",
    "push_to_hub",
    "save_pretrained",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES or name == "timm":
        from importlib import import_module

        if name == "timm":  # a module, of which `archdsl.timm.register()` is written
            return import_module("archdsl.timm")
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'archdsl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
