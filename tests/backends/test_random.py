"""Random whole specs: what `check` accepts builds, counts and computes what its graph says; its text is as ruff leaves it.

More of them, and each failure made short: `python -m tests.backends.try_random 20000`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.backends import try_random
from tests.backends.random_specs import spec
from tests.backends.test_text import ruff

SPECS, BATCH = 300, 25


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SPECS, BATCH))
def test_what_check_accepts_is_built_as_it_says(first: int) -> None:
    texts = [spec(seed) for seed in range(first, first + BATCH)]
    variants = [try_random.accepted(text) for text in texts]
    assert sum(map(bool, variants)) > BATCH / 2, "the generator writes specs in vain"
    problems = [(problem, text) for text, found in zip(texts, variants, strict=True) for each in found
                if (problem := try_random.problem(each))]  # fmt: skip
    try_random.forget()
    assert not problems, f"{problems[0][0]}\n{problems[0][1]}"


def test_the_trial_bites() -> None:
    """A module that is not what its graph says is found, and the spec made short."""
    text = next(text for seed in range(100) if try_random.accepted(text := spec(seed)) and "relu6" in text)
    short = try_random.shortened(text, lambda trial: bool(try_random.accepted(trial)) and "relu6" in trial)
    assert short.count("relu6") == 1
    assert len(short) < 300


def test_same_text() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(50):
            for variant in try_random.accepted(spec(seed)):
                (Path(folder) / f"random{seed}_{variant.name}.py").write_text(variant.source, encoding="utf-8")
        assert len(list(Path(folder).iterdir())) > 30
        for done in (ruff("format", "--diff", folder), ruff("check", "--output-format", "concise", folder)):
            assert done.returncode == 0, done.stdout[:3000]
