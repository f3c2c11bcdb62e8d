"""What readers see: tables in terminals of two widths, in pipes, with and without colour."""

from __future__ import annotations

import re
import unicodedata

import pytest

from tests.cli.conftest import SMALL, Run

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def widths(text: str) -> list[int]:
    plain = _ESCAPES.sub("", text)
    return [sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in plain.splitlines()]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "args",
    [
        "list",
        "weights resnet50",
        "show resnet",
        "show densenet161",
        "show efficientnet_b7",
        "show densenet201 --layers",
        "explain E101",
    ],
)
def test_fits_a_terminal_and_cuts_nothing(arch: Run, monkeypatch: pytest.MonkeyPatch, args: str, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = arch(*args.split())
    assert result.code == 0
    assert max(widths(result.out)) <= columns
    assert "…" not in result.out
    assert "\x1b[" in result.out


@pytest.mark.parametrize("columns", [None, 90])
@pytest.mark.parametrize(
    "args",
    [
        "list",
        "weights resnet50",
        "show resnet18 --costs",
        "diff resnet18 resnet34",
        "recipe resnet",
        "recipe resnet a1",
    ],
)
def test_no_line_ends_in_blanks(arch: Run, monkeypatch: pytest.MonkeyPatch, args: str, columns: int | None) -> None:
    if columns is not None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("FORCE_COLOR", "1")
    lines = _ESCAPES.sub("", arch(*args.split()).out).splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


def test_stage_names_are_whole_in_80_columns(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "features.transition3" in arch("show", "densenet161").out


def test_a_pipe_gets_no_colour_and_whole_lines(arch: Run) -> None:
    long = SMALL.replace("stage1", "a_name_so_long_" * 8 + "that_it_fits_no_terminal")
    out = arch("show", "-:small", stdin=long).out
    assert "\x1b" not in out
    assert "a_name_so_long_" * 8 + "that_it_fits_no_terminal" in out


def test_a_narrow_terminal_folds_and_loses_nothing(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "abcdefghij" * 8
    monkeypatch.setenv("COLUMNS", "60")
    out = arch("show", "-:small", stdin=SMALL.replace("stage1", name)).out
    assert max(widths(out)) <= 60
    pieces = [
        line.split()[0]
        for line in out.splitlines()
        if line[:1] in tuple(name) and not line.startswith(("input", "head"))
    ]
    assert name in "".join(pieces)


def test_no_color(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = arch("check", "wrong.arch").out
    assert "error[E101]" in _ESCAPES.sub("", out)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", out)


def test_list_names_everything(arch: Run) -> None:
    out = arch("list").out
    for name in ("resnet50", "wide_resnet101_2", "densenet121", "convnext_tiny", "efficientnet_b0"):
        assert f"  {name} " in out
    assert "25,557,032" in out  # torchvision's num_params of ResNet-50
    assert "Deep Residual Learning for Image Recognition (He et al., 2015)" in out


def test_published_accuracies(arch: Run) -> None:
    claimed = SMALL + "expect large { top1 = 76.1 }\n"
    table = arch("show", "-", stdin=claimed).out.splitlines()
    assert table[2].split()[-1] == "top-1"
    last = {line.split()[0]: line.split()[-1] for line in table if line.startswith(("small", "large"))}
    assert last["large"] == "76.1%"
    assert last["small"] != "76.1%"
    assert "published top-1 76.1%" in arch("show", "-:large", stdin=claimed).out
    assert "top-1" not in arch("show", "-:large", "--set", "width=16", stdin=claimed).out
    assert "top-1" not in arch("show", "-", stdin=SMALL).out
    assert [v["top1"] for v in arch("show", "-", "--json", stdin=claimed).json["variants"]] == [None, 76.1]


def test_layers(arch: Run) -> None:
    out = arch("show", "resnet18", "--layers").out
    downsample = next(line for line in out.splitlines() if line.startswith("layer2.0.downsample.0 "))
    assert downsample.split()[-4:-1] == ["128×28×28", f"{64 * 128:,}", f"{64 * 128 * 28 * 28 / 1e6:.3f}"]
    assert out.splitlines()[0].startswith("resnet18 = ResNet(unit = Basic, depths = [2, 2, 2, 2])")


def test_explain_in_a_pipe_is_markdown(arch: Run) -> None:
    assert arch("explain", "e101").out.startswith("# E101: ")


def test_help_names_every_command(arch: Run) -> None:
    out = arch("--help").out
    for name in ("build", "check", "show", "list", "predict", "convert", "fmt", "explain"):
        assert re.search(rf"^  {name} +\S.*[^.…]\.$", out, re.MULTILINE), name
