"""The picture of a training: loss, accuracy, learning rate and size over its epochs. Takes rows, gives SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archdsl.backends.diagram.chart import Curve, CurvePanel, chart
from archdsl.training.plan import Plan

_PANELS = (
    ("loss", (("train_loss", "training"), ("test_loss", "test"), ("average_loss", "test, average"))),
    ("top-1 on the test pictures, %", (("top1", "weights"), ("average_top1", "average"))),
    ("learning rate", (("lr", "learning rate"),)),
    ("size of the image", (("size", "size"),)),
)


def curves(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> str:
    """What there is to see of a training; a size that never changes is left out."""
    panels = []
    for title, wanted in _PANELS:
        lines = []
        for key, name in wanted:
            points = [(float(row["epoch"]), float(row[key])) for row in rows if key in row]
            if points and not (key == "size" and len({y for _, y in points}) == 1):
                lines.append(Curve(name, points, steps=key == "size"))
        if lines:
            panels.append(CurvePanel(title, lines, logarithmic=title == "loss"))
    return chart(f"{plan.given.name}, recipe {plan.recipe.name}, {plan.recipe.epochs} epochs", panels)
