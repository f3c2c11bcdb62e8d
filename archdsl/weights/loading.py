"""Tensors into modules. Everything is checked and converted before a module is touched.

The tensors that a module gets are its own: neither a mapped file nor another tensor shares their memory.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.glyphs import shown
from archdsl.files import Staged
from archdsl.graph.ir import Graph
from archdsl.graph.keymap import DIRECT
from archdsl.weights.channels import for_channels
from archdsl.weights.dtypes import Dtypes
from archdsl.weights.fitting import (
    COUNTER,
    STRICT,
    Adaptation,
    Fit,
    Shape,
    check_fit,
    check_map,
    choose,
    fit,
    their_shapes,
)
from archdsl.weights.naming import NamedVariant, naming
from archdsl.weights.parts import read_as
from archdsl.weights.reading import Weights, unreadable

if TYPE_CHECKING:
    import torch
    from torch import nn

_log = logging.getLogger(__name__)


class WeightsNote(UserWarning):
    """What was done to the weights of a file that nobody asked for: what a prefix was, how numbers were rounded."""


def warn(path: str, notes: Sequence[str]) -> None:
    """Say notes as one warning at the line outside archdsl that asked for the weights."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "archdsl":
        level, frame = level + 1, frame.f_back
    warnings.warn(shown(f"{path}: {'; '.join(notes)}"), WeightsNote, stacklevel=level)


Say = Callable[[str, Sequence[str]], None]
"""What becomes of the notes about the file of a path."""

Slot = tuple[dict[str, Any], str, "torch.Tensor"]
"""A place for a tensor in a module: the dict it is in, its name there, and the tensor that it has."""


@dataclass(frozen=True)
class Reading:
    """How a file is to be read: under which map, which of its sets, of it what begins with one of these."""

    checkpoint: str | None = None
    weights_set: str | None = None
    prefix: tuple[str, ...] = ()


class Loadable(NamedVariant, Protocol):
    """What loading needs to know of a variant (`archdsl.Variant`)."""

    @property
    def graph(self) -> Graph: ...

    @property
    def whole(self) -> Loadable:
        """The network that files have the weights of: itself, or the one that it is a part of."""

    @property
    def refused(self) -> Sequence[str]:
        """What of another library has its name and does not load, and why."""

    def empty(self) -> nn.Module:
        """The module on the meta device."""


def load_weights(
    variant: Loadable,
    path: str | os.PathLike[str],
    checkpoint: str | None = None,
    *,
    weights_set: str | None = None,
    prefix: Sequence[str] = (),
    adaptation: Adaptation = STRICT,
    new: Callable[[], Mapping[str, torch.Tensor]] | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    say: Say = warn,
) -> nn.Module:
    """A new module with the weights of a file, in training mode; nothing is initialized but what `adaptation` says.

    `new` makes the weights of `adaptation.new`, where the file's do not fit.
    Floating-point weights become `dtype`, or torch's default whatever the file has; counts stay integers.
    `checkpoint` names the map to read the keys with; without it the spec's own names are tried, then its maps;
    `weights_set` names one of several sets in the file, `prefix` what the keys of this network begin with. `say` gets
    what was done to the weights unasked. Raises ArchError: E501 to E503 and E510 with every key that does not fit, E504
    to E512, E533 and E534 for what else is wrong.
    """
    if dtype is not None and not dtype.is_floating_point:
        raise TypeError(f"weights are floating-point numbers, {dtype} is not")
    ours = shapes_of(variant.whole.graph)
    needed = {key for key, _, _ in variant.graph.state()}
    adaptation = replace(adaptation, unneeded=frozenset(ours.keys() - needed))
    weights, found = _read_and_fit(variant, ours, path, checkpoint, weights_set, prefix, adaptation)
    made = {key: tensor for key, tensor in new().items() if key in found.new} if new is not None and found.new else {}
    model = variant.empty()
    slots = dict(tensors_of(model))
    state = {key: tensor for key, (_, _, tensor) in slots.items()}
    converted, rounded = _converted(weights, found, state, device or "cpu", dtype, made, adaptation)
    notes = [*weights.notes, *(rounded if dtype is None else ())]
    if notes:
        say(weights.path, notes)
    put(converted, slots)
    return model


def reinitialized(variant: Loadable, path: str | os.PathLike[str], new: Collection[str]) -> tuple[str, ...]:
    """Which of `new`, weights of classifiers, a file does not have in their sizes; raises ArchError as `load_weights`
    does where the rest of it does not fit."""
    _, found = _read_and_fit(variant, shapes_of(variant.whole.graph), path, None, None, (), Adaptation(new=new))
    return found.new


def load_weights_into(
    model: nn.Module,
    variant: Loadable,
    path: str | os.PathLike[str],
    checkpoint: str | None = None,
    *,
    weights_set: str | None = None,
    prefix: Sequence[str] = (),
    say: Say = warn,
) -> None:
    """Replace the weights of a variant's module, on its device and in its dtypes; after an error it is unchanged.

    Raises ArchError as `load_weights` does, ValueError if the module is none of this variant.
    """
    import torch

    state = model.state_dict()
    ours = {key: tuple(state[key].shape) for key, _, _ in variant.graph.state() if key in state}
    if len(ours) != len(state) or len(ours) != sum(1 for _ in variant.graph.state()):
        raise ValueError(f"the module is not one of {variant.graph.name}: its weights have other names")
    weights, found = _read_and_fit(variant, ours, path, checkpoint, weights_set, prefix)
    converted, _ = _converted(weights, found, state, None, None)
    if weights.notes:
        say(weights.path, weights.notes)
    with torch.no_grad():
        for key, tensor in state.items():
            tensor.copy_(converted[key])


def export_keys(variant: Loadable, state: Mapping[str, torch.Tensor], checkpoint: str) -> dict[str, torch.Tensor]:
    """A state_dict of this variant under another library's names and in its shapes.

    Raises ArchError E501, E502, E503 or E505, or what is wrong with the map.
    """
    keymap = naming(variant, checkpoint)
    ours = shapes_of(variant.graph)
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    check_fit(fit(ours, shapes, DIRECT), ours, shapes)
    renaming = keymap.apply(ours)
    check_map(renaming, ours)
    there = their_shapes(renaming, ours)
    return {renaming.theirs[key]: renaming.there(key, tensor, there[key]) for key, tensor in state.items()}


def import_keys(
    variant: Loadable, state: Mapping[str, torch.Tensor], checkpoint: str | None = None
) -> dict[str, torch.Tensor]:
    """Another library's state_dict under this variant's names, in its order and shapes.

    Raises ArchError E501-E503, E505, E506, or what is wrong with the map.
    """
    return imported(variant, state, fit_keys(variant, state, checkpoint))


def fit_keys(variant: Loadable, state: Mapping[str, torch.Tensor], checkpoint: str | None = None) -> Fit:
    """Where our weights are in another library's state_dict, all of which fits; raises ArchError as `import_keys`."""
    ours = shapes_of(variant.graph)
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    found = choose(ours, shapes, variant.keymaps, None if checkpoint is None else naming(variant, checkpoint))
    check_fit(found, ours, shapes)
    return found


def imported(variant: Loadable, state: Mapping[str, torch.Tensor], found: Fit) -> dict[str, torch.Tensor]:
    """A state_dict that was found to fit, under our names and in our shapes."""
    ours = shapes_of(variant.graph)
    here = found.renaming.here
    return {key: here(key, state[theirs], ours[key]) for key, theirs in found.theirs.items() if theirs in state}


def save_weights(
    variant: Loadable,
    state: Mapping[str, torch.Tensor],
    path: str | os.PathLike[str],
    checkpoint: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a state_dict, under another library's names if `checkpoint` says so: safetensors, or .pth by torch.save.

    `metadata` is what the header of safetensors says beside the format. The file appears whole or not at all. Raises
    ArchError as `export_keys` does, and E607.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    named = dict(state) if checkpoint is None else export_keys(variant, state, checkpoint)
    tensors = apart(named)
    shown = arguments.path("path", path)
    if shown.endswith(".safetensors"):
        write = partial(save_file, tensors, metadata={"format": "pt", **(metadata or {})})
    else:
        write = partial(torch.save, tensors)
    try:
        with Staged(shown, write) as staged:
            staged.commit()
    except (RuntimeError, SafetensorError) as error:
        raise ArchError.of("E607", path=shown, detail=str(error)) from None


def apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Each tensor in memory of its own, no larger than it is: a file holds whole storages, or refuses shared ones."""
    import torch

    seen: set[int] = set()
    result = {}
    for key, tensor in tensors.items():
        storage = tensor.untyped_storage()
        alone = tensor.is_contiguous() and storage.nbytes() == tensor.nbytes and storage.data_ptr() not in seen
        seen.add(storage.data_ptr())
        result[key] = tensor.detach() if alone else tensor.detach().clone(memory_format=torch.contiguous_format)
    return result


def check_kinds(path: str, names: Mapping[str, str], state: Mapping[str, torch.Tensor]) -> None:
    """Raise ArchError if what a file holds are no weights of ours: E504, E509. `names` are theirs for our keys."""
    dtypes = Dtypes()
    for key, tensor in state.items():
        if not _is_kind(tensor, floating=not key.endswith(COUNTER)):
            unreadable(path, f"`{names[key]}` holds {tensor.dtype} numbers")
        dtypes.usable(names[key], tensor)
    dtypes.bag.raise_errors()


def check_kind(path: str, name: str, tensor: torch.Tensor, wanted: torch.Tensor) -> None:
    """Raise ArchError E504 if a tensor of a file is not of the kind of a module's."""
    if not _is_kind(tensor, wanted.is_floating_point()):
        unreadable(path, f"`{name}` holds {tensor.dtype} numbers, {wanted.dtype} are needed")


def _is_kind(tensor: torch.Tensor, floating: bool) -> bool:
    """Whether a tensor holds real numbers: of floating point, or whole."""
    import torch

    return tensor.is_floating_point() == floating and not tensor.is_complex() and tensor.dtype != torch.bool


def shapes_of(graph: Graph) -> dict[str, Shape]:
    """The shape of each weight, by key, in the order of the graph."""
    return {key: weight.shape for key, weight, _ in graph.state()}


def _read_and_fit(
    variant: Loadable,
    ours: Mapping[str, Shape],
    path: str | os.PathLike[str],
    checkpoint: str | None,
    weights_set: str | None,
    prefix: Sequence[str],
    adaptation: Adaptation = STRICT,
) -> tuple[Weights, Fit]:
    """The file's tensors and where they belong; raises ArchError unless all of it fits."""
    wanted = None if checkpoint is None else naming(variant, checkpoint)
    weights, found = read_as(path, ours, variant.keymaps, wanted, weights_set, prefix, adaptation)
    keymaps = () if checkpoint else variant.keymaps.values()
    check_fit(found, ours, weights.shapes, weights.notes, keymaps, variant.whole.refused)
    if found.keymap is not DIRECT:
        _log.info("%s: keys read by the checkpoint map %s", weights.path, found.keymap.name)
    if found.new:
        _log.info("%s: initialized anew: %s", weights.path, ", ".join(found.new))
    if found.absent:
        _log.info("%s: left aside, as the map says: %s", weights.path, ", ".join(found.absent))
    return weights, found


def tensors_of(model: nn.Module) -> Iterator[tuple[str, Slot]]:
    """The slot of each key of a new module's state_dict."""
    for path, module in model.named_modules():
        at = f"{path}." if path else ""
        for owner in (module._parameters, module._buffers):
            for name, tensor in owner.items():
                if tensor is not None:
                    yield at + name, (owner, name, tensor)


def put(tensors: Mapping[str, torch.Tensor], slots: Mapping[str, Slot]) -> None:
    """Give a module the tensors: `load_state_dict(assign=True)` without its checks, in a fifth of the time."""
    from torch import nn

    for key, tensor in tensors.items():
        owner, name, old = slots[key]
        owner[name] = nn.Parameter(tensor, old.requires_grad) if isinstance(old, nn.Parameter) else tensor


def _converted(
    weights: Weights,
    found: Fit,
    state: Mapping[str, torch.Tensor],
    device: torch.device | str | None,
    dtype: torch.dtype | None,
    made: Mapping[str, torch.Tensor] | None = None,
    adaptation: Adaptation = STRICT,
) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """For each weight of a module a tensor of its own, of the module's kind; device and dtype are those of the module
    unless given. `made` are weights that take the place of the file's. With them what their new dtypes did to them.

    Raises ArchError: E504, E508, E509.
    """
    import torch

    result: dict[str, torch.Tensor] = {}
    given = None if device is None else torch.device(device)
    dtypes = Dtypes()
    for key, wanted in state.items():
        place = given or wanted.device
        kind = dtype if dtype is not None and wanted.is_floating_point() else wanted.dtype
        if made and key in made:
            result[key] = made[key].detach().to(place, kind, copy=True)
            continue
        if key in found.uncounted:
            result[key] = torch.zeros(wanted.shape, dtype=kind, device=place)
            continue
        name = found.theirs[key]
        tensor = weights.tensors[name]
        if key in found.trimmed:
            tensor = tensor[adaptation.offset :]
        if key not in found.new:
            tensor = found.renaming.here(key, tensor, tuple(wanted.shape))
        check_kind(weights.path, name, tensor, wanted)
        if not dtypes.usable(name, tensor):
            continue
        if key in found.adapted:
            adapted = for_channels(tensor.detach(), wanted.shape[1], kind)
            result[key] = dtypes.adapted(name, tensor, adapted, kind).to(place)
            if tensor.shape[1] != adaptation.channels[key]:
                dtypes.say(
                    f"`{name}` is for {tensor.shape[1]} channels, not the {adaptation.channels[key]} of the spec"
                )
            continue
        tensor = tensor.detach() if tensor.requires_grad else tensor
        result[key] = dtypes.changed(name, tensor, kind).to(place) if tensor.dtype != kind else _copied(tensor, place)
    dtypes.bag.raise_errors()
    return result, dtypes.notes()


def _copied(tensor: torch.Tensor, place: torch.device) -> torch.Tensor:
    import torch

    if place.type == "cpu":  # `to` would do the same in twice the time
        return tensor.clone(memory_format=torch.contiguous_format)
    return tensor.to(place, copy=True, memory_format=torch.contiguous_format)
