"""What the reference libraries call their classifiers, and which have the structure of a network of ours.

Equal in structure are two networks with the same weights: their shapes, as often as they occur, each convolution's with
its stride, groups and dilation, but for the number of classes. A vector, a 1×1 convolution and a linear layer count as
their matrix. Such networks need not be equal (eps, activations and paddings have no weights): what is found is a
candidate for a `reference`.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from torch import nn

from archdsl.graph.ir import Graph
from archdsl.variant import Variant
from archdsl.verify import libraries, traits
from tests.libraries import declare_operators, import_torchvision

LIBRARIES = ("torchvision", "timm", "pytorchcv")

FAMILIES = {
    "timm": "byobnet convnext densenet efficientnet inception_resnet_v2 inception_v3 inception_v4 mobilenetv3 nasnet "
    "regnet resnet resnetv2 senet",
    "pytorchcv": "bninception densenet densenet_cifar efficientnet inceptionresnetv1 inceptionresnetv2 inceptionv3 "
    "inceptionv4 mobilenet mobilenet_cub mobilenetb mobilenetv2 mobilenetv3 nasnet preresnet preresnet_cifar regnet "
    "resnet resnet_cub resneta resnetd resnext senet seresnet seresnet_cub seresnext shufflenet shufflenetv2 "
    "shufflenetv2b squeezenet wrn",
}
"""The modules that could have a network of ours; `python -m tests.find_names --all` looks at the others too."""

OTHER_CLASSES = re.compile(r"_(cifar100|svhn)$")
"""pytorchcv's names for its networks for CIFAR-10 with other classes."""


@functools.cache
def register(library: str) -> frozenset[str]:
    """Every name by which a library builds a classifier, timm's with those that it has retired."""
    declare_operators()
    if library == "torchvision":
        torchvision = import_torchvision()
        return frozenset(torchvision.models.list_models(module=torchvision.models))
    if library == "timm":
        import timm
        from timm.models import _registry

        return frozenset({*timm.list_models(), *_registry._model_entrypoints, *_registry._deprecated_models})
    from pytorchcv.model_provider import _models

    return frozenset(_models)


def plausible(library: str, *, every: bool = False) -> list[str]:
    """The names of what is built to be compared; `every` network of the library instead of those of our families.

    Of several names for one constructor it is the one that timm lists.
    """
    if library == "timm":
        import timm
        from timm.models import _registry

        modules = {name: _registry._model_to_module[name] for name in timm.list_models()}
    elif library == "pytorchcv":
        from pytorchcv.model_provider import _models

        modules = {name: build.__module__.rpartition(".")[2] for name, build in _models.items()}
    else:
        return sorted(register(library))
    known = FAMILIES[library].split()
    return sorted(
        name for name, module in modules.items() if every or (module in known and not OTHER_CLASSES.search(name))
    )


# --- structure -------------------------------------------------------------------------------

Entry = tuple[tuple[int, ...], tuple[int, ...]]
Structure = tuple[Entry, ...]

CLASSES = -1
"""Instead of a number of classes."""


def _structure(weights: Iterable[tuple[str, tuple[int, ...], tuple[int, ...]]], classes: int) -> Structure:
    """Of keys, shapes, and of strides, groups and dilation, where a weight has any."""
    found = []
    for key, shape, how in weights:
        if key.endswith("num_batches_tracked"):
            continue
        if shape[:1] == (classes,):
            shape = (CLASSES, *shape[1:])
        while shape and shape[-1] == 1:
            shape = shape[:-1]
        found.append((shape, () if set(how) == {1} else how))
    return tuple(sorted(found))


def of_graph(graph: Graph) -> Structure:
    """The structure of one of our networks."""

    def pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
        return value if isinstance(value, tuple) else (value, value)

    def entries() -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
        for key, weight, node in graph.state():
            how: tuple[int, ...] = ()
            if len(weight.shape) == 4 and hasattr(node.params, "stride"):
                groups = node.inputs and graph.shape(node.inputs[0]).channels // weight.shape[1]
                how = (*pair(node.params.stride), *pair(getattr(node.params, "dilation", 1)), int(groups or 1))
            yield key, weight.shape, how

    return _structure(entries(), graph.output_shape.elements)


def of_module(model: nn.Module) -> Structure | None:
    """The structure of a library's network; None where weights are shared, as in none of ours."""
    if sum(1 for _ in model.named_parameters(remove_duplicate=False)) != sum(1 for _ in model.parameters()):
        return None
    modules = dict(model.named_modules(remove_duplicate=False))

    def entries() -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
        for key, value in model.state_dict().items():
            path, _, name = key.rpartition(".")
            layer = modules[path]
            how: tuple[int, ...] = ()
            if isinstance(layer, nn.Conv2d) and name == "weight":
                how = (*layer.stride, *layer.dilation, layer.groups)
            yield key, tuple(value.shape), how

    return _structure(entries(), getattr(model, "num_classes", 1000))


def layers(model: nn.Module) -> list[tuple[str, str, str]]:
    """What a network says of its layers, path by path, but for the number of classes: equal under all its names."""
    classes = getattr(model, "num_classes", 1000)
    return [
        (path, type(module).__name__, module.extra_repr().replace(f"out_features={classes},", ""))
        for path, module in model.named_modules(remove_duplicate=False)
    ]


# --- what is the same ------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """A library's model of the structure of a variant that no `reference` of the variant names."""

    variant: str
    library: str
    model: str
    alias: str = ""
    """The model that a reference does name, of this variant or its twin, and that is the same, layer by layer."""


def candidates(library: str, variants: Mapping[str, Variant], *, every: bool = False) -> list[Candidate]:
    """The library's models of the structure of these variants that none of their references names."""
    declare_operators()
    ours = defaultdict(list)
    for variant in variants.values():
        ours[of_graph(variant.graph)].append(variant)
    found = []
    for model in plausible(library, every=every):
        network = built(library, model)
        structure = of_module(network) if network is not None else None
        if network is None or structure is None:
            continue
        for variant in ours.get(structure, ()):
            if all((each.library, each.model) != (library, model) for each in variant.references):
                alias = _alias(variant, library, model, network)
                if not alias:  # another variant with the same keys may have the library's files instead
                    twins = (each for each in ours[structure] if each is not variant and _twins(each, variant))
                    alias = next(filter(None, (_alias(each, library, model, network) for each in twins)), "")
                found.append(Candidate(variant.name, library, model, alias))
    return found


def differences(variant: Variant, library: str, model: str) -> set[str]:
    """What is not equal of two networks of one structure, of `settings` and `operations`, in no order."""
    theirs, ours = libraries.built(library, model, {}), variant.empty()
    size = variant.graph.input_shape.height
    found = set()
    if _counted(theirs) != _counted(ours):
        found.add("settings")
    if traits.work(theirs, size)[1] != traits.work(ours, size)[1]:
        found.add("operations")
    return found


def _counted(model: nn.Module) -> Counter[str]:
    return Counter(str(sorted(values.items())) for values in traits.settings(model).values())


def built(library: str, model: str) -> nn.Module | None:
    """A library's network as it is by default; None where it needs what is not installed."""
    try:
        return libraries.built(library, model, {})
    except libraries.LibraryRefused:
        return None


def _alias(variant: Variant, library: str, model: str, network: nn.Module) -> str:
    """What of the library a variant's references name that is this model, or the same layer by layer."""
    named = [each.model for each in variant.references if each.library == library and not each.refuses]
    return next((name for name in named if name == model or _layers(library, name) == layers(network)), "")


def _twins(one: Variant, other: Variant) -> bool:
    diff = one.diff(other)
    return diff.equal and not diff.renamed


@functools.cache
def _layers(library: str, name: str) -> list[tuple[str, str, str]] | None:
    other = built(library, name)
    return None if other is None else layers(other)
