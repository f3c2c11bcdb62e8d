"""The methods of a generated class: `forward`; of a model that classifies also `forward_features` and `forward_head`.

Takes a class and the graph; gives lines. The head is what `graph.backbone` says it is. Where its beginning, or the
classifier, lies inside a block, the model has `forward` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archdsl.backends.python.forward import Forward
from archdsl.backends.python.layout import INDENT, statement
from archdsl.backends.python.modules import Body, Listed, ModuleExpr, Option, Step
from archdsl.backends.python.naming import ADDED
from archdsl.backends.python.parameters import ClassDef
from archdsl.graph.backbone import head_of
from archdsl.graph.ir import Graph, Ref
from archdsl.symbolic import Expr


@dataclass(frozen=True, slots=True)
class _Split:
    """A model's `forward` in three: up to the last feature map, from there to the classifier, and the rest.

    `part` is the beginning of a sequence that holds the classifier, to be called for what the classifier sees.
    """

    features: list[Step]
    pool: list[Step]
    classify: list[Step]
    last_map: Ref
    seen: Ref
    part: str = ""


def methods(known: ClassDef, graph: Graph, kept: Mapping[Expr, str], outputs: str) -> Iterator[str]:
    """The lines of all methods but `__init__`; `outputs` is the class of several named outputs."""
    body = known.body
    split = _split(body, graph) if known.is_model and graph.main else None
    several = known.is_model and graph.form != "tensor"
    result = outputs if graph.form == "named" else graph.form
    forward = Forward(body, kept, result, graph.output_names) if several else Forward(body, kept)
    if split is None:
        yield from forward.method()
        return
    yield from Forward(replace(body, steps=split.features, outputs=(split.last_map,)), kept).method("forward_features")
    yield ""
    yield from _head(body, split, kept)
    yield ""
    if several:
        yield from forward.method()
    else:
        yield f"{INDENT}def forward(self, x: Tensor) -> Tensor:"
        yield f"{INDENT * 2}return self.forward_head(self.forward_features(x))"


def _head(body: Body, split: _Split, kept: Mapping[Expr, str]) -> Iterator[str]:
    yield f"{INDENT}def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:"
    pool = Forward(replace(body, inputs=(split.last_map,), steps=split.pool, outputs=(split.seen,)), kept)
    yield from pool.assign("x", 2)
    seen = f"{split.part}(x)" if split.part else "x"
    rest = replace(body, inputs=(split.seen,), steps=split.classify, outputs=body.outputs[:1])
    text = Forward(rest, kept).expression()
    if text is not None:
        yield from statement("return ", f"{seen} if pre_logits else {text}", "", 2)
        return
    yield f"{INDENT * 2}if pre_logits:"
    yield f"{INDENT * 3}return {seen}"
    yield from Forward(rest, kept).statements(2, "x")


def _split(body: Body, graph: Graph) -> _Split | None:
    head = head_of(graph)
    if head is None or any(name in ADDED for name, _ in body.members):
        return None
    steps = [step for step in body.steps if not any(ref.node in graph.aux for ref in step.outputs or step.inputs)]
    count = next((i for i, step in enumerate(steps, 1) if head.features in step.outputs), 0)
    before, after = steps[:count], steps[count:]
    made = {head.features}.union(*(step.outputs for step in after))
    if not before or not all(ref in made for step in after for ref in step.inputs):
        return None
    place = _find(after, head.classifier.path, dict(body.members))
    if place is None:
        return None
    at, part = place
    return _Split(before, after[:at], after[at:], head.features, after[at].inputs[0], part)


def _find(steps: Sequence[Step], path: str, members: Mapping[str, ModuleExpr]) -> tuple[int, str] | None:
    """The step that calls the layer at a path; and, if it calls a sequence, the part of it before that layer."""
    for at, step in enumerate(steps):
        called = ".".join(step.path)
        if called == path:
            return at, ""
        if len(step.path) == 1 and path.startswith(called + "."):
            module = members.get(called)
            position = _position(module, path[len(called) + 1 :]) if isinstance(module, Listed) else None
            if position is not None:
                return at, f"self.{called}[:{position}]" if position else ""
    return None


def _position(listed: Listed, name: str) -> int | None:
    """The position of a member of an nn.Sequential."""
    present = [(key, m) for key, m in listed.items if not (isinstance(m, Option) and m.is_absent)]
    names = [(m.name if isinstance(m, Option) else key) or str(i) for i, (key, m) in enumerate(present)]
    return names.index(name) if listed.sequential and name in names else None
