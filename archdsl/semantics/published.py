"""The `weights` items of a file: which files are published for its variants, and what is known of each.

Takes a `Program` and a `Configured` variant; gives `PublishedFile`s. Like `reference` they are said of the file's own
variants, and are not handed on. An item may stand in the file or in a list that the file names
(`weights "weights/net.arch"`), which is parsed when weights are asked for. Reports E106, E108, E301, E302, E317, E412,
E418 to E426, E505 and E513.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest
from archdsl.graph.image import AS_WRITTEN
from archdsl.graph.ir import Graph
from archdsl.graph.published import OWN, ModelFacts, PublishedFile
from archdsl.graph.reference import LIBRARIES, Reference, is_plain_name
from archdsl.graph.settings import Preprocess
from archdsl.semantics.arguments import ArgumentOwner, validated
from archdsl.semantics.checkpoints import map_names
from archdsl.semantics.elaborate import value_of
from archdsl.semantics.entries import read_entries
from archdsl.semantics.program import Definition, FileScope, Program, is_outside
from archdsl.semantics.references import references_of
from archdsl.semantics.settings import amended_preprocess, preprocess_of
from archdsl.semantics.values import Arg
from archdsl.semantics.variants import Configured, unknown_target
from archdsl.source import Span
from archdsl.syntax import ast, parse

MOST_ROWS = 10_000
"""Rows in the `weights` items of a file and its lists."""

_PREPARING = tuple(Preprocess.model_fields)
_KEYS = (*ModelFacts.model_fields, *_PREPARING)
_OWNER = ArgumentOwner("weights", tuple(ModelFacts.model_fields))
_DIGITS = {"sha256": 64, "sha1": 40}
_FEWEST = 8
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!-~]+")


@dataclass(frozen=True)
class _Item:
    """A `weights` item and the file that it stands in."""

    syntax: ast.Weights
    file: FileScope


def weights_of(program: Program, configured: Configured, bag: Bag) -> tuple[PublishedFile, ...]:
    """What is published for one variant, as the file has it; wrong rows are reported and left out."""
    items = _by_variant(program, bag).get(configured.name, ())
    return tuple(_Reader(program, configured, bag).read(items)) if items else ()


def check_weights(program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag) -> None:
    """Check every `weights` item of the root file and its lists."""
    for name, items in _by_variant(program, bag).items():
        if name in variants:
            for _ in _Reader(program, variants[name], bag, graphs.get(name)).read(items):
                pass
            continue
        known = {each: variant.span for each, variant in variants.items()}
        alone = None if variants else "a list of weights is checked with the spec that names it"
        for item in items:
            unknown_target("E108", item.syntax.about.target, known, bag, alone)


def _by_variant(program: Program, bag: Bag) -> Mapping[str, list[_Item]]:
    """The items by the variants that they are about; read once, and so are the lists."""
    known = program.root.memo.items
    if "weights" not in known:
        own = Bag()
        found: dict[str, list[_Item]] = {}
        rows = 0
        for item in _items(program, own):
            rows += len(item.syntax.rows)
            if rows > MOST_ROWS:
                place = item.syntax.library.span
                own.report("E513", place, what="rows of `weights`", count=f"{rows:,}", limit=f"{MOST_ROWS:,}")
                break
            found.setdefault(item.syntax.about.target.name, []).append(item)
        known["weights"] = found, tuple(own)
    index, faults = known["weights"]
    for diagnostic in faults:
        bag.add(diagnostic)
    by_variant: Mapping[str, list[_Item]] = index
    return by_variant


def _items(program: Program, bag: Bag) -> Iterator[_Item]:
    root = program.root
    for item in root.syntax.items:
        if isinstance(item, ast.Weights):
            yield _Item(item, root)
        elif isinstance(item, ast.WeightsList) and item.path.value in program.lists:
            source = program.lists[item.path.value]
            syntax = parse(source, bag)
            scope = None if syntax is None else FileScope(source, syntax)
            for inner in scope.syntax.items if scope else ():
                if isinstance(inner, ast.Weights) and scope is not None:
                    yield _Item(inner, scope)
                elif not isinstance(inner, ast.Docstring):
                    bag.report("E426", inner.span, name=source.name)


class _Reader:
    """Reads the rows of one variant."""

    def __init__(self, program: Program, configured: Configured, bag: Bag, graph: Graph | None = None) -> None:
        self.configured = configured
        self.bag = bag
        silent = Bag()  # what is wrong with them is said elsewhere
        self.keymaps = map_names(program, configured)
        self.references = references_of(program, configured, silent)
        self.base = preprocess_of(program, configured, silent)
        written = replace(configured, image=AS_WRITTEN)
        self.written = preprocess_of(program, written, silent) if configured.image else self.base
        self.own_classes = own_classes(configured)
        self.graph = graph
        self.names: dict[str, Span] = {}
        self.default: Span | None = None

    def read(self, items: Iterable[_Item]) -> Iterator[PublishedFile]:
        for item in items:
            library = self._library(item.syntax)
            model = self._model(item.syntax)
            for row in item.syntax.rows:
                entry = self._row(item, row, model, library)
                if entry is not None and library:
                    yield entry

    def _library(self, item: ast.Weights) -> bool:
        """Whether it is known whose names the files have."""
        name = item.library.name
        if name in LIBRARIES or name == OWN or name in self.keymaps:
            return True
        known = (OWN, *LIBRARIES, *(key for key in self.keymaps if key not in LIBRARIES))
        near = closest(name, known)
        self.bag.report("E418", item.library.span, name=name, suggestion=near, known=", ".join(known))
        return False

    def _model(self, item: ast.Weights) -> str:
        """The library's name for the network."""
        given, reference = item.about.model, self._reference(item.library.name)
        if given is not None:
            if not is_plain_name(given.value):
                self.bag.report("E412", given.span, library=item.library.name, name=given.value)
            return given.value
        return reference.model if reference is not None and reference.model else self.configured.name

    def _reference(self, library: str, model: str | None = None) -> Reference | None:
        """That of the library's model of this name, or else the first of the library's that does not refuse its files:
        a library that has the network under several names has one way to name its weights."""
        own = [reference for reference in self.references if reference.library == library]
        exact = (reference for reference in own if reference.model == model)
        loads = (reference for reference in own if not reference.refuses)
        return next(exact, None) or next(loads, None) or next(iter(own), None)

    def _row(self, item: _Item, row: ast.WeightsRow, model: str, library: bool) -> PublishedFile | None:
        """What a row says; None after an error."""
        before = len(self.bag.errors)
        library_name = item.syntax.library.name
        self._unlike(f"{library_name}/{model}.{row.tag}", row)
        args = read_entries(row.entries, _KEYS, "E420", item.file, self.bag)
        if args is None:
            return None
        own = {key: arg for key, arg in args.items() if key in ModelFacts.model_fields}
        facts = validated(_OWNER, ModelFacts, own, row.tag_span, self.bag)
        if not isinstance(facts, ModelFacts):
            return None
        self._check_place(facts, args, row)
        self._check_hashes(facts, args, row)
        keymap = self._keymap(item.syntax, facts, args, model) if library else None
        if facts.default:
            if self.default is not None:
                first = Label(self.default, "the first one")
                self.bag.report("E424", args["default"].span, name=self.configured.name, secondary=[first])
            self.default = self.default or args["default"].span
        classes = self.own_classes if facts.classes is None else facts.classes
        preprocess = self._preprocess(args, classes, row)
        if len(self.bag.errors) > before:
            return None
        stated = facts.model_dump(exclude={"checkpoint", "classes"})
        return PublishedFile(
            variant=self.configured.name,
            library=library_name,
            model=model,
            tag=row.tag,
            keymap=keymap,
            classes=classes,
            preprocess=preprocess,
            folder=os.path.dirname(item.file.source.path) if item.file.source.path else None,
            **stated,
        )

    def _unlike(self, name: str, row: ast.WeightsRow) -> None:
        if not row.tag or not all(char.isalnum() or char in "_.+-" for char in row.tag) or not row.tag.isascii():
            self.bag.report("E425", row.tag_span, name=row.tag)
        if name in self.names:
            first = Label(self.names[name], "first given here")
            self.bag.report("E106", row.tag_span, name=name, secondary=[first])
        self.names.setdefault(name, row.tag_span)

    def _check_place(self, facts: ModelFacts, args: Mapping[str, Arg], row: ast.WeightsRow) -> None:
        """E421 unless it is said where the file is, once; E422 for what is no place."""
        given = [key for key in ("url", "hub", "package") if getattr(facts, key) is not None]
        if facts.file is not None and (not given or given == ["url"]):
            given.append("file")
        if len(given) != 1 or (facts.package is not None and facts.file is None):
            told = f"`{'` and `'.join(given)}`" if len(given) > 1 else None
            place = args[given[-1]].span if given else row.tag_span
            self.bag.report("E421", place, name=row.tag, both=told)
            return
        what, text = given[0], getattr(facts, given[0])
        detail = None
        if what == "url" and not _URL.fullmatch(text):
            detail = "it is an address that begins with https:// and names a file"
        elif what == "hub" and not _REPOSITORY.fullmatch(text):
            detail = 'it is a repository, as "timm/resnet50.a1_in1k"'
        elif what == "package" and not is_plain_name(text):
            detail = "it is the name of a Python package"
        elif facts.file is not None and (not facts.file.strip() or is_outside(facts.file)):
            what, detail = "file", "it is a path without `..` from where the others are"
        if detail is not None:
            self.bag.report("E422", args[what].span, what=what, detail=detail)

    def _check_hashes(self, facts: ModelFacts, args: Mapping[str, Arg], row: ast.WeightsRow) -> None:
        """E423 for what is no hash, and for none where the file comes from an address."""
        for key, length in _DIGITS.items():
            digits = getattr(facts, key)
            if digits is not None and not re.fullmatch(f"[0-9a-f]{{{_FEWEST},{length}}}", digits):
                detail = (
                    f"{key} is {length} hexadecimal digits in small letters, or the first {_FEWEST} or more of them"
                )
                self.bag.report("E423", args[key].span, detail=detail)
        if facts.sha256 is not None and facts.sha1 is not None:
            self.bag.report("E423", args["sha1"].span, detail="one hash is enough, and sha256 is given")
        if facts.sha256 is None and facts.sha1 is None and (facts.url or facts.package):
            what = "url" if facts.url else "package"
            detail = f"a file of a {what} needs its hash, sha256 or sha1, so that another file is not taken for it"
            self.bag.report("E423", args[what].span, detail=detail)

    def _keymap(self, item: ast.Weights, facts: ModelFacts, args: Mapping[str, Arg], model: str) -> str | None:
        """The checkpoint map with which the file is read, None for the spec's own names; E419, E505."""
        library, reference = item.library.name, self._reference(item.library.name, model)
        named = facts.checkpoint or (reference.comparison.checkpoint if reference is not None else None)
        if named is not None:
            if named not in self.keymaps:
                place = args["checkpoint"].span if facts.checkpoint else item.library.span
                self.bag.report("E505", place, name=named, suggestion=closest(named, self.keymaps))
            return named
        if library == OWN:
            return None
        refused = reference is not None and reference.refuses
        if library in self.keymaps and not refused:
            return library
        if reference is None or refused:
            facts_ = {"library": library, "name": self.configured.name}
            detail = f"{library}'s {model} does not load here, as its `reference` says" if refused else None
            self.bag.report("E419", item.library.span, facts=facts_, detail=detail)
        return None

    def _preprocess(self, args: Mapping[str, Arg], classes: int | None, row: ast.WeightsRow) -> Preprocess | None:
        """That of the spec, with what the row says instead. Labels are those of the spec's own number of classes."""
        more = {key: arg for key, arg in args.items() if key in _PREPARING}
        made = (
            self.base
            if not more
            else amended_preprocess(self.written, more, row.tag_span, self.configured, self.bag, self.graph)
        )
        if made is None or "labels" in more or classes == self.own_classes:
            return made
        return made.model_copy(update={"labels": None})


def own_classes(configured: Configured) -> int | None:
    """Those of the variant; None where its model has no such parameter."""
    given = configured.args.get("classes")
    if given is not None:
        return given.value if type(given.value) is int else None
    model = configured.model
    key, known = ("classes", model), model.file.memo.items
    if key not in known:
        known[key] = _default_classes(model)
    found: int | None = known[key]
    return found


def _default_classes(model: Definition) -> int | None:
    default = next((parameter.default for parameter in model.parameters if parameter.name == "classes"), None)
    value = None if default is None else value_of(default, model.file, Bag())
    return value if type(value) is int else None
