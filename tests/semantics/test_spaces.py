"""`space` items: what varies, what conditions refuse, and the shipped spaces against papers and libraries."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from archdsl.api import ArchFile, Variant, open_source
from archdsl.diagnostics.core import ArchError
from archdsl.graph.space import COSTS, Steps
from archdsl.library import locate
from archdsl.search.candidates import Candidates
from archdsl.search.plain import networks
from archdsl.search.results import as_variants, result_of
from archdsl.semantics.points import Point, Space
from archdsl.source import Source
from tests.libraries import declare_operators

MODEL = """
model Net(unit: layer = relu, widths: list(int), depth: int in 1..4 = 1) {
  require depth < 3, "not so deep"
  x = image(3, 8, 8)
  for i, w in widths { x = x -> conv{i}: conv(w, 3) -> unit }
  for i in 0..depth { x = x -> more{i}: conv(x.channels, 1) }
  x -> gap -> flatten -> fc: linear(10)
}
variant net = Net(widths = [8], depth = 2)
"""


def of(text: str, target: str = "Net") -> Space:
    (space,) = open_source(Source("x.arch", f"{MODEL}\nspace s for {target} {{\n{text}\n}}\n")).spaces.values()
    return space


def points(space: Space, count: int, seed: int = 0) -> list[Point]:
    rng, found = random.Random(seed), list[Point]()
    while len(found) < count:
        point = space.point([axis.domain.draw(rng) for axis in space.axes])
        if isinstance(point, Point):
            found.append(point)
    return found


def findings(text: str) -> list[tuple[str, str]]:
    file = ArchFile(Source("x.arch", f"{MODEL}\nspace s for Net {{\n{text}\n}}\n"))
    return [(d.code, d.span.text if d.span else "") for d in file.check()]


def costs(variant: Variant) -> dict[str, int]:
    return {name: getattr(variant.table, name) for name in COSTS}


def test_a_point_is_what_the_spec_would_say() -> None:
    space = of("unit in [relu, prelu(1)]\nn in 1..3\nw in uniform(4, 12, step = 4)\nwidths = [w * n, w]\ndepth = n")
    assert [(axis.name, axis.domain.size) for axis in space.axes] == [("unit", 2), ("n", 2), ("w", 3)]
    assert space.size == 12
    point = space.point([1, 1, 2])
    assert isinstance(point, Point)
    assert point.texts == {"unit": "prelu(1)", "n": "2", "w": "12"}
    assert point.arguments == {"unit": "prelu(1)", "widths": "[24, 12]", "depth": "2"}


def test_lists_have_an_axis_for_each_member() -> None:
    space = of("widths in each(3, [8, 16])")
    assert [axis.name for axis in space.axes] == ["widths[0]", "widths[1]", "widths[2]"]
    point = space.point([0, 1, 0])
    assert isinstance(point, Point)
    assert point.arguments == {"widths": "[8, 16, 8]"}


def test_what_is_not_said_is_the_variants() -> None:
    text = (
        MODEL
        + "space of_model for Net { widths in each(1, [4, 6]) }\nspace of_variant for net { widths in each(1, [4, 6]) }"
    )
    file = open_source(Source("x.arch", text))
    layers = []
    for space in file.spaces.values():
        point = space.point([0])
        assert isinstance(point, Point)
        layers.append(file.candidate(space, point).table.layers)
    assert layers == [3, 4]


def test_conditions_refuse_in_their_words() -> None:
    space = of('w in 4..9\nrequire w != 5, "no five"\nrequire w < 8\nwidths = [w]\nrequire macs > 10_000, "too cheap"')
    assert [space.point([i]) for i in (1, 4)] == ["no five", "w < 8"]
    point = space.point([0])
    assert isinstance(point, Point)
    assert space.refused(point, {"macs": 9_999}) == "too cheap"
    assert space.refused(point, {"macs": 10_001}) is None
    assert space.cost_conditions == ("macs > 10_000",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("widths in 8", ("E451", "8")),
        ('widths in each(2, [8])\ndepth in 1..3\nrequire macs > 9, "only {macs}"', ("E124", '"only {macs}"')),
        ("widths in each(2, 8)", ("E451", "8")),
        ("widths in each(0, [8])", ("E454", "0")),
        ("widths in each(2, 9..9)", ("E454", "9..9")),
        ("widths in each(2, [8, 8])", ("E454", "[8, 8]")),
        ("widths in each(2, log_uniform(0, 8, step = 8))", ("E454", "0")),
        ("widths in each(2, uniform(8, 4, step = 4))", ("E454", "uniform(8, 4, step = 4)")),
        ("widths in each(2, uniform(1e-99, 1.0, step = 1e-99))", ("E454", "uniform(1e-99, 1.0, step = 1e-99)")),
        ("widths in each(2, uniform(4, 8))", ("E103", "uniform(4, 8)")),
        ("widths in each(2, [8, 16])\ndepth in 1..9", ("E302", "1..9")),
        ("widths in each(2, [1.5])", ("E301", "each(2, [1.5])")),
        ("widths in each(2, [8, 16])\nwidth = 8", ("E452", "width")),
        ("depth in 1..3", ("E453", "s")),
        ("widths = [8]", ("E455", "s")),
        ("macs in 1..3\nwidths = [macs]", ("E456", "macs")),
        ("w in 1..3\nwidths = [v]", ("E101", "v")),
        ("widths in each(1, 1..3)\nwidths in each(1, 1..3)", ("E106", "widths")),
        ("w in 1..3\nwidths = [macs * w]", ("E101", "macs")),
        ("w in 1..3\nwidths = [w + [1]]", ("E304", "+")),
    ],
)
def test_what_is_wrong_has_its_place(text: str, found: tuple[str, str]) -> None:
    assert findings(text)[0] == found


def test_one_error_is_said_once() -> None:
    assert len(findings("widths in each(1, [8, 16])\ndepht in 1..3")) == 1


def test_a_point_that_the_model_refuses_is_no_error_of_the_space() -> None:
    assert findings("widths in each(1, [8, 16])\ndepth in [3]") == []


def test_choices_that_take_too_long_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are evaluated twice, and the limit may be reached the second time, when the model is asked."""
    monkeypatch.setattr("archdsl.semantics.context.MAX_STEPS", 8_000)
    text = f"""
fn slow(n) {{
  x = 0
  for _ in 0..600 {{ x = x + n }}
  x // 600
}}
{MODEL}
space s for net {{ depth in [slow(1), slow(2)] }}
"""
    assert [d.code for d in open_source(Source("x.arch", text)).check()] == ["E315"]


def test_log_uniform_draws_as_pycls() -> None:
    """pycls/sweep/random.py: uniform in the logarithm over (low - min(step, low / 2), high], rounded up to steps."""
    domain = Steps(Decimal(8), Decimal(64), Decimal(8), True, logarithmic=True)
    rng, many = random.Random(1), 40_000
    drawn = Counter(domain.text(domain.draw(rng)) for _ in range(many))
    least = 8 - min(8, 8 / 2)
    for place, value in enumerate(range(8, 65, 8)):
        below = least if place == 0 else value - 8
        share = math.log(value / below) / math.log(64 / least)
        assert abs(drawn[str(value)] / many - share) < 4 * math.sqrt(share / many)


# --- amendments ------------------------------------------------------------------------------

BASE = """
space small for Net {
  "as it was"
  w in [8, 16]
  widths = [w, 2 * w]
  depth in 1..3
  require w > 0
}
"""


def amended(text: str, files: dict[str, str] | None = None) -> ArchFile:
    def load(_: Source, path: str) -> Source | None:
        return Source(path, files[path]) if files and path in files else None

    return ArchFile(Source("x.arch", text), load)


def texts(space: Space) -> list[dict[str, str]]:
    places = itertools.product(*(range(axis.domain.size) for axis in space.axes))
    return [dict(p.arguments) for p in map(space.point, places) if isinstance(p, Point)]


def test_an_amendment_takes_the_lines_over() -> None:
    file = amended(
        f"{MODEL}{BASE}"
        'space wide = small with {\n  "wider"\n  w in [32]\n  depth = none\n  n in 2..4\n  widths = [w, n * w]\n}\n'
        "space more = wide with { require n < 3 }\nspace same for net = small\n"
    )
    assert file.check() == ()
    assert list(file.spaces) == ["small", "wide", "more", "same"]
    assert [space.source for space in file.spaces.values()] == ["as it was", "wider", "wider", "as it was"]
    assert texts(file.spaces["wide"]) == [{"widths": "[32, 64]"}, {"widths": "[32, 96]"}]
    assert texts(file.spaces["more"]) == [{"widths": "[32, 64]"}]
    assert texts(file.spaces["same"]) == texts(file.spaces["small"])
    assert file.spaces["same"].base.name == "net"


def test_lines_of_an_amendment_may_each_read_the_next() -> None:
    lines = [f"  v{i} = v{i + 1}" for i in range(1_200)]
    text = "\n".join([MODEL, BASE, "space long = small with {", *lines, "  v1200 = 2", "  widths = [v0]", "}"])
    space = open_source(Source("x.arch", text)).spaces["long"]
    assert {arguments["widths"] for arguments in texts(space)} == {"[2]"}


def test_a_space_of_another_file_is_read_in_its_names() -> None:
    there = f"{MODEL}fn half(n) = n // 2\nspace few for Net {{\n  w in [8, 16]\n  widths = [half(w)]\n}}\n"
    here = f'use "there.arch" (few)\n{MODEL}fn half(n) = n\nspace mine for Net = few with {{ depth in 1..3 }}\n'
    file = amended(here, {"there.arch": there})
    assert file.check() == ()
    assert list(file.spaces) == ["mine"]
    assert [point["widths"] for point in texts(file.spaces["mine"])] == ["[4]", "[4]", "[8]", "[8]"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{BASE}space b = smal with {{ depth = 1 }}", ("E450", "smal")),
        (f"{BASE}space b = small with {{ unit = none }}", ("E441", "none")),
        ("space a = b with { depth = 1 }\nspace b = a with { depth = 2 }", ("E113", "a")),
        (f"{BASE}space b = small with {{\n  w = depth\n  depth = w\n}}", ("E113", "w")),
        (f"{BASE}space b = small with {{ w in 8 }}", ("E451", "8")),
        (f"{BASE}space small for Net {{ widths in each(1, [2, 4]) }}", ("E106", "small")),
        (f"{BASE}space b for Nett = small with {{ depth = 1 }}", ("E108", "Nett")),
        (f"{BASE}space b = small with {{ widths = [v] }}", ("E101", "v")),
        (f"{BASE}space b = small with {{ require seconds < 1 }}", ("E101", "seconds")),
    ],
)
def test_what_is_wrong_with_an_amendment(text: str, found: tuple[str, str]) -> None:
    errors = amended(f"{MODEL}{text}\n").check()
    assert [(d.code, d.span.text if d.span else "") for d in errors] == [found]


def test_a_choice_of_another_file_means_here_what_it_means_there() -> None:
    there = f"block Unit = relu -> relu\n{MODEL}space few for Net {{\n  unit in [relu, Unit]\n  widths = [8]\n}}\n"
    wrong = amended(f'use "t.arch" (few)\nblock Unit = relu\n{MODEL}space b for Net = few\n', {"t.arch": there})
    assert "E454" in {d.code for d in wrong.check()}
    right = amended(f'use "t.arch" (few, Unit)\n{MODEL}space b for Net = few\n', {"t.arch": there})
    assert {d.code for d in right.check()} <= {"E121"}
    assert [point["unit"] for point in texts(right.spaces["b"])] == ["relu", "Unit"]
    alone = amended(f'use "t.arch" (few)\n{MODEL}space b = few\n', {"t.arch": there})
    assert "E457" in {d.code for d in alone.check()}


def test_a_layer_of_another_file_means_here_what_it_means_there() -> None:
    there = f"block Unit = relu -> relu\n{MODEL}space few for Net {{\n  unit = Unit\n  widths in each(1, [8, 16])\n}}\n"
    for own in ("block Unit = relu\n", ""):
        wrong = amended(f'use "t.arch" (few)\n{own}{MODEL}space b for Net = few\n', {"t.arch": there})
        assert ("E454", "Unit") in {(d.code, d.span.text if d.span else "") for d in wrong.check()}
        with pytest.raises(ArchError) as raised:
            texts(wrong.spaces["b"])
        assert {d.code for d in raised.value.diagnostics} == {"E454"}
    right = amended(f'use "t.arch" (few, Unit)\n{MODEL}space b for Net = few\n', {"t.arch": there})
    assert [point["unit"] for point in texts(right.spaces["b"])] == ["Unit", "Unit"]


def test_a_layer_does_not_follow_from_what_varies() -> None:
    text = "  first in 1..5\n  widths = [8 * first]\n  unit = if first > 3 then relu else silu"
    assert findings(text) == [("E454", "if first > 3 then relu else silu")]


# --- shipped ---------------------------------------------------------------------------------


def shipped(spec: str) -> ArchFile:
    return open_source(locate(spec)[0])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "se"), [("regnet_x", 0.0), ("regnet_y", 0.25)])
def test_regnet_samples_are_what_timm_builds(name: str, se: float) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    declare_operators()
    from timm.models.regnet import RegNet, RegNetCfg

    file = shipped("regnet")
    space = file.spaces[name]
    for number, point in enumerate(points(space, 25, seed=3)):
        ours, given = file.candidate(space, point).graph, point.arguments
        config = RegNetCfg(
            depth=int(given["depth"]), w0=int(given["w_0"]), wa=float(given["w_a"]), wm=float(given["w_m"]),
            group_size=int(given["group_width"]), se_ratio=se,
        )  # fmt: skip
        with torch.device("meta"):
            theirs = RegNet(config).eval()
        shapes = Counter(tuple(weight.shape) for weight in theirs.parameters())
        assert Counter(w.shape for node in ours.nodes for w in node.weights if w.trainable) == shapes
        if number < 5:  # a forward pass is what takes long here
            with FlopCounterMode(display=False) as counter, torch.device("meta"):
                theirs(torch.empty(1, 3, 224, 224))
            assert ours.macs == counter.get_total_flops() // 2, given


def test_the_grid_of_efficientnet_holds_what_the_paper_chose() -> None:
    file = shipped("efficientnet")
    space = file.spaces["compound_grid"]
    places = [
        next(i for i in range(axis.domain.size) if axis.domain.text(i) == value)
        for axis, value in zip(space.axes, ("1.2", "1.1", "1.15"), strict=True)
    ]
    point = space.point(places)
    assert isinstance(point, Point)
    assert file.candidate(space, point).table.macs == file["efficientnet_phi1"].table.macs
    assert isinstance(space.point([0, 0, 0]), str)


def test_the_space_of_efficientnet_v2_holds_b0() -> None:
    """Its backbone without a fused block; params and MACs are those torchvision publishes of B0."""
    file = shipped("efficientnet_v2_search")
    space = file.spaces["training_aware"]
    values = [["false"] * 7, [3, 3, 5, 3, 5, 5, 3], [1, 6, 6, 6, 6, 6, 6], [1, 2, 2, 3, 3, 4, 1]]
    wanted = [str(value) for row in values for value in row]
    places = [
        [axis.domain.text(i) for i in range(axis.domain.size)].index(w)
        for axis, w in zip(space.axes, wanted, strict=True)
    ]
    point = space.point(places)
    assert isinstance(point, Point)
    table = file.candidate(space, point).table
    assert table.params == 5_288_548
    assert abs(table.macs - 0.386e9) < 0.5e6 * 2


@pytest.mark.parametrize(
    ("spec", "name", "variant", "given"),
    [
        ("resnet", "stage_ratios", "resnet50", {"depths": "[3, 4, 6, 3]"}),
        ("nasnet", "cells_and_width", "nasnet_mobile", {"repeats": "4", "width": "44"}),
    ],
)
def test_the_published_network_is_in_its_space(spec: str, name: str, variant: str, given: dict[str, str]) -> None:
    file = shipped(spec)
    space = file.spaces[name]
    texts = {axis.name: [axis.domain.text(i) for i in range(axis.domain.size)] for axis in space.axes}
    wanted = {
        key: value
        for dimension, text in given.items()
        for key, value in (
            zip((f"{dimension}[{i}]" for i in range(4)), text.strip("[]").split(", "), strict=True)
            if text.startswith("[")
            else [(dimension, text)]
        )
    }
    point = space.point([texts[axis.name].index(wanted[axis.name]) for axis in space.axes])
    assert isinstance(point, Point)
    found = file.candidate(space, point)
    assert costs(found) == costs(file[variant])
    assert space.refused(point, costs(found)) is None


def test_the_cells_of_nasnet_a_are_in_the_space_of_the_search() -> None:
    """Figure 4, with what the authors' code keeps though it is read; nasnet.arch is held against pytorchcv."""
    sep, avg, top = "sep {0}x{0}".format, "avg 3x3", "max 3x3"
    normal = [sep(5), sep(3), sep(5), sep(3), avg, "identity", avg, avg, sep(3), "identity"]
    reduction = [sep(5), sep(7), top, sep(7), avg, sep(5), avg, "identity", sep(3), top]
    states = {"n": [0, 1, 1, 1, 0, 1, 1, 1, 0, 0], "r": [0, 1, 0, 1, 0, 1, 2, 3, 2, 0]}
    file = shipped("nasnet_search")
    space = file.spaces["added"]
    wanted = {f"{kind}{i // 2}[{i % 2}]": str(n) for kind, found in states.items() for i, n in enumerate(found)}
    for kind, found in (("normal", normal), ("reduction", reduction)):
        wanted |= {f"{kind}_operations[{i}]": f'"{name}"' for i, name in enumerate(found)}
    places = [
        [axis.domain.text(i) for i in range(axis.domain.size)].index(wanted.pop(axis.name)) for axis in space.axes
    ]
    assert not wanted
    point = space.point(places)
    assert isinstance(point, Point)
    found = file.candidate(space, point).set({"normal_kept": "[1]", "reduction_kept": "[3]"})
    assert costs(found) == costs(shipped("nasnet")["nasnet_mobile"])


def test_a_cell_that_reads_one_state_alone_runs() -> None:
    """What no block reads is made as small as they are, and goes into the output."""
    import torch

    file = shipped("nasnet_search")
    space = file.spaces["cells"]
    point = space.point([0] * len(space.axes))
    assert isinstance(point, Point)
    network = file.candidate(space, point).set({"resolution": "64", "repeats": "1", "penultimate": "240"})
    assert any("reduce_1" in node.path for node in network.graph.nodes)
    assert network.model_class().eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)


SHIPPED = [
    (path.stem, name)
    for path in sorted((Path(__file__).parents[2] / "specs").glob("*.arch"))
    for name in re.findall(r"^space (\w+) (?:for|=) ", path.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize(("spec", "name"), SHIPPED)
def test_the_variants_that_are_found_fit_into_the_spec(spec: str, name: str) -> None:
    file = shipped(spec)
    space = file.spaces[name]
    wide = replace(space, lines=tuple(line for line in space.lines if not line.costs))  # a narrow window takes long
    some = itertools.islice(networks(Candidates(file, wide), "random", 0), 2)
    found = [result_of(number, network, {}) for number, network in enumerate(some)]
    text = file.program.root.source.text + "\n" + as_variants(found, space, "found")
    pasted = ArchFile(replace(file.program.root.source, text=text))
    assert [d.code for d in pasted.bag if d.severity == "error"] == []
    for result in found:
        assert costs(pasted[f"{name}_{result.number}"]) == dict(result.costs)


@pytest.mark.parametrize(("domain", "tried"), [("[8, 16]", "all 2 points"), ("1..3_000", "each of 1,000 points")])
def test_a_space_whose_conditions_refuse_everything_is_warned_of(domain: str, tried: str) -> None:
    text = f'{MODEL}\nspace none for Net {{\n  w in {domain}\n  widths = [w]\n  require w > 3000, "too thin"\n}}\n'
    (found,) = open_source(Source("net.arch", text)).check()
    assert (found.code, found.severity) == ("E458", "warning")
    assert found.message == f"the conditions of `none` refuse {tried}"
    assert found.span is not None
    assert found.span.text == "none"
    assert "too thin" in (found.help or "")


def test_a_time_in_a_condition_of_a_spec_is_said_to_be_a_devices() -> None:
    text = f"{MODEL}\nspace timed for Net {{\n  w in [8, 16]\n  widths = [w]\n  require seconds < 1\n}}\n"
    (found,) = ArchFile(Source("net.arch", text)).check()
    assert found.code == "E101"
    assert "--device a100 --require" in (found.help or "")


def test_a_space_says_what_it_is_in_a_line() -> None:
    text = f"{MODEL}\nspace small for Net {{\n  w in 1..2_001\n  widths = [w]\n}}\n"
    assert repr(open_source(Source("net.arch", text)).spaces["small"]) == "<archdsl space small for Net, 2,000 points>"
