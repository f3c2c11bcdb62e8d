"""How deep a layer lies, for what is done by depth: learning rates that decay from layer to layer, recomputed blocks.

Takes a `Graph`; gives groups of layers with weights in the order of execution, by rules that are the same for every
network. What timm says of each of its models by hand (`group_matcher`) follows from the graph here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from archdsl.graph.backbone import classifiers, head_of
from archdsl.graph.ir import Graph, Node
from archdsl.graph.scopes import Scope
from archdsl.ops.spec import LAYERS


@dataclass
class Group:
    """Layers of one depth. `scope` is the block they are, if they are one; `stage` the stage that they are in."""

    scope: Scope | None
    stage: str
    nodes: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Depth:
    """A network from its image to its classes. A residual or other block of two or more convolutions is a group, in
    a stage one of a single convolution too.

    Layers in front of the first are the stem. Those between two belong to the one that they lead to, or, where they end
    at the resolution of the last one (DenseNet's transitions), to that. Behind the last one convolutions belong to it,
    but those of a stage of their own (MobileNetV3's last) are a group. The head is the classifiers, what stands between
    them and the global pool, and a norm alone in front of that. In a network without blocks (VGG) each convolution is a
    group.
    """

    stem: tuple[Node, ...]
    groups: tuple[Group, ...]
    head: tuple[Node, ...]


def depth(graph: Graph) -> Depth:
    """The groups of a whole network; layers of further outputs are of its head."""
    nodes = [node for node in graph.nodes if node.weights]
    head = _head(graph, nodes)
    of = {node.id: block for block in _blocks(graph.root) for node in block.nodes()}
    alone = not of
    stem: list[Node] = []
    groups: list[Group] = []
    between: list[Node] = []
    for node in nodes:
        if node.id in head:
            continue
        block = of.get(node.id)
        if block is None and alone and node.op.role in LAYERS:
            groups.append(Group(None, _stage(node), [*between, node]))
            between = []
        elif block is None and alone and groups:
            groups[-1].nodes.append(node)
        elif block is None:
            between.append(node)
        elif groups and groups[-1].scope is block:
            groups[-1].nodes += [*between, node]
            between = []
        else:
            leading = _place(between, stem, groups)
            groups.append(Group(block, _stage(node), [*leading, node]))
            between = []
    for node in between:
        if not groups:
            stem.append(node)
        elif _opens(node, groups):
            groups.append(Group(None, _stage(node), [node]))
        else:
            groups[-1].nodes.append(node)
    if alone and groups:
        stem = groups.pop(0).nodes
    return Depth(tuple(stem), tuple(groups), tuple(node for node in nodes if node.id in head))


def _opens(node: Node, groups: Sequence[Group]) -> bool:
    """Whether a layer behind the last block is the first convolution of a stage of its own."""
    return node.op.role in LAYERS and bool(_stage(node)) and all(group.stage != _stage(node) for group in groups)


def _place(between: list[Node], stem: list[Node], groups: list[Group]) -> list[Node]:
    """Put layers in front of a block where they belong; what is left belongs to that block."""
    if not groups:
        stem += between
        return []
    if between and _size(between[-1]) == _size(groups[-1].nodes[-1]):
        groups[-1].nodes += between
        return []
    return between


def _size(node: Node) -> tuple[int, int]:
    return node.shape.height, node.shape.width


def _stage(node: Node) -> str:
    return "" if node.stage is None else node.stage.stage_name


def _blocks(root: Scope) -> list[Scope]:
    """The outermost blocks without a stage inside, in order of execution: of two or more convolutions, or, as the first
    of EfficientNetV2, of one in a stage."""
    found: list[Scope] = []

    def visit(scope: Scope, staged: bool) -> None:
        for member in scope.members:
            if not isinstance(member, Scope):
                continue
            inner = any(
                below.stage or (member.stage and _is_deep(below)) for below in member.scopes() if below is not member
            )
            filters = _filters(member)
            if member.kind == "block" and not inner and (filters >= 2 or (filters and staged)):
                found.append(member)
            else:
                visit(member, staged or member.stage)

    visit(root, root.stage)
    return found


def _filters(scope: Scope) -> int:
    return sum(node.op.role in LAYERS for node in scope.nodes())


def _is_deep(scope: Scope) -> bool:
    """Whether this is a block by itself: a stage that holds such is none (ConvNeXt v2's)."""
    return scope.kind == "block" and _filters(scope) >= 2


def _head(graph: Graph, nodes: list[Node]) -> set[int]:
    """The numbers of the layers of the head."""
    found = {node.id for node in nodes if node.id in graph.aux} | {node.id for node in classifiers(graph)}
    head = head_of(graph)
    norms: list[Node] = []
    for node in () if head is None else graph.line(head.classifier.inputs[0]):
        if node.weights and node.op.role != "norm":
            break
        norms += [node] if node.weights else []
    if norms and graph.nodes[norms[-1].inputs[0].node].op.role in LAYERS:
        norms.pop()  # it is that of a convolution
    return found.union((norm.id for norm in norms), _pooled(graph))


def _pooled(graph: Graph) -> list[int]:
    """Layers with weights between the global pool and the classifier, as MobileNetV3's convolution there."""
    head = head_of(graph)
    found: list[int] = []
    for node in () if head is None else graph.line(head.classifier.inputs[0]):
        if node.op.role == "pool":
            return found if _size(node) == (1, 1) else []
        found += [node.id] if node.weights else []
    return []


def group_matcher(graph: Graph, coarse: bool) -> dict[str, str | list[tuple[str, tuple[int]]] | None]:
    """The groups as timm's `group_with_matcher` takes them: patterns of names of weights, in order; what none matches
    is the head. `coarse`: by stages, not blocks."""
    found = depth(graph)
    stages: list[str] = []
    blocks: list[tuple[str, tuple[int]]] = []
    for number, group in enumerate(found.groups):
        if not (coarse and group.stage and stages and stages[-1] == group.stage):
            stages.append(group.stage)
        blocks.append((_pattern(graph, group.nodes, group.scope), (len(stages) - 1 if coarse else number,)))
    return {"stem": _pattern(graph, found.stem) if found.stem else None, "blocks": blocks}


def _pattern(graph: Graph, nodes: Sequence[Node], scope: Scope | None = None) -> str:
    """A pattern of the names of the weights of some layers; of a block with a path of its own by that."""
    inside = set() if scope is None or not scope.path else {node.id for node in scope.nodes()}
    own = scope is not None and all(
        node.id in inside for node in graph.nodes if node.weights and node.path.startswith(f"{scope.path}.")
    )
    paths = [scope.path] if own and inside and scope is not None else []
    paths += [node.path for node in nodes if not (paths and node.id in inside)]
    return rf"^(?:{'|'.join(re.escape(path) for path in dict.fromkeys(paths))})(?:\.|$)"
