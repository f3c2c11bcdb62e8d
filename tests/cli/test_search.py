"""`archdsl search`: networks of a space, their exact costs, the best of them, in each form."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from archdsl.api import open_source
from archdsl.cli.documents.exploring import SearchDocument
from archdsl.graph.devices import device_of
from archdsl.search.results import ScoredNetwork, best
from archdsl.source import Source
from tests.cli.conftest import Run
from tests.cli.test_json import problems

SPEC = """
model Net(width: int, depth: int, kernel: int = 3) {
  x = image(3, 16, 16)
  for i in 0..depth { x = x -> conv{i}: conv(width, kernel) -> relu }
  x -> gap -> flatten -> fc: linear(10)
}
variant net = Net(8, 1)

space small for Net {
  width in [8, 16, 24]
  depth in 1..5
  require width * depth <= 48, "not so large"
  require macs < 1.4M
}
space of_net for net { kernel in [1, 3, 5] }
space broken for Net {
  width in uniform(-2, 4, step = 2)
  depth = 1
}
space wide for Net {
  width in 1..31
  depth = 1
}
space empty for Net {
  width in [8, 16]
  depth = 1
  require macs < 10
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    (tmp_path / "net.arch").write_text(SPEC)
    return "net.arch"


def test_all_are_those_that_the_conditions_leave(arch: Run, spec: str) -> None:
    result = arch("search", spec, "small", "--sampler", "all", "--json")
    assert problems(result.json, SearchDocument) == []
    file = open_source(Source("net.arch", SPEC))
    wanted = []
    for width in (8, 16, 24):
        for depth in range(1, 5):
            macs = file["net"].set({"width": str(width), "depth": str(depth)}).graph.macs
            if width * depth <= 48 and macs < 1.4e6:
                wanted.append((str(width), str(depth), macs))
    found = [(r["arguments"]["width"], r["arguments"]["depth"], r["costs"]["macs"]) for r in result.json["results"]]
    assert found == wanted
    refused = {r["condition"]: r["count"] for r in result.json["refused"]}
    assert refused == {
        "not so large": 3,
        "macs < 1.4M": 12 - 3 - len(wanted),
    }


def test_random_ones_are_distinct_and_follow_from_the_seed(arch: Run, spec: str) -> None:
    one, two = (arch("search", spec, "small", "--samples", "4", "--csv", "--seed", "1").out for _ in range(2))
    other = arch("search", spec, "small", "--samples", "4", "--csv", "--seed", "2").out
    assert one == two != other
    rows = list(csv.DictReader(io.StringIO(one)))
    assert list(rows[0]) == ["number", "width", "depth", "macs", "params", "activations", "layers"]
    assert len({(row["width"], row["depth"]) for row in rows}) == 4


def test_a_small_space_ends(arch: Run, spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.search.plain.MOST_REFUSED", 200)
    assert len(arch("search", spec, "of_net", "--samples", "50", "--json").json["results"]) == 3
    assert arch("search", spec, "empty", "--samples", "5", "--json").json["results"] == []


def test_variants_are_pasted_into_the_spec(arch: Run, spec: str) -> None:
    for name in ("small", "of_net"):
        found = arch("search", spec, name, "--sampler", "all", "--variants", "--minimize", "macs", "--best", "3")
        file = open_source(Source("net.arch", SPEC.replace("require macs < 1.4M", "") + found.out))
        assert file.check() == ()
        assert len(file) == 4


def test_variants_of_a_model_that_has_none_are_pasted_too(arch: Run) -> None:
    """A model whose parameters have defaults is a variant of its own, until there are others."""
    spec = "model Net(width: int = 4) = image(3, 8, 8) -> c: conv(width, 3) -> gap -> flatten -> fc: linear(9)\n"
    for base, count in (("", 2), ("variant Net = Net()\n", 3), ("variant Net = Net(width = 5)\n", 3)):
        text = f"{spec}{base}space few for Net {{ width in 8..10 }}\n"
        Path("alone.arch").write_text(text)
        pasted = arch("search", "alone.arch", "few", "--sampler", "all", "--variants").out
        file = open_source(Source("alone.arch", f"{text}\n{pasted}"))
        assert file.check() == ()
        assert len(file) == count


def test_further_conditions(arch: Run, spec: str) -> None:
    result = arch("search", spec, "small", "--sampler", "all", "--require", "width == 8 and macs > 300_000", "--json")
    assert {r["arguments"]["width"] for r in result.json["results"]} == {"8"}
    wrong = arch("search", spec, "small", "--require", "witdh == 8")
    assert wrong.code == 2
    assert "E101" in wrong.err
    assert arch("search", spec, "small", "--require", "width ==").code == 2
    wrong = arch("search", spec, "small", "--require", "macs > 1 and witdh == 8")
    assert wrong.code == 2
    assert "0 networks" not in wrong.err  # it is said before any is counted


def test_figures_are_columns_objectives_and_conditions(arch: Run, spec: str) -> None:
    """Of the images and numbers that are asked for; the conditions of a spec are of one image in float32."""
    asked = ("--batch", "4", "--dtype", "float16", "--device", "a100")
    result = arch("search", spec, "small", "--sampler", "all", "--minimize", "memory", "--json", *asked)
    assert problems(result.json, SearchDocument) == []
    file = open_source(Source("net.arch", SPEC))
    memory = []
    for found in result.json["results"]:
        costs = file["net"].set(found["arguments"]).costs(4, "float16")
        figures = [found["costs"][name] for name in ("weights", "memory", "training", "intensity", "seconds")]
        assert figures[:4] == [costs.weights, costs.memory, costs.training, costs.intensity]
        assert figures[4] == costs.seconds(device_of("a100"))
        memory.append((costs.memory, found["number"]))
    assert result.json["best"] == [number for _, number in sorted(memory)]
    half = sorted(memory)[len(memory) // 2][0]
    some = arch("search", spec, "small", "--sampler", "all", "--require", f"memory <= {half}", "--json", *asked)
    assert len(some.json["results"]) == sum(value <= half for value, _ in memory)
    assert "memory" in arch("search", spec, "small", "--sampler", "all", "--minimize", "memory").out.splitlines()[0]
    one = max(file["net"].set(r["arguments"]).costs().memory for r in result.json["results"])
    Path("own.arch").write_text(SPEC.replace("require macs < 1.4M", f"require macs < 1.4M and memory < {one}"))
    own = arch("search", "own.arch", "small", "--sampler", "all", "--json", *asked)
    assert len(own.json["results"]) == len(memory) - sum(
        file["net"].set(r["arguments"]).costs().memory == one for r in result.json["results"]
    )
    for wrong in (("--minimize", "seconds"), ("--require", "seconds < 1"), ("--device", "none")):
        assert arch("search", spec, "small", *wrong).code == 2


def test_what_cannot_be_built_is_reported_and_left_out(arch: Run, spec: str) -> None:
    result = arch("search", spec, "broken", "--sampler", "all", "--json")
    assert result.code == 1
    assert [r["arguments"]["width"] for r in result.json["results"]] == ["2", "4"]
    assert {d["code"] for d in result.json["diagnostics"]} == {"E302"}


def test_what_is_asked_wrongly(arch: Run, spec: str) -> None:
    assert "E450" in arch("search", spec, "smal").err
    for args in (
        ["small", "--minimize", "macs", "--maximize", "macs"], ["small", "--csv", "--json"],
        ["--csv"], ["--minimize", "macs"], ["--require", "macs > 1"], ["small", "--sampler", "all", "--seed", "1"],
        ["small", "--minimize", "macs", "--maximize", "params", "--best", "2"],
    ):  # fmt: skip
        assert arch("search", spec, *args).code == 2
    assert arch("search", f"{spec}:net", "small").code == 2


def test_files_of_others_in_its_folder_are_left_alone(arch: Run, spec: str, tmp_path: Path) -> None:
    folder = tmp_path / "found"
    folder.mkdir()
    for name in ("variants.arch", "results.csv", "distribution.svg", "by_width.svg"):
        (folder / name).write_text("mine\n")
        run = arch("search", spec, "small", "--samples", "2", "--minimize", "macs", "-o", str(folder))
        assert (run.code, "E607" in run.err) == (2, True)
        assert [path.name for path in folder.iterdir()] == [name]
        (folder / name).unlink()
    for _ in range(2):
        assert arch("search", spec, "small", "--samples", "2", "--minimize", "macs", "-o", str(folder)).code == 0
    assert (folder / "variants.arch").read_text().startswith("# Found by archdsl search")


def test_the_current_folder_wants_an_objective_too(arch: Run, spec: str) -> None:
    run = arch("search", spec, "small", "-o", "")
    assert (run.code, "name an objective" in run.err) == (2, True)


def test_spaces_are_listed(arch: Run, spec: str) -> None:
    result = arch("search", spec, "--json")
    assert problems(result.json, SearchDocument) == []
    assert [(s["name"], s["target"], s["networks"]) for s in result.json["spaces"]][:2] == [
        ("small", "Net", "12"), ("of_net", "net", "3"),
    ]  # fmt: skip


def test_the_table_of_spaces_is_no_wider_than_prose(arch: Run) -> None:
    """Their sources are paragraphs, filled beside the other columns."""
    out = arch("search", "regnet").out
    assert max(map(len, out.splitlines())) <= 100
    assert "sweep/config.py" in out
    assert arch("search", "regnet_x_400mf", "regnet_x").err.endswith("archdsl search regnet SPACE\n")


def test_the_front_is_what_nothing_dominates() -> None:
    values = [(1, 5), (2, 3), (2, 4), (3, 3), (4, 1), (1, 5)]
    results = [ScoredNetwork(i, {}, {}, {}, {"a": a, "b": b}) for i, (a, b) in enumerate(values)]
    assert [r.number for r in best(results, {"a": "least", "b": "least"}, 9)] == [0, 1, 4]
    assert [r.number for r in best(results, {"a": "least", "b": "most"}, 9)] == [0]
    assert [r.number for r in best(results, {"b": "most"}, 2)] == [0, 5]


def test_no_network_is_a_finding(arch: Run, spec: str) -> None:
    found = arch("search", spec, "empty", "--sampler", "all")
    assert found.code == 1
    assert "0 networks of empty" in found.err
    assert "of 2 points that were tried none is in the space" in found.err
    assert "refused 2: macs < 10" in found.err
    found = arch("search", spec, "empty", "--sampler", "all", "--json")
    assert (found.code, found.json["ok"]) == (1, False)


def test_a_front_is_shown_whole(arch: Run, spec: str) -> None:
    found = arch("search", spec, "wide", "--sampler", "all", "--minimize", "macs", "--maximize", "params")
    assert len([line for line in found.out.splitlines() if line.strip()[:1].isdigit()]) == 30
