"""What a built network offers to those who build on it, beyond what its source says: data, and a new classifier.

It is put on the class that the generated source defines, so that copies and pickles of a model have it too. Each
network has a class of its own, even where its source is that of another. The names are those that timm has given them:
its tools (layer-wise decay, data configurations) work on our models as on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

from archdsl import arguments
from archdsl.backends.recompute import recompute
from archdsl.graph.backbone import FeatureInfo, feature_info, head_of
from archdsl.graph.depth import depth, group_matcher
from archdsl.graph.ir import Graph
from archdsl.graph.pretrained_cfg import pretrained_cfg
from archdsl.graph.settings import Preprocess
from archdsl.ops.spec import LAYERS

if TYPE_CHECKING:
    from torch import nn


class ContractNetwork(Protocol):
    """What the contract needs to know of a variant (`archdsl.Variant`)."""

    @property
    def graph(self) -> Graph: ...

    @property
    def whole(self) -> ContractNetwork:
        """The network of which it is the part that gives feature maps; itself, if it is whole."""

    @property
    def pictures(self) -> Preprocess | None:
        """What its spec says of them."""

    @property
    def parameters(self) -> tuple[str, ...]: ...

    def new_classifiers(self, classes: int | None = None) -> Mapping[str, nn.Module]: ...


def add_timm_interface(model_class: type[Any], network: ContractNetwork, features: Sequence[str] | None = None) -> None:
    """Give a generated class what its models offer.

    All have `pretrained_cfg`, `group_matcher`, `no_weight_decay` and `set_grad_checkpointing`; those that give feature
    maps, or have a head, `feature_info`; those with a head `num_classes`, `num_features`, `head_hidden_size`,
    `get_classifier` and, if their spec has a parameter `classes`, `reset_classifier`.

    `features` are the names of the feature maps that the class gives, None: it is whole. A name that a layer has is
    left to it.
    """
    graph = network.whole.graph
    offered: dict[str, Any] = {
        "group_matcher": _group_matcher(graph),
        "no_weight_decay": _no_weight_decay(network.graph),
        "set_grad_checkpointing": _set_grad_checkpointing(graph),
    }
    classes = None
    head = head_of(graph) if features is None and hasattr(model_class, "forward_head") else None
    if features is not None or head is not None:
        offered["feature_info"] = _Lazy(lambda: feature_info(graph, features))
    if head is not None:
        classes = graph.output_shape.channels
        offered["num_classes"] = classes
        offered["num_features"] = graph.shape(head.features).channels
        offered["head_hidden_size"] = head.classifier.input_shapes[0].channels
        offered["get_classifier"] = _get_classifier(head.classifier.path)
        if "classes" in network.parameters:
            offered["reset_classifier"] = _reset(network)
    cfg = _Lazy(lambda: pretrained_cfg(graph, network.whole.pictures, classes))
    offered["pretrained_cfg"] = cfg
    offered["default_cfg"] = _Alias()
    for name, value in offered.items():
        if name not in graph.root.names:
            setattr(model_class, name, value)


class _Lazy:
    """An attribute worked out when it is first asked for: most models are loaded for something else."""

    def __init__(self, make: Callable[[], FeatureInfo | dict[str, Any]]) -> None:
        self.make = make
        self.found: FeatureInfo | dict[str, Any] | None = None

    def __get__(self, model: object, owner: type[object]) -> FeatureInfo | dict[str, Any]:
        if self.found is None:
            self.found = self.make()
        return deepcopy(self.found) if isinstance(self.found, dict) else self.found


class _Alias:
    """The name that timm's older tools know `pretrained_cfg` by."""

    def __get__(self, model: Any, owner: type[Any]) -> object:
        return (owner if model is None else model).pretrained_cfg


def _group_matcher(graph: Graph) -> Callable[..., Mapping[str, Any]]:
    def matcher(self: nn.Module, coarse: bool = False) -> Mapping[str, Any]:
        """Layers by depth, as timm's tools take it: patterns for the stem and for each block (coarse: stage)."""
        return group_matcher(graph, coarse)

    return matcher


def _no_weight_decay(graph: Graph) -> Callable[[Any], set[str]]:
    def no_weight_decay(self: nn.Module) -> set[str]:
        """Weights of more than one dimension that scale or shift channels, which are not made smaller."""
        found = ((key, weight.shape) for key, weight, node in graph.state() if node.op.role not in LAYERS)
        return {key for key, shape in found if len(shape) > 1 and sum(side > 1 for side in shape) <= 1}

    return no_weight_decay


def _set_grad_checkpointing(graph: Graph) -> Callable[..., None]:
    def set_grad_checkpointing(self: nn.Module, enable: bool = True) -> None:
        """Keep nothing of what lies inside a block for the backward pass, and compute it again there.

        Results, gradients and running statistics stay the same. Raises ValueError for a network without blocks.
        """
        modules = dict(self.named_modules())
        paths = [group.scope.path for group in depth(graph).groups if group.scope is not None]
        blocks = [modules[path] for path in paths if path in modules]
        if enable and not blocks:
            raise ValueError(f"{graph.name} has no blocks that could be computed again")
        recompute(blocks, enable)

    return set_grad_checkpointing


def _get_classifier(path: str) -> Callable[[Any], nn.Module]:
    def get_classifier(self: nn.Module) -> nn.Module:
        """The layer that gives the classes."""
        return self.get_submodule(path)

    return get_classifier


def _reset(network: ContractNetwork) -> Callable[..., None]:
    taken = network.graph.root.names

    def reset_classifier(self: Any, num_classes: int, global_pool: str | None = None) -> None:
        """Put a new classifier for so many classes in, initialized as the spec says; 0: none, what it sees comes out.

        Auxiliary heads that give classes get one too. It is on the device and of the dtype that the old one was.
        With `global_pool=""` and no classes the last feature map comes out, as of timm's models; ValueError for another
        pool than that of the spec.
        """
        from torch import nn

        classes = arguments.whole("num_classes", num_classes)
        if global_pool not in (None, "") or (global_pool == "" and classes):
            why = "without a pool there are no classes" if global_pool == "" else "the pool is that of the spec"
            raise ValueError(f"global_pool cannot be {arguments.shown(global_pool)}: {why}")
        layers = network.new_classifiers(classes) if classes else dict.fromkeys(network.new_classifiers(None))
        for path, layer in layers.items():
            around, _, name = path.rpartition(".")
            parent = self.get_submodule(around)
            old = next(parent.get_submodule(name).parameters(), next(self.parameters()))
            new = nn.Identity() if layer is None else layer
            setattr(parent, name, new.to(old.device, old.dtype).train(self.training))
        vars(self).pop("forward", None)
        if global_pool == "":
            self.forward = self.forward_features
        if "num_classes" not in taken:
            self.num_classes = classes
        if "pretrained_cfg" not in taken:
            # What the new classes are called is not known, even if they are as many as the spec has names for.
            self.pretrained_cfg = {**self.pretrained_cfg, "num_classes": classes, "label_names": None}

    return reset_classifier
