"""What a built network offers to those who build on it, besides what its source says: data, and a new classifier.

It is put on the class that the generated source defines, so that copies and pickles of a model have it too. Each
network has a class of its own, even where its source is that of another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archdsl import arguments
from archdsl.graph.backbone import FeatureInfo, feature_info, head_of
from archdsl.graph.ir import Graph

if TYPE_CHECKING:
    from torch import nn

    NewClassifiers = Callable[[int | None], Mapping[str, nn.Module]]


def equip(
    model_class: type[Any], graph: Graph, features: Sequence[str] | None = None, new: NewClassifiers | None = None
) -> None:
    """Give a generated class `feature_info`, and, if it has a head, `num_features`, `head_hidden_size` and
    `reset_classifier`, whose layers `new` makes.

    `graph` is the whole network; `features` are the names of the feature maps that the class gives, None: it is whole.
    """
    if features is not None and "feature_info" in graph.root.names:
        return  # a layer has that name
    if features is not None:
        model_class.feature_info = _Features(graph, features)
        return
    head = head_of(graph)
    if head is None or not hasattr(model_class, "forward_head"):
        return
    model_class.feature_info = _Features(graph, None)
    model_class.num_features = graph.shape(head.features).channels
    model_class.head_hidden_size = head.classifier.input_shapes[0].channels
    if new is not None:
        model_class.reset_classifier = _reset(new)


class _Features:
    """An attribute worked out when it is first asked for: most models are loaded for something else."""

    def __init__(self, graph: Graph, names: Sequence[str] | None) -> None:
        self.graph = graph
        self.names = names
        self.found: FeatureInfo | None = None

    def __get__(self, model: object, owner: type[object]) -> FeatureInfo:
        if self.found is None:
            self.found = feature_info(self.graph, self.names)
        return self.found


def _reset(new: NewClassifiers) -> Callable[[Any, int], None]:
    def reset_classifier(self: nn.Module, classes: int) -> None:
        """Put a new classifier for so many classes in, initialized as the spec says; 0: none, what it sees comes out.

        Auxiliary heads that give classes get one too. It is on the device and of the dtype that the old one was.
        """
        from torch import nn

        classes = arguments.whole("classes", classes)
        layers = new(classes) if classes else {path: nn.Identity() for path in new(None)}
        for path, layer in layers.items():
            around, _, name = path.rpartition(".")
            parent = self.get_submodule(around)
            old = next(parent.get_submodule(name).parameters(), next(self.parameters()))
            setattr(parent, name, layer.to(old.device, old.dtype).train(self.training))

    return reset_classifier
