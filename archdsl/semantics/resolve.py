"""Names resolved: every item of every file, before anything is elaborated, so that code no variant uses is checked too.

Takes a `Program` whose top-level names are bound; gives its definitions their bound trees. Reports E105, E106, E120,
E312, E318, E338, what `resolve_bodies`, `names` and `recursion` report and, for the root file, the warning E121.
Definitions that cannot be elaborated at all are put into their file's `faulty`: their values are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest
from archdsl.graph.space import COSTS, DISTRIBUTIONS, FIGURES, SECONDS
from archdsl.ops.registry import OPS
from archdsl.semantics import bound
from archdsl.semantics.binding import bind_arguments
from archdsl.semantics.names import IN_HELP, Names, distinct
from archdsl.semantics.program import Definition, FileScope, Program
from archdsl.semantics.recursion import check_recursion
from archdsl.semantics.resolve_bodies import arguments, expression, optional, require, statements
from archdsl.semantics.results import lacks_result
from archdsl.semantics.values import TYPES
from archdsl.source import Span
from archdsl.syntax import ast
from archdsl.syntax.walking import names_in

_SAID = (ast.Expect, ast.Reference, ast.Preprocess, ast.Init, ast.Recipe, ast.Weights)
"""Items that say something of variants, in values of their own."""


def resolve(program: Program, bag: Bag) -> None:
    """Resolve the root file and the files it uses."""
    for file in program.files.values():
        check = _FileNames(file, bag)
        check.run()
        check_recursion(check.uses, bag)
        if file is program.root:
            check.unused()
    program.root.memo.faults = bag.errors


def resolve_expression(node: ast.Expression, file: FileScope, bag: Bag, known: Iterable[str] = ()) -> bound.Expression:
    """An expression that stands in no body, over the names of a file and these."""
    if id(node) in file.expressions:
        return file.expressions[id(node)]
    names = Names(file, bag, known=set(known))
    made = expression(node, names)
    names.report_unknown()
    return made


def resolve_arguments(given: tuple[ast.Argument, ...], file: FileScope, bag: Bag) -> tuple[bound.Argument, ...]:
    """The arguments of a call that stands in no body."""
    if id(given) in file.arguments:
        return file.arguments[id(given)]
    names = Names(file, bag)
    made = arguments(given, names)
    names.report_unknown()
    return made


_TIMES = {
    SECONDS: "a time is that of a device, which a spec does not name: "
    "archdsl search … --device a100 --require 'seconds < 0.001'"
}


class _FileNames:
    """Resolves one file."""

    def __init__(self, file: FileScope, bag: Bag) -> None:
        self.file = file
        self.bag = bag
        self.uses: dict[Definition, dict[str, Span]] = {}
        self._read: set[str] = set()
        self._unused: list[tuple[Span, str, str]] = []

    def run(self) -> None:
        """Walk through all items."""
        docstring: ast.Docstring | None = None
        for item in self.file.syntax.items:
            match item:
                case ast.Definition():
                    self._definition(item)
                case ast.Table():
                    self._table(item)
                case ast.Default():
                    self._defaults(item)
                case ast.Variants():
                    distinct(((c.name, c.span) for c in item.columns), self.bag)
                    for row in item.rows:
                        self._constant(item.model.name, row.arguments)
                case ast.Variant():
                    self._constant(item.base.name, item.arguments)
                case ast.Space():
                    self._space(item)
                case ast.Expect():
                    distinct(((entry.key, entry.key_span) for entry in item.entries), self.bag)
                case ast.Docstring() if docstring is not None:
                    first = [Label(docstring.span, "the first one")]
                    self.bag.report("E106", item.span, name="the docstring", secondary=first)
                case ast.Docstring():
                    docstring = item

    def unused(self) -> None:
        """The warning E121 for imports, bindings and parameters that nothing reads."""
        unread = [entry for item in self.file.items(ast.Use) for entry in item.names if self._is_unread(entry.name)]
        if unread:  # their values are read where they are asked for, not here
            said = names_in(tuple(item for item in self.file.syntax.items if isinstance(item, _SAID)))
            self._unused += [(entry.span, entry.name, "imported") for entry in unread if entry.name not in said]
        for span, name, what in self._unused:
            self.bag.report("E121", span, name=name, what=what)

    def _is_unread(self, name: str) -> bool:
        """Whether nothing of what is visited reads an import. A model and a recipe are there to be used as they are."""
        found = self.file.names.get(name)
        is_used = found is None or found.kind == "model" or name in self.file.recipes
        return name not in self._read and not is_used

    # --- items -------------------------------------------------------------------------------

    def _definition(self, item: ast.Definition) -> None:
        names = Names(self.file, self.bag, item.name)
        before = len(self.bag)
        several = len(item.inputs) > 1
        names.has_outputs = item.kind == "model"
        names.input_help = None if several else IN_HELP
        declared = [*((p.name, p.span) for p in item.parameters), *((u.name, u.span) for u in item.inputs)]
        if not distinct(declared, self.bag):
            self._faulty(item)
        parameters = tuple([self._parameter(parameter, item, names) for parameter in item.parameters])
        for used in item.inputs:
            names.declare(used.name, used.span)
        names.has_input = item.kind == "block" and not several
        body = statements(item.body, names)
        definition = self._own(item, names)
        if definition is not None:
            definition.parameters, definition.body = parameters, body
        named = item.kind == "model" and _has_outputs(item.body)
        if item.kind != "scaling" and not named and lacks_result(item.body):
            self.bag.report("E312", item.name_span, name=item.name)
        if len(self.bag) == before:
            self._note_unused(item, names)

    def _parameter(self, parameter: ast.Parameter, item: ast.Definition, names: Names) -> bound.Parameter:
        """A default sees the parameters before its own; what is allowed, none."""
        if parameter.type is not None and not (self._type(parameter.type) and self._given(parameter, item)):
            self._faulty(item)
        outer, names.known = names.known, set()
        allowed = optional(parameter.allowed, names)
        names.known = outer
        default = optional(parameter.default, names)
        names.declare(parameter.name, parameter.span)
        return bound.Parameter(parameter.span, parameter.name, parameter.type, allowed, default)

    def _type(self, type_: ast.TypeRef) -> bool:
        if type_.name not in TYPES:
            known = ", ".join(TYPES)
            self.bag.report("E120", type_.span, name=type_.name, suggestion=closest(type_.name, TYPES), known=known)
            return False
        if type_.element is not None and type_.name != "list":
            help_ = "only a list has a type of its members: list(int)"
            self.bag.report("E120", type_.span, name=type_.span.text, suggestion=None, known=None, help=help_)
            return False
        return type_.element is None or self._type(type_.element)

    def _given(self, parameter: ast.Parameter, item: ast.Definition) -> bool:
        """Whether an argument of the type can be given at all: tensors are, to functions only; reports E338."""
        inner = parameter.type
        while inner is not None and inner.element is not None:
            inner = inner.element
        if item.kind == "fn" or inner is None or inner.name != "tensor":
            return True
        help_ = {
            "block": f"the tensors of a block are its inputs: block {item.name} on ({parameter.name}, …)",
            "model": "the only tensor of a model is its image(…)",
        }
        self.bag.report("E338", inner.span, name=parameter.name, owner=item.name, help=help_.get(item.kind))
        return False

    def _own(self, item: ast.Definition | ast.Table, names: Names) -> Definition | None:
        """The definition of the file that is this item; None of one whose name was taken."""
        if names.report_unknown():
            self._faulty(item)
        definition = self.file.names.get(item.name)
        self._read |= names.uses.keys()
        if definition is None or definition.syntax is not item:
            return None
        self.uses[definition] = names.uses
        return definition

    def _faulty(self, item: ast.Definition | ast.Table) -> None:
        self.file.faulty.add(item.name)

    def _note_unused(self, item: ast.Definition, names: Names) -> None:
        for parameter in item.parameters:
            if parameter.name not in names.read and not parameter.name.startswith("_"):
                self._unused.append((parameter.span, parameter.name, f"a parameter of {item.name}"))
        wired = any(entry.name in names.wired for entry in item.inputs)  # else the result is a layer, of all inputs
        for entry in item.inputs if wired else ():
            if entry.name not in names.read and not entry.name.startswith("_"):
                self._unused.append((entry.span, entry.name, f"an input of {item.name}"))
        if item.kind != "scaling":  # what a scaling binds is its result
            for name, span in names.bindings.items():
                if name not in names.read and not name.startswith("_"):
                    self._unused.append((span, name, f"bound in {item.name}"))

    def _table(self, item: ast.Table) -> None:
        names = Names(self.file, self.bag, item.name)
        if not distinct(((column.name, column.span) for column in item.columns), self.bag):
            self._faulty(item)
        rows = []
        for row in item.rows:
            if len(row.values) != len(item.columns):
                given, wanted = len(row.values), len(item.columns)
                self.bag.report("E318", row.misfit(wanted), given=given, wanted=wanted)
                self._faulty(item)
            rows.append(bound.Row(row.span, tuple([expression(value, names) for value in row.values])))
        definition = self._own(item, names)
        if definition is not None:
            definition.rows = tuple(rows)

    def _defaults(self, item: ast.Default) -> None:
        for call in item.calls:
            given = self.file.arguments[id(call.arguments)] = self._constant("", call.arguments)
            op = OPS.get(call.called)
            if op is None:
                continue  # reported where names are bound
            for argument in given:
                if argument.name is None:
                    help_ = "name the parameter: default bn(eps = 1e-3)"
                    self.bag.report("E105", argument.span, owner=f"default {op.name}", limit=0, given=1, help=help_)
            named = tuple([argument for argument in given if argument.name])
            bind_arguments(named, op.parameter_names, op.name, self.bag.report)

    def _constant(self, used: str, given: tuple[ast.Argument, ...]) -> tuple[bound.Argument, ...]:
        """Arguments that stand in no body."""
        names, before = Names(self.file, self.bag), len(self.bag)
        made = arguments(given, names)
        names.report_unknown()
        if len(self.bag) == before:  # what is wrong is said again where it is asked for
            self.file.arguments[id(given)] = made
        self._read |= names.uses.keys() | {used}
        return made

    def _space(self, item: ast.Space) -> None:
        """Each line may read what those above it name, and those of what is amended; conditions the costs as well."""
        named = [m for m in item.members if not isinstance(m, ast.Require)]
        distinct(((member.key, member.key_span) for member in named), self.bag)
        below, spaces = self._amended_lines(item)
        names, before = Names(self.file, self.bag, known=below), len(self.bag)
        made: dict[int, bound.Expression] = {}
        self._read |= spaces
        amends = item.base is not None
        if amends:  # its lines are put in order, each below what it reads
            names.known |= {member.key for member in named}
        for member in item.members:
            match member:
                case ast.Dimension():
                    made |= self._domain(member.domain, names)
                    names.known.add(member.key)
                case ast.Entry():
                    if not (amends and member.takes_back):
                        made[id(member.value)] = expression(member.value, names)
                    names.known.add(member.key)
                case ast.Require():
                    outer, names.known = names.known, names.known | COSTS.keys() | FIGURES.keys()
                    names.hints = _TIMES
                    made[id(member.condition)] = require(member, names).condition
                    names.known = outer
        names.report_unknown()
        if len(self.bag) == before:  # what is wrong is said again where it is asked for
            self.file.expressions |= made
        self._read |= names.uses.keys() | ({item.target.name} if item.target else set())

    def _amended_lines(self, item: ast.Space) -> tuple[set[str], set[str]]:
        """What the spaces name that an item amends, and these spaces as this file calls them."""
        named, seen = set[str](), set[str]()
        file, base = self.file, item.base
        while base is not None and base.name in file.spaces and base.name not in seen:
            if file is self.file:
                seen.add(base.name)
            found = file.spaces[base.name]
            named |= {m.key for m in found.syntax.members if not isinstance(m, ast.Require)}
            file, base = found.file, found.syntax.base
        return named, seen

    def _domain(self, node: ast.Expression, names: Names) -> dict[int, bound.Expression]:
        """What a dimension varies over, whose distributions are names of their own; it reads nothing of the space."""
        if isinstance(node, ast.CallExpr) and (node.called == "each" or node.called in DISTRIBUTIONS):
            parts = [self._domain(argument.value, names) for argument in node.arguments]
            return {key: made for part in parts for key, made in part.items()}
        outer, names.known = names.known, set()
        found = {id(node): expression(node, names)}
        names.known = outer
        return found


def _has_outputs(body: Iterable[ast.Statement]) -> bool:
    """Whether a body may give outputs under names, so that it needs no result."""
    for statement in body:
        match statement:
            case ast.Output():
                return True
            case ast.For() | ast.Stage() if _has_outputs(statement.body):
                return True
            case ast.IfStatement() if _has_outputs((*statement.yes, *statement.no)):
                return True
    return False
