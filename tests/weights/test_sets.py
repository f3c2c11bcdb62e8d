"""Several sets of weights in a file: none is taken in silence, and a name or a word of it chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.weights import read_weights
from archdsl.weights.sets import sets_in
from tests.weights.specs import TINY

A = {"a.weight": torch.zeros(2)}
B = {"a.weight": torch.ones(2)}
OPTIMIZER = {"state": {0: {"step": torch.zeros(1), "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]}

SEVERAL: dict[str, dict[str, Any]] = {
    "params, params_ema": {"params": A, "params_ema": B},  # BasicSR, ESRGAN
    "state_dict, ema_state_dict": {"state_dict": A, "ema_state_dict": B, "epoch": 3},
    "model, ema_model": {"model": A, "ema_model": B, "optimizer": OPTIMIZER},
    "model, model_ema": {"model": A, "optimizer": OPTIMIZER, "model_ema": B},  # torchvision's references
    "state_dict, state_dict_ema": {"arch": "x", "state_dict": A, "state_dict_ema": B},  # timm
    "generator, discriminator": {"generator": A, "discriminator": B},
    "state_dict.model, state_dict.model_ema": {"state_dict": {"model": A, "model_ema": B}},
    "model, ema.module": {"model": A, "ema": {"decay": 0.9, "module": B}},
    "model, 5": {"model": A, 5: B},
    "model, swa.weights": {"model": A, "swa": {"weights": B, "n": 1}},
    "best, x.model": {"x": {"model": B, "n": 3}, "best": A},
    "model, averages.1": {"model": A, "averages": [0.5, B]},
    "runs.0.best.net, runs.1.best.net": {"runs": ({"best": {"net": A, "n": 1}}, {"best": {"net": B, "n": 2}})},
    "a.b, a.b#2": {"a.b": A, "a": {"b": B, "n": 1}},
}


def saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


def error(path: Path, name: str | None = None) -> tuple[str, str]:
    with pytest.raises(ArchError) as raised:
        read_weights(path, (), name)
    (found,) = raised.value.diagnostics
    return found.code, f"{found.message}\n{found.help}"


@pytest.mark.parametrize("names", SEVERAL)
def test_several_sets_are_an_error_that_names_them(names: str, tmp_path: Path) -> None:
    path = saved(SEVERAL[names], tmp_path / "w.pth")
    code, said = error(path)
    assert code == "E511"
    assert f"several sets of weights: {names}\n" in said
    first, second = names.split(", ")
    assert torch.equal(read_weights(path, (), first).tensors["a.weight"], A["a.weight"])
    assert torch.equal(read_weights(path, (), second).tensors["a.weight"], B["a.weight"])


@pytest.mark.parametrize("names", [names for names in SEVERAL if "ema" in names])
def test_a_word_of_the_name_chooses(names: str, tmp_path: Path) -> None:
    path = saved(SEVERAL[names], tmp_path / "w.pth")
    assert torch.equal(read_weights(path, (), "ema").tensors["a.weight"], B["a.weight"])


def test_what_no_set_or_more_than_one_is_called(tmp_path: Path) -> None:
    path = saved({"model": A, "ema_fast": B, "ema_slow": dict(B), "emanation": dict(A)}, tmp_path / "w.pth")
    assert error(path, "ema")[0] == "E512"
    code, said = error(path, "averaged")
    assert code == "E512"
    assert said.endswith("means\nit holds these: model, ema_fast, ema_slow, emanation")
    assert "did you mean `ema_fast`?" in error(path, "ema_fats")[1]
    assert error(saved(A, path), "ema")[1].endswith("it is one set of weights, without a name: leave the choice out")
    assert error(saved({"model": A, "epoch": 1}, path), "ema")[0] == "E512"


def test_one_set_is_taken_and_said(tmp_path: Path) -> None:
    for content in ({"ema": A, "optimizer": OPTIMIZER}, {"ema": A, "model": {}, "state_dict": None}):
        assert read_weights(saved(content, tmp_path / "w.pth")).notes == ("the weights are the `ema` of the file",)
    inside = {"models": {0: {"state": A, "n": 1}}, "optimizers": [OPTIMIZER, OPTIMIZER], "rng": [torch.zeros(2)]}
    assert read_weights(saved(inside, tmp_path / "w.pth")).notes == (
        "the weights are the `models.0.state` of the file",
    )
    both = saved({"model": A, "state_dict": A}, tmp_path / "w.pth")  # one set under two names
    assert torch.equal(read_weights(both).tensors["a.weight"], A["a.weight"])


def test_sets_thousands_of_levels_deep_are_not_looked_for(tmp_path: Path) -> None:
    content: dict[str, Any] = {"model": A}
    for _ in range(100_000):
        content = {"model": content}
    assert sets_in(content, torch.Tensor) == {}
    shallow = {"model": {"state_dict": {"ema": {"module": A}}}}
    assert list(sets_in(shallow, torch.Tensor)) == ["model.state_dict.ema.module"]
    while content:  # freed level by level
        content = content.pop("model", {})


def test_from_python(tmp_path: Path) -> None:
    spec = tmp_path / "tiny.arch"
    spec.write_text(TINY, encoding="utf-8")
    one, two = (archdsl.load(spec).state_dict() for _ in range(2))
    path = saved({"model": one, "model_ema": two}, tmp_path / "w.pth")
    for name, state in (("model", one), ("ema", two)):
        model = archdsl.load(spec, weights=path, weights_set=name)  # said by nobody: it was asked for
        assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    with pytest.raises(TypeError, match="none are given"):
        archdsl.load(spec, weights_set="ema")
