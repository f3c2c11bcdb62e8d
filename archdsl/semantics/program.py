"""Files and names: from parsed files to a `Program` in which every top-level name is bound.

Takes a `Source`; gives a `Program`: the root file and, transitively, the files it uses, each with the
definitions visible in it. Reports E009, E106, E110-E112, E116, E117 and E602. Which files may be used is for the
`Loader` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest, meant
from archdsl.ops.registry import OPS
from archdsl.semantics.memo import Memo
from archdsl.semantics.reserved import definition_problem
from archdsl.source import Source, Span, Unreadable
from archdsl.syntax import ast, parse

if TYPE_CHECKING:
    from archdsl.semantics import bound

Kind = TypeVar("Kind", bound=ast.Syntax)

Loader: TypeAlias = Callable[[Source, str], Source | None]
"""Finds the file that a `use` in a source names; None where there is none. Raises Unreadable."""

Named = TypeVar("Named", "RecipeItem", "SpaceItem")

MAX_FILES = 100
"""Files that one file uses, directly or through others."""

MAX_USES = 1_000
"""Different files that `use` items name, as they name them."""

MAX_CHARACTERS = 1_000_000
"""Characters of a file and of all that it uses."""


@dataclass(eq=False)
class FileScope:
    """One file: its syntax and the names visible in it."""

    source: Source
    syntax: ast.File
    names: dict[str, Definition] = field(default_factory=dict)
    defaults: dict[str, ast.CallExpr] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)
    """Definitions of this file that cannot be elaborated; why has been reported."""
    recipes: dict[str, RecipeItem] = field(default_factory=dict)
    """Recipes have names of their own: one may be called as a variant or a block is."""
    spaces: dict[str, SpaceItem] = field(default_factory=dict)
    """So have spaces."""
    expressions: dict[int, bound.Expression] = field(default_factory=dict, repr=False)
    """Resolved, by the identity of their syntax: expressions of items that stand in no body."""
    arguments: dict[int, tuple[bound.Argument, ...]] = field(default_factory=dict, repr=False)
    """The same of the arguments of calls: rows of variants, `default`."""
    memo: Memo = field(default_factory=Memo, repr=False)
    missing: set[str] = field(default_factory=set)
    """Names whose `use` or definition failed, which has been reported: their values are unknown."""

    def items(self, kind: type[Kind]) -> Iterator[Kind]:
        """The items of a kind, in the order of the file."""
        return (item for item in self.syntax.items if isinstance(item, kind))


@dataclass(eq=False)
class Definition:
    """A block, fn, scaling, model or table, and the file in whose names its body is read."""

    syntax: ast.Definition | ast.Table
    file: FileScope
    parameters: tuple[bound.Parameter, ...] = field(default=(), repr=False)
    body: tuple[bound.Statement, ...] = field(default=(), repr=False)
    """Of a block, fn, scaling or model, once names are resolved."""
    rows: tuple[bound.Row, ...] = field(default=(), repr=False)
    """Of a table, likewise."""

    @property
    def name(self) -> str:
        return self.syntax.name

    @property
    def kind(self) -> str:
        return self.syntax.kind if isinstance(self.syntax, ast.Definition) else "table"

    @property
    def span(self) -> Span:
        return self.syntax.name_span

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of a block's inputs."""
        syntax = self.syntax
        return tuple(entry.name for entry in syntax.inputs) or ("in",) if isinstance(syntax, ast.Definition) else ()

    @property
    def docstring(self) -> str:
        return self.syntax.docstring.text if self.syntax.docstring else ""

    @property
    def faulty(self) -> bool:
        """Whether this cannot be elaborated (it uses itself, say), which has been reported: its value is unknown."""
        return self.name in self.file.faulty


@dataclass(eq=False)
class RecipeItem:
    """A recipe, and the file in whose names its values are read."""

    syntax: ast.Recipe
    file: FileScope


@dataclass(eq=False)
class SpaceItem:
    """A space, and the file in whose names its lines are read."""

    syntax: ast.Space
    file: FileScope


@dataclass(eq=False)
class Program:
    """The root file and every file it uses, by their identities."""

    root: FileScope
    files: Mapping[str, FileScope]
    lists: Mapping[str, Source] = field(default_factory=dict)
    """The files that `weights "…"` items of the root file name, by these names; they are parsed when weights are asked
    for."""


class Binder:
    """Loads and binds files depth first; each file once."""

    def __init__(self, bag: Bag, loader: Loader) -> None:
        self.bag = bag
        self.loader = loader
        self.files: dict[str, FileScope] = {}
        self.open: list[Source] = []
        self.characters = 0
        self.found: dict[tuple[str, str], Source | None] = {}
        self.broken: set[str] = set()
        self.lists: dict[str, Source] = {}
        self.full = False
        self.memo = Memo()

    def bind(self, source: Source) -> FileScope | None:
        self.characters += len(source.text)
        syntax = parse(source, self.bag)
        if syntax is None:
            self.broken.add(source.identity)
            return None
        scope = FileScope(source, syntax, memo=self.memo)
        self.files[source.identity] = scope
        self.open.append(source)
        for item in syntax.items:
            match item:
                case ast.Use():
                    self._use(scope, item)
                case ast.Definition() | ast.Table():
                    self._define(scope, Definition(item, scope), item.name_span)
                case ast.Default():
                    self._defaults(scope, item)
                case ast.Recipe():
                    self._add(scope.recipes, RecipeItem(item, scope), item.name_span)
                case ast.Space():
                    self._add(scope.spaces, SpaceItem(item, scope), item.name_span)
                case ast.WeightsList() if len(self.open) == 1:
                    self._list(scope, item)
        self.open.pop()
        return scope

    def _define(self, scope: FileScope, definition: Definition, span: Span) -> None:
        name = definition.name
        if problem := definition_problem(name):
            self.bag.report("E117", span, name=name, help=problem)
            scope.missing.add(name)
        elif name in scope.names:
            first = Label(scope.names[name].span, "first defined here")
            self.bag.report("E106", span, name=name, secondary=[first])
        else:
            scope.names[name] = definition

    def _defaults(self, scope: FileScope, item: ast.Default) -> None:
        for call in item.calls:
            name = call.called
            if name not in OPS:
                near, help_ = meant(name, OPS)
                self.bag.report("E101", call.callee.span, name=name, suggestion=near, help=help_)
            elif name in scope.defaults:
                first = Label(scope.defaults[name].span, "first given here")
                self.bag.report("E106", call.span, name=name, secondary=[first])
            else:
                scope.defaults[name] = call

    def _add(self, known: dict[str, Named], item: Named, span: Span) -> None:
        """A recipe or a space to those of a file."""
        name = item.syntax.name
        if name in known:
            first = Label(known[name].syntax.name_span, "first defined here")
            self.bag.report("E106", span, name=name, secondary=[first])
        else:
            known[name] = item

    def _use(self, scope: FileScope, item: ast.Use) -> None:
        self._import(scope, item, item.path.value)
        known = scope.names.keys() | scope.recipes.keys() | scope.spaces.keys()
        scope.missing |= {entry.name for entry in item.names} - known

    def _list(self, scope: FileScope, item: ast.WeightsList) -> None:
        """Only read here: a list is long, and not needed to know what the networks are."""
        path = item.path.value
        source = self._named(scope, item)
        if source is None:
            return
        if path in self.lists:
            self.bag.report("E106", item.path.span, name=path)
        elif self._fits(source, item):
            self.characters += len(source.text)
            self.lists[path] = source

    def _named(self, scope: FileScope, item: ast.Use | ast.WeightsList) -> Source | None:
        """The file that an item names; None after an error."""
        path = item.path.value
        if is_outside(path):
            self.bag.report("E116", item.path.span, path=path)
            return None
        if len(self.found) >= MAX_USES:
            self._refuse(item, "the number of `use` items in a file and those it uses", MAX_USES)
            return None
        try:
            source = self._found(scope.source, path)
        except Unreadable as error:
            code = "E116" if error.outside else "E602"
            self.bag.report(code, item.path.span, path=path, detail=error.detail)
            return None
        if source is None:
            self.bag.report("E110", item.path.span, path=path)
        return source

    def _import(self, scope: FileScope, item: ast.Use, path: str) -> None:
        source = self._named(scope, item)
        if source is None:
            return
        identities = [file.identity for file in self.open]
        if source.identity in identities:
            circle = [*self.open[identities.index(source.identity) :], source]
            self.bag.report("E112", item.path.span, chain=" -> ".join(file.name for file in circle))
            return
        used = self.files.get(source.identity)
        if used is None and source.identity not in self.broken and self._fits(source, item):
            used = self.bind(source)
        if used is None:
            return
        own = {name: d for name, d in used.names.items() if d.file is used}
        recipes = {name: recipe for name, recipe in used.recipes.items() if recipe.file is used}
        spaces = {name: space for name, space in used.spaces.items() if space.file is used}
        for entry in item.names:
            if entry.name in own:
                self._define(scope, own[entry.name], entry.span)
            if entry.name in recipes:
                self._add(scope.recipes, recipes[entry.name], entry.span)
            if entry.name in spaces:
                self._add(scope.spaces, spaces[entry.name], entry.span)
            if not any(entry.name in found for found in (own, recipes, spaces)):
                near = closest(entry.name, [*own, *recipes, *spaces])
                passed = used.names.get(entry.name) or used.recipes.get(entry.name) or used.spaces.get(entry.name)
                home = None if passed is None else PurePath(passed.file.source.name).name
                help_ = None if home is None else f"it is imported there: name the file that defines it, `{home}`"
                self.bag.report("E111", entry.span, help=help_, name=entry.name, path=path, suggestion=near)

    def _found(self, user: Source, path: str) -> Source | None:
        """The file that a `use` names, looked for once; raises Unreadable."""
        key = (user.identity, path)
        if key not in self.found:
            source = self.loader(user, path)
            known = self.files.get(source.identity) if source else None
            self.found[key] = known.source if known else source
        return self.found[key]

    def _fits(self, source: Source, item: ast.Use | ast.WeightsList) -> bool:
        """Whether one more file may be used; reports E009."""
        if len(self.files) > MAX_FILES:
            self._refuse(item, "the number of files that one uses", MAX_FILES)
            return False
        if self.characters + len(source.text) > MAX_CHARACTERS:
            self._refuse(item, "the length of a file with those it uses", MAX_CHARACTERS)
            return False
        return True

    def _refuse(self, item: ast.Use | ast.WeightsList, what: str, limit: int) -> None:
        """Report, once, that there are too many files."""
        if not self.full:
            hint = "put what belongs together into one file, and use only what is needed"
            self.bag.report("E009", item.path.span, what=what, limit=f"{limit:,}", help=hint)
        self.full = True


def is_outside(path: str) -> bool:
    """Whether a path in a spec says, as it is written, more than something beside the spec or below."""
    return path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/") or ":" in path


def bind(source: Source, loader: Loader, bag: Bag) -> Program | None:
    """Parse a file and everything it uses and bind top-level names; None after a syntax error in the root."""
    binder = Binder(bag, loader)
    root = binder.bind(source)
    return Program(root, binder.files, binder.lists) if root else None
