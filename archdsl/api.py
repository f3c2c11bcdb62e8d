"""What is called from Python: `open` a spec, `find` a variant, `load` a module. The phases are in `phases`.

torch is imported only by `load`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from archdsl import arguments, library, phases
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.semantics.program import Loader
from archdsl.source import Source
from archdsl.spec import Spec
from archdsl.texts import Texts
from archdsl.variant import Variant

if TYPE_CHECKING:
    import os

    import torch
    from torch import nn

    from archdsl.graph.ir import Graph
    from archdsl.graph.sizes import SizeDecision
    from archdsl.semantics.points import Point, Space

__all__ = ["ArchFile", "Variant", "find", "forget", "load", "open", "open_source"]


class ArchFile(Spec, Mapping[str, Variant]):
    """A parsed and bound file: a mapping from names to variants, in the order of the file.

    Pickled, it is its text and those of the files that it uses.
    """

    def __init__(self, source: Source, find: Loader = library.used_file) -> None:
        super().__init__(source, find)
        self._made: dict[str, Variant] = {}

    def __getitem__(self, name: str) -> Variant:
        name = arguments.text("variant", name)
        if name not in self._made:
            self._made[name] = Variant(self, self.configured(name))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variants)

    def __len__(self) -> int:
        return len(self.variants)

    def __contains__(self, name: object) -> bool:
        return name in self.variants

    def _repr_html_(self) -> str:
        """Its only network as such; of several a table, as notebooks show it."""
        from archdsl.backends.diagram.notebook import networks

        if len(self) == 1:
            return self.only(None)._repr_html_()
        return networks(self.docstring, [variant.graph for variant in self.values()])

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.texts,)

    def __copy__(self) -> ArchFile:
        return self

    def __deepcopy__(self, memo: object) -> ArchFile:
        return self  # it is never changed

    def check(self) -> tuple[Diagnostic, ...]:
        """Every finding about the file: names, types, shapes, claims, of all its variants. See also `unchecked`."""
        for variant in self.values():
            variant.build(self.bag)
        phases.checked(self.program, self.variants, self._graphs, self.bag)
        return tuple(self.bag)

    @property
    def _graphs(self) -> dict[str, Graph]:
        """The graphs that could be made so far, by the names of their variants."""
        graphs = {name: variant.memo.graph for name, variant in self._made.items()}
        return {name: graph for name, graph in graphs.items() if graph is not None}

    @property
    def size_decisions(self) -> tuple[SizeDecision, ...]:
        """What the spec asks about sizes of tensors, of those variants whose graph is made; each place once."""
        found = [decision for graph in self._graphs.values() for decision in graph.size_decisions]
        return tuple({decision.span: decision for decision in found}.values())

    def candidate(self, space: Space, point: Point) -> Variant:
        """A network of a space, at a point that its conditions on parameters let pass."""
        return Variant(self, space.base).set(point.arguments)

    def only(self, variant: str | None, spec: str = "") -> Variant:
        """The named variant, or the file's only one, or the one that is named as its family, which `spec` is
        (`mobilenet_v2`); raises ArchError E108, E603 or E606."""
        if variant is not None:
            return self[variant]
        if spec in self:
            return self[spec]
        if len(self) == 1:
            return self[next(iter(self))]
        if self:
            raise ArchError.of("E603", name=self.name, variants=", ".join(self))
        raise ArchError.of("E606", path=self.name)


def open_source(source: Source) -> ArchFile:
    """Parse and bind a text; raises ArchError if it cannot be used at all or has errors in names or variants."""
    file = ArchFile(source)
    file.bag.raise_errors()
    return file


_restored_files: WeakValueDictionary[str, ArchFile] = WeakValueDictionary()


def _restored(texts: Texts) -> ArchFile:
    """A file from the texts of a pickle, and from nothing else; the same for the same texts as long as it is used."""
    file = _restored_files.get(texts.digest)
    if file is None or file.name != texts.name:
        file = ArchFile(texts.source, texts.find)
        file.bag.raise_errors()
        _restored_files[texts.digest] = file
    return file


def open(spec: str | os.PathLike[str]) -> ArchFile:
    """The checked file SPEC: a path, or the name of a shipped family (or of one of its variants).

    All its variants are checked, claims included; raises ArchError with every error found.
    """
    source, _ = library.locate(arguments.path("spec", spec, "a path or a name"))
    file = open_source(source)
    file.check()
    file.bag.raise_errors()
    return file


_recent: dict[tuple[str | None, str, str], ArchFile] = {}
_MOST_RECENT = 4


def _opened(source: Source) -> ArchFile:
    """`open_source`, but a text that was opened shortly before, and has not changed since, is not read again."""
    key = (source.path, source.name, source.text)
    file = _recent.pop(key, None)
    if file is None or not file.is_current():
        file = open_source(source)
    _recent[key] = file
    while len(_recent) > _MOST_RECENT:
        _recent.pop(next(iter(_recent)))
    return file


def forget() -> None:
    """Forget the specs that were opened last, with their graphs and sources."""
    _recent.clear()


def find(spec: str | os.PathLike[str], variant: str | None = None) -> Variant:
    """The variant that `SPEC`, `SPEC:VARIANT` or the two names together mean."""
    path, variant = arguments.path("spec", spec, "a path or a name"), arguments.optional_text("variant", variant)
    source, named = library.locate(path)
    return _opened(source).only(named if variant is None else variant, path)


def load(
    spec: str | os.PathLike[str],
    variant: str | None = None,
    *,
    weights: str | os.PathLike[str] | None = None,
    checkpoint: str | None = None,
    weights_set: str | None = None,
    prefix: str | Sequence[str] | None = None,
    in_channels: int | None = None,
    image_size: int | tuple[int, int] | None = None,
    output_stride: int | None = None,
    features: bool | str | Sequence[str | int] = False,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    **parameters: Any,
) -> nn.Module:
    """A variant as an `nn.Module`: what its generated source builds.

    Keyword arguments set parameters of the model (`classes=10`). `in_channels` and `image_size` (of both sides, or
    height and width) replace what the spec says of its image. `output_stride` (16 or 8) takes strides away and dilates
    what follows. With `features` it is the part of the network that gives feature maps, which it returns as a dict by
    the names of their stages: of those that are named, or (True) of the last of each resolution, of which numbers
    choose ([-2, -1]: the last two).

    With `weights` nothing is initialized. They are a file (.safetensors or .pth), or the name of published ones, as
    `variant.weights` and `archdsl weights SPEC` list them ("IMAGENET1K_V2", "timm/resnet50.a1_in1k", "default"), which
    are fetched and checked, and set the number of classes. Of a file `checkpoint` names the key map of the spec to read
    it with, found by itself where only one fits; `weights_set` says which set is meant where the file holds several
    (`ema`), `prefix` with what the keys of this network begin, where it is a part of the file's (`backbone.`, or
    several). What is done to the weights unasked, as widening float16, is said as a warning (`archdsl.WeightsNote`).
    The file must fit completely, but: with `classes` given, a classifier of another
    size, or none, is initialized again; with `in_channels`, the kernels that see the image are summed or repeated; with
    `features`, the rest of the network is left out. Raises ArchError with every diagnostic; TypeError for a
    `checkpoint`, `weights_set` or `prefix` without `weights`, which would change nothing.
    """
    starts = arguments.texts("prefix", prefix)
    optional = (arguments.optional_text("checkpoint", checkpoint), arguments.optional_text("weights_set", weights_set))
    for name, value in zip(("checkpoint", "weights_set", "prefix"), (*optional, starts or None), strict=True):
        if value is not None and weights is None:
            raise TypeError(f"{name} = {value!r} says how to read weights, and none are given")
    names = _features(features)
    part = None if features is False else partial(Variant.features, names=names)
    from archdsl.modules import check_torch, made
    from archdsl.weights import Reading

    check_torch(device, dtype)

    def shaped(whole: Variant) -> Variant:
        whole = whole.for_image(in_channels, image_size)
        return whole if output_stride is None else whole.with_output_stride(output_stride)

    reading = Reading(checkpoint, weights_set, starts)
    return made(find(spec, variant), parameters, shaped, part, weights, reading, device=device, dtype=dtype)


def _features(features: object) -> Sequence[str | int] | None:
    """The stages that are asked for, None: those that belong to `True`, or to no features at all."""
    if isinstance(features, bool):
        return None
    if isinstance(features, str):
        return [features]
    return arguments.several("features", features, "True, the name of a stage, or a list of names or numbers")
