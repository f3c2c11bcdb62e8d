"""What names mean in one body, in the order of its text. Reports E101, E106 and E117."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label, declared
from archdsl.diagnostics.suggest import closest, meant
from archdsl.ops.registry import OPS
from archdsl.semantics import bound
from archdsl.semantics.builtins import BUILTINS
from archdsl.semantics.program import FileScope
from archdsl.semantics.reserved import RESERVED, binding_problem
from archdsl.source import Span
from archdsl.syntax import ast
from archdsl.syntax.hints import HINTS, NAMES

_NO_OP = "it is no op (docs/ops.md lists them): define it as a block or fn, or import it with `use`"
IN_HELP = "`in` is the input of a block; a fn takes its tensors as parameters"


@dataclass(frozen=True)
class Unknown:
    """A name that a body uses and does not know."""

    name: str
    span: Span
    near: str | None
    help: str | None


@dataclass
class Names:
    """What is known while one body is resolved."""

    file: FileScope
    bag: Bag
    owner: str = ""
    """The definition that the body is of."""
    known: set[str] = field(default_factory=set)
    """Names that may have been given a value so far."""
    read: set[str] = field(default_factory=set)
    wired: set[str] = field(default_factory=set)
    """Names that are read for more than an attribute, such as `x.channels`."""
    bindings: dict[str, Span] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    """Where each name in `known` was given its first value."""
    unknown: list[Unknown] = field(default_factory=list)
    uses: dict[str, Span] = field(default_factory=dict)
    """The file's names that are read, and where."""
    has_input: bool = False
    has_outputs: bool = False
    input_help: str | None = IN_HELP
    hints: Mapping[str, str] = field(default_factory=dict)
    """What is said of names that mean something elsewhere."""

    def name(self, node: ast.Name, *, called: bool = False) -> bound.Expression:
        """What a name means where it is read."""
        name = node.name
        self.read.add(name)
        self.wired.add(name)
        if name in self.known:
            return bound.Local(node.span, name, self._lasting(node))
        if name == "in":
            if self.has_input:
                return bound.Input(node.span)
            self.bag.report("E101", node.span, name="in", suggestion=None, help=self.input_help)
            return bound.Refused(node.span)
        found = self._lasting(node)
        if found is None:
            self._note_unknown(node, called)
            return bound.Refused(node.span)
        if isinstance(found, bound.Reference):
            self.uses.setdefault(name, node.span)
        return found

    def _lasting(self, node: ast.Name) -> bound.Expression | None:
        """What a name means where no body gives it a value; None if nothing."""
        name = node.name
        if name == "id":
            return bound.Identity(node.span)
        definition = self.file.names.get(name)
        if definition is not None:
            return bound.Reference(node.span, definition)
        if name in OPS:
            return bound.Op(node.span, OPS[name])
        if name in BUILTINS:
            return bound.Function(node.span, BUILTINS[name])
        return bound.Refused(node.span) if name in self.file.missing else None

    def _note_unknown(self, node: ast.Name, called: bool) -> None:
        known = [*self.known, *self.file.names, *OPS, *BUILTINS, "id", "true", "false"]
        near, help_ = meant(node.name, known)
        if node.name in self.hints:
            near, help_ = None, self.hints[node.name]
        elif node.name in NAMES:
            help_ = HINTS[NAMES[node.name]]
        elif called and near is None and help_ is None:
            help_ = _NO_OP
        self.unknown.append(Unknown(node.name, node.span, near, help_))

    def report_unknown(self) -> bool:
        """E101 for the names that a body does not know; whether one was taken for a misspelt declaration.

        A declaration that nothing reads, and that is meant in several places, is what was misspelt: one error, there.
        """
        misspelt = False
        for name in dict.fromkeys(unknown.name for unknown in self.unknown):
            uses = [unknown for unknown in self.unknown if unknown.name == name]
            near, help_ = uses[0].near, uses[0].help
            own = closest(name, self._unread())
            if own is not None and closest(name, [own] if near is None else [own, near]) == own:
                near, help_ = own, None  # rather than what is read, or what other libraries call so
            place = self.places.get(near or "")
            if place is not None and near not in self.read and len(uses) > 1:
                first = Label(uses[0].span, f"one of {len(uses)} uses of `{name}`")
                help_ = f"did you mean `{name}` here? nothing uses `{near}`"
                self.bag.report("E101", place, name=name, label="declared here", help=help_, secondary=(first,))
                misspelt = True
                continue
            for use in uses:
                places = declared(self._place(near)) if help_ is None else ()
                self.bag.report("E101", use.span, name=name, suggestion=near, help=help_, secondary=places)
        return misspelt

    def _unread(self) -> list[str]:
        """Declarations that nothing reads: if a name is unknown, one of them may be what was misspelt."""
        return [name for name in self.places if name not in self.read]

    def _place(self, name: str | None) -> Span | None:
        """Where a name of this body or file is declared; None of an op or a built-in function."""
        if name in self.places:
            return self.places[name]
        definition = self.file.names.get(name or "")
        return definition.span if definition is not None and definition.file is self.file else None

    # --- declarations ------------------------------------------------------------------------

    def bind_target(self, target: ast.Target) -> None:
        """The names that a loop or an assignment binds."""
        names = list(targets(target))
        distinct(((part.name or "", part.span) for part in names), self.bag)
        for part in names:
            self.declare(part.name or "", part.span)
            self.bindings.setdefault(part.name or "", part.span)

    def declare(self, name: str, span: Span) -> None:
        """A parameter, an input or a binding; reports E117."""
        if problem := binding_problem(name):
            self.bag.report("E117", span, name=name, help=problem)
            if name in RESERVED:  # read again it means the op, and what was bound would look forgotten
                self.file.faulty.add(self.owner)
        self.known.add(name)
        self.places.setdefault(name, span)


def distinct(names: Iterable[tuple[str, Span]], bag: Bag) -> bool:
    """Whether no two of some names are the same; reports E106."""
    seen: dict[str, Span] = {}
    ok = True
    for name, span in names:
        if name in seen:
            bag.report("E106", span, name=name, secondary=[Label(seen[name], "first used here")])
            ok = False
        seen.setdefault(name, span)
    return ok


def targets(target: ast.Target) -> Iterator[ast.Target]:
    """The single names of a target."""
    if target.name is not None:
        yield target
    for part in target.items:
        yield from targets(part)


def assigned(statements: Iterable[ast.Statement]) -> set[str]:
    """Every name that the statements may bind."""
    found: set[str] = set()
    for statement in statements:
        match statement:
            case ast.Assign():
                found |= {part.name or "" for part in targets(statement.target)}
            case ast.For():
                found |= {part.name or "" for part in targets(statement.target)} | assigned(statement.body)
            case ast.IfStatement():
                found |= assigned(statement.yes) | assigned(statement.no)
            case ast.Stage():
                found |= assigned(statement.body)
    return found
