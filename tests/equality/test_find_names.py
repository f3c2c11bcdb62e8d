"""No library has a network of ours under a name that no spec says.

Over the registers of torchvision, timm (the modules of our families) and pytorchcv: what has the structure of a variant
is named by a `reference` of it, is another name of what is named, or is another network, and explained.py says in what.
Expected values are the libraries' own networks, built on the meta device: half a minute of processor time for all.
"""

from __future__ import annotations

import functools

import pytest

from tests.equality.explained import EXPLAINED, VARIANTS, Explained, explanation
from tests.libraries import reference_model
from tests.registers import LIBRARIES, Candidate, candidates, differences, of_graph, of_module, plausible

found = functools.cache(lambda library: candidates(library, VARIANTS))


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_network_of_a_library_is_named_or_explained(library: str) -> None:
    left = [(each.variant, each.model) for each in found(library) if not each.alias and explanation(each) is None]
    assert left == []


@pytest.mark.slow
@pytest.mark.parametrize("explained", EXPLAINED, ids=lambda e: f"{e.library}-{e.models}")
def test_what_is_said_to_differ_differs(explained: Explained) -> None:
    """Of each entry the smallest of the variants that it is about."""
    about = [
        each for library in LIBRARIES for each in found(library) if not each.alias and explanation(each) is explained
    ]
    assert about, "it explains nothing"
    least = min(about, key=lambda each: len(VARIANTS[each.variant].graph.nodes))
    assert explained.differs in differences(VARIANTS[least.variant], least.library, least.model)


def test_one_structure_under_two_names() -> None:
    """What the libraries are known to share is seen, though keys, shapes and classes are others."""
    for variant, library, model in (
        ("resnet50", "pytorchcv", "resnet50b"),
        ("resnet18", "pytorchcv", "resnet18_cub"),
        ("mobilenetv2_100", "torchvision", "mobilenet_v2"),
        ("convnext_tiny", "timm", "convnext_tiny"),
    ):
        assert of_graph(VARIANTS[variant].graph) == of_module(reference_model(library, model, device="meta"))


def test_what_a_structure_tells_apart() -> None:
    """A stride on another convolution, and weights that are shared."""
    structure = of_graph(VARIANTS["resnet50"].graph)
    assert of_module(reference_model("pytorchcv", "resnet50", device="meta")) not in (structure, None)
    assert of_module(reference_model("pytorchcv", "sharesnet50b", device="meta")) is None


def test_what_is_explained_is_about_other_networks() -> None:
    """An entry is no way around a name: of the variant's own name the spec speaks itself."""
    for library in LIBRARIES:
        for name in VARIANTS.keys() & set(plausible(library)):
            assert explanation(Candidate(name, library, name)) is None, name
