"""Random recipes: `check` says what is wrong with them, or what it accepts can be shown, drawn and written."""

from __future__ import annotations

import functools
import json
from random import Random

import pytest
import yaml

from archdsl.api import ArchFile
from archdsl.backends.diagram.recipe import recipe_chart
from archdsl.backends.trainers import for_timm, for_torchvision
from archdsl.cli.documents.training import RecipeJson
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.graph.recipe import SETTINGS, Recipe
from archdsl.graph.recipe_words import differences, settings
from archdsl.library import locate
from archdsl.source import Source
from archdsl.syntax import ast, parse

MODEL = """
model Net(drop_path_rate: float = 0.0, kind = 3) =
  image(3, 8, 8) -> conv(kind, 3) -> drop_path(drop_path_rate) -> gap -> flatten -> fc: linear(10)
variant net = Net
table t(a, b) {
  1, 2
}
"""
BASE = {
    "epochs": "10", "batch": "4", "optimizer": "sgd(0.9)", "lr": "0.1", "lr_scaling": '"linear"', "schedule": "cosine",
    "size": "32",
}  # fmt: skip
NUMBERS = ["0", "1", "-1", "0.5", "1e-6", "10^18", "1_000_000", "16", "32", "5", "t[0].a", "2.5G", "1/0", "7 / 3"]
VALUES = [
    *NUMBERS, "true", "none", '"x"', '"batch"', '"a\\nb: c"', "[]", "[0.1, 0.9]", '["bias"]', "relu", "conv(3, 3)", "t",
    "nothing", "0..1000000", "cosine", "lamb(betas = [0.1, 0.2])", "randaugment(9)", "linear(5)", "linear(1e9)",
    "decay(0.9)", "norm(1)", "bce(0.5)", "milestones([])", "milestones([1, 2])", "step(0.1, 1e-9)", "step(0.5, 1e-4)",
    'autoaugment("v0")', "last(3)", "normal(0, 1)", "sgd(sgd)", "sgd(..t[0])", 'linear(5, mode = "prefix")',
]  # fmt: skip
KEYS = [*SETTINGS, "drop_path_rate", "kind", "dropout_rate", "foo", "progressive"]
COLUMNS = ["size", "magnitude", "mixup", "cutmix", "epochs", "drop_path_rate", "smoothing", "foo", "kind"]


@functools.cache
def published() -> list[tuple[str, str]]:
    """What shipped recipes set, and to what: most of it goes together, so that some recipes are accepted."""
    file = parse(locate("recipes")[0], Bag())
    assert file is not None
    recipes = [item for item in file.items if isinstance(item, ast.Recipe)]
    entries = [member for item in recipes for member in item.members if isinstance(member, ast.Entry)]
    return [(entry.key, " ".join(entry.value.span.text.split())) for entry in entries]


def recipe(chance: Random, number: int, careful: bool) -> str:
    """`careful`: of settings and values that are, though not always together."""
    members = dict(BASE) if careful or chance.random() < 0.9 else {}
    members |= dict(chance.sample(published(), chance.randint(0, 3)))
    if not careful:
        members |= {chance.choice(KEYS): chance.choice(VALUES) for _ in range(chance.randint(0, 4))}
    lines = [f"  {key} = {value}" for key, value in members.items()]
    if not careful and chance.random() < 0.3:
        columns = chance.sample(COLUMNS, chance.randint(1, 3))
        rows = [", ".join(chance.choice(NUMBERS) for _ in columns) for _ in range(chance.randint(0, 4))]
        count = chance.choice(["", "", " in 2", " in 4", f" in {chance.choice(VALUES)}"])
        lines.append(f"  progressive({', '.join(columns)}){count} {{\n" + "\n".join(rows) + "\n  }")
    head = f"recipe r{number}" + chance.choice(["", " for net", " for Net, net", "" if careful else " for nett"])
    if number and chance.random() < 0.5:
        head += f" = r{chance.randint(0, number - 1 if careful else 2)} with"
    return f"{head} {{\n" + "\n".join(lines) + "\n}\n"


@pytest.mark.parametrize("seed", range(8))
def test_check_says_so_or_it_can_be_shown_and_written(seed: int) -> None:
    chance = Random(seed)
    accepted = 0
    for turn in range(60):
        text = MODEL + "".join(recipe(chance, number, turn % 2 == 0) for number in range(chance.randint(1, 3)))
        try:
            file = ArchFile(Source("x.arch", text))
        except ArchError:
            continue
        if not any(d.severity == "error" for d in file.check()):
            accepted += len(file.recipes)
            show_and_write(list(file.recipes.values()))
    assert accepted >= 10


def show_and_write(recipes: list[Recipe]) -> None:
    for found in recipes:
        assert settings(found)
        assert differences(found, found) == []
        assert yaml.safe_load(for_timm(found).yaml("title")) == for_timm(found).settings
        assert for_torchvision(found, devices=3).flags()
        assert recipe_chart(found, "title")
        json.dumps(RecipeJson.of(found).plain())
        assert all(found.at(stage.first).progressive is None for stage in found.stages)
        assert found.stages[-1].end == found.epochs
