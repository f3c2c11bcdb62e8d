"""Tensors that another library stores in another shape: what `"gamma" [C] = "layer_scale" [C, 1, 1]` says in a map.

Both sides list the same sizes in the same order, and ones between them: the numbers are the same and in the same order,
so that it goes both ways without a loss. Reports E415 to E417.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.diagnostics.core import Bag
from archdsl.source import Span
from archdsl.syntax import ast

Shape = tuple[int, ...]
Size = int | str


@dataclass(frozen=True, slots=True)
class Reshape:
    """The shape of a tensor there and here: sizes are numbers, or names that stand for a number."""

    theirs: tuple[Size, ...]
    ours: tuple[Size, ...]

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
    proper = [[size for size in side if size != 1] for side in sides if side is not None]
    if proper[0] != proper[1]:
        both = f"{sizes_text(sides[0])} and {sizes_text(sides[1])}"
        bag.report("E416", ours.span, detail=f"{both} do not list the same sizes in the same order, ones aside")
        return None
    return Reshape(sides[0], sides[1])


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
