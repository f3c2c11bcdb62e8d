"""What a network is to those who build on it: feature maps by stage, the features before the head, the classifier.

Takes a `Graph`; gives names, channels and strides as data, and the places in the graph. All of it follows from the
graph by rules that are the same for every network.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, overload

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.receptive import receptive_fields
from archdsl.graph.stages import Stage, stages
from archdsl.ops.spec import LAYERS, PASSING


class Feature(NamedTuple):
    """A feature map: the stage that gives it, its channels, and its stride.

    `reduction` is the distance in pixels of the image between neighbouring positions of the map.
    """

    name: str
    channels: int
    reduction: int | float


class FeatureInfo(Sequence[Feature]):
    """The feature maps of a network, in order of execution."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = tuple(features)

    @overload
    def __getitem__(self, index: int) -> Feature: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Feature, ...]: ...
    def __getitem__(self, index: int | slice) -> Feature | tuple[Feature, ...]:
        return self._features[index]

    def __len__(self) -> int:
        return len(self._features)

    def __repr__(self) -> str:
        return f"FeatureInfo({list(self._features)!r})"

    def names(self) -> list[str]:
        """The names of their stages."""
        return [feature.name for feature in self]

    def channels(self) -> list[int]:
        """Their channels."""
        return [feature.channels for feature in self]

    def reduction(self) -> list[int | float]:
        """Their strides in pixels of the image."""
        return [feature.reduction for feature in self]


class Head(NamedTuple):
    """The end of a network that classifies: `features`, the last feature map before pooling, is all it sees.

    `classifier` is the layer that gives the classes: the last one with weights on the way to the result.
    """

    features: Ref
    classifier: Node


def head_of(graph: Graph) -> Head | None:
    """Where a network's head begins; None where it has no result that comes from one layer in a line of others.

    The head begins with the last global pool before the classifier. If there is none (SqueezeNet pools after it) it
    begins with what has no weights before the classifier: dropout, flattening, a pool.
    """
    classifier = None if graph.result is None else classifier_of(graph, graph.result)
    if classifier is None:
        return None
    ref = classifier.inputs[0]
    for node in graph.line(ref):
        if _is_global_pool(node):
            return Head(node.inputs[0], classifier)
    for node in graph.line(ref):
        if node.weights or node.op.role not in PASSING | {"pool"}:
            break
        ref = node.inputs[0]
    return Head(ref, classifier)


def classifier_of(graph: Graph, output: Ref) -> Node | None:
    """The layer that an output comes from, with nothing after it but what has no weights; None where there is none."""
    for node in graph.line(output):
        if node.weights:
            return node if node.op.role in LAYERS else None
    return None


def classifiers(graph: Graph) -> tuple[Node, ...]:
    """The layers that may give the classes: of the result, and of further outputs with layers of their own; of every
    output where all are alike."""
    alike = graph.result is None
    heads = [output for output in graph.outputs if alike or output == graph.result or output.node in graph.aux]
    found = [classifier_of(graph, output) for output in heads]
    return tuple(dict.fromkeys(node for node in found if node is not None))


def first_layers(graph: Graph) -> tuple[Node, ...]:
    """The convolutions that see the image, directly or through what has no weights."""
    sees = {graph.input.id}
    found = []
    for node in graph.nodes:
        if len(node.inputs) == 1 and node.inputs[0].node in sees:
            if node.weights:
                found.append(node)
            else:
                sees.add(node.id)
    return tuple(node for node in found if node.op.role == "conv")


def _is_global_pool(node: Node) -> bool:
    return node.op.role == "pool" and node.op.reach(node.params, node.input_shapes).everything


def feature_info(graph: Graph, names: Sequence[str] | None = None) -> FeatureInfo:
    """Channels and strides of the feature maps of the whole network, or of those that are named."""
    chosen = feature_maps(graph) if names is None else named_maps(graph, names)
    fields = receptive_fields(graph)
    features = [
        Feature(name, graph.shape(ref).channels, _whole(fields[ref.node].stride[0])) for name, ref in chosen.items()
    ]
    return FeatureInfo(features)


def _whole(stride: int | Fraction) -> int | float:
    return int(stride) if stride.denominator == 1 else float(stride)


def pyramid(graph: Graph) -> tuple[str, ...]:
    """The last map of each resolution, as detection and segmentation use them: of a stage, or before the first one.

    Of a network whose strides were taken away it is the same maps, though some have one resolution.
    """
    graph = graph.plain or graph
    last = {_size(graph, ref): name for name, ref in feature_maps(graph).items()}
    return tuple(last.values())


def feature_maps(graph: Graph) -> dict[str, Ref]:
    """The feature maps of all stages, and of resolutions that no stage has, in order of execution, by name.

    Of such a resolution, half the image's or less, it is the last tensor on the way to the last stage, which a layer of
    larger stride reads. It is named by the outermost block that ends with it, or by its own layer.
    """
    graph = graph.plain or graph
    found = stage_features(graph)
    if not found:
        return found
    known = {_size(graph, ref) for ref in found.values()}
    strides = [field.stride for field in receptive_fields(graph)]
    finer: dict[object, Ref] = {}
    for number in sorted(graph.needed(max(found.values()))):
        for ref in graph.nodes[number].inputs:
            shape, stride = graph.shape(ref), strides[ref.node]
            subsamples = strides[number][0] > stride[0] >= 2 and shape.layout == "chw"
            if subsamples and _size(graph, ref) not in known:
                entered = _behind_borders(graph, _entered(graph.nodes[number], ref, strides))
                finer[stride] = max(entered, finer.get(stride, entered))
    named = {_outermost(graph, ref): ref for ref in finer.values()}
    return dict(sorted((named | found).items(), key=lambda item: item[1]))


def named_maps(graph: Graph, names: Sequence[str]) -> dict[str, Ref]:
    """The feature maps that some names mean, in order of execution: those of `feature_maps`, or, by its path, what any
    layer or block gives. Names that mean none are left out."""
    known = feature_maps(graph)
    found = {name: known[name] for name in names if name in known}
    found |= {name: ref for name in names if name not in known and (ref := _map_at(graph, name)) is not None}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _map_at(graph: Graph, path: str) -> Ref | None:
    """The one C×H×W tensor that the layer or block of a path gives."""
    ends = [scope.outputs for scope in graph.root.scopes() if path and scope.path == path and len(scope.outputs) == 1]
    ends += [(Ref(node.id, 0),) for node in graph.nodes if node.path == path and len(node.outputs) == 1]
    return next((ref for (ref,) in ends if ref.node and graph.shape(ref).layout == "chw"), None)


def _entered(node: Node, ref: Ref, strides: Sequence[object]) -> Ref:
    """Of what a layer of larger stride reads, what goes into the outermost block that has this stride as a whole."""
    for scope in node.scope.ancestors():
        if len(scope.inputs) == 1 and strides[scope.inputs[0].node] == strides[ref.node]:
            ends = {strides[end.node] for end in scope.outputs}
            if ends and strides[ref.node] not in ends:
                ref = scope.inputs[0]
    return ref


def _behind_borders(graph: Graph, ref: Ref) -> Ref:
    """What a tensor is before rows and columns were added or taken away."""
    for node in graph.line(ref):
        if node.op.role != "reshape" or graph.shape(node.inputs[0]).layout != "chw":
            break
        ref = node.inputs[0]
    return ref


def _size(graph: Graph, ref: Ref) -> tuple[int, int]:
    return graph.shape(ref).height, graph.shape(ref).width


def _outermost(graph: Graph, ref: Ref) -> str:
    """The path of the outermost block that a tensor is the result of, or of its layer."""
    node = graph.nodes[ref.node]
    name = node.path
    for scope in node.scope.ancestors():
        if scope.outputs == (ref,) and scope.path:
            name = scope.path
    return name


def stage_features(graph: Graph) -> dict[str, Ref]:
    """The feature maps of all stages, in order of execution, by name: `stage`, or of several `stage[0]`, `stage[1]`."""
    found: dict[str, Ref] = {}
    for name, refs in stage_results(graph).items():
        found |= {name if len(refs) == 1 else f"{name}[{index}]": ref for index, ref in enumerate(refs)}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def stage_results(graph: Graph) -> dict[str, tuple[Ref, ...]]:
    """The tensors with which each stage ends, of those that are C×H×W, by the stage's name.

    A labelled layer ends with its results. A stage in braces has none of its own: what other layers read ends it, of
    each resolution the last.
    """
    found: dict[str, tuple[Ref, ...]] = {}
    for stage in stages(graph):
        if stage.scope is not None:
            refs = stage.scope.outputs or _leaving(graph, stage)
            maps = tuple(ref for ref in refs if graph.shape(ref).layout == "chw")
            if maps:
                found[stage.name] = maps
    return found


def _leaving(graph: Graph, stage: Stage) -> tuple[Ref, ...]:
    """Of the tensors of a stage that others read, or that are outputs, the last of each resolution; its last one where
    there is none."""
    import networkx

    own = {node.id for node in stage.nodes}
    read = networkx.edge_boundary(graph.network, own, data="port")
    ends = {Ref(source, port) for source, reader, port in read if reader not in graph.aux}
    ends |= {ref for ref in graph.outputs if ref.node in own}
    return tuple({_size(graph, ref): ref for ref in sorted(ends or {Ref(max(own), 0)})}.values())
