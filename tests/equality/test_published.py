"""torchvision's weights declare the number of parameters and the GMACs (3 decimals) at their crop size.

So has the graph. Independent of torch's counter: torchvision counted with another one.
"""

from __future__ import annotations

import pytest

from archdsl.variant import Variant
from archdsl.verify import traits
from tests import libraries, shipped

VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for _, variant in shipped.variants()
    for reference in variant.references
    if (reference.library, reference.model) == ("torchvision", variant.name)
}
WEIGHTS = {"regnet_y_128gf": "IMAGENET1K_SWAG_LINEAR_V1"}


@pytest.mark.parametrize("name", VARIANTS)
def test_declared(name: str) -> None:
    variant = VARIANTS[name]
    weights = libraries.import_torchvision().models.get_model_weights(name)[WEIGHTS.get(name, "IMAGENET1K_V1")]
    params = variant.graph.params
    if name == "inception_v3":  # declared with its auxiliary head
        with_head = libraries.reference_model("torchvision", name, device="meta", aux_logits=True)
        params += sum(parameter.numel() for parameter in with_head.get_submodule("AuxLogits").parameters())
    assert params == weights.meta["num_params"]
    (crop,) = weights.transforms().crop_size
    macs, _ = traits.work(variant.empty(), crop)
    assert round(macs / 1e9, 3) == weights.meta["_ops"]


# For each family the variants whose accuracy the spec records.
RECORDED = {
    "resnet": 10, "densenet": 4, "convnext": 4, "efficientnet": 8, "efficientnet_v2": 3, "googlenet": 1,
    "mobilenet_v2": 1, "mobilenet_v3": 2, "regnet": 14, "shufflenet_v2": 4, "squeezenet": 2,
}  # fmt: skip


@pytest.mark.parametrize(("family", "variants"), RECORDED.items())
def test_accuracies(family: str, variants: int) -> None:
    """Those that the specs record are torchvision's, of its first weights."""
    models = libraries.import_torchvision().models
    file = shipped.opened(family)
    recorded = {name: file[name].published for name in file if name in models.list_models() and file[name].published}
    assert len(recorded) == variants
    for name, published in recorded.items():
        weights = models.get_model_weights(name).IMAGENET1K_V1
        assert float(published["top1"]) == weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]


def test_there_are_some() -> None:
    assert len(VARIANTS) > 50


@pytest.mark.parametrize(
    ("name", "millions"),
    [("densenet40_k12_cifar10", 1.0), ("densenet100_k12_cifar10", 7.0), ("densenet100_k24_cifar10", 27.2)],
)
def test_densenets_without_bottleneck_and_compression(name: str, millions: float) -> None:
    """Table 2 of the paper."""
    from tests.equality import held

    plain = held.variant("densenet_cifar", name, width=16, compression=1.0)
    assert round(plain.graph.params / 1e6, 1) == millions
