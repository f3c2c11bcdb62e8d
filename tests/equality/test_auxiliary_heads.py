"""The auxiliary heads of GoogLeNet and Inception v3 equal torchvision's; its files load with and without them.

Expected values are torchvision's: its models with `aux_logits=True`, and what its weights declare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.verify import traits
from archdsl.verify.numbers import KeepEverything
from archdsl.verify.randomize import randomize
from tests import libraries

# The head of Inception v3 needs the paper's size: a 17×17 grid.
SIZES = {"googlenet": 96, "inception_v3": 299}
HEADS = {"googlenet": {"aux_logits1": "aux1", "aux_logits2": "aux2"}, "inception_v3": {"aux_logits": "AuxLogits"}}


def torchvision_model(family: str, device: str = "cpu") -> nn.Module:
    return libraries.reference_model("torchvision", family, device=device, aux_logits=True)


@pytest.fixture(scope="module", params=SIZES)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def theirs(family: str) -> nn.Module:
    return randomize(torchvision_model(family), size=SIZES[family], batch=2)


def images(family: str) -> Tensor:
    size = SIZES[family]
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(5))


def test_state_dict(family: str) -> None:
    mine = traits.shapes(archdsl.find(f"{family}_aux").empty())
    assert mine == traits.shapes(torchvision_model(family, "meta"))


def test_parameters_are_those_that_torchvision_declares() -> None:
    """GoogLeNet's weights declare the network without heads, whose parameters are counted from torchvision's own."""
    for family in SIZES:
        mine = archdsl.find(f"{family}_aux").graph.params
        assert mine == sum(p.numel() for p in torchvision_model(family, "meta").parameters())
    declared = libraries.import_torchvision().models.get_model_weights("inception_v3").IMAGENET1K_V1.meta
    assert archdsl.find("inception_v3_aux").graph.params == declared["num_params"]


def test_all_outputs_in_training_and_the_result_in_evaluation(family: str, theirs: nn.Module) -> None:
    mine = archdsl.find(f"{family}_aux").empty()
    mine.load_state_dict({key: value.clone() for key, value in theirs.state_dict().items()}, assign=True)
    image = images(family)
    with torch.no_grad():
        with KeepEverything():
            expected, actual = theirs.train()(image), mine.train()(image)
        assert_equal(actual.logits, expected.logits)
        for name in HEADS[family]:
            assert_equal(getattr(actual, name), getattr(expected, name))
        kept = dict(theirs.state_dict())
        assert [key for key, value in mine.state_dict().items() if not torch.equal(value, kept[key])] == []
        evaluated = mine.eval()(image)
        assert_equal(evaluated.logits, theirs.eval()(image))
    assert type(evaluated) is type(actual)
    assert evaluated._fields == ("logits", *HEADS[family])


def test_torchvisions_file_loads_with_and_without_heads(family: str, theirs: nn.Module, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    torch.save(theirs.state_dict(), file)
    whole = archdsl.load(family, aux_heads=True, weights=file).eval()
    plain = archdsl.load(family, weights=file).eval()
    image = images(family)
    with torch.no_grad():
        expected = theirs.eval()(image)
        assert_equal(whole(image).logits, expected)
        assert_equal(plain(image), expected)


def test_no_weight_of_ours_is_left_aside(family: str, theirs: nn.Module, tmp_path: Path) -> None:
    """A head that the network has is loaded whole or not at all; of one that it has not, all keys are left aside."""
    file = tmp_path / "weights.pth"
    head = next(iter(HEADS[family].values()))
    state: dict[str, Any] = dict(theirs.state_dict())
    state[f"{head}.extra.weight"] = torch.zeros(1)
    torch.save(state, file)
    assert codes(family, file, aux_heads=True) == ["E502"]
    archdsl.load(family, weights=file)
    state["other.weight"] = torch.zeros(1)
    torch.save(state, file)
    assert codes(family, file) == ["E502"]


def codes(family: str, file: Path, **parameters: Any) -> list[str]:
    with pytest.raises(ArchError) as raised:
        archdsl.load(family, weights=file, **parameters)
    return [d.code for d in raised.value.diagnostics]


def assert_equal(actual: Tensor, expected: Tensor) -> None:
    assert torch.equal(actual, expected)
