"""Tensors that another library stores in another shape: `"gamma" [C] = "layer_scale" [C, 1, 1]`, in both directions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.graph.keyshapes import Reshape
from archdsl.source import Source
from archdsl.syntax import format_file, parse
from archdsl.weights import export_keys, import_keys, load_weights, save_weights
from tests.weights.specs import file, keymap

SCALED = """
model Net(dims: int = 3) {
  x = image(3, 8, 8) -> stem: conv(4, 3)
  for i in 0..2 { x = x -> body.{i}: [conv(4, 3), scale: layer_scale(1e-6, dims = dims)] }
  x -> gap -> flatten -> fc: linear(5)
}
variant net = Net()
variant flat = net with (dims = 1)
"""
Sizes = tuple[int | str, ...]
MAP = """
checkpoint theirs for Net {
  "blocks.{i}"               = "body.{i}"
  "*.gamma" [C]              = "*.scale" [C, 1, 1]
  "head.weight" [O, I, 1, 1] = "fc.weight" [O, I]
  "head.bias"                = "fc.bias"
}
checkpoint theirs for flat { "*.gamma" = "*.scale" }
"""


def findings(*lines: str) -> list[tuple[str, str]]:
    """Codes and places of what is said about a map of `net` with these lines."""
    body = "\n  ".join(lines)
    found = file(f"{SCALED}\ncheckpoint theirs for net {{\n  {body}\n}}\n").check()
    return [(d.code, d.span.text if d.span else "") for d in found]


@pytest.mark.parametrize(
    ("theirs", "ours", "shape", "expected"),
    [
        (("C",), ("C", 1, 1), (7, 1, 1), (7,)),
        (("C", 1, 1), ("C",), (7,), (7, 1, 1)),
        (("O", "I", 1, 1), ("O", "I"), (5, 3), (5, 3, 1, 1)),
        ((), (1,), (1,), ()),
        ((8, 1), (8,), (8,), (8, 1)),
        (("A", "A"), ("A", 1, "A"), (2, 1, 2), (2, 2)),
        # What does not fit.
        (("C",), ("C", 1, 1), (7, 1), None),
        (("C",), ("C", 1, 1), (7, 2, 1), None),
        ((8, 1), (8,), (9,), None),
        (("A", "A"), ("A", 1, "A"), (2, 1, 3), None),
    ],
)
def test_shapes(theirs: Sizes, ours: Sizes, shape: tuple[int, ...], expected: object) -> None:
    assert Reshape(theirs, ours).shape(shape) == expected


def test_a_map_says_which_keys_have_another_shape() -> None:
    found = keymap('"a.{i}" = "b.{i}"', '"*.g" [C] = "*.s" [C, 1, 1]', '"h" [O, I, 1, 1] = "fc.weight" [O, I]').apply(
        ["b.0.s", "b.0.w", "b.1.s", "fc.weight", "fc.bias"]
    )
    assert list(found.theirs.values()) == ["a.0.g", "a.0.w", "a.1.g", "h", "fc.bias"]
    assert list(found.reshaped) == ["b.0.s", "b.1.s", "fc.weight"]
    assert (found.shape("b.1.s", (4, 1, 1)), found.shape("fc.weight", (5, 4))) == ((4,), (5, 4, 1, 1))
    assert (found.shape("b.0.w", (4, 4)), found.shape("b.0.s", (4,))) == ((4, 4), None)


def test_a_later_line_without_shapes_takes_them_back() -> None:
    found = keymap('"*.g" [C] = "*.s" [C, 1, 1]', '"*.g" = "*.s"').apply(["b.s"])
    assert (found.theirs, found.reshaped) == ({"b.s": "b.g"}, {})


def test_a_good_map_has_no_findings() -> None:
    assert list(file(SCALED + MAP).check()) == []


# Each fault at its place.
FAULTS = [
    ('"*.gamma" [C] = "*.scale" [C, 1]', "E415", "[C, 1]"),
    ('"*.gamma" [C] = "*.scale" [C]', "E417", "[C]"),
    ('"*.gamma" [C, 1] = "*.scale" [C]', "E415", "[C]"),
    ('"*.gamma" [9] = "*.scale" [9, 1, 1]', "E415", "[9, 1, 1]"),
    ('"*.gamma" [C] = "*.scale" [D, 1, 1]', "E416", "[D, 1, 1]"),
    ('"head.weight" [I, O, 1, 1] = "fc.weight" [O, I]', "E416", "[O, I]"),
    ('"*.gamma" = "*.scale" [C, 1, 1]', "E416", '"*.gamma"'),
    ('"*.gamma" [C] = "*.scale"', "E416", '"*.scale"'),
    ('"*.gamma" [1.5] = "*.scale" [C, 1, 1]', "E416", "1.5"),
    ('"*.gamma" [C] = "*.scale" [0, 1, 1]', "E416", "0"),
    # A line that names more than one tensor.
    ('"head" [O, I, 1, 1] = "fc" [O, I]', "E415", "[O, I]"),
    ('"blocks.{i}" [C] = "body.{i}" [C, 1, 1]', "E415", "[C, 1, 1]"),
]


@pytest.mark.parametrize(("line", "code", "place"), FAULTS)
def test_a_shape_that_is_not_needed_or_does_not_fit(line: str, code: str, place: str) -> None:
    assert findings(line) == [(code, place)]


def test_it_must_fit_every_variant_and_is_said_once() -> None:
    """Of several variants the first; with a line of its own a variant may differ."""
    lines = MAP.replace("checkpoint theirs for flat", "checkpoint other for flat")
    (found,) = file(SCALED + lines).check()
    assert (found.code, "`body.0.scale` of flat is [4]" in found.message) == ("E415", True)


@pytest.mark.parametrize("line", ['"a" [C // 2] = "b" [C, 1]', '"a" [C = "b" [C, 1]', '"a" [C] = none', '"a" C = "b"'])
def test_other_text_is_no_shape(line: str) -> None:
    bag = Bag()
    parse(Source("test.arch", f"checkpoint theirs for M {{ {line} }}\n"), bag)
    assert bag.errors


def test_fmt_aligns_keys_with_their_shapes() -> None:
    text = 'checkpoint m for Net {\n"a" [C,1]="b"[C ,]\n  "cdefghij" = "k" }\n'
    source = Source("test.arch", text)
    syntax = parse(source, Bag())
    assert syntax is not None
    assert format_file(syntax) == ('checkpoint m for Net {\n  "a" [C, 1] = "b" [C]\n  "cdefghij" = "k"\n}\n')


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_there_and_back(tmp_path: Path, suffix: str) -> None:
    """A file of theirs loads; written for them it is the same file, tensor for tensor."""
    variant = file(SCALED + MAP)["net"]
    own = {key: torch.randn(weight.shape) for key, weight, _ in variant.graph.state()}
    there = export_keys(variant, own, "theirs")
    assert there["blocks.1.gamma"].shape == (4,)
    assert there["head.weight"].shape == (5, 4, 1, 1)
    back = import_keys(variant, there)
    assert list(back) == list(own)
    assert all(torch.equal(back[key], own[key]) for key in own)
    save_weights(variant, own, tmp_path / f"w{suffix}", "theirs")
    loaded = load_weights(variant, tmp_path / f"w{suffix}").state_dict()
    assert all(torch.equal(loaded[key], own[key]) for key in own)


def test_the_other_shape_does_not_load() -> None:
    variant = file(SCALED + MAP)["net"]
    own = {key: torch.randn(weight.shape) for key, weight, _ in variant.graph.state()}
    there = export_keys(variant, own, "theirs")
    there["blocks.0.gamma"] = there["blocks.0.gamma"][:, None, None]
    with pytest.raises(ArchError) as raised:
        import_keys(variant, there)
    (found,) = raised.value.diagnostics
    assert (found.code, "4×1×1, 4 there" in found.message) == ("E503", True)


def test_a_map_that_does_not_fit_other_arguments_is_said() -> None:
    """`check` sees the variants of the file; with other arguments it is said where weights are loaded."""
    variant = file(SCALED + MAP)["net"].override({"dims": 1})
    there = {"x": torch.zeros(1)}
    with pytest.raises(ArchError) as raised:
        import_keys(variant, there, "theirs")
    assert "E415" in [d.code for d in raised.value.diagnostics]
    own = {key: torch.randn(weight.shape) for key, weight, _ in variant.graph.state()}
    with pytest.raises(ArchError) as raised:
        export_keys(variant, own, "theirs")
    assert [d.code for d in raised.value.diagnostics] == ["E415"]


COLOURED = """
model Net = image(3, 8, 8) -> stem: conv(4, 3, padding = 1) -> gap -> flatten -> fc: linear(5)
variant net = Net()
checkpoint bgr for Net { "first.weight" [O, bgr, H, W] = "stem.weight" [O, rgb, H, W], "first.bias" = "stem.bias" }
"""


@pytest.mark.parametrize("other_way", [False, True])
def test_networks_of_bgr_have_the_first_channels_the_other_way_round(other_way: bool, tmp_path: Path) -> None:
    """Their network of a picture as BGR is ours of the same as RGB; whichever of both is which."""
    text = COLOURED.replace(', "first.bias', '\n  "first.bias')
    if other_way:
        text = text.replace("bgr, H", "x, H").replace("rgb, H", "bgr, H").replace("x, H", "rgb, H")
    variant = file(text)["net"]
    theirs = torch.nn.Sequential()
    theirs.add_module("first", torch.nn.Conv2d(3, 4, 3, padding=1))
    fc = torch.nn.Linear(4, 5)
    state = {**theirs.state_dict(), **{f"fc.{key}": value for key, value in fc.state_dict().items()}}
    torch.save(state, tmp_path / "bgr.pth")
    x = torch.rand(2, 3, 8, 8)
    expected = fc(theirs(x.flip(1)).mean((2, 3)))
    for ours in (load_weights(variant, tmp_path / "bgr.pth"), variant.empty()):
        if ours.get_parameter("fc.bias").is_meta:
            ours.load_state_dict(import_keys(variant, state), assign=True)
        assert torch.allclose(ours(x), expected, atol=1e-6)
        back = export_keys(variant, ours.state_dict(), "bgr")
        assert back.keys() == state.keys()
        assert all(torch.equal(back[key], tensor) for key, tensor in state.items())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("[O, bgr, H, W]", "[O, I, H, W]"),
        ("[O, bgr, H, W]", "[rgb, O, H, W]"),
        ("[bgr, rgb, H, W]", "[rgb, bgr, H, W]"),
    ],
)
def test_colours_stand_at_one_place(theirs: str, ours: str) -> None:
    assert findings(f'"stem.weight" {theirs} = "stem.weight" {ours}') == [("E416", ours)]
