"""Tensors that another library stores in another shape: what `"gamma" [C] = "layer_scale" [C, 1, 1]` says in a map.

Both sides list the same sizes in the same order, and ones between them: the numbers are the same and in the same order,
so that it goes both ways without a loss. `bgr` there where we have `rgb` are the channels of pictures the other way
round. Reports E415 to E417.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.diagnostics.core import Bag
from archdsl.source import Span
from archdsl.syntax import ast

COLOURS = ("rgb", "bgr")
"""Names of the channels of pictures, in either order."""

Shape = tuple[int, ...]
Size = int | str


@dataclass(frozen=True, slots=True)
class Reshape:
    """The shape of a tensor there and here: sizes are numbers, or names that stand for a number.

    `reversed_at`: the dimension of ours along which the numbers are in the other order there.
    """

    theirs: tuple[Size, ...]
    ours: tuple[Size, ...]
    reversed_at: int | None = None

    def shape(self, ours: Shape) -> Shape | None:
        """The shape there of a tensor that has this one here; None if it does not fit."""
        if len(ours) != len(self.ours):
            return None
        bound: dict[str, int] = {}
        for wanted, size in zip(self.ours, ours, strict=True):
            if size != (wanted if isinstance(wanted, int) else bound.setdefault(wanted, size)):
                return None
        return tuple(size if isinstance(size, int) else bound[size] for size in self.theirs)


def sizes_text(sizes: Sequence[Size]) -> str:
    """`[C, 1, 1]`"""
    return f"[{', '.join(map(str, sizes))}]"


def report_misfit(span: Span, bag: Bag, *, key: str, wanted: Sequence[Size], got: Shape | None, of: str) -> None:
    """E415: a line with a shape is for a weight of the network `of` that has another, or (None) for a whole layer."""
    if got is None:
        detail = f"`{key}` lies within what this line names, and a shape is of one tensor"
        help_ = f'name the tensor to its end on both sides: "….{key.rpartition(".")[2]}"'
    else:
        detail, help_ = f"`{key}` of {of} is {sizes_text(got)}", None
    bag.report("E415", span, wanted=sizes_text(wanted), detail=detail, help=help_)


def read_reshape(line: ast.KeyRule, bag: Bag) -> Reshape | None:
    """The shapes that a line gives; None if it gives none, or after E416 or E417."""
    given = line.their_shape, line.our_shape
    if given == (None, None):
        return None
    theirs, ours = given
    if theirs is None or ours is None:
        key = (line.theirs if theirs is None else line.ours).span
        bag.report("E416", key, detail="one side gives a shape, this one none")
        return None
    sides = _sizes(theirs, bag), _sizes(ours, bag)
    if sides[0] is None or sides[1] is None:
        return None
    if sides[0] == sides[1]:
        bag.report("E417", ours.span, shape=sizes_text(sides[1]))
        return None
    colours = [[size for size in side if size in COLOURS] for side in sides if side is not None]
    other_way = len(colours[0]) == len(colours[1]) == 1 and colours[0] != colours[1]
    at = sides[1].index(colours[1][0]) if other_way else None
    proper = [[_ordered(size, other_way) for size in side if size != 1] for side in sides if side is not None]
    if proper[0] != proper[1]:
        both = f"{sizes_text(sides[0])} and {sizes_text(sides[1])}"
        bag.report("E416", ours.span, detail=f"{both} do not list the same sizes in the same order, ones aside")
        return None
    as_theirs = tuple(colours[1][0] if other_way and size in COLOURS else size for size in sides[0])
    return Reshape(as_theirs, sides[1], at)


def _ordered(size: Size, other_way: bool) -> Size:
    """A size as it is compared: the channels of pictures are as many in either order."""
    return "rgb" if other_way and size in COLOURS else size


def _sizes(shape: ast.Shape, bag: Bag) -> tuple[Size, ...] | None:
    found: list[Size] = []
    for size in shape.sizes:
        if isinstance(size, ast.Name):
            found.append(size.name)
        elif isinstance(size.value, int) and size.value > 0:
            found.append(size.value)
        else:
            bag.report("E416", size.span, detail=f"`{size.text}` is no size")
            return None
    return tuple(found)
