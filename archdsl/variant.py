"""One configuration of a model, and what becomes of it: graph, table, source, pictures; the part with feature maps.

The graph is elaborated when it is first needed; torch is imported only where a module is built.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

from archdsl import arguments
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.glyphs import shown
from archdsl.diagnostics.suggest import meant_setting
from archdsl.garbage import collector_paused
from archdsl.graph.backbone import named_maps
from archdsl.graph.describe import describe_value
from archdsl.graph.ir import Graph, Node
from archdsl.graph.keymap import KeyMap
from archdsl.graph.reference import Reference
from archdsl.graph.table import StageTable, stage_table
from archdsl.published import PublishedWeights, chosen
from archdsl.semantics.assignments import written_arguments
from archdsl.semantics.checkpoints import keymaps_of
from archdsl.semantics.claims import recorded_claims
from archdsl.semantics.elaborate import elaborate
from archdsl.semantics.program import Program
from archdsl.semantics.published import own_classes, weights_of
from archdsl.semantics.references import references_of
from archdsl.semantics.settings import init_rules, place_of_pictures, preprocess_of
from archdsl.semantics.variants import Configured, VariantTable, for_image, override
from archdsl.source import Source, Span
from archdsl.syntax import ast
from archdsl.texts import Texts
from archdsl.transform import Transform, transform_of

if TYPE_CHECKING:
    from types import ModuleType

    import torch
    from torch import nn

    from archdsl.backends.diagram import Drawing, Options
    from archdsl.backends.diagram.drawing import Level
    from archdsl.graph.costs import Costs
    from archdsl.graph.diff.changes import GraphDiff
    from archdsl.graph.recipe import Recipe
    from archdsl.graph.settings import InitRule, Preprocess
    from archdsl.weights.convert import Conversion
    from archdsl.weights.loading import Say


class SpecFile(Protocol):
    """What a variant needs to know of its file (`archdsl.ArchFile`)."""

    name: str
    program: Program

    @property
    def docstring(self) -> str: ...

    @property
    def variants(self) -> Mapping[str, Configured]: ...

    @property
    def texts(self) -> Texts: ...

    @property
    def recipes(self) -> Mapping[str, Recipe]: ...

    def __getitem__(self, name: str, /) -> Variant: ...


class Change(NamedTuple):
    """What was changed of the variant that the file has: by which method of `Variant`, and its argument, plain."""

    method: Literal["override", "set", "for_image", "with_output_stride", "features", "feature_list"]
    given: tuple[Any, ...]


class Variant:
    """One configuration of a model. The graph is made, and its errors raised, when it is first needed.

    Pickled, it is the texts of its spec, its name, and what was changed of it.
    """

    def __init__(self, file: SpecFile, configured: Configured, changes: tuple[Change, ...] = ()) -> None:
        self.file = file
        self.configured = configured
        self.changes = changes

    @property
    def name(self) -> str:
        return self.configured.name

    def build(self, bag: Bag, *, traced: bool = False) -> Graph | None:
        """Elaborate into a bag; None after errors. Only generated source needs the graph `traced`."""
        known: Graph | None = self.__dict__.get("graph")
        if known is not None and (known.traced or not traced):
            return known
        c = self.configured
        graph = elaborate(c.name, c.model, c.args, c.span, bag, image=c.image, traced=traced)
        if graph is not None and c.output_stride is not None:
            from archdsl.graph.dilate import dilated

            graph = dilated(graph, c.output_stride, bag)
        if graph is not None:
            graph.maker = self
            graph.settings = self.settings
            if known is None:
                self.__dict__["graph"] = graph
        return graph

    @cached_property
    def graph(self) -> Graph:
        """The checked graph; raises ArchError."""
        bag = Bag()
        graph = self.build(bag)
        bag.raise_errors()
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

    @property
    def settings(self) -> str:
        """What was set of its parameters, as a spec writes it: `depths = [1, 1]`."""
        said = [
            f"{name} = {' '.join(value.split()) if method == 'set' else describe_value(value)}"
            for method, given in self.changes
            if method in ("set", "override")
            for name, value in given
        ]
        stride = self.configured.output_stride
        return ", ".join([*said, *([f"output_stride = {stride}"] if stride is not None else [])])

    @property
    def assigned(self) -> Mapping[str, Any]:
        """What was set of its parameters: values, and of `set` texts in the language."""
        return {name: value for method, given in self.changes if method in ("set", "override") for name, value in given}

    @property
    def published(self) -> Mapping[str, Decimal]:
        """Published figures that the graph cannot show, from `expect`: `{"top1": 76.13}`, in percent.

        None where parameters were overridden: what was published is said of the network as it stands in the file.
        """
        return recorded_claims(self.file.program, self.name) if self._as_written else {}

    @property
    def _as_written(self) -> bool:
        """Whether this is the network that the file names so: whole, and with its own arguments."""
        return self.whole is self and self.file.variants.get(self.name) is self.configured

    def _changed(self, configured: Configured, change: Change) -> Variant:
        """The same, but for what it is configured with."""
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

    @cached_property
    def source(self) -> str:
        """The PyTorch source."""
        from archdsl.backends.python import generate

        graph = self.traced()
        rules = self._init_rules(graph)
        with collector_paused():
            return generate(graph, self.file.docstring, rules)

    def traced(self) -> Graph:
        """The graph with what its numbers were computed from; raises ArchError."""
        bag = Bag()
        graph = self.build(bag, traced=True)
        bag.raise_errors()
        assert graph is not None
        return graph

    def drawing(
        self, level: Level = "overview", options: Options | None = None, other: Variant | None = None
    ) -> Drawing:
        """A picture of the network; with `other`, of what differs there (level `diff`). Raises ArchError."""
        from archdsl.backends.diagram import LEVELS, Options, draw

        arguments.one_of("level", level, tuple(LEVELS))
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

    @property
    def initializers(self) -> Mapping[str, InitRule]:
        """The `init` rule for each state_dict key that one is about; raises ArchError."""
        from archdsl.graph.settings import assign_initializers

        return assign_initializers(self._init_rules(self.graph), self.graph)

    def _init_rules(self, graph: Graph) -> tuple[InitRule, ...]:
        """The `init` rules of its file for a graph of this variant, the most specific last; raises ArchError."""
        bag = Bag()
        rules = init_rules(self.file.program, self.configured, graph, bag)
        bag.raise_errors()
        return rules

    @cached_property
    def keymaps(self) -> Mapping[str, KeyMap]:
        """How other libraries name the weights: the `checkpoint` items for this variant, by name; raises ArchError."""
        bag = Bag()
        keymaps = keymaps_of(self.file.program, self.configured, bag)
        bag.raise_errors()
        return keymaps

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The models of libraries that this variant is said to equal; none with other arguments; raises ArchError."""
        if not self._as_written:
            return ()
        bag = Bag()
        references = references_of(self.file.program, self.configured, bag)
        bag.raise_errors()
        return references

    @property
    def classes(self) -> int | None:
        """The value of the model's parameter of this name; None where there is none, or it is no number."""
        return own_classes(self.configured)

    @cached_property
    def weights(self) -> PublishedWeights:
        """What is published for the variant of this name: facts about files, by their names. Raises ArchError.

        No torch, no network: `weights[name].fetch()` gets the file, `archdsl.load(…, weights=name)` loads it.
        """
        bag = Bag()
        written = self.file.variants.get(self.name, self.configured)  # its facts do not change with its parameters
        entries = weights_of(self.file.program, replace(written, image=self.configured.image), bag)
        bag.raise_errors()
        return PublishedWeights(self, entries)

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        """How it is trained: the recipes of its file that are for it, what it amends or its model, or for any network;
        what is said of the nearest comes first. Raises ArchError."""
        from archdsl.semantics.recipes import recipes_for

        return recipes_for(self.configured.lineage, self.file.recipes)

    @property
    def compared(self) -> tuple[Reference, ...]:
        """`references`, of the variant as the file has it, whatever was set of its parameters; raises ArchError."""
        known = self.name in self.file.variants
        return self.file[self.name].references if known else ()

    @property
    def refused(self) -> tuple[str, ...]:
        """What of another library has this name and does not load, and why; raises ArchError."""
        return tuple(
            f"{reference.library}'s {reference.model} does not load here: {' '.join(reference.reason.split())}"
            for reference in self.references
            if reference.refuses
        )

    @property
    def pictures(self) -> Preprocess | None:
        """What the spec says about the pictures of this network; None where it says nothing. Raises ArchError."""
        bag = Bag()
        found = preprocess_of(self.file.program, self.configured, bag, self.graph)
        bag.raise_errors()
        return found

    @cached_property
    def preprocess(self) -> Preprocess:
        """What the spec says about the pictures; raises ArchError E609 if nothing, or its own errors."""
        bag = Bag()
        settings = self.pictures
        if settings is None:
            bag.report("E609", None, what="preprocess", name=self.name)
        channels = self.graph.input_shape.channels
        if settings is not None and len(settings.mean) != channels:
            expected = f"{channels} numbers, one a channel of the model's input"
            place = place_of_pictures(self.file.program, self.configured, "mean")
            help_ = f"a `preprocess` for such images has `mean` and `std` of {channels}; else prepare them by yourself"
            bag.report("E302", place, help=help_, what="mean of preprocess", expected=expected, got=settings.mean)
        bag.raise_errors()
        assert settings is not None
        return settings

    @property
    def transform(self) -> Transform:
        """`preprocess` as a callable: from pictures (Pillow's, or uint8 pixels) to the input. Raises ArchError."""
        shape = self.graph.input_shape
        return transform_of(self.preprocess, (shape.height, shape.width), shape.channels)

    @cached_property
    def module(self) -> ModuleType:
        """The compiled source. Its classes are this network's own: they have its contract and can be pickled."""
        from archdsl.backends.module import compile_source
        from archdsl.backends.pickles import make_picklable

        source = self.source  # before the graph, which comes with it
        module = compile_source(self.graph, source, self.identity)
        if "__network__" not in vars(module):
            self._equip(vars(module)[self.graph.root.definition])
            make_picklable(module, self)
            vars(module)["__network__"] = self
        return module

    def _equip(self, model_class: type[Any]) -> None:
        """Put on a class what its models offer to those who build on them."""
        from archdsl.backends.contract import equip

        equip(model_class, self, self.names if isinstance(self, FeatureVariant) else None)

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
    def whole(self) -> Variant:
        """The network that files have the weights of: this one, or the one that this is a part of."""
        return self

    def features(self, names: Sequence[str | int] | None = None, *, listed: bool = False) -> FeatureVariant:
        """The part that gives the feature maps of some stages, in order of execution.

        Without names: the last map of each resolution, from half the image's on; numbers choose among these, negative
        ones from the end. A name is that of a stage, or the path of any layer or block. `listed`: they come as a list,
        not as a dict by their names.
        Raises ArchError E122 for what is none of these, E624 for what is no number of one.
        """
        from archdsl.graph.selection import select

        expected = "a list of names or numbers of stages"
        given = None if names is None else arguments.several("features", names, expected)
        return FeatureVariant(self, select(self.graph, given, self.name), listed=listed)

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

    def override(self, values: Mapping[str, Any]) -> Variant:
        """The same variant with other values for some of the model's parameters; raises ArchError E119."""
        known = self.parameters
        bag = Bag()
        plain: dict[str, Any] = {}
        for name, value in arguments.assigned("values", values).items():
            if name not in known:
                near, instead = meant_setting(name, known)
                facts = {"name": name, "owner": self.configured.model.name, "suggestion": near}
                bag.report("E119", None, facts=facts, help=instead)
                continue
            try:
                plain[name] = arguments.plain(value)
            except arguments.NotPlain as reason:
                bag.report("E623", None, facts={"name": name}, got=str(reason))
        bag.raise_errors()
        given = ", ".join(f"{name} = {value!r}" for name, value in plain.items())
        span = Span(Source("<arguments>", given), 0, len(given))
        change = Change("override", tuple(plain.items()))
        return self._changed(override(self.configured, plain, span), change) if plain else self

    def set(self, assignments: Mapping[str, str]) -> Variant:
        """`override` with values written in the language (`{"depths": "[3, 4, 6, 3]"}`), as `--set` gives them.

        `{"compound.phi": "1"}` is about a scaling of the file: as if the spec said `..compound(phi = 1)`.
        """
        bag = Bag()
        texts = {
            name: arguments.text(name, value) for name, value in arguments.assigned("assignments", assignments).items()
        }
        given = written_arguments(texts, bag)
        bag.raise_errors()
        args = VariantTable(self.file.program, bag).amend(self.configured, given, self.configured.span)
        bag.raise_errors()
        assert args is not None
        return self._changed(replace(self.configured, args=args), Change("set", tuple(texts.items())))

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

    def for_image(self, channels: int | None = None, size: int | tuple[int, int] | None = None) -> Variant:
        """The same variant for images of other channels or another size, in pixels: of both sides, or height and width.

        What the spec's `image(…)` says is replaced, and all that follows from it. Raises ArchError when the graph is
        made, if the network cannot take such an image; TypeError for what is no number, ValueError if
        `size` is neither one number nor two.
        """
        channels = arguments.optional_whole("channels", channels)
        height, width = arguments.size("size", size)
        values = {"channels": channels, "height": height, "width": width}
        given = {name: value for name, value in values.items() if value is not None}
        text = ", ".join(f"{name} = {value!r}" for name, value in given.items())
        span = Span(Source("<image>", text), 0, len(text))
        change = Change("for_image", (channels, None if height is None else (height, width)))
        return self._changed(for_image(self.configured, given, span), change) if given else self

    def with_output_stride(self, stride: int) -> Variant:
        """The same variant with feature maps of no more than this distance, in pixels, between neighbouring positions.

        Where the strides of the network have come to it, further ones become 1, and what follows is dilated so that it
        sees what it saw. The weights are the same. Raises ArchError when the graph is made: E627 to E630 where the
        network has no such form. TypeError or ValueError for what is no whole number above 0.
        """
        stride = arguments.positive("output_stride", stride)
        return self._changed(replace(self.configured, output_stride=stride), Change("with_output_stride", (stride,)))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the model's parameters."""
        syntax = self.configured.model.syntax
        assert isinstance(syntax, ast.Definition)
        return tuple(parameter.name for parameter in syntax.parameters)

    def __repr__(self) -> str:
        return shown(f"<archdsl variant {self.name} of {self.file.name}>")

    def _repr_svg_(self) -> str:
        """The overview, as notebooks show it."""
        return self.drawing().svg

    def _repr_html_(self) -> str:
        """The overview and the stage table, as notebooks show them."""
        from archdsl.backends.diagram.notebook import network

        return network(self.graph)


class FeatureVariant(Variant):
    """The part of a variant that gives feature maps: the network up to the last of them. It returns them by name, or
    `listed`."""

    def __init__(self, whole: Variant, names: Sequence[str], *, listed: bool = False) -> None:
        names = tuple(names)
        change = Change("feature_list" if listed else "features", names)
        super().__init__(whole.file, whole.configured, (*whole.changes, change))
        self._whole = whole
        self.names = names
        self.listed = listed

    @property
    def whole(self) -> Variant:
        return self._whole

    def _changed(self, configured: Configured, change: Change) -> Variant:
        return Variant(self.file, configured, (*self._whole.changes, change)).features(self.names, listed=self.listed)

    def build(self, bag: Bag, *, traced: bool = False) -> Graph | None:
        from archdsl.graph.cut import feature_graph

        known: Graph | None = self.__dict__.get("graph")
        if known is not None and (known.traced or not traced):
            return known
        graph = self._whole.build(bag, traced=traced)
        if graph is None:
            return None
        cut = feature_graph(graph, named_maps(graph, self.names), listed=self.listed)
        cut.maker = self
        cut.settings = self.settings
        return self.__dict__.setdefault("graph", cut) if known is None else cut


def varied(file: SpecFile, name: str, changes: tuple[Change, ...]) -> Variant:
    """A variant from its name and what was changed of it, as pickles have it."""
    variant = file[name]
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
