"""The driver: the phases on one screen. It can stop after any of them; torch is imported only by `load`.

`open` parses and binds a file; a `Variant` elaborates itself when first asked for its graph; `table`, `source` and
`load` go on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl import library
from archdsl.diagnostics.core import ArchError, Bag, Diagnostic
from archdsl.diagnostics.suggest import closest
from archdsl.garbage import collector_paused
from archdsl.graph.backbone import classifiers, first_layers, pyramid, stage_features
from archdsl.graph.ir import Graph
from archdsl.graph.keymap import KeyMap
from archdsl.graph.reference import Reference
from archdsl.graph.table import StageTable, stage_table
from archdsl.semantics.checkpoints import check_checkpoints, keymaps_of
from archdsl.semantics.claims import check_claims, recorded_claims
from archdsl.semantics.elaborate import elaborate
from archdsl.semantics.names import check_names
from archdsl.semantics.program import Definition, bind
from archdsl.semantics.references import check_references, references_of
from archdsl.semantics.settings import check_settings, init_rules
from archdsl.semantics.variants import Configured, VariantTable, for_image, override
from archdsl.source import Source, Span
from archdsl.syntax import ast, parse_expression

if TYPE_CHECKING:
    import os

    import torch
    from torch import nn

    from archdsl.backends.diagram import Drawing, Options
    from archdsl.backends.diagram.drawing import Level
    from archdsl.graph.diff.changes import GraphDiff
    from archdsl.graph.settings import InitRule


class Variant:
    """One configuration of a model. The graph is made, and its errors raised, when it is first needed."""

    def __init__(self, file: ArchFile, configured: Configured) -> None:
        self.file = file
        self.configured = configured

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
        if graph is not None and known is None:
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

    def _changed(self, configured: Configured) -> Variant:
        """The same, but for what it is configured with."""
        return Variant(self.file, configured)

    @cached_property
    def source(self) -> str:
        """The PyTorch source."""
        from archdsl.backends.python import generate

        bag = Bag()
        graph = self.traced()
        rules = init_rules(self.file.program, self.configured, graph, bag)
        bag.raise_errors()
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
        from archdsl.backends.diagram import draw

        if level == "blocks":
            return draw(level, self.traced(), options=options)
        return draw(level, self.graph, *([other.graph] if other else []), options=options)

    def page(self, options: Options | None = None) -> str:
        """A self-contained HTML page: the graph to unfold and search, the stage table, the text of the spec.

        Raises ArchError.
        """
        from archdsl.backends.diagram import page

        return page(self.graph, options)

    @property
    def initializers(self) -> Mapping[str, InitRule]:
        """The `init` rule for each state_dict key that one is about; raises ArchError."""
        from archdsl.graph.settings import assign_initializers

        bag = Bag()
        rules = init_rules(self.file.program, self.configured, self.graph, bag)
        bag.raise_errors()
        return assign_initializers(rules, self.graph)

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

    def empty(self) -> nn.Module:
        """The module on the meta device: complete but for the values of its weights."""
        from archdsl.backends.module import empty_module

        return empty_module(self.graph, self.source)

    @property
    def whole(self) -> Variant:
        """The network that files have the weights of: this one, or the one that this is a part of."""
        return self

    def features(self, names: Sequence[str] | None = None) -> FeatureVariant:
        """The part that gives the feature maps of some stages, in order of execution.

        Without names: of the last stage of each resolution. Raises ArchError E122 for what is no stage.
        """
        found = stage_features(self.graph)
        chosen = pyramid(self.graph) if names is None else names
        bag = Bag()
        known = ", ".join(found) or None
        for name in chosen or ["(any)"]:
            if name not in found:
                facts = {"variant": self.name, "suggestion": closest(name, found), "known": known}
                bag.report("E122", None, name=name, facts=facts)
        bag.raise_errors()
        return FeatureVariant(self, [name for name in found if name in chosen])

    def new_classifiers(self, classes: int | None = None) -> dict[str, nn.Module]:
        """Freshly initialized classifiers, those of auxiliary heads included, by path; for other classes, if given."""
        from archdsl.backends.module import build_module
        from archdsl.backends.python import generate
        from archdsl.graph.cut import layer_graph

        found = self.whole if classes is None else self.whole.override({"classes": classes})
        graph = found.traced()
        bag = Bag()
        rules = init_rules(self.file.program, found.configured, graph, bag)
        bag.raise_errors()
        made = {}
        for node in classifiers(graph):
            alone = layer_graph(graph, node)
            made[node.path] = build_module(alone, generate(alone, "", rules)).get_submodule(node.path)
        return made

    def override(self, values: Mapping[str, Any]) -> Variant:
        """The same variant with other values for some of the model's parameters; raises ArchError E119."""
        known = self.parameters
        bag = Bag()
        for name in values:
            if name not in known:
                facts = {"name": name, "owner": self.configured.model.name, "suggestion": closest(name, known)}
                bag.report("E119", None, facts=facts)
        bag.raise_errors()
        given = ", ".join(f"{name} = {value!r}" for name, value in values.items())
        span = Span(Source("<arguments>", given), 0, len(given))
        plain = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        return self._changed(override(self.configured, plain, span)) if values else self

    def set(self, assignments: Mapping[str, str]) -> Variant:
        """`override` with values written in the language (`{"depths": "[3, 4, 6, 3]"}`), as `--set` gives them.

        `{"compound.phi": "1"}` is about a scaling of the file: as if the spec said `..compound(phi = 1)`.
        """
        bag = Bag()
        arguments: list[tuple[str | None, Source]] = []
        knobs: dict[str, list[str]] = {}
        for name, text in assignments.items():
            scaling, dot, knob = name.partition(".")
            if dot:
                knobs.setdefault(scaling, []).append(f"{knob} = {text}")
            else:
                arguments.append((name, Source(f"--set {name}", text)))
        arguments += [(None, Source(f"--set {s}", f"{s}({', '.join(given)})")) for s, given in knobs.items()]
        parsed = [(name, parse_expression(source, bag)) for name, source in arguments]
        bag.raise_errors()
        given = [ast.Argument(name, expr, spread=name is None, span=expr.span) for name, expr in parsed if expr]
        args = VariantTable(self.file.program, bag).amend(self.configured, given, self.configured.span)
        bag.raise_errors()
        assert args is not None
        return self._changed(replace(self.configured, args=args))

    def diff(self, other: Variant) -> GraphDiff:
        """What came, went and changed from this network to another; printed, it is a few lines. Raises ArchError."""
        from archdsl.graph.diff.compare import diff

        return diff(self.graph, other.graph)

    def for_image(self, channels: int | None = None, size: int | tuple[int, int] | None = None) -> Variant:
        """The same variant for images of other channels or another size, in pixels: of both sides, or height and width.

        What the spec's `image(…)` says is replaced, and all that follows from it. Raises ArchError when the graph is
        made, if the network cannot take such an image.
        """
        height, width = (size, size) if size is None or isinstance(size, int) else size
        values = {"channels": channels, "height": height, "width": width}
        given = {name: value for name, value in values.items() if value is not None}
        text = ", ".join(f"{name} = {value!r}" for name, value in given.items())
        span = Span(Source("<image>", text), 0, len(text))
        return self._changed(for_image(self.configured, given, span)) if given else self

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the model's parameters."""
        syntax = self.configured.model.syntax
        assert isinstance(syntax, ast.Definition)
        return tuple(parameter.name for parameter in syntax.parameters)

    def __repr__(self) -> str:
        return f"<archdsl variant {self.name} of {self.file.name}>"

    def _repr_svg_(self) -> str:
        """The overview, as notebooks show it."""
        return self.drawing().svg

    def _repr_html_(self) -> str:
        """The overview and the stage table, as notebooks show them."""
        from archdsl.backends.diagram.notebook import network

        return network(self.graph)


class FeatureVariant(Variant):
    """The part of a variant that gives feature maps: the network up to the last of them. It returns them by name."""

    def __init__(self, whole: Variant, names: Sequence[str]) -> None:
        super().__init__(whole.file, whole.configured)
        self._whole = whole
        self.names = tuple(names)

    @property
    def whole(self) -> Variant:
        return self._whole

    def _changed(self, configured: Configured) -> Variant:
        return Variant(self.file, configured).features(self.names)

    def build(self, bag: Bag, *, traced: bool = False) -> Graph | None:
        from archdsl.graph.cut import feature_graph

        known: Graph | None = self.__dict__.get("graph")
        if known is not None and (known.traced or not traced):
            return known
        graph = self._whole.build(bag, traced=traced)
        if graph is None:
            return None
        found = stage_features(graph)
        cut = feature_graph(graph, {name: found[name] for name in self.names})
        return self.__dict__.setdefault("graph", cut) if known is None else cut


class ArchFile(Mapping[str, Variant]):
    """A parsed and bound file: a mapping from names to variants, in the order of the file."""

    def __init__(self, source: Source) -> None:
        self.bag = Bag()
        self.name = source.name
        program = bind(source, library.used_file, self.bag)
        if program is None:
            self.bag.raise_errors()
        assert program is not None
        self.program = program
        check_names(program, self.bag)
        self.variants = VariantTable(program, self.bag).collect()
        self._made: dict[str, Variant] = {}

    @property
    def docstring(self) -> str:
        found = self.program.root.syntax.docstring
        return found.text if found else ""

    def __getitem__(self, name: str) -> Variant:
        if name not in self.variants:
            bag = Bag()
            bag.report("E108", None, name=name, suggestion=closest(name, self.variants))
            raise ArchError(bag)
        if name not in self._made:
            self._made[name] = Variant(self, self.variants[name])
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

    def is_current(self) -> bool:
        """Whether the files this one uses still say what they said."""
        used = (file.source for file in self.program.files.values() if file is not self.program.root)
        try:
            return all(library.read(Path(source.name)).text == source.text for source in used)
        except ArchError:
            return False

    def check(self) -> tuple[Diagnostic, ...]:
        """Every finding about the file: names, types, shapes, claims, of all its variants. See also `unchecked`."""
        bag = self.bag
        for name in self:
            self[name].build(bag)
        graphs = {name: v.graph for name, v in self._made.items() if "graph" in v.__dict__}
        check_checkpoints(self.program, graphs, self.variants, bag)
        check_claims(self.program, graphs, self.variants, bag)
        check_settings(self.program, graphs, self.variants, bag)
        check_references(self.program, self.variants, bag)
        return tuple(bag)

    @property
    def unchecked(self) -> tuple[Definition, ...]:
        """Definitions of this file that nothing uses: `check` knows that their names make sense, and no more."""
        own = [d for d in self.program.root.names.values() if d.file is self.program.root and d.kind != "table"]
        return tuple(d for d in own if not d.elaborated and not d.faulty)

    def only(self, variant: str | None, spec: str = "") -> Variant:
        """The named variant, or the file's only one, or the one that is named as its family, which `spec` is
        (`mobilenet_v2`); raises ArchError E108, E603 or E606."""
        if variant is not None:
            return self[variant]
        if spec in self:
            return self[spec]
        if len(self) == 1:
            return self[next(iter(self))]
        bag = Bag()
        if self:
            bag.report("E603", None, name=self.name, variants=", ".join(self))
        else:
            bag.report("E606", None, path=self.name)
        raise ArchError(bag)


def open_source(source: Source) -> ArchFile:
    """Parse and bind a text; raises ArchError if it cannot be used at all or has errors in names or variants."""
    file = ArchFile(source)
    file.bag.raise_errors()
    return file


def open(spec: str | os.PathLike[str]) -> ArchFile:
    """The checked file SPEC: a path, or the name of a shipped family (or of one of its variants).

    All its variants are checked, claims included; raises ArchError with every error found.
    """
    source, _ = library.locate(str(spec))
    file = open_source(source)
    file.check()
    file.bag.raise_errors()
    return file


_recent: dict[tuple[str, str], ArchFile] = {}
_MOST_RECENT = 4


def _opened(source: Source) -> ArchFile:
    """`open_source`, but a text that was opened lately, and has not changed since, is not read again."""
    key = (source.name, source.text)
    file = _recent.pop(key, None)
    if file is None or not file.is_current():
        file = open_source(source)
    _recent[key] = file
    while len(_recent) > _MOST_RECENT:
        _recent.pop(next(iter(_recent)))
    return file


def forget() -> None:
    """Drop the specs opened lately, and with them their graphs and sources."""
    _recent.clear()


def find(spec: str | os.PathLike[str], variant: str | None = None) -> Variant:
    """The variant that `SPEC`, `SPEC:VARIANT` or the two names together mean."""
    source, named = library.locate(str(spec))
    return _opened(source).only(variant or named, str(spec))


def load(
    spec: str | os.PathLike[str],
    variant: str | None = None,
    *,
    weights: str | os.PathLike[str] | None = None,
    checkpoint: str | None = None,
    in_channels: int | None = None,
    image_size: int | tuple[int, int] | None = None,
    features: bool | str | Sequence[str] = False,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    **parameters: Any,
) -> nn.Module:
    """A variant as an `nn.Module`: what its generated source builds.

    Keyword arguments set parameters of the model (`classes=10`). `in_channels` and `image_size` (of both sides, or
    height and width) replace what the spec says of its image. With `features` it is the part of the network that gives
    feature maps, which it returns as a dict by the names of their stages: of those that are named, or (True) of the
    last of each resolution.

    With `weights` (.safetensors or .pth) nothing is initialized and the tensors of the file are used; `checkpoint`
    names the key map of the spec to read it with, found by itself where only one fits. The file must fit completely,
    but: with `classes` given, a classifier of another size, or none, is initialized anew; with `in_channels`, the
    kernels that see the image are summed or repeated; with `features`, the rest of the network is left aside. Raises
    ArchError with every diagnostic.
    """
    from archdsl.backends.contract import equip
    from archdsl.backends.module import build_module

    with collector_paused():
        whole = find(spec, variant).override(parameters).for_image(in_channels, image_size)
        names = [features] if isinstance(features, str) else None if isinstance(features, bool) else features
        found = whole.features(names) if features is not False else whole
        source = found.source  # before the graph, which comes with it
        if weights is None:
            model = build_module(found.graph, source, device=device, dtype=dtype)
        else:
            model = _pretrained(found, weights, checkpoint, device, dtype, new_head="classes" in parameters)
        given = found.names if isinstance(found, FeatureVariant) else None
        equip(type(model), whole.graph, given, whole.new_classifiers if "classes" in whole.parameters else None)
        return model


def _pretrained(
    found: Variant,
    weights: str | os.PathLike[str],
    checkpoint: str | None,
    device: torch.device | str | None,
    dtype: torch.dtype | None,
    new_head: bool,
) -> nn.Module:
    """A module with a file's weights, or new ones where other classes or channels were asked for."""
    from archdsl.weights import Leeway, load_weights

    graph, channels = found.whole.graph, {}
    if "channels" in found.configured.image:
        written = replace(found.configured, image={})
        before = Variant(found.file, written).graph.input_shape.channels
        channels = {node.weight_path(node.weights[0]): before for node in first_layers(graph)}
    heads = classifiers(graph) if new_head else ()
    new = frozenset(node.weight_path(weight) for node in heads for weight in node.weights)

    def initialized() -> dict[str, torch.Tensor]:
        layers = found.new_classifiers()
        return {f"{path}.{key}": value for path, layer in layers.items() for key, value in layer.state_dict().items()}

    leeway = Leeway(new=new, channels=channels)
    return load_weights(found, weights, checkpoint, leeway=leeway, new=initialized, device=device, dtype=dtype)
