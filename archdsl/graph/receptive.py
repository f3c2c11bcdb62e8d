"""Receptive fields: how many pixels of the image each node sees. Takes a `Graph`, gives a `Field` for every node.

The rule is that of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill,
2019): along a path, a window of extent k (its holes included) widens the field by (k - 1) × stride, and its step
multiplies the stride; where paths meet, the largest field counts. Padding does not matter: a field may reach beyond the
border of the image.

Two things are not windows. A global pool, an adaptive pool to 1×1 and flattening see `everything`, and so does all
that follows. A gate (one value per channel, as in squeeze-and-excitation) is left out of the maximum, or every node
after the first would see everything; the field of the gated image counts, and `gated` says that there is more.
Statistics of normalization layers do not count either.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from archdsl.graph.ir import Graph, Node
from archdsl.ops.spec import POINTWISE, Shape

Pixels: TypeAlias = tuple[int | Fraction, int | Fraction]


@dataclass(frozen=True, slots=True)
class Field:
    """What one position of a tensor sees of the image: `size` and `stride` in pixels, rows and columns.

    `stride` is the distance between the fields of neighbouring positions. `everything`: the whole image, whatever
    `size` says. `gated`: in addition to the field, the whole image through a gate.
    """

    size: Pixels
    stride: Pixels
    everything: bool = False
    gated: bool = False

    def __str__(self) -> str:
        """`427×427, stride 32`, `the whole image`."""
        if self.everything:
            return "the whole image"
        stride = _number(self.stride[0])
        if self.stride[0] != self.stride[1]:
            stride = f"{stride}×{_number(self.stride[1])}"
        more = ", and the whole image through a gate" if self.gated else ""
        return f"{_number(self.size[0])}×{_number(self.size[1])}, stride {stride}{more}"


def _number(value: int | Fraction) -> str:
    return f"{float(value):.4g}" if value.denominator != 1 else str(value.numerator)


_PIXEL = Field((1, 1), (1, 1))


def receptive_fields(graph: Graph) -> list[Field]:
    """The field of every node's output, by the node's number."""
    fields: list[Field] = []
    for node in graph.nodes:
        fields.append(_through(node, _meet(node, fields)) if node.inputs else _PIXEL)
    return fields


def _meet(node: Node, fields: list[Field]) -> Field:
    """The field of a node's operands together: the largest of those that are not gates."""
    operands = [fields[ref.node] for ref in node.inputs[: node.op.valued]]
    if len(operands) == 1:
        return operands[0]
    seen = [f for f, shape in zip(operands, node.input_shapes, strict=True) if not _is_gate(shape, node.shape)]
    gated = len(seen) < len(operands) or any(field.gated for field in seen)
    size = max(field.size[0] for field in seen), max(field.size[1] for field in seen)
    stride = max(field.stride[0] for field in seen), max(field.stride[1] for field in seen)
    return Field(size, stride, any(field.everything for field in seen), gated)


def _is_gate(operand: Shape, output: Shape) -> bool:
    """One value for all positions of an image, beside an operand that has them."""
    return operand.height == operand.width == 1 and (output.height, output.width) != (1, 1)


def _through(node: Node, seen: Field) -> Field:
    """The field after a node's own window."""
    reach = node.op.reach(node.params, node.input_shapes)
    if reach == POINTWISE:
        return seen
    (rows, columns), (down, right) = seen.size, seen.stride
    size = rows + (reach.extent[0] - 1) * down, columns + (reach.extent[1] - 1) * right
    stride = down * reach.step[0], right * reach.step[1]
    return Field(size, stride, seen.everything or reach.everything, seen.gated)
