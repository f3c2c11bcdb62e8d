"""What tells a network from every other: a digest of all that it computes, whatever text or version made it.

Takes a `Graph`; gives a string. Names of blocks, comments and the wording of generated source do not matter; paths do,
as they are the keys of the weights. It is written into folders of models and of trainings, so it never changes. No hash
of networkx takes its place: Weisfeiler-Lehman hashes forget order and names, and some networks that differ share one.
"""

from __future__ import annotations

import hashlib

from archdsl.graph.ir import Graph


def fingerprint(graph: Graph) -> str:
    """The SHA-256 of the layers with all their parameters, what each sees, shapes, weights and outputs, in hex."""
    digest = hashlib.sha256()
    for node in graph.nodes:
        params = sorted(node.params.model_dump().items())
        inputs = [(ref.node, ref.port) for ref in node.inputs]
        weights = [(weight.name, weight.shape, weight.trainable) for weight in node.weights]
        shapes = [(shape.layout, shape.dims) for shape in node.outputs]
        digest.update(repr((node.op.name, params, inputs, node.path, shapes, weights)).encode())
    outputs = [(ref.node, ref.port) for ref in graph.outputs]
    digest.update(repr((outputs, graph.output_names, graph.form, graph.main)).encode())
    return digest.hexdigest()
