"""The model card of a folder: what a person reads on the hub. Markdown; whatever comes from a spec is shown as code."""

from __future__ import annotations

import json

from archdsl.changes import assigned_texts, command_line, command_options
from archdsl.pretrained.config import Config
from archdsl.variant import Variant

_CARD = """\
---
{front}
---

# {title}

A convolutional network described in the language archdsl: [{text}]({text}) says what is computed,
`model.safetensors` has the weights, `config.json` says which of the networks of the text it is.

| | |
|---|---|
{rows}

## How to load it

```python
import archdsl

model = archdsl.from_pretrained({where})  # this folder or repository: an nn.Module, in evaluation mode
```

Nothing in this folder is run: the text is parsed, checked and compiled, the weights are read as tensors.
`{show}` prints {what}, stage by stage.

## Licence

{licence}
"""

_UNKNOWN = "Of the weights nothing is known: say here under which licence they are, and what they were trained on."


def card(config: Config, variant: Variant, licence: str | None, where: str) -> str:
    """The card; `where` is what the model is loaded from: a repository or a folder."""
    graph = variant.graph
    task = "image-classification" if config.num_classes else "image-feature-extraction"
    front = {"library_name": "archdsl", "pipeline_tag": task, "tags": ["archdsl", "pytorch"]}
    if licence is not None:
        front["license"] = licence
    shape = "×".join(map(str, config.pretrained_cfg.input_size))
    rows = {
        "network": f"`{_code(graph.title)}`",
        "image": f"{shape}, as {config.dtype}" if config.dtype != "mixed" else shape,
        "parameters": f"{graph.params:,}",
        "multiply-accumulates": f"{graph.macs:,} for an image of {graph.input_shape}",
    }
    if config.num_classes is not None:
        names = " (named in `config.json`)" if config.label_names else ""
        rows["classes"] = f"{config.num_classes:,}{names}"
    return _CARD.format(
        front="\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()),
        title=f"`{_code(config.variant)}`",
        text=config.spec,
        rows="\n".join(f"| {name} | {value} |" for name, value in rows.items()),
        where=json.dumps(where, ensure_ascii=False),
        show=_code(command_line("show", f"{config.spec}:{config.variant}", *_options(variant))),
        what="the network" if variant.maps is None else "the network that this is a part of",
        licence=f"`{_code(licence)}`" if licence is not None else _UNKNOWN,
    )


def _options(variant: Variant) -> list[str]:
    """What was changed of the network, as options."""
    configured = variant.configured
    return command_options(assigned_texts(variant.changes), configured.image, configured.output_stride)


def _code(text: str) -> str:
    """A text that can stand in a code span of a table."""
    return " ".join(text.replace("`", "'").replace("|", "¦").split())
