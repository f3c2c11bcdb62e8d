"""A wheel and an sdist carry the grammar and the shipped specs, and the README's commands are the ones that CI runs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def data_files() -> set[str]:
    """The grammar and the specs of this checkout, relative to its root."""
    files = [*ROOT.glob("grammar/*"), *ROOT.glob("specs/**/*.arch"), ROOT / "specs/facts.json"]
    assert any(f.suffix == ".lark" for f in files)
    assert any(f.suffix == ".arch" for f in files)
    return {f.relative_to(ROOT).as_posix() for f in files}


def package_files() -> set[str]:
    """What lies in the package itself and is not Python: fonts, and the parts of the HTML page with their licences."""
    found = (path for path in ROOT.glob("archdsl/**/*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    files = {path.relative_to(ROOT).as_posix() for path in found}
    assert any(name.endswith("web/index.html") for name in files)
    assert any(name.endswith("dagre.LICENSE.txt") for name in files)
    return files


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel that was built from the sdist, and the sdist: the way in which a release is made."""
    out = tmp_path_factory.mktemp("dist")
    build = "import sys, hatchling.build as b; b.build_sdist(sys.argv[1])"
    _run(sys.executable, "-c", build, str(out), cwd=ROOT)
    (sdist,) = out.glob("*.tar.gz")
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out), str(sdist))
    return out


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_sdist_carries_the_data(distributions: Path) -> None:
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert data_files() | package_files() <= names
    assert {"README.md", "LICENSE", "constraints.txt", "tests/run"} <= names


def test_wheel_carries_the_data(distributions: Path) -> None:
    (path,) = distributions.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    assert {f"archdsl/_data/{name}" for name in data_files()} <= names
    assert package_files() <= names
    assert not any(name.startswith(("tests/", "benchmarks/", "grammar/", "specs/")) for name in names)


@pytest.mark.slow
def test_installed_wheel_builds_a_network(distributions: Path, tmp_path: Path) -> None:
    """Installed alone, away from the checkout, the command finds a shipped family and builds it.

    The environment sees this one's packages, so that torch is not installed again, but not this checkout.
    """
    (wheel,) = distributions.glob("*.whl")
    site = tmp_path / "site"
    _run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel))
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import archdsl; print(archdsl.__file__);"
        "from archdsl.cli import main; main()"
    )
    printed = _run(sys.executable, "-c", program, str(site), "build", "convnext:convnext_tiny", cwd=tmp_path)
    assert printed.startswith(str(site))
    (source,) = tmp_path.glob("*.py")
    compile(source.read_text(encoding="utf-8"), source.name, "exec")


def commands(text: str) -> list[str]:
    """The lines of the README's first two ``` blocks."""
    blocks = text.split("```")[1:4:2]
    return [block.partition("\n")[2].strip() for block in blocks]


def test_readme_and_ci_run_the_same_tests() -> None:
    main_job, tests = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert main_job.endswith("archdsl build specs/convnext.arch")
    assert "\n" not in main_job
    assert tests in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
