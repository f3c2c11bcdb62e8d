"""Our networks as models of timm: `timm.create_model("archdsl_resnet50")` after `archdsl.timm.register()`.

What builds on timm's registry (segmentation_models_pytorch, detection toolkits, training scripts) takes them by name
then. timm is imported when `register` is called. Reports E641 to E643.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from archdsl import arguments, library
from archdsl.api import find, open_source
from archdsl.diagnostics.core import ArchError, errors_raised
from archdsl.diagnostics.suggest import closest
from archdsl.graph.backbone import Head, feature_info, head_of
from archdsl.graph.ir import Graph
from archdsl.modules import made
from archdsl.published import DEFAULT
from archdsl.quiet import import_torch
from archdsl.variant import Variant
from archdsl.weights import Reading

if TYPE_CHECKING:
    from torch import nn

PREFIX = "archdsl_"
"""What stands in front of our names among timm's, which has a `resnet50` of its own."""

_HOME = "archdsl_models"
"""The module that timm's lists find our models under."""

_RATES = {"drop_rate": ("dropout_rate", "drop_rate"), "drop_path_rate": ("drop_path_rate",)}
"""Parameters of our specs that say what an argument of timm says; and the layers whose rate it is."""
_LAYERS = {"drop_rate": "dropout", "drop_path_rate": "drop_path"}

_OWN = ("num_classes", "in_chans", "img_size", "features_only", "out_indices", "output_stride", "global_pool", *_RATES)


class _Origin:
    """Where a registered name is from: the file (None: shipped), the name there, and how its variant is found."""

    def __init__(self, path: str | None, name: str, find: Callable[[str], Variant]) -> None:
        self.path = path
        self.name = name
        self.find = find


_registered: dict[str, _Origin] = {}


def register(spec: str | os.PathLike[str] | None = None, *, prefix: str = PREFIX) -> tuple[str, ...]:
    """Make the variants of a file names of `timm.create_model`, each with `prefix` in front; their names.

    Without `spec` these are all shipped ones. Doing it again changes nothing, but that a file that has changed is read
    anew. Of timm's arguments are taken: `pretrained`, with a tag in the name or the default, `num_classes`, `in_chans`,
    `img_size`, `features_only` with `out_indices`, `output_stride`, `drop_rate` and `drop_path_rate` where the spec has
    them, `global_pool` ("avg", or "" with `num_classes=0`), `checkpoint_path`, `pretrained_cfg_overlay` for a `file`,
    `device`, `dtype`, and the parameters of the spec by their own names. Any other is an error, E642.

    Raises ArchError: E641 without timm, E643 where timm or another spec has one of the names (nothing is registered
    then), and what the file has.
    """
    prefix = arguments.text("prefix", prefix)
    found = _shipped() if spec is None else _of_file(arguments.path("spec", spec, "a path or a name"))
    timm = _timm()
    names = {f"{prefix}{name}": origin for name, origin in found.items()}
    with errors_raised() as bag:
        for name, origin in names.items():
            known = _registered.get(name)
            if known is None and timm.models.is_model(name):
                bag.report("E643", None, name=name, owner="its own")
            elif known is not None and known.path != origin.path:
                bag.report("E643", None, name=name, owner=known.path or "a spec that archdsl ships")
    home = sys.modules.get(_HOME)
    if home is None:
        home = sys.modules[_HOME] = ModuleType(_HOME, "The networks of archdsl, as timm's registry has them.")
        vars(home)["__all__"] = []
    paths = {origin.path: origin.find for origin in names.values() if origin.path is not None}
    for origin in _registered.values():  # names of an older text of this file
        origin.find = paths.get(origin.path or "", origin.find)
    for name, origin in names.items():
        if name not in _registered:
            entry = _entry(name)
            setattr(home, name, entry)
            timm.models.register_model(entry)
        _registered[name] = origin
    return tuple(names)


def _timm() -> Any:
    import_torch()
    try:
        import timm
        import timm.models
    except Exception as error:  # where a library that it imports is of another build, anything
        name = error.name if isinstance(error, ModuleNotFoundError) else None
        missing = "it is not installed" if name == "timm" else f"{name} is missing" if name else str(error)[:200]
        facts = {"extra": "timm" if name and "." not in name else None}  # what is there would not be installed again
        raise ArchError.of("E641", facts=facts, what="archdsl.timm.register", name="timm", detail=missing) from None
    return timm


def _shipped() -> dict[str, _Origin]:
    """Every shipped variant, by name; their files are read when a model is made."""
    return {name: _Origin(None, name, find) for name in library.variants()}


def _of_file(spec: str) -> dict[str, _Origin]:
    source, _ = library.locate(spec)
    file = open_source(source)
    known = library.variants()
    if source.path is not None and os.path.realpath(source.path) in {os.path.realpath(path) for path in known.values()}:
        return {name: _Origin(None, name, find) for name in file}
    return {name: _Origin(source.path or source.name, name, file.__getitem__) for name in file}


def _entry(name: str) -> Callable[..., nn.Module]:
    def create(pretrained: bool = False, **options: Any) -> nn.Module:
        origin = _registered[name]
        return _Asked(name, origin.find(origin.name), options).model(pretrained)

    create.__name__ = create.__qualname__ = name
    create.__module__ = _HOME
    create.__doc__ = f"The network {name.removeprefix(PREFIX)} of archdsl."
    return create


def _pools_alone(graph: Graph, head: Head) -> bool:
    """Whether a pool, and what has no weights, is all between the last feature map and the classifier."""
    pooled = False
    for node in graph.line(head.classifier.inputs[0]):
        if node.weights:
            break
        pooled = pooled or node.op.role == "pool"
        if node.inputs[0] == head.features:
            return pooled
    return False


class _Asked:
    """What `create_model` was asked for, of one variant."""

    def __init__(self, name: str, variant: Variant, options: Mapping[str, Any]) -> None:
        self.name = name
        self.variant = variant
        self.options = {key: value for key, value in options.items() if value is not None}

    def refuse(self, argument: str, detail: str, suggestion: str | None = None) -> NoReturn:
        raise ArchError.of("E642", facts={"suggestion": suggestion}, argument=argument, name=self.name, detail=detail)

    def model(self, pretrained: bool) -> nn.Module:
        options = self.options
        weights = self._weights(bool(pretrained))
        channels, size, stride = (options.pop(name, None) for name in ("in_chans", "img_size", "output_stride"))
        device, dtype = options.pop("device", None), options.pop("dtype", None)
        pool = options.pop("global_pool", None)
        only = bool(options.pop("features_only", False))
        classes = options.pop("num_classes", None)
        if classes is not None:
            if isinstance(classes, bool):
                self.refuse("num_classes", f"it is a number of classes, not {classes}")
            classes = arguments.whole("num_classes", classes)
        part = self._part(only)
        parameters = self._parameters()
        if classes is not None and "classes" in parameters:
            self.refuse("num_classes", "`classes` says the same")
        if classes or (classes is not None and not only):
            self._check_classes(classes)
        if classes:
            parameters["classes"] = classes
        self._check_pool(pool, only, classes)

        def shaped(whole: Variant) -> Variant:
            whole = whole.for_image(channels, size)
            self.whole = whole if stride is None else whole.with_output_stride(stride)
            return self.whole

        reading = Reading(None, None, ())
        built: Any = made(self.variant, parameters, shaped, part, weights, reading, device=device, dtype=dtype)
        if only:
            self._describe(built)
        elif classes == 0:
            built.reset_classifier(0, "" if pool == "" else None)
        model: nn.Module = built
        return model

    def _weights(self, pretrained: bool) -> str | os.PathLike[str] | None:
        """The weights to load: the name of published ones, or the file of the overlay, whatever lies where we are."""
        cfg, overlay = self.options.pop("pretrained_cfg", None), self.options.pop("pretrained_cfg_overlay", None)
        if self.options.pop("cache_dir", None) is not None:
            self.refuse(
                "cache_dir", "files lie in the caches of torch.hub and huggingface_hub: set TORCH_HOME, HF_HOME"
            )
        if cfg is not None and not isinstance(cfg, str):
            self.refuse("pretrained_cfg", "what is known of weights is in the spec; a tag chooses among them")
        if overlay is not None and set(overlay) != {"file"}:
            self.refuse("pretrained_cfg_overlay", "only `file`, for the weights, can be given")
        if not pretrained:
            if overlay is not None:
                self.refuse("pretrained_cfg_overlay", "it says which weights, and pretrained is false")
            if cfg is not None:
                self.refuse(f"{self.name}.{cfg}", "the tag says which weights, and pretrained is false")
            return None
        if overlay is not None:
            if cfg is not None:
                self.refuse("pretrained_cfg_overlay", "the tag and the file both say which weights")
            return Path(arguments.path("file of pretrained_cfg_overlay", overlay["file"]))
        return self.variant.weights[cfg or DEFAULT].name

    def _part(self, only: bool) -> Callable[[Variant], Variant] | None:
        """What `features_only`, `out_indices` and `output_stride` ask for."""
        indices = self.options.pop("out_indices", None)
        if not only:
            if indices is not None:
                self.refuse("out_indices", "it chooses feature maps, and features_only is false")
            return None
        levels = self.variant.features().names
        if indices is None:
            chosen = range(len(levels))
        elif (last := arguments.index(indices)) is not None:
            if not 0 < last <= len(levels):
                self.refuse("out_indices", f"it has {len(levels)} feature maps, not {last}")
            chosen = range(len(levels) - last, len(levels))
        else:
            given = arguments.several("out_indices", indices, "numbers of feature maps")
            numbers = [arguments.whole("one of out_indices", number) for number in given]
            wrong = next((number for number in numbers if not -len(levels) <= number < len(levels)), None)
            if wrong is not None:
                self.refuse("out_indices", f"it has {len(levels)} feature maps, and none of number {wrong}")
            absolute = [number % len(levels) for number in numbers]
            if not absolute or sorted(set(absolute)) != absolute:
                self.refuse("out_indices", "the maps come in the order of execution, each once")
            chosen = absolute  # type: ignore[assignment]
        self.levels, self.indices = levels, tuple(chosen)
        return partial(Variant.features, names=[levels[number] for number in chosen], listed=True)

    def _parameters(self) -> dict[str, Any]:
        """Parameters of the spec: rates under timm's names, the rest under their own."""
        known = self.variant.parameters
        found: dict[str, Any] = {}
        for argument, value in self.options.items():
            if argument in _RATES:
                own = next((name for name in _RATES[argument] if name in known), None)
                if own is not None and own != argument and own in self.options:
                    self.refuse(argument, f"`{own}` says the same")
                if own is not None:
                    found[own] = value if arguments.index(value) is None else float(value)
                elif value or self._has(_LAYERS[argument]):
                    self.refuse(argument, "its spec has no parameter for this rate")
            elif argument in known:
                found[argument] = value
            else:
                near = closest(argument, [*_OWN, *known])
                self.refuse(argument, "it is no parameter of its spec, and none that all networks have", near)
        return found

    def _has(self, op: str) -> bool:
        """Whether the network has layers that drop something."""
        return any(node.op.name == op and getattr(node.params, "p", 0) for node in self.variant.graph.nodes)

    def _check_classes(self, classes: int) -> None:
        if "classes" not in self.variant.parameters:
            self.refuse("num_classes", "its spec has no parameter `classes`")
        if classes < 0 or (classes == 0 and not hasattr(self.variant.model_class, "reset_classifier")):
            self.refuse("num_classes", f"it cannot have {classes} classes")

    def _check_pool(self, pool: object, only: bool, classes: int | None) -> None:
        if pool is None:
            return
        graph = self.variant.graph
        head = head_of(graph)
        if only or head is None:
            self.refuse("global_pool", "it gives feature maps, which nothing pools" if only else "it has no head")
        if pool == "":
            if classes != 0:
                self.refuse("global_pool", "without a pool there is no classifier: num_classes = 0 belongs to it")
            if not _pools_alone(graph, head):
                self.refuse("global_pool", "its head is more than a pool in front of the classifier")
        elif pool != "avg" or all(node.op.name != "gap" for node in graph.nodes[head.features.node :]):
            self.refuse("global_pool", "the pool is what the spec says")

    def _describe(self, built: Any) -> None:
        """timm's `feature_info`: of all maps, with those that are given as its indices."""
        from timm.models import FeatureInfo

        infos = feature_info(self.whole.graph, self.levels)
        dicts = [{"num_chs": f.channels, "reduction": f.reduction, "module": f.name} for f in infos]
        built.feature_info = FeatureInfo(dicts, self.indices)
