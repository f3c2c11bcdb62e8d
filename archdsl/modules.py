"""Variants as modules of torch: takes a `Variant` and its weights; gives an `nn.Module`, new, or with these weights.

torch is imported when one is made. Raises ArchError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.graph.backbone import first_layers
from archdsl.graph.image import AS_WRITTEN
from archdsl.graph.pretrained_cfg import ORIGIN, pretrained_cfg
from archdsl.published import Published, chosen
from archdsl.quiet import import_torch
from archdsl.variant import Variant

if TYPE_CHECKING:
    import torch
    from torch import nn

    from archdsl.weights.loading import Reading, Say


def check_torch(device: object, dtype: object) -> None:
    """Raise TypeError for what is no device, or no dtype of weights."""
    import_torch()
    import torch

    try:
        if device is not None:
            torch.device(device)  # type: ignore[call-overload]
    except (RuntimeError, TypeError, ValueError, OverflowError):
        arguments.wrong("device", "a device of torch, as 'cpu' or 'cuda:0'", device)
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        expected = "a floating-point dtype of torch"
        raise TypeError(
            f"dtype is {expected}, not {dtype if isinstance(dtype, torch.dtype) else arguments.shown(dtype)}"
        )


def made(
    written: Variant,
    parameters: Mapping[str, Any],
    shaped: Callable[[Variant], Variant],
    part: Callable[[Variant], Variant] | None,
    weights: str | os.PathLike[str] | None,
    reading: Reading,
    *,
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> nn.Module:
    """What `load` does with a variant: `shaped` gives it another image or stride, `part` what of the network is wanted
    (None: all), `reading` says how the weights are read."""
    from archdsl.backends.module import construct

    file = None if weights is None else arguments.path("weights", weights)
    entry = None if weights is None else chosen(written, weights)
    if entry is not None:
        entry.check_reading(reading.checkpoint)
    headless = part is not None
    own = parameters if entry is None else entry.settings(parameters, headless=headless)
    whole = shaped(written.override(own))
    if headless and "classes" in parameters:
        raise ArchError.of("E625", name=whole.name)
    found = part(whole) if part is not None else whole
    model_class = found.model_class
    try:
        if file is None:
            return construct(model_class, device=device, dtype=dtype)
        new_head = "classes" in parameters
        return pretrained(found, entry or file, device, dtype, new_head=new_head, reading=reading)
    except MemoryError:
        raise found.too_large(dtype) from None


def pretrained(
    found: Variant,
    weights: str | Published,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    *,
    new_head: bool,
    head_scale: float = 1.0,
    reading: Reading | None = None,
    say: Say | None = None,
    place: str | os.PathLike[str] | None = None,
) -> nn.Module:
    """A module with the weights of a file or published ones (which lie at `place`, once fetched), or new ones where
    other classes or channels were asked for, those of a classifier times `head_scale`. What `load` does once it is
    clear of what."""
    from archdsl.weights import Adaptation, Reading, load_weights
    from archdsl.weights.loading import warn

    reading = reading or Reading()
    published = weights if isinstance(weights, Published) else None
    offset = 0 if published is None else published.label_offset
    layers = found.classifiers if new_head or offset else ()
    heads = frozenset(node.weight_path(weight) for node in layers for weight in node.weights)

    def initialized() -> dict[str, torch.Tensor]:
        layers = found.new_classifiers()
        made = {f"{path}.{key}": value for path, layer in layers.items() for key, value in layer.state_dict().items()}
        return {key: value * head_scale if key in heads else value for key, value in made.items()}

    adaptation = Adaptation(
        new=heads if new_head else (), channels=_written_channels(found), heads=heads, offset=offset
    )
    file = (place or weights.fetch(say=say)) if isinstance(weights, Published) else weights
    model = load_weights(
        found,
        file,
        reading.checkpoint if published is None else published.checkpoint,
        weights_set=reading.weights_set,
        prefix=reading.prefix,
        adaptation=adaptation,
        new=initialized,
        device=device,
        dtype=dtype,
        say=say or warn,
    )
    if "pretrained_cfg" not in found.whole.graph.root.names:
        _say_origin(model, found, published, file)
    return model


def _written_channels(found: Variant) -> dict[str, int]:
    """Where another number of channels was asked for: that of the spec, for each kernel that sees the image."""
    if found.configured.image.channels is None:
        return {}
    before = Variant(found.file, replace(found.configured, image=AS_WRITTEN)).graph.input_shape.channels
    return {node.weight_path(node.weights[0]): before for node in first_layers(found.whole.graph)}


def _say_origin(model: nn.Module, found: Variant, published: Published | None, file: str | os.PathLike[str]) -> None:
    """Put into the model's `pretrained_cfg` where its weights are from, and what their classes are called."""
    from archdsl.weights.labels import class_names

    known = getattr(type(model), "num_classes", None)
    if published is not None:
        facts = dict(zip(ORIGIN, (published.tag, published.licence, published.hub, published.url), strict=True))
        cfg = pretrained_cfg(found.whole.graph, published.preprocess, known if isinstance(known, int) else None)
        model.pretrained_cfg = {**cfg, **{key: value for key, value in facts.items() if value is not None}}  # type: ignore[assignment]
    labels = class_names(str(file))
    if labels is not None and len(labels) == known:  # the classifier is the file's: a new one has other classes
        model.pretrained_cfg = {**model.pretrained_cfg, "label_names": list(labels)}  # type: ignore[dict-item, assignment]
