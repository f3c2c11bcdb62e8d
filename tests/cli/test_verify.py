"""`archdsl verify`: what it prints, writes and ends with. What it compares is tested in tests/equality."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.verify import libraries
from tests.cli.conftest import SMALL, Run
from tests.libraries import declare_operators

MOBILE = "mobilenet_v1:mobilenet_wd4"
REFERENCED = SMALL + 'reference pytorchcv for small = "mobilenet_wd4"\n'


@pytest.fixture(autouse=True, scope="module")
def _torchvision() -> None:
    declare_operators()


def test_an_equal_variant(arch: Run) -> None:
    result = arch("verify", MOBILE)
    assert result.code == 0
    (line,) = [line for line in result.out.splitlines() if line.startswith("mobilenet_wd4")]
    assert line.split() == ["mobilenet_wd4", "pytorchcv", "470,072", "41.03", "M", "164", "0", "0", "equal"]
    assert "1/1 mobilenet_wd4, pytorchcv mobilenet_wd4: equal" in result.err
    assert result.err.endswith("\n1 equal\n")


def test_json(arch: Run) -> None:
    result = arch("verify", MOBILE, "--json")
    assert result.code == 0
    assert result.json["ok"]
    (found,) = result.json["results"]
    assert found.pop("seconds") > 0
    assert found.pop("version")
    assert found == {
        "family": "mobilenet_v1",
        "variant": "mobilenet_wd4",
        "library": "pytorchcv",
        "model": "mobilenet_wd4",
        "verdict": "equal",
        "params": 470_072,
        "macs": 41_030_272,
        "keys": 164,
        "differences": {"96": 0.0, "97": 0.0},
        "training": 0.0,
        "tolerance": 0.0,
        "reason": "",
        "findings": [],
        "skipped": None,
    }


def test_a_variant_that_differs(arch: Run) -> None:
    Path("other.arch").write_text(REFERENCED)
    result = arch("verify", "other.arch", "-o", "page.md")
    assert result.code == 1
    assert "small, pytorchcv mobilenet_wd4: keys: " in result.out
    assert "without a reference: large" in result.err
    page = Path("page.md").read_text(encoding="utf-8")
    assert "| `small` | pytorchcv `mobilenet_wd4` |" in page
    assert "**differs**" in page
    assert "against: `large`." in page
    assert not arch("verify", "other.arch", "--json").json["ok"]


def test_a_model_that_the_library_does_not_have(arch: Run) -> None:
    Path("other.arch").write_text(REFERENCED.replace("mobilenet_wd4", "mobile_net"))
    result = arch("verify", "other.arch")
    assert result.code == 1
    assert "small, pytorchcv mobile_net: model: pytorchcv does not build it: " in result.out


def test_a_library_that_cannot_be_imported(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A skip is not a pass."""
    monkeypatch.setattr(libraries, "unavailable", lambda library: f"{library} is not installed")
    result = arch("verify", MOBILE, "-o", "page.md")
    assert result.code == 2
    assert "skipped, which is not a pass: pytorchcv is not installed" in result.err
    assert result.out.splitlines()[2].split()[-1] == "skipped"
    assert "skipped<sup>1</sup>" in Path("page.md").read_text(encoding="utf-8")
    document = arch("verify", MOBILE, "--json").json
    assert not document["ok"]
    assert document["results"][0]["skipped"] == "pytorchcv is not installed"


def test_why_a_library_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"timm": ("no_such_package_of_timm", libraries._BUILDERS["timm"][1])}
    monkeypatch.setattr(libraries, "_BUILDERS", broken)
    libraries.unavailable.cache_clear()
    try:
        assert libraries.unavailable("timm") == "timm cannot be imported: No module named 'no_such_package_of_timm'"
    finally:
        libraries.unavailable.cache_clear()


def test_quick_compares_the_numbers_of_a_few(arch: Run) -> None:
    result = arch("verify", "shufflenet_v2", "--quick", "--json")
    assert result.code == 0
    compared = [found["variant"] for found in result.json["results"] if found["differences"]]
    assert compared == ["shufflenet_v2_x0_5"]
    assert [found["verdict"] for found in result.json["results"]] == 4 * ["equal"]


def test_nothing_to_verify(arch: Run) -> None:
    result = arch("verify", "small.arch")
    assert result.code == 2
    assert "E612" in result.err


def test_errors_of_a_spec_come_first(arch: Run) -> None:
    result = arch("verify", "wrong.arch")
    assert result.code == 1
    assert "E101" in result.err
    assert not result.out


def test_a_page_that_cannot_be_written_is_said_at_once(arch: Run) -> None:
    result = arch("verify", MOBILE, "-o", "no/such/folder.md")
    assert result.code == 2
    assert "E607" in result.err
    assert "equal" not in result.err
