"""From a model to a folder. What would come back as another network is not saved: E638.

The text that is written is read back before anything is put in place, and must give the network that the model has.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import archdsl
from archdsl import arguments
from archdsl.api import ArchFile
from archdsl.backends.pickles import network_of
from archdsl.backends.recompute import Recomputed
from archdsl.diagnostics.core import ArchError
from archdsl.graph.backbone import head_of
from archdsl.graph.fingerprint import fingerprint
from archdsl.graph.pretrained_cfg import ORIGIN, PICTURES, pretrained_cfg
from archdsl.predict import class_labels
from archdsl.pretrained.card import card
from archdsl.pretrained.config import NAME, TEXT_PATH, Config, PretrainedCfg, written_changes
from archdsl.pretrained.folder import CARD, WEIGHTS, digest, place
from archdsl.pretrained.folder import write as write_folder
from archdsl.quiet import import_torch
from archdsl.source import Source
from archdsl.texts import Texts
from archdsl.variant import Variant, varied
from archdsl.weights.dtypes import short
from archdsl.weights.exact import dtype_of
from archdsl.weights.fitting import COUNTER
from archdsl.weights.labels import stating
from archdsl.weights.loading import apart

if TYPE_CHECKING:
    import torch
    from torch import nn


def save_pretrained(
    model: nn.Module,
    folder: str | os.PathLike[str],
    *,
    labels: Sequence[str] | None = None,
    license: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write a model of ours into a folder that `from_pretrained` reads: `config.json`, `model.safetensors`, the text of
    its spec with those that it uses, and a model card, `README.md`.

    `labels` are the names of its classes, by default those that it was loaded with, or that its spec names; `license`
    goes into the card. Wrappers (DistributedDataParallel, torch.compile) are taken off. Of a model, what its spec says
    and its weights are saved: not hooks, nor what is frozen. Files that somebody else made or changed are not
    replaced unless `overwrite`.

    Raises ArchError: E638 for what is no model of ours or was changed by hand, E639, E607.
    """
    shown = arguments.path("folder", folder, "a folder")
    here = os.path.basename(os.path.abspath(shown)) or "."
    write(Saved(model, labels, license), shown, here, overwrite=bool(overwrite))


def write(saved: Saved, shown: str, where: str, *, overwrite: bool) -> None:
    """Write a folder; `where` is what the card says that it is loaded from."""
    texts = {name: text.encode() for name, text in saved.texts.items()}
    written = {name: digest(content) for name, content in texts.items()}
    readme = card(saved.config({}), saved.variant, saved.license, where).encode()
    config = saved.config({**written, CARD: digest(readme)})
    files: dict[str, Any] = {NAME: config.text().encode(), **texts, CARD: readme, WEIGHTS: saved.weights}
    write_folder(shown, files, overwrite)


class Saved:
    """A model as it is saved; raises ArchError E638 if it cannot be."""

    def __init__(self, model: nn.Module, labels: Sequence[str] | None, license: str | None) -> None:
        import_torch()
        from torch import nn

        self.model = _unwrapped(arguments.instance("model", model, nn.Module, "a model (nn.Module)"))
        network = network_of(self.model)
        if not isinstance(network, Variant):
            raise _unsaved(f"a {type(self.model).__name__}", "it is no model that archdsl made")
        self.variant, self.headless = _variant_of(self.model, network)
        self.state = self.model.state_dict()
        fresh = self.variant.empty()
        if self.headless:
            fresh.reset_classifier(0)  # type: ignore[operator]
        difference = _difference(self.model, fresh)
        if difference is not None:
            raise _unsaved(f"`{network.name}`", difference)
        difference = _unwritable(self.state) or _tied(self.model, fresh)
        if difference is not None:
            raise _unsaved(f"`{network.name}`", difference)
        self.texts = _laid_out(self.variant.file.texts)
        self.spec = next(iter(self.texts))
        self.fingerprint = fingerprint(self.variant.graph)
        self._check_texts()
        known = _own_cfg(self.model).get("license")
        self.license = known if license is None else arguments.text("license", license)
        self.classes = _classes(self.variant, self.headless)
        self.labels = self._labels(labels)

    def config(self, written: Mapping[str, str]) -> Config:
        whole = self.variant.whole.graph
        head = head_of(whole)
        known = pretrained_cfg(whole, self.variant.whole.pictures, self.classes)
        # What is known of the weights: made with other pictures, published somewhere.
        known |= {key: value for key, value in _own_cfg(self.model).items() if key in (*PICTURES, *ORIGIN)}
        try:
            cfg = PretrainedCfg.model_validate(json.loads(json.dumps(known)))
        except ValueError as error:
            detail = str(error).splitlines()[0]
            raise _unsaved(f"`{self.variant.name}`", f"its `pretrained_cfg` is not what timm has: {detail}") from None
        return Config(
            library_name="archdsl",
            config_version=1,
            archdsl_version=archdsl.__version__,
            architecture=f"archdsl_{self.variant.name}",
            variant=self.variant.name,
            spec=self.spec,
            texts=list(self.texts),
            changes=written_changes(self.variant.changes),
            fingerprint=self.fingerprint,
            dtype=dtype_of(self.state.values()),
            num_classes=self.classes,
            num_features=None if head is None else whole.shape(head.features).channels,
            label_names=self.labels,
            pretrained_cfg=cfg,
            written=dict(written),
        )

    def weights(self, path: str) -> None:
        """Write the weights."""
        from safetensors.torch import save_file

        labels = self.labels if self.labels is None or tuple(self.labels) != self._labels_of_spec() else None
        save_file(apart(self.state), path, metadata={"format": "pt", **stating(labels)})

    def _check_texts(self) -> None:
        """Read the texts as `from_pretrained` will, and see that they give this network."""

        def find(source: Source, path: str) -> Source | None:
            name = place(source.name, path)
            return Source(name, self.texts[name]) if name in self.texts else None

        file = ArchFile(Source(self.spec, self.texts[self.spec]), find)
        file.bag.raise_errors()
        again = varied(file, self.variant.name, self.variant.changes)
        if fingerprint(again.graph) != self.fingerprint:
            raise _unsaved(f"`{self.variant.name}`", "its texts, put into one folder, give another network")

    def _labels(self, given: Sequence[str] | None) -> list[str] | None:
        if given is not None:
            names = [arguments.text("a label", name) for name in arguments.several("labels", given, "a list of names")]
            if len(names) != (self.classes or 0):
                raise ValueError(f"labels are {len(names):,} names, the model has {self.classes or 0:,} classes")
            return names
        own = _own_cfg(self.model).get("label_names", self._labels_of_spec())  # None: it is known that they are others
        return list(own) if own is not None and len(own) == self.classes else None

    def _labels_of_spec(self) -> tuple[str, ...] | None:
        pictures = self.variant.whole.pictures
        return None if pictures is None or pictures.labels is None else class_labels(pictures.labels)


def _unsaved(name: str, detail: str) -> ArchError:
    return ArchError.of("E638", name=name, detail=detail)


def _unwrapped(model: nn.Module) -> nn.Module:
    """The model inside the wrappers of torch, which have one child of a name of theirs."""
    while network_of(model) is None and len(model._modules) == 1:
        ((name, inner),) = model._modules.items()
        if name not in ("module", "_orig_mod") or inner is None:
            break
        model = inner
    return model


def _variant_of(model: nn.Module, network: Variant) -> tuple[Variant, bool]:
    """The variant that a model is now: `reset_classifier` may have given it other classes, or none."""
    from torch import nn

    if network.maps is not None or "classes" not in network.parameters:
        return network, False
    modules = dict(model.named_modules())
    found = network.classifiers
    layers = [modules.get(node.path) for node in found]
    if found and all(isinstance(layer, nn.Identity) for layer in layers):
        return network, True
    bound = network.graph.root.arguments.get("classes")
    weight = getattr(layers[0], "weight", None) if layers else None
    if weight is None or bound is None or weight.shape[0] == found[0].shape.channels:
        return network, False
    number = bound.value + weight.shape[0] - found[0].shape.channels
    return network.override({"classes": number}), False


def _classes(variant: Variant, headless: bool) -> int | None:
    if headless:
        return 0
    found = getattr(variant.model_class, "num_classes", None)
    return found if isinstance(found, int) else None


def _own_cfg(model: nn.Module) -> dict[str, Any]:
    """What a model says of its weights; nothing where somebody put something else there, as None."""
    found = vars(model).get("pretrained_cfg")
    return found if isinstance(found, dict) else {}


def _unwritable(state: Mapping[str, torch.Tensor]) -> str | None:
    """Why the numbers cannot be written down; None if they can."""
    import torch

    if any(tensor.is_meta for tensor in state.values()):
        return "its weights are on the meta device, they have no values"
    for key, tensor in state.items():
        if tensor.layout != torch.strided:
            return f"`{key}` is held as {str(tensor.layout).removeprefix('torch.')}"
        weights = tensor.is_floating_point() and tensor.dtype.itemsize > 1  # those of eight bits need scales
        if not weights and not key.endswith(COUNTER):
            return f"`{key}` holds {short(tensor.dtype)} numbers, which are no weights"
    return None


def _tied(model: nn.Module, fresh: nn.Module) -> str | None:
    """Which weights are one and are several in the spec: they would come back apart, and be trained apart."""
    first: dict[int, str] = {}
    several = dict(fresh.named_parameters())
    for key, weight in model.named_parameters(remove_duplicate=False):
        if key in several and (other := first.setdefault(id(weight), key)) != key:
            return f"`{other}` and `{key}` are one weight, in the spec they are two"
    return None


def _difference(model: nn.Module, fresh: nn.Module) -> str | None:
    """What of a model is not as its spec makes it; None if nothing is."""
    ours, made = dict(model.named_modules()), dict(fresh.named_modules())
    for path in [*(path for path in ours if path not in made), *(path for path in made if path not in ours)]:
        return f"`{path}` is {'not in its spec' if path in ours else 'missing'}"
    if list(ours) != list(made):
        return "its layers have another order"
    for path, module in ours.items():
        other = made[path]
        where = f"`{path}`" if path else "the model"
        if vars(module).get("forward") is not None and not isinstance(vars(module)["forward"], Recomputed):
            return f"the `forward` of {where} was replaced"
        if _class_name(module) != _class_name(other):
            return f"{where} is a {type(module).__name__}, in the spec it is a {type(other).__name__}"
        shadowing = (name for name in vars(module) if name not in vars(other) and hasattr(type(module), name))
        for name in (name for name in shadowing if name not in _OURS):
            return f"`{name}` of {where} was replaced"
        for name, b in vars(other).items():  # what else is there changes nothing: nobody asks for it
            a = vars(module).get(name)
            if not name.startswith("_") and name not in _OURS and _plain(a) != _plain(b):
                return f"`{name}` of {where} is {arguments.shown(a)}, in the spec it is {arguments.shown(b)}"
        for tensors, others in ((module._parameters, other._parameters), (module._buffers, other._buffers)):
            shapes = [{key: None if t is None else tuple(t.shape) for key, t in of.items()} for of in (tensors, others)]
            if shapes[0] != shapes[1]:
                return f"the weights of {where} are {_listed(shapes[0])}, in the spec {_listed(shapes[1])}"
    return None


_OURS = frozenset(
    {"training", "num_classes", "pretrained_cfg", "default_cfg", "feature_info", "forward", "_compiled_call_impl"}
)
"""What is set on instances without changing what they compute; `forward` is looked at by itself."""


def _class_name(module: nn.Module) -> tuple[str, str]:
    """What a module is; the generated classes of two networks are the same by their names."""
    kind = type(module)
    return "" if network_of(module, part=True) is not None else kind.__module__, kind.__name__


def _plain(value: Any) -> Any:
    """A value that can be compared: anything but numbers, strings and lists by its class."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else type(value).__qualname__


def _listed(shapes: Mapping[str, tuple[int, ...] | None]) -> str:
    text = ", ".join(f"{key} {'×'.join(map(str, shape or ())) or '-'}" for key, shape in shapes.items())
    return text or "none"


def _laid_out(texts: Texts) -> dict[str, str]:
    """The texts by their places in one folder, the spec first: what `use` names lies where it says. Raises E638."""
    base = posixpath.basename(texts.name.replace("\\", "/"))
    root = base if TEXT_PATH.fullmatch(base) else "spec.arch"
    found = {root: texts.text}
    places = [(texts.name, root)]
    for by, here in places:
        for name, at, text in _used(texts, by, here):
            if not TEXT_PATH.fullmatch(at) or len(at) > 250:
                raise _unsaved(f"`{texts.name}`", f"it uses `{at}`, which is no portable name of a text")
            if found.setdefault(at, text) != text:
                raise _unsaved(f"`{texts.name}`", f"in one folder two of its texts would be `{at}`")
            if (name, at) not in places:
                places.append((name, at))
    return found


def _used(texts: Texts, by: str, here: str) -> Iterator[tuple[str, str, str]]:
    for used in texts.uses:
        if used.by == by:
            yield used.name, place(here, used.path.replace("\\", "/")), used.text
