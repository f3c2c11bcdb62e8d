"""Variants, stages and layers as the plain data of `schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.schema import LayerJson, StageJson, VariantJson
    from archdsl.graph.ir import Node


def variant_json(variant: Variant) -> VariantJson:
    graph, table = variant.graph, variant.table
    return {
        "name": variant.name,
        "model": graph.root.definition,
        "arguments": arguments(variant),
        "input": list(graph.input_shape.dims),
        "output": list(graph.output_shape.dims),
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


def preprocessing(variant: Variant) -> dict[str, str]:
    """How pictures become the input, as the spec writes it; what is said of the variant precedes what of the model."""
    lineage = variant.configured.lineage
    found: dict[str, str] = {}
    for target in reversed(lineage):
        for item in variant.file.program.items(ast.Preprocess):
            if isinstance(item, ast.Preprocess) and item.target.name == target:
                found |= {entry.key: " ".join(entry.value.span.text.split()) for entry in item.entries}
    return found
