"""No text makes the parser raise or take long."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archdsl.diagnostics.core import Bag
from archdsl.source import Source
from archdsl.syntax import ast, format_file, parse, parse_expression
from archdsl.syntax.parser import the_parser
from tests.syntax.helpers import SPECS

TEXTS = [path.read_text() for path in SPECS]
WORDS = sorted(
    {*the_parser().terminals.names, "a", "b1", "3", "0.5", "4G", '"s"', "l:", "l{i}:", '"q{j}":', "\n", ":", "#c\n"}
)


def check(text: str) -> ast.File | None:
    bag = Bag()
    source = Source("fuzz.arch", text)
    file = parse(source, bag)
    assert (file is None) == (len(bag) > 0)
    for diagnostic in bag:
        assert diagnostic.span is not None
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
        assert diagnostic.message
    if file is not None:
        formatted = format_file(file)
        bag = Bag()
        again = parse(Source("again.arch", formatted), bag)
        assert again == file, (formatted, [str(d) for d in bag])
        assert format_file(again) == formatted
    return file


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    check(text)
    parse_expression(Source("fuzz", text), Bag())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25))
@example(["="])
def test_any_tokens(words: list[str]) -> None:
    check(" ".join(words))
    check("fn f = " + " ".join(words))
    check("model M {\n" + " ".join(words) + "\n}")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(min_value=0), st.integers(min_value=1, max_value=4))
def test_mutated_specs(seed: int, count: int) -> None:
    choose = random.Random(seed)
    text = choose.choice(TEXTS)
    for _ in range(count):
        start = choose.randrange(len(text) + 1)
        end = min(len(text), start + choose.choice([0, 0, 1, 1, 3, 30]))
        text = text[:start] + choose.choice(["", choose.choice(WORDS), text[end : end + 20]]) + text[end:]
    check(text)


LONG = 300_000


@pytest.mark.parametrize(
    "piece",
    ["a.", "a{b}", "a{b", "{", "}", "{}", "(){}", '"', '"\\', "#", "\n", " ", "\t\n", "a", "9", "9.", "..", "a: ", "'",
     "fn f = 1\n", "fn f = (\n", "model m {\n", "l{i}: ", "a b\n", "-", "x = 1\n", "if a { }\n", "\\"],
)  # fmt: skip
@pytest.mark.parametrize("head", ["", "fn f = ", "model M {\n  "])
def test_repetition_takes_linear_time(head: str, piece: str) -> None:
    text = head + piece * (LONG // len(piece))
    started = time.perf_counter()
    parse(Source("long.arch", text), Bag())
    # About 1 µs a character is usual; a quadratic step would take minutes.
    assert time.perf_counter() - started < 20
