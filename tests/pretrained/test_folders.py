"""A model in a folder: what is saved comes back, the same numbers and the same network, in any process."""

from __future__ import annotations

import json
import pickle
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import nn
from torch.utils.data import DataLoader, Dataset

import archdsl
from archdsl.cli.app import run
from archdsl.diagnostics.core import ArchError
from archdsl.graph.fingerprint import fingerprint
from archdsl.predict import class_labels
from tests.pretrained.specs import trained, write_spec

X = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "specs")


def config_of(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "config.json").read_text())
    return found


def refused(code: str, *arguments: object, **options: object) -> str:
    with pytest.raises(ArchError) as caught:
        archdsl.save_pretrained(*arguments, **options)  # type: ignore[arg-type]
    assert [found.code for found in caught.value.diagnostics] == [code]
    return str(caught.value)


def test_it_comes_back(spec: Path, tmp_path: Path) -> None:
    """Without the spec it was made from; the files are those that are said, the keys ours."""
    model = trained(spec)
    folder = tmp_path / "models" / "bees"
    archdsl.save_pretrained(model, folder, labels=["bee", "wasp", "fly", "ant", "moth"], license="mit")
    shutil.rmtree(spec.parent)
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == ["README.md", "config.json", "mine.arch", "model.safetensors", "parts/units.arch"]
    again = archdsl.from_pretrained(folder)
    assert torch.equal(again(X), model(X))
    assert not again.training
    assert list(again.state_dict()) == list(model.state_dict())
    assert again.pretrained_cfg["label_names"] == ["bee", "wasp", "fly", "ant", "moth"]
    assert again.pretrained_cfg["mean"] == [0.5, 0.5, 0.4]
    with safe_open(folder / "model.safetensors", "pt") as file:
        metadata = file.metadata()
        assert metadata == {"format": "pt", "archdsl": json.dumps({"classes": again.pretrained_cfg["label_names"]})}
        assert set(file.keys()) == model.state_dict().keys()
    card = (folder / "README.md").read_text()
    assert card.startswith('---\nlibrary_name: "archdsl"\n')
    assert 'license: "mit"' in card
    assert 'archdsl.from_pretrained("bees")' in card


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"classes": 7, "in_channels": 4, "image_size": (40, 48)},
        {"width": 16, "image_size": 64, "output_stride": 2},
        {"width": 12, "features": True},
    ],
)
def test_the_command_of_the_card_shows_the_saved_network(
    spec: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names what was changed of the variant, too; without that it would show another network."""
    archdsl.save_pretrained(trained(spec, **changes), tmp_path / "m")
    monkeypatch.chdir(tmp_path / "m")
    line = re.search("`(archdsl show .*?)` prints the network", Path("README.md").read_text())
    assert line is not None
    capsys.readouterr()
    assert run([*shlex.split(line[1])[1:], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["variant"]
    whole = archdsl.open(spec)["small"].override({n: changes[n] for n in ("classes", "width") if n in changes})
    whole = whole.for_image(changes.get("in_channels"), changes.get("image_size"))
    whole = whole.with_output_stride(changes["output_stride"]) if "output_stride" in changes else whole
    graph = whole.graph
    assert (shown["params"], shown["macs"]) == (graph.params, graph.macs)
    assert shown["input"] == [graph.input_shape.channels, graph.input_shape.height, graph.input_shape.width]
    assert ("is a part of" in Path("README.md").read_text()) == ("features" in changes)


def test_the_config_says_which_network_it_is(spec: Path, tmp_path: Path) -> None:
    archdsl.save_pretrained(trained(spec, "wide", classes=7, in_channels=4, image_size=(40, 48)), tmp_path / "m")
    config = config_of(tmp_path / "m")
    wanted = {"override": {"classes": 7}}, {"for_image": {"channels": 4, "size": [40, 48]}}
    assert config["changes"] == list(wanted)
    facts = ("library_name", "variant", "architecture", "spec", "texts", "num_classes", "num_features", "dtype")
    found = ("archdsl", "wide", "archdsl_wide", "mine.arch", ["mine.arch", "parts/units.arch"], 7, 24, "float32")
    assert tuple(config[key] for key in facts) == found
    assert config["archdsl_version"] == archdsl.__version__
    assert config["pretrained_cfg"]["input_size"] == [4, 40, 48]  # type: ignore[index]
    assert config["pretrained_cfg"]["classifier"] == "fc"  # type: ignore[index]


@pytest.mark.parametrize(
    "options",
    [
        {"classes": 2, "in_channels": 1},
        {"image_size": (40, 64)},
        {"features": True},
        {"features": ["layer1"], "in_channels": 5},
        {"dtype": torch.float64},
        {"dtype": torch.bfloat16},
        {"width": 10},
    ],
    ids=str,
)
def test_whatever_was_changed(spec: Path, tmp_path: Path, options: dict[str, object]) -> None:
    model = trained(spec, **options)
    archdsl.save_pretrained(model, tmp_path / "m")
    again = archdsl.from_pretrained(tmp_path / "m")
    kind = next(model.parameters()).dtype
    x = torch.randn(1, options.get("in_channels", 3), 40, 64).to(kind)  # type: ignore[call-overload]
    assert {key: value.dtype for key, value in again.state_dict().items()} == {
        key: value.dtype for key, value in model.state_dict().items()
    }
    ours, theirs = model(x), again(x)
    if "features" in options:
        assert ours.keys() == theirs.keys()
        assert again.feature_info.names() == list(ours)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    else:
        assert torch.equal(ours, theirs)


def test_maps_of_stems_and_another_stride(tmp_path: Path) -> None:
    """Feature maps that no stage has, and dilated convolutions."""
    model = archdsl.load("resnet18", features=True, output_stride=8).eval()
    archdsl.save_pretrained(model, tmp_path / "m")
    again = archdsl.from_pretrained(tmp_path / "m")
    x = torch.randn(1, 3, 64, 64)
    assert config_of(tmp_path / "m")["changes"] == [{"with_output_stride": [8]}, {"features": list(model(x))}]
    assert all(torch.equal(again(x)[name], value) for name, value in model(x).items())
    assert again.feature_info.reduction() == model.feature_info.reduction() == [2, 4, 8, 8, 8]


def test_what_the_language_set(spec: Path, tmp_path: Path) -> None:
    """`set` gives layers, which Python has not."""
    variant = archdsl.find(spec, "small").set({"act": "gelu"})
    model = variant.model_class().eval()
    archdsl.save_pretrained(model, tmp_path / "m")
    assert config_of(tmp_path / "m")["changes"] == [{"set": {"act": "gelu"}}]
    assert torch.equal(archdsl.from_pretrained(tmp_path / "m")(X), model(X))


def test_several_dtypes_in_one_model(spec: Path, tmp_path: Path) -> None:
    model = trained(spec).half()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.float()
    archdsl.save_pretrained(model, tmp_path / "m")
    assert config_of(tmp_path / "m")["dtype"] == "mixed"
    again = archdsl.from_pretrained(tmp_path / "m").state_dict()
    assert all(
        torch.equal(again[key], value) and again[key].dtype == value.dtype for key, value in model.state_dict().items()
    )
    wide = archdsl.from_pretrained(tmp_path / "m", dtype=torch.float32)
    assert {value.dtype for value in wide.parameters()} == {torch.float32}


def test_another_classifier_and_none(spec: Path, tmp_path: Path) -> None:
    """What `reset_classifier` made of a model is what comes back."""
    model = trained(spec)
    archdsl.save_pretrained(model, tmp_path / "five", labels=list("abcde"))
    model = archdsl.from_pretrained(tmp_path / "five")
    model.reset_classifier(3)
    archdsl.save_pretrained(model, tmp_path / "three")
    again = archdsl.from_pretrained(tmp_path / "three")
    assert torch.equal(again(X), model(X))
    assert again.num_classes == 3
    assert again.pretrained_cfg["label_names"] is None
    model.reset_classifier(0)
    archdsl.save_pretrained(model, tmp_path / "none")
    again = archdsl.from_pretrained(tmp_path / "none")
    assert again(X).shape == (2, 16)
    assert torch.equal(again(X), model(X))
    again.reset_classifier(4)
    assert again(X).shape == (2, 4)


def test_labels_of_the_spec(tmp_path: Path) -> None:
    archdsl.save_pretrained(archdsl.load("squeezenet1_1"), tmp_path / "m")
    assert tuple(archdsl.from_pretrained(tmp_path / "m").pretrained_cfg["label_names"]) == class_labels("imagenet1k")
    archdsl.save_pretrained(archdsl.load("squeezenet1_1", classes=4), tmp_path / "n")
    assert archdsl.from_pretrained(tmp_path / "n").pretrained_cfg["label_names"] is None
    with pytest.raises(ValueError, match="labels are 2 names, the model has 4 classes"):
        archdsl.save_pretrained(archdsl.load("squeezenet1_1", classes=4), tmp_path / "n", labels=["a", "b"])


def test_a_new_classifier_has_not_the_labels_of_the_spec(tmp_path: Path) -> None:
    """Even for as many classes; nor when it is saved a second time."""
    model = archdsl.load("squeezenet1_1")
    model.reset_classifier(1000)  # type: ignore[operator]
    for name in ("once", "twice"):
        archdsl.save_pretrained(model, tmp_path / name)
        model = archdsl.from_pretrained(tmp_path / name)
        assert model.pretrained_cfg["label_names"] is None  # type: ignore[index]
    archdsl.save_pretrained(model, tmp_path / "named", labels=[f"mine {i}" for i in range(1000)])
    assert archdsl.from_pretrained(tmp_path / "named").pretrained_cfg["label_names"][999] == "mine 999"  # type: ignore[index]


@pytest.mark.parametrize("name", ["squeezenet1_0", "efficientnet_b0", "shufflenet_v2_x0_5"])
def test_shipped_specs_take_what_they_use_along(name: str, tmp_path: Path) -> None:
    model = archdsl.load(name).eval()
    archdsl.save_pretrained(model, tmp_path / "m")
    again = archdsl.from_pretrained(tmp_path / "m")
    x = torch.randn(1, 3, 96, 96)
    assert torch.equal(again(x), model(x))
    texts = sorted(path.name for path in (tmp_path / "m").glob("*.arch"))
    assert run(["check", *(str(tmp_path / "m" / text) for text in texts)]) == 0


def test_the_command_line_reads_the_text(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archdsl.save_pretrained(trained(spec), tmp_path / "m")
    assert run(["check", str(tmp_path / "m" / "mine.arch")]) == 0
    assert run(["show", f"{tmp_path / 'm' / 'mine.arch'}:small"]) == 0
    assert "layer2" in capsys.readouterr().out


def test_wrappers_are_taken_off(spec: Path, tmp_path: Path) -> None:
    model = trained(spec)
    wrapped = nn.DataParallel(torch.compile(model, backend="eager"))  # type: ignore[arg-type]
    archdsl.save_pretrained(wrapped, tmp_path / "m")
    assert torch.equal(archdsl.from_pretrained(tmp_path / "m")(X), model(X))


class Squares(Dataset[torch.Tensor]):
    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> torch.Tensor:
        with torch.inference_mode():
            out: torch.Tensor = self.model(torch.full((1, 3, 32, 32), float(index)))
        return out[0]


def test_it_goes_into_other_processes(spec: Path, tmp_path: Path) -> None:
    """Workers that are started by spawn, and pickles, where neither the spec nor the folder is."""
    archdsl.save_pretrained(trained(spec), tmp_path / "m")
    model = archdsl.from_pretrained(tmp_path / "m")
    shutil.rmtree(spec.parent)
    shutil.rmtree(tmp_path / "m")
    assert torch.equal(pickle.loads(pickle.dumps(model))(X), model(X))
    loader = DataLoader(Squares(model), batch_size=2, num_workers=1, multiprocessing_context="spawn")
    (found,) = loader
    assert torch.equal(found, torch.stack([Squares(model)[0], Squares(model)[1]]))
    archdsl.save_pretrained(model, tmp_path / "again")
    assert torch.equal(archdsl.from_pretrained(tmp_path / "again")(X), model(X))


def test_what_was_changed_by_hand_is_not_saved(spec: Path, tmp_path: Path) -> None:
    """It would come back as another network, in silence; each says what differs, and nothing is written."""

    def changed(change: object) -> nn.Module:
        model = trained(spec)
        change(model)  # type: ignore[operator]
        return model

    class Derived(type(trained(spec))):  # type: ignore[misc]
        pass

    cases = {
        "is a GELU": lambda m: setattr(m.stem, "2", nn.GELU()),
        "`p` of": lambda m: [setattr(each, "p", 0.5) for each in m.modules() if type(each).__name__ == "DropPath"],
        "`eps` of `stem.1`": lambda m: setattr(m.stem[1], "eps", 1e-3),
        "`stride` of `down`": lambda m: setattr(m.down, "stride", (1, 1)),
        "`fc.0` is not in its spec": lambda m: setattr(m, "fc", nn.Sequential(m.fc)),
        "`layer1.1`": lambda m: m.layer1.pop(1),
        "the weights of `down`": lambda m: setattr(m.down, "bias", None),
        "`forward` of the model was replaced": lambda m: setattr(m, "forward", m.forward_features),
        "`forward_features` of the model was replaced": lambda m: setattr(m, "forward_features", nn.Identity().forward),
        "`_conv_forward` of `down`": lambda m: setattr(m.down, "_conv_forward", lambda *_: None),
        "`pretrained_cfg` is not": lambda m: setattr(m, "pretrained_cfg", {"crop_pct": "all"}),
        "`down.weight` is held as sparse_coo": lambda m: setattr(
            m.down, "weight", nn.Parameter(m.down.weight.detach().to_sparse())
        ),
        "`down.weight` holds float8_e4m3fn numbers": lambda m: setattr(
            m.down.weight, "data", m.down.weight.detach().to(torch.float8_e4m3fn)
        ),
        "`down.weight` holds complex64 numbers": lambda m: m.down.to(torch.complex64),
        "`layer1.0.conv1.weight` and `layer1.1.conv1.weight` are one weight": lambda m: setattr(
            m.layer1[1].conv1, "weight", m.layer1[0].conv1.weight
        ),
        "`extra`": lambda m: m.register_module("extra", nn.ReLU()),
    }
    for words, change in cases.items():
        assert words in refused("E638", changed(change), tmp_path / "m"), words
    assert "no model that archdsl made" in refused("E638", Derived(), tmp_path / "m")
    assert "no model that archdsl made" in refused("E638", nn.Linear(1, 1), tmp_path / "m")
    assert "no model that archdsl made" in refused("E638", trained(spec).layer1[0], tmp_path / "m")
    assert "meta device" in refused("E638", archdsl.load(spec, "small", device="meta"), tmp_path / "m")
    assert not (tmp_path / "m").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["specs"]


def test_what_changes_no_number_is_no_change(spec: Path, tmp_path: Path) -> None:
    model = trained(spec)
    model.fc.requires_grad_(False)
    model.train().set_grad_checkpointing()
    model.epoch, model.notes = 3, {"lr": 0.1}
    model.pretrained_cfg = {**model.pretrained_cfg, "mean": (0.1, 0.2, 0.3)}
    model.register_forward_hook(lambda *_: None)
    model = model.to(memory_format=torch.channels_last)
    archdsl.save_pretrained(model, tmp_path / "m")
    again = archdsl.from_pretrained(tmp_path / "m").state_dict()
    assert all(torch.equal(again[key], value) for key, value in model.state_dict().items())


def test_weights_in_one_piece_of_memory(spec: Path, tmp_path: Path) -> None:
    """Views of one vector, as of an optimizer that keeps one, and one number that stands for many."""
    model = trained(spec)
    nn.utils.vector_to_parameters(nn.utils.parameters_to_vector(model.parameters()), model.parameters())
    model.down.weight = nn.Parameter(torch.ones(1).expand_as(model.down.weight))
    archdsl.save_pretrained(model, tmp_path / "m")
    again = archdsl.from_pretrained(tmp_path / "m").state_dict()
    assert all(torch.equal(again[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("cfg", [None, "resnet"])
def test_a_model_that_says_nothing_of_its_weights(spec: Path, tmp_path: Path, cfg: object) -> None:
    model = trained(spec)
    model.pretrained_cfg = cfg
    archdsl.save_pretrained(model, tmp_path / "m")
    assert archdsl.from_pretrained(tmp_path / "m").pretrained_cfg["num_classes"] == model.num_classes


def test_nothing_of_others_is_overwritten(spec: Path, tmp_path: Path) -> None:
    model = trained(spec)
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "train.log").write_text("loss")
    archdsl.save_pretrained(model, folder)  # beside what is there
    archdsl.save_pretrained(model, folder)  # in place of what it wrote
    (folder / "README.md").write_text("My bees.")
    archdsl.save_pretrained(model, folder)
    assert (folder / "README.md").read_text() == "My bees."
    assert (folder / "train.log").read_text() == "loss"
    text = folder / "mine.arch"
    text.write_text(text.read_text() + "# mine\n")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "changed since" in refused("E639", trained(spec, classes=2), folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    archdsl.save_pretrained(trained(spec, classes=2), folder, overwrite=True)
    assert archdsl.from_pretrained(folder).num_classes == 2
    archdsl.save_pretrained(archdsl.load("squeezenet1_1"), folder)
    assert not text.exists()  # what was its own and belongs to no model any more
    assert not (folder / "parts" / "units.arch").exists()
    assert (folder / "train.log").exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "mine.arch"])
def test_a_file_of_somebody_else(spec: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / name).write_text("{}")
    assert "did not write it" in refused("E639", trained(spec), tmp_path / "m")
    assert [path.name for path in (tmp_path / "m").iterdir()] == [name]


def test_whole_or_not_at_all(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in the middle leaves nothing, or the folder as it was."""
    import safetensors.torch

    model = trained(spec)
    archdsl.save_pretrained(model, tmp_path / "old")
    before = {path: path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    for folder in ("new", "old"):
        assert "No space left" in refused("E607", trained(spec, classes=2), tmp_path / folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "specs"]
    assert {path: path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()} == before
    monkeypatch.undo()
    (tmp_path / "file").write_text("x")
    assert "it is a file" in refused("E607", model, tmp_path / "file")


def test_without_its_config_a_folder_is_no_model(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while files are put in the place of old ones: half of each is never taken for a model."""
    import os

    archdsl.save_pretrained(trained(spec), tmp_path / "m")
    real, count = os.replace, iter(range(100))

    def killed(*arguments: str) -> None:
        if next(count) == 2:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        archdsl.save_pretrained(trained(spec, classes=2), tmp_path / "m")
    monkeypatch.undo()
    with pytest.raises(ArchError) as caught:
        archdsl.from_pretrained(tmp_path / "m")
    assert caught.value.diagnostics[0].code == "E633"
    assert "no config.json" in str(caught.value)


def test_a_digest_tells_networks_apart(spec: Path) -> None:
    """By what they compute; the text around it does not matter."""
    one = fingerprint(archdsl.find(spec, "small").graph)
    assert one == fingerprint(archdsl.find(spec, "small").traced())
    spec.write_text(spec.read_text().replace("these tests", "other tests") + "# more\n")
    assert fingerprint(archdsl.find(spec, "small").graph) == one
    others = [{"act": "gelu"}, {"width": "10"}, {"classes": "4"}]
    assert len({one, *(fingerprint(archdsl.find(spec, "small").set(given).graph) for given in others)}) == 4
    spec.write_text(spec.read_text().replace("0.1)]", "0.2)]"))
    assert fingerprint(archdsl.find(spec, "small").graph) != one
