"""Every generated file is as ruff leaves it, without findings, and needs nothing but torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends import sources

_IMPORT_ALL = """
import sys, pathlib
for name in ("archdsl", "torchvision", "timm", "pydantic", "lark"):
    sys.modules[name] = None  # an import of it raises ImportError
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {"__name__": path.stem})
print("imported")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All sources as files."""
    path = tmp_path_factory.mktemp("generated")
    for name, text in sources.all_sources().items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def ruff(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ruff with its own defaults, whatever this repository has configured."""
    command, *rest = arguments
    return subprocess.run(
        [sys.executable, "-m", "ruff", command, "--isolated", "--no-cache", *rest], capture_output=True, text=True
    )


def test_formatted(folder: Path) -> None:
    done = ruff("format", "--diff", str(folder))
    assert done.returncode == 0, done.stdout[:5000] + done.stderr


def test_no_findings(folder: Path) -> None:
    done = ruff("check", "--output-format", "concise", str(folder))
    assert done.returncode == 0, done.stdout[:5000]


def test_imports_torch_only(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORT_ALL, str(folder)], capture_output=True, text=True, cwd=folder)
    assert done.stdout == "imported\n", done.stderr


def test_no_line_is_long() -> None:
    """But for docstrings of helpers, which are the helpers' own."""
    long = [
        (name, line)
        for name, text in sources.all_sources().items()
        for line in text.splitlines()
        if len(line) > 88 and '"""' not in line
    ]
    assert long == []


def test_names_of_a_sequence_are_keywords() -> None:
    lines = [line.strip() for line in sources.shipped("bn_inception", "bninception").source.splitlines()]
    assert "conv2=Conv(reduce3, threes, kernel=3)," in lines
