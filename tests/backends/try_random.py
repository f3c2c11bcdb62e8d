"""What random specs owe, tried on as many as wanted.

    python -m tests.backends.try_random 20000 [FIRST]

tries 20,000 specs, the first being number FIRST, and prints those that `check` accepts and that then do not build or are
not what their graph says, each made as short as it fails. 20,000 take about two hours of one core.
"""

from __future__ import annotations

import gc
import linecache
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator

import torch

from archdsl import api
from archdsl.api import Variant
from archdsl.diagnostics.core import ArchError
from archdsl.graph.ir import Graph
from archdsl.source import Source
from tests.backends import checks
from tests.backends.random_specs import spec


def accepted(text: str) -> list[Variant]:
    """The variants of a spec, where `check` finds no error in it."""
    try:
        file = api.open_source(Source("random.arch", text))
        file.check()
        file.bag.raise_errors()
    except ArchError:
        return []
    return list(file.values())


def holds(variant: Variant) -> None:
    """What every accepted variant owes: it builds on the meta device, gives the graph's shapes and numbers, and counts."""
    graph = variant.graph
    assert structure(variant.traced()) == structure(graph)
    module = variant.empty().eval()
    image = torch.empty(2, *graph.input_shape.dims, device="meta")
    outputs = checks.outputs_of(module(image))
    assert [tuple(t.shape[1:]) for t in outputs] == [graph.shape(ref).dims for ref in graph.outputs]
    assert sum(p.numel() for p in module.parameters()) == graph.params
    checks.same_function(graph, variant.source)


def structure(graph: Graph) -> list[object]:
    """What a graph says of every node: its path, what it computes, from what."""
    return [(node.path, node.op.name, node.params, node.inputs, node.outputs) for node in graph.nodes]


NOT_FINITE = "it squares, and squares again: numbers too large to compare"


def problem(variant: Variant) -> str:
    """How a variant fails to hold; "" if it does not."""
    try:
        holds(variant)
    except checks.NotFinite:
        return NOT_FINITE
    except Exception as error:  # every kind is a finding
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {place.name}: {str(error)[:200]}"
    return ""


def failure(text: str) -> str:
    """How a spec that `check` accepts fails to hold; "" if it does not, or cannot be compared."""
    return next((found for each in accepted(text) if (found := problem(each)) and found != NOT_FINITE), "")


def forget() -> None:
    """Let go of the modules made so far: they are kept for those who use them."""
    for name in [name for name in sys.modules if name.startswith("archdsl_generated.")]:
        del sys.modules[name]
    for name in [name for name in linecache.cache if name.startswith("<archdsl ")]:
        del linecache.cache[name]
    gc.collect()


def shortened(text: str, fails: Callable[[str], bool]) -> str:
    """The text without every line and every piece of a line that it fails without."""
    size = max(1, len(text.splitlines()) // 2)
    while size:
        lines = text.splitlines()
        for start in range(len(lines) - size, -1, -1):
            trial = "\n".join(lines[:start] + lines[start + size :]) + "\n"
            if fails(trial):
                lines = trial.splitlines()
        text, size = "\n".join(lines) + "\n", size // 2
    for separator in (" -> ", ", "):
        position = len(text.split(separator)) - 1
        while position >= 0:
            pieces = text.split(separator)
            for trial in _without(pieces, position, separator):
                if fails(trial):
                    text = trial
                    break
            position -= 1
    return text


def _without(pieces: list[str], position: int, separator: str) -> Iterator[str]:
    """A text without one piece between separators, or without the end or the beginning of it."""
    if position < len(pieces):
        before, piece, after = pieces[:position], pieces[position], pieces[position + 1 :]
        yield separator.join([*before, *after])
        for bracket in (")", "]", "\n"):
            head, found, tail = piece.partition(bracket)
            if found and head:
                yield separator.join([*before[:-1], (before[-1] if before else "") + found + tail, *after])
        for bracket in ("(", "[", "= "):
            head, found, tail = piece.rpartition(bracket)
            if found and after:
                yield separator.join([*before, head + found + after[0], *after[1:]])


def main(count: int, first: int = 0) -> int:
    """Try `count` specs; the number of those that fail."""
    variants, kinds = 0, Counter[str]()
    for seed in range(first, first + count):
        text = spec(seed)
        variants += len(accepted(text))
        problem = failure(text)
        if problem:
            kind = problem.partition(":")[0]
            kinds[kind] += 1
            said = f"--- {seed}: {problem}\n"
            if kinds[kind] <= 3:
                said += shortened(text, lambda trial, kind=kind: failure(trial).startswith(kind))  # type: ignore[misc]
            sys.stdout.write(said)
        if seed % 50 == 0:
            sys.stdout.flush()
            forget()
    total = kinds.total()
    sys.stdout.write(f"{count} specs, {variants} accepted variants, {total} failures: {dict(kinds)}\n")
    return total


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
