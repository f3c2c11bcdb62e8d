"""`archdsl verify`: what it prints, writes and ends with. What it compares is tested in tests/equality."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor, nn

import archdsl
from archdsl.verify import compare, libraries
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
        "differences": {"96": 0.0, "97": 0.0, "224": 0.0},
        "training": 0.0,
        "everywhere": True,
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
    assert "small, pytorchcv mobile_net: model: pytorchcv has no classifier mobile_net" in result.out


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
    broken = {"timm": ("no_such_package_of_timm", *libraries._BUILDERS["timm"][1:])}
    monkeypatch.setattr(libraries, "_BUILDERS", broken)
    libraries.unavailable.cache_clear()
    try:
        assert libraries.unavailable("timm") == "timm cannot be imported: No module named 'no_such_package_of_timm'"
    finally:
        libraries.unavailable.cache_clear()


def test_quick_compares_the_numbers_of_a_few(arch: Run) -> None:
    result = arch("verify", "shufflenet_v2", "--quick", "--json")
    assert result.code == 0
    compared = [(found["variant"], found["library"]) for found in result.json["results"] if found["differences"]]
    assert compared == [("shufflenet_v2_x0_5", "torchvision"), ("shufflenet_v2_x0_5", "pytorchcv")]
    assert [found["verdict"] for found in result.json["results"]] == 5 * ["equal"]


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


def test_a_reference_that_does_not_run_at_a_size(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that takes multiples of 32 only: a result in words, whatever it raises."""

    def strict(_: nn.Module, inputs: tuple[Tensor]) -> None:
        assert inputs[0].shape[-1] % 32 == 0, f"Input height ({inputs[0].shape[-1]}) does not fit.\n\n" + 99 * "so "

    theirs = archdsl.find("resnet18").empty()
    theirs.register_forward_pre_hook(strict)
    monkeypatch.setattr(compare, "reference_model", lambda _: theirs)
    text = 'use "resnet.arch" (ResNet, Basic)\nvariant small = ResNet(Basic, [2, 2, 2, 2])\n'
    Path("small.arch").write_text(text + 'reference timm for small = "resnet18" { sizes = [64, 65] }\n')
    result = arch("verify", "small.arch")
    assert result.code == 1
    (line,) = [line for line in result.out.splitlines() if "size:" in line]
    assert line.startswith("small, timm resnet18: size: the reference does not run on 65×65 images (AssertionError: I")
    assert line.endswith("…); `sizes` of the reference says at which to compare")
    assert "Traceback" not in result.out + result.err
    Path("small.arch").write_text(text + 'reference timm for small = "resnet18" { sizes = [64, 96] }\n')
    assert arch("verify", "small.arch", "--quick").code == 0


def test_files_that_are_said_to_be_refused(arch: Run) -> None:
    text = 'use "resnet.arch" (ResNet, Basic)\nvariant resnet50 = ResNet(Basic, [2, 2, 2, 2])\n'
    reference = 'reference timm for resnet50 {\n  "It has bottlenecks."\n  differs = ["keys"]\n}\n'
    Path("small.arch").write_text(text + reference)
    result = arch("verify", "small.arch", "-o", "page.md")
    assert result.code == 0
    assert result.err.endswith("\n1 refused\n")
    assert "| files refused<sup>1</sup> |" in Path("page.md").read_text(encoding="utf-8")
    assert "It has bottlenecks. (other keys)" in Path("page.md").read_text(encoding="utf-8")
    Path("small.arch").write_text(text.replace("resnet50", "resnet18") + reference.replace("resnet50", "resnet18"))
    result = arch("verify", "small.arch")
    assert result.code == 1
    assert "keys: the library's files load, though the reference says that they do not" in result.out


def test_a_claim_for_some_sizes_only(arch: Run) -> None:
    """It is said with the verdict; and that there is no difference elsewhere is found."""
    text = 'use "resnet.arch" (ResNet, Basic)\nvariant resnet18 = ResNet(Basic, [2, 2, 2, 2])\n'
    reference = 'reference timm for resnet18 {\n  "Once it was so."\n  sizes = [64, 65], everywhere = false\n}\n'
    Path("small.arch").write_text(text + reference)
    result = arch("verify", "small.arch", "--quick")
    assert result.code == 1
    assert "size: they are equal at 96 and 97 too, though the reference says at its sizes alone" in result.out


def test_a_file_that_is_no_page_of_ours_is_kept(arch: Run) -> None:
    before = Path("small.arch").read_text()
    result = arch("verify", MOBILE, "-o", "small.arch")
    assert (result.code, "E607" in result.err, "--force replaces it" in result.err) == (2, True, True)
    assert Path("small.arch").read_text() == before
