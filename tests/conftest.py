"""Shared by all tests: who may use a GPU, how many threads torch takes, where the pictures are.

torch is not imported here: the tests of the front end must stay able to run without it.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from pathlib import Path

import pytest

# One thread a worker where pytest-xdist runs several. Set before anything imports torch, hence at module level.
THREADS = "1" if "PYTEST_XDIST_WORKER" in os.environ else str(os.cpu_count() or 1)
os.environ.setdefault("OMP_NUM_THREADS", THREADS)
os.environ.setdefault("MKL_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

# pytest-xdist gives its workers a width of terminal, in which wide tables would be cut.
os.environ.pop("COLUMNS", None)


@functools.cache
def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") is not None and not _cuda():
        pytest.skip("no CUDA device here")


@pytest.fixture(scope="session")
def pictures() -> dict[str, Path]:
    """The cat and the cup of coffee that scikit-image ships: the files alone, the package is not imported."""
    spec = importlib.util.find_spec("skimage")
    assert spec is not None, "scikit-image is missing: see tests/references.txt"
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    return {"cat": data / "chelsea.png", "coffee": data / "coffee.png"}


@pytest.fixture(autouse=True)
def _no_leaked_defaults() -> None:
    """A test that changes torch's defaults would silently change what the next one compares."""
    torch = sys.modules.get("torch")
    if torch is not None:
        assert str(torch.get_default_dtype()) == "torch.float32"
        assert torch.get_default_device().type == "cpu"
