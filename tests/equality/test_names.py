"""A name is a promise: a shipped variant that has the name of a library's model equals it, or its files are refused.

The names are those of the registers of torchvision, timm (with the names it has retired) and pytorchcv. What a
`reference` says is tested in test_references: that the networks are equal, or that the files do not load. Here: that no
name is without one, that a name has an owner, and that no library's file of this name gets in unseen.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.graph.reference import SIZES, Comparison, Reference
from archdsl.variant import Variant
from archdsl.verify import libraries
from archdsl.verify.randomize import give_memory
from archdsl.weights.loading import import_keys
from tests.equality.test_references import FILES
from tests.registers import LIBRARIES, register

VARIANTS: dict[str, Variant] = {variant.name: variant for file in FILES.values() for variant in file.values()}


def shared() -> list[tuple[str, str]]:
    """Every variant that has a name of a library's, with the library."""
    return [(name, library) for library in LIBRARIES for name in VARIANTS if name in register(library)]


def said(name: str, library: str) -> list[Reference]:
    """What the spec says of the library's model of this name."""
    return [r for r in VARIANTS[name].references if (r.library, r.model) == (library, name)]


def test_the_registers_are_read() -> None:
    assert {"resnet50", "mobilenet_v3_small"} <= register("torchvision")
    assert "fasterrcnn_resnet50_fpn" not in register("torchvision")
    assert {"resnet50", "nasnetalarge", "tf_efficientnet_b0_ns"} <= register("timm")
    assert {"resnet50", "nasnet_6a4032"} <= register("pytorchcv")
    assert len(shared()) > 200
    for name in ("resnet50", "efficientnet_b5", "densenet121"):
        assert all((name, library) in shared() for library in LIBRARIES)


def test_every_name_of_a_library_is_held_against_that_library() -> None:
    """nasnetalarge and efficientnet_lite0 once had timm's name and keys, and were others."""
    assert [(name, library) for name, library in shared() if len(said(name, library)) != 1] == []


def test_a_claim_about_a_name_is_about_every_size() -> None:
    """Equal at chosen sizes alone is not equal: such a network is called something else."""
    claims = {(name, library): said(name, library)[0] for name, library in shared()}
    assert [key for key, reference in claims.items() if not reference.comparison.everywhere] == []
    for (name, _), reference in claims.items():
        parities = {size % 2 for size in reference.comparison.sizes}
        assert parities == {0, 1}, name
        assert reference.comparison.sizes in (SIZES, (32, 33)), name  # the latter of networks for 32×32 images


def test_every_name_has_an_owner() -> None:
    """Where a library's files of a name are refused, another library's of the same name load, by their own keys."""
    for name in VARIANTS:
        claims = [said(name, library)[0] for library in LIBRARIES if name in register(library)]
        if any(claim.refuses for claim in claims):
            owners = [claim for claim in claims if not claim.refuses and claim.comparison.differs == ()]
            assert owners, name
            assert any(_fits(VARIANTS[name], claim, direct=True) for claim in owners), name


def _fits(variant: Variant, reference: Reference, *, direct: bool = False) -> bool:
    """Whether the library's state_dict loads; `direct`: without a map."""
    theirs = libraries.reference_model(reference).state_dict()
    if direct:
        return theirs.keys() == {key for key, _, _ in variant.graph.state()}
    try:
        import_keys(variant, theirs)
    except ArchError:
        return False
    return True


REFUSED = [(name, library) for name, library in shared() if said(name, library) and said(name, library)[0].refuses]


@pytest.mark.parametrize(("name", "library"), REFUSED)
def test_a_file_that_is_refused_is_refused_whatever_is_asked_for(name: str, library: str) -> None:
    """Neither by its own keys nor by any map of the spec, the network being another."""
    variant = VARIANTS[name]
    theirs = libraries.reference_model(said(name, library)[0]).state_dict()
    for checkpoint in (None, *variant.keymaps):
        with pytest.raises(ArchError):
            import_keys(variant, theirs, checkpoint)


def test_a_refusal_says_why(tmp_path: Path) -> None:
    theirs = give_memory(libraries.reference_model(said("seresnet18", "pytorchcv")[0])).state_dict()
    torch.save(theirs, tmp_path / "weights.pth")
    with pytest.raises(ArchError) as raised:
        archdsl.load("seresnet18", weights=tmp_path / "weights.pth")
    (note,) = {note for found in raised.value.diagnostics for note in found.notes if "does not load" in note}
    assert note.startswith(
        "pytorchcv's seresnet18 does not load here: pytorchcv's excitation is squeezed to a sixteenth"
    )


def test_what_is_refused_is_known() -> None:
    """The list, so that nothing joins it unseen: what other libraries build under these names is another network."""
    strides = ("resnet50", "resnet101", "resnet152", "seresnet50", "seresnet101", "seresnet152")
    squeezes = ("seresnet18", "seresnet34")
    eps = ("efficientnet_b5", "efficientnet_b6", "efficientnet_b7")
    assert sorted(REFUSED) == sorted(
        [(name, "pytorchcv") for name in (*strides, *squeezes, *eps, "resnet26")] + [(name, "timm") for name in eps]
    )


@pytest.mark.parametrize("name", ["efficientnet_b5", "efficientnet_b6", "efficientnet_b7"])
def test_the_reason_for_b5_to_b7(name: str) -> None:
    """What their specs say of timm and pytorchcv: torch's eps and momentum, where torchvision has TensorFlow's."""

    def norms(library: str) -> set[tuple[float, float | None]]:
        model = libraries.reference_model(Reference(library, name, {}, Comparison()))
        return {(m.eps, m.momentum) for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)}

    assert norms("torchvision") == {(1e-3, 0.01)}
    assert norms("timm") == norms("pytorchcv") == {(1e-5, 0.1)}


@pytest.mark.parametrize("name", ["resnet50", "resnet101", "resnet152", "seresnet50", "seresnet101", "seresnet152"])
def test_the_reason_for_pytorchcvs_strides(name: str) -> None:
    model = libraries.reference_model(Reference("pytorchcv", name, {}, Comparison()))
    unit = model.get_submodule("features.stage2.unit1.body")
    assert unit.get_submodule("conv1.conv").stride == (2, 2)
    assert unit.get_submodule("conv2.conv").stride == (1, 1)
