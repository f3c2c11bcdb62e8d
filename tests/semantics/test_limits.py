"""Every spec terminates, soon, and whatever is wrong with it is a diagnostic."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.graph.sizes import SizeDecision
from archdsl.semantics import bound, lists, operators
from archdsl.semantics.context import MAX_PARTS, MAX_STEPS
from archdsl.semantics.defaults import check_defaults
from archdsl.semantics.sizes import MAX_BRANCHES
from archdsl.semantics.variants import MAX_AMENDED
from archdsl.source import Source
from tests.semantics.helpers import check, codes, graph, net

ROOT = Path(__file__).parents[2]
SPECS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "specs").glob("*.arch"))}
SECONDS = 10.0
"""Generous: it is about one second on the machines of the project, and the tests run several at a time."""

DEFINITIONS = "".join(
    f"fn f{i}(x) = {f'f{i - 1}(x)' if i else 'x'}\nblock B{i}(x) = {f'B{i - 1}(x)' if i else 'conv(x, 1)'}\n"
    for i in range(70)
)
APPLY = (
    "scaling pair(phi) { a = (phi, phi) }\nfn apply(f) = f(f)\nblock Two(f: layer, g: layer) = f -> g\n"
    "block Wide(w) = conv(w, 1) -> bn -> relu\n"
    "block Compare(xs) {\n  for _i in 0..10_000 { require xs == xs }\n  in -> relu\n}\n"
)

ENDLESS = {
    "a long list": "image(3, 8, 8) -> [1_000_000 of relu]",
    "lists of lists": "image(3, 8, 8) -> [1000 of [1000 of relu]]",
    "many blocks": "image(3, 8, 8) -> [100_000 of Wide(8)]",
    "loops": "a = 0\nfor _i in 0..1000 { for _j in 0..1000 { for _k in 0..1000 { a = a + 1 } } }\nimage(3, a, 8)",
    "a long range": "a = 0\nfor _i in 0..10_000_000 { a = a + 1 }\nimage(3, a, 8)",
    "a doubled list": "a = [1]\nfor _i in 0..60 { a = a + a }\nimage(3, len(a), 8)",
    "a list in lists": "a = [1]\nfor _i in 0..60 { a = [a, a] }\nimage(3, len(a), 8)",
    "zips of zips": "a = [1]\nfor _i in 0..60 { a = zip(a, a) }\nimage(3, len(a), 8)",
    "doubled layers": "a = relu\nfor _i in 0..60 { a = a -> a }\nimage(3, 8, 8) -> a",
    "doubled nothing": "a = id\nfor _i in 0..60 { a = a -> a }\nimage(3, 8, 8) -> a",
    "doubled sums": "a = id\nfor _i in 0..60 { a = a + a }\nimage(3, 8, 8) -> a",
    "layers in layers": "a = relu\nfor _i in 0..60 { a = Two(a, a) }\nimage(3, 8, 8) -> a",
    "work in built-ins": "a = 0\nfor _i in 0..10_000 { a = sum(0..200_000) }\nimage(3, a, 8)",
    "calls": "image(3, f69(8), 8)",
    "blocks": "image(3, 8, 8) -> B69(8)",
    "functions of themselves": "image(3, 8, apply(apply))",
    "doubled tuples": "a = (1, 2)\nfor _i in 0..60 { a = (a, a) }\nimage(3, 8, 8)",
    "doubled tensors": "x = image(3, 8, 8)\na = (x, x)\nfor _i in 0..60 { a = (a, a) }\nconcat(a)",
    "doubled pairs": "a, b = (1, 2)\nfor _i in 0..60 { a, b = ((a, b), (b, a)) }\nimage(3, 8, 8)",
    "doubled records": "r = pair(1)\nfor _i in 0..60 { r = pair(r) }\nimage(3, 8, 8)",
    "compared lists": "a = [0..1000, 0..1000]\nb = [a, a, [x for x in 0..100_000]]\n"
    "for _i in 0..10_000 { require b == b }\nimage(3, 8, 8)",
    "a compared parameter": "image(3, 8, 8) -> Compare([x for x in 0..100_000])",
    "lists as arguments": "a = [x for x in 0..100_000]\nfor _i in 0..10_000 { _b = f1(a) }\nimage(3, 8, 8)",
    "built-in lists": "for _i in 0..10_000 { _a = linspace(0, 1, 200_000) }\nimage(3, 8, 8)",
    "blocks and functions in each other": "image(3, 8, 8) -> twice39(1)",
    "blocks around blocks": "image(3, 8, 8) -> [100_000 of B49(8)]",
}


DOUBLING = "block Twice0(w) = relu\nfn twice0(w) = relu\n" + "".join(
    f"block Twice{i}(w) = twice{i - 1}(w) -> twice{i - 1}(w)\nfn twice{i}(w) = Twice{i - 1}(w) -> Twice{i - 1}(w)\n"
    for i in range(1, 40)
)


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_what_asks_for_too_much_is_refused_soon(body: str) -> None:
    start = time.process_time()
    assert codes(net(body, DEFINITIONS + APPLY + DOUBLING)) == ["E315"]
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("arguments", ["sum(0..100_000_000)", "f69(8)", "apply(apply)", "len([300_000 of 1])"])
def test_arguments_of_variants_are_limited_too(arguments: str) -> None:
    text = f"{DEFINITIONS}{APPLY}model Net(n) = image(3, n, 8)\nvariant net = Net({arguments})\n"
    assert codes(text) == ["E315"]


ROWS = "variants Net(k) {\n" + "".join(f"  v{i}: {i + 1}\n" for i in range(300)) + "}\n"
FOR_EACH = {
    "a long default": "model Net(k: int, xs = [i for i in 0..200_000]) =\n"
    "  image(3, 8, 8) -> conv(k, 1) -> [min(len(xs), 2) of id, relu]",
    "many steps": "model Net(k: int) {\n  a = 0\n  for _i in 0..190_000 { a = a + 1 }\n"
    "  image(3, a, 8) -> conv(k, 1)\n}",
    "many layers": "model Net(k: int) = image(3, 8, 8) -> conv(k, 1) -> [90_000 of relu]",
}


@pytest.mark.parametrize("model", FOR_EACH.values(), ids=FOR_EACH)
def test_limits_are_of_the_whole_file(model: str) -> None:
    """300 variants that are each within them: one error, after what one variant may take."""
    start = time.process_time()
    assert codes(f"{model}\n{ROWS}") == ["E315"]
    assert time.process_time() - start < SECONDS
    one = ROWS.replace(ROWS[ROWS.index("  v1:") : -2], "")
    assert codes(f"{model}\n{one}") == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the memory of a process")
@pytest.mark.parametrize(
    "text",
    [
        net("image(3, 8, 8) -> twice39(1)", DOUBLING),
        net("image(3, 8, 8) -> [100_000 of B49(8)]", DEFINITIONS),
        f"{FOR_EACH['many layers']}\n{ROWS}",
        f"{FOR_EACH['a long default']}\n{ROWS}",
    ],
    ids=["doubled blocks", "blocks in blocks", "many layers", "long defaults"],
)
def test_limits_are_reached_in_little_memory(text: str, tmp_path: Path) -> None:
    """A process of its own, so that nothing else counts: less than 512 MB for a whole file, where 200 are usual."""
    path = tmp_path / "large.arch"
    path.write_text(text, encoding="utf-8")
    measure = "import sys; from archdsl.cli import main\ntry: main()\n"
    measure += "finally: print(*[line for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    command = [sys.executable, "-c", measure, "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "E315" in done.stdout + done.stderr
    kilobytes = int(done.stdout.split()[-2])
    assert 10_000 < kilobytes < 512 * 1024


def test_amendments_of_amendments_are_limited() -> None:
    """In whichever order they stand: each variant asks all that it rests on for what holds of it."""
    model = "model Net(k: int) = image(3, 8, 8) -> conv(k, 1)\n"
    for levels, found in ((MAX_AMENDED, []), (MAX_AMENDED + 1, ["E315"]), (1000, ["E315"])):
        chain = [f"variant v{i} = v{i - 1} with (k = {i})\n" for i in range(1, levels + 1)]
        for order in (chain, chain[::-1], chain[levels // 2 :] + chain[: levels // 2]):
            assert codes(model + "variant v0 = Net(1)\n" + "".join(order)) == found


def test_items_about_variants_are_not_looked_up_by_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by each variant for each that it amends: that was the third power of a chain's length."""
    text = "model Net(k: int) = image(3, 8, 8) -> conv(k, 1)\nvariant v0 = Net(1)\n"
    text += "".join(f"variant v{i} = v{i - 1} with (k = {i})\n" for i in range(1, 51))
    text += "init v0 {\n  conv: zeros\n}\npreprocess Net {\n  mean = [0.1, 0.2, 0.3]\n}\n"
    file = ArchFile(Source("chain.arch", text))
    looked = 0

    class Counted(tuple):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[object]:
            nonlocal looked
            looked += 1
            return super().__iter__()

    root = file.program.root
    monkeypatch.setattr(root, "syntax", replace(root.syntax, items=Counted(root.syntax.items)))
    assert [d for d in file.check() if d.severity == "error"] == []
    assert looked < 2 * 51


def test_ranges_are_not_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What costs one step takes no time that grows with the list."""
    endless = range(10**15)
    assert operators._same(endless, range(10**15))
    assert not operators._same(endless, range(10**15 + 1))
    assert not operators._same(endless, (0, 1, 2))
    assert operators._same(range(3), (0, 1, 2))
    text = "fn f(xs: list(int) in 0..100) = len(xs)\nfn g(xs: list(bool)) = len(xs)\n"
    assert codes(net("image(3, f(0..8), 8)", text)) == []
    assert codes(net("image(3, f(0..101), 8)", text)) == ["E302"]
    assert codes(net("image(3, f(-1..8), 8)", text)) == ["E302"]
    assert codes(net("image(3, g(0..8), 8)", text)) == ["E301"]
    monkeypatch.setattr(lists, "members", None)
    assert codes(net("a, b = 0..190_000\nimage(3, a, b)")) == ["E307"]


def test_each_question_about_sizes_is_compared_with_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    equal = SizeDecision.__eq__

    def counted(one: SizeDecision, other: object) -> bool:
        nonlocal compared
        compared += 1
        return equal(one, other)

    monkeypatch.setattr(SizeDecision, "__eq__", counted)
    asked = "".join(f"if x.height > {i} {{ x = x -> relu }}\n" for i in range(100))
    found = graph(net(f"x = image(3, 8, 8)\n{asked}for _i in 0..50 {{ require x.height > 2 }}\nx"))
    assert len(found.size_decisions) == 101
    assert compared < 300


def test_each_block_does_not_go_through_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"block B{i}(n = 8) = conv(n, 1)\n" for i in range(100))
    file = ArchFile(Source("many.arch", text + net(f"image(3, 8, 8) -> {' -> '.join(f'B{i}' for i in range(100))}")))
    looked = 0

    class Counted(dict):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[object]:
            nonlocal looked
            looked += 1
            return super().__iter__()

    monkeypatch.setattr(file.program.root, "names", Counted(file.program.root.names))
    assert len(file["net"].graph.nodes) == 101
    assert looked < 20


def test_each_parameter_does_not_go_through_all_others() -> None:
    asked = 0

    class Counted(tuple[bound.Parameter, ...]):
        def __iter__(self) -> Iterator[bound.Parameter]:
            nonlocal asked
            asked += 1
            return super().__iter__()

    parameters = ", ".join(f"_p{i} = {f'_p{i - 1}' if i else '1'}" for i in range(100))
    text = net("image(3, 8, 8) -> B", f"block B({parameters}) = relu")
    file = ArchFile(Source("many.arch", text))
    block = file.program.root.names["B"]
    block.parameters = Counted(block.parameters)
    check_defaults(file.program, Bag())
    assert len(file["net"].graph.nodes) == 2
    assert asked < 20


def test_arguments_and_other_items_count_too() -> None:
    long = "sum([i for i in 0..150_000])"
    model = "model Net(k: int, n: int) = image(3, 8, 8) -> conv(k, 1)\nvariants Net(k) {\n"
    rows = "".join(f"  v{i}: {i + 1}, n = {long}\n" for i in range(300))
    assert codes(model + rows + "}\n") == ["E315"]
    defaults = "".join(f"fn f{i}(a = {long}) = a\n" for i in range(300))
    assert codes(f"{defaults}model Net = image(3, 8, 8) -> conv(8, 1)\n") == ["E315"]
    rules = "".join(f'  "conv1": constant({long})\n' for _ in range(300))
    assert codes(f"model Net = image(3, 8, 8) -> conv1: conv(8, 1)\ninit Net {{\n{rules}}}\n") == ["E315"]


def test_a_file_of_many_variants_has_room() -> None:
    """What a family of today asks for, a hundred times."""
    model = "model Net(k: int) = image(3, 8, 8) -> conv(k, 1) -> [60 of [conv(8, 3), bn, relu]]\n"
    file = ArchFile(Source("many.arch", model + ROWS))
    assert file.check() == ()
    assert file.bag.steps < MAX_STEPS / 4
    assert file.bag.parts < MAX_PARTS / 2


def test_source_asks_for_no_more_than_check() -> None:
    """What an untaken branch would cost is not counted where it is looked at for the sake of the source alone."""
    functions = "fn g0(x) = x\n" + "".join(
        f"fn g{i}(x) = if x > 0 then g{i - 1}(x) else g{i - 1}(x) + g{i - 1}(x) + g{i - 1}(x)\n" for i in range(1, 40)
    )
    file = ArchFile(
        Source("deep.arch", functions + "block B(n: int) = conv(g39(n), 1)\n" + net("image(3, 8, 8) -> B(4)"))
    )
    start = time.process_time()
    assert [d for d in file.check() if d.severity == "error"] == []
    assert "nn.Conv2d(in_channels, 4, 1)" in file["net"].source
    assert time.process_time() - start < SECONDS


def test_sharing_is_not_unfolded() -> None:
    """Numbers made of numbers made of numbers: each step is short, written out they would fill the universe."""
    block = "block B(n: int) {\na = n\nfor _i in 0..200 { a = a + a - a }\nconv(a, 1) }"
    start = time.process_time()
    assert str(graph(net("image(3, 8, 8) -> B(4) -> B(5)", block)).output_shape) == "5×8×8"
    assert time.process_time() - start < SECONDS


BRANCHES = {
    "tensors in a sum": "add(..xs)",
    "layers in a sum": "image(3, 8, 8) -> add(EACH)",
    "tensors in a list": "xs -> concat",
    "parts of a split": "image(N, 8, 8) -> split(N) -> concat",
    "results": "xs",
    "named outputs": "for i, x in xs { output p{i} = x }",
    "results of a block": "image(3, 8, 8) -> Many(N) -> concat",
}
MANY = "block Many(n: int) {\n  xs = [in]\n  for i in 1..n {\n    xs = xs + [xs[i - 1] -> conv(3, 1)]\n  }\n  xs\n}\n"


@pytest.mark.parametrize("body", BRANCHES.values(), ids=BRANCHES)
def test_branches_are_limited_to_what_can_be_built(body: str) -> None:
    """Python's parser, its compiler and pictures take no sum of thousands: what check accepts they have to."""
    listed = "xs = [image(3, 8, 8)]\nfor i in 1..N { xs = xs + [xs[i - 1] -> conv(3, 1)] }\n" if "xs" in body else ""
    many, most = (
        net((listed + body).replace("N", str(n)).replace("EACH", ", ".join(["relu -> tanh"] * n)), MANY)
        for n in (MAX_BRANCHES + 1, MAX_BRANCHES)
    )
    assert codes(many) == ["E333"]
    assert codes(most) == []
    compile(ArchFile(Source("most.arch", most))["net"].source, "most", "exec")


def test_what_is_large_but_not_too_large_works() -> None:
    assert len(graph(net("image(3, 8, 8) -> [100_000 of relu]")).nodes) == 100_001
    chain = "f = relu\nfor _i in 0..2000 { f = f -> relu }\nimage(3, 8, 8) -> f"
    assert len(graph(net(chain)).nodes) == 2002
    assert codes(net("image(3, 8, 8) -> B49(8)", DEFINITIONS)) == []


def test_huge_numbers() -> None:
    assert codes(net("image(3, 8, 8) -> conv(10^18, 1)")) == ["E330"]
    assert codes(net("image(3, 8, 8) -> conv(10^18 + 1, 1)")) == ["E321"]
    assert codes(net("image(3, 8, 8) -> conv(9" + "0" * 80 + ", 1)")) == ["E321"]
    assert codes(net("x = image(3, 8, 8)\nfor _i in 0..100 { x = concat(x, x) }\nx")) == ["E330"]


# --- mutated specs ---------------------------------------------------------------------------

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|\d[\d_.]*|->|\.\.|//|[=!<>]=|\s+|.', re.DOTALL)
_OTHERS = [
    *"0 1 -1 2.5 1e18 true [] [1,2] id relu conv in x unit image bn if of for".split(),
    *'"x" -> + * / ^ .. , ( ) { } [ ] = :'.split(),
    "\n",
]


def _mutated(text: str, rng: random.Random) -> str:
    """The text with a few tokens dropped, doubled, exchanged or replaced."""
    tokens = _TOKEN.findall(text)
    solid = [i for i, token in enumerate(tokens) if not token.isspace()]
    for _ in range(rng.randint(1, 3)):
        i, j = rng.choice(solid), rng.choice(solid)
        match rng.randrange(5):
            case 0:
                tokens[i] = ""
            case 1:
                tokens[i] += " " + tokens[i]
            case 2:
                tokens[i], tokens[j] = tokens[j], tokens[i]
            case 3:
                tokens[i] = tokens[j]
            case _:
                tokens[i] = rng.choice(_OTHERS)
    return "".join(tokens)


def _run(text: str) -> None:
    """Check a text; anything but findings is a bug."""
    start = time.process_time()
    file: ArchFile | None = None
    try:
        file = ArchFile(Source("mutated.arch", text))
        found = file.check()
    except ArchError as error:
        found = error.diagnostics
    assert all(d.message and str(d) for d in found)
    faults = any(d.severity == "error" for d in found)
    assert faults or file is not None
    # A variant without a graph has an error that says why.
    assert faults or file is None or all(variant.memo.graph for variant in file.values())
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("name", sorted(SPECS))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 10**9))
def test_mutated_specs_give_findings_and_nothing_else(name: str, seed: int) -> None:
    _run(_mutated(SPECS[name], random.Random(seed)))


def test_one_token_less_or_more_in_a_small_file() -> None:
    text = (
        "fn f(a: int in 1..9, b = 2) = if a > 1 and b < 3 then [a, b][0] else max(a, b)\n"
        "block B(w: int, act: layer = relu) on (x, y) { z = (x -> c: conv(w, 3) -> act) + y\n (z, y) }\n"
        "table t(a, b) {\n  4, relu\n  4, gelu\n}\n"
        "model Net(n = 4) { x = image(4, 8, 8)\n y = x\n for i, r in t { x, y = (x, y) -> stage s{i}: B(f(r.a), r.b) }"
        "\n"
        " concat(x, y) -> [n // 2 of conv(n, 1), bn if n > 3] }\n"
        "variants Net(n) { a: 4 }\nvariant b = a with (n = 6)\nexpect a { nodes = 11 }\ninit Net { conv: zeros }\n"
    )
    assert [d.code for d in check(text) if d.severity == "error"] == []
    tokens = _TOKEN.findall(text)
    for i, token in enumerate(tokens):
        if not token.isspace():
            _run("".join(tokens[:i] + tokens[i + 1 :]))
            for other in ("0", "id", "[1]"):
                _run("".join([*tokens[:i], other, *tokens[i + 1 :]]))
