"""`archdsl weights`: what is published, as a table and as JSON, without fetching anything."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.cli.documents.weights import WeightsDocument
from tests.cli.conftest import SMALL, Run
from tests.cli.test_json import problems

LISTED = (
    SMALL
    + """
preprocess Net { size = 16, labels = "imagenet1k" }
weights own for large {
  v1:    url = "https://example.org/large-0123abcd.pth", sha256 = "0123abcd", mib = 0.25, top1 = 61.2
  v2:    hub = "example/large", top1 = 63.5, top1_size = 24, default = true
  in21k: file = "wide.pth", classes = 21_841
  no:    file = "no.pth", classes = 0, refused = "it is another network"
}
"""
)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise AssertionError("a network is asked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if "/" in line]


def test_table(arch: Run) -> None:
    Path("listed.arch").write_text(LISTED)
    result = arch("weights", "listed.arch:large")
    assert result.code == 0
    params = archdsl.find("listed.arch", "large").graph.params
    assert rows(result.out) == [
        ["own/large.v1", "61.20%", "16", "10", "0.2"],
        ["own/large.v2", "63.50%", "24", "10", f"~{4 * params / 2**20:.0f}", "default"],
        ["own/large.in21k", "21,841", f"~{4 * params / 2**20:.0f}"],
        ["own/large.no", "none", f"~{4 * params / 2**20:.0f}", "refused"],
    ]


def test_a_file_has_all_its_variants(arch: Run) -> None:
    Path("listed.arch").write_text(LISTED)
    text = arch("weights", "listed.arch").out
    assert "small: no weights are listed" in text
    assert rows(text) == rows(arch("weights", "listed.arch:large").out)
    assert len(rows(arch("weights", "resnet").out)) > len(rows(arch("weights", "resnet50").out)) > 15
    assert arch("weights", "small.arch").out.count("no weights are listed") == 2


def test_everything_that_is_shipped(arch: Run) -> None:
    names = [row[0] for row in rows(arch("weights").out)]
    assert {"torchvision/resnet18.IMAGENET1K_V1", "timm/resnet50.a1_in1k"} <= set(names)
    assert len(names) > 400


def test_json(arch: Run) -> None:
    Path("listed.arch").write_text(LISTED)
    result = arch("weights", "listed.arch", "--json")
    assert problems(result.json, WeightsDocument) == []
    first, second, wide, refused = result.json["published"]
    assert (first["name"], first["variant"], first["mib"], first["sha256"]) == (
        "own/large.v1",
        "large",
        0.25,
        "0123abcd",
    )
    assert (second["hub"], second["top1_size"], second["default"]) == ("example/large", 24, True)
    assert (wide["classes"], wide["preprocess"]["labels"], first["preprocess"]["labels"]) == (21841, None, "imagenet1k")
    assert refused["refused"] == "it is another network"
    assert first["preprocess"]["size"] == [16, 16]


def test_errors(arch: Run) -> None:
    Path("wrong-list.arch").write_text(LISTED.replace("mib", "mb"))
    result = arch("weights", "wrong-list.arch")
    assert result.code == 1
    assert "E420" in result.err
    assert arch("weights", "resnet51").code == 2
