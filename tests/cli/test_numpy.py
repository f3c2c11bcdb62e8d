"""Where NumPy is not installed, torch says so at its first import: archdsl, which does not need it, is quiet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, *given):
        return None if name.partition(".")[0] == "numpy" else self.finder.find_spec(name, *given)

sys.meta_path[:] = map(Without, sys.meta_path)
"""
WEIGHTS = """
import archdsl
archdsl.find("squeezenet1_1").override({"classes": 2})
from archdsl.weights import read_weights
try:
    read_weights("none.safetensors")
except archdsl.ArchError:
    pass
"""


def _run(code: str, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        f"sys_path = {str(ROOT)!r}\n{WITHOUT}\nsys.path.insert(0, sys_path)\n{code}",
        *args,
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=100)


@pytest.mark.parametrize(
    "code",
    [
        "import archdsl; archdsl.load('squeezenet1_1', device='meta')",
        WEIGHTS,
        "sys.argv[1:] = ['build', 'squeezenet1_1', '-o', '/dev/null']\nfrom archdsl.cli import main; main()",
    ],
)
def test_the_first_import_of_torch_is_quiet(tmp_path: Path, code: str) -> None:
    result = _run(code + "\nassert 'torch' in sys.modules" * ("main()" not in code), tmp_path)
    assert (result.returncode, "NumPy" in result.stderr, "Warning" in result.stderr) == (0, False, False), result.stderr


def test_the_probe_hears_torch_and_nothing_else_is_silenced(tmp_path: Path) -> None:
    assert "Failed to initialize NumPy" in _run("import torch", tmp_path).stderr
    warnings = "\nfor text in ('another thing', 'Failed to initialize NumPy'): warnings.warn(text)"
    said = _run("import warnings, archdsl; archdsl.load('squeezenet1_1', device='meta')" + warnings, tmp_path).stderr
    assert "another thing" in said
    assert "Failed to initialize NumPy" in said
