"""Models to and from a hub, which is a server on the loopback here; huggingface_hub itself is the real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from tests.pretrained.hub import Hub, serving
from tests.pretrained.specs import trained, write_spec

X = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    import huggingface_hub.constants as constants

    with serving() as hub:
        for name, value in {
            "ENDPOINT": hub.url,
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_PROGRESS_BARS": True,
            "HF_HUB_DISABLE_XET": True,
            "HUGGINGFACE_CO_URL_TEMPLATE": hub.url + "/{repo_id}/resolve/{revision}/{filename}",
        }.items():
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield hub


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "specs")


def refused(code: str, repo: str, **options: str) -> Diagnostic:
    with pytest.raises(ArchError) as caught:
        archdsl.from_pretrained(repo, **options)  # type: ignore[arg-type]
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert repo in found.message or code not in ("E640", "E530")
    return found


def test_there_and_back(hub: Hub, spec: Path, tmp_path: Path) -> None:
    """Of a repository our files are fetched, and no others; a second commit is another model."""
    model = trained(spec)
    address = archdsl.push_to_hub(model, "me/bees", private=True, license="mit", labels=list("abcde"))
    assert address == f"{hub.url}/me/bees/commit/{hub.sha('me/bees', 1)}"
    assert hub.created["me/bees"].get("visibility") == "private" or hub.created["me/bees"]["private"]
    files = hub.commits["me/bees"][-1]
    assert sorted(files) == ["README.md", "config.json", "mine.arch", "model.safetensors", "parts/units.arch"]
    assert b'from_pretrained("me/bees")' in files["README.md"]
    assert not list(tmp_path.glob("archdsl-*"))
    old = hub.commit(
        "me/bees", {**files, "README.md": b"My bees.", "evil.py": b"1/0", "other.arch": b"x", "a.bin": b"x"}
    )
    again = archdsl.from_pretrained("me/bees")
    assert torch.equal(again(X), model(X))
    assert again.pretrained_cfg["label_names"] == list("abcde")
    assert hub.fetched() == ["config.json", "mine.arch", "model.safetensors", "parts/units.arch"]

    archdsl.push_to_hub(trained(spec, classes=2), "me/bees", message="two")
    assert hub.commits["me/bees"][-1]["README.md"] == b"My bees."  # a person's words
    assert archdsl.from_pretrained("me/bees").num_classes == 2
    assert archdsl.from_pretrained("me/bees", revision=old).num_classes == 5
    archdsl.save_pretrained(again, tmp_path / "m")
    assert torch.equal(archdsl.from_pretrained(tmp_path / "m")(X), model(X))


def test_without_a_network(hub: Hub, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the cache is taken, what is not is an error that says why."""
    import huggingface_hub.constants as constants

    model = trained(spec)
    archdsl.push_to_hub(model, "me/bees")
    archdsl.from_pretrained("me/bees")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert torch.equal(archdsl.from_pretrained("me/bees")(X), model(X))
    assert "HF_HUB_OFFLINE" in refused("E640", "me/wasps").message


def test_what_is_not_there(hub: Hub, spec: Path) -> None:
    found = refused("E640", "me/nothing")
    assert hub.url in found.message
    archdsl.push_to_hub(trained(spec), "me/bees")
    refused("E640", "me/bees", revision="no-such")
    hub.commit("me/else", {"README.md": b"x", "modeling.py": b"x"})
    assert "me/else: it has no config.json" in refused("E633", "me/else").message
    files = hub.commits["me/bees"][-1]
    hub.commit("me/half", {name: data for name, data in files.items() if name != "model.safetensors"})
    refused("E636", "me/half")
    hub.commit("me/theirs", {"config.json": b'{"model_type": "bert"}', "model.safetensors": b"x"})
    with pytest.raises(ArchError) as caught:
        archdsl.from_pretrained("me/theirs")
    assert {found.code for found in caught.value.diagnostics} == {"E634"}
    assert "model.safetensors" not in hub.fetched()  # what it is was clear from its config


@pytest.mark.parametrize("name", ["config.json", "parts/units.arch"])
def test_files_without_end_are_not_fetched(hub: Hub, spec: Path, name: str) -> None:
    archdsl.push_to_hub(trained(spec), "me/bees")
    hub.sizes[name] = 1 << 40
    assert f"me/bees: {name}" in refused("E636", "me/bees").message
    assert name not in hub.fetched()
    hub.sizes.clear()
    archdsl.from_pretrained("me/bees")


def test_a_folder_of_that_name_comes_first(
    hub: Hub, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archdsl.save_pretrained(trained(spec), tmp_path / "me" / "bees")
    monkeypatch.chdir(tmp_path)
    archdsl.from_pretrained("me/bees")
    assert hub.requests == []


def test_an_upload_that_fails(hub: Hub, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("403 Forbidden: you may not write here")

    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", refuse)
    with pytest.raises(ArchError) as caught:
        archdsl.push_to_hub(trained(spec), "me/bees")
    assert "403 Forbidden" in str(caught.value)


def test_without_the_library(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    refused("E530", "me/bees")
    with pytest.raises(ArchError) as caught:
        archdsl.push_to_hub(trained(spec), "me/bees")
    assert caught.value.diagnostics[0].code == "E530"
    assert "written" in caught.value.diagnostics[0].message
