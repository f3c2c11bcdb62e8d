"""What commands import: never torch unless a network is run; nothing heavy for nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SMALL_SET = ("torch", "networkx", "numpy", "PIL", "rapidfuzz", "rich")
PROBE = """\
import sys
from archdsl.cli import main
sys.argv = ["archdsl", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    code = end.code
sys.stderr.write("\\n" + " ".join([str(code), *sorted(sys.modules)]))
"""


def modules(tmp_path: Path, *args: str) -> set[str]:
    """The modules that a command imported; the command must have succeeded."""
    run = subprocess.run([sys.executable, "-c", PROBE, *args], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    code, *found = run.stderr.splitlines()[-1].split()
    assert code == "0", run.stderr
    return set(found)


def imported(tmp_path: Path, *args: str) -> set[str]:
    """The packages that a command imported."""
    return {name.partition(".")[0] for name in modules(tmp_path, *args)}


@pytest.mark.parametrize(
    "args",
    [
        "check",
        "check resnet --json",
        "show resnet",
        "show resnet50 --layers",
        "show resnet50 --json",
        "diff resnet50 resnet50",
        "diff resnet50 resnet50 --json",
        "sweep resnet50 --set classes=10,20",
        "scale efficientnet_b0 -o curves.svg",
        "scale mobilenetv1_100 --along width --target macs=600M --json",
        "search resnet stage_ratios --samples 1",
        "list",
        "weights resnet50 --json",
        "explain E101",
        "draw resnet50",
        "draw resnet18 resnet34",
        "draw resnet50 -o a.png",
        "draw resnet50 --level graph",
        "draw resnet50 -o a.html",
        "draw resnet50 -o a.pdf",
        "build resnet50 -o -",
        "build resnet50 --no-proof",
        "build resnet --all -o out --no-proof",
    ],
)
def test_no_torch(args: str, tmp_path: Path) -> None:
    assert "torch" not in imported(tmp_path, *args.split())


def test_no_torch_to_format(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_text("block A = conv(8)\n")
    assert "torch" not in imported(tmp_path, "fmt", "a.arch")


@pytest.mark.parametrize("family", ["resnet", "googlenet"])  # googlenet has several outputs
def test_a_check_without_findings_imports_little(family: str, tmp_path: Path) -> None:
    assert imported(tmp_path, "check", family).isdisjoint(SMALL_SET)


def test_what_is_printed_as_json_is_declared_for_json_alone(tmp_path: Path) -> None:
    """Models of pydantic take their time to make."""
    documents = "archdsl.cli.documents"
    for args in ("check squeezenet", "show squeezenet:squeezenet1_1"):
        assert documents not in modules(tmp_path, *args.split())
    assert documents in modules(tmp_path, "check", "squeezenet", "--json")


def test_a_network_of_one_output_is_written_without_networkx(tmp_path: Path) -> None:
    """Importing it takes longer than to compile a small network, which is loaded as it is written."""
    assert "networkx" not in imported(tmp_path, "build", "resnet18", "-o", "-", "--no-proof")


@pytest.mark.parametrize("level", ["overview", "graph"])
def test_a_drawing_imports_little(level: str, tmp_path: Path) -> None:
    """It takes well under a second, start-up included."""
    heavy = {*SMALL_SET, "lxml", "reportlab", "svglib"} - {"PIL"}  # Pillow measures text
    assert imported(tmp_path, "draw", "resnet50", "--level", level).isdisjoint(heavy)


def test_the_probe_sees_torch(tmp_path: Path) -> None:
    assert "torch" in imported(tmp_path, "build", "resnet18")
