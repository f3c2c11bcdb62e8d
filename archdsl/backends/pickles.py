"""Models that can be pickled into other processes, as those of torchvision can.

The classes of a generated module are in no file that another process could import. What a pickle has in their place is
the network (its spec's texts, the variant and what was changed of it) and the name of the class: the other process
compiles the texts as `archdsl.load` does, and takes the class from there. No Python source is ever in a pickle.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from archdsl.diagnostics.core import ArchError

if TYPE_CHECKING:
    from torch import nn

GENERATED = "archdsl_generated."
"""What the names of modules begin with that are made from generated source."""


class PickledNetwork(Protocol):
    """What made a module and can make it again (`archdsl.Variant`); it can be pickled itself."""

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def module(self) -> types.ModuleType:
        """The compiled source."""


def make_picklable(module: types.ModuleType, network: PickledNetwork) -> None:
    """Give the classes that a generated module defines what pickle asks them for."""
    digest = _digest(network.source)
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            reduce = _reduce_tuple if issubclass(value, tuple) else _reduce_object
            value.__reduce_ex__ = reduce(value, (network, digest, name))  # type: ignore[method-assign, assignment]


def _reduce_object(made: type[Any], origin: tuple[PickledNetwork, str, str]) -> Callable[[Any, int], Any]:
    def __reduce_ex__(self: Any, protocol: int) -> Any:  # noqa: N807  it becomes one
        if type(self) is not made:  # of a class derived from ours, which is in some file
            return super(made, self).__reduce_ex__(protocol)
        return revived, origin, self.__getstate__()

    return __reduce_ex__


def _reduce_tuple(made: type[Any], origin: tuple[PickledNetwork, str, str]) -> Callable[[Any, int], Any]:
    def __reduce_ex__(self: Any, protocol: int) -> Any:  # noqa: N807  it becomes one
        if type(self) is not made:
            return super(made, self).__reduce_ex__(protocol)
        return revived_tuple, (*origin, tuple(self))

    return __reduce_ex__


def own_class(layer: nn.Module, module: types.ModuleType) -> nn.Module:
    """A layer that was made from a source of its own, as one of its network's module: both have the same helper."""
    made = type(layer)
    own: Any = vars(module).get(made.__name__)
    generated = made.__module__.startswith(GENERATED) and isinstance(own, type)
    if generated and inspect.getsource(own) == inspect.getsource(made):
        layer.__class__ = own
    return layer


def network_of(model: nn.Module, *, part: bool = False) -> object | None:
    """What made a model (`archdsl.Variant`); None if it is none of ours, or of a class derived from one. `part`: or any
    module in one, whose class stands in the generated source."""
    made = type(model)
    home = sys.modules.get(made.__module__) if made.__module__.startswith(GENERATED) else None
    network = None if home is None else vars(home).get("__network__")
    if network is None or vars(home).get(made.__name__) is not made:
        return None
    found: object = network
    return found if part or made is network.model_class else None


def revived(network: PickledNetwork, digest: str, name: str) -> Any:
    """An instance of a class of a network's module, as yet without state; raises ArchError E507.

    `digest` is that of the source that the state was made by: with other code it could mean something else.
    """
    return object.__new__(_class(network, digest, name))


def revived_tuple(network: PickledNetwork, digest: str, name: str, members: Iterable[Any]) -> Any:
    """A model's several results, as a pickle has them; raises ArchError E507."""
    return _class(network, digest, name)(*members)


def _class(network: PickledNetwork, digest: str, name: str) -> type[Any]:
    if _digest(network.source) != digest:
        raise ArchError.of("E507", name=network.name)
    found: type[Any] = vars(network.module)[name]
    return found


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()
