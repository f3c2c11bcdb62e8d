"""Folders that somebody else made: all in them is data, and what is no saved model is an error with a place."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from tests.pretrained.specs import trained, write_spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    spec = write_spec(tmp_path / "specs")
    archdsl.save_pretrained(trained(spec), tmp_path / "outer" / "m")
    return tmp_path / "outer" / "m"


def refused(folder: Path | str, code: str) -> tuple[Diagnostic, ...]:
    """The errors of a folder; each has this code, says where, and what to do."""
    with pytest.raises(ArchError) as caught:
        archdsl.from_pretrained(folder)
    found = caught.value.diagnostics
    assert {one.code for one in found} == {code}, str(caught.value)
    assert all(one.help for one in found)
    return found


def edited(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    edit(config)
    path.write_text(json.dumps(config, indent=2))


def at(config: Any, *keys: str | int) -> Any:
    for key in keys:
        config = config[key]
    return config


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "variant": lambda c: c.update(variant=50),
    "fingerprint": lambda c: c.update(fingerprint="x"),
    "config_version": lambda c: c.update(config_version=2),
    "library_name": lambda c: c.update(library_name="timm"),
    "num_classes": lambda c: c.update(num_classes="5"),
    "num_features": lambda c: c.update(num_features=2.5),
    "label_names.0": lambda c: c.update(label_names=[1, 2]),
    "label_names": lambda c: c.update(label_names=["a", "b"]),
    "pretrained_cfg.mean.0": lambda c: c["pretrained_cfg"].update(mean=["a"]),
    "pretrained_cfg.mean": lambda c: c["pretrained_cfg"].update(mean=[0.5]),
    "pretrained_cfg.std.0": lambda c: c["pretrained_cfg"].update(std=[0, 1, 1]),
    "pretrained_cfg.crop_pct": lambda c: c["pretrained_cfg"].update(crop_pct=0),
    "pretrained_cfg.input_size": lambda c: c["pretrained_cfg"].update(input_size=[4, 32, 32]),
    "pretrained_cfg.input_size.1": lambda c: c["pretrained_cfg"].update(input_size=[3, 10**9, 32]),
    "pretrained_cfg.custom_load": lambda c: c["pretrained_cfg"].update(custom_load=True),
    "texts": lambda c: c["texts"].append("../secret.arch"),
    "spec": lambda c: c.update(spec="other.arch"),
    "auto_map": lambda c: c.update(auto_map={"AutoModel": "evil.Model"}),
    "texts.0": lambda c: c["texts"].insert(0, ""),
    "written.mine.arch": lambda c: c["written"].update({"mine.arch": 1}),
    "changes": lambda c: c.update(changes=[{"__class__": {}}]),
    "changes.0": lambda c: c.update(changes=["features"]),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_value_of_another_kind(folder: Path, key: str) -> None:
    edited(folder, WRONG[key])
    (found, *_) = refused(folder, "E634")
    assert f"`{key}`" in found.message
    if key != "written.mine.arch" and "custom" not in key:
        assert found.span is not None
        assert found.span.text == f'"{next(part for part in reversed(key.split(".")) if not part.isdigit())}"'


@pytest.mark.parametrize("key", ["variant", "texts", "changes", "fingerprint", "dtype", "pretrained_cfg", "written"])
def test_a_key_that_is_missing(folder: Path, key: str) -> None:
    edited(folder, lambda c: c.pop(key))
    (found,) = refused(folder, "E634")
    assert found.message.startswith(f"`{key}` of ")
    assert found.message.endswith("is missing")


CHANGES: dict[str, Any] = {
    "two in one": {"override": {"classes": 5}, "set": {}},
    "none": {},
    "a list": {"override": [1]},
    "more": {"for_image": {"channels": 3, "size": None, "path": "x"}},
    "less": {"for_image": {"channels": 3}},
    "a dict": {"features": {"layer1": 1}},
    "no number": {"for_image": {"channels": "3", "size": None}},
    "three sides": {"for_image": {"channels": 3, "size": [1, 2, 3]}},
    "no text": {"set": {"act": 5}},
    "another method": {"module": {}},
    "underscores": {"__init__": {}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_no_change(folder: Path, change: Any) -> None:
    edited(folder, lambda c: c.update(changes=[change]))
    (found,) = refused(folder, "E634")
    assert "changes" in found.message


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"override": {"depth": 5}}, "E119"),
        ({"override": {"classes": {}}}, "E623"),
        ({"override": {"classes": "five"}}, "E301"),
        ({"override": {"classes": 10**400}}, "E623"),
        ({"set": {"act": "open(1)"}}, "E101"),
        ({"set": {"act": '") or ("'}}, "E301"),
        ({"features": ["layer9"]}, "E122"),
        ({"override": {"width": 10**17}}, "E330"),
    ],
    ids=str,
)
def test_a_change_that_the_spec_does_not_know(folder: Path, change: Any, code: str) -> None:
    """The same errors as from `archdsl.load`."""
    edited(folder, lambda c: c.update(changes=[change]))
    with pytest.raises(ArchError) as caught:
        archdsl.from_pretrained(folder)
    assert caught.value.diagnostics[0].code in (code, "E637")


TEXTS = {
    "empty": "",
    "half": '{"library_name": "archdsl"',
    "list": "[]",
    "number": "7",
    "nan": '{"library_name": NaN}',
    "deep": "[" * 200_000,
    "digits": '{"num_classes": ' + "9" * 10_000 + "}",
    "twice": '{"variant": "small", "variant": "wide"}',
    "pickle": "\x80\x04cos\nsystem\n",
    "surrogate": '{"variant": "\\ud800"}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_no_config(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    refused(folder, "E634")


def test_a_place_in_json(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"variant":', '"variant"'))
    (found,) = refused(folder, "E634")
    assert found.span is not None
    assert (found.span.source.name, found.span.line) == (str(path), 6)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_classes", 6),
        ("num_classes", None),
        ("num_features", 17),
        ("architecture", "resnet50"),
        ("dtype", "float16"),
    ],
)
def test_a_config_that_contradicts_the_spec(folder: Path, key: str, value: object) -> None:
    edited(folder, lambda c: c.update({key: value}))
    (found,) = refused(folder, "E635")
    assert f"`{key}`" in found.message
    assert found.span is not None


@pytest.mark.parametrize(
    ("key", "value"), [("num_classes", 6), ("first_conv", "fc"), ("classifier", "down"), ("architecture", "r")]
)
def test_timms_words_must_be_those_of_the_network(folder: Path, key: str, value: object) -> None:
    edited(folder, lambda c: c["pretrained_cfg"].update({key: value}))
    (found,) = refused(folder, "E635")
    assert f"`pretrained_cfg.{key}`" in found.message


def test_another_variant_or_text_is_another_network(folder: Path) -> None:
    """Though every weight would fit: the stride, the rate of dropout, the activation are in no file of weights."""
    path = folder / "mine.arch"
    text = path.read_text()
    for old, new in (("stride = 2)", "stride = 1)"), ("dropout(0.2)", "dropout(0.3)"), ("= relu", "= gelu")):
        path.write_text(text.replace(old, new))
        (found,) = refused(folder, "E637")
        assert archdsl.__version__ in found.message
    path.write_text(f"# Only a remark.\n{text}")
    archdsl.from_pretrained(folder)
    edited(folder, lambda c: c.update(variant="wide", architecture="archdsl_wide"))
    refused(folder, "E637")
    edited(folder, lambda c: c.update(variant="big"))
    refused(folder, "E108")


def test_another_version_of_archdsl(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in which an op has another default: the text says the same, and is another network."""
    from archdsl.ops.norm import BatchNormParams

    field = BatchNormParams.model_fields["eps"]
    monkeypatch.setattr(field, "default", 1e-3)
    BatchNormParams.model_rebuild(force=True)
    try:
        edited(folder, lambda c: c.update(archdsl_version="0.0.9"))
        (found,) = refused(folder, "E637")
        assert "0.0.9" in found.message
    finally:
        monkeypatch.undo()
        BatchNormParams.model_rebuild(force=True)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "mine.arch", "parts/units.arch"])
def test_links_lead_nowhere(folder: Path, tmp_path: Path, name: str) -> None:
    """Not out of the folder, not to devices and pipes; a link inside of it is a file."""
    path = folder / name
    content = path.read_bytes()
    outside = folder.parent / f"secret{path.suffix}"
    outside.write_bytes(content)
    code = "E116" if name.startswith("parts") else "E636"
    path.unlink()
    path.symlink_to(outside)
    refused(folder, code)
    path.unlink()
    path.symlink_to("/dev/zero")
    refused(folder, code)
    path.unlink()
    os.mkfifo(path)
    refused(folder, "E602" if name.startswith("parts") else "E636")
    path.unlink()
    path.mkdir()
    refused(folder, "E602" if name.startswith("parts") else "E636")
    path.rmdir()
    inside = folder / f"inside{path.suffix}"
    inside.write_bytes(content)
    path.symlink_to(inside)
    archdsl.from_pretrained(folder)


def test_the_cache_of_the_hub_has_links(folder: Path, tmp_path: Path) -> None:
    """Into the blobs of the same repository, and these are files."""
    repository = tmp_path / "models--me--bees"
    snapshot = repository / "snapshots" / "abc"
    snapshot.parent.mkdir(parents=True)
    folder.rename(snapshot)
    (repository / "blobs").mkdir()
    for number, name in enumerate(("config.json", "model.safetensors", "parts/units.arch")):
        blob = repository / "blobs" / str(number)
        (snapshot / name).rename(blob)
        (snapshot / name).symlink_to(os.path.relpath(blob, (snapshot / name).parent))
    archdsl.from_pretrained(snapshot)
    (repository / "blobs" / "0").rename(tmp_path / "config.json")
    (repository / "blobs" / "0").symlink_to(tmp_path / "config.json")
    refused(snapshot, "E636")


@pytest.mark.parametrize(
    ("use", "code"),
    [
        ('use "../../etc.arch" (Unit)', "E116"),
        ('use "/etc/passwd" (Unit)', "E116"),
        ('use "common.arch" (ConvNormAct)', "E110"),  # not even what archdsl ships
        ('use "parts/other.arch" (Unit)', "E110"),  # there, and not named by the config
    ],
)
def test_nothing_outside_is_used(folder: Path, use: str, code: str) -> None:
    (folder / "parts" / "other.arch").write_text((folder / "parts" / "units.arch").read_text())
    path = folder / "mine.arch"
    path.write_text(path.read_text().replace('use "parts/units.arch" (Unit)', use))
    with pytest.raises(ArchError) as caught:
        archdsl.from_pretrained(folder)
    assert caught.value.diagnostics[0].code == code


def test_files_without_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(folder / "config.json", "r+b") as file:
        file.truncate(1 << 40)
    (found,) = refused(folder, "E636")
    assert "more than" in found.message


def test_a_text_without_end(folder: Path) -> None:
    with open(folder / "mine.arch", "r+b") as file:
        file.truncate(1 << 40)
    refused(folder, "E636")


def test_absurd_sizes_are_found_before_memory_is(folder: Path) -> None:
    """The config and the text agree on a network that is larger than its file: no memory is asked for."""
    from archdsl.graph.fingerprint import fingerprint

    variant = archdsl.find(folder / "mine.arch", "small").override({"classes": 10**6})

    def edit(config: dict[str, Any]) -> None:
        config.update(changes=[{"override": {"classes": 10**6}}], fingerprint=fingerprint(variant.graph))
        config["num_classes"] = config["pretrained_cfg"]["num_classes"] = 10**6

    edited(folder, edit)
    (found, *_) = refused(folder, "E503")
    assert "1000000×16" in found.message


def loaded(path: Path) -> dict[str, torch.Tensor]:
    return {key: tensor.clone() for key, tensor in load_file(path).items()}  # not of the mapped file


def weights(folder: Path, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    path = folder / "model.safetensors"
    state = loaded(path)
    edit(state)
    save_file(state, path)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda s: s.pop("fc.bias"), "E501"),
        (lambda s: s.pop("stem.1.num_batches_tracked"), "E501"),
        (lambda s: s.update(more=torch.ones(1)), "E502"),
        (lambda s: s.update({"fc.bias": torch.ones(6)}), "E503"),
        (lambda s: s.update({"fc.bias": torch.ones(5, dtype=torch.int64)}), "E504"),
        (lambda s: s.update({"stem.1.num_batches_tracked": torch.tensor(1.0)}), "E504"),
        (lambda s: s.update({"fc.bias": torch.ones(5, dtype=torch.float16)}), "E635"),
        (lambda s: s.clear(), "E501"),
    ],
)
def test_weights_of_another_network(folder: Path, edit: Callable[[dict[str, torch.Tensor]], object], code: str) -> None:
    weights(folder, edit)
    for found in refused(folder, code):
        assert code != "E504" or "model.safetensors" in found.message


def test_weights_that_are_no_safetensors(folder: Path) -> None:
    """Another format under this name is not read, not even as plain tensors."""
    path = folder / "model.safetensors"
    content = path.read_bytes()
    torch.save(loaded(path), path)
    refused(folder, "E504")
    path.write_bytes(content[: len(content) // 2])
    refused(folder, "E504")
    path.write_bytes((1 << 62).to_bytes(8, "little") + content[8:])
    refused(folder, "E504")
    path.write_bytes(b"")
    refused(folder, "E504")
    path.unlink()
    refused(folder, "E636")


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch /tmp/archdsl-was-here",)


def test_nothing_in_it_is_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python, pickles, shell scripts, hooks of other libraries lie there and are not looked at."""
    mark = tmp_path / "was-here"
    code = f"open({str(mark)!r}, 'w')"
    for name in ("modeling.py", "__init__.py", "archdsl.py", "torch.py", "conftest.py", "sitecustomize.py", "setup.py"):
        (folder / name).write_text(code)
    for name in ("pytorch_model.bin", "model.pkl", "model.pth", "training_args.bin"):
        (folder / name).write_bytes(pickle.dumps(Bomb()))
    path = folder / "mine.arch"
    doc = '"A network for these tests. \\"); ' + code.replace('"', "") + ' #"'
    path.write_text(path.read_text().replace('"A network for these tests."', doc))
    monkeypatch.chdir(folder)
    opened: list[str] = []
    watched = [True]

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if watched and event == "open" and isinstance(arguments[0], str):
            opened.append(os.path.realpath(arguments[0]))

    import sys

    sys.addaudithook(audit)
    try:
        model = archdsl.from_pretrained(folder)
    finally:
        watched.clear()
    assert model.num_classes == 5
    assert not mark.exists()
    inside = {os.path.relpath(name, folder) for name in opened if name.startswith(str(folder.resolve()))}
    assert inside | {"model.safetensors"} == {"config.json", "mine.arch", "parts/units.arch", "model.safetensors"}


def test_what_is_no_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    (found,) = refused("modles", "E633")
    assert found.help == "did you mean `models`?"
    refused(str(folder / "config.json"), "E633")
    refused(tmp_path / "specs", "E633")
    refused(tmp_path / "no" / "such", "E633")
    refused("a\0b", "E633")
    for options in ({"revision": "main"}, {"token": "x"}):
        with pytest.raises(TypeError, match="about a repository"):
            archdsl.from_pretrained(folder, **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="source is a folder"):
        archdsl.from_pretrained(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dtype is a floating-point"):
        archdsl.from_pretrained(folder, dtype=torch.int64)
