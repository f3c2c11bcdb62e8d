"""`archdsl.load(…, weights=NAME)` of shipped specs: files as the libraries write them, from a hub on the loopback or in
torch's cache, compute what the libraries compute."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import archdsl
from archdsl.verify.randomize import randomize
from archdsl.weights import download
from tests.libraries import reference_model
from tests.weights.server import Server, serving


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Hugging Face's, on the loopback; huggingface_hub reads its environment once, so what it read is changed."""
    import huggingface_hub
    import huggingface_hub.constants

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    with serving() as made:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", made.url)
        template = made.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield made
    huggingface_hub.close_session()


def library_model(library: str, name: str, **given: Any) -> Any:
    model = reference_model(library, name, **given)
    randomize(model)
    return model.eval()


def same(ours: Any, theirs: Any, size: int) -> None:
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(ours.eval()(image), theirs(image))


@pytest.mark.parametrize(
    ("variant", "name", "classes"),
    [
        ("resnet18", "timm/resnet18.a1_in1k", 1000),
        ("mobilenetv3_large_100", "miil_in21k", 11221),
    ],
)
def test_from_the_hub(hub: Server, tmp_path: Path, variant: str, name: str, classes: int) -> None:
    theirs = library_model("timm", variant, num_classes=classes)
    save_file(theirs.state_dict(), tmp_path / "file.safetensors")
    entry = archdsl.find(variant).weights[name]
    assert entry.hub is not None
    hub.serve_hub(entry.hub, "model.safetensors", (tmp_path / "file.safetensors").read_bytes())
    ours: Any = archdsl.load(variant, weights=name)
    assert len(hub.gets("/cdn/")) == 1
    same(ours, theirs, 96)
    again: Any = archdsl.load(variant, weights=name, classes=3)
    assert len(hub.gets("/cdn/")) == 1  # it is in the cache
    assert again(torch.rand(2, 3, 64, 64)).shape == (2, 3)


def test_the_names_in_torchvisions_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DenseNet's are from before torch 0.4.1: dots in the names of layers, no counts."""
    theirs = library_model("torchvision", "densenet121")
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", key): tensor
        for key, tensor in theirs.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    monkeypatch.setattr(download, "fetch_url", _given(old, tmp_path / "densenet121-a639ec97.pth"))
    same(archdsl.load("densenet121", weights="default"), theirs, 64)


def test_files_with_auxiliary_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision's have them; a network without them leaves them aside, one that has them takes them."""
    theirs = library_model("torchvision", "googlenet", aux_logits=True)
    monkeypatch.setattr(download, "fetch_url", _given(theirs.state_dict(), tmp_path / "file.pth"))
    same(archdsl.load("googlenet", weights="IMAGENET1K_V1"), theirs, 64)
    whole: Any = archdsl.load("googlenet", weights="IMAGENET1K_V1", aux_heads=True)
    assert whole.state_dict().keys() == theirs.state_dict().keys()


@pytest.mark.parametrize(("name", "crop"), [("googlenet", 224), ("inception_v3", 299)])
def test_torchvisions_that_normalize_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, crop: int
) -> None:
    """With weights torchvision builds them with `transform_input`: the same pictures give the same."""
    from torchvision.models import get_model_weights

    theirs = library_model("torchvision", name, aux_logits=True, transform_input=True)
    monkeypatch.setattr(download, "fetch_url", _given(theirs.state_dict(), tmp_path / "file.pth"))
    weights: Any = get_model_weights(name)
    picture = Image.effect_noise((400, 360), 60).convert("RGB")
    found = archdsl.find(name).weights.default.transform(picture)[None]  # type: ignore[union-attr]
    expected = weights.DEFAULT.transforms()(picture)[None]
    assert found.shape == expected.shape == (1, 3, crop, crop)
    ours: Any = archdsl.load(name, weights="default")
    with torch.inference_mode():
        result, wanted = ours.eval()(found), theirs(expected)
    assert torch.allclose(result, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))


def test_another_file_in_its_place_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in torch's cache under the published name has another hash, and there is no network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    place = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    place.parent.mkdir(parents=True)
    torch.save(library_model("torchvision", "squeezenet1_1").state_dict(), place)
    from archdsl.weights.download import Patience
    from archdsl.weights.download import fetch_url as fetch

    quick = Patience(tries=1, timeout=1.0, delay=0.01, longest=0.1)
    monkeypatch.setattr(download, "fetch_url", lambda *given, **more: fetch(*given, patience=quick, **more))
    with pytest.raises(archdsl.ArchError) as caught:
        archdsl.load("squeezenet1_1", weights="default")
    assert "b8a52dc0" in str(caught.value)


def _given(state: dict[str, torch.Tensor], path: Path) -> Any:
    """Gives this file, whatever is asked for."""

    def fetch(url: str, digits: str, **more: Any) -> Path:
        torch.save(state, path)
        return path

    return fetch
