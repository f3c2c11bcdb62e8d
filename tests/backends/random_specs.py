"""Random whole specs: `spec(seed)` is the text of a file with every kind of item and expression that makes networks.

Blocks (with one input and with two), functions of layers, tensors and numbers, tables, scalings, defaults; sequences,
splices, comprehensions, branches, labels, stages, loops, lists of tensors, results of every form, sizes. Nearly all
specs are valid, because nearly every piece keeps the shape of what it is applied to; what `check` refuses is no case.

`python -m tests.backends.try_random` runs over as many as wanted; some of them are tests (test_random.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

ACTIVATIONS = (
    "relu", "gelu", "sigmoid", "hardswish", "silu", "relu6", "leaky_relu(0.2)", "tanh", "elu", "mish", "softplus(2)",
    "hardtanh(-1, 2)", "threshold(0.1, 0)", "softmax", "selu",
)  # fmt: skip
KEEPING = (
    "bn", "prelu", "bn(eps = 1e-3)", "dropout({f})", "drop_path({f})", "layer_scale({f})", "channel_shuffle(2)", "grn",
    "layernorm", "groupnorm(2)", "id", "scale({f})", "scale(0.5)", "dwconv(3)", "dwconv(3, bias = false)", "conv({w}, 3)",
    "conv({w}, 1)", "conv({w}, {k}, groups = 2)", "linear({w})", "maxpool(3, 1)", "avgpool(3, 1)",
    "conv({w}, 3, dilation = 2)", "std_conv({w}, 3)", 'conv({w}, 3, padding = "tf_same")', "dwconv(3, multiplier = 1)",
    "instancenorm", "instancenorm(affine = true)", "prelu(per_channel = true)", "blurpool({k1}, 1)", "dropout2d({f})",
    "conv_transpose({w}, 3)", "softmax(branches = 2)", 'softmax(over = "positions")', "rrelu",
    "conv_transpose({w}, {k}, groups = 2, bias = false)",
    "(if {c} then conv(bias = false) else conv)({w}, 3)", "conv(kernel = {k})({w})",
)  # fmt: skip
CHAINS = (
    ("split(2)", "concat"), ("split(4)", "concat"), ("conv(2 * {w}, 1)", "split(2)", "mul"),
    ("conv(3 * {w}, 1)", "split(3)", "add"), ("pad(1, 0, 0, 1)", "crop(1, 0, 0, 1)"),
    ("conv({w} + 2, 1)", "slice(0, {w})"), ("conv(2 * {w}, 1)", "slice({w}, 2 * {w})"),
    ('permute("nhwc")', "layernorm", 'permute("nchw")'), ('permute("nhwc")', "linear({w})", "{a}", 'permute("nchw")'),
    ("resize(scale_factor = 2)", "subsample(2)"), ("concat", "{a}"), ("conv(2 * {w}, 1)", "glu"),
    ('resize(scale_factor = 2, mode = "bilinear")', "maxpool(2, padding = 0)"),
    ("conv_transpose({w}, 2, stride = 2, padding = 0)", "blurpool({k1})"), ("conv(4 * {w}, 1)", "pixel_shuffle(2)", "{a}",
    "pixel_unshuffle(2)", "conv({w}, 1)"), ("conv(2 * {w}, 1)", "split(2)", "sub"),
    ("conv(2 * {w}, 1)", "split(2)", "maximum"), ('pad(1, 1, 1, 1, mode = "replicate")', "crop(1, 1, 1, 1)"),
    ("resize(scale_factor = 2, mode = \"bilinear\", antialias = true)", 'resize(scale_factor = 0.5, mode = "area")'),
    ("conv(2 * {w}, 1)", "split(2)", 'resize(mode = "bilinear")'),
    ("conv(2 * {w}, 3)", "bn", "{a}", "conv({w}, 1)"), ("conv({w} // 2, 1)", "{a}", "conv({w}, {k}, bias = false)"),
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What expressions may use where they stand: texts of the width of the tensor at hand, of conditions, of counts."""

    widths: tuple[str, ...]
    conditions: tuple[str, ...] = ("true", "1 > 2")
    counts: tuple[str, ...] = ("2", "1")
    numbers: tuple[str, ...] = ("0.1", "0.25")
    layers: tuple[str, ...] = ()
    holes: tuple[str, ...] = ()
    """Texts that make labels of a loop's rounds differ."""


MODEL = Place(
    ("8",),
    ("wide", "not wide", "rate > 0.1", "x.height == 8"),
    ("2", "1", "depth", "len([1, 2])"),
    ("rate", "0.1"),
    ("act",),
)
BLOCK = Place(
    ("w", "in.channels", "max(w, 4)", "(2 * w // 2)"),
    ("a", "b", "not a", "a and b", "w == 4", "w == 8 or b", "in.channels == w", "n > 1"),
    ("2", "n", "1", "max(n, 1)", "(if a then 1 else 2)"),
    ("p", "0.2", "p / 2", "(if b then p else 0.1)"),
    ("act",),
)


class Writer:
    """Writes one spec; everything is drawn from `rng`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.labels = 0
        self.names = 0
        self.blocks: list[str] = []
        self.pairs: list[str] = []
        self.makers: list[str] = []
        self.appliers: list[str] = []
        self.table = rng.random() < 0.4

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def fill(self, template: str, at: Place) -> str:
        kernel = self.pick("1", "3", "5", "[1, 3]")
        act = self.pick(*ACTIVATIONS, *at.layers)
        return template.format(
            w=self.pick(*at.widths), f=self.pick(*at.numbers), k=kernel, a=act, k1=self.pick("3", "2", "5"),
            c=self.pick(*at.conditions),
        )  # fmt: skip

    def label(self, at: Place) -> str:
        self.labels += 1
        n = self.labels
        if at.holes:
            hole = self.pick(*at.holes)
            return self.pick(f"m{n}_{{{hole}}}: ", f'"r{n}-{{{hole}}}": ', f"box{n}.{{{hole}}}: ")
        return self.pick(f"m{n}: ", f'"m-{n}": ', f"box{n}.inner: ", f'"{n + 20}": ', f"box.m{n}: ", f"box.sub.m{n}: ")

    # --- layers that keep the shape ----------------------------------------------------------

    def layer(self, at: Place, depth: int) -> str:
        """An operand: what is looser than a call has parentheses."""
        kinds = ["op", "op", "act"]
        if depth:
            kinds += [
                "chain",
                "chain",
                "sum",
                "gate",
                "if",
                "sequence",
                "sequence",
                "block",
                "maker",
                "fixed",
                "concat",
            ]
        match self.pick(*kinds):
            case "op":
                return self.fill(self.pick(*KEEPING), at)
            case "act":
                return self.pick(*ACTIVATIONS, *at.layers)
            case "chain":
                return f"({self.chain(at, depth - 1)})"
            case "fixed":
                return f"({' -> '.join(self.fill(part, at) for part in self.rng.choice(CHAINS))})"
            case "sum":
                sign, two = self.pick("+", "+", "-"), self.layer(at, depth - 1)
                if sign == "-" or self.chance(50):
                    return f"({self.pick('id', self.layer(at, depth - 1)) if sign == '-' else 'id'} {sign} {two})"
                return f"add({self.layer(at, depth - 1)}, {two})"
            case "gate":
                inner = self.layer(at, depth - 1)
                return self.pick(
                    f"(id * (gap -> {self.pick(*ACTIVATIONS)} -> sigmoid))",
                    f"({inner} * (id -> sigmoid))",
                    "(id * (gap -> channel_conv(3) -> sigmoid))",
                    "(id * (concat(channel_mean, channel_max) -> conv(1, 3) -> sigmoid))",
                    f"((channel_max -> sigmoid) * {inner})",
                )
            case "concat":
                return f"(concat(id, {self.layer(at, depth - 1)}) -> conv({self.pick(*at.widths)}, 1))"
            case "if":
                no = "id" if self.chance(40) else self.layer(at, depth - 1)
                return f"(if {self.pick(*at.conditions)} then {self.layer(at, depth - 1)} else {no})"
            case "block" if self.blocks:
                return self.use(self.pick(*self.blocks), at)
            case "maker" if self.makers:
                return f"{self.pick(*self.makers)}({self.pick(*at.widths)}, {self.pick(*at.conditions)})"
        return self.sequence(at, depth - 1)

    def use(self, block: str, at: Place) -> str:
        given = [self.pick(*at.widths), self.pick(*at.conditions)]
        if self.chance(50):
            given.append(f"b = {self.pick(*at.conditions)}")
        if self.chance(30):
            given.append(f"p = {self.pick(*at.numbers)}")
        if self.chance(30):
            given.append(f"n = {self.pick(*at.counts)}")
        if self.chance(30):
            given.append(f"act = {self.pick(*ACTIVATIONS, *at.layers, '[bn, relu]', 'scale(0.5)', self.layer(at, 0))}")
        if self.chance(15):
            return f"{block}({given[0]})({', '.join(given[1:])})"
        return f"{block}({', '.join(given)})"

    def chain(self, at: Place, depth: int) -> str:
        parts = []
        for _ in range(self.rng.randint(1, 3)):
            label = self.label(at) if self.chance(25) else ""
            parts.append(label + self.layer(at, depth))
        return " -> ".join(parts)

    def sequence(self, at: Place, depth: int) -> str:
        if depth > 0 and self.chance(15):
            i = self.fresh("i")
            inner = replace(at, conditions=(*at.conditions, f"{i} > 0", f"{i} == 1"), counts=(*at.counts, f"{i} + 1"))
            condition = self.pick("", f" if {i} != 1", f" for _j in 0..{i} + 1")
            value = self.layer(inner, depth - 1)
            if self.chance(40):
                value = f"..{self.sequence(inner, 0)}"
            return f"[{value} for {i} in 0..{self.pick('2', '3', *at.counts)}{condition}]"
        first = self.layer(at, max(depth, 0))  # there in any case: without members a list is no layer
        others = [part for _ in range(self.rng.randint(0, 3)) for part in self.members(at, depth)]
        return f"[{', '.join([first, *others])}]"

    def members(self, at: Place, depth: int) -> Iterator[str]:
        if self.chance(20):
            yield from (self.fill(part, at) for part in self.rng.choice(CHAINS))
            return
        if self.chance(20):
            spliced = self.sequence(at, max(depth - 1, 0))
            chosen = f"(if {self.pick(*at.conditions)} then {spliced} else {self.pick('[]', '[relu]')})"
            count = self.pick("", "", f"{self.pick(*at.counts)} of ")
            yield f"{count}..{self.pick(spliced, chosen)}{self.pick('', f' if {self.pick(*at.conditions)}')}"
            return
        count = f"{self.pick(*at.counts)} of " if self.chance(15) else ""
        label = self.label(at) if not count and self.chance(20) else ""
        condition = f" if {self.pick(*at.conditions)}" if self.chance(25) else ""
        yield f"{count}{label}{self.layer(at, max(depth, 0))}{condition}"

    # --- statements --------------------------------------------------------------------------

    def statements(self, at: Place, depth: int, scope: str) -> Iterator[str]:
        """Lines that change `x` and keep its shape; `scope`: model, block or fn."""
        for _ in range(self.rng.randint(1, 3)):
            yield from self.statement(at, depth, scope)

    def statement(self, at: Place, depth: int, scope: str) -> Iterator[str]:
        kinds = ["step", "step", "sum", "parts", "pair", "list", "layers", "number", "fn", "apply", "choose", "collect"]
        kinds += ["if", "for"] if depth else []
        kinds += ["stage", "stages"] if scope == "model" and not at.holes else []
        kinds += ["stages"] if scope == "block" and not at.holes else []
        new = self.fresh("y")
        w = self.pick(*at.widths)
        match self.pick(*kinds):
            case "sum":
                yield f"{new} = x -> {self.chain(at, 1)}"
                yield f"x = {self.pick(f'x + {new}', f'{new} * (x -> sigmoid)', f'concat(x, {new}) -> conv({w}, 1)')}"
            case "parts":
                yield f"{new}a, {new}b = x -> conv(2 * {w}, 1) -> split(2)"
                yield f"x = {self.pick(f'{new}a + {new}b', f'({new}a, {new}b) -> mul', f'{new}b + ({new}a -> bn)')}"
            case "pair" if self.pairs:
                yield f"{new}a, {new}b = (x, x -> {self.chain(at, 1)}) -> {self.pick(*self.pairs)}({w})"
                yield f"x = {new}a + {new}b"
            case "list":
                i = self.fresh("i")
                yield f"{new} = [x -> {self.layer(at, 1)} for {i} in 0..{self.pick('2', '3')} if {i} != 5]"
                yield f"x = {self.pick(f'concat({new}) -> conv({w}, 1)', f'concat([..{new}, x]) -> conv({w}, 1)', f'{new} -> add')}"
            case "layers":
                yield f"{new} = {self.pick(self.sequence(at, 1), f'({self.chain(at, 1)})')}"
                yield f"x = x -> {new}{self.pick('', f' -> {new}', f' -> {self.label(at)}{new}')}"
            case "number":
                yield f"{new} = {self.pick(w, f'{w} * 2 // 2', f'min({w}, 4 * {w})')}"
                yield f"x = x -> conv({new}, {self.pick('1', '3')}) -> {self.layer(at, 1)}"
            case "collect":
                i = self.fresh("i")
                yield f"{new} = []"
                yield f"for {i} in 0..{self.pick(*at.counts)} {{ {new} = [..{new}, {self.layer(at, 1)}, ..{self.sequence(at, 0)}] }}"
                yield f"x = x -> {self.pick('', self.label(at))}[..{new}, id, relu]"
            case "fn" if self.makers:
                yield f"x = x -> {self.pick('', self.label(at))}{self.pick(*self.makers)}({w}, {self.pick(*at.conditions)})"
            case "apply" if self.appliers:
                yield f"x = {self.pick(*self.appliers)}(x, {self.pick(*at.conditions)})"
            case "choose":
                yield f"{new} = if {self.pick(*at.conditions)} then {self.layer(at, 1)} else {self.pick('id', self.layer(at, 1))}"
                yield f"x = {self.pick(f'x -> {new}', f'x + (x -> {new})')}"
            case "if":
                yield f"if {self.pick(*at.conditions)} {{"
                yield from indented(self.statements(at, depth - 1, scope))
                if self.chance(50):
                    yield "} else {"
                    yield from indented(self.statements(at, depth - 1, scope))
                yield "}"
            case "for":
                yield from self.loop(at, depth, scope)
            case "stage":
                yield f"stage {self.fresh('part')} {{"
                yield from indented(self.statements(at, max(depth - 1, 0), scope))
                yield "}"
            case "stages":
                yield f"x = x -> stage {self.fresh('s')}: {self.layer(at, 2)}"
            case _:
                yield f"x = x -> {self.chain(at, 2)}"

    def loop(self, at: Place, depth: int, scope: str) -> Iterator[str]:
        i, v = self.fresh("i"), self.fresh("v")
        conditions = (*at.conditions, f"{i} > 0", f"{i} % 2 == 0")
        head, extra = self.rng.choice(
            [
                (f"for {i} in 0..{self.pick('2', '3', *at.counts)}", ()),
                (f"for {i}, {v} in [1, 2]", (v,)),
                (f"for {i}, ({v}, {v}b) in zip([1, 2], [0.1, 0.2])", (v, f"int({v}b) + 1")),
                (f"for {i}, {v} in rows" if self.table else f"for {i} in [0, 1]", (f"{v}.n",) if self.table else ()),
            ]
        )
        holes = (i, f"{i} + 1", f"2 * {i}")
        inner = replace(at, conditions=conditions, counts=(*at.counts, f"{i} + 1", *extra), holes=holes)
        yield f"{head} {{"
        yield from indented(self.statements(inner, depth - 1, scope))
        yield "}"

    # --- items -------------------------------------------------------------------------------

    def block(self) -> Iterator[str]:
        name = self.fresh("Unit")
        head = f"block {name}(w: int, a: bool, b: bool = false, p: float = 0.3, n: int = 2, act: layer = relu)"
        if self.chance(35):
            yield f"{head} = {self.pick(self.sequence(BLOCK, 2), self.chain(BLOCK, 2))}"
        else:
            yield f"{head} {{"
            yield "  x = in"
            yield from indented(self.statements(BLOCK, 2, "block"))
            yield f"  {self.pick('x', f'x -> {self.layer(BLOCK, 1)}', 'x + in')}"
            yield "}"
        self.blocks.append(name)

    def pair(self) -> Iterator[str]:
        name = self.fresh("Pair")
        at = Place(("w", "u.channels"), ("w > 4", "v.channels == w"), ("2",), ("0.1",))
        yield f"block {name}(w: int) on (u, v) {{"
        yield f"  x = u -> {self.chain(at, 1)}"
        yield from indented(self.statements(at, 1, "block"))
        yield f"  {self.pick('(x, v)', '(v, x)', f'(x + v, v -> {self.layer(at, 1)})', '(x, x)')}"
        yield "}"
        self.pairs.append(name)

    def function(self) -> Iterator[str]:
        name = self.fresh("f")
        if self.chance(50):
            at = Place(("c",), ("a", "not a", "c > 4"), ("2", "1"), ("0.1",))
            yield f"fn {name}(c, a) = {self.pick(self.layer(at, 2), self.sequence(at, 2))}"
            self.makers.append(name)
        else:
            at = Place(("x.channels",), ("a", "x.channels == 8", "x.width > 5"), ("2", "1"), ("0.1",))
            yield f"fn {name}(x, a) {{"
            yield from indented(self.statements(at, 1, "fn"))
            yield "  x -> " + self.chain(at, 1)
            yield "}"
            self.appliers.append(name)

    def model(self) -> Iterator[str]:
        yield "model Net(wide: bool = false, rate: float = 0.2, depth: int = 2, classes: int = 3, act: layer = relu) {"
        yield f"  x = image(3, 8, 8) -> stem: conv(8, {self.pick('3', '1')})"
        named = False
        for number, width in enumerate(self.rng.choice([("8",), ("8", "16"), ("4", "8"), ("8", "8 * 2")])):
            stride = self.pick("1", "2")
            yield f"  x = x -> {self.pick('', f'down{number}: ')}conv({width}, {self.pick('1', '3')}, {stride})"
            yield from indented(self.statements(replace(MODEL, widths=(width, "x.channels")), 2, "model"))
            if self.chance(15):
                named = True
                yield f"  output early{number} = x -> gap -> flatten -> linear(classes)"
        result = f"x -> {self.pick('gap', 'gap', 'relu -> gap')} -> flatten -> {self.pick('fc: ', '')}linear(classes)"
        if self.chance(80):
            yield f"  {result}"
        elif self.chance(50):
            yield "  for i in 0..depth { output p{i} = x -> p.{i}: conv(4 + i, 1) }"
            yield f"  output given = {self.pick('x', 'x -> relu', result)}"
        elif named:
            yield f"  {result}"
        else:
            yield f"  {self.pick(f'({result}, x)', f'[x, {result}, x -> relu]', '[x]')}"
        yield "}"

    def spec(self) -> str:
        lines: list[str] = []
        if self.chance(20):
            lines.append(self.pick("default conv(bias = false)", "default bn(eps = 1e-3), conv(bias = true)"))
        if self.table:
            lines += ["table rows(n, k) {", "  1, 3", "  2, 1", "}"]
        for _ in range(self.rng.randint(0, 2)):
            lines += self.function()
        for _ in range(self.rng.randint(1, 3)):
            lines += self.block()
        if self.chance(40):
            lines += self.pair()
        for _ in range(self.rng.randint(0, 1)):
            lines += self.function()
        lines += self.model()
        if self.chance(20):
            lines += ["scaling rule(phi: float) {", "  depth = round(1 + phi)", "  wide = phi > 1", "}"]
            lines.append(f"variant three = Net(..rule(phi = {self.pick('1', '2.4')}), rate = 0.3)")
        lines.append("variant one = Net()")
        if self.chance(40):
            lines.append(
                f"variant two = Net({self.pick('true', 'wide = true, act = gelu', 'depth = 3', 'rate = 0.05')})"
            )
        return "\n".join(lines) + "\n"


def indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def spec(seed: int) -> str:
    """The spec of this number."""
    return Writer(random.Random(seed)).spec()
