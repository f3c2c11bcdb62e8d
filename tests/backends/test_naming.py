"""Any name in any place: it is an error with a place and a reason, or it works and the generated source keeps it."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Callable, Sequence
from functools import cache

import pytest
import torch

from archdsl import api
from archdsl.backends.module import build_module
from archdsl.backends.proof import prove
from archdsl.backends.python import meaning
from archdsl.backends.python.helpers import helper_names, helper_sources
from archdsl.backends.python.naming import ADDED
from archdsl.python_names import MODULE_ATTRIBUTES, PYTHON_NAMES
from archdsl.semantics.sizes import MAX_BRANCHES
from archdsl.source import Source
from tests.semantics.helpers import check

_DUNDERS = "__ ___ __x __file__ __all__ __path__ __class__ __init__ __doc__ __slots__ __module__ __dict__ __getattr__"
_OURS = "_ _x x_ B B2 Net Net2 NetOutputs Outputs in_channels index2 layers2 sequence2 t1 x1 logits classes"


@cache
def names() -> tuple[str, ...]:
    """Of Python, of torch.nn, of every module, of what archdsl writes."""
    found = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *dir(torch.nn), *_DUNDERS.split(), *_OURS.split()}
    found |= meaning._NAMES | meaning._ATTRIBUTES | meaning._KEYWORDS | set(helper_names()) | MODULE_ATTRIBUTES | ADDED
    return tuple(sorted(found))


def _chain(parts: Sequence[str]) -> str:
    return f"model Net = image(1, 1, 1) -> {' -> '.join(parts)}"


def _blocks(found: Sequence[str]) -> str:
    items = [f"block {n}(w) = conv(w, 1) -> relu" for n in found]
    return "\n".join([*items, _chain([f"{n}({w})" for w in (2, 3) for n in found])])


def _functions(found: Sequence[str]) -> str:
    items = [f"fn {n}(x, y = 2) = if x > 2 then x + y else x * y" for n in found]
    items += [f"block B(w) = {' -> '.join(f'conv({n}(w), 1) -> conv({n}(w, 3), 1)' for n in found)}"]
    return "\n".join([*items, _chain(["B(2)", "B(3)"])])


def _models(found: Sequence[str]) -> str:
    items = ["block B(w) = conv(w, 1) -> [conv(w, 1), relu] -> bn"]
    return "\n".join(items + [f"model {n} = image(1, 1, 1) -> B(2) -> B(3) -> dropout(0.2)" for n in found])


def _parameters(found: Sequence[str]) -> str:
    """In each a list with equal members, a list with an `if`, an `if` between layers."""
    items = [
        f"block B{i}({n}) {{\nxx = in -> a: [3 of conv({n}, 1)] -> b: [conv({n}, 1) if {n} > 2, conv({n}, 1)]\n"
        f"xx -> c: [x: conv({n}, 1), y: [2 of conv({n}, 1)], conv({n}, 1)] -> (if {n} > 2 then conv(2, 1) else id)\n}}"
        for i, n in enumerate(found)
    ]
    return "\n".join([*items, _chain([f"B{i}({w})" for w in (2, 3) for i in range(len(found))])])


def _all_parameters(found: Sequence[str]) -> str:
    """All of one block, and of the model."""
    given = ", ".join(f"{n} = {i + 1}" for i, n in enumerate(found))
    convs = " -> ".join(f"[2 of conv({n}, 1)]" for n in found)
    passed = ", ".join(f"{n} = {n}" for n in found)
    block = f"block B({', '.join(found)}) = {convs} -> dropout({found[0]} / 1000)"
    return f"{block}\nmodel Net({given}) = image(1, 1, 1) -> B({passed}) -> {convs}"


def _of_functions(found: Sequence[str]) -> str:
    items = [f"fn f{i}({n}, o = 2) = if {n} > 2 then {n} + o else {n} * o" for i, n in enumerate(found)]
    items += [f"block B(w) = {' -> '.join(f'conv(f{i}(w), 1)' for i in range(len(found)))}"]
    return "\n".join([*items, _chain(["B(2)", "B(3)"])])


def _bindings(found: Sequence[str]) -> str:
    """All in one block."""
    lines = [f"{n} = {i + 2} * width + 1" for i, n in enumerate(found)]
    uses = " -> ".join(f"[2 of conv({n}, 1)] -> conv({n} - 1, 1)" for n in found)
    return "\n".join(["block B(width) {", *lines, uses, "}", _chain(["B(2)", "B(3)"])])


def _inputs(found: Sequence[str]) -> str:
    items = [f"block B{i} on ({n}, other) {{\ny = {n} -> conv(1, 1)\n({n} + other) + (y -> relu) + (y -> bn)\n}}"
             for i, n in enumerate(found)]  # fmt: skip
    uses = [f"x = (x, x -> conv(1, 1)) -> B{i}" for i in range(len(found))]
    return "\n".join([*items, "model Net {", "x = image(1, 1, 1)", *uses, "x", "}"])


def _loops(found: Sequence[str]) -> str:
    items = [
        f"block B{i}(width) {{\nxx = in\nfor {n} in 0..3 {{\nxx = xx -> conv(width * ({n} + 1), 1)\n}}\nxx\n}}"
        for i, n in enumerate(found)
    ]
    return "\n".join([*items, _chain([f"B{i}({w})" for w in (2, 3) for i in range(len(found))])])


def _outputs(found: Sequence[str]) -> str:
    lines = [f"output {n} = x -> conv(2, 1)" for n in found]
    return "\n".join(["model Net {", "x = image(1, 1, 1) -> conv(2, 1)", *lines, "x -> conv(3, 1)", "}"])


def _variants(found: Sequence[str]) -> str:
    items = ["model Net(width = 3) = image(1, 1, 1) -> conv(width, 1)"]
    return "\n".join(items + [f"variant {n} = Net(width = 4)" for n in found if n != "Net"])


def _labels(found: Sequence[str]) -> str:
    """In a row, in a block, in a list, and below another label."""
    items = [f"block B = {' -> '.join(f'{n}: conv(1, 1)' for n in found)}"]
    members = ", ".join(f"{n}: conv(1, 1)" for n in found)
    row = " -> ".join(f"a1.{n}: conv(1, 1) -> {n}: conv(1, 1)" for n in found if n != "a1")
    return "\n".join([*items, _chain(["a1.b1: B", f"a1.b2: [{members}]", row])])


_PLACES: dict[str, Callable[[Sequence[str]], str]] = {
    "block": _blocks,
    "fn": _functions,
    "model": _models,
    "parameter": _parameters,
    "parameters of one": _all_parameters,
    "parameter of a fn": _of_functions,
    "binding": _bindings,
    "input": _inputs,
    "loop": _loops,
    "output": _outputs,
    "variant": _variants,
    "label": _labels,
}
_REFUSALS = {"E002", "E106", "E117", "E118", "E302", "E309", "E327"}


def _accepted(place: str, name: str) -> bool:
    """Whether `check` takes a name; what it refuses has its place and a hint."""
    found = check(_PLACES[place]([name]))
    errors = [d for d in found if d.severity == "error"]
    for error in errors[:1]:
        assert error.code in _REFUSALS, (name, error)
        assert error.span is not None
        assert error.help or error.code in ("E002", "E106"), (name, error)
    return not errors


@pytest.mark.parametrize("place", _PLACES)
def test_every_name(place: str) -> None:
    accepted = [name for name in names() if _accepted(place, name)]
    assert len(accepted) > 380
    for part in batched(accepted, MAX_BRANCHES - 1 if place == "output" else len(accepted)):
        file = api.open_source(Source("names.arch", _PLACES[place](part)))
        for name in file if place in ("model", "variant") else ["Net"]:
            variant = file[name]
            prove(variant.graph, variant.source)
            if place == "model":
                assert type(build_module(variant.graph, variant.source)).__name__ == name


def batched(names: list[str], count: int) -> list[list[str]]:
    """The names, so many at a time."""
    return [names[at : at + count] for at in range(0, len(names), count)]


def test_what_generated_source_needs_is_reserved() -> None:
    """Every name of Python that helpers and generated code ask for."""
    asked = set(meaning._NAMES)
    for text in helper_sources({name: name for name in helper_names()}):
        tree = ast.parse(text)
        asked |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {"F", "NamedTuple", "OrderedDict", "Tensor", "fnmatchcase", "math", "nn", "self", "torch"}
    assert {name for name in asked if hasattr(builtins, name)} | imported == PYTHON_NAMES


def test_a_reason_is_given() -> None:
    for text, reason in (
        ("block __x = relu", "two underscores"),
        ("fn isinstance(x) = x", "generated source needs"),
        ("block lambda = relu", "Python's grammar"),
        ("block conv = relu", "an op"),
        ("fn ceil(x) = x", "a function of the language"),
        ("block B(__debug__) = relu", "two underscores"),
        ("block B(in_channels) = relu", "the width of their input"),
        ("block B { image = 1\nrelu }", "keeps its meaning"),
    ):
        found = check(f"{text}\nmodel Net = image(1, 1, 1) -> conv(1, 1)")
        assert [d.code for d in found if d.severity == "error"] == ["E117"]
        assert reason in (found[0].help or "")
