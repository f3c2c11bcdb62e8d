"""Which variants' numbers stand for all: those that together take every branch of the spec, cheaply."""

from __future__ import annotations

import pytest

from archdsl.api import open_source
from archdsl.source import Source
from archdsl.verify.choose import representatives

SPEC = """
model Net(width: int, kernel: int = 3, gated: bool = false, act: layer = relu, depth: int = 2) {
  x = image(3, 32, 32) -> stem: conv(width, kernel) -> act
  for i in 0..depth { x = x -> body.{i}: conv(width, 3) -> bn{i}: bn }
  if gated { x = x * (x -> gap -> sigmoid) }
  x -> gap -> flatten -> fc: linear(10)
}
variants Net(width) {
  small: 8
  large: 64
}
variant deep = small with (depth = 5)
"""


def chosen(more: str = "", references: str = "reference timm for Net") -> list[str]:
    file = open_source(Source("net.arch", f"{SPEC}{more}\n{references}\n"))
    rows = [(variant, reference) for variant in file.values() for reference in variant.references]
    return [f"{variant.name} {reference.library}" for variant, reference in representatives(rows)]


def test_sizes_and_depths_are_no_branches() -> None:
    assert chosen() == ["small timm"]


@pytest.mark.parametrize("change", ["kernel = 5", "gated = true", "act = silu"])
def test_every_branch_is_taken(change: str) -> None:
    assert chosen(f"variant other = large with ({change})") in (["small timm", "other timm"], ["other timm"])
    assert "other timm" in chosen(f"variant other = large with ({change})")


def test_what_others_cover_is_left_out() -> None:
    more = "variant a = small with (gated = true)\nvariant b = small with (act = silu, kernel = 5)"
    assert chosen(more) == ["a timm", "b timm"]


def test_every_library_is_compared_with() -> None:
    references = "reference timm for small, large\nreference pytorchcv for large"
    assert chosen(references=references) == ["small timm", "large pytorchcv"]


def test_the_largest_are_left_out() -> None:
    assert chosen("variant huge = large with (width = 5_000, gated = true)") == ["small timm"]


def test_where_bit_for_bit_is_claimed_it_is_compared() -> None:
    """A tolerance elsewhere does not stand for it, however small the network."""
    within = 'reference pytorchcv for small {\n  "why"\n  tolerance = 1e-9\n}'
    assert chosen(references=f"reference timm for large\n{within}") == ["small pytorchcv", "large timm"]
    assert chosen(references=f"reference pytorchcv for large\n{within}") == ["large pytorchcv"]


def test_every_model_is_compared_with_every_library() -> None:
    more = "model Other(width: int) = image(3, 32, 32) -> stem: conv(width, 3) -> gap -> flatten -> fc: linear(10)"
    other = "variant other = Other(8)\nreference timm for Net, other"
    assert chosen(f"{more}\n{other}", "reference pytorchcv for Other") == [
        "small timm",
        "other timm",
        "other pytorchcv",
    ]


def test_what_is_refused_has_no_numbers() -> None:
    refused = 'reference pytorchcv for small {\n  "why"\n  differs = ["keys"]\n}'
    assert chosen(references=f"reference timm for Net\n{refused}") == ["small timm"]
