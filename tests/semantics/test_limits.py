"""Every spec terminates, soon, and whatever is wrong with it is a diagnostic."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError
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
APPLY = "fn apply(f) = f(f)\nblock Two(f: layer, g: layer) = f -> g\nblock Wide(w) = conv(w, 1) -> bn -> relu\n"

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
}


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_what_asks_for_too_much_is_refused_soon(body: str) -> None:
    start = time.perf_counter()
    assert codes(net(body, DEFINITIONS + APPLY)) == ["E315"]
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize("arguments", ["sum(0..100_000_000)", "f69(8)", "apply(apply)", "len([300_000 of 1])"])
def test_arguments_of_variants_are_limited_too(arguments: str) -> None:
    text = f"{DEFINITIONS}{APPLY}model Net(n) = image(3, n, 8)\nvariant net = Net({arguments})\n"
    assert codes(text) == ["E315"]


def test_sharing_is_not_unfolded() -> None:
    """Numbers made of numbers made of numbers: each step is short, written out they would fill the universe."""
    block = "block B(n: int) {\na = n\nfor _i in 0..200 { a = a + a - a }\nconv(a, 1) }"
    start = time.perf_counter()
    assert str(graph(net("image(3, 8, 8) -> B(4) -> B(5)", block)).output_shape) == "5×8×8"
    assert time.perf_counter() - start < SECONDS


def test_what_is_large_but_not_too_large_works() -> None:
    assert len(graph(net("image(3, 8, 8) -> [100_000 of relu]")).nodes) == 100_001
    chain = "f = relu\nfor _i in 0..2000 { f = f -> relu }\nimage(3, 8, 8) -> f"
    assert len(graph(net(chain)).nodes) == 2002
    assert codes(net("image(3, 8, 8) -> B49(8)", DEFINITIONS)) == []


def test_huge_numbers() -> None:
    assert codes(net("image(3, 8, 8) -> conv(10^18, 1)")) == []
    assert codes(net("image(3, 8, 8) -> conv(10^18 + 1, 1)")) == ["E321"]
    assert codes(net("image(3, 8, 8) -> conv(9" + "0" * 80 + ", 1)")) == ["E321"]
    assert codes(net("x = image(3, 8, 8)\nfor _i in 0..100 { x = concat(x, x) }\nx")) == []


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
    start = time.perf_counter()
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
    assert faults or file is None or all("graph" in variant.__dict__ for variant in file.values())
    assert time.perf_counter() - start < SECONDS


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


def test_every_shipped_spec_is_faultless() -> None:
    for name, text in SPECS.items():
        found = ArchFile(Source(name, text)).check()
        assert not found, [str(d) for d in found]
