"""`archdsl build`: what is written, what is proved, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.backends.python import source as source_backend
from tests.cli.conftest import SMALL, Run

# By hand: 3×3 convolutions have 9·in·out weights and out biases.
STEM = 9 * 3 * 4 + 4
STAGE1 = 2 * (9 * 4 * 4 + 4)
WIDER = 4 * 8 + 8
STAGE2 = 2 * (9 * 8 * 8 + 8)
HEAD = 8 * 10 + 10


def test_writes_proves_and_says_so(arch: Run) -> None:
    result = arch("build", "small.arch:small")
    params = STEM + STAGE1 + WIDER + STAGE2 + HEAD
    assert result.code == 0
    assert f"{params:,}" in result.out
    assert f"output 10, {params:,} parameters, 14 state_dict entries as in the graph" in result.err
    assert "wrote small.py" in result.err
    compile(Path("small.py").read_text(), "small.py", "exec")


def test_first_variant_is_the_default_and_the_others_are_named(arch: Run) -> None:
    result = arch("build", "small.arch", "--no-proof")
    assert sorted(path.name for path in Path().glob("*.py")) == ["small.py"]
    assert "building small, the first of 2 variants" in result.err
    assert "large" in result.err
    assert "large" not in result.out


def test_all(arch: Run) -> None:
    assert arch("build", "small.arch", "--all", "-o", "nets", "--no-proof").code == 0
    assert sorted(path.name for path in Path("nets").iterdir()) == ["large.py", "small.py"]


@pytest.mark.parametrize(("output", "path"), [("net.py", "net.py"), ("new/", "new/small.py"), (".", "small.py")])
def test_output(arch: Run, output: str, path: str) -> None:
    assert arch("build", "small.arch:small", "-o", output, "--no-proof").code == 0
    assert Path(path).is_file()


def test_source_on_standard_output_is_the_file(arch: Run) -> None:
    arch("build", "small.arch:small", "--no-proof")
    result = arch("build", "-:small", "-o", "-", stdin=SMALL)
    assert result.out == Path("small.py").read_text()
    assert result.err == ""


def test_set(arch: Run) -> None:
    result = arch("build", "small.arch:small", "--set", "classes=2 + 1")
    assert "output 3" in result.err
    assert f"{8 * 3 + 3}" in result.out


def test_own_files_are_replaced_and_others_are_not(arch: Run) -> None:
    assert "wrote" in arch("build", "small.arch:small", "--no-proof").err
    assert "replaced" in arch("build", "small.arch:small", "--no-proof").err
    Path("small.py").write_text("mine = 1\n")
    refused = arch("build", "small.arch:small")
    assert (refused.code, Path("small.py").read_text()) == (2, "mine = 1\n")
    assert "--force" in refused.err
    assert arch("build", "small.arch:small", "--no-proof", "--force").code == 0
    assert Path("small.py").read_text().startswith('"""small:')


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("self.fc = nn.Linear(", "self.fc = nn.LazyLinear(bias=False, out_features=10) or (", "parameters"),
        ("self.fc = ", "self.cf = self.fc = ", "cf.weight"),
        ("torch.flatten(", "torch.squeeze(", "E604"),
        ("super().__init__()", "super().__init__(1)", "TypeError"),
        ("return ", "return (", "SyntaxError"),
        (".relu(", ".relu(1 * ", None),
    ],
)
def test_a_source_that_differs_from_the_graph_is_not_written(
    arch: Run, monkeypatch: pytest.MonkeyPatch, good: str, bad: str, said: str | None
) -> None:
    """The last one is a change without effect: the proof is not merely a refusal of everything changed."""
    true = source_backend.generate

    def wrong(*args: object) -> str:
        text = true(*args)  # type: ignore[arg-type]
        return text.replace(good, bad)

    monkeypatch.setattr("archdsl.backends.python.generate", wrong)
    before = sorted(Path().iterdir())
    result = arch("build", "small.arch:small")
    if said is None:
        assert result.code == 0, result
        return
    assert result.code == 1
    assert "E604" in result.err
    assert said in result.err
    assert sorted(Path().iterdir()) == before


def test_a_device_is_written_to_and_not_replaced(arch: Run) -> None:
    assert arch("build", "small.arch:small", "-o", "/dev/null", "--no-proof").code == 0
    assert Path("/dev/null").is_char_device()


def test_force_without_a_file_is_refused(arch: Run) -> None:
    refused = arch("build", "resnet18", "-o", "-", "--force")
    assert (refused.code, refused.out) == (2, "")
    assert "--force does nothing" in refused.err
