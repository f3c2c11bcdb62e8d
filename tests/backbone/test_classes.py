"""Another number of classes: a new classifier gives the network that `load(classes=…)` builds, or refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archdsl

HEADS = {
    "one": "x -> gap -> flatten -> fc: linear(classes)",
    "two in a row": "x -> gap -> flatten -> fc1: linear(classes) -> relu -> fc2: linear(classes)",
    "upsampled": "x -> fc: conv(classes, 1) -> up: conv_transpose(classes, 4, 2, 1)",
    "normalized": "x -> fc: conv(classes, 1) -> norm: bn",
    "of the image's size": "(x -> fc: conv(classes, 1), im) -> resize",
    "a sum": "(x -> a: conv(classes, 1)) + (x -> b: conv(classes, 3))",
}
WITHOUT = {"normalized", "of the image's size", "a sum"}  # what they give is not what one layer with weights gives
OTHERS = {
    "scale": "x -> scale(1 / classes) -> gap -> flatten -> fc: linear(classes)",
    "groups": "x -> norm: groupnorm(if classes > 4 then 4 else 2) -> gap -> flatten -> fc: linear(classes)",
    "dropout": "x -> gap -> flatten -> dropout(1 / classes) -> fc: linear(classes)",
    "depth": "x -> [(if classes > 4 then 2 else 1) of conv(8, 3)] -> gap -> flatten -> fc: linear(classes)",
}


def spec(folder: Path, head: str) -> Path:
    path = folder / "net.arch"
    path.write_text(
        f"model Net(classes: int = 8) {{\n  im = image(3, 16, 16)\n  x = im -> stem: conv(8, 3) -> relu\n  {head}\n}}\n"
    )
    return path


@pytest.mark.parametrize("head", HEADS)
def test_a_new_classifier_is_that_of_the_network_of_so_many_classes(head: str, tmp_path: Path) -> None:
    path = spec(tmp_path, HEADS[head])
    model, other = archdsl.load(path), archdsl.load(path, classes=3)
    assert hasattr(model, "reset_classifier") == (head not in WITHOUT)
    if head not in WITHOUT:
        model.reset_classifier(3)  # type: ignore[operator]
        other.load_state_dict(model.state_dict())
        x = torch.randn(2, 3, 16, 16)
        assert torch.equal(model.eval()(x), other.eval()(x))


@pytest.mark.parametrize("head", HEADS)
def test_weights_of_another_number_of_classes(head: str, tmp_path: Path) -> None:
    path = spec(tmp_path, HEADS[head])
    model, file = archdsl.load(path), tmp_path / "net.pth"
    torch.save(model.state_dict(), file)
    other = archdsl.load(path, weights=file, classes=3)
    state = other.state_dict()
    assert torch.equal(state["stem.weight"], model.state_dict()["stem.weight"])
    assert other(torch.randn(2, 3, 16, 16)).shape[1] == 3


@pytest.mark.parametrize("head", OTHERS)
def test_what_else_depends_on_the_classes_is_not_forgotten(head: str, tmp_path: Path) -> None:
    model = archdsl.load(spec(tmp_path, OTHERS[head]))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"decides about more than its classifier .*load\(…, classes = 3\)"):
        model.reset_classifier(3)  # type: ignore[operator]
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_channels_are_no_eps(tmp_path: Path) -> None:
    """nn.BatchNorm2d(8) names the channels first; here they follow from the input."""
    for norm in ("bn(8)", "layernorm(8)", "groupnorm(4, 8)", "instancenorm(8)"):
        with pytest.raises(archdsl.ArchError, match=r"eps of \w+ must be less than 1"):
            archdsl.open(spec(tmp_path, f"x -> {norm} -> gap -> flatten -> fc: linear(classes)"))
