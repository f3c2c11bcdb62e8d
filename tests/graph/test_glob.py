"""Patterns with `*`: what they match, and that nothing they say can take long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archdsl
from archdsl import api
from archdsl.diagnostics.core import ArchError
from archdsl.graph.glob import LIMIT, Effort, Glob
from archdsl.graph.keymap import KeyMap
from archdsl.semantics.checkpoints import MOST_LINES
from archdsl.semantics.settings import MOST_RULES
from archdsl.source import Source
from archdsl.weights.fitting import choose

words = st.text("ab.\n*[?", max_size=12)


@given(words, words)
def test_a_star_is_any_characters(pattern: str, text: str) -> None:
    """Python's `re` says what that means."""
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
    assert Glob(pattern).matches(text) == expected


@given(words)
def test_a_pattern_matches_itself(text: str) -> None:
    assert Glob(text).matches(text)
    assert Glob("*").matches(text)
    assert Glob(f"*{text}*").matches(f"x{text}y")


SECONDS = 5.0
"""For a whole file. A matcher that backtracks would not end."""


def test_stars_are_looked_for_once() -> None:
    start = time.perf_counter()
    assert not Glob("*a" * 20_000 + "*b").matches("a" * 100_000)
    assert Glob("*a" * 20_000 + "*").matches("a" * 20_000)
    assert time.perf_counter() - start < SECONDS


# --- whole files -----------------------------------------------------------------------------

NET = "model Net = image(3, 8, 8) -> b: [{count} of conv(8, 3)] -> gap -> flatten -> fc: linear(5)\n"
VARIANTS = NET.replace("Net", "Net(k: int = 5)").replace("linear(5)", "linear(k)")
VARIANTS += "".join(f"variant v{i} = Net({i + 1})\n" for i in range(100))


def init(*rules: str) -> str:
    return "init Net {\n" + "\n".join(rules) + "\n}\n"


def maps(*lines: str, name: str = "theirs") -> str:
    return f"checkpoint {name} for Net {{\n" + "\n".join(lines) + "\n}\n"


def found(text: str) -> set[str]:
    start = time.perf_counter()
    codes = {diagnostic.code for diagnostic in api.open_source(Source("net.arch", text)).check()}
    assert time.perf_counter() - start < 2 * SECONDS  # on machines that have other things to do
    return codes


SMALL, LARGE, MANY = NET.format(count=50), NET.format(count=3000), VARIANTS.format(count=30)
FILES = {
    "many stars": (SMALL + init('"' + "*0" * 200 + '*z": zeros'), {"E404"}),
    "many rules": (SMALL + init(*["conv: zeros"] * (MOST_RULES + 1)), {"E513"}),
    "as many rules as may be": (SMALL + init(*["conv: zeros"] * MOST_RULES), set()),
    "many patterns": (LARGE + init(*[f'"{i}*x*y": zeros' for i in range(MOST_RULES)]), {"E514"}),
    "many patterns, many fans": (
        LARGE + init(*[f'"*{i}*": kaiming_normal' for i in range(MOST_RULES)]),
        {"E317", "E514"},
    ),
    "patterns in many variants": (MANY + init(*[f'"a{i}*": zeros' for i in range(MOST_RULES)]), {"E514"}),
    "many lines": (SMALL + maps(*['"x" = "y"'] * (MOST_LINES + 1)), {"E513"}),
    "many maps": (SMALL + "".join(maps('"x" = "y"', name=f"m{i}") for i in range(MOST_LINES + 1)), {"E513"}),
    "fewer maps, more weights": (LARGE + "".join(maps('"x" = "y"', name=f"m{i}") for i in range(300)), {"E514"}),
    "lines that match nothing": (MANY + maps(*[f'"x{i}" = "y{i}"' for i in range(3000)]), {"E407"}),
    "lines that match all": (LARGE + maps(*[f'"x{i}.{{k}}" = "b.{{k}}"' for i in range(3000)]), {"E514"}),
    "ranges": (LARGE + maps(*[f'"x{i}.{{k}}" = "b.{{k in {i}..{i + 1}}}"' for i in range(3000)]), {"E514"}),
    "lines for what is inside": (LARGE + maps(*[f'"*.x{i}" = "*.weight"' for i in range(3000)]), {"E514"}),
    "counters": (LARGE + maps(*[f'count n{i} in "b.{{k}}"' for i in range(3000)], '"x.{n1}" = "b.{k}"'), {"E514"}),
    "a hole of spaces": (SMALL + maps('"x{a' + " " * 900 + '!}" = "{k}"'), {"E406"}),
    "a long pattern": (SMALL + maps('"' + "x." * 100_000 + 'y" = "0"'), {"E406"}),
    "a pattern of holes": (SMALL + maps('"' + "x{k}." * 190 + 'y" = "b.{k}"'), set()),
}


@pytest.mark.parametrize(("text", "codes"), FILES.values(), ids=FILES)
def test_every_file_is_checked_soon(text: str, codes: set[str]) -> None:
    assert found(text) == codes


def test_a_literal_line_costs_no_comparison_with_others() -> None:
    """A map that names each of 1,500 layers, as a generated one does."""
    lines = [f'"theirs.{i}.conv" = "b.{i}"' for i in range(1500)]
    assert found(NET.format(count=1500) + maps(*lines)) == set()


def test_loading_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    file = api.open_source(Source("net.arch", LARGE + maps(*[f'"x{i}.{{k}}" = "b.{{k}}"' for i in range(3000)])))
    (keymap,) = file["Net"].keymaps.values()
    with pytest.raises(ArchError) as raised:
        keymap.apply((key for key, _, _ in file["Net"].graph.state()), Effort(100))
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E514"
    assert diagnostic.span is not None
    assert diagnostic.span.text == "theirs"


def test_shipped_specs_are_far_from_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    efforts: list[Effort] = []
    apply = KeyMap.apply

    def counted(self: KeyMap, keys: object, effort: Effort | None = None) -> object:
        efforts.append(effort or Effort())
        return apply(self, keys, efforts[-1])  # type: ignore[arg-type]

    monkeypatch.setattr(KeyMap, "apply", counted)
    archdsl.open("efficientnet")
    assert efforts
    assert min(effort.left for effort in efforts) > LIMIT * 0.9


def test_maps_are_counted_together_when_a_file_is_loaded() -> None:
    """Nobody has checked the spec by then."""
    text = NET.format(count=1000) + "".join(maps('"x" = "y"', name=f"m{i}") for i in range(1000))
    variant = api.open_source(Source("net.arch", text))["Net"]
    ours = {key: weight.shape for key, weight, _ in variant.graph.state()}
    with pytest.raises(ArchError) as raised:
        choose(ours, {"a": (1,)}, variant.keymaps, None)
    assert [d.code for d in raised.value.diagnostics] == ["E514"]
