"""What the HTML page knows about a network: takes a `Graph`, gives plain data to be written as JSON.

Nodes are numbered as the tree of parts is read (`PartTree.order`); a tensor is `[node, port]`. What many nodes share
(texts of shapes, spans, ops with their arguments, receptive fields) is listed once and referred to by position.
`web/model.js` reads it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

from archdsl.backends.diagram.drawing import Options
from archdsl.backends.diagram.opened import opened
from archdsl.graph.describe import describe_value
from archdsl.graph.fold import FoldedGraph, fold
from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.parts import Part
from archdsl.graph.receptive import receptive_fields
from archdsl.graph.scopes import Scope
from archdsl.graph.table import StageTable, stage_table
from archdsl.graph.view import View
from archdsl.source import Source, Span

Json = dict[str, Any]


class _Shared:
    """Values listed once, in the order in which they are first asked for."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._index: dict[Hashable, int] = {}

    def __call__(self, key: Hashable, value: Any = None) -> int:
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self.values)
            self.values.append(key if value is None else value)
        return index


def page_data(graph: Graph, options: Options) -> Json:
    """Everything the page shows about a graph; raises ArchError E614."""
    folded = fold(graph)
    return _Page(folded).data(opened(folded, options))


class _Page:
    def __init__(self, folded: FoldedGraph) -> None:
        self.folded = folded
        self.graph = folded.graph
        self.tree = folded.tree
        self.fields = receptive_fields(self.graph)
        self.shapes, self.ops, self.reach, self.weights = _Shared(), _Shared(), _Shared(), _Shared()
        self.given: dict[int, list[str]] = {}
        for label, ref in zip(self.graph.output_labels, self.graph.outputs, strict=True):
            if label:
                self.given.setdefault(ref.node, []).append(label)
        self.sources: list[Source] = []
        self.spans = _Shared()

    def data(self, shown: View) -> Json:
        graph, root = self.graph, self.tree.root
        every = list(root.walk())
        index = {id(part): number for number, part in enumerate(every)}
        self._span(graph.root.span)
        parts = [self._part(part, index) for part in every]
        return {
            "name": graph.title,
            "model": graph.root.definition,
            "doc": graph.root.docstring,
            "input": str(graph.input_shape),
            "output": ", ".join(
                f"{label} {graph.shape(ref)}".strip()
                for label, ref in zip(graph.output_labels, graph.outputs, strict=True)
            ),
            "nodes": len(graph.nodes),
            "stages": self._stages(stage_table(graph)),
            "open": [number for number, part in enumerate(every) if part.scope and shown.is_open(part)],
            "parts": parts,
            "ops": self.ops.values,
            "shapes": self.shapes.values,
            "fields": self.reach.values,
            "weights": self.weights.values,
            "spans": self.spans.values,
            "sources": [{"name": Path(s.name).name, "text": s.text} for s in self.sources],
        }

    # --- parts -------------------------------------------------------------------------------

    def _part(self, part: Part, index: dict[int, int]) -> Json:
        data: Json = {
            "up": -1 if part.parent is None else index[id(part.parent)],
            "name": part.name,
            "path": part.path,
            "span": self._span(part.item.span),
            "layers": part.layers,
            "params": part.params,
            "macs": part.macs,
            "activations": part.activations,
        }
        node = part.node
        return data | (self._node(node) if node is not None else self._scope(part))

    def _node(self, node: Node) -> Json:
        weights = tuple((w.name, "×".join(map(str, w.shape)) or "scalar", w.trainable) for w in node.weights)
        return {
            "op": self._op(node),
            "in": [self.shapes(str(shape)) for shape in node.input_shapes],
            "out": [self.shapes(str(shape)) for shape in node.outputs],
            "field": self.reach(str(self.fields[node.id])),
            "weights": self.weights(weights, [list(w) for w in weights]),
            "reads": [self._tensor(ref) for ref in self.tree.inputs[node.id]],
            **({"gives": self.given[node.id]} if node.id in self.given else {}),
        }

    def _op(self, node: Node) -> int:
        op = node.op
        values = [(name, _value(getattr(node.params, name))) for name in op.parameter_names]
        key = (op.name, node.label, tuple(values))
        return self.ops(
            key,
            {
                "name": op.name,
                "role": op.role,
                "label": node.label,
                "about": op.summary,
                "arguments": values,
            },
        )

    def _scope(self, part: Part) -> Json:
        scope = part.scope
        assert scope is not None
        data: Json = {
            "kind": scope.kind,
            "definition": scope.definition,
            "doc": scope.docstring,
            "stage": scope.stage,
            "arguments": [(name, describe_value(bound.value)) for name, bound in scope.arguments.items()],
            "runs": [[run.first.index, run.count, int(run.parallel)] for run in self.folded.runs(part)],
            "edges": [[edge.source, edge.target, *self._tensor(edge.tensor)] for edge in part.edges],
            "ports": _port_names(scope, part, self._tensor),
        }
        return data

    def _tensor(self, ref: Ref) -> list[int]:
        return [self.tree.place[ref.node], ref.port]

    # --- places ------------------------------------------------------------------------------

    def _span(self, span: Span) -> int:
        """A span as source, start, end and line; offsets as JavaScript counts them, in UTF-16 units."""
        if span.source not in self.sources:
            self.sources.append(span.source)
        source = self.sources.index(span.source)
        key = (source, span.start, span.end)
        start, end = (_utf16(span.source.text, offset) for offset in (span.start, span.end))
        return self.spans(key, [source, start, end, span.line])

    def _stages(self, table: StageTable) -> list[Json]:
        return [
            {
                "name": row.name,
                "kind": row.kind,
                "output": str(row.output),
                "repeats": [f"{count} × {name}" if count > 1 else name for count, name in row.repeats],
                "layers": row.layers,
                "params": row.params,
                "macs": row.macs,
                "nodes": _ranges(self.tree.place[node.id] for node in row.nodes),
            }
            for row in table.rows
        ]


def _value(value: Any) -> str:
    """An argument; one that was not given and has no value in itself is a dash."""
    return "–" if value is None else describe_value(value)


def _port_names(scope: Scope, part: Part, tensor: Any) -> list[Any]:
    """Names of the inputs of a block with several, with the tensor that each is here."""
    if len(scope.input_names) < 2:
        return []
    named = zip(scope.input_names, scope.inputs, strict=False)
    return [[name, *tensor(ref)] for name, ref in named if ref in part.entries]


def _ranges(places: Iterable[int]) -> list[list[int]]:
    """Numbers as half-open ranges: [[0, 5], [7, 8]]."""
    found: list[list[int]] = []
    for place in sorted(places):
        if found and found[-1][1] == place:
            found[-1][1] = place + 1
        else:
            found.append([place, place + 1])
    return found


def _utf16(text: str, offset: int) -> int:
    if text.isascii():
        return offset
    return offset + sum(ord(character) > 0xFFFF for character in text[:offset])
