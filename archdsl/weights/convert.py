"""A file of weights under another library's names: read, held against the network, written. No number is changed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.graph.published import OWN
from archdsl.weights.fitting import STRICT, Fit, check_fit, fit, their_shapes
from archdsl.weights.labels import class_names, stating
from archdsl.weights.loading import Loadable, check_kinds, imported, save_weights, shapes_of
from archdsl.weights.naming import naming, namings
from archdsl.weights.parts import read_as
from archdsl.weights.reading import Weights

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
"""Ends of the names of files: safetensors, and what torch.save writes."""


class Convertible(Loadable, Protocol):
    """What converting needs to know of a variant (`archdsl.Variant`)."""

    @property
    def parameters(self) -> tuple[str, ...]: ...

    def override(self, values: Mapping[str, Any], /) -> Convertible: ...


@dataclass(frozen=True)
class Conversion:
    """What was written: by whose names the tensors are now and were in the file, and how many have another name, or
    another shape, than there.

    `left_out` are keys of the file that have no counterpart in this network, as the spec's map says; `notes` say what
    else was done that nobody asked for.
    """

    path: str
    output: str
    to: str
    names: str
    tensors: int
    renamed: int
    reshaped: int
    turned: int
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def convert(
    variant: Convertible,
    path: str | os.PathLike[str],
    to: str,
    output: str | os.PathLike[str],
    checkpoint: str | None = None,
    *,
    weights_set: str | None = None,
    prefix: Sequence[str] = (),
    of: str | None = None,
) -> Conversion:
    """Write a file's weights by the names that `to` says: of a library, a `checkpoint` item, or our own (`own`).

    `checkpoint` says by whose names they are in the file, where that cannot be told from them, `weights_set` and
    `prefix` which part of it is meant; `of` is what the file is called, if not by its path. Dtypes and values stay what
    they are. Raises ArchError: E505 and E516 for names, E517 for a format, those of `load_weights` for what does not
    fit, E607 for what cannot be written.
    """
    shown = arguments.path("output", output)
    if not shown.endswith(SUFFIXES):
        raise ArchError.of("E517", path=shown)
    target = naming(variant, to)
    source = None if checkpoint is None else naming(variant, checkpoint)
    ours = shapes_of(variant.graph)
    weights, found = read_as(path, ours, variant.keymaps, source, weights_set, prefix)
    notes = [*weights.notes, *_other_classes(variant, weights, found)]
    check_fit(found, ours, weights.shapes, notes, () if source else variant.keymaps.values(), variant.refused)
    state = imported(variant, weights.tensors, found)
    check_kinds(weights.path, found.theirs, state)
    names = checkpoint or _names(variant, found)
    there = target.apply(ours)
    labels = class_names(weights.path)
    lost = labels is not None and not shown.endswith(".safetensors")
    said = ["the names of its classes are left out: only .safetensors has them"] if lost else []
    origin = {"converted_from": of or os.path.basename(weights.path), "names_before": names}
    metadata = {"variant": variant.name, "names": to, **origin, **stating(labels)}
    save_weights(variant, state, shown, to, metadata=metadata)
    before, now = their_shapes(found.renaming, ours), their_shapes(there, ours)
    return Conversion(
        weights.path,
        shown,
        to,
        names,
        tensors=len(state),
        renamed=sum(there.theirs[key] != found.theirs[key] for key in state),
        reshaped=sum(now[key] != before[key] for key in state),
        turned=sum(there.reversed_at(key) != found.renaming.reversed_at(key) for key in state),
        left_out=found.absent,
        notes=(*weights.notes, *said),
    )


def _names(variant: Convertible, found: Fit) -> str:
    """By whose names a file's weights are: a library's, if one has these."""
    return next((name for name, keymap in namings(variant).items() if name != OWN and keymap is found.keymap), OWN)


def _other_classes(variant: Convertible, weights: Weights, found: Fit) -> list[str]:
    """What to say where the file would fit, were the network one for another number of classes."""
    sizes = {weights.shapes[found.theirs[key]][:1] for key in found.misshaped}
    if not found.names_fit or "classes" not in variant.parameters or not sizes:
        return []
    for (classes,) in sorted(size for size in sizes if size):
        other = variant.override({"classes": classes})
        try:
            if not fit(shapes_of(other.graph), weights.shapes, found.keymap, STRICT).faults:
                return [f"it fits with `--set classes={classes}`, or `override({{'classes': {classes}}})`"]
        except ArchError:
            continue
    return []
