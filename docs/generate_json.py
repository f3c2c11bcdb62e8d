"""Writes docs/json.md from archdsl/cli/documents: `python -m docs.generate_json`. A test compares the two.

The examples are run: what the page shows is what the commands print, cut where it is long.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from archdsl.cli.app import COMMANDS, run
from archdsl.cli.documents import differences, drawings, exploring, files, networks, specs, training, weights
from archdsl.cli.documents.base import VERSION, Document, Envelope, Shape

PAGE = Path(__file__).parent / "json.md"

INTRODUCTION = f"""\
# The JSON of `--json`

<!-- Written by `python -m docs.generate_json`; edit archdsl/cli/documents instead. -->

Every command with `--json` prints one JSON document to standard output; notes and progress go to standard error. Wrong
options are the one exception: they are reported as text, with exit code 2. Exit codes are the same as without `--json`:
0 fine, 1 findings in the spec, 2 could not run. `diff` ends with 0 where the networks are equal, 1 where they differ,
and 2 where they could not be compared.

This page is generated from [archdsl/cli/documents](../archdsl/cli/documents), which makes the documents; the examples
are what the commands print, with `…` for what is left out.

`version` is {VERSION}. Keys are only ever added under the same version; any other change raises it. Every key is always
there, unless it is marked as *absent*, which it is where nothing asks for it. Sizes are lists, of one sample without
the batch, in torch's order: `[3, 224, 224]`, `[1000]`. Parameters are the trainable ones; MACs are those of one sample.
"""

CHANGES = """\
## What has changed

- [Stage](#stage) and [Layer](#layer) have `costs` where they are asked for.
- `arguments` of a [Variant](#variant) that `scale` has made are one value each (`"1.1"`), no longer the text of all
  (`"depth = 1.2, width = 1.1"`).
- `factors` of a [ScalePoint](#scalepoint) are null where a cost was zero, no longer `NaN`, which is no JSON.
"""

NET = """\
"A small net."
block Unit(width: int) = conv: conv(width, 3) -> relu
model Net(classes: int = 2, width: int = 8) =
  image(3, 16, 16) -> stem: conv(width, 3, 2) -> relu
    -> stage stage1: [2 of Unit(width)] -> gap -> flatten -> fc: linear(classes)
variants Net(width) {
  small: 8
  wide: 16
}
variant wider = wide with (width = 32)
preprocess Net { crop = 0.875 }
weights own for small { v1: file = "small.safetensors", top1 = 61.2, default = true }
recipe plain for Net {
  "A table of a paper."
  epochs = 3, batch = 4, optimizer = sgd(momentum = 0.9), lr = 0.1, lr_scaling = "linear", schedule = cosine, size = 16
}
space widths for Net { width in [8, 16, 24, 32] }
"""

EXAMPLES = {
    "build": ["build net.arch:small -o -"],
    "check": ["check wrong.arch"],
    "show": ["show net.arch:small --device t4"],
    "diff": ["diff net.arch:small :wide", "diff net.arch"],
    "sweep": ["sweep net.arch:small --set width=4,8"],
    "plot": ["plot squeezenet -o squeezenet.svg"],
    "scale": ["scale net.arch:small --along width=4,8,16"],
    "search": ["search net.arch widths --samples 2 --minimize macs"],
    "draw": ["draw net.arch:small -o small.svg"],
    "list": ["list"],
    "recipe": ["recipe net.arch plain"],
    "train": ["train net.arch:small --recipe plain --data data --plan"],
    "weights": ["weights net.arch"],
    "predict": ["predict net.arch:small cat.png"],
    "convert": ["convert small.safetensors --of net.arch:small --to own -o copy.safetensors"],
    "verify": ["verify squeezenet:squeezenet1_1 --quick"],
    "fmt": ["fmt net.arch --check"],
    "explain": ["explain E101"],
}
"""Command lines without `--json`, by command."""

_VARYING = ("seconds", "bytes", "version")
"""Numbers that are others on another day or machine, or with other versions of what draws and of libraries."""
_COLUMNS = 110


def page() -> str:
    """The whole page."""
    schemas = _schemas()
    names = [name for name in schemas if not name.endswith("Document") and name != "Envelope"]
    parts = [INTRODUCTION, "## Every document\n", _table(schemas["Envelope"])]
    with _folder():
        for command in COMMANDS:
            parts += [f"## {command}\n", *_command(command, schemas)]
    parts += [CHANGES, "## Types\n"]
    for name in sorted(names):
        parts += [f"### {_title(name)}\n", f"{_line(schemas[name]['description'])}\n", _table(schemas[name])]
    return "\n".join(parts)


# --- what is declared ------------------------------------------------------------------------


def documents() -> list[type[Document]]:
    """All kinds of documents."""
    modules = (files, networks, specs, differences, exploring, drawings, training, weights)
    found = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return list(dict.fromkeys(kind for kind in found if issubclass(kind, Document) and kind is not Document))


def _schemas() -> dict[str, Any]:
    """JSON Schemas of all shapes by their names."""
    shapes: list[type[Shape]] = [Envelope, *documents()]
    _, schema = models_json_schema([(shape, "serialization") for shape in shapes])
    found: dict[str, Any] = schema["$defs"]
    return found


def _command(command: str, schemas: dict[str, Any]) -> Iterator[str]:
    kinds = [kind for kind in documents() if kind.command == command]
    for kind in kinds:
        schema = schemas[kind.__name__]
        yield f"{_line(schema['description'])}\n"
        yield _table(schema)
    for line in EXAMPLES[command]:
        yield f"```\n$ archdsl {line} --json\n{example(line)}\n```\n"


def _table(schema: dict[str, Any]) -> str:
    rows = ["| key | | |", "|---|---|---|"]
    for key, field in schema.get("properties", {}).items():
        kind = _type(field) if key in schema["required"] else _type(field).replace(" or null", " or *absent*")
        rows.append(f"| `{key}` | {kind} | {_line(field.get('description', ''))} |")
    return "\n".join(rows) + "\n"


def _type(field: dict[str, Any], several: bool = False) -> str:
    """`string or null`, `list of integers`, `[Stage](#stage)`."""
    if "$ref" in field:
        name = _title(field["$ref"].rpartition("/")[2])
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        kinds = [_type(kind, several) for kind in field["anyOf"]]
        if "numbers" in kinds or "number" in kinds:
            kinds = [kind for kind in kinds if kind not in ("integer", "integers")]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field["type"]
    if kind == "array":
        of = f" of {_type(field['items'], several=True)}" if field.get("items") else ""
        return f"list{'s' * several}{of}"
    if kind == "object":
        return f"{_type(field['additionalProperties'], several=True)} by name"
    return str(kind) + "s" * (several and kind != "null")


def _title(name: str) -> str:
    return name.removesuffix("Json")


def _line(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


# --- examples --------------------------------------------------------------------------------


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    """A folder with what the examples need."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            _prepare()
            yield
        finally:
            os.chdir(before)


def _prepare() -> None:
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    import archdsl
    from archdsl.weights.labels import stating

    Path("net.arch").write_text(NET)
    Path("wrong.arch").write_text(NET.replace("gap ->", "gpa ->"))
    state = archdsl.load("net.arch", "small").state_dict()
    state = {key: torch.zeros_like(tensor) for key, tensor in state.items()}
    state["fc.bias"][0] = 200.0  # whatever the picture is, it is the first class
    save_file(state, "small.safetensors", metadata=stating(["cat", "dog"]))
    picture = Image.new("RGB", (24, 24), "teal")
    picture.save("cat.png")
    for part in ("train", "val"):
        for kind in ("cat", "dog"):
            folder = Path("data", part, kind)
            folder.mkdir(parents=True)
            for number in range(4):
                picture.save(folder / f"{number}.png")


def example(line: str) -> str:
    """What a command prints, cut."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        run([*shlex.split(line), "--json"])
    specs_folder = re.escape(str(Path(__file__).parents[1] / "specs"))
    text = re.sub(specs_folder, "…", out.getvalue())
    return written(shortened(json.loads(text)))


class Cut(str):
    """What is written without quotes."""


def shortened(value: Any, key: str = "") -> Any:
    """With `…` for what is left out: all but the first two of a list, the rest of a long text, what varies."""
    if isinstance(value, dict):
        return {name: shortened(item, name) for name, item in value.items()}
    if isinstance(value, list):
        plain = all(isinstance(item, int | float) for item in value)
        most = 4 if plain else 1 if len(value) > 2 or key in ("variants", "families", "diagnostics") else 2
        rest = [Cut("…")] if len(value) > most else []
        return [*(shortened(item) for item in value[:most]), *rest]
    if key in _VARYING and value not in (VERSION, None):
        return Cut("…")
    if isinstance(value, str):
        return value if len(value) <= 70 else f"{value[:60]}…"
    return Cut(f"{value:.6g}") if isinstance(value, float) and len(repr(value)) > 10 else value


def written(value: Any, indent: int = 0) -> str:
    """JSON of which a line holds as much as fits."""
    flat = _flat(value)
    if len(flat) + 2 * indent <= _COLUMNS or not isinstance(value, dict | list) or not value:
        return flat
    inside = "  " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {written(item, indent + 1)}" for key, item in value.items()]
    else:
        parts = [written(item, indent + 1) for item in value]
    lines, last = [], ""
    for number, part in enumerate(parts):
        part += "," if number < len(parts) - 1 else ""
        if last and "\n" not in last + part and len(inside) + len(last) + len(part) < _COLUMNS:
            last += f" {part}"
        else:
            lines += [last] if last else []
            last = part
    open_, close = "{}" if isinstance(value, dict) else "[]"
    return f"{open_}\n" + "\n".join(inside + line for line in [*lines, last]) + f"\n{'  ' * indent}{close}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {_flat(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flat, value))}]"
    return str(value) if isinstance(value, Cut) else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    from tests.libraries import declare_operators

    declare_operators()  # for timm and pytorchcv, which import torchvision
    PAGE.write_text(page(), encoding="utf-8")
