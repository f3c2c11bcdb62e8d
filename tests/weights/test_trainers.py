"""Files as training scripts and frameworks write them: made here by their own means."""

from __future__ import annotations

import argparse
import datetime
import pathlib
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from archdsl.diagnostics.core import ArchError
from archdsl.weights import read_weights
from tests.weights.specs import tiny


def state(seed: int = 0) -> dict[str, torch.Tensor]:
    """The weights of Tiny, as random as training leaves them."""
    generator = torch.Generator().manual_seed(seed)
    return {
        key: torch.randn(tensor.shape, generator=generator) if tensor.is_floating_point() else torch.tensor(7)
        for key, tensor in tiny().empty().state_dict().items()
    }


def saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


def fault(path: Path) -> tuple[str, str]:
    with pytest.raises(ArchError) as raised:
        read_weights(path)
    (found,) = raised.value.diagnostics
    return found.code, found.message


# --- objects beside the weights --------------------------------------------------------------


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        (argparse.Namespace(lr=0.1, model="resnet50", nested=argparse.Namespace(a=[1])), "argparse.Namespace"),
        (np.float64(0.78), "numpy.dtype"),
        ({"best": [np.int64(3), np.bool_(True)]}, "numpy.dtype"),
        (np.random.RandomState(0).get_state(), "numpy.ndarray"),
        (pathlib.PurePosixPath("/data/imagenet"), "pathlib.PurePosixPath"),
        (datetime.datetime(2024, 1, 2), "datetime.datetime"),
        (datetime.timedelta(3), "datetime.timedelta"),
    ],
)
def test_objects_beside_weights_are_left_unread(beside: Any, named: str, tmp_path: Path) -> None:
    """torchvision's references and timm's train.py keep their arguments, others dates and NumPy's numbers."""
    path = saved({"model": state(), "args": beside, "epoch": 3}, tmp_path / "w.pth")
    before = set(torch.serialization.get_safe_globals())
    weights = read_weights(path)
    assert all(torch.equal(weights.tensors[key], tensor) for key, tensor in state().items())
    assert weights.notes[0] == "the weights are the `model` of the file"
    assert weights.notes[1].startswith("what it holds beside weights was left unread: ")
    assert named in weights.notes[1]
    assert set(torch.serialization.get_safe_globals()) == before


def test_nothing_of_them_is_imported_or_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched = tmp_path / "touched"
    module = types.ModuleType("mmengine.x")

    class HistoryBuffer:
        def __setstate__(self, state: Any) -> None:
            touched.write_text("")

    HistoryBuffer.__module__, HistoryBuffer.__qualname__ = "mmengine.x", "HistoryBuffer"
    module.HistoryBuffer = HistoryBuffer  # type: ignore[attr-defined]
    beside = HistoryBuffer()
    beside.values = [1, 2]  # type: ignore[attr-defined]

    class Gadget:
        def __reduce__(self) -> Any:
            return np.testing.assert_equal, (1, 2)

    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "mmengine", types.ModuleType("mmengine"))
        patched.setitem(sys.modules, "mmengine.x", module)
        path = saved({"state_dict": state(), "message_hub": beside, "other": Gadget()}, tmp_path / "w.pth")
    weights = read_weights(path)
    assert "mmengine.x.HistoryBuffer" in weights.notes[1]
    assert "assert_equal" in weights.notes[1]
    assert not touched.exists()
    assert "mmengine" not in sys.modules


def test_sets_in_such_objects_are_sets(tmp_path: Path) -> None:
    """An average of the weights that is an attribute of something is not passed over in silence."""
    path = saved({"model": state(), "ema": argparse.Namespace(decay=0.9, shadow=state(1))}, tmp_path / "w.pth")
    code, said = fault(path)
    assert (code, said.partition(" holds ")[2]) == ("E511", "several sets of weights: model, ema.shadow")
    found = read_weights(path, (), "shadow").tensors
    assert all(torch.equal(found[key], tensor) for key, tensor in state(1).items())


def test_what_is_still_refused(tmp_path: Path) -> None:
    """Whole models, objects that are filled item by item, and what no training script keeps."""

    class Filled(dict):  # type: ignore[type-arg]
        pass

    class Wild:
        def __reduce__(self) -> Any:
            return __import__, ("os",)

    for content, named in (
        (nn.Linear(2, 3), "torch.nn.modules.linear.Linear"),
        ({"model": state(), "args": Wild()}, "builtins.__import__"),
        ({"model": state(), "args": types.SimpleNamespace(a=1)}, "types.SimpleNamespace"),
    ):
        code, said = fault(saved(content, tmp_path / "w.pth"))
        assert code == "E504"
        assert f"it holds a {named}, not only weights, and reading that would run code" in said
    Filled.__module__, Filled.__qualname__ = "omegaconf", "Filled"
    module = types.ModuleType("omegaconf")
    module.Filled = Filled  # type: ignore[attr-defined]
    sys.modules["omegaconf"] = module
    try:
        saved({"model": state(), "config": Filled(a=1)}, tmp_path / "w.pth")
    finally:
        del sys.modules["omegaconf"]
    assert "it holds a omegaconf.Filled, not only weights" in fault(tmp_path / "w.pth")[1]


def test_the_older_format_too(tmp_path: Path) -> None:
    torch.save(
        {"model": state(), "args": argparse.Namespace(lr=0.1)},
        tmp_path / "w.pth",
        _use_new_zipfile_serialization=False,
    )
    assert "argparse.Namespace" in read_weights(tmp_path / "w.pth").notes[1]
