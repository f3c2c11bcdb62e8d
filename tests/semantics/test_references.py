"""`reference` items: what they claim of which variant, and what is wrong with them. No library is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.api import ArchFile
from archdsl.graph import reference
from archdsl.graph.reference import Reference
from archdsl.source import Source
from tests.semantics.helpers import codes, places

NET = """
model Net(classes = 10) = image(3, 32, 32) -> fc: conv(8, 3) -> gap -> flatten -> linear(classes)
variants Net(classes) {
  a: 1
  b: 2
}
variant c = a with (classes = 3)
checkpoint map for a { "f" = "fc" }
"""


def references(items: str, variant: str) -> tuple[Reference, ...]:
    file = ArchFile(Source("test.arch", NET + items))
    assert not file.check()
    return file[variant].references


def names(items: str, variant: str) -> list[str]:
    return [reference.name for reference in references(items, variant)]


def test_of_a_model_is_of_every_variant_under_its_own_name() -> None:
    for variant in "abc":
        assert names("reference timm for Net", variant) == [f"timm {variant}"]


def test_what_names_a_variant_replaces_what_names_its_model_for_that_library() -> None:
    items = 'reference timm for Net\nreference torchvision for a, b = "x"\nreference pytorchcv for a'
    assert names(items, "a") == ["timm a", "torchvision a", "pytorchcv a"]
    assert names(items, "b") == ["timm b", "torchvision x"]
    assert names(items, "c") == ["timm c"]
    assert names('reference timm for Net\nreference timm for a = "x"', "a") == ["timm x"]


def test_names_in_the_library() -> None:
    items = 'reference timm for a = "x", Net = "y", b = "z"'
    assert [names(items, variant) for variant in "abc"] == [["timm x"], ["timm z"], ["timm y"]]


def test_a_library_has_a_network_under_several_names() -> None:
    items = 'reference timm for b\nreference timm for a = "x", a\nreference timm for a = "y"\nreference timm for Net'
    assert names(items, "a") == ["timm x", "timm a", "timm y"]
    assert names(items, "c") == ["timm c"]


def test_is_not_handed_on_to_an_amendment() -> None:
    assert names("reference timm for a", "c") == []


def test_holds_for_the_variant_as_the_file_has_it() -> None:
    file = ArchFile(Source("test.arch", NET + "reference timm for a"))
    assert len(file["a"].references) == 1
    assert file["a"].override({"classes": 5}).references == ()
    assert file["a"].set({"classes": "5"}).references == ()


def test_does_not_travel_with_the_model() -> None:
    text = 'use "resnet.arch" (ResNet, Basic)\nvariant mine = ResNet(Basic, [1, 1, 1, 1])\n'
    assert ArchFile(Source("test.arch", text))["mine"].references == ()


def test_values() -> None:
    (found,) = references(
        "reference timm for a with (drop_rate = 2 / 10, depths = [2, 1 + 2], num_classes = 10) {\n"
        '  "why"\n  tolerance = 1e-9, sizes = [95], checkpoint = "map"\n}',
        "a",
    )
    assert found.arguments == {"drop_rate": 0.2, "depths": (2, 3), "num_classes": 10}
    assert found.reason == "why"
    comparison = found.comparison
    assert (comparison.tolerance, comparison.sizes, comparison.checkpoint) == (1e-9, (95,), "map")


def test_defaults() -> None:
    (found,) = references("reference timm for a", "a")
    assert (dict(found.arguments), found.reason) == ({}, "")
    comparison = found.comparison
    assert (comparison.tolerance, comparison.sizes, comparison.checkpoint) == (0.0, (96, 97), None)


WRONG = [
    ("reference tim for a", "E409", "tim"),
    ("reference os for a", "E409", "os"),
    ("reference timm for d", "E108", "d"),
    ("reference timm for a, a", "E106", "a"),
    ("reference timm for a\nreference timm for b, a", "E106", "a"),
    ('reference timm for a = "x"\nreference timm for b, a = "x"', "E106", "a"),
    ("reference timm for a with (3)", "E105", "3"),
    ("reference timm for a with (drop_rate = 0, drop_rate = 1)", "E106", "drop_rate"),
    ("reference timm for a with (drop_rate = relu)", "E414", "relu"),
    ("reference timm for a with (depths = y)", "E101", "y"),
    ("reference timm for a with (depths = 0..10^9)", "E315", "0..10^9"),
    ("reference timm for a { size = 3 }", "E410", "size"),
    ("reference timm for a { sizes = [96], sizes = [97] }", "E106", "sizes"),
    ("reference timm for a { sizes = 96 }", "E317", "96"),
    ("reference timm for a { sizes = [] }", "E317", "[]"),
    ("reference timm for a { sizes = [96.5] }", "E317", "[96.5]"),
    ("reference timm for a { sizes = [0] }", "E317", "[0]"),
    ("reference timm for a { sizes = [96, 10^9] }", "E317", "[96, 10^9]"),
    ("reference timm for a { sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9] }", "E317", "[1, 2, 3, 4, 5, 6, 7, 8, 9]"),
    ("reference timm for a { tolerance = 1e-9 }", "E411", "1e-9"),
    ('reference timm for a {\n  " "\n  tolerance = 1e-9\n}', "E411", "1e-9"),
    ('reference timm for a {\n  "why"\n  tolerance = -1\n}', "E302", "-1"),
    ('reference timm for a {\n  "why"\n  tolerance = 1\n}', "E302", "1"),
    ('reference timm for a { differs = ["macs"] }', "E411", '["macs"]'),
    ('reference timm for a {\n  "why"\n  differs = ["outputs"]\n}', "E317", '["outputs"]'),
    ('reference timm for a { differs = ["keys"] }', "E411", '["keys"]'),
    ("reference timm for a { everywhere = false }", "E411", "false"),
    ("reference timm for a { everywhere = 0 }", "E301", "0"),
    ("reference timm for a { checkpoint = 3 }", "E301", "3"),
    ('reference timm for a { checkpoint = "mp" }', "E505", '"mp"'),
    ('reference timm for Net { checkpoint = "map" }', "E505", '"map"'),
]


@pytest.mark.parametrize(("item", "code", "text"), WRONG, ids=lambda value: value[:60])
def test_wrong(item: str, code: str, text: str) -> None:
    assert places(NET + item) == [(code, text)]


def test_several_errors_of_one_item() -> None:
    item = "reference tim for d with (x = y) { sizes = 0, checkpoint = 1 }"
    assert sorted(codes(NET + item)) == ["E101", "E108", "E301", "E317", "E409"]


@pytest.mark.parametrize(
    "item", ["preprocess Net { std = 0..10^9 }", "init Net { conv: normal(0..10^9) }"], ids=["preprocess", "init"]
)
def test_limits_of_evaluation_hold_in_items_too(item: str) -> None:
    assert codes(NET + item) == ["E315"]


# Addresses, paths, tags of weights, attributes: whatever a library could take for more than the name of a constructor.
NAMES = [
    "hf-hub:a/b",
    "hf_hub:a/b",
    "local-dir:/tmp/x",
    "https://example.org/x",
    "../x",
    "/etc/passwd",
    "resnet18.a1_in1k",
    "resnet18@main",
    "a b",
    "a\\n",
    "",
    "-x",
    "_models",
    "ｒesnet18",
    "r" * 101,
]


@pytest.mark.parametrize("library", reference.LIBRARIES)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_not_plain(library: str, name: str) -> None:
    assert places(NET + f'reference {library} for a = "{name}"') == [("E412", f'"{name}"')]


ARGUMENTS = [
    'checkpoint_path = "/etc/passwd"',
    "pretrained = true",
    'pretrained_cfg = "a1_in1k"',
    'pretrained_cfg_overlay = "x"',
    'cache_dir = "/tmp"',
    'weights = "DEFAULT"',
    'weights_backbone = "DEFAULT"',
    'root = "/tmp"',
    'model_name = "hf-hub:a/b"',
    'norm_layer = "torch.nn.LayerNorm"',
    'act_layer = "relu"',
    'library = "os"',
    "__class__ = 1",
]


@pytest.mark.parametrize("library", reference.LIBRARIES)
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_an_argument_that_is_not_passed_on(library: str, argument: str) -> None:
    name = argument.partition(" ")[0]
    assert places(NET + f"reference {library} for a with ({argument})") == [("E413", name)]


VALUES = ["true", '"0.1"', "[0.1]", "-0.1", "1.5", "2", "relu", "0..3"]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_an_argument_does_not_take(value: str) -> None:
    assert places(NET + f"reference timm for a with (drop_rate = {value})") == [("E414", value)]


@pytest.mark.parametrize("value", ["0", "1.0", "10^9", "true", '"10"', "[10]"])
def test_a_count_that_no_network_has(value: str) -> None:
    assert places(NET + f"reference timm for a with (num_classes = {value})") == [("E414", value)]


def test_no_listed_argument_is_a_place() -> None:
    """No argument takes a string, which is what an address or a path would be."""
    for arguments in reference.ARGUMENTS.values():
        for kind in arguments.values():
            assert not kind.takes("/etc/passwd")
            assert not kind.takes(("/etc/passwd",))


def test_the_language_page_lists_the_arguments() -> None:
    page = Path("docs/language.md").read_text(encoding="utf-8")
    for library, arguments in reference.ARGUMENTS.items():
        assert f"| | {library}: {', '.join(f'`{name}`' for name in sorted(arguments))} |" in page
