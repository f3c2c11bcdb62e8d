"""What a module returns: its result, a named tuple, a plain tuple; held against modules written by hand."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.api import open_source
from archdsl.backends.module import build_module
from archdsl.backends.proof import prove
from archdsl.source import Source
from archdsl.variant import Variant


def variant(text: str) -> Variant:
    file = open_source(Source("test.arch", dedent(text)))
    return file[next(iter(file))]


def returned(text: str) -> Any:
    """What the module of a spec returns, the same in training and in evaluation."""
    made = variant(text)
    assert prove(made.graph, made.source).outputs == tuple(made.graph.shape(ref).dims for ref in made.graph.outputs)
    model = build_module(made.graph, made.source)
    image = torch.randn(2, *made.graph.input_shape.dims)
    training, evaluation = model.train()(image), model.eval()(image)
    assert type(training) is type(evaluation)
    return evaluation


def fields(value: Any) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return tuple(value._fields)  # type: ignore[attr-defined]


def test_a_tuple_is_a_plain_tuple() -> None:
    """The first case of the issue: `load` gave one tensor of the two."""
    both = returned("""
        model Net {
          x = image(3, 8, 8) -> a: conv(4, 3)
          (x -> cls: conv(3, 1), x -> box: conv(4, 1))
        }""")
    assert type(both) is tuple
    assert [tuple(tensor.shape) for tensor in both] == [(2, 3, 8, 8), (2, 4, 8, 8)]


def test_two_heads_behind_a_stage() -> None:
    """The second case of the issue: `build` ended in a traceback."""
    both = returned("""
        model Net {
          x = image(3, 8, 8) -> stage body: [conv(4, 3), relu]
          (x -> a: (gap -> flatten -> fc: linear(3)), x -> b: (gap -> flatten -> fc: linear(4)))
        }""")
    assert type(both) is tuple
    assert [tuple(tensor.shape) for tensor in both] == [(2, 3), (2, 4)]


@pytest.mark.parametrize(("depth", "length"), [(1, 1), (3, 3)])
def test_a_list_of_one_is_a_tuple_too(depth: int, length: int) -> None:
    """Whoever walks over the result must not walk over the images of the batch."""
    maps = returned(f"""
        model Net(depth: int = {depth}) {{
          x = image(3, 16, 16)
          maps = []
          for i in 0..depth {{
            x = x -> c{{i}}: conv(4, 3, stride = 2)
            maps = maps + [x]
          }}
          maps
        }}""")
    assert type(maps) is tuple
    assert len(maps) == length


def test_one_result_is_a_tensor() -> None:
    assert isinstance(returned("model Net = image(3, 8, 8) -> conv(4, 3)"), Tensor)


def test_names_alone() -> None:
    found = returned("""
        model Net(names: list(string) = ["small", "large"]) {
          x = image(3, 8, 8) -> a: conv(4, 3)
          for i, name in names {
            output "{name}" = x -> c{i}: conv(2 + i, 1)
            output p{i + 2} = x
          }
        }""")
    assert fields(found) == ("small", "p2", "large", "p3")
    assert found.p2 is found.p3
    assert [tuple(tensor.shape)[1] for tensor in found] == [2, 4, 3, 4]
    assert found[2] is found.large


def test_one_name_is_a_named_tuple() -> None:
    assert fields(returned("model Net { output map = image(3, 8, 8) -> conv(4, 3) }")) == ("map",)


def test_logits_come_first() -> None:
    found = returned("""
        model Net {
          x = image(3, 8, 8) -> a: conv(4, 3)
          output rotation = x -> gap -> flatten -> turn: linear(4)
          x -> gap -> flatten -> fc: linear(10)
        }""")
    assert fields(found) == ("logits", "rotation")
    assert [tuple(tensor.shape) for tensor in found] == [(2, 10), (2, 4)]


def test_names_that_the_source_has_itself() -> None:
    """A field may have the name of the class, of a builtin, or of a variable of `forward`."""
    found = returned("""
        model Net {
          i = image(3, 8, 8)
          y = i -> a: conv(4, 3)
          output NetOutputs = i
          output any = y
          output x = y -> relu
          output out = x(y)
        }
        fn x(t) = t -> flatten""")
    assert fields(found) == ("NetOutputs", "any", "x", "out")


def test_what_is_given_out_is_not_overwritten() -> None:
    """An output that other layers read, in place where they could, directly and through a view of it."""
    made = variant("""
        block Two {
          x = in -> c: conv(4, 3)
          (x, x -> relu, in)
        }
        model Net {
          a, b, c = image(3, 8, 8) -> Two
          output a = a
          output b = b
          output image = c
          output flat = a -> flatten
          output last = b -> relu -> g: conv(3, 1) -> relu
        }""")
    model = build_module(made.graph, made.source)
    image = torch.randn(2, 3, 8, 8)
    before = image.clone()
    found = model(image)
    first = model.two1.c(before)
    assert torch.equal(found.a, first)
    assert torch.equal(found.b, first.relu())
    assert found.image is image
    assert torch.equal(image, before)
    assert torch.equal(found.flat, first.flatten(1))
    assert torch.equal(found.last, model.g(first.relu()).relu())


DETECTOR = """
block Unit(width: int) = conv: conv(width, 3, stride = 2, bias = false) -> bn: bn -> relu

block Head(out: int) = conv: conv(in.channels, 3) -> relu -> predict: conv(out, 3)

fn lateral(maps: list(tensor), width: int) = [x -> inner.{i}: conv(width, 1) for i, x in maps]

model Detector(width: int = 8, levels: int = 3, classes: int = 5) {
  x = image(3, 64, 64) -> stem: Unit(8)
  maps = []
  for i in 0..levels {
    x = x -> stage layer{i + 1}: Unit(8 * 2^i)
    maps = maps + [x]
  }
  for i, x in lateral(maps, width) {
    output p{i + 2} = x
    output cls{i + 2} = x -> cls.{i}: Head(classes)
    output box{i + 2} = x -> box.{i}: Head(4)
  }
}
"""


class Unit(nn.Module):
    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, width, 3, 2, 1, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class Head(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.predict = nn.Conv2d(width, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.predict(self.conv(x).relu())


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = Unit(3, 8)
        self.layer1, self.layer2, self.layer3 = Unit(8, 8), Unit(8, 16), Unit(16, 32)
        self.inner = nn.ModuleList(nn.Conv2d(width, 8, 1) for width in (8, 16, 32))
        self.cls = nn.ModuleList(Head(8, 5) for _ in range(3))
        self.box = nn.ModuleList(Head(8, 4) for _ in range(3))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        x = self.stem(x)
        for i, layer in enumerate((self.layer1, self.layer2, self.layer3)):
            x = layer(x)
            p = self.inner[i](x)
            found |= {f"p{i + 2}": p, f"cls{i + 2}": self.cls[i](p), f"box{i + 2}": self.box[i](p)}
        return found


@pytest.mark.parametrize("training", [False, True])
def test_a_detector(training: bool) -> None:
    """Outputs in a loop, over a function of a list of feature maps: the keys, names and numbers of a module by hand."""
    made = variant(DETECTOR)
    torch.manual_seed(0)
    theirs = Detector()
    ours = build_module(made.graph, made.source)
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(2, 3, 64, 64)
    wanted, found = theirs.train(training)(image), ours.train(training)(image)
    assert found._fields == tuple(wanted)
    assert all(torch.equal(value, getattr(found, name)) for name, value in wanted.items())


def test_feature_maps_of_a_detector() -> None:
    """All outputs are alike, so no stage is an auxiliary one."""
    made = variant(DETECTOR)
    assert made.graph.aux == {}
    assert made.features().names == ("stem", "layer1", "layer2", "layer3")
    assert made.graph.result is None


@pytest.mark.parametrize("kind", ["named", "tuple"])
def test_through_torchs_compilers_and_other_processes(kind: str, tmp_path: Path) -> None:
    """Exported, compiled, traced, copied and pickled: the same tensors in the same order."""
    text = (
        DETECTOR if kind == "named" else "model Net {\n  x = image(3, 16, 16) -> a: conv(4, 3)\n  (x, x -> relu)\n}\n"
    )
    path = tmp_path / "net.arch"
    path.write_text(text, encoding="utf-8")
    model = archdsl.load(path).eval()
    image = torch.randn(2, 3, *archdsl.find(path).graph.input_shape.dims[1:])
    wanted = model(image)
    others = [
        torch.export.export(model, (image,)).module(),
        torch.compile(model, backend="eager", fullgraph=True),
        torch.jit.trace(model, (image,)),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ]
    for other in others:
        found = other(image)
        assert len(found) == len(wanted)
        assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
        if kind == "named" and not isinstance(other, torch.jit.ScriptModule):
            assert fields(found) == fields(wanted)
