"""`archdsl.load(…, weights=NAME)`: what a name means, which map is taken, how many classes there are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl.weights import download, save_weights

NET = """
model Net(classes: int = 10) = image(3, 32, 32) -> stem: conv(8, 3) -> gap -> flatten -> fc: linear(classes)
variant net = Net
checkpoint theirs for Net { "conv" = "stem" }
weights own for net {
  v1:    file = "v1.safetensors", default = true
  in21k: file = "in21k.pth", classes = 21
  tf:    file = "tf.pth", label_offset = 1
  none:  file = "none.pth", classes = 0
  gone:  file = "gone.pth"
  bad:   file = "v1.safetensors", sha256 = "00000000"
  no:    file = "v1.safetensors", refused = "its classifier is another"
}
weights theirs for net = "big" {
  v1: file = "theirs.pth"
}
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A spec with the files that it lists, in the current folder: all have these weights."""
    monkeypatch.chdir(tmp_path)
    Path("net.arch").write_text(NET)
    variant = archdsl.find("net.arch")
    model: Any = archdsl.load("net.arch")
    state = model.state_dict()
    save_weights(variant, state, "v1.safetensors")
    save_weights(variant, state, "theirs.pth", "theirs")
    wide = archdsl.load("net.arch", classes=21).state_dict()
    torch.save({**state, "fc.weight": wide["fc.weight"], "fc.bias": wide["fc.bias"]}, "in21k.pth")
    background = {
        key: torch.cat([torch.full_like(state[key][:1], 9.0), state[key]]) for key in ("fc.weight", "fc.bias")
    }
    torch.save({**state, **background}, "tf.pth")
    torch.save({key: value for key, value in state.items() if not key.startswith("fc")}, "none.pth")
    return model


def equal(one: Any, other: Any, *, head: bool = True) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return all(torch.equal(first[key], second[key]) for key in first if head or not key.startswith("fc"))


def refused(code: str, **options: Any) -> archdsl.ArchError:
    with pytest.raises(archdsl.ArchError) as caught:
        archdsl.load("net.arch", **options)
    assert [d.code for d in caught.value.diagnostics] == [code]
    return caught.value


@pytest.mark.parametrize("name", ["default", "own/net.v1", "theirs/big.v1", "big.v1", "tf", "own/net.tf"])
def test_by_name(model: Any, name: str) -> None:
    """`tf` has a class in front that is none: its row is dropped."""
    assert equal(archdsl.load("net.arch", weights=name), model)


def test_the_map_is_that_of_the_library_and_no_other(model: Any) -> None:
    """A file is not taken in other names than those that the spec states, though its map would be found."""
    Path("theirs.pth").write_bytes(Path("in21k.pth").read_bytes())
    with pytest.raises(archdsl.ArchError):
        archdsl.load("net.arch", weights="theirs/big.v1", classes=21)
    assert archdsl.load("net.arch", weights="./theirs.pth", classes=21)
    save_weights(archdsl.find("net.arch"), model.state_dict(), "v1.safetensors", "theirs")
    with pytest.raises(archdsl.ArchError):
        archdsl.load("net.arch", weights="own/net.v1")
    assert archdsl.load("net.arch", weights="./v1.safetensors")


def test_classes_are_those_of_the_file(model: Any) -> None:
    wide: Any = archdsl.load("net.arch", weights="in21k")
    assert wide.fc.out_features == 21
    assert equal(wide, model, head=False)
    assert torch.equal(wide.fc.weight, torch.load("in21k.pth")["fc.weight"])
    new: Any = archdsl.load("net.arch", weights="in21k", classes=3)
    assert new.fc.out_features == 3
    assert equal(new, model, head=False)
    same: Any = archdsl.load("net.arch", weights="tf", classes=10)
    assert equal(same, model)
    assert archdsl.load("net.arch", weights="tf", classes=4).get_submodule("fc").out_features == 4


def test_features_need_no_classifier(model: Any) -> None:
    Path("staged.arch").write_text(NET.replace("-> gap", "-> stage body: relu -> gap"))
    for name in ("v1", "in21k", "none", "tf"):
        found = archdsl.load("staged.arch", weights=f"own/net.{name}", features=True)
        assert list(found.state_dict()) == ["stem.weight", "stem.bias"]
        assert torch.equal(found.state_dict()["stem.weight"], model.stem.weight)


def test_no_classifier(model: Any) -> None:
    error = refused("E521", weights="none")
    assert "classes" in str(error.diagnostics[0].help)
    assert equal(archdsl.load("net.arch", weights="none", classes=10), model, head=False)


def test_unknown_and_ambiguous(model: Any) -> None:
    error = refused("E519", weights="own/net.v3")
    assert "own/net.v1" in str(error.diagnostics[0].help)
    assert "file" in error.diagnostics[0].message
    assert "theirs/big.v1" in refused("E520", weights="v1").diagnostics[0].message
    Path("in21k").write_bytes(b"")
    refused("E520", weights="in21k")
    refused("E504", weights="./in21k")
    refused("E504", weights=Path("in21k"))
    refused("E504", weights="missing.pth")
    Path("plain").write_bytes(Path("in21k.pth").read_bytes())
    assert archdsl.load("net.arch", weights="plain", classes=21)


def test_what_stands_in_the_way(model: Any) -> None:
    assert "its classifier is another" in refused("E521", weights="no").diagnostics[0].message
    assert "gone.pth" in refused("E521", weights="gone").diagnostics[0].message
    found = hashlib.sha256(Path("v1.safetensors").read_bytes()).hexdigest()
    assert found in refused("E521", weights="bad").diagnostics[0].message
    Path("gone.pth").symlink_to("/etc/hostname")
    assert "leads out" in refused("E521", weights="gone").diagnostics[0].message
    with pytest.raises(TypeError, match="known how"):
        archdsl.load("net.arch", weights="default", checkpoint="theirs")


def test_no_default(model: Any) -> None:
    Path("net.arch").write_text(NET.replace(", default = true", ""))
    refused("E519", weights="default")
    Path("net.arch").write_text(NET[: NET.index("weights own")])
    assert "nothing is published" in str(refused("E519", weights="default").diagnostics[0].help)


def test_what_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Addresses go to torch.hub's folder, repositories to the hub's; with the hash that the spec states."""
    asked: list[tuple[Any, ...]] = []

    def fetch(*given: Any, algorithm: str, **options: Any) -> Path:
        asked.append((*given, algorithm))
        return tmp_path

    monkeypatch.setattr(download, "fetch_url", fetch)
    monkeypatch.setattr(download, "fetch_hub", fetch)
    text = """
    weights own for net {
      a: url = "https://a.org/b.pth", sha256 = "01234567"
      b: url = "https://a.org/b.pth.zip", sha1 = "89abcdef"
      c: hub = "a/b", revision = "main"
      d: hub = "a/b", file = "c.bin"
    }"""
    (tmp_path / "net.arch").write_text(NET[: NET.index("weights own")] + text)
    for entry in archdsl.find(tmp_path / "net.arch").weights.values():
        assert entry.fetch() == tmp_path
    assert asked == [
        ("https://a.org/b.pth", "01234567", "sha256"),
        ("https://a.org/b.pth.zip", "89abcdef", "sha1"),
        ("a/b", "model.safetensors", "main", None, "sha256"),
        ("a/b", "c.bin", None, None, "sha256"),
    ]


def test_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of an installed package; the package is not imported."""
    import sys

    folder = tmp_path / "site"
    (folder / "someweights-1.0.dist-info").mkdir(parents=True)
    (folder / "someweights-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: someweights\nVersion: 1.0\n"
    )
    (folder / "someweights-1.0.dist-info" / "RECORD").write_text("someweights/net.pth,,\n")
    (folder / "someweights").mkdir()
    (folder / "someweights" / "__init__.py").write_text("raise RuntimeError")
    (folder / "someweights" / "net.pth").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    text = f'weights own for net {{ a: package = "someweights", file = "someweights/net.pth", sha256 = "{digest}" }}'
    (tmp_path / "net.arch").write_text(NET[: NET.index("weights own")] + text)
    entry = archdsl.find(tmp_path / "net.arch").weights["a"]
    with pytest.raises(archdsl.ArchError) as caught:
        entry.fetch()
    assert caught.value.diagnostics[0].help == "pip install someweights"
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    assert entry.fetch() == folder / "someweights" / "net.pth"
    path = folder / "someweights" / "net.pth"

    def why() -> str:
        with pytest.raises(archdsl.ArchError) as caught:
            entry.fetch()
        assert caught.value.diagnostics[0].code == "E521"
        return str(caught.value)

    path.write_bytes(b"other")
    assert hashlib.sha256(b"other").hexdigest() in why()
    path.unlink()
    assert "net.pth cannot be read: No such file" in why()
    (folder / "someweights-1.0.dist-info" / "RECORD").write_text("someweights/other.pth,,\n")
    assert "has no someweights/net.pth in its version 1.0" in why()
    assert "pip install" not in why()


@pytest.mark.parametrize(
    ("name", "names", "rows"),
    [("default", "own", 10), ("theirs/big.v1", "theirs", 10), ("in21k", "own", 21), ("tf", "own", 11)],
)
def test_converted_by_name(model: Any, name: str, names: str, rows: int) -> None:
    """With all classes of the file, the one that is none included: no number is dropped."""
    done = archdsl.find("net.arch").convert(name, "theirs", "out.pth")
    assert (done.names, done.path.rpartition(".")[2] in ("v1", "in21k", "tf")) == (names, True)
    out = torch.load("out.pth")
    assert out["fc.weight"].shape[0] == rows
    assert torch.equal(out["conv.weight"], model.stem.weight)


def test_facts_of_a_file_are_not_those_of_other_parameters(model: Any) -> None:
    """What is set is about the network: a file that does not fit it is refused, not what was set."""
    net = archdsl.find("net.arch").override({"classes": 3})
    assert [net.weights[name].classes for name in ("own/net.v1", "in21k", "none")] == [10, 21, 0]
    for name in ("default", "in21k"):
        with pytest.raises(archdsl.ArchError) as caught:
            net.convert(name, "theirs", "out.pth")
        assert {d.code for d in caught.value.diagnostics} == {"E503"}


def test_what_is_not_converted_by_name(model: Any) -> None:
    net = archdsl.find("net.arch")
    for name, code in (
        ("none", "E521"),
        ("no", "E521"),
        ("bad", "E521"),
        ("own/net.v3", "E519"),
        ("missing.pth", "E504"),
    ):
        with pytest.raises(archdsl.ArchError) as caught:
            net.convert(name, "theirs", "out.pth")
        assert [d.code for d in caught.value.diagnostics] == [code]
        assert not Path("out.pth").exists()
    with pytest.raises(TypeError, match="known how"):
        net.convert("default", "theirs", "out.pth", "own")


def test_a_file_without_the_rows_that_are_to_be_dropped(model: Any) -> None:
    """`label_offset = 1`: the file has a row more than the network, and one that has not is another file."""
    torch.save(model.state_dict(), "tf.pth")
    with pytest.raises(archdsl.ArchError, match="11×8 there") as caught:
        archdsl.load("net.arch", weights="own/net.tf")
    assert [found.code for found in caught.value.diagnostics] == ["E503", "E503"]


def test_the_beginning_of_a_name_is_a_hint(model: Any) -> None:
    assert refused("E519", weights="in").diagnostics[0].help == "did you mean `in21k`?"
    assert refused("E519", weights="net.in").diagnostics[0].help == "did you mean `net.in21k`?"
