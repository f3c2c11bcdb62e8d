"""From a folder, or a repository of the hub, to a model. Nothing that is there is run, nothing else is read.

The text goes the way of every spec (parsed, checked, compiled); the config is compared with what comes out; the weights
must be those of this network, all and no more, before a module is made.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import archdsl
from archdsl import arguments
from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.suggest import closest
from archdsl.graph.backbone import first_layers, head_of
from archdsl.graph.fingerprint import fingerprint
from archdsl.modules import check_torch
from archdsl.pretrained import hub
from archdsl.pretrained.config import LONGEST, NAME, Config, ConfigFile, changed
from archdsl.pretrained.folder import WEIGHTS, FolderTexts, ModelFolder
from archdsl.quiet import import_torch
from archdsl.variant import Variant
from archdsl.weights.exact import dtype_of, fill_exactly, read_exactly

if TYPE_CHECKING:
    import torch
    from torch import nn

    from archdsl.weights.fitting import Shape

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def from_pretrained(
    source: str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    token: str | bool | None = None,
) -> nn.Module:
    """The model of a folder of `save_pretrained`, or of a repository `owner/name` of the hub; in evaluation mode.

    A folder that is there comes first. `revision` is a branch, tag or commit of a repository, `token` what it is asked
    with (huggingface_hub's own, if left out). Its weights have the dtypes that they were saved with, or `dtype`. What
    is known of pictures and classes is in `pretrained_cfg`, of these `label_names`.

    Raises ArchError: E633 to E637 for a folder that is not what was saved, E501 to E504, E508 and E509 for its weights,
    what its text has, E530 and E640 for the hub; TypeError for a `revision` or `token` of a folder.
    """
    shown = arguments.path("source", source, "a folder, or the name of a repository")
    revision = arguments.optional_text("revision", revision)
    import_torch()
    check_torch(device, dtype)
    if os.path.isdir(shown):
        for name, value in (("revision", revision), ("token", token)):
            if value is not None:
                raise TypeError(f"{name} is about a repository of the hub, and {shown} is a folder")
        return load_folder(shown, device, dtype)
    if isinstance(source, str) and _REPOSITORY.fullmatch(shown):

        def listed(folder: str) -> tuple[str, ...]:
            """The files that its config names."""
            return (NAME, WEIGHTS, *_config(ModelFolder(folder), shown)[0].texts)

        return load_folder(hub.fetched(shown, revision, token, listed), device, dtype)
    detail = "it is a file" if os.path.isfile(shown) else "there is no such folder"
    raise ArchError.of("E633", facts={"suggestion": _near(shown)}, path=shown, detail=detail)


def _near(path: str) -> str | None:
    folder, name = os.path.split(path)
    try:
        found = closest(name, [entry.name for entry in os.scandir(folder or ".") if entry.is_dir()])
    except (OSError, ValueError):
        return None
    return None if found is None else os.path.join(folder, found)


def _config(folder: ModelFolder, name: str | None = None) -> tuple[Config, ConfigFile]:
    """The config of a folder, which is that of the repository `name`."""
    if not os.path.lexists(os.path.join(folder.real, NAME)):
        raise ArchError.of("E633", path=name or folder.shown, detail=f"it has no {NAME}")
    file = ConfigFile(folder.path(NAME), folder.checked(NAME, lambda name: folder.text(name, LONGEST)))
    return file.parse(), file


def load_folder(path: str, device: torch.device | str | None, dtype: torch.dtype | None) -> nn.Module:
    """The model of a folder; raises ArchError."""
    folder = ModelFolder(path)
    config, file = _config(folder)
    source = folder.checked(config.spec, folder.source)
    spec = ArchFile(source, FolderTexts(folder, config.texts).find)
    spec.bag.raise_errors()
    variant = changed(spec[config.variant], config.changes, file)
    graph = variant.graph
    if fingerprint(graph) != config.fingerprint:
        raise ArchError.of("E637", path=folder.shown, theirs=config.archdsl_version, ours=archdsl.__version__)
    headless = _check_facts(config, file, variant)
    return _filled(folder, config, file, variant, headless, device, dtype)


def _check_facts(config: Config, file: ConfigFile, variant: Variant) -> bool:
    """Raise ArchError E634 or E635 where the config contradicts the spec; True: the head was left out."""
    whole = variant.whole.graph
    head = head_of(whole)
    made = getattr(variant.model_class, "num_classes", None)
    classes = made if isinstance(made, int) else None
    can_be_without = classes is not None and hasattr(variant.model_class, "reset_classifier")
    headless = config.num_classes == 0 and can_be_without
    found: dict[str, Any] = {
        "architecture": f"archdsl_{variant.name}",
        "num_classes": 0 if headless else classes,
        "num_features": None if head is None else whole.shape(head.features).channels,
    }
    file.compare(config.model_dump(), found)
    seen = [node.path for node in first_layers(whole)]
    cfg = config.pretrained_cfg
    facts: dict[str, Any] = {"architecture": whole.name, "num_classes": found["num_classes"] or 0}
    facts["first_conv"] = seen[0] if len(seen) == 1 else seen or None
    facts["classifier"] = head.classifier.path if head is not None and found["num_classes"] else None
    channels = whole.input_shape.channels
    said = {f"pretrained_cfg.{key}": value for key, value in cfg.model_dump().items()}
    file.compare(said, {f"pretrained_cfg.{key}": value for key, value in facts.items()})
    for key, values in (("mean", cfg.mean), ("std", cfg.std)):
        if values is not None and len(values) != channels:
            file.refuse(f"pretrained_cfg.{key}", f"has {len(values)} numbers, the image has {channels} channels")
    if cfg.input_size[0] != channels:
        file.refuse("pretrained_cfg.input_size", f"has {cfg.input_size[0]} channels, the image of the spec {channels}")
    if config.label_names is not None and len(config.label_names) != (found["num_classes"] or 0):
        many = f"are {len(config.label_names):,} names, the spec gives {found['num_classes'] or 0:,} classes"
        file.refuse("label_names", many)
    return headless


def _filled(
    folder: ModelFolder,
    config: Config,
    file: ConfigFile,
    variant: Variant,
    headless: bool,
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> nn.Module:
    """The module with the weights of the folder."""
    left_out = {f"{node.path}." for node in variant.classifiers} if headless else set()
    ours: dict[str, Shape] = {
        key: weight.shape for key, weight, node in variant.graph.state() if f"{node.path}." not in left_out
    }
    real = folder.checked(WEIGHTS, folder.real_path)
    weights = read_exactly(real, folder.path(WEIGHTS), ours)
    file.compare({"dtype": config.dtype}, {"dtype": dtype_of(weights.tensors.values())})
    try:
        model: Any = variant.empty()
        if headless:
            model.reset_classifier(0)
        fill_exactly(model, weights, device, dtype)
    except MemoryError:
        raise variant.too_large(dtype) from None
    if "pretrained_cfg" not in variant.whole.graph.root.names:
        cfg = {key: value for key, value in config.pretrained_cfg.model_dump().items() if value is not None}
        model.pretrained_cfg = {**cfg, "label_names": config.label_names}
    trained: nn.Module = model.eval()
    return trained
