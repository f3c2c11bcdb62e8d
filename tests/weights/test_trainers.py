"""Files as training scripts and frameworks write them: made here by their own means."""

from __future__ import annotations

import argparse
import datetime
import pathlib
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import archdsl
from archdsl.cli.app import run
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.weights import export_keys, load_weights, load_weights_into, read_weights
from tests.weights.specs import TINY, TINY_MAP, tiny


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


# --- what stands before the names ------------------------------------------------------------

Content = Any


def put(prefix: str, tensors: dict[str, torch.Tensor] | None = None) -> dict[str, torch.Tensor]:
    return {prefix + key: tensor for key, tensor in (state() if tensors is None else tensors).items()}


def trained() -> nn.Module:
    model = tiny().empty().to_empty(device="cpu")
    model.load_state_dict(state())
    return model


def averaged(model: nn.Module) -> dict[str, torch.Tensor]:
    return torch.optim.swa_utils.AveragedModel(model).state_dict()


def parted(first: str, second: str) -> dict[str, torch.Tensor]:
    """As MMPretrain parts a network: everything but the classifier, and the classifier."""
    return {(second if key.startswith("fc.") else first) + key: tensor for key, tensor in state().items()}


MADE: dict[str, tuple[Any, list[str]]] = {
    "DataParallel": (lambda: nn.DataParallel(trained()).state_dict(), ["module."]),
    "torch.compile": (lambda: torch.compile(trained()).state_dict(), ["_orig_mod."]),
    "DataParallel of torch.compile": (
        lambda: nn.DataParallel(torch.compile(trained())).state_dict(),
        ["module.", "_orig_mod."],
    ),
    "torch.compile of DataParallel": (
        lambda: torch.compile(nn.DataParallel(trained())).state_dict(),
        ["_orig_mod.", "module."],
    ),
    "AveragedModel": (lambda: averaged(trained()), ["n_averaged", "module."]),
    "AveragedModel of DataParallel": (
        lambda: averaged(nn.DataParallel(trained())),
        ["n_averaged", "module.", "module."],
    ),
    "torchvision's references": (
        lambda: {"model": put("module."), "epoch": 3, "args": argparse.Namespace(lr=0.1)},
        ["`model` of the file", "argparse.Namespace", "module."],
    ),
    "Lightning": (
        lambda: {"epoch": 1, "pytorch-lightning_version": "2.4", "state_dict": put("model."), "loops": {}},
        ["`state_dict` of the file", "model."],
    ),
    "Lightning with torch.compile": (
        lambda: {"state_dict": put("model._orig_mod.")},
        ["`state_dict`", "`_orig_mod.` was dropped in 20 keys", "model."],
    ),
    "Lightning with DistributedDataParallel around": (
        lambda: {"state_dict": put("model.module.")},
        ["`state_dict`", "model.", "module."],
    ),
    "Composer": (lambda: {"state": {"model": put("model.")}, "rng": [{}]}, ["`state.model`", "model."]),
    "an encoder": (lambda: put("encoder."), ["encoder."]),
    "FSDP": (
        lambda: {key.replace("body.0.", "body.0._fsdp_wrapped_module."): tensor for key, tensor in state().items()},
        ["`_fsdp_wrapped_module.` was dropped in 6 keys of the file"],
    ),
    "a compiled part": (
        lambda: {key.replace("body.", "body._orig_mod."): tensor for key, tensor in state().items()},
        ["`_orig_mod.` was dropped in 12 keys of the file"],
    ),
    "the epoch among the weights": (lambda: {**state(), "epoch": 90}, ["`epoch` is no weight and was left aside"]),
    "the epoch as a tensor": (lambda: {**state(), "epoch": torch.tensor(90)}, ["`epoch` is no weight"]),
}


@pytest.mark.parametrize("trainer", MADE)
def test_what_is_dropped_unasked_is_said(trainer: str, tmp_path: Path) -> None:
    make, expected = MADE[trainer]
    path = saved(make(), tmp_path / "w.pth")
    notes: list[str] = []
    model = load_weights(tiny(), path, say=lambda path, said: notes.extend(said))
    assert all(torch.equal(tensor, state()[key]) for key, tensor in model.state_dict().items())
    assert len(notes) == len(expected)
    assert all(part in note for part, note in zip(expected, notes, strict=True))


def refused(content: Content, path: Path, more: str = "", **options: Any) -> Diagnostic:
    with pytest.raises(ArchError) as raised:
        load_weights(tiny(more), saved(content, path), **options)
    assert len(raised.value.diagnostics) == 1
    return raised.value.diagnostics[0]


CRITERION = {"criterion.weight": torch.ones(5)}
ASKED: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "Lightning with a loss": ({"state_dict": {**put("model."), **CRITERION}}, ("model.",), "--prefix model.,"),
    "a metric": ({**put("net."), "train_acc.tp": torch.ones(1)}, ("net",), "--prefix net.,"),
    "MMPretrain": (
        {"meta": {"epoch": 1}, "state_dict": parted("backbone.", "head.")},
        ("backbone.", "head."),
        "--prefix backbone. --prefix head.,",
    ),
    "a detector": ({**put("body."), "neck.weight": torch.ones(3)}, ("body.",), "--prefix body.,"),
    "all of an unknown one": (put("my_net."), ("my_net.",), "--prefix my_net.,"),
    "MoCo": (
        {"state_dict": put("module.", {**put("encoder_q."), **put("encoder_k."), "queue": torch.ones(4, 8)})},
        ("encoder_q.",),
        "--prefix encoder_q.,",
    ),
    "all but the classifier": (parted("backbone.", ""), ("backbone.", ""), '--prefix backbone. --prefix "",'),
    "by the name in the file": (
        {"state_dict": put("module.", {**put("encoder_q."), "queue": torch.ones(4, 8)})},
        ("module.encoder_q.",),
        "--prefix encoder_q.,",
    ),
}


@pytest.mark.parametrize("trainer", ASKED)
def test_what_is_a_part_has_to_be_asked_for(trainer: str, tmp_path: Path) -> None:
    """One error, which says the option that takes it."""
    content, prefix, option = ASKED[trainer]
    path = tmp_path / "w.pth"
    found = refused(content, path)
    assert found.code == "E510"
    assert option in str(found.help)
    model = load_weights(tiny(), path, prefix=prefix, say=lambda path, said: None)
    assert all(torch.equal(tensor, state()[key]) for key, tensor in model.state_dict().items())


def test_two_parts_that_fit_are_both_said(tmp_path: Path) -> None:
    content = {**put("student."), **put("teacher.", state(1)), "teacher.center": torch.ones(2)}
    found = refused(content, tmp_path / "w.pth")
    assert "20 of the 41 keys of the file begin with `student.`" in found.message
    assert "so are as many without `teacher.`" in found.notes
    with pytest.raises(ArchError) as raised:  # `teacher.center` is none of the network's
        load_weights(tiny(), tmp_path / "w.pth", prefix=["teacher."])
    assert [d.code for d in raised.value.diagnostics] == ["E502"]


def test_a_part_without_a_classifier(tmp_path: Path) -> None:
    """Its names are not there even so, which is said; with new classes they need not be."""
    backbone = {key: tensor for key, tensor in state().items() if not key.startswith("fc.")}
    found = refused({**put("body.", backbone), "neck.weight": torch.ones(3)}, tmp_path / "w.pth")
    assert "2 names of the model are not there even so, as `fc.bias`" in found.notes
    spec = tmp_path / "tiny.arch"
    spec.write_text(TINY, encoding="utf-8")
    model: Any = archdsl.load(spec, weights=tmp_path / "w.pth", prefix="body", classes=7)
    assert torch.equal(model.stem.conv.weight, state()["stem.conv.weight"])
    saved(put("backbone.", backbone), tmp_path / "w.pth")
    with pytest.warns(archdsl.WeightsNote, match="begins with `backbone.`, which was dropped"):
        archdsl.load(spec, weights=tmp_path / "w.pth", classes=7)


def test_prefixes_that_do_not_serve(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    found = refused({**put("body."), "neck.weight": torch.ones(3)}, path, prefix=["head"])
    assert (found.code, "`head.`" in found.message) == ("E533", True)
    assert "`body.` (20), `neck.` (1)" in str(found.help)
    assert refused({**put("body."), "neck.weight": torch.ones(3)}, path, prefix=["body.", "x"]).code == "E533"
    found = refused({**put("a."), **put("b.")}, path, prefix=["a.", "b."])
    assert (found.code, found.message.count("stem.conv.weight")) == ("E534", 3)
    spec = tmp_path / "tiny.arch"
    spec.write_text(TINY, encoding="utf-8")
    with pytest.raises(TypeError, match="none are given"):
        archdsl.load(spec, prefix="a.")
    with pytest.raises(TypeError, match="prefix is a string, not"):
        archdsl.load(spec, weights=path, prefix=[3])  # type: ignore[list-item]


def test_under_another_librarys_names(tmp_path: Path) -> None:
    """What stands before them is found under the map."""
    exported = export_keys(tiny(TINY_MAP), state(), "theirs")
    path = saved({"state_dict": put("model.", exported)}, tmp_path / "w.pth")
    notes: list[str] = []
    model = load_weights(tiny(TINY_MAP), path, say=lambda path, said: notes.extend(said))
    assert all(torch.equal(tensor, state()[key]) for key, tensor in model.state_dict().items())
    assert notes[1] == "every key of the file begins with `model.`, which was dropped"


def test_names_of_the_model_stay(tmp_path: Path) -> None:
    """A network whose own names are a wrapper's, an attribute's, a count's."""
    text = "model M = image(3, 8, 8) -> model: conv(4, 3) -> gap -> flatten\nvariant m = M\n"
    spec = tmp_path / "m.arch"
    spec.write_text(text, encoding="utf-8")
    own = archdsl.load(spec).state_dict()
    assert next(iter(own)) == "model.weight"
    loaded = archdsl.load(spec, weights=saved(own, tmp_path / "w.pth"))
    assert torch.equal(loaded.state_dict()["model.weight"], own["model.weight"])


def test_into_a_model_and_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = trained()
    path = saved({**put("body.", state(1)), "neck.weight": torch.ones(3)}, tmp_path / "w.pth")
    load_weights_into(model, tiny(), path, prefix=["body."])
    assert all(torch.equal(tensor, state(1)[key]) for key, tensor in model.state_dict().items())
    spec = tmp_path / "tiny.arch"
    spec.write_text(TINY + 'preprocess Tiny { labels = "imagenet1k" }\n', encoding="utf-8")
    assert run(["predict", str(spec), "--weights", str(path), "--prefix", "x.", "no.png", "--set", "classes=1000"]) == 2
    assert "E533" in capsys.readouterr().err


def test_of_several_sets_the_average_with_its_count(tmp_path: Path) -> None:
    """As torchvision's references write them."""
    content = {"model": put("module."), "model_ema": averaged(nn.DataParallel(trained())), "epoch": 3}
    content["model"]["module.fc.bias"] = torch.zeros(5)
    path = saved(content, tmp_path / "w.pth")
    assert refused(content, path).code == "E511"
    notes: list[str] = []
    model = load_weights(tiny(), path, weights_set="ema", say=lambda path, said: notes.extend(said))
    assert all(torch.equal(tensor, state()[key]) for key, tensor in model.state_dict().items())
    assert notes[0] == "`n_averaged` is no weight and was left aside"


def test_an_address_is_no_file() -> None:
    with pytest.raises(ArchError) as raised:
        archdsl.load("resnet18", weights="https://example.org/net.pth")
    assert "it is an address; a `weights` item of a spec says where" in raised.value.diagnostics[0].message


def test_an_archive_with_weights_in_it(tmp_path: Path) -> None:
    """As pytorchcv's files are: `archdsl.weights.download` unpacks what it fetches."""
    saved(state(), tmp_path / "w.pth")
    with zipfile.ZipFile(tmp_path / "w.pth.zip", "w") as archive:
        archive.write(tmp_path / "w.pth", "net-0500.pth")
    code, said = fault(tmp_path / "w.pth.zip")
    assert code == "E504"
    assert "it is an archive with `net-0500.pth` in it: unpack that" in said


def test_converting_takes_off_the_same(tmp_path: Path) -> None:
    variant = tiny(TINY_MAP)
    for content, prefix in (
        ({"state_dict": put("model.")}, None),
        ({**put("body."), "neck.weight": torch.ones(3)}, "body"),
    ):
        path = saved(content, tmp_path / "w.pth")
        done = variant.convert(path, "theirs", tmp_path / "to.pth", prefix=prefix)
        assert (done.names, done.to, done.tensors) == ("own", "theirs", 20)
        assert torch.equal(torch.load(tmp_path / "to.pth")["first.conv.weight"], state()["stem.conv.weight"])


def test_other_classes_are_said(tmp_path: Path) -> None:
    """1001 and 21,841 of them: the hint says the number that loads the file."""
    head = {"fc.weight": torch.zeros(21841, 8), "fc.bias": torch.zeros(21841)}
    path = saved({**state(), **head}, tmp_path / "w.pth")
    with pytest.raises(ArchError) as raised:
        load_weights(tiny(), path)
    assert [d.code for d in raised.value.diagnostics] == ["E503"] * 2
    assert "the file is of 21841 classes" in str(raised.value.diagnostics[0].help)
    assert load_weights(tiny().override({"classes": 21841}), path).fc.out_features == 21841  # type: ignore[union-attr]
    saved({**state(), "body.0.conv.weight": torch.zeros(8, 3, 3, 3)}, path)
    with pytest.raises(ArchError) as raised:
        load_weights(tiny(), path)
    assert "classes = 100" in str(raised.value.diagnostics[0].help)
