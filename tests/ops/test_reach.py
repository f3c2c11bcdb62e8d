"""What an output position sees of an op's input is what torch's autograd says it depends on."""

from __future__ import annotations

import pytest
import torch

from archdsl.ops.spec import POINTWISE
from tests.ops.build import Case, as_tuple, cases, forms, randomise

_STATISTICS = {"norm", "act"}  # group norm, GRN, softmax: their statistics are not counted


def _spans(case: Case, axis: int) -> list[tuple[int, int]]:
    """The first and last row (axis 0) or column (axis 1) of the input that each row or column of the output sees."""
    module = next(iter(forms(case).values())).double().eval()
    randomise(module)
    seen: dict[int, set[int]] = {}
    for seed in range(12):  # a maximum depends on one position at a time
        torch.manual_seed(seed)
        x = torch.randn(1, *case.inputs[0].dims, dtype=torch.float64, requires_grad=True)
        others = [torch.randn(1, *shape.dims, dtype=torch.float64) for shape in case.inputs[1:]]
        (out,) = as_tuple(module(x, *others))[:1]
        height_dim = 1 if case.outputs[0].layout == "hwc" else 2
        x_height = 1 if case.inputs[0].layout == "hwc" else 2
        for index in range(out.shape[height_dim + axis]):
            (grad,) = torch.autograd.grad(
                out.select(height_dim + axis, index).sum(), x, retain_graph=True, allow_unused=True
            )
            if grad is not None:
                other_dims = [d for d in range(4) if d != x_height + axis]
                seen.setdefault(index, set()).update(grad.abs().amax(other_dims).nonzero().flatten().tolist())
    return [(min(found), max(found)) if found else (0, -1) for _, found in sorted(seen.items())]


def is_seen(case: Case) -> bool:
    """Whether a gradient shows what this op sees, and that is all it says it sees."""
    if case.op.role in _STATISTICS or not case.inputs or "flat" in (case.inputs[0].layout, case.outputs[0].layout):
        return False
    if case.inputs[0].elements < case.outputs[0].elements and case.op.role == "merge" and case.op.name != "concat":
        return False  # the gate is the first operand: tests/graph/test_receptive.py
    # A border that shows positions of the image again: the field is that of the positions inside.
    return not {"reflect", "replicate", "circular"} & {value for _, value in case.params if isinstance(value, str)}


@pytest.mark.parametrize("case", [example for example in cases() if example.values[0].op.role in _STATISTICS])
def test_statistics_are_not_counted(case: Case) -> None:
    assert case.op.reach(case.params, case.inputs) == POINTWISE


@pytest.mark.parametrize("case", [example for example in cases() if is_seen(example.values[0])])
@pytest.mark.parametrize("axis", [0, 1], ids=["rows", "columns"])
def test_reach(case: Case, axis: int) -> None:
    reach = case.op.reach(case.params, case.inputs)
    size = (case.inputs[0].height, case.inputs[0].width)[axis]
    spans = _spans(case, axis)
    widest = max(last - first + 1 for first, last in spans)
    if reach.everything:
        assert widest == size
        return
    extent, step = reach.extent[axis], reach.step[axis]
    assert widest <= extent
    inner = [(index, first) for index, (first, last) in enumerate(spans) if last - first + 1 == extent]
    if len(inner) > 1:
        (index, start), (last_index, last_start) = inner[0], inner[-1]
        rounding = 0 if step.denominator == 1 else 1
        assert abs(last_start - start - step * (last_index - index)) <= rounding
