"""The proof of a generated source: it is imported, built and run, and what it does is compared with the graph.

Takes a `Graph` and its source; gives a `Proof`, or raises ArchError E604 with every difference.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from archdsl.backends.module import build_module, state_shapes
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.graph.ir import Graph
from archdsl.quiet import import_torch

RUN_LIMITS = (1_000_000_000, 200_000_000_000)
"""Parameters and MACs above which a network runs on torch's meta device: shapes are compared, nothing is computed."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found equal: number of parameters and state_dict entries, shapes of one sample's outputs; and how."""

    device: str
    params: int
    keys: int
    outputs: tuple[tuple[int, ...], ...]
    seconds: float


def prove(graph: Graph, source: str) -> Proof:
    """Build the module of a source and run it once; raises ArchError E604 with every difference from the graph."""
    import_torch()
    import torch

    start = time.perf_counter()
    device = "meta" if graph.params > RUN_LIMITS[0] or graph.macs > RUN_LIMITS[1] else "cpu"
    bag = Bag()
    try:
        model = build_module(graph, source, device=device).eval()
        with torch.inference_mode():
            image = torch.rand(1, *graph.input_shape.dims, device=device)
            output = model(image)
    except Exception as error:  # whatever the generated source does wrong is a finding
        bag.report("E604", None, detail=f"{type(error).__name__}: {error}")
        raise ArchError(bag) from error
    state = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    names = tuple(getattr(output, "_fields", output if isinstance(output, dict) else ()))
    if names != graph.output_names or isinstance(output, tuple) != (graph.form in ("tuple", "named")):
        bag.report("E604", None, detail=f"it returns a {type(output).__name__} of {names}")
    for detail in _differences(graph, state, params, _shapes(output)):
        bag.report("E604", None, detail=detail)
    bag.raise_errors()
    outputs = tuple(graph.shape(ref).dims for ref in graph.outputs)
    return Proof(device, params, len(state), outputs, time.perf_counter() - start)


def _shapes(output: object) -> list[tuple[int, ...]]:
    """The shapes of what a model returned: a tensor, a tuple of tensors, or feature maps by name."""
    outputs = output if isinstance(output, tuple | list) else output.values() if isinstance(output, dict) else [output]
    return [tuple(getattr(tensor, "shape", ())) for tensor in outputs]


def _differences(
    graph: Graph, state: dict[str, tuple[int, ...]], params: int, outputs: list[tuple[int, ...]]
) -> list[str]:
    wanted = [(1, *graph.shape(ref).dims) for ref in graph.outputs]
    found = [] if outputs == wanted else [f"the output is {outputs}, the graph says {wanted}"]
    if params != graph.params:
        found.append(f"it has {params:,} parameters, the graph {graph.params:,}")
    keys = state_shapes(graph)
    found += [f"it lacks the weight {key}" for key in keys if key not in state]
    found += [f"the graph lacks the weight {key}" for key in state if key not in keys]
    found += [
        f"the shape of {key} is {state[key]}, the graph says {shape}"
        for key, shape in keys.items()
        if key in state and state[key] != tuple(shape)
    ]
    return found
