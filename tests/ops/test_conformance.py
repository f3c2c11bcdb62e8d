"""What each op declares is what torch does: shapes, state, counts, sharing of memory, in-place safety.

torch itself is the reference: its shapes, `state_dict`, FlopCounterMode and autograd.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archdsl.ops import OPS
from archdsl.symbolic import IN_CHANNELS, evaluate
from tests.ops.build import HELPERS, Case, as_tuple, cases, forms, from_call, from_module, randomise

EXAMPLES = list(cases())
every_example = pytest.mark.parametrize("case", EXAMPLES)


def examples_of(holds: Callable[[Case], object]) -> pytest.MarkDecorator:
    """The examples that a test is about; there are some."""
    chosen = [example for example in EXAMPLES if holds(example.values[0])]
    assert chosen
    return pytest.mark.parametrize("case", chosen)


def test_registry_names_and_forms() -> None:
    for name, op in OPS.items():
        assert op.name == name
        assert op.summary
        assert op.examples
        assert not (op.view and op.overwritable)


def test_lowerings_and_helpers_know_each_other() -> None:
    modules = [example.values[0].lowering.module for example in EXAMPLES]
    targets = {module.target for module in modules if module}
    assert {target for target in targets if not target.startswith("nn.")} == set(HELPERS)


@every_example
def test_has_a_form(case: Case) -> None:
    built = forms(case)
    assert built
    if case.op.weights(case.params, case.inputs):
        assert len(built) == 1
    lowering = case.lowering
    assert bool(lowering.module and lowering.module.inplace) == bool(lowering.call and lowering.call.inplace)
    assert case.op.label(case.params, case.inputs)


@every_example
def test_shapes(case: Case) -> None:
    for device in ("cpu", "meta"):
        for name, module in forms(case).items():
            outputs = as_tuple(module.to(device)(*case.tensors(device=device)))
            assert [tuple(out.shape) for out in outputs] == [(2, *shape.dims) for shape in case.outputs], (name, device)


@every_example
def test_state(case: Case) -> None:
    weights = case.op.weights(case.params, case.inputs)
    keys = [f"op.{w.name}" if w.name else "op" for w in weights]
    for module in forms(case).values():
        state = module.state_dict()
        assert list(state) == keys
        assert [tuple(tensor.shape) for tensor in state.values()] == [w.shape for w in weights]
        trainable = [key for key, weight in zip(keys, weights, strict=True) if weight.trainable]
        assert [name for name, _ in module.named_parameters()] == trainable
        assert sum(p.numel() for p in module.parameters()) == sum(w.elements for w in weights if w.trainable)


@every_example
def test_macs(case: Case) -> None:
    expected = case.op.macs(case.params, case.inputs, case.outputs)
    for name, module in forms(case).items():
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module.eval()(*case.tensors(batch=1))
        assert counter.get_total_flops() == 2 * expected, name


@examples_of(lambda case: case.op.channels is not None)
def test_declared_width(case: Case) -> None:
    """`channels`, from which generated source computes widths."""
    if case.op.channels == "sum":
        assert case.outputs[0].channels == sum(shape.channels for shape in case.inputs)
        return
    gated = case.op.name == "mul"  # a gate of one channel may stand on either side
    width = max(shape.channels for shape in case.inputs) if gated else case.inputs[0].channels
    values = {**dict(case.params), IN_CHANNELS.name: width}
    assert {shape.channels for shape in case.outputs} == {evaluate(case.op.channels, values)}


@examples_of(lambda case: case.lowering.module and case.lowering.call)
def test_module_and_call_agree(case: Case) -> None:
    built, inputs = forms(case), case.tensors()
    for train in (False, True):
        expected, got = (as_tuple(built[form].train(train)(*inputs)) for form in ("module", "call"))
        assert all(torch.equal(a, b) for a, b in zip(expected, got, strict=True))


@examples_of(lambda case: not case.op.view)
def test_only_views_share_memory(case: Case) -> None:
    for name, module in forms(case).items():
        for train in (False, True):
            inputs = case.tensors()
            used = {tensor.untyped_storage().data_ptr() for tensor in (*inputs, *module.parameters())}
            outputs = as_tuple(module.train(train)(*inputs))
            assert all(out.untyped_storage().data_ptr() not in used for out in outputs), (name, train)


def _kept(module: torch.nn.Module, inputs: list[torch.Tensor]) -> tuple[set[int], bool, list[int]]:
    """What autograd keeps of a call: inputs by position, whether the output, sizes of what was made; not weights."""
    given = [2.0 * x.clone().requires_grad_() for x in inputs]
    kept: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = as_tuple(module.train()(*given))
    own = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    positions = {x.untyped_storage().data_ptr(): i for i, x in enumerate(given)}
    results = {out.untyped_storage().data_ptr() for out in outputs}
    made = [t.untyped_storage().nbytes() for key, t in kept.items() if key not in {*own, *positions, *results}]
    found = {i for key, i in positions.items() if key in kept and key not in results}
    return found, any(key in kept for key in results), sorted(made)


@every_example
def test_what_autograd_keeps(case: Case) -> None:
    saved = case.op.saves(case.params, case.inputs, case.outputs)
    made = sorted(m.elements * (m.itemsize or 4) * (2 if m.each else 1) for m in saved.made)
    expected = set(saved.inputs), saved.output, made
    for name, module in forms(case).items():
        assert _kept(module, case.tensors()) == expected, name
    if not (case.lowering.call and case.lowering.call.inplace):
        return
    lost = bool(saved.inputs)  # in place, the input is no more
    copy = [4 * 2 * case.outputs[0].elements] if lost and not saved.inverts else []
    output = saved.output or (lost and saved.inverts)
    assert _kept(from_call(case, case.lowering.call, inplace=True), case.tensors()) == (set(), output, copy)


@examples_of(lambda case: case.op.view)
def test_views_share_as_they_say(case: Case) -> None:
    for name, module in forms(case).items():
        for train in (False, True):
            (x,) = case.tensors()
            shares = case.op.shares(case.params, case.inputs, train)
            for out in as_tuple(module.train(train)(x)):
                assert (out.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()) == shares, (name, train)


def _gradients(module: torch.nn.Module, inputs: list[torch.Tensor], overwrite: bool) -> list[torch.Tensor]:
    """Gradients of a loss over twice the output, doubled in place or not."""
    module.zero_grad()
    leaves = [x.clone().requires_grad_() for x in inputs]
    loss = torch.zeros(())
    for out in as_tuple(module(*(2.0 * leaf for leaf in leaves))):
        doubled = out.mul_(2.0) if overwrite else out * 2.0
        loss = loss + (doubled * torch.linspace(-1, 1, doubled.numel()).view(doubled.shape)).sum()
    loss.backward()
    found = [tensor.grad for tensor in [*leaves, *module.parameters()]]
    return [grad.clone() for grad in found if grad is not None]


def _assert_overwritable(module: torch.nn.Module, case: Case) -> None:
    inputs = case.tensors()
    state = copy.deepcopy(module.state_dict())
    expected = _gradients(module, inputs, overwrite=False)
    module.load_state_dict(state)
    got = _gradients(module, inputs, overwrite=True)
    silent = case.op.name == "resize" and len(inputs) == 2  # of the second only the size counts
    assert len(got) == len(inputs) - silent + len(list(module.parameters()))
    torch.testing.assert_close(got, expected)


@examples_of(lambda case: case.op.overwritable)
@pytest.mark.parametrize("train", [False, True])
def test_overwritable_outputs(case: Case, train: bool) -> None:
    """Writing over the output leaves every gradient as it was; torch itself raises where its backward reads it."""
    for module in forms(case).values():
        _assert_overwritable(randomise(module).train(train), case)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softmax"])
def test_the_check_of_overwriting_bites(name: str) -> None:
    """Of these torch keeps the output: were they declared overwritable, the test above would fail."""
    op = OPS[name]
    assert not op.overwritable
    bad = Case(op, op.params(), op.examples[0].inputs)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        _assert_overwritable(forms(bad)["module"], bad)


@examples_of(lambda case: case.lowering.module and case.lowering.module.inplace)
def test_inplace_forms(case: Case) -> None:
    """In place, an op overwrites its input, gives the same values, and the same gradients."""
    lowering = case.lowering
    plain = from_module(case, lowering.module)
    for module in (from_module(case, lowering.module, inplace=True), from_call(case, lowering.call, inplace=True)):
        inputs = case.tensors()
        expected, (x,) = plain(*inputs), (inputs[0].clone(),)
        out = module(x)
        assert out.data_ptr() == x.data_ptr()
        assert torch.equal(out, expected)
        gradients = [_gradients(form, inputs, overwrite=False)[0] for form in (plain, module)]
        torch.testing.assert_close(gradients[0], gradients[1])
        if case.op.overwritable:
            _assert_overwritable(module, case)
