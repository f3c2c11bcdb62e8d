"""Writes docs/ops.md from the registry of ops: `python -m docs.generate_ops`. A test compares the two."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from archdsl.ops import OPS, Lowering, OpSpec, Role, geometry, resample, transposed

_NAME = re.compile(r"[\w.]+")

PAGE = Path(__file__).parent / "ops.md"

TITLES: dict[Role, str] = {
    "input": "Input",
    "conv": "Convolutions",
    "linear": "Fully connected",
    "norm": "Normalisation and scaling of channels",
    "act": "Activations",
    "gate": "Gates",
    "pool": "Pooling",
    "merge": "Merging",
    "reshape": "Layout, parts and borders",
    "regularizer": "Regularization",
}

INTRODUCTION = """\
# Ops

<!-- Written by `python -m docs.generate_ops`; edit the ops in archdsl/ops instead. -->

Every op of the language, generated from its definition in [archdsl/ops](../archdsl/ops). How ops are used is in
[language.md](language.md).

- Arguments are given in this order, or by name. An op that needs none is written without parentheses: `relu`.
- A *size* is a whole number for both axes, or `[rows, columns]`. Where `= …` stands for a default, the text says
  what it is. Ints are accepted where a float is wanted, nothing else is converted.
- Shapes are of one sample: C×H×W, H×W×C after `permute("nhwc")`, or flat after `flatten`. An op that an input does not
  fit is an error (E201 to E212).
- *torch* is what generated source writes: a module, or a function where it has no state. Names without a prefix
  (`Conv2dSame`) are classes that the source brings along, from
  [torch_helpers.py](../archdsl/backends/torch_helpers.py).
- *state* are the last parts of the `state_dict` keys; *key* means that the label itself is the key. Running statistics
  are in italics.
- MACs are counted for convolutions and matrix products, of one sample, as torch's `FlopCounterMode` does (which counts
  two FLOPs for each).
- An op's *role* names a group of ops in `init`.
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for role, title in TITLES.items():
        ops = [op for op in OPS.values() if op.role == role]
        if ops:
            parts.append(_section(title, role, ops))
    return "\n".join(parts)


def _section(title: str, role: Role, ops: list[OpSpec]) -> str:
    rows = [
        f"## {title}",
        "",
        f"Role `{role}`.",
        "",
        "| op | inputs | computes | torch | state |",
        "|---|---|---|---|---|",
    ]
    rows += [f"| {' | '.join(map(_cell, _row(op)))} |" for op in ops]
    return "\n".join(rows) + "\n"


def _row(op: OpSpec) -> tuple[str, ...]:
    return f"`{_signature(op)}`", _inputs(op), _meaning(op), _torch(op), _state(op)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _signature(op: OpSpec) -> str:
    fields = op.params.model_fields
    written = ", ".join(_parameter(name, info) for name, info in fields.items())
    return f"{op.name}({written})" if fields else op.name


def _parameter(name: str, info: FieldInfo) -> str:
    text = f"{name}: {_type(info)}"
    if info.default is PydanticUndefined:
        return text
    return f"{text} = {'…' if info.default is None else _literal(info.default)}"


def _type(info: FieldInfo) -> str:
    if any(item in get_args(resample.ScaleFactor)[1:] for item in info.metadata):
        return "float or list of two"
    for known in (geometry.Window, geometry.StrideOrKernel, geometry.FixedPadding, transposed.OutputPadding):
        if any(item in get_args(known)[1:] for item in info.metadata):
            return "size"
    if any(item in get_args(geometry.Padding)[1:] for item in info.metadata):
        return 'size or "tf_same"'
    return _type_text(info.annotation)


def _type_text(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_text(inner[0])
    if origin is Literal:
        return " or ".join(map(_literal, inner))
    if origin in (Union, types.UnionType):
        return " or ".join(_type_text(part) for part in inner if part is not type(None))
    if origin is tuple:
        return f"list({_type_text(inner[0])})"
    return "string" if annotation is str else str(annotation.__name__)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def _inputs(op: OpSpec) -> str:
    least, most = op.inputs
    if most is None:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


def _meaning(op: OpSpec) -> str:
    text = op.summary.rstrip(".")
    said = re.sub(r"\s+", " ", op.params.__doc__ or "").strip().rstrip(".") if op.params.model_fields else ""
    said = re.sub(r"`(\w+)` None", r"`\1 = …`", said)
    return f"{text}. {said}" if said and said.lower() not in text.lower() else text


def _torch(op: OpSpec) -> str:
    """What the op's lowerings write, over all its examples, each once."""
    names: dict[str, None] = {}
    formulas: list[str] = []
    for example in op.examples:
        lowering = op.lowering(op.params(**example.arguments), example.inputs)
        for text in _forms(lowering):
            if _NAME.fullmatch(text):
                names.setdefault(text, None)
            else:
                formulas.append(text)
    # Formulas vary with the arguments and the layout: the first is enough.
    return ", ".join(f"`{text}`" for text in (*names, *formulas[:1]))


def _forms(lowering: Lowering) -> list[str]:
    forms = []
    if lowering.module is not None:
        forms.append(lowering.module.target)
    if lowering.call is not None:
        text = lowering.call.template
        function = re.match(_NAME.pattern + r"(?=\()", text)
        forms.append(function[0] if function else _filled(text))
    if lowering.parameter is not None:
        forms += ["nn.Parameter", _filled(lowering.parameter.template)]
    return forms


def _filled(template: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: "xyzw"[int(m[1])] if m[1].isdigit() else m[1], template)


def _state(op: OpSpec) -> str:
    found: dict[str, None] = {}
    for example in op.examples:
        for weight in op.weights(op.params(**example.arguments), example.inputs):
            name = f"`{weight.name}`" if weight.name else "key"
            found.setdefault(name if weight.trainable else f"*{name}*", None)
    return ", ".join(found)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
