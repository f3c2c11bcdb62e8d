"""Feature maps of stages that give several tensors: each has a name, and none is taken for the stage's."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import torch

import archdsl
from archdsl.api import open_source
from archdsl.backends.module import build_module
from archdsl.diagnostics.core import ArchError
from archdsl.graph.backbone import feature_info, pyramid
from archdsl.source import Source
from archdsl.variant import Variant

PAIR = """
block Pair {
  low = in -> a: conv(8, 3)
  high = low -> b: conv(16, 3, stride = 2)
  (low, high)
}
"""

LABELLED = f"""{PAIR}
model Net {{
  low, high = image(3, 16, 16) -> stem: conv(4, 3) -> stage pair: Pair
  x = low -> stage next: conv(16, 3, stride = 2)
  x + high -> gap -> flatten -> fc: linear(10)
}}
"""

BRACES = """
model Net {
  x = image(3, 16, 16)
  stage enc {
    skip = x -> a: conv(8, 3)
    x = skip -> maxpool(2, padding = 0)
  }
  x = x -> stage middle: conv(8, 3)
  (x -> gap) * skip -> gap -> flatten -> fc: linear(10)
}
"""


def variant(text: str) -> Variant:
    file = open_source(Source("test.arch", dedent(text)))
    return file[next(iter(file))]


@pytest.mark.parametrize(
    ("text", "names", "shapes"),
    [
        (LABELLED, ["pair[0]", "pair[1]", "next"], ["8×16×16", "16×8×8", "16×8×8"]),
        (BRACES, ["enc[0]", "enc[1]", "middle"], ["8×16×16", "8×8×8", "8×8×8"]),
    ],
)
def test_each_result_has_a_name(text: str, names: list[str], shapes: list[str]) -> None:
    made = variant(text)
    assert feature_info(made.graph).names() == names
    part = made.features(names)
    assert [str(part.graph.shape(ref)) for ref in part.graph.outputs] == shapes
    assert set(pyramid(made.graph)) == {names[0], names[2]}


def test_the_name_of_the_stage_alone_is_refused() -> None:
    for text, name in ((LABELLED, "pair"), (BRACES, "enc")):
        with pytest.raises(ArchError) as raised:
            variant(text).features([name])
        (found,) = raised.value.diagnostics
        assert found.code == "E122"
        assert f"`{name}` gives several feature maps" in str(found.help)
        assert f"{name}[0] (8×16×16)" in str(found.help)


def test_they_are_the_tensors_of_the_whole_network() -> None:
    made = variant(LABELLED)
    whole = build_module(made.graph, made.source).eval()
    part = made.features(["pair[1]", "next"])
    maps = build_module(part.graph, part.source).eval()
    maps.load_state_dict({key: value for key, value in whole.state_dict().items() if key in maps.state_dict()})
    image = torch.randn(2, 3, 16, 16)
    found = maps(image)
    low = whole.pair.a(whole.stem(image))
    assert list(found) == ["pair[1]", "next"]
    assert torch.equal(found["pair[1]"], whole.pair.b(low))
    assert torch.equal(found["next"], whole.next(low))


def test_branches_of_several_resolutions() -> None:
    """A stage as HRNet's: all its branches are feature maps, the one that is only an output too."""
    made = variant("""
        fn fuse(xs: list(tensor)) = [x -> relu for x in xs]
        model Net {
          x = image(3, 32, 32) -> stem: conv(4, 3)
          stage stage2 {
            a, b, c = fuse([x -> a: conv(4, 3), x -> b: conv(8, 3, stride = 2), x -> c: conv(8, 3, stride = 4)])
          }
          output fine = a
          output middle = b
          output coarse = c -> last: conv(3, 1)
        }""")
    assert feature_info(made.graph).names() == ["stage2[0]", "stage2[1]", "stage2[2]"]
    assert feature_info(made.graph).reduction() == [1, 2, 4]


TWO_HEADS = """
model Net(classes: int = 10, rotations: int = 4) {
  x = image(3, 16, 16) -> stem: conv(8, 3) -> gap -> flatten
  output rotation = x -> turn: linear(rotations)
  output again = x -> second: linear(classes)
  x -> fc: linear(classes)
}
"""
DETECTOR = """
model Net(classes: int = 5) {
  x = image(3, 16, 16) -> stem: conv(8, 3)
  for i in 0..2 {
    x = x -> stage level{i}: conv(8, 3, stride = 2)
    output cls{i} = x -> cls.{i}: conv(3 * classes, 3)
    output box{i} = x -> box.{i}: conv(12, 3)
  }
}
"""


def test_a_head_without_classes_is_no_classifier(tmp_path: Path) -> None:
    """A new classifier leaves the weights of a head that counts something else."""
    path = tmp_path / "net.arch"
    path.write_text(TWO_HEADS, encoding="utf-8")
    model = archdsl.load(path)
    turn = model.turn.weight.clone()
    model.reset_classifier(3)
    assert [tuple(tensor.shape) for tensor in model(torch.randn(1, 3, 16, 16))] == [(1, 3), (1, 4), (1, 3)]
    assert torch.equal(model.turn.weight, turn)
    model.reset_classifier(0)
    assert isinstance(model.turn, torch.nn.Linear)
    assert not isinstance(model.fc, torch.nn.Linear)


def test_a_detector_of_other_classes_takes_all_but_its_classifiers(tmp_path: Path) -> None:
    path, weights = tmp_path / "net.arch", tmp_path / "net.pth"
    path.write_text(DETECTOR, encoding="utf-8")
    before = archdsl.load(path)
    torch.save(before.state_dict(), weights)
    after = archdsl.load(path, classes=7, weights=weights)
    assert after.cls[0].weight.shape[0] == 21
    old, new = before.state_dict(), after.state_dict()
    same = {key for key in new if new[key].shape == old[key].shape and torch.equal(new[key], old[key])}
    assert set(new) - same == {f"cls.{i}.{name}" for i in (0, 1) for name in ("weight", "bias")}
    broken = before.state_dict()
    del broken["box.0.weight"]
    torch.save(broken, weights)
    with pytest.raises(ArchError, match=r"box\.0\.weight"):
        archdsl.load(path, classes=7, weights=weights)
