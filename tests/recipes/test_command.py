"""`archdsl recipe`: what it prints, writes and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy
import pytest
import yaml
from click.testing import CliRunner, Result

import archdsl
from archdsl.api import open_source
from archdsl.backends.diagram.recipe import _rate, recipe_chart
from archdsl.cli.app import app
from archdsl.graph.recipe import SETTINGS
from archdsl.graph.recipe_parts import PARTS
from archdsl.graph.recipe_words import GROUPS
from archdsl.graph.schedule import by_epoch, by_step
from archdsl.source import Source
from archdsl.steps import amendments


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["recipe", *args], standalone_mode=False)


def code(*args: str) -> int:
    from archdsl.cli.app import run as run_command

    return run_command(["recipe", *args])


def rows(output: str) -> list[list[str]]:
    return [re.split(r"  +", line.strip()) for line in output.splitlines()]


def test_a_file_is_listed() -> None:
    found = {row[0]: row for row in rows(run("resnet").output)}
    assert found["a1"] == ["a1", "resnet50", "600", "2048", "lamb", "0.005", "224", "80.4 %"]
    assert found["original"][1] == "resnet18, resnet34 and 5 more"
    assert found["strikes_back_a3"][1] == "any"


def test_a_network_has_those_that_are_for_it_first() -> None:
    names = [row[0] for row in rows(run("resnet50").output)[2:]]
    assert names[:5] == ["original", "a1", "a2", "a3", "v2"]
    assert "a1" not in [row[0] for row in rows(run("resnet18").output)]
    sizes = {row[0]: row[6] for row in rows(run("efficientnet_v2:efficientnet_v2_s").output)[2:]}
    assert sizes["paper_s"] == "128–300"


def test_one_is_shown_with_its_source() -> None:
    output = run("resnet", "a1").output
    assert output.startswith("a1 for resnet50, from strikes_back_a1\n")
    assert "arXiv:2110.00476" in output
    assert ["loss", "loss", "bce(threshold = 0.2)"] in rows(output)
    assert ["schedule", "cosine(end = 1e-06)"] in rows(output)
    assert ["published", "top1", "80.4 %"] in rows(output)


def test_stages_are_a_table() -> None:
    found = rows(run("efficientnet_v2", "paper_l").output)
    assert ["stage", "epochs", "size", "magnitude", "mixup", "dropout_rate"] in found
    assert ["4", "263–350", "380", "25", "0.5", "0.5"] in found


def test_the_pages_table_is_what_is_printed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    table = page.split("```table\n")[1].split("```")[0]
    assert run("efficientnet_v2", "paper_m").stdout.endswith(table)


def test_every_setting_has_a_group_and_a_row_on_the_page_of_the_language() -> None:
    grouped = [name for names in GROUPS.values() for name in names if name != "parameters"]
    assert sorted(grouped) == sorted(SETTINGS)
    page = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
    section = page.split("### recipe\n")[1].split("\n## ")[0]
    assert [name for name in SETTINGS if f"`{name}`" not in section] == []
    for parts in PARTS.values():
        assert [word for word in parts if f"`{word}" not in section] == []


def test_two_are_compared() -> None:
    result = run("convnext_roadmap", "original", "--diff", "enhanced")
    found = rows(result.output)
    assert ["training", "epochs", "90", "300"] in found
    assert ["optimizer", "optimizer", "sgd(momentum = 0.9)", "adamw"] in found
    assert ["mixup", "–", "0.8"] in found
    assert ["test_resize", "256", "–"] in found
    assert result.return_value == 1
    assert not any("crop_scale" in row for row in found)


def test_exit_codes_of_a_comparison() -> None:
    assert code("resnet", "a1", "--diff", "a2") == 1
    assert code("resnet", "original", "--diff", "convnext_roadmap:original") == 0
    assert code("resnet", "original", "--diff", "none") == 2
    assert code("resnet", "b1") == 2


@pytest.mark.parametrize(
    "args",
    [
        ["resnet", "--plot"], ["resnet", "--as", "timm"], ["resnet", "a1", "--plot", "--as", "timm"],
        ["resnet", "a1", "--devices", "2"], ["resnet", "a1", "-o", "x"], ["resnet", "a1", "--plot", "-o", "x.png"],
        ["resnet", "a1", "--diff", "resnet:resnet50:a1:"],
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(args: list[str]) -> None:
    assert code(*args) == 2


def test_timms_file_is_written_once_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a1.yaml"
    assert code("efficientnet_v2", "paper_s", "--as", "timm", "-o", str(path)) == 0
    said = capsys.readouterr().err
    assert "timm cannot say: magnitude that grows from 5 to 15" in said
    text = path.read_text()
    assert "# - magnitude that grows from 5 to 15: 15 throughout" in text
    assert yaml.safe_load(text)["train_img_sizes"] == [128, 185, 242, 300]
    assert code("efficientnet_v2", "paper_m", "--as", "timm", "-o", str(path)) == 0
    path.write_text("mine: true\n")
    assert code("efficientnet_v2", "paper_m", "--as", "timm", "-o", str(path)) == 2
    assert path.read_text() == "mine: true\n"
    assert code("efficientnet_v2", "paper_m", "--as", "timm", "-o", str(path), "--force") == 0


def test_the_network_is_what_the_library_calls_it() -> None:
    assert yaml.safe_load(run("resnet", "a1", "--as", "timm").stdout)["model"] == "resnet50"
    assert yaml.safe_load(run("resnet:resnet50", "strikes_back_a1", "--as", "timm").stdout)["model"] == "resnet50"
    assert "--model convnext_small" in run("convnext:convnext_small", "torchvision", "--as", "torchvision").output
    assert "model" not in yaml.safe_load(run("resnet", "strikes_back_a1", "--as", "timm").stdout)


@pytest.mark.parametrize("name", ["resnet50; touch pwned #", r"resnet50\"\nopt: evil #"])
@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_name_that_is_none_is_not_written_for_a_trainer(
    tmp_path: Path, library: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.arch"
    path.write_text(f"""
        model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
        variant net = Net()
        reference {library} for net = "{name}"
        recipe plain for net {{
          epochs = 9, batch = 32, optimizer = adamw, lr = 0.1, lr_scaling = "none", schedule = constant, size = 32
        }}
        """)
    for spec in (str(path), f"{path}:net"):
        assert code(spec, "plain", "--as", library) == 1
        captured = capsys.readouterr()
        assert "E412" in captured.err
        assert captured.out == ""


def test_json_has_everything() -> None:
    document = json.loads(run("efficientnet_v2", "paper_s", "--json").stdout)
    (recipe,) = document["recipes"]
    assert recipe["settings"]["optimizer"] == {
        "name": "rmsprop_tf", "arguments": {"alpha": 0.9, "momentum": 0.9, "eps": 0.001}
    }  # fmt: skip
    assert recipe["stages"][3]["values"] == {"size": 300, "magnitude": 15, "mixup": 0, "dropout_rate": 0.3}
    assert recipe["for"] == ["efficientnet_v2_s", "tf_efficientnetv2_s"]
    document = json.loads(run("resnet", "a1", "--diff", "a2", "--json").stdout)
    assert {"setting": "epochs", "before": "600", "after": "300"} in document["differences"]


def test_the_picture_has_a_panel_for_what_changes(tmp_path: Path) -> None:
    recipe = archdsl.open("efficientnet_v2").recipes["paper_m"]
    svg = recipe_chart(recipe, "a title")
    for title in ("learning rate", "side of the images, pixels", "magnitude of RandAugment", "mixup", "dropout_rate"):
        assert f">{title}<" in svg
    path = tmp_path / "p.svg"
    assert code("efficientnet_v2", "paper_m", "--plot", "-o", str(path)) == 0
    assert code("efficientnet_v2", "paper_m", "--plot", "-o", str(path)) == 0  # it is ours, and replaced
    assert path.read_text().count("<path") == 5
    path.write_text("<svg/>")
    assert code("efficientnet_v2", "paper_m", "--plot", "-o", str(path)) == 2


def test_the_picture_is_the_schedule() -> None:
    """The heights of the curve are the learning rates: read back from its path, to a pixel."""
    recipe = archdsl.open("resnet").recipes["original"]
    path = re.search(r'<path d="M([^"]+)"', recipe_chart(recipe, "t"))
    assert path is not None
    heights = [float(part.split("V")[1]) for part in path[1].split("H")[1:]]
    rates = by_epoch(recipe)
    scale = (heights[-1] - heights[0]) / (rates[-1] - rates[1])
    for height, rate in zip(heights, [*rates[1:], rates[-1]], strict=True):
        assert height == pytest.approx(heights[0] + (rate - rates[1]) * scale, abs=0.02)


def test_the_picture_of_steps_reaches_the_peak_and_the_end() -> None:
    """Each step has a rate of its own: the last of a warmup, where the schedule goes on lower, and of the training."""
    text = """
        recipe short { epochs = 4, batch = 8, optimizer = sgd, lr = 0.1, lr_scaling = "none", size = 32
          updates = "step", schedule = cosine, warmup = linear(0.5, start = 0) }
        recipe falling = short with { epochs = 10, schedule = step(0.5, 2.4), warmup = none }
        recipe miles = short with { epochs = 10, schedule = milestones([3, 5]), warmup = linear(1.3, mode = "prefix") }
        """
    for name, recipe in open_source(Source("s.arch", text)).recipes.items():
        line = _rate(recipe)
        assert [x for x, _ in line.points] == sorted(x for x, _ in line.points)
        assert line.points[-1][0] == recipe.epochs
        steps = 97
        rates = list(by_step(recipe, steps))
        places, heights = zip(*line.points, strict=True)
        drawn = numpy.interp([step / steps for step in range(len(rates))], places, heights)
        # A step that lies at a corner is on either side of it.
        at_corners = {round(x * steps) for x in places if places.count(x) > 1}
        left = [n for n in range(len(rates)) if abs(drawn[n] - rates[n]) > 0.0005 and n not in at_corners]
        assert left == [], name
        assert max(heights) == pytest.approx(0.1, rel=1e-5)


def test_the_first_step_of_the_roadmap_is_a_change_of_recipe() -> None:
    steps = {step.variant.name: step.training for step in amendments(archdsl.open("convnext_roadmap"))}
    assert steps.pop("roadmap_recipe").startswith("recipe original → enhanced: epochs 90 → 300, batch 256 → 4096")
    assert set(steps.values()) == {""}
    output = CliRunner().invoke(app, ["diff", "convnext_roadmap"], standalone_mode=False).output
    assert "~ recipe original → enhanced: epochs 90 → 300" in output
