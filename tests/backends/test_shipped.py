"""The shipped networks: generated modules have the state of their graphs, and compute the same."""

from __future__ import annotations

import pytest
import torch

from archdsl.backends.module import build_module
from tests.backends import checks, sources
from tests.backends.interpreter import Interpreter
from tests.libraries import OnMeta

SHIPPED = {variant: family for family, variant in sources.shipped_names()}
COMPUTED = {
    "resnet18": 64,
    "densenet121": 64,
    "convnext_tiny": 64,
    "efficientnet_b0": 65,
    "tf_efficientnet_lite0": 65,
    "googlenet": 65,
    "inception_v3": 79,
    "mobilenet_v3_small": 65,
    "preresnet18": 64,
    "regnet_y_400mf": 64,
    "shufflenet_v2_x0_5": 64,
    "squeezenet1_0_complex_bypass": 65,
    "tf_mobilenetv3_small_075": 65,
    "van_b0": 65,
}
"""At other sizes than the spec's, which are slow here; nothing in a graph but the sizes of tensors depends on them."""


@pytest.mark.parametrize("variant", SHIPPED)
def test_state_and_shapes(variant: str) -> None:
    found = sources.shipped(SHIPPED[variant], variant)
    model = build_module(found.graph, found.source, device="meta").eval()
    checks.same_state(found.graph, model)
    with torch.no_grad(), OnMeta():
        outputs = checks.outputs_of(model(torch.empty(1, *found.graph.input_shape.dims, device="meta")))
    assert [tuple(t.shape[1:]) for t in outputs] == [found.graph.shape(ref).dims for ref in found.graph.outputs]


@pytest.mark.parametrize("variant", [name for name in COMPUTED if name in SHIPPED])
def test_same_outputs(variant: str) -> None:
    found, size = sources.shipped(SHIPPED[variant], variant), COMPUTED[variant]
    model = checks.randomize(build_module(found.graph, found.source)).eval()
    image = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        actual = checks.outputs_of(model(image))
    checks.equal(actual, Interpreter(found.graph, model.state_dict(), sizes=False)(image))
