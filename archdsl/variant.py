"""One configuration of a model, and what becomes of it: graph, table, source, pictures; the part with feature maps.

Data with a memo: what a variant is stands in its fields, and what the phases make of it is made when it is first asked
for. torch is imported only where a module is built.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from archdsl import arguments, phases
from archdsl.changes import Change, Maps, assigned, settings_text
from archdsl.diagnostics.core import ArchError, Bag, errors_raised
from archdsl.diagnostics.glyphs import shown
from archdsl.graph.backbone import named_maps
from archdsl.graph.image import Image
from archdsl.graph.ir import Graph, Node
from archdsl.graph.table import StageTable, stage_table
from archdsl.published import PublishedWeights, chosen
from archdsl.semantics.published import weights_of
from archdsl.semantics.variants import Configured, amended, override, plain_arguments
from archdsl.spec import Spec
from archdsl.syntax import ast
from archdsl.variant_facts import VariantFacts

if TYPE_CHECKING:
    from types import ModuleType

    import torch
    from torch import nn

    from archdsl.backends.diagram import Drawing, Options
    from archdsl.backends.diagram.choices import Level
    from archdsl.graph.costs import Costs
    from archdsl.graph.diff.changes import GraphDiff
    from archdsl.weights.convert import Conversion
    from archdsl.weights.loading import Say


@dataclass
class Memo:
    """What has been made of a variant: a graph that is traced serves for one that need not be."""

    graph: Graph | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Variant(VariantFacts):
    """One configuration of a model. The graph is made, and its errors raised, when it is first needed.

    Pickled, it is the texts of its spec, its name, and what was changed of it.
    """

    file: Spec
    configured: Configured
    changes: tuple[Change, ...] = ()
    maps: Maps | None = None
    """Of the part of a network that gives feature maps, up to the last of them: which; None: it is whole."""
    part_of: Variant | None = None
    """Of such a part: the network."""
    memo: Memo = field(default_factory=Memo)

    @property
    def name(self) -> str:
        return self.configured.name

    @property
    def names(self) -> tuple[str, ...]:
        """Of the part of a network: what its feature maps are called."""
        return () if self.maps is None else self.maps.names

    def sibling(self, name: str) -> Variant:
        """Another variant of its file, or itself as it is written there; raises ArchError E108."""
        return Variant(self.file, self.file.configured(name))

    @property
    def whole(self) -> Variant:
        """The network that files have the weights of: this one, or the one that this is a part of."""
        return self.part_of or self

    # --- the graph -------------------------------------------------------------------------------

    def build(self, bag: Bag, *, traced: bool = False) -> Graph | None:
        """Elaborate into a bag; None after errors. Only generated source needs the graph `traced`."""
        known = self.memo.graph
        if known is not None and (known.traced or not traced):
            return known
        graph = self._whole_graph(bag, traced) if self.maps is None else self._cut_graph(self.maps, bag, traced)
        if graph is not None:
            graph.maker = self
            graph.settings = self.settings
            self.memo.graph = known or graph
        return graph

    def _whole_graph(self, bag: Bag, traced: bool) -> Graph | None:
        return phases.elaborated(self.configured, bag, traced=traced)

    def _cut_graph(self, maps: Maps, bag: Bag, traced: bool) -> Graph | None:
        from archdsl.graph.cut import feature_graph

        graph = self.whole.build(bag, traced=traced)
        return None if graph is None else feature_graph(graph, named_maps(graph, maps.names), listed=maps.listed)

    @property
    def graph(self) -> Graph:
        """The checked graph; raises ArchError."""
        return self.memo.graph or self._made(traced=False)

    def traced(self) -> Graph:
        """The graph with what its numbers were computed from; raises ArchError."""
        return self._made(traced=True)

    def _made(self, *, traced: bool) -> Graph:
        with errors_raised() as bag:
            graph = self.build(bag, traced=traced)
        assert graph is not None
        return graph

    @cached_property
    def table(self) -> StageTable:
        """Output size, layers, parameters and MACs, stage by stage."""
        return stage_table(self.graph)

    def costs(self, batch: int = 1, dtype: str = "float32") -> Costs:
        """Memory of inference and training, weights in bytes, arithmetic intensity, roofline times (docs/costs.md).

        Nothing is measured, and torch is not needed. Raises ArchError; ValueError for a dtype that is not in
        `archdsl.graph.devices.ITEMSIZE`.
        """
        from archdsl.graph.costs import costs
        from archdsl.graph.devices import ITEMSIZE

        arguments.one_of("dtype", dtype, tuple(ITEMSIZE))
        return costs(self.traced(), arguments.positive("batch", batch), dtype)

    # --- what was changed ------------------------------------------------------------------------

    @property
    def settings(self) -> str:
        """What was set of its parameters, as a spec writes it: `depths = [1, 1]`."""
        return settings_text(self.changes, self.configured.output_stride)

    @property
    def assigned(self) -> Mapping[str, Any]:
        """What was set of its parameters: values, and of `set` texts in the language."""
        return assigned(self.changes)

    def _changed(self, configured: Configured, change: Change) -> Variant:
        """The same, but for what it is configured with."""
        if self.part_of is not None and self.maps is not None:
            return self.part_of._changed(configured, change).features(self.maps.names, listed=self.maps.listed)
        return Variant(self.file, configured, (*self.changes, change))

    def __reduce__(self) -> tuple[object, ...]:
        return varied, (self.file, self.name, self.changes)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self  # it is never changed

    @cached_property
    def identity(self) -> str:
        """A digest of the texts and changes: the same for the same network, in every process."""
        parts = (self.file.texts.digest, self.name, *self.changes)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the model's parameters."""
        syntax = self.configured.model.syntax
        assert isinstance(syntax, ast.Definition)
        return tuple(parameter.name for parameter in syntax.parameters)

    def override(self, values: Mapping[str, Any]) -> Variant:
        """The same variant with other values for some of the model's parameters; raises ArchError E119."""
        given = arguments.assigned("values", values)
        with errors_raised() as bag:
            plain = plain_arguments(self.configured, given, bag)
        if not plain:
            return self
        return self._changed(override(self.configured, plain), Change("override", tuple(plain.items())))

    def set(self, assignments: Mapping[str, str]) -> Variant:
        """`override` with values written in the language (`{"depths": "[3, 4, 6, 3]"}`), as `--set` gives them.

        `{"compound.phi": "1"}` is about a scaling of the file: as if the spec said `..compound(phi = 1)`.
        """
        given = arguments.assigned("assignments", assignments)
        texts = {name: arguments.text(name, value) for name, value in given.items()}
        with errors_raised() as bag:
            configured = amended(self.file.program, self.configured, texts, bag)
        assert configured is not None
        return self._changed(configured, Change("set", tuple(texts.items())))

    def for_image(self, channels: int | None = None, size: int | tuple[int, int] | None = None) -> Variant:
        """The same variant for images of other channels or another size, in pixels: of both sides, or height and width.

        What the spec's `image(…)` says is replaced, and all that follows from it. Raises ArchError when the graph is
        made, if the network cannot take such an image; TypeError for what is no number, ValueError if
        `size` is neither one number nor two.
        """
        image = Image(arguments.optional_whole("channels", channels), *arguments.size("size", size))
        if not image:
            return self
        configured = replace(self.configured, image=image.over(self.configured.image))
        return self._changed(configured, Change("for_image", (image.channels, image.size)))

    def with_output_stride(self, stride: int) -> Variant:
        """The same variant with feature maps of no more than this distance, in pixels, between neighbouring positions.

        Where the strides of the network have come to it, further ones become 1, and what follows is dilated so that it
        sees what it saw. The weights are the same. Raises ArchError when the graph is made: E627 to E630 where the
        network has no such form. TypeError or ValueError for what is no whole number above 0.
        """
        stride = arguments.positive("output_stride", stride)
        return self._changed(replace(self.configured, output_stride=stride), Change("with_output_stride", (stride,)))

    def features(self, names: Sequence[str | int] | None = None, *, listed: bool = False) -> Variant:
        """The part that gives the feature maps of some stages, in order of execution.

        Without names: the last map of each resolution, from half the image's on; numbers choose among these, negative
        ones from the end. A name is that of a stage, or the path of any layer or block. `listed`: they come as a list,
        not as a dict by their names.
        Raises ArchError E122 for what is none of these, E624 for what is no number of one.
        """
        from archdsl.graph.selection import select

        expected = "a list of names or numbers of stages"
        given = None if names is None else arguments.several("features", names, expected)
        maps = Maps(tuple(select(self.graph, given, self.name)), listed)
        change = Change("feature_list" if listed else "features", maps.names)
        return Variant(self.file, self.configured, (*self.changes, change), maps, self)

    # --- what the file says of it ----------------------------------------------------------------

    @cached_property
    def weights(self) -> PublishedWeights:
        """What is published for the variant of this name: facts about files, by their names. Raises ArchError.

        No torch, no network: `weights[name].fetch()` gets the file, `archdsl.load(…, weights=name)` loads it.
        """
        written = self.file.variants.get(self.name, self.configured)  # its facts do not change with its parameters
        with errors_raised() as bag:
            entries = weights_of(self.file.program, replace(written, image=self.configured.image), bag)
        return PublishedWeights(self, entries)

    # --- what is made of it ----------------------------------------------------------------------

    @cached_property
    def source(self) -> str:
        """The PyTorch source."""
        graph = self.traced()
        return phases.generated(graph, self.file.docstring, self._init_rules(graph))

    @cached_property
    def module(self) -> ModuleType:
        """The compiled source. Its classes are this network's own: they have its contract and can be pickled."""
        from archdsl.backends.contract import add_timm_interface
        from archdsl.backends.pickles import make_picklable

        source = self.source  # before the graph, which comes with it
        module = phases.compiled(self.graph, source, self.identity)
        if "__network__" not in vars(module):
            add_timm_interface(vars(module)[self.graph.root.definition], self, self.maps and self.maps.names)
            make_picklable(module, self)
            vars(module)["__network__"] = self
        return module

    @property
    def model_class(self) -> type[Any]:
        """The class of this network's models."""
        found: type[Any] = vars(self.module)[self.graph.root.definition]
        return found

    def empty(self) -> nn.Module:
        """The module on the meta device: complete but for the values of its weights."""
        from archdsl.backends.module import construct_empty

        try:
            return construct_empty(self.model_class)
        except MemoryError:
            raise self.too_large() from None

    @property
    def classifiers(self) -> tuple[Node, ...]:
        """The layers whose weights another number of `classes` changes; those with nothing but an output behind them
        where it changes none, or there is no other number."""
        from archdsl.graph.heads import class_layers

        return class_layers(self.whole.graph, self.whole._of_other_classes())

    def _of_other_classes(self) -> Graph | None:
        """The graph with one class more, or less; None where there is no such network."""
        given = self.graph.root.arguments.get("classes")
        for classes in (given.value + 1, given.value - 1) if given is not None and type(given.value) is int else ():
            try:
                return self.override({"classes": classes}).graph
            except ArchError:
                continue
        return None

    def new_classifiers(self, classes: int | None = None) -> dict[str, nn.Module]:
        """Freshly initialized classifiers, those of auxiliary heads included, by path; for other classes, if given.

        Raises ValueError where another number of classes changes more of the network than these.
        """
        from archdsl.backends.layers import new_layers
        from archdsl.graph.heads import first_difference

        if classes is not None:
            classes = arguments.positive("classes", classes)
        found = self.whole if classes is None else self.whole.override({"classes": classes})
        graph = found.traced()
        rules = found._init_rules(graph)
        wanted = {node.path for node in found.classifiers}
        if (place := first_difference(self.whole.graph, graph, wanted)) is not None:
            words = f"`classes` of {shown(self.name)} decides about more than its classifier"
            raise ValueError(f"{words} ({shown(place)}): archdsl.load(…, classes = {classes}) builds that network")
        try:
            return new_layers(graph, wanted, rules, self.module)
        except MemoryError:
            raise found.too_large() from None

    def too_large(self, dtype: torch.dtype | None = None) -> ArchError:
        """The error of a network for which there is no memory, E626."""
        size = self.graph.params * (4 if dtype is None else dtype.itemsize)
        return ArchError.of("E626", name=self.name, params=f"{self.graph.params:,}", size=f"{size / 1e9:,.0f} GB")

    def convert(
        self,
        file: str | os.PathLike[str],
        to: str,
        output: str | os.PathLike[str],
        checkpoint: str | None = None,
        *,
        weights_set: str | None = None,
        prefix: str | Sequence[str] | None = None,
        say: Say | None = None,
    ) -> Conversion:
        """Write a weights file of this network by other names: a library's, those of a `checkpoint`, or our own
        (`own`); .safetensors, or .pth, .pt and .bin as torch.save writes them. No number and no dtype changes.

        `file` is a file, or the name of published weights, as for `archdsl.load`. `checkpoint` says by whose names
        the weights are in the file, found by itself where only one fits, `weights_set` which set of the file is meant,
        and `prefix` what the keys of this network begin with in it. `say` gets what was done unasked in fetching,
        which is a warning without it. Raises ArchError.
        """
        from archdsl.weights.convert import convert

        checkpoint = arguments.optional_text("checkpoint", checkpoint)
        weights_set = arguments.optional_text("weights_set", weights_set)
        starts = arguments.texts("prefix", prefix)
        to = arguments.text("to", to)
        whole, entry = self.whole, chosen(self.whole, file)
        if entry is None:
            return convert(whole, file, to, output, checkpoint, weights_set=weights_set, prefix=starts)
        entry.check_reading(checkpoint)
        classes = entry.settings(whole.assigned).get("classes", whole.classes)
        if "classes" not in whole.assigned and classes is not None and classes + entry.label_offset != whole.classes:
            whole = whole.override({"classes": classes + entry.label_offset})
        path = entry.fetch(say=say)
        done = convert(whole, path, to, output, entry.checkpoint, weights_set=weights_set, prefix=starts, of=entry.name)
        return replace(done, path=entry.name)

    def diff(self, other: Variant) -> GraphDiff:
        """What came, went and changed from this network to another; printed, it is a few lines. Raises ArchError."""
        from archdsl.graph.diff.compare import diff

        arguments.instance("other", other, Variant, "a variant")
        return diff(self.graph, other.graph)

    def drawing(
        self, level: Level = "overview", options: Options | None = None, other: Variant | None = None
    ) -> Drawing:
        """A picture of the network; with `other`, of what differs there (level `diff`). Raises ArchError."""
        from archdsl.backends.diagram import LEVELS, Options, draw

        arguments.one_of("level", level, LEVELS)
        if options is not None:
            arguments.instance("options", options, Options, "archdsl.backends.diagram.Options")
        if (other is None) != (level != "diff"):
            raise TypeError("two networks are what level diff shows, and only that")
        if other is not None:
            arguments.instance("other", other, Variant, "a variant")
        if level == "blocks":
            return draw(level, self.traced(), options=options)
        return draw(level, self.graph, *([other.graph] if other else []), options=options)

    def page(self, options: Options | None = None) -> str:
        """A self-contained HTML page: the graph to unfold and search, the stage table, the text of the spec.

        Raises ArchError.
        """
        from archdsl.backends.diagram import Options, page

        if options is not None:
            arguments.instance("options", options, Options, "archdsl.backends.diagram.Options")
        return page(self.graph, options)

    def __repr__(self) -> str:
        return shown(f"<archdsl variant {self.name} of {self.file.name}>")

    def _repr_svg_(self) -> str:
        """The overview, as notebooks show it."""
        return self.drawing().svg

    def _repr_html_(self) -> str:
        """The overview and the stage table, as notebooks show them."""
        from archdsl.backends.diagram.notebook import network

        return network(self.graph)


def varied(file: Spec, name: str, changes: tuple[Change, ...]) -> Variant:
    """A variant from its name and what was changed of it, as pickles have it."""
    variant = Variant(file, file.configured(name))
    for method, given in changes:
        match method:
            case "override":
                variant = variant.override(dict(given))
            case "set":
                variant = variant.set(dict(given))
            case "for_image":
                variant = variant.for_image(*given)
            case "with_output_stride":
                variant = variant.with_output_stride(*given)
            case "features":
                variant = variant.features(given)
            case "feature_list":
                variant = variant.features(given, listed=True)
    return variant
