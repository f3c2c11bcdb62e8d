"""Sequences that are put together: splices, comprehensions in comprehensions, and what `+` of them could mean."""

from __future__ import annotations

import pytest

from tests.semantics.helpers import codes, graph, net, only, paths

UNIT = "fn unit(width, norm) = [conv(width, 3), bn if norm, relu]\nblock Pair = [conv(8, 3), conv(8, 3)]\n"


def layers(text: str) -> list[str]:
    """Path and op of all nodes but the image."""
    return [f"{node.path} {node.op.name}" for node in graph(text).nodes[1:]]


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("[..unit(8, false), relu]", "0 conv, 1 relu, 2 relu"),
        ("[..unit(8, true), ..unit(8, false)]", "0 conv, 1 bn, 2 relu, 3 conv, 4 relu"),
        ("[2 of ..unit(8, false)]", "0 conv, 1 relu, 2 conv, 3 relu"),
        ("[unit(8, false), relu]", "0.0 conv, 0.1 relu, 1 relu"),
        ("[..[..unit(w, w > 8), maxpool(2, padding = 0)] for w in [8, 16]]",
         "0 conv, 1 relu, 2 maxpool, 3 conv, 4 bn, 5 relu, 6 maxpool"),
        ("[..unit(8, false) for i in 0..2 for _j in 0..i]", "0 conv, 1 relu"),
        ("[a: conv(8, 3), ..[b: bn, relu], conv(8, 3)]", "a conv, b bn, 2 relu, 3 conv"),
        ("[bn, ..[]]", "0 bn"),
        ("[..[relu if 1 > 2], bn]", "0 bn"),
        ("[..unit(8, false) if 1 > 2, bn]", "0 bn"),
        ("[..(if 1 > 2 then [bn] else [relu, relu]), bn]", "0 relu, 1 relu, 2 bn"),
        ("[Pair, ..[Pair]]", "0.0 conv, 0.1 conv, 1.0 conv, 1.1 conv"),
    ],
)  # fmt: skip
def test_members_of_spliced_sequences_are_numbered_anew(sequence: str, expected: str) -> None:
    found = layers(net(f"image(3, 8, 8) -> f: {sequence}", UNIT))
    assert found == [f"f.{part}" for part in expected.split(", ")]


def test_a_loop_collects_layers() -> None:
    body = "layers = []\nfor w in [8, 16] { layers = [..layers, conv(w, 3), relu] }\nimage(3, 8, 8) -> features: layers"
    assert paths(net(body)) == ["features.0", "features.2"]


@pytest.mark.parametrize("sequence", ["[]", "[0 of relu]", "[relu if 1 > 2]", "[..[]]"])
def test_a_list_without_members_is_no_layer(sequence: str) -> None:
    found = only(net(f"x = image(3, 8, 8)\nx -> {sequence}"))
    assert (found.code, found.span and found.span.text) == ("E313", sequence)
    assert "`id` is the layer that does nothing" in (found.help or "")


def test_lists_of_tensors_join() -> None:
    body = "x = image(4, 8, 8)\nxs = [x]\nfor _i in 0..2 { xs = xs + [concat(xs) -> conv(4, 3)] }\nconcat([..xs, x])"
    assert str(graph(net(body)).output_shape) == "16×8×8"


BOTH = "to join them, write `{}`; to add what each gives for the same input, `{}`"
CHOSEN = "if 1 > 2 then id else [bn, relu]"


@pytest.mark.parametrize(
    ("body", "joined", "added"),
    [
        (
            "f = [conv(8, 3), bn] + [conv(8, 3), relu]",
            "[conv(8, 3), bn, conv(8, 3), relu]",
            "add([conv(8, 3), bn], [conv(8, 3), relu])",
        ),
        ("f = [bn]\nf = f + [conv(8, 3), relu]", "[..f, conv(8, 3), relu]", "add(f, [conv(8, 3), relu])"),
        ("f = [] + [conv(8, 3)]", "[conv(8, 3)]", ""),
        ("g = []\nf = g + conv(8, 3)", "[..g, conv(8, 3)]", ""),
        (f"f = ({CHOSEN}) + [relu]", f"[..({CHOSEN}), relu]", f"add({CHOSEN}, [relu])"),
    ],
)
def test_plus_of_sequences_says_what_it_could_mean(body: str, joined: str, added: str) -> None:
    found = only(net(f"{body}\nimage(8, 8, 8) -> f"))
    assert (found.code, found.span and found.span.text) == ("E329", "+")
    assert found.help == (BOTH.format(joined, added) if added else f"to join them, write `{joined}`")


@pytest.mark.parametrize(
    "f",
    [
        "[conv(8, 3), bn, conv(8, 3), relu]",
        "add([conv(8, 3), bn], [conv(8, 3), relu])",
        "(main: [conv(8, 3), bn]) + [conv(8, 3), relu]",
        "[conv(8, 3), bn] + id",
        "[conv(8, 3), bn] + Pair",
        "[conv(8, 3)] * [conv(8, 3), sigmoid]",
    ],
)
def test_what_is_not_ambiguous_stays(f: str) -> None:
    assert codes(net(f"image(8, 8, 8) -> {f}", UNIT)) == []


def test_a_chosen_sequence_is_one_in_a_block_too() -> None:
    """`check` sees what the `if` chose, the source both: the same error, the same members."""
    block = "block B(a: bool) { f = if a then [bn] else [relu]\nf + [relu] }"
    assert codes(net("image(8, 8, 8) -> B(true)", block)) == ["E329"]
    block = "block B(a: bool) { f = if a then [bn, relu] else [relu]\n[..f, conv(8, 3)] }"
    assert layers(net("image(8, 8, 8) -> a: B(true) -> b: B(false)", block)) == [
        "a.0 bn", "a.1 relu", "a.2 conv", "b.0 relu", "b.1 conv",
    ]  # fmt: skip
