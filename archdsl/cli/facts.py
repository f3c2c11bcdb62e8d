"""Variants, stages and layers as the plain data of `schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.diagnostics.core import Bag
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.schema import LayerJson, PreprocessJson, StageJson, VariantJson
    from archdsl.graph.ir import Node


def variant_json(variant: Variant) -> VariantJson:
    graph, table = variant.graph, variant.table
    top1 = variant.published.get("top1")
    return {
        "name": variant.name,
        "model": graph.root.definition,
        "arguments": arguments(variant),
        "input": list(graph.input_shape.dims),
        "output": list(graph.output_shape.dims),
        "top1": None if top1 is None else float(top1),
        "layers": table.layers,
        "params": graph.params,
        "macs": graph.macs,
        "activations": table.activations,
    }


def arguments(variant: Variant) -> dict[str, str]:
    """What the variant gives the model's parameters, as written: `depths: [3, 4, 6, 3]`."""
    given = variant.configured.args
    return {name: " ".join(given[name].span.text.split()) for name in variant.parameters if name in given}


def description(variant: Variant) -> str:
    """The docstrings of the file, the model and the variant, a blank line between two."""
    found = [variant.file.docstring, variant.graph.root.docstring]
    own = [item for item in variant.file.program.items(ast.Variant) if isinstance(item, ast.Variant)]
    found += [item.docstring.text for item in own if item.name == variant.name and item.docstring]
    return "\n\n".join(filter(None, found))


def stages_json(variant: Variant) -> list[StageJson]:
    return [
        {
            "name": row.name,
            "kind": row.kind,
            "output": list(row.output.dims),
            "blocks": [{"count": count, "name": name} for count, name in row.repeats],
            "layers": row.layers,
            "params": row.params,
            "macs": row.macs,
            "activations": row.activations,
        }
        for row in variant.table.rows
    ]


def node_params(node: Node) -> int:
    """Trainable parameters of a node."""
    return sum(weight.elements for weight in node.weights if weight.trainable)


def layers_json(variant: Variant) -> list[LayerJson]:
    nodes = variant.graph.nodes
    return [
        {
            "path": node.path,
            "op": node.op.name,
            "label": node.op.label(node.params),
            "inputs": [nodes[ref.node].path for ref in node.inputs],
            "output": list(node.shape.dims),
            "params": node_params(node),
            "macs": node.macs,
            "activations": node.activations,
            "file": node.span.source.name,
            "line": node.span.line,
        }
        for node in nodes
    ]


def preprocess_json(variant: Variant) -> PreprocessJson | None:
    """How pictures become the input, every size resolved; None where the spec does not say. Raises ArchError."""
    from archdsl.semantics.settings import preprocess_of

    bag = Bag()
    settings = preprocess_of(variant.file.program, variant.configured, bag)
    bag.raise_errors()
    if settings is None:
        return None
    shape = variant.graph.input_shape
    size = [shape.height, shape.width] if settings.size is None else [settings.size, settings.size]
    return {
        "resize": settings.resized(max(size)),
        "size": size,
        "interpolation": settings.interpolation,
        "mean": list(settings.mean),
        "std": list(settings.std),
        "labels": settings.labels,
    }
