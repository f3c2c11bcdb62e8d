"""The `weights` items: what they give, what is wrong with them, and lists in files of their own."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

import archdsl
from archdsl import library
from archdsl.api import ArchFile
from archdsl.graph.published import PublishedFile
from archdsl.published import PublishedWeights
from archdsl.semantics import published
from archdsl.source import Source
from archdsl.syntax import ast

NET = """
model Net(classes: int = 10) = image(3, 32, 32) -> stem: conv(8, 3) -> gap -> flatten -> fc: linear(classes)
variant net = Net
variant other = Net(classes = 5)
preprocess Net { size = 32, resize = 36, interpolation = "bicubic", labels = "imagenet1k" }
checkpoint theirs for Net { "conv" = "stem" }
"""


def opened(text: str) -> ArchFile:
    return ArchFile(Source("net.arch", NET + text))


def weights(text: str, variant: str = "net") -> PublishedWeights:
    file = opened(text)
    assert not file.check()
    return file[variant].weights


def codes(text: str) -> list[tuple[str, str]]:
    """The code of every finding, and the text that it points at."""
    return [(d.code, d.span.text if d.span else "") for d in opened(text).check()]


def test_facts() -> None:
    found = weights(
        """weights own for net {
          v1: url = "https://a.org/net-0123abcd.pth", sha256 = "0123abcd", mib = 1.5, top1 = 70.5, top1_size = 40,
              top1_crop = 1.0, test_size = 48, test_crop = 0.9, recipe = "its paper", licence = "mit", default = true
        }
        weights own for other { v2: file = "x.pth", sha1 = "0123456789abcdef0123456789abcdef01234567" }"""
    )
    assert list(found) == ["own/net.v1"]
    entry = found["v1"]
    assert isinstance(entry, PublishedFile)
    assert (entry.url, entry.sha256, entry.mib) == ("https://a.org/net-0123abcd.pth", "0123abcd", 1.5)
    assert (entry.top1, entry.top1_size, entry.top1_crop) == (70.5, 40, 1.0)
    assert (entry.test_size, entry.test_crop, entry.recipe, entry.licence) == (48, 0.9, "its paper", "mit")
    assert (entry.classes, entry.label_offset, entry.keymap, entry.default) == (10, 0, None, True)
    assert found.default == entry == found["default"] == found["own/net.v1"] == found["net.v1"]


def test_preprocessing_is_that_of_the_spec_but_for_what_the_row_says() -> None:
    found = weights('weights own for net { a: file = "a", b: file = "b" }'.replace(", b:", "\n b:"))
    assert found["a"].preprocess == opened("")["net"].preprocess
    found = weights(
        """weights own for net {
          a: file = "a", crop = 0.5, squash = true
          b: file = "b", size = 48, resize = 50, classes = 21
          c: file = "c", classes = 21, labels = "imagenet1k"
        }"""
    )
    a, b, c = (found[name].preprocess for name in "abc")
    assert a
    assert b
    assert c
    assert (a.size, a.resize, a.crop, a.squash, a.interpolation) == (32, None, 0.5, True, "bicubic")
    assert a.resized(32) == 64
    assert (b.size, b.resize) == (48, 50)
    assert (a.labels, b.labels, c.labels) == ("imagenet1k", None, "imagenet1k")
    assert found["b"].transform.size == (48, 48)


def test_whose_names() -> None:
    """The map of the library's name, or of its reference, or the row's own; the spec's own names with a reference."""
    text = """
      checkpoint more for Net { "first" = "stem" }
      weights theirs for net { a: file = "a" }
      reference timm for net = "tiny"
      weights timm for net { a: file = "b", b: file = "c", checkpoint = "more" }
      weights own for net { a: file = "d" }
      reference pytorchcv for net { checkpoint = "theirs" }
      weights pytorchcv for net = "wide" { a: file = "e" }
    """.replace('"b", b:', '"b"\n b:')
    found = weights(text)
    assert {name: entry.keymap for name, entry in found.items()} == {
        "theirs/net.a": "theirs",
        "timm/tiny.a": None,
        "timm/tiny.b": "more",
        "own/net.a": None,
        "pytorchcv/wide.a": "theirs",
    }
    assert found["own/net.a"].checkpoint == "own"


def test_a_library_with_several_of_a_name() -> None:
    """Of one library one model may load and another, with the variant's name, be refused."""
    text = """
      reference timm for net {
        "It has another stride."
        differs = ["keys"]
      }
      reference timm for net = "net_v2"
      weights timm for net { a: file = "a" }
    """
    assert [(entry.name, entry.keymap) for entry in weights(text).values()] == [("timm/net_v2.a", None)]
    assert codes(text + 'weights timm for net = "net" { b: file = "b" }') == [("E419", "timm")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('weights own for nets { a: file = "a" }', [("E108", "nets")]),
        ('weights own for Net { a: file = "a" }', [("E108", "Net")]),
        ('weights owns for net { a: file = "a" }', [("E418", "owns")]),
        ('weights torchvision for net { a: file = "a" }', [("E419", "torchvision")]),
        (
            'reference timm for net { "Not this one."\n differs = ["keys"] }\nweights timm for net { a: file = "a" }',
            [("E419", "timm")],
        ),
        ('weights own for net { a: files = "a" }', [("E420", "files")]),
        ('weights own for net { a: file = "a", file = "b" }', [("E106", "file")]),
        ('weights own for net { a: file = "a"\n a: file = "b" }', [("E106", "a")]),
        ("weights own for net { a: top1 = 12.5 }", [("E421", "a")]),
        ('weights own for net { a: hub = "a/b", url = "https://a.org/b", sha256 = "00000000" }', [("E421", '"a/b"')]),
        ('weights own for net { a: url = "https://a.org/b", file = "b", sha256 = "00000000" }', [("E421", '"b"')]),
        ('weights own for net { a: package = "p", sha256 = "00000000" }', [("E421", '"p"')]),
        ('weights own for net { a: hub = "a" }', [("E422", '"a"')]),
        (
            'weights own for net { a: url = "file:///etc/passwd", sha256 = "00000000" }',
            [("E422", '"file:///etc/passwd"')],
        ),
        ('weights own for net { a: url = "https://a.org", sha256 = "00000000" }', [("E422", '"https://a.org"')]),
        ('weights own for net { a: file = "/etc/passwd" }', [("E422", '"/etc/passwd"')]),
        ('weights own for net { a: hub = "a/b", file = "../b" }', [("E422", '"../b"')]),
        ('weights own for net { a: url = "https://a.org/b" }', [("E423", '"https://a.org/b"')]),
        ('weights own for net { a: url = "http://a.org/b" }', [("E423", '"http://a.org/b"')]),
        ('weights own for net { a: file = "a", sha256 = "0000" }', [("E423", '"0000"')]),
        ('weights own for net { a: file = "a", sha256 = "0000000g" }', [("E423", '"0000000g"')]),
        (f'weights own for net {{ a: file = "a", sha1 = "{"0" * 41}" }}', [("E423", f'"{"0" * 41}"')]),
        ('weights own for net { a: file = "a", sha1 = "00000000", sha256 = "00000000" }', [("E423", '"00000000"')]),
        ('weights own for net { a: file = "a", default = true\n b: file = "b", default = true }', [("E424", "true")]),
        ('weights own for net { "a b": file = "a" }', [("E425", '"a b"')]),
        ('weights own for net { a: file = "a", checkpoint = "their" }', [("E505", '"their"')]),
        ('weights own for net { a: file = "a", top1 = 8197 }', [("E302", "8197")]),
        ('weights own for net { a: file = "a", top1_size = 224 }', [("E317", "224")]),
        ('weights own for net { a: file = "a", refused = "", default = true }', [("E317", "true")]),
        ('weights own for net { a: file = "a", size = "big" }', [("E301", '"big"')]),
        ('weights own for net { a: file = "a", labels = "imagenet" }', [("E302", '"imagenet"')]),
        ('weights own for net { a: file = "a", resize = 31 }', [("E317", "31")]),
        ('weights own for net { a: file = "a", size = 64 }', [("E317", "64")]),
        ('weights timm for net = "a/b" { a: file = "a" }\nreference timm for net', [("E412", '"a/b"')]),
        ('weights "list.arch"', [("E110", '"list.arch"')]),
        ('weights "../list.arch"', [("E116", '"../list.arch"')]),
    ],
)
def test_errors(text: str, expected: list[tuple[str, str]]) -> None:
    assert codes(text) == expected


def test_one_default_over_all_libraries() -> None:
    text = """reference timm for net
      weights own for net { a: file = "a", default = true }
      weights timm for net { a: file = "a", default = true }"""
    assert codes(text) == [("E424", "true")]


def test_hints() -> None:
    (found,) = opened('weights own for net { v1: file = "a", top_1 = 3.5 }').check()
    assert found.help == "did you mean `top1`?"
    (found,) = opened('weights tim for net { v1: file = "a" }').check()
    assert found.help == "did you mean `timm`?"


# --- lists in files of their own -------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.arch").write_text(NET + 'weights "weights/net.arch"\nweights own for net { a: file = "a" }\n')
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "net.arch").write_text('"A list."\nweights own for net { b: file = "b", default = true }\n')
    return tmp_path


def test_list(folder: Path) -> None:
    file = archdsl.open(folder / "net.arch")
    found = file["net"].weights
    assert list(found) == ["own/net.b", "own/net.a"]
    assert (found["a"].folder, found["b"].folder) == (str(folder), str(folder / "weights"))
    again = pickle.loads(pickle.dumps(file["net"]))  # the text of the list travels with it
    assert list(again.weights) == list(found)
    assert replace(again.weights["b"], folder=None) == replace(found["b"], folder=None)
    assert pickle.loads(pickle.dumps(found["b"])) == found["b"]


def test_list_that_changed_is_read_again(folder: Path) -> None:
    assert len(archdsl.find(folder / "net.arch", "net").weights) == 2
    (folder / "weights" / "net.arch").write_text('weights own for net { b: file = "b"\n c: file = "c" }\n')
    assert len(archdsl.find(folder / "net.arch", "net").weights) == 3


def test_list_is_not_read_by_what_needs_only_networks(folder: Path) -> None:
    """Its errors are found by `check`, and by those who ask for weights."""
    (folder / "weights" / "net.arch").write_text("weights own for net { b: fiel = 3 }\nvariant wide = net\n")
    variant = archdsl.find(folder / "net.arch", "net")
    assert variant.graph.params
    with pytest.raises(archdsl.ArchError) as caught:
        _ = variant.weights
    assert {d.code for d in caught.value.diagnostics} == {"E420", "E426"}
    with pytest.raises(archdsl.ArchError) as caught:
        archdsl.open(folder / "net.arch")
    assert {d.code for d in caught.value.diagnostics} == {"E420", "E426"}
    assert all(d.span and d.span.source.name.endswith("weights/net.arch") for d in caught.value.diagnostics)


def test_lists_are_looked_for_as_used_files_are(tmp_path: Path) -> None:
    """Beside the spec, then among the shipped ones: a copy of a shipped spec has its list, and so has a text."""
    (shipped,) = (path for path in library.shipped() if path.stem == "resnet")
    (tmp_path / "mine.arch").write_text(shipped.read_text())
    for source in (library.read(tmp_path / "mine.arch"), Source("text", shipped.read_text())):
        assert "torchvision/resnet18.IMAGENET1K_V1" in ArchFile(source)["resnet18"].weights


def test_used_files_bring_no_weights(folder: Path) -> None:
    (folder / "user.arch").write_text('use "net.arch" (Net)\nvariant net = Net\n')
    assert not archdsl.open(folder / "user.arch")["net"].weights


def test_a_list_alone() -> None:
    (found,) = ArchFile(Source("list.arch", 'weights own for net { a: file = "a" }')).check()
    assert (found.code, found.help) == ("E108", "a list of weights is checked with the spec that names it")


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "MOST_ROWS", 2)
    text = 'weights own for net { a: file = "a"\n b: file = "b" }\n'
    assert codes(text) == []
    assert codes(text + 'weights own for other { a: file = "a" }') == [("E513", "own")]


def test_syntax() -> None:
    (item,) = (i for i in opened('weights own for net { "why"\n a: file = "a"\n "b-1": file = "b" }').program.root.syntax.items if isinstance(i, ast.Weights))  # fmt: skip  # noqa: E501
    assert item.docstring
    assert item.docstring.text == "why"
    assert [(row.tag, row.quoted) for row in item.rows] == [("a", False), ("b-1", True)]
