"""Variants, stages and layers as the plain data of `schema`."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from archdsl.cli.costing import costs_json
from archdsl.diagnostics.core import Bag
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.costing import Asked
    from archdsl.cli.schema.common import (
        CostedJson,
        Costs,
        ParameterJson,
        Plain,
        PreprocessJson,
        StageJson,
        VariantJson,
    )
    from archdsl.cli.schema.differences import BlockChangeJson, OpChangeJson, OpJson, SectionChangeJson, StepJson
    from archdsl.cli.schema.specs import LayerJson
    from archdsl.graph.diff.changes import BlockChange, GraphDiff, OpChange, SectionChange
    from archdsl.graph.diff.facts import ParameterChange
    from archdsl.graph.diff.sections import Section
    from archdsl.graph.diff.transfer import Transfer
    from archdsl.graph.ir import Cost, Graph, Node
    from archdsl.graph.settings import Preprocess
    from archdsl.steps import Step

_BREAK = re.compile(r"\s*\n\s*")
"""Between two lines of an expression; no string of one has a line break."""


def variant_json(variant: Variant, wanted: Asked | None = None) -> VariantJson | CostedJson:
    graph, table = variant.graph, variant.table
    sizes = graph.size_decisions
    top1 = variant.published.get("top1")
    found: VariantJson = {
        "name": variant.name,
        "model": graph.root.definition,
        "arguments": arguments(variant),
        "input": list(graph.input_shape.dims),
        "output": list(graph.output_shape.dims),
        "outputs": [
            {"name": name, "output": list(graph.shape(ref).dims)}
            for name, ref in zip_longest(graph.output_names, graph.outputs)
        ],
        "top1": None if top1 is None else float(top1),
        "sizes": [{"text": d.text, "answer": d.answer, "file": d.span.source.name, "line": d.span.line} for d in sizes],
        "layers": table.layers,
        "params": graph.params,
        "macs": graph.macs,
        "activations": table.activations,
    }
    return found if wanted is None else {**found, "costs": costs_json(variant, wanted)}


def arguments(variant: Variant) -> dict[str, str]:
    """What the variant gives the model's parameters, as written: `depths: [3, 4, 6, 3]`."""
    given = variant.configured.args
    return {name: _BREAK.sub(" ", given[name].span.text) for name in variant.parameters if name in given}


def description(variant: Variant) -> str:
    """The docstrings of the file, the model and the variant, a blank line between two."""
    found = [variant.file.docstring, variant.graph.root.docstring]
    own = list(variant.file.program.root.items(ast.Variant))
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


def layers_json(variant: Variant) -> list[LayerJson]:
    nodes = variant.graph.nodes
    return [
        {
            "path": node.path,
            "op": node.op.name,
            "label": node.label,
            "inputs": [nodes[ref.node].path for ref in node.inputs],
            "output": list(node.shape.dims),
            "params": node.trainable,
            "macs": node.macs,
            "activations": node.activations,
            "file": node.span.source.name,
            "line": node.span.line,
        }
        for node in nodes
    ]


def diff_json(before: Variant, after: Variant, difference: GraphDiff, weights: Transfer) -> dict[str, Any]:
    """The keys of a `DiffDocument`."""
    from dataclasses import asdict

    from archdsl.graph.diff.initial import initial

    return {
        "equal": difference.equal,
        "before": variant_json(before),
        "after": variant_json(after),
        "image": list(map(_parameter_json, difference.image)),
        "outputs": _paths(difference.outputs),
        "sections": list(map(_section_json, difference.sections)),
        "renamed": [{"before": old, "after": new} for old, new in difference.renamed],
        "initial": [asdict(item) for item in initial(difference, before.initializers, after.initializers)],
        "pictures": {"before": preprocess_json(before), "after": preprocess_json(after)},
        "weights": {
            "fits": list(weights.fits),
            "resized": [
                {"key": key, "before": list(old), "after": list(new)} for key, (old, new) in weights.resized.items()
            ],
            "left": list(weights.left),
            "new": list(weights.new),
            "covered": weights.covered,
        },
    }


def step_json(step: Step, difference: GraphDiff | None) -> StepJson:
    return {
        "variant": variant_json(step.variant),
        "amends": step.before.name if step.before else None,
        "amendment": step.note,
        "leads_on": step.leads_on,
        "training": step.training,
        "image": list(map(_parameter_json, difference.image)) if difference else [],
        "sections": list(map(_section_json, difference.sections)) if difference else [],
    }


def _section_json(change: SectionChange) -> SectionChangeJson:
    return {
        "status": change.status,
        "before": _stage_json(change.before),
        "after": _stage_json(change.after),
        "blocks": list(map(_block_json, change.blocks)),
    }


def _stage_json(section: Section | None) -> StageJson | None:
    if section is None:
        return None
    return {
        "name": section.name,
        "kind": section.kind,
        "output": list(section.output.dims),
        "blocks": [{"count": count, "name": name} for count, name in section.blocks],
        **_costs(section.cost),
    }


def _costs(cost: Cost) -> Costs:
    return {"layers": cost.layers, "params": cost.params, "macs": cost.macs, "activations": cost.activations}


def _block_json(change: BlockChange) -> BlockChangeJson:
    before, after = (
        None if unit is None else {"name": unit.name, "path": unit.path, "count": count, **_costs(cost)}
        for unit, count, cost in zip((change.before, change.after), change.counts, change.costs, strict=True)
    )
    ops = [_op_change_json(op) for op in change.changes]
    return {"status": change.status, "before": before, "after": after, "ops": ops}  # type: ignore[typeddict-item]


def _op_change_json(op: OpChange) -> OpChangeJson:
    return {
        "status": op.status,
        "before": _op_json(op.before),
        "after": _op_json(op.after),
        "parameters": list(map(_parameter_json, op.parameters)),
        "moved": op.moved,
        "reads": _paths(op.rewired),
    }


def _op_json(node: Node | None) -> OpJson | None:
    return None if node is None else {"path": node.path, "op": node.op.name, "label": node.label}


def _parameter_json(parameter: ParameterChange) -> ParameterJson:
    return {"name": parameter.name, "values": [[_plain(old), _plain(new)] for old, new in parameter.values]}


def _plain(value: Any) -> Plain:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return list(value) if isinstance(value, tuple) else str(value)


def _paths(sides: tuple[tuple[str, ...], tuple[str, ...]] | None) -> list[list[str]] | None:
    return None if sides is None else list(map(list, sides))


def preprocess_json(variant: Variant) -> PreprocessJson | None:
    """How pictures become the input, every size resolved; None where the spec does not say. Raises ArchError."""
    from archdsl.semantics.settings import preprocess_of

    bag = Bag()
    settings = preprocess_of(variant.file.program, variant.configured, bag)
    bag.raise_errors()
    return None if settings is None else prepared_json(settings, variant.graph)


def prepared_json(settings: Preprocess, graph: Graph) -> PreprocessJson:
    """Settings for the images of a graph."""
    from archdsl.transform import transform_of

    shape = graph.input_shape
    transform = transform_of(settings, (shape.height, shape.width), shape.channels)
    return {
        "resize": max(transform.resized),
        "size": list(transform.size),
        "squash": settings.squash,
        "interpolation": settings.interpolation,
        "mean": list(settings.mean),
        "std": list(settings.std),
        "labels": settings.labels,
    }
