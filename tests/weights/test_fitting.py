"""Which names a file has, and every fault where it does not fit."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.weights import export_keys, import_keys, load_weights, save_weights
from archdsl.weights.fitting import check_fit, choose
from archdsl.weights.grouping import grouped
from tests.weights.specs import TINY, TINY_MAP, file, tiny
from tests.weights.states import findings, random_state, same, write


def test_there_and_back(path: Path) -> None:
    variant = tiny(TINY_MAP)
    state = random_state(variant)
    exported = export_keys(variant, state, "theirs")
    assert list(exported)[:2] == ["first.conv.weight", "first.bn.weight"]
    assert "units.2.b.running_var" in exported
    assert same(import_keys(variant, exported), state)
    assert same(load_weights(variant, write(exported, path)).state_dict(), state)
    assert same(load_weights(variant, path, "theirs").state_dict(), state)
    # Our own names still load.
    assert same(load_weights(variant, write(state, path)).state_dict(), state)


def test_saving(path: Path) -> None:
    variant = tiny(TINY_MAP)
    state = random_state(variant)
    model = load_weights(variant, write(state, path))
    save_weights(variant, model.state_dict(), path, "theirs")
    read = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
    assert same(dict(sorted(read.items())), dict(sorted(export_keys(variant, state, "theirs").items())))
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with pytest.raises(ArchError) as raised:
        save_weights(variant, state, path.parent / "no" / path.name)
    assert [d.code for d in raised.value.diagnostics] == ["E607"]


def test_unknown_map(path: Path) -> None:
    (found,) = findings(tiny(TINY_MAP), write(random_state(tiny()), path), "thiers")
    assert (found.code, found.help) == ("E505", "did you mean `theirs`?")
    assert [d.code for d in findings(tiny(), path, "theirs")] == ["E505"]


def test_a_named_map_is_used_even_where_it_does_not_fit(path: Path) -> None:
    write(random_state(tiny()), path)
    found = findings(tiny(TINY_MAP), path, "theirs")
    assert {d.code for d in found} == {"E501", "E502"}
    assert any("`head.W`, our `fc.weight` (5×8)" in d.items for d in found)


def test_the_map_that_nearly_fits_is_reported(path: Path) -> None:
    variant = tiny(TINY_MAP + 'checkpoint other for Tiny { "zz" = "stem" }')
    state = export_keys(variant, random_state(variant), "theirs")
    del state["head.B"]
    (found,) = findings(variant, write(state, path))
    assert found.message == "the weights lack `head.B`, our `fc.bias` (5)"
    assert "`theirs`" in found.notes[0]


SWAP = """
checkpoint straight for Tiny {
  "x0" = "body.0"
  "x1" = "body.1"
}
checkpoint crossed for Tiny {
  "x1" = "body.0"
  "x0" = "body.1"
}
"""


def test_several_maps_that_fit(path: Path) -> None:
    text = TINY.replace("stem: Unit(width)", "stem: Unit(2 * width)") + SWAP
    variant = file(text)["tiny"]
    state = random_state(variant)
    write(export_keys(variant, state, "crossed"), path)
    (found,) = findings(variant, path)
    assert (found.code, "straight, crossed" in found.message) == ("E506", True)
    assert same(load_weights(variant, path, "crossed").state_dict(), state)
    # Shapes decide where they can: here body.0 takes 4 channels, body.1 8.
    variant = tiny(SWAP)
    state = random_state(variant)
    assert same(load_weights(variant, write(export_keys(variant, state, "crossed"), path)).state_dict(), state)


TURNED = 'checkpoint caffe for Tiny {{ "{0}" [O, bgr, H, W] = "stem.conv.weight" [O, rgb, H, W] }}\n'


def test_maps_that_differ_in_the_order_of_colours(path: Path) -> None:
    """The names do not say which is meant: neither our own, nor those of two maps."""
    variant = tiny(TURNED.format("stem.conv.weight"))
    state = random_state(variant)
    write(state, path)
    (found,) = findings(variant, path)
    assert (found.code, "own, caffe" in found.message) == ("E506", True)
    assert same(load_weights(variant, path, "own").state_dict(), state)
    turned = {**state, "stem.conv.weight": state["stem.conv.weight"].flip(1)}
    assert same(load_weights(variant, path, "caffe").state_dict(), turned)
    straight = 'checkpoint straight for Tiny { "x" = "stem.conv.weight" }\n'
    variant = tiny(straight + TURNED.format("x"))
    write(export_keys(variant, state, "straight"), path)
    (found,) = findings(variant, path)
    assert (found.code, "straight, caffe" in found.message) == ("E506", True)
    assert same(load_weights(variant, path, "caffe").state_dict(), turned)
    variant = tiny(straight + TURNED.format("other"))  # other names decide
    assert same(load_weights(variant, path).state_dict(), state)
    assert same(load_weights(variant, write(state, path)).state_dict(), state)


def test_every_fault_in_one_error(path: Path) -> None:
    state = random_state(tiny())
    del state["stem.conv.weight"], state["body.1.bn.running_mean"]
    state |= {"extra.weight": torch.zeros(2, 3), "scale": torch.zeros(())}
    state |= {"fc.weight": torch.zeros(10, 8), "fc.bias": torch.zeros(10)}
    found = {(d.code, d.message) for d in findings(tiny(), write(state, path))}
    assert found == {
        ("E501", "the weights lack `stem.conv.weight` (4×3×3×3)"),
        ("E501", "the weights lack `body.1.bn.running_mean` (8)"),
        ("E502", "the weights have `extra.weight` (2×3), which the model has not"),
        ("E502", "the weights have `scale` (scalar), which the model has not"),
        ("E503", "the shape of `fc.weight` is 10×8 in the file, 5×8 in the model"),
        ("E503", "the shape of `fc.bias` is 10 in the file, 5 in the model"),
    }


def test_hundreds_of_faults_in_few_lines(tmp_path: Path) -> None:
    """resnet18's weights for resnet50: a few lines of text, and every key in the data."""
    small, large = archdsl.find("resnet18"), archdsl.find("resnet50")
    with pytest.raises(ArchError) as raised:
        load_weights(large, write(random_state(small), tmp_path / "w.pth"))
    missing, misshaped = raised.value.diagnostics
    assert len(str(raised.value).splitlines()) < 30
    known = {key: weight.shape for key, weight, _ in small.graph.state()}
    state = {key: weight.shape for key, weight, _ in large.graph.state()}
    lacking = [key for key in state if key not in known and not key.endswith("num_batches_tracked")]
    assert (missing.code, missing.message) == ("E501", f"the weights lack {len(lacking)} of {len(state)} keys")
    assert [item.split("`")[1] for item in missing.items] == lacking
    assert missing.notes[0] == "`layer1.{0-2}.conv3.weight` (256×64×1×1)"
    assert missing.notes[-1].startswith("…")
    differing = [key for key in state if key in known and known[key] != state[key]]
    assert (misshaped.code, misshaped.message.split()[0]) == ("E503", str(len(differing)))
    assert [item.split("`")[1] for item in misshaped.items] == differing


@pytest.mark.parametrize(("before", "after"), [("", "backbone."), ("", "model.net.0."), ("features.", "")])
def test_what_all_keys_begin_with_is_shown_once(path: Path, before: str, after: str) -> None:
    """The one error that there is: what is missing and what is unexpected follow from it."""
    variant = archdsl.find("convnext_tiny" if before else "resnet18")
    state = random_state(variant)
    moved = {after + key.removeprefix(before): t for key, t in state.items() if key.startswith(before)}
    moved |= {"neck.weight": torch.zeros(1)} if after else {}
    found = findings(variant, write(moved, path))
    share = f"{len(moved) - bool(after)} of the {len(moved)}" if after else f"178 of the {len(state)}"
    where, other, prefix = ("file", "model", after) if not before else ("model", "file", before)
    assert [d.code for d in found] == ["E510"]
    assert found[0].message == f"{share} keys of the {where} begin with `{prefix}`, those of the {other} do not"
    longer = moved if after else state
    assert {item.strip("`") for item in found[0].items} == {key for key in longer if key.startswith(prefix)}
    assert ("--prefix" in str(found[0].help)) == (where == "file")


def test_what_all_keys_begin_with_on_both_sides_is_other_names(path: Path) -> None:
    state = random_state(archdsl.find("convnext_tiny"))
    moved = {"encoder." + key.removeprefix("features."): t for key, t in state.items() if key.startswith("features.")}
    found = findings(archdsl.find("convnext_tiny"), write({**moved, "neck.weight": torch.zeros(1)}, path))
    assert [d.code for d in found] == ["E501", "E502"]


def test_a_part_of_a_detector_under_another_librarys_names(path: Path) -> None:
    variant = tiny(TINY_MAP)
    state = {f"body.{key}": t for key, t in export_keys(variant, random_state(variant), "theirs").items()}
    assert "all 20 keys of the file begin with `body.`" in findings(variant, write(state, path))[0].message
    assert same(load_weights(variant, path, prefix=["body"]).state_dict(), import_keys(variant, {
        key.removeprefix("body."): t for key, t in state.items()
    }))  # fmt: skip


def test_foreign_keys_take_no_longer_than_they_are_many() -> None:
    """40,000 took 20 s, most of it in comparing each with all before."""
    variant = archdsl.find("efficientnet_lite0")
    ours = {key: weight.shape for key, weight, _ in variant.graph.state()}
    shapes = {f"x{i}.k{i}.weight": (1,) for i in range(100_000)}
    start = time.perf_counter()
    found = choose(ours, shapes, variant.keymaps, None)
    with pytest.raises(ArchError) as raised:
        check_fit(found, ours, shapes, (), variant.keymaps.values())
    assert len(raised.value.diagnostics[-1].items) == 100_000
    assert time.perf_counter() - start < 5


def test_alternatives_are_gathered_in_one_pass() -> None:
    """Numbers that follow each other are ranges; each value stands there once."""
    assert grouped((f"a.{i}.{w}", ("x",)) for i in range(20_000) for w in "bc") == [("a.{0-19999}.{b,c}", ("x",))]


def test_classes_can_be_overridden(path: Path) -> None:
    state = random_state(tiny())
    assert [d.code for d in findings(tiny().override({"classes": 7}), write(state, path))] == ["E503", "E503"]
    state |= {"fc.weight": torch.zeros(7, 8), "fc.bias": torch.zeros(7)}
    assert load_weights(tiny().override({"classes": 7}), write(state, path))(torch.zeros(1, 3, 8, 8)).shape == (1, 7)
