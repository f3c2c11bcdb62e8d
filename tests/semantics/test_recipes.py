"""`recipe` items: what is read of them, how they amend each other, and what is refused, with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from archdsl.api import ArchFile, open_source
from archdsl.diagnostics.core import ArchError
from archdsl.graph import recipe_parts as parts
from archdsl.graph.recipe import Recipe
from archdsl.source import Source

MODEL = """
model Net(width: int = 8, drop_path_rate: float in 0.0..1.0 = 0.0, dropout_rate: float = 0.0) =
  image(3, 32, 32) -> conv(width, 3) -> drop_path(drop_path_rate) -> gap -> flatten -> dropout(dropout_rate)
    -> fc: linear(10)
model Other = image(3, 32, 32) -> gap -> flatten -> fc: linear(10)
variant net = Net(4)
"""
PLAIN = """
recipe plain for Net {
  "A source, table 2."
  epochs = 100, batch = 256, lr = 0.1, lr_scaling = "linear", weight_decay = 1e-4
  optimizer = sgd(0.9, nesterov = true), schedule = cosine
  size = 32
}
"""


def recipes(text: str) -> dict[str, Recipe]:
    return dict(open_source(Source("x.arch", MODEL + text)).recipes)


def one(settings: str, head: str = "recipe r") -> Recipe:
    """A recipe of plain settings, and these."""
    (found,) = recipes(whole(settings, head)).values()
    return found


def whole(settings: str, head: str = "recipe r", size: str = "size = 32", schedule: str = "schedule = cosine") -> str:
    first = 'epochs = 100, batch = 256, lr = 0.1, lr_scaling = "linear", optimizer = sgd(0.9)'
    return f"{head} {{\n{first}\n{schedule}\n{size}\n{settings}\n}}\n"


def findings(text: str) -> list[tuple[str, str]]:
    """Code and the text that the place covers."""
    return [(d.code, d.span.text if d.span else "") for d in ArchFile(Source("x.arch", MODEL + text)).check()]


def test_everything_is_read() -> None:
    found = one(
        """
        weight_decay = 0.02, no_decay = ["bias", "norm"], layer_decay = 0.7, updates = "step"
        warmup = linear(5, start = 1e-6, mode = "prefix"), lr_noise = normal(0.42, 0.9)
        loss = bce(threshold = 0.2), smoothing = 0.1
        augment = randaugment(7, std = 0.5, increasing = true), mixup = 0.1, cutmix = 1, mix_switch = 0.4
        erasing = 0.25, erasing_fill = "colour", repeats = 3, crop_scale = [0.2, 1], flip = 0, interpolation = "bicubic"
        ema = decay(0.9999, every = 32), average = improving(3), clip = norm(1.0)
        drop_path_rate = 0.05, width = 2 * 8, test_size = 64, test_crop = 0.95, top1 = 79.80, top1_from = "table 2"
        """,
        "recipe r for Net, net",
    )
    assert found.targets == ("Net", "net")
    assert found.no_decay == ("bias", "norm")
    assert found.warmup == parts.Warmup(epochs=5, start=1e-6, mode="prefix")
    assert found.lr_noise == parts.Noise(start=0.42, end=0.9)
    assert found.loss == parts.Bce(threshold=0.2)
    assert found.augment == parts.RandAugment(magnitude=7, std=0.5, increasing=True)
    assert found.ema == parts.Ema(decay=0.9999, every=32)
    assert (found.average, found.clip) == (parts.Improving(count=3), parts.ClipNorm(most=1.0))
    assert found.parameters == {"drop_path_rate": 0.05, "width": 16}
    assert found.top1 == Decimal("79.80")
    assert str(found.top1) == "79.80"
    assert (found.cutmix, found.repeats, found.crop_scale) == (1, 3, (0.2, 1))


def test_an_amendment_changes_what_it_says_and_keeps_the_rest() -> None:
    text = PLAIN + "recipe longer = plain with { epochs = 300, optimizer = lamb }\nrecipe same for net = longer\n"
    found = recipes(text)
    plain, longer, same = found["plain"], found["longer"], found["same"]
    assert longer == plain.changed(name="longer", amends="plain", epochs=300, optimizer=parts.Lamb())
    assert (longer.targets, longer.source) == (("Net",), "A source, table 2.")
    assert same == longer.changed(name="same", amends="longer", targets=("net",))


def test_what_was_published_is_of_the_recipe_as_it_was() -> None:
    text = whole('top1 = 76.1, top1_from = "a table"', "recipe a") + "recipe b = a with { flip = 0 }\nrecipe c = a\n"
    found = recipes(text)
    assert (found["b"].top1, found["b"].top1_from) == (None, "")
    assert (found["c"].top1, found["c"].top1_from) == (Decimal("76.1"), "a table")


def test_none_takes_back() -> None:
    text = whole("warmup = linear(5), mixup = 0.2, drop_path_rate = 0.1", "recipe a for Net")
    found = recipes(text + "recipe b = a with { warmup = none, mixup = none, drop_path_rate = none }\n")
    assert (found["b"].warmup, found["b"].mixup, found["b"].parameters) == (None, 0, {})


def test_recipes_are_used_from_another_file(tmp_path: Path) -> None:
    (tmp_path / "shared.arch").write_text(
        "table t(x) {\n 3\n}\n" + whole("repeats = t[0].x, dropout_rate = 0.5", "recipe a")
    )
    text = MODEL + 'use "shared.arch" (a)\nrecipe b for net = a with { epochs = 50 }\n'
    (tmp_path / "net.arch").write_text(text)
    import archdsl

    found = archdsl.open(tmp_path / "net.arch").recipes
    assert list(found) == ["a", "b"]
    assert (found["b"].repeats, found["b"].epochs, found["a"].epochs) == (3, 50, 100)
    assert found["b"].parameters == {"dropout_rate": 0.5}


def test_rows_are_stages() -> None:
    text = """
    augment = randaugment(layers = 2), cutmix = 1
    progressive(epochs, size, magnitude, dropout_rate) {
      20, 16, 5, 0
      30, 24, 7.5, 0.1
      50, 32, 20 / 2, 0.3
    }
    """
    found = recipes(whole(text, "recipe r for Net", size=""))["r"]
    assert [(stage.first, stage.end) for stage in found.stages] == [(0, 20), (20, 50), (50, 100)]
    assert [found.at(epoch).size for epoch in (0, 19, 20, 49, 50, 99)] == [16, 16, 24, 24, 32, 32]
    assert found.size == 32
    assert found.at(60).augment == parts.RandAugment(magnitude=10)
    assert found.at(60).parameters == {"dropout_rate": 0.3}
    assert found.at(60).progressive is None
    assert found.at(60).cutmix == 1


def test_ends_are_interpolated() -> None:
    found = recipes(whole("progressive(size, mixup) in 3 {\n 17, 0\n 32, 0.2\n}", size=""))["r"]
    assert [found.at(stage.first).size for stage in found.stages] == [17, 24, 32]
    assert [found.at(stage.first).mixup for stage in found.stages] == pytest.approx([0, 0.1, 0.2])
    assert [stage.first for stage in found.stages] == [0, 33, 66]


THREE = "progressive(size) in 4 {\n1\n2\n3\n}"
SHORT = "progressive(epochs, size) {\n50, 16\n49, 32\n}"
STAGES = "progressive(size, magnitude) in 4 {\n16, 5\n32, 10\n}"

WRONG = {
    "an unknown setting": (whole("label_smooth = 0.1"), "E433", "label_smooth"),
    "a parameter of no model": (whole("width = 3"), "E433", "width"),
    "a parameter that one of the models lacks": (whole("width = 3", "recipe r for Net, Other"), "E440", "width"),
    "a rate that no model has": (whole("drop_path_rate = 0.1", "recipe r for Other"), "E440", "drop_path_rate"),
    "a parameter out of its range": (whole("drop_path_rate = 1.5", "recipe r for Net"), "E302", "1.5"),
    "a parameter of another type": (whole('width = "wide"', "recipe r for Net"), "E301", '"wide"'),
    "a layer": (whole("width = relu", "recipe r for Net"), "E301", "relu"),
    "a rate for any model": (whole("drop_path_rate = 2"), "E302", "2"),
    "an unknown target": (whole("", "recipe r for nett"), "E108", "nett"),
    "an unknown recipe": ("recipe r = plain", "E432", "plain"),
    "a circle": ("recipe a = b\nrecipe b = a", "E113", "a"),
    "two of a name": (PLAIN + PLAIN, "E106", "plain"),
    "a setting twice": (whole("flip = 0, flip = 1"), "E106", "flip"),
    "stages twice": (whole(f"{STAGES}\n{STAGES}", size=""), "E106", STAGES),
    "what is missing": ("recipe r { epochs = 3 }", "E435", "r"),
    "an optimizer that is none": (whole("").replace("sgd(0.9)", "adamm"), "E434", "adamm"),
    "a number for an optimizer": (whole("").replace("sgd(0.9)", "3"), "E434", "3"),
    "momentum for LAMB": (whole("").replace("sgd(0.9)", "lamb(momentum = 0.9)"), "E102", "momentum"),
    "decay epochs for a cosine": (whole("", schedule="schedule = cosine(every = 30)"), "E102", "every"),
    "a name": (whole("epochs_more = x"), "E433", "epochs_more"),
    "an unknown name": (whole("mixup = x"), "E101", "x"),
    "half an epoch": (whole("").replace("epochs = 100", "epochs = 0.5"), "E301", "0.5"),
    "a wrong text": (whole('updates = "batch"'), "E317", '"batch"'),
    "a number for a list": (whole("crop_scale = 0.08"), "E301", "0.08"),
    "an order": (whole("crop_scale = [1, 0.08]"), "E317", "[1, 0.08]"),
    "an accuracy that is none": (whole("top1 = 8012"), "E302", "8012"),
    "nothing to take back": (whole("warmup = none"), "E441", "none"),
    "a beginning that is none": (whole('after = "pretrained"'), "E432", '"pretrained"'),
    # Contradictions.
    "a warmup as long as the training": (whole("warmup = linear(100)"), "E436", "linear(100)"),
    "two beginnings": (whole("warmup = linear(5, 0, 0.1)"), "E436", "linear(5, 0, 0.1)"),
    "a warmup that falls": (whole("warmup = linear(5, start = 0.2)"), "E436", "linear(5, start = 0.2)"),
    "a cosine that rises": (whole("", schedule="schedule = cosine(0.1)"), "E436", "cosine(0.1)"),
    "Nesterov without momentum": (
        whole("").replace("sgd(0.9)", "sgd(nesterov = true)"), "E436", "sgd(nesterov = true)"
    ),
    "RandAugment of no strength": (whole("augment = randaugment"), "E436", "randaugment"),
    "noise that ends first": (whole("lr_noise = normal(0.9, 0.4)"), "E436", "normal(0.9, 0.4)"),
    "smoothing under a threshold of 0": (
        whole("loss = bce(threshold = 0), smoothing = 0.1"), "E436", "bce(threshold = 0)"
    ),
    "smoothing under a high threshold": (
        whole("loss = bce(threshold = 0.95), smoothing = 0.1"), "E436", "bce(threshold = 0.95)"
    ),
    "two sizes before the crop": (whole("test_resize = 40, test_crop = 0.9"), "E436", "0.9"),
    "a crop larger than its picture": (whole("test_resize = 20"), "E436", "20"),
    "more checkpoints than epochs": (whole("average = last(100)").replace("100,", "50,"), "E436", "last(100)"),
    "itself before": (whole('after = "r"'), "E436", '"r"'),
    # Without effect.
    "a switch without CutMix": (whole("mixup = 0.1, mix_switch = 0.5"), "E437", "mix_switch"),
    "a probability of no mix": (whole("mix_probability = 0.5"), "E437", "mix_probability"),
    "a fill of nothing": (whole('erasing_fill = "zeros"'), "E437", "erasing_fill"),
    "no decay of nothing": (whole('no_decay = ["norm"]'), "E437", "no_decay"),
    "a threshold that changes nothing": (whole("loss = bce(threshold = 0.2)"), "E437", "loss"),
    "a step after the end": (whole("", schedule="schedule = step(0.1, 100)"), "E437", "schedule"),
    "a milestone after the end": (whole("", schedule="schedule = milestones([30, 100])"), "E437", "schedule"),
    "where nothing is published": (whole('top1_from = "table 2"'), "E437", "top1_from"),
    "copies without a warmup": (whole('ema = decay(0.99, start = "copy")'), "E437", "ema"),
    # Progressive learning.
    "an unknown column": (whole("progressive(sice) in 4 {\n16\n32\n}"), "E433", "sice"),
    "a column that cannot change": (whole("progressive(flip) in 4 {\n0\n1\n}"), "E438", "flip"),
    "a column twice": (whole("progressive(size, size) in 4 {\n1, 1\n2, 2\n}", size=""), "E106", "size"),
    "one row": (whole("progressive(size) { 32 }", size=""), "E438", "progressive(size) { 32 }"),
    "three ends": (whole(f"{THREE}", size=""), "E438", THREE),
    "a row too short": (whole("progressive(size, mixup) {\n16\n32, 1\n}", size=""), "E318", "16"),
    "half a pixel": (whole("progressive(size) {\n16.5\n32\n}", size=""), "E301", "16.5"),
    "one stage": (whole("progressive(size) in 1 {\n16\n32\n}", size=""), "E302", "1"),
    "lengths of ends": (whole("progressive(epochs, size) in 2 {\n16, 1\n32, 2\n}", size=""), "E438", "epochs"),
    "lengths that leave epochs out": (
        whole(SHORT, size=""), "E439", SHORT
    ),
    "more stages than epochs": (
        whole("progressive(size) in 101 {\n16\n32\n}", size=""), "E436", "progressive(size) in 101 {\n16\n32\n}"
    ),
    "a size twice": (whole("progressive(size) in 4 {\n16\n32\n}"), "E436", "32"),
    "a magnitude without RandAugment": (whole(STAGES, size=""), "E436", STAGES),
    "a magnitude twice": (whole(f"augment = randaugment(5)\n{STAGES}", size=""), "E436", "randaugment(5)"),
    "a value that the setting does not take": (whole("progressive(smoothing) {\n0.1\n1.5\n}"), "E436", "1.5"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_once_at_its_place(case: str) -> None:
    text, code, place = WRONG[case]
    assert findings(text) == [(code, place)]


def test_what_other_trainers_say_is_understood() -> None:
    for theirs, ours in {"label_smoothing": "smoothing", "reprob": "erasing", "batch_size": "batch"}.items():
        (found,) = ArchFile(Source("x.arch", MODEL + whole(f"{theirs} = 1"))).check()
        assert found.help == f"did you mean `{ours}`?"


def test_a_wrong_recipe_is_an_error_from_python() -> None:
    with pytest.raises(ArchError, match="E433"):
        open_source(Source("x.arch", MODEL + whole("foo = 1"))).recipes  # noqa: B018


def test_errors_in_a_shared_recipe_are_said_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "shared.arch").write_text(whole("repeats = 0", "recipe a"))
    (tmp_path / "net.arch").write_text(MODEL + 'use "shared.arch" (a)\nrecipe b for net = a with { epochs = 50 }\n')
    import archdsl

    with pytest.raises(ArchError) as caught:
        archdsl.open(tmp_path / "net.arch")
    assert {(d.code, d.span.source.name.endswith("shared.arch")) for d in caught.value.diagnostics if d.span} == {
        ("E302", True)
    }


def test_a_recipe_changes_nothing_of_the_network() -> None:
    with_recipe = open_source(Source("x.arch", MODEL + whole("drop_path_rate = 0.5", "recipe r for Net")))
    assert with_recipe["net"].source == open_source(Source("x.arch", MODEL))["net"].source
