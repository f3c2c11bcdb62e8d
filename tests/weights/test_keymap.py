"""Checkpoint maps: what patterns match, which rule counts, counters, and that a map goes both ways."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.graph.keymap import DIRECT
from tests.weights.specs import TINY_MAP, densenet, keymap, tiny

LEFT_ASIDE = [
    ('"aux" = none', ["fc.weight"], ["aux.a.weight", "aux.b", "aux"]),
    ('"aux{i}.fc" = none', ["fc.weight"], ["aux1.fc.weight", "aux12.fc.bias"]),
    # A part that the model has is loaded whole.
    ('"aux" = none', ["aux.a.weight"], []),
    ('"aux.b" = none', ["aux.a.weight"], ["aux.b"]),
    ('"aux1" = none', ["fc.weight"], ["aux1.fc.weight"]),
]


@pytest.mark.parametrize(("line", "known", "left"), LEFT_ASIDE)
def test_what_has_no_counterpart_is_left_aside(line: str, known: list[str], left: list[str]) -> None:
    keys = ["fc.weight", "aux.a.weight", "aux.b", "aux", "aux1.fc.weight", "aux12.fc.bias", "auxiliary.weight"]
    assert keymap(line).ignored(keys, known) == tuple(left)


def test_what_has_no_counterpart_changes_no_name() -> None:
    assert list(keymap('"aux" = none').apply(["aux.a", "fc.weight"]).theirs.items()) == [
        ("aux.a", "aux.a"),
        ("fc.weight", "fc.weight"),
    ]


RENAMED = [
    # A prefix ends at a dot.
    ('"_bn0" = "bn1"', "bn1.running_mean", "_bn0.running_mean"),
    ('"_bn0" = "bn1"', "bn10.weight", "bn10.weight"),
    ('"_bn0" = "bn1"', "body.bn1.weight", "body.bn1.weight"),
    ('"_bn0" = "bn1"', "bn1", "_bn0"),
    # A whole key.
    ('"fc.kernel" = "fc.weight"', "fc.weight", "fc.kernel"),
    ('"fc.kernel" = "fc.weight"', "fc.bias", "fc.bias"),
    ('"a.gamma" = "a.layer_scale"', "a.layer_scale", "a.gamma"),
    # Numbers: alone and within a name, several, repeated, with arithmetic.
    ('"b.{s}.{i}.c" = "l{s}.{i}.conv"', "l2.11.conv.weight", "b.2.11.c.weight"),
    ('"b.{i}.{s}" = "l{s}.{i}"', "l2.11.conv.weight", "b.11.2.conv.weight"),
    ('"b.{s - 1}" = "l{s}"', "l2.weight", "b.1.weight"),
    ('"b.{s}" = "l{s + 1}"', "l2.weight", "b.1.weight"),
    ('"b.{s}" = "l{2 * s + 1}"', "l7.weight", "b.3.weight"),
    ('"b.{s}" = "l{2 * s + 1}"', "l6.weight", "l6.weight"),
    ('"b.{3*s-1}" = "l{s}"', "l7.weight", "b.20.weight"),
    ('"b.{s}" = "l{s}.{s}"', "l7.7.weight", "b.7.weight"),
    ('"b.{s}" = "l{s}.{s}"', "l7.8.weight", "l7.8.weight"),
    ('"b0" = "l.0"', "l.0.weight", "b0.weight"),
    ('"b0" = "l.0"', "l.1.weight", "l.1.weight"),
    # No number is ever negative, and none has leading zeros.
    ('"b.{s}" = "l{s + 1}"', "l0.weight", "l0.weight"),
    ('"b.{s - 1}" = "l{s}"', "l0.weight", "l0.weight"),
    ('"b.{s + 5}" = "l{s + 1}"', "l0.weight", "l0.weight"),
    ('"b.{s}" = "l{s}"', "l01.weight", "l01.weight"),
    ('"b.{s}" = "l{s}"', "l" + "9" * 5000, "l" + "9" * 5000),
    # Only the numbers of a range, which are those of the path.
    ('"b.{i - 4}" = "l{i in 4..8}"', "l4.weight", "b.0.weight"),
    ('"b.{i - 4}" = "l{i in 4..8}"', "l8.weight", "l8.weight"),
    ('"b.{i - 4}" = "l{i in 4..8}"', "l3.weight", "l3.weight"),
    ('"b.{i}" = "l{i + 1 in 4..8}"', "l4.weight", "b.3.weight"),
    # Text that is special elsewhere is text here.
    ('"x" = "a+b"', "aab.weight", "aab.weight"),
    ('"x-{i}" = "block{i}-1"', "block3-1.weight", "x-3.weight"),
]


@pytest.mark.parametrize(("rule", "ours", "theirs"), RENAMED)
def test_one_rule(rule: str, ours: str, theirs: str) -> None:
    assert keymap(rule).apply([ours]).theirs == {ours: theirs}


def test_the_last_rule_counts() -> None:
    rules = ['"a.{i}" = "x.{i}"', '"b.{i}" = "x.{i}.bn"', '"c" = "x.0.bn"']
    keys = ["x.0.bn.weight", "x.1.bn.weight", "x.1.conv"]
    assert list(keymap(*rules).apply(keys).theirs.values()) == ["c.weight", "b.1.weight", "a.1.conv"]
    renaming = keymap(*rules[::-1]).apply(keys)
    assert list(renaming.theirs.values()) == ["a.0.bn.weight", "a.1.bn.weight", "a.1.conv"]
    assert len(renaming.used) == 1


INSIDE = [
    # After the first part, which no rule names here.
    (['"*.n" = "*.bn"'], "a.bn.weight", "a.n.weight"),
    (['"*.n" = "*.bn"'], "bn.weight", "bn.weight"),
    (['"*.n" = "*.bn"'], "a.bn1.weight", "a.bn1.weight"),
    # At any depth, again and again, past parts that keep their names.
    (['"*.n" = "*.bn"'], "a.b.bn.c.bn.weight", "a.b.n.c.n.weight"),
    (['"*.{i}_l" = "*.l{i}"', '"*.c{k + 1}.w" = "*.conv_{k}.weight"'], "a.l3.conv_0.weight", "a.3_l.c1.w"),
    # After what another rule has renamed, never within it.
    (['"body.{i}" = "s.{i}.x"', '"*.n" = "*.x"'], "s.2.x.x.weight", "body.2.n.weight"),
    # The last that fits.
    (['"*.n" = "*.bn"', '"*.m.u" = "*.bn.weight"'], "a.bn.weight", "a.m.u"),
    (['"*.n" = "*.bn"', '"*.m.u" = "*.bn.weight"'], "a.bn.bias", "a.n.bias"),
]


@pytest.mark.parametrize(("rules", "ours", "theirs"), INSIDE)
def test_rules_for_what_is_inside(rules: list[str], ours: str, theirs: str) -> None:
    renaming = keymap(*rules).apply([ours])
    assert renaming.theirs == {ours: theirs}
    assert bool(renaming.used) == (ours != theirs)


def test_a_rule_that_would_give_a_negative_number_leaves_the_key_to_others() -> None:
    found = keymap('"first" = "l0"', '"b.{i - 1}" = "l{i}"').apply(["l0", "l1"])
    assert found.theirs == {"l0": "first", "l1": "b.0"}


def test_counters_run_on_in_the_order_of_the_keys() -> None:
    keys = ["stem.w", "s.0.0.a", "s.0.0.b", "s.1.0.a", "s.1.1.a", "s.0.1.a", "s.x.w"]
    found = keymap('count n in "s.{i}.{j}"', '"flat.{n + 1}" = "s.{i}.{j}"').apply(keys)
    assert list(found.theirs.values()) == [
        "stem.w",
        "flat.1.a",
        "flat.1.b",
        "flat.2.a",
        "flat.3.a",
        "flat.4.a",
        "s.x.w",
    ]


def test_a_counter_counts_for_rules_that_name_a_number() -> None:
    found = keymap('count n in "s.{i}.{j}"', '"f.{n}" = "s.{i}.{j}"', '"g.{n}.{j}" = "s.1.{j}"').apply(
        ["s.0.0", "s.1.0", "s.1.1"]
    )
    assert list(found.theirs.values()) == ["f.0", "g.1.0", "g.2.1"]


def test_several_counters() -> None:
    found = keymap(
        'count conv in "f.{k}.conv"',
        'count bn in "f.{k}.bn"',
        '"c{conv}" = "f.{k}.conv"',
        '"b{bn}.{conv}" = "f.{k}.bn"',
    ).apply(["f.2.conv.w", "f.3.bn.w", "f.5.conv.w", "f.9.bn.w"])
    # Under `f.3.bn` no conv is counted, so the last rule, which needs both, is for no key.
    assert list(found.theirs.values()) == ["c0.w", "f.3.bn.w", "c1.w", "f.9.bn.w"]


def test_clashes_are_found() -> None:
    found = keymap('"a" = "x"', '"a.w" = "y.v"').apply(["x.w", "y.v", "z"])
    (clash,) = found.clashes
    assert (clash.key, clash.first[0], clash.second[0]) == ("a.w", "x.w", "y.v")
    (clash,) = keymap('"z" = "x"').apply(["x", "z"]).clashes
    assert clash.second == ("z", None)


def test_without_rules_nothing_changes() -> None:
    assert DIRECT.apply(["a.b", "c1"]).theirs == {"a.b": "a.b", "c1": "c1"}


@pytest.mark.parametrize("name", ["tiny", "densenet121", "densenet161"])
def test_both_ways(name: str) -> None:
    variant = tiny(TINY_MAP) if name == "tiny" else densenet(name)
    found = variant.keymaps["theirs" if name == "tiny" else "pytorchcv"]
    keys = [key for key, _, _ in variant.graph.state()]
    there, back = found.apply(keys).theirs, found.apply(keys).ours
    assert list(there) == keys
    assert [back[theirs] for theirs in there.values()] == list(there)
    assert len(back) == len(there)
    assert all(ours != theirs for ours, theirs in there.items())


names = st.text("abcdefghxyz_-", min_size=1, max_size=4)
holes = st.tuples(st.sampled_from("ijk"), st.integers(1, 3), st.integers(-2, 3))
parts = st.lists(st.one_of(names, st.tuples(names, holes)), min_size=1, max_size=4)


def written(pieces: list[str | tuple[str, tuple[str, int, int]]]) -> str:
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
        else:
            text, (name, factor, offset) = piece
            sign = "-" if offset < 0 else "+"
            texts.append(f"{text}{{{factor} * {name} {sign} {abs(offset)}}}")
    return ".".join(texts)


def filled(pieces: list[str | tuple[str, tuple[str, int, int]]], values: dict[str, int]) -> str:
    """The key that a pattern means, by the definition of the language."""
    return ".".join(p if isinstance(p, str) else f"{p[0]}{p[1][1] * values[p[1][0]] + p[1][2]}" for p in pieces)


@given(parts, st.fixed_dictionaries({name: st.integers(2, 40) for name in "ijk"}), st.sampled_from(["", ".w", ".a.b"]))
def test_any_pattern_matches_what_it_means(
    ours: list[str | tuple[str, tuple[str, int, int]]], values: dict[str, int], rest: str
) -> None:
    """The other side of a rule gets the values that our side was filled with, and the rest of the key."""
    known = sorted({piece[1][0] for piece in ours if not isinstance(piece, str)})
    theirs = "-".join(["t", *(f"{{{name}}}" for name in known)])
    expected = "-".join(["t", *(str(values[name]) for name in known)])
    key = filled(ours, values) + rest
    assert keymap(f'"{theirs}" = "{written(ours)}"').apply([key]).theirs == {key: expected + rest}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["conv", "bn", "dw"])), unique=True))
def test_a_map_that_reports_no_clash_goes_both_ways(paths: list[tuple[int, int, str]]) -> None:
    """It clashes where two layers beside each other have one name."""
    keys = [f"s.{s}.{i}.{name}.w" for s, i, name in paths]
    rules = [
        'count n in "s.{s}.{i}"',
        '"b.{n}.c" = "s.{s}.{i}.conv"',
        '"b.{n + 1}.n" = "s.{s}.{i}.bn"',
        '"q.{s}" = "s.{s}.0"',
        '"b.{n}.c" = "s.{s}.{i}.dw"',
    ]
    clash = any((s, i, "dw") in paths and (s, i, "conv") in paths for s, i, _ in paths if i)
    found = keymap(*rules).apply(keys)
    assert list(found.theirs) == keys
    assert bool(found.clashes) == clash == (len(found.ours) < len(keys))
    if not clash:
        assert {found.ours[theirs]: theirs for theirs in found.theirs.values()} == found.theirs


RULES = [
    '"p" = "a"',
    '"q.{i}" = "a.{i}"',
    '"r.{i}.v" = "a.{i}.w"',
    '"s" = "a.0.w"',
    '"t.{i}.{j}" = "a.{i}.b.{j}"',
    '"u" = "b.w"',
    '"*.x" = "*.b"',
    '"*.y.{i}" = "*.b.{i in 2..4}"',
]


@given(
    st.lists(st.sampled_from(RULES)),
    st.lists(st.sampled_from("a.0.w a.0.v a.1.w a.1.v a.0.b.3 a.0.b.4 b.w b.v a b".split())),
)
def test_neighbours_do_not_matter(rules: list[str], keys: list[str]) -> None:
    """Weights of one layer are renamed together: the result is that of each alone."""
    found = keymap(*rules)
    assert found.apply(keys).theirs == {key: found.apply([key]).theirs[key] for key in keys}


def test_no_torch() -> None:
    script = (
        "import sys; from tests.weights.specs import *; v = densenet(); "
        "assert not [d for d in v.file.check() if d.code[:3] == 'E40']; "
        "assert v.keymaps['pytorchcv'].apply(key for key, _, _ in v.graph.state()).theirs; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
