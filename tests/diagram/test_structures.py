"""Networks that no family has: crossing branches, dense blocks of many layers, none at all, endless names."""

from __future__ import annotations

import pytest

from archdsl import api
from archdsl.api import Variant
from archdsl.backends.diagram import Options
from archdsl.source import Source
from tests.diagram.picture import Picture

NAME = "Extraordinarily" * 12
SPECS = {
    "tiny": "model M(n = 3) = image(3, 8, 8) -> gap -> flatten -> linear(n)\nvariant tiny = M()",
    "crossing": """\
block Cross(w: int) {
  a = in -> conv(w, 3)
  b = in -> conv(w, 1)
  c = a + b -> relu
  d = a * b
  concat(c, d, a)
}
model M(w = 8) {
  x = image(3, 32, 32) -> conv(w, 3) -> bn -> relu
  left = x -> conv(w, 3) -> bn -> relu
  right = x -> conv(w, 1) -> sigmoid
  y = left * right -> Cross(w)
  concat(y, x) -> maxpool(2, stride = 2, padding = 0) -> gap -> flatten -> dropout(0.2) -> linear(10)
}
variant crossing = M()
""",
    "names": f"""\
block {NAME}(out: int) {{ conv(out, 3) -> relu -> conv(out, 3) }}
model M() = image(3, 64, 64) -> stage {NAME.lower()}: [40 of {NAME}(1024)] -> gap -> flatten -> linear(1000000)
variant {NAME.lower()} = M()
""",
    "two": """\
block Pair(out: int) on (a, b) { (a -> conv(out, 3) -> relu) + (b -> conv(out, 1)) -> conv(out, 3) }
model M() {
  x = image(3, 16, 16) -> conv(8, 3)
  y = x -> conv(12, 3)
  z = (x, y) -> Pair(8)
  (z, z) -> Pair(8) -> gap -> flatten -> linear(10)
}
variant two = M()
""",
}
DENSE = """\
block Dense(n: int) {{
  {statements}
  concat({all})
}}
model M() = image(3, 32, 32) -> d: Dense(4) -> gap -> flatten -> linear(10)
variant dense = M()
"""


def variant(text: str) -> Variant:
    return api.open_source(Source("test.arch", text)).only(None)


@pytest.mark.parametrize("name", list(SPECS))
@pytest.mark.parametrize("level", ["overview", "blocks"])
@pytest.mark.parametrize("options", [Options(1), Options(2), Options(2, "tb"), Options(1, "lr")], ids=str)
def test_nothing_overlaps(name: str, level: str, options: Options) -> None:
    picture = Picture(variant(SPECS[name]).drawing(level, options).svg)  # type: ignore[arg-type]
    assert list(picture.problems()) == []
    assert picture.texts


def dense(layers: int) -> Picture:
    """A dense block that concatenates everything made before, written out."""
    statements = ["x0 = in"]
    for i in range(1, layers + 1):
        before = ", ".join(f"x{j}" for j in range(i))
        statements.append(f"x{i} = {f'concat({before})' if i > 1 else 'x0'} -> bn -> relu -> conv(n, 3)")
    every = ", ".join(f"x{i}" for i in range(layers + 1))
    text = DENSE.format(statements="\n  ".join(statements), all=every)
    return Picture(variant(text).drawing("blocks").svg)


def test_a_dense_block_is_a_rail() -> None:
    """Lines grow with the number of layers, not with its square."""
    lines = {layers: len(dense(layers).lines) for layers in (4, 8, 12)}
    assert lines[12] - lines[8] == lines[8] - lines[4]
    assert lines[12] <= 4 * 12 + 2
    assert list(dense(8).problems()) == []


def test_symbols_and_numbers() -> None:
    texts = [text.text for text in Picture(api.find("resnet50").drawing("blocks").svg).texts]
    assert "1×1 conv, BN, ReLU" in texts
    assert "C → width (256–2048 → 64–512)" in texts
    assert "width → 4·width" in texts
    assert "64–512 → 256–2048" in texts
    assert texts.count("+") == 2


def test_a_gate_leaves_the_main_path_straight() -> None:
    picture = Picture(api.find("seresnet50").drawing("blocks", Options(only=("SE",))).svg)
    straight = [line for line in picture.lines if len({round(x, 1) for x, _ in line.points}) == 1]
    longest = max(abs(line.points[0][1] - line.points[-1][1]) for line in straight)
    boxes = [box for box in picture.boxes if box.kind == "op"]
    assert longest > sum(box.bottom - box.top for box in boxes)
