"""Builds torch modules from lowerings, in the plainest way: Python text, then `exec`. Independent of the backends."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from archdsl.backends import torch_helpers
from archdsl.ops import OPS, Call, Example, Lowering, Module, OpParams, OpSpec, Parameter, Problem, Shape
from archdsl.symbolic import Const, Expr, substitute

HELPERS = {name: inspect.getsource(cls) for name, cls in vars(torch_helpers).items() if inspect.isclass(cls)}
"""The text of each helper class, as generated source copies it."""


@dataclass(frozen=True)
class Case:
    """One example of one op, with its parameters checked."""

    op: OpSpec
    params: OpParams
    inputs: tuple[Shape, ...]

    @property
    def outputs(self) -> tuple[Shape, ...]:
        outputs = self.op.shape(self.params, self.inputs)
        assert not isinstance(outputs, Problem), outputs
        return outputs

    @property
    def lowering(self) -> Lowering:
        return self.op.lowering(self.params, self.inputs)

    def value(self, expr: Expr) -> str:
        """The text of an expression with this case's numbers."""
        values = {name: Const(value) for name, value in self.params}
        return str(substitute(expr, {**values, "in_channels": Const(self.inputs[0].channels)}))

    def tensors(self, batch: int = 2, **options: Any) -> list[torch.Tensor]:
        return [torch.randn(batch, *shape.dims, **options) for shape in self.inputs]


def case(op: OpSpec, example: Example) -> Case:
    return Case(op, op.params(**example.arguments), example.inputs)


def arguments_of(name: str, **arguments: Any) -> OpParams:
    """Checked parameters of an op."""
    return OPS[name].params(**arguments)


def cases() -> Iterator[Any]:
    """Every example of every op that computes something."""
    import pytest

    for op in OPS.values():
        for example in op.examples if op.role != "input" else ():
            sizes = " ".join(map(str, example.inputs))
            arguments = ",".join(f"{name}={value}" for name, value in example.arguments.items())
            yield pytest.param(case(op, example), id=f"{op.name}({arguments}) {sizes}")


def module_text(case: Case, lowering: Module, inplace: bool = False) -> str:
    """`nn.Conv2d(8, 6, 3, padding=1)`: arguments equal to torch's defaults left out."""
    texts = [case.value(arg) for arg in lowering.args]
    for name, expr in lowering.kwargs.items():
        text = case.value(expr)
        if name not in lowering.defaults or text != str(Const(lowering.defaults[name])):
            texts.append(f"{name}={text}")
    return f"{lowering.target}({', '.join(texts + ['inplace=True'] * inplace)})"


def call_text(case: Case, lowering: Call, inplace: bool = False) -> str:
    """The call on inputs named x0, x1 …"""
    names = [f"x{i}" for i in range(len(case.inputs))]
    values = {name: case.value(expr) for name, expr in lowering.values.items()}
    text = lowering.template.format(*names, x=names[0], xs=", ".join(names), **values)
    return f"{text[:-1]}, {lowering.inplace})" if inplace else text


def _class(init: str, forward: str, inputs: int) -> nn.Module:
    names = ", ".join(f"x{i}" for i in range(inputs))
    used = "".join(text for name, text in HELPERS.items() if f" {name}(" in init)
    source = used + (
        "class Built(nn.Module):\n"
        f"    def __init__(self):\n        super().__init__()\n        {init}\n"
        f"    def forward(self, {names}):\n        return {forward}\n"
    )
    scope: dict[str, Any] = {"torch": torch, "nn": nn, "F": F}
    exec(source, scope)  # noqa: S102
    built: nn.Module = scope["Built"]()
    return built


def from_module(case: Case, lowering: Module, inplace: bool = False) -> nn.Module:
    return _class(f"self.op = {module_text(case, lowering, inplace)}", "self.op(x0)", 1)


def from_call(case: Case, lowering: Call, inplace: bool = False) -> nn.Module:
    return _class("pass", call_text(case, lowering, inplace), len(case.inputs))


def from_parameter(case: Case, lowering: Parameter) -> nn.Module:
    shape = ", ".join(case.value(size) for size in lowering.shape)
    init = f"self.op = nn.Parameter(torch.ones({shape}) * {case.value(lowering.init)})"
    return _class(init, lowering.template.format(x="x0", weight="self.op"), 1)


def forms(case: Case) -> dict[str, nn.Module]:
    """Every form that the lowering offers."""
    lowering, built = case.lowering, {}
    if lowering.module:
        built["module"] = from_module(case, lowering.module)
    if lowering.call:
        built["call"] = from_call(case, lowering.call)
    if lowering.parameter:
        built["parameter"] = from_parameter(case, lowering.parameter)
    return built


def randomise(module: nn.Module) -> nn.Module:
    """Weights that differ from their initial zeros and ones."""
    for tensor in [*module.parameters(), *module.buffers()]:
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 1.5)
    return module


def as_tuple(result: Any) -> tuple[torch.Tensor, ...]:
    return (result,) if isinstance(result, torch.Tensor) else tuple(result)
