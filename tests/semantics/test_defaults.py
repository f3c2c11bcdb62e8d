"""Defaults are checked where they are written, used or not."""

from __future__ import annotations

import pytest

from tests.semantics.helpers import net, places

NET = net("image(3, 8, 8) -> conv(4, 3) -> gap -> flatten -> linear(2)")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('block B(n: int = "a") = conv(n, 3)', [("E301", '"a"')]),
        ("block B(n: int = 1.5) = conv(n, 3)", [("E301", "1.5")]),
        ("block B(n: float = true) = dropout(n)", [("E301", "true")]),
        ("block B(n: bool = 1) = conv(4, 3, bias = n)", [("E301", "1")]),
        ('block B(f: layer = "relu") = f', [("E301", '"relu"')]),
        ("fn f(s: string = relu) = s", [("E301", "relu")]),
        ('fn f(n: list(int) = [1, "a"]) = n', [("E301", '[1, "a"]')]),
        ("scaling s(phi: float = true) { a = phi }", [("E301", "true")]),
        (
            "model M(n: int = 1.5, m: int) = image(3, 8, 8) -> conv(n, m)",
            [("E301", "1.5")],
        ),
        ("block B(n: int in 1..4 = 9) = conv(n, 3)", [("E302", "9")]),
        ("block B(n: int in [1, 3] = 2) = conv(8, n)", [("E302", "2")]),
        ("block B(ns: list(int) in 1..4 = [1, 5]) = conv(ns[0], 3)", [("E302", "[1, 5]")]),
        ("fn f(n: int = 1 / 0) = n", [("E305", "0")]),
        ("fn f(n: int = g()) = n\nfn g(x: float = 2.5) = x", [("E301", "g()")]),
        # What is allowed, whether or not there is a default.
        ('block B(n: int in "a"..) = conv(n, 3)', [("E301", '"a"')]),
        ("block B(n: int in 3) = conv(n, 3)", [("E301", "3")]),
        ("block B(n: int in 3, m: int = n) = conv(n, m)", [("E301", "3")]),
        # Those of ops.
        ('default bn(eps = "a")', [("E301", '"a"')]),
        ("default conv(bias = 3)", [("E301", "3")]),
        ("default conv(out = 0)", [("E302", "0")]),
        # What is right, or known at a call only.
        ("block B(n: int in 1..4 = 3, f: layer = relu, fs: layer = [conv(4, 3), relu]) = [conv(n, 3), f, fs]", []),
        ("block B(n: int = 4, m: int in 1..9 = n / 8) = conv(n, m)", []),
        ("default bn(momentum = 0.01), conv(bias = false)", []),
    ],
)
def test_a_default_is_checked_where_it_is_written(text: str, found: list[tuple[str, str]]) -> None:
    assert places(text + "\n" + NET) == found


def test_a_wrong_default_is_reported_once_though_it_is_used_twice() -> None:
    text = "block B(n: int = 1.5) = conv(n, 3)\n" + net("image(3, 8, 8) -> a: B -> b: B -> gap -> flatten -> linear(2)")
    assert places(text) == [("E301", "1.5")]
