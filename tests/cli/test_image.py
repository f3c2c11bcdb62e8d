"""`--image`: another image than the spec's, for show, build and draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("given", "shape"),
    [("16", [3, 16, 16]), ("16x24", [3, 16, 24]), ("1x16x24", [1, 16, 24]), ("5×16×24", [5, 16, 24])],
)
def test_sizes(arch: Run, given: str, shape: list[int]) -> None:
    shown = arch("show", "small.arch:small", "--image", given, "--json").json
    assert shown["variant"]["input"] == shape
    assert shown["layers"][0]["output"] == shape


@pytest.mark.parametrize("given", ["", "0", "-3", "a", "3x", "1x2x3x4", "16.5", "٣"])
def test_what_is_no_size(arch: Run, given: str) -> None:
    ended = arch("show", "small.arch:small", "--image", given)
    assert ended.code == 2
    assert "is not a size" in ended.err


def test_an_image_that_is_too_small_is_a_finding(arch: Run) -> None:
    ended = arch("show", "inception_v3", "--image", "60")
    assert (ended.code, ended.out) == (1, "")
    assert "error[E204]" in ended.err


def test_the_source_is_for_that_image(arch: Run) -> None:
    ended = arch("build", "small.arch:small", "--image", "1x16x16", "-o", "net.py")
    assert ended.code == 0
    text = Path("net.py").read_text(encoding="utf-8")
    assert "at 1×16×16." in text
    assert "nn.Conv2d(1," in text


def test_all_variants_are_compared_for_one_image(arch: Run) -> None:
    shown = arch("show", "small.arch", "--image", "16", "--json").json
    assert [variant["input"] for variant in shown["variants"]] == [[3, 16, 16]] * 2
