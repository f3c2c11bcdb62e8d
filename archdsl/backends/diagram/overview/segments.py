"""What the overview shows: takes a graph, gives its `Segment`s in order of execution.

A segment is a stage, a run of equal blocks or stages, or a layer with what belongs to it (convolution, normalization,
activation). What changes the size of a tensor belongs to no layer before it: the size on a layer's arrow is its own.
Every node but the image is in exactly one segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from archdsl.backends.diagram.style import Category
from archdsl.graph.ir import Cost, Costed, Graph, Node, Ref
from archdsl.graph.scopes import Scope
from archdsl.graph.stages import Stage, stages
from archdsl.ops.spec import LEADING, Shape

_LARGE = 0.5
"""A block without stages is opened if it holds more of the network's MACs."""


@dataclass(slots=True)
class Segment(Costed):
    """One element. `blocks` are definitions with how often each follows another: [(3, "Bottleneck")]; else `lead` is
    the layer it is named after. `path` is empty where the spec gives it no name."""

    path: str
    nodes: list[Node]
    category: Category
    blocks: list[tuple[int, str]] = field(default_factory=list)
    lead: Node | None = None
    count: int = 1
    """How many stages it stands for."""
    last: str = ""
    """The path of the last of them."""
    main: str = ""
    """The kind of block that does most of the work; it gives the colour. Empty where layers do it."""

    @property
    def output(self) -> Shape:
        return self.nodes[-1].shape

    @property
    def cost(self) -> Cost:
        return Cost.of(self.nodes)


def _is_strong(node: Node) -> bool:
    """Whether a segment is named after the node."""
    return node.op.role in LEADING or (_is_resizing(node) and node.shape.layout != "flat")


def _is_resizing(node: Node) -> bool:
    """Whether a node without weights gives another height, width or number of channels than it gets."""
    if node.op.role != "reshape":
        return False
    before, after = node.input_shapes[0], node.shape
    return (before.channels, before.height, before.width) != (after.channels, after.height, after.width)


def segments_of(graph: Graph) -> list[Segment]:
    """The segments of a graph."""
    cut = stages(graph)
    around = {
        id(up)
        for stage in cut
        if stage.kind == "stage" and stage.scope
        for up in stage.scope.ancestors()
        if not up.stage
    }
    found: list[Segment] = []
    for marked, group in groupby((stage for stage in cut if stage.kind != "aux"), lambda stage: stage.kind == "stage"):
        if marked:
            found += [_part(stage.scope, stage.nodes, graph.aux) for stage in group if stage.scope is not None]
        else:
            found += _outside([node for stage in group for node in stage.nodes], graph, around)
    return [*_merged(found), *(_further(stage, graph) for stage in cut if stage.kind == "aux")]


def _outside(nodes: Sequence[Node], graph: Graph, around: Collection[int]) -> Iterator[Segment]:
    """Of nodes outside the stages: the blocks that are not opened, and the layers between them."""
    total = graph.macs or 1
    closed: dict[Scope | Node, list[Node]] = {}
    for node in nodes:
        scopes = reversed([*node.scope.ancestors()])
        unit = next((scope for scope in scopes if not _is_open(scope, around, total)), node)
        closed.setdefault(unit, []).append(node)
    for loose, units in groupby(closed, lambda unit: isinstance(unit, Node)):
        if loose:
            yield from _layers([unit for unit in units if isinstance(unit, Node)])
        else:
            yield from (_part(unit, closed[unit], graph.aux) for unit in units if isinstance(unit, Scope))


def _further(stage: Stage, graph: Graph) -> Segment:
    """All that only a further output depends on."""
    nodes = list(stage.nodes)
    tops = list(dict.fromkeys(_top(node, graph) for node in nodes))
    path = tops[0].path if len(tops) == 1 else ""
    strong = [node for node in nodes if _is_strong(node)]
    if len(strong) == 1:  # a layer, as it is where the first output needs it
        return replace(_layer(strong[0], nodes), path=path, last=path)
    tops = [top for top in tops if isinstance(top, Scope) or _is_strong(top)] or tops
    kinds = dict.fromkeys(map(_definition, tops))
    lead = max(tops, key=_work)
    found = Segment(path, nodes, "block", [(1, kind) for kind in kinds], None, 1, path, _definition(lead))
    # Layers outside of blocks look as layers do.
    return found if isinstance(lead, Scope) else replace(found, category=lead.op.role, main="")


def _top(node: Node, graph: Graph) -> Scope | Node:
    """The outermost block around a node that belongs to further outputs only."""
    found: Scope | Node = node
    for scope in node.scope.ancestors():
        if scope.kind == "block" and all(inner.id in graph.aux for inner in scope.nodes()):
            found = scope
    return found


def _is_open(scope: Scope, around: Collection[int], total: int) -> bool:
    if scope.kind != "block" or id(scope) in around:
        return True
    if _strong_nodes(scope) == 1:
        return True
    inner = any(isinstance(member, Scope) for member in scope.members)
    return inner and not around and Cost.of(scope.nodes()).macs > _LARGE * total


def _part(scope: Scope, own: Iterable[Node], aux: Mapping[int, str]) -> Segment:
    nodes = list(own)
    members = list(_members(scope, aux))
    if scope.kind == "block" and not _is_row_of_blocks(members):
        members = [scope]
    members = [member for member in members if isinstance(member, Scope) or _is_strong(member)] or members
    members = [member for member in members if isinstance(member, Scope) or member.op.role != "merge"] or members
    work: dict[str, int] = {}
    for member in members:
        work[_definition(member)] = work.get(_definition(member), 0) + _work(member)
    blocks = [(len(list(same)), name) for name, same in groupby(map(_definition, members))]
    main = max(work, key=lambda name: work[name])
    lead = next(member for member in members if _definition(member) == main)
    if isinstance(lead, Node):  # a stage of layers looks as a layer does
        return Segment(scope.stage_name, nodes, lead.op.role, blocks, None, 1, scope.stage_name)
    return Segment(scope.stage_name, nodes, "block", blocks, None, 1, scope.stage_name, main)


def _members(scope: Scope, aux: Mapping[int, str]) -> Iterator[Scope | Node]:
    """What a stage is made of: blocks, and the layers that are in none. A sequence is what is in it."""
    for member in scope.members:
        if isinstance(member, Node):
            if member.op.role != "input" and member.id not in aux:
                yield member
        elif all(node.id in aux for node in member.nodes()):
            continue
        elif member.kind != "block":
            yield from _members(member, aux)
        else:
            yield member


def _is_row_of_blocks(members: Sequence[Scope | Node]) -> bool:
    """Whether most work is done by blocks of several layers, each taking only what the one before gives."""
    before: set[int] = set()
    inside = whole = 0
    for member in members:
        nodes = [member] if isinstance(member, Node) else list(member.nodes())
        own = {node.id for node in nodes}
        entering = {ref.node for node in nodes for ref in node.inputs} - own
        if before and not entering <= before:
            return False
        before = own
        macs = Cost.of(nodes).macs
        whole += macs
        if isinstance(member, Scope) and member.kind == "block":
            inside += macs if sum(map(_is_strong, nodes)) > 1 else 0
    return inside > _LARGE * whole


def ends(graph: Graph, segments: Sequence[Segment]) -> dict[int, list[str]]:
    """The segments that give outputs, by position, with what these are called; -1 is the image."""
    owner = _owner(graph, segments)
    found: dict[int, list[str]] = {}
    for label, ref in zip(graph.output_labels, graph.outputs, strict=True):
        found.setdefault(owner[ref.node], []).append(label)
    return found


def links(graph: Graph, segments: Sequence[Segment]) -> dict[tuple[int, int], frozenset[Ref]]:
    """Which segment feeds which, by position, in order, with which tensors; -1 is the image."""
    owner = _owner(graph, segments)
    found: dict[tuple[int, int], set[Ref]] = {}
    for node in graph.nodes:
        for ref in node.inputs:
            if owner[ref.node] != owner[node.id]:
                found.setdefault((owner[ref.node], owner[node.id]), set()).add(ref)
    return {edge: frozenset(found[edge]) for edge in sorted(found)}


def _owner(graph: Graph, segments: Sequence[Segment]) -> dict[int, int]:
    """The position of each node's segment."""
    return {node.id: index for index, segment in enumerate(segments) for node in segment.nodes} | {graph.input.id: -1}


def _work(member: Scope | Node) -> int:
    return Cost.of(member.nodes()).macs if isinstance(member, Scope) else member.macs


def _definition(member: Scope | Node) -> str:
    while isinstance(member, Scope) and not member.definition and len(member.members) == 1:
        member = member.members[0]
    return kind_of(member) if isinstance(member, Node) else member.definition or member.name


def kind_of(node: Node) -> str:
    """What a layer is, in words: `3×3 conv`, with what it does to the size: `/2`, `×2`."""
    head, *details = node.label.split(", ")
    return " ".join([head, *(detail for detail in details if detail.startswith(("/", "×")))])


def _strong_nodes(scope: Scope) -> int:
    return sum(map(_is_strong, scope.nodes()))


def _layers(nodes: Iterable[Node]) -> list[Segment]:
    """Runs of layers: each strong one with the weak ones after it; weak ones before the first go with that.

    What flattens an image goes with the layer that reads the vector.
    """
    found: list[Segment] = []
    waiting: list[Node] = []
    for node in nodes:
        if _is_strong(node):
            found.append(_layer(node, [*waiting, node]))
            waiting = []
        elif found and not _is_resizing(node) and _feeds(found[-1].nodes[-1], node):
            found[-1].nodes.append(node)
        else:
            waiting.append(node)
    resizing = next((node for node in waiting if _is_resizing(node)), None)
    if waiting and found and resizing is None:
        found[-1].nodes += waiting
    elif waiting:
        found.append(_layer(resizing or waiting[-1], waiting))
    return found


def _layer(lead: Node, nodes: list[Node]) -> Segment:
    """A layer, named by its own label, or by that of the block that is there for it alone."""
    path = lead.path if lead.labelled else ""
    for scope in lead.scope.ancestors():
        if scope.kind == "block" and scope.path and _strong_nodes(scope) == 1:
            path = scope.path
    return Segment(path, nodes, lead.op.role, [], lead, 1, path)


def _feeds(before: Node, after: Node) -> bool:
    return any(ref.node == before.id for ref in after.inputs)


def _merged(segments: list[Segment]) -> list[Segment]:
    """Neighbours that are one block of the same definition and give the same size become one segment."""
    found: list[Segment] = []
    for segment in segments:
        last = found[-1] if found else None
        if last is not None and _alike(last, segment):
            last.nodes += segment.nodes
            last.count += 1
            last.last = segment.path
            last.blocks = [(last.blocks[0][0] + segment.blocks[0][0], last.blocks[0][1])]
        else:
            found.append(segment)
    return found


def _alike(a: Segment, b: Segment) -> bool:
    same = len(a.blocks) == len(b.blocks) == 1 and a.blocks[0][1] == b.blocks[0][1]
    return same and b.blocks[0][0] == 1 and a.blocks[0][0] == a.count and a.output == b.output
