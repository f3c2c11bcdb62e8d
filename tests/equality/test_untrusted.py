"""Nothing that a spec names makes `archdsl verify` reach a network or read a file: libraries do, by name and argument.

The audit hook sees every attempt of the interpreter, whatever code makes it, also those that fail.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.graph.reference import LIBRARIES, Comparison, Reference
from archdsl.verify import libraries
from archdsl.verify.compare import compare

_watched: list[tuple[str, str]] | None = None
_CANARY = "canary-of-test-untrusted"


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is None:
        return
    if event.startswith("socket.") and event != "socket.__new__":
        _watched.append((event, str(arguments[1:])))
    if event in ("open", "os.listdir", "os.mkdir") and _CANARY in str(arguments[0]):
        _watched.append((event, str(arguments[0])))


@pytest.fixture(scope="module", autouse=True)
def _audited() -> None:
    sys.addaudithook(_hook)  # for the rest of the process; it does nothing but in these tests


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """What was tried of the network, and of paths with the canary in them. Sockets fail."""
    global _watched

    def refused(*_: Any, **__: Any) -> Any:
        assert _watched is not None
        _watched.append(("socket", "patched"))
        raise OSError("no network in this test")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    for name in ("getaddrinfo", "create_connection", "gethostbyname"):
        monkeypatch.setattr(socket, name, refused)
    _watched = []
    yield _watched
    _watched = None


def hostile(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Names and arguments by which one library or another loads weights."""
    return [
        ("hf-hub:a/b", {}),
        ("hf_hub:a/b", {}),
        (f"local-dir:{path}", {}),
        (str(path), {}),
        ("resnet18.a1_in1k", {}),
        ("resnet18", {"checkpoint_path": str(path)}),
        ("resnet18", {"pretrained": True}),
        ("resnet18", {"weights": "DEFAULT"}),
        ("resnet18", {"root": str(path)}),
        ("resnet18", {"cache_dir": str(path)}),
        ("resnet18", {"pretrained_cfg_overlay": {"file": str(path)}}),
        ("efficientnet-lite0", {"weights_path": str(path)}),
    ]


@pytest.mark.parametrize("library", LIBRARIES)
def test_hostile_references_made_in_python(library: str, tmp_path: Path, attempts: list[tuple[str, str]]) -> None:
    """Past `check`, which refuses them in a spec."""
    path = tmp_path / _CANARY / "weights.pth"
    path.parent.mkdir()
    path.write_bytes(b"")
    attempts.clear()
    variant = archdsl.find("resnet18")
    for name, arguments in hostile(path):
        result = compare(variant, Reference(library, name, arguments, Comparison()))
        assert [finding.check for finding in result.findings] == ["model"]
        assert "plain name" in result.findings[0].detail or "passed on" in result.findings[0].detail
    assert attempts == []


@pytest.mark.parametrize(
    ("library", "name"),
    [
        ("torchvision", "fasterrcnn_resnet50_fpn"),  # asks for its backbone's weights, unless told not to
        ("torchvision", "deeplabv3_resnet50"),
        ("timm", "os"),
        ("pytorchcv", "get_model"),
        ("efficientnet_lite_pytorch", "efficientnet-l2"),
    ],
)
def test_only_classifiers_of_the_library(library: str, name: str, attempts: list[tuple[str, str]]) -> None:
    with pytest.raises(libraries.LibraryRefused, match=f"{library} has no classifier {name}"):
        libraries.reference_model(Reference(library, name, {}, Comparison()))
    assert attempts == []


@pytest.mark.parametrize(
    ("library", "name"), [("torchvision", "resnet18"), ("timm", "resnet26"), ("pytorchcv", "bninception")]
)
def test_an_honest_reference_reaches_no_network(library: str, name: str, attempts: list[tuple[str, str]]) -> None:
    result = compare(archdsl.find(name), Reference(library, name, {}, Comparison()), numbers=False)
    assert result.verdict == "equal"
    assert attempts == []


def test_the_hook_sees_attempts(
    tmp_path: Path, attempts: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the libraries do when they are given such an argument."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / f"{_CANARY}.safetensors"
    path.write_bytes(b"")
    with pytest.raises(Exception, match=r"\S"):
        libraries.built("timm", "resnet18", {"checkpoint_path": str(path)})
    assert {event for event, _ in attempts} == {"open"}
    with pytest.raises(Exception, match=r"no network"):
        libraries.built("torchvision", "fasterrcnn_resnet50_fpn", {})
    assert {event for event, _ in attempts} >= {"open", "socket"}
