"""The `recipe` items of a file: takes a `Program`, gives `Recipe`s, each whole, with what it amends taken in.

Values are read in the names of the file that they stand in. What contradicts itself, or does nothing, is found by
`graph.recipe_rules`. Reports E101-E106, E108, E113, E301, E302, E315, E317 and E432-E441.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label, declared
from archdsl.diagnostics.suggest import closest
from archdsl.graph.recipe import MODEL_RATES, SETTINGS, Progressive, Recipe
from archdsl.graph.recipe_parts import PARTS, RecipePart
from archdsl.graph.recipe_rules import FOREIGN, RecipeProblem, problems
from archdsl.semantics.arguments import ArgumentOwner, validated
from archdsl.semantics.context import Context, Run
from archdsl.semantics.elaborate import call_arguments, constant
from archdsl.semantics.parameters import accepts, parameters_by_name
from archdsl.semantics.program import Definition, FileScope, Program, RecipeItem
from archdsl.semantics.progressive import read_progressive
from archdsl.semantics.values import UNKNOWN, Arg, type_name
from archdsl.semantics.variants import Configured, targets_of, unknown_target
from archdsl.source import Span
from archdsl.symbolic import Const
from archdsl.syntax import ast

MOST_MEMBERS = 1_000
"""Members of a list that a recipe sets of the model."""

MAX_AMENDED = 100
"""How many recipes one may rest on, each an amendment of the next."""

PUBLISHED = ("top1", "top1_from")

REQUIRED = ("epochs", "batch", "optimizer", "lr", "lr_scaling", "schedule", "size")


@dataclass
class MergedRecipe:
    """What a recipe and those that it amends say: each setting once, by the one that said it last."""

    members: dict[str, tuple[ast.Entry | ast.Progressive, FileScope]] = field(default_factory=dict)
    docstring: str = ""
    targets: tuple[ast.Name, ...] = ()
    file: FileScope | None = None
    """That of the targets."""
    depth: int = 0


class Recipes:
    """Reads the recipes of a program's root file, its own and those it uses."""

    def __init__(self, program: Program, variants: Mapping[str, Configured], bag: Bag) -> None:
        self.program = program
        self.variants = variants
        self.bag = bag
        self._merged: dict[tuple[str, str], MergedRecipe | None] = {}
        self._open: list[tuple[str, str]] = []
        self._values: dict[int, Any] = {}

    def read(self) -> dict[str, Recipe]:
        """Those that are right, in the order of the file; what is wrong with others is in the bag."""
        found = {}
        for name, item in self.program.root.recipes.items():
            if (recipe := self._recipe(name, item)) is not None:
                found[name] = recipe
        return found

    # --- amendments --------------------------------------------------------------------------

    def _merge(self, item: RecipeItem) -> MergedRecipe | None:
        """A recipe's settings with those it amends; None after an error."""
        key = item.file.source.identity, item.syntax.name
        if key not in self._merged:
            if key in self._open:
                names = [name for _, name in (*self._open, key)]
                self.bag.report("E113", item.syntax.name_span, chain=" -> ".join(names))
                return None
            self._open.append(key)
            self._merged[key] = self._amended(item)
            self._open.pop()
        return self._merged[key]

    def _amended(self, item: RecipeItem) -> MergedRecipe | None:
        syntax, base = item.syntax, MergedRecipe()
        if syntax.base is not None:
            below = item.file.recipes.get(syntax.base.name)
            if below is None:
                self._unknown(syntax.base.name, syntax.base.span, item.file)
                return None
            found = self._merge(below)
            if found is None:
                return None
            if found.depth + 1 > MAX_AMENDED or len(self._open) > MAX_AMENDED:
                facts = {"what": "recipes that amend each other in a row", "limit": MAX_AMENDED}
                self.bag.report("E315", syntax.base.span, facts=facts)
                return None
            base = found
        targets = syntax.targets or (base.targets if base.file is item.file else ())
        docstring = syntax.docstring.text if syntax.docstring else base.docstring
        # What was published is of the recipe as it was.
        members = {key: member for key, member in base.members.items() if not (syntax.braces and key in PUBLISHED)}
        ok = self._take(item, members)
        return MergedRecipe(members, docstring, targets, item.file, base.depth + 1) if ok else None

    def _take(self, item: RecipeItem, members: dict[str, tuple[ast.Entry | ast.Progressive, FileScope]]) -> bool:
        """Put the members of a recipe over those of what it amends; False after E106 or E441."""
        places: dict[str, Span] = {}
        ok = True
        for member in item.syntax.members:
            key, span = (
                ("progressive", member.span) if isinstance(member, ast.Progressive) else (member.key, member.key_span)
            )
            if key in places:
                self.bag.report("E106", span, name=key, secondary=[Label(places[key], "first given here")])
                ok = False
                continue
            places[key] = span
            if isinstance(member, ast.Entry) and member.takes_back:
                if members.pop(key, None) is None:
                    self.bag.report("E441", member.value.span, key=key)
                    ok = False
            else:
                members[key] = member, item.file
        return ok

    def _unknown(self, name: str, span: Span, file: FileScope) -> None:
        if name not in file.missing:
            known = file.recipes
            near = closest(name, known)
            places = declared(known[near].syntax.name_span if near else None)
            self.bag.report("E432", span, name=name, suggestion=near, known=", ".join(known), secondary=places)

    # --- values ------------------------------------------------------------------------------

    def _recipe(self, name: str, item: RecipeItem) -> Recipe | None:
        merged = self._merge(item)
        if merged is None:
            return None
        models = self._models(merged)
        if models is None:
            return None
        args: dict[str, Arg] = {}
        parameters: dict[str, Arg] = {}
        progressive: ast.Progressive | None = None
        ok = True
        for key, (member, file) in merged.members.items():
            if isinstance(member, ast.Progressive):
                progressive = member
                continue
            place = args if key in SETTINGS else parameters
            if key not in SETTINGS and not self._is_parameter(key, member.key_span, models):
                ok = False
                continue
            value = self._value(key, member, file)
            if value is UNKNOWN:
                ok = False
            else:
                place[key] = Arg(value, Const(value), member.value.span)
        accepted = [self._accepted(key, arg, models) for key, arg in parameters.items()]
        ok = ok and all(accepted)
        stages: Progressive | None = None
        if progressive is not None:
            stages = self._stages(progressive, merged.members["progressive"][1], models)
            if stages is None:
                return None
        return self._made(name, item, merged, args, parameters, stages) if ok else None

    def _stages(
        self, item: ast.Progressive, file: FileScope, models: Sequence[tuple[ast.Name, Definition]]
    ) -> Progressive | None:
        """The stages; None after an error."""
        own = [column for column in item.columns if column.name not in ("epochs", *SETTINGS, "magnitude")]
        known = [self._is_parameter(column.name, column.span, models) for column in own]
        if not all(known):
            return None
        return read_progressive(item, {column.name for column in own}, file, self.bag)

    def _made(
        self,
        name: str,
        item: RecipeItem,
        merged: MergedRecipe,
        args: Mapping[str, Arg],
        parameters: Mapping[str, Arg],
        stages: Progressive | None,
    ) -> Recipe | None:
        """The recipe, checked; None after an error."""
        span = item.syntax.name_span
        missing = [
            key for key in REQUIRED if key not in args and not (key == "size" and stages and "size" in stages.columns)
        ]
        if missing:
            *others, last = missing
            self.bag.report("E435", span, name=name, missing=f"{', '.join(others)} and {last}" if others else last)
            return None
        given = dict(args)
        if stages is not None and "size" in stages.columns and "size" not in given:
            given["size"] = Arg(int(stages.values(stages.count - 1)["size"]), Const(0), span)
        extra = {
            "name": name,
            "amends": item.syntax.base.name if item.syntax.base else None,
            "source": merged.docstring,
            "targets": tuple(target.name for target in merged.targets),
            "parameters": {key: arg.value for key, arg in parameters.items()},
            "progressive": stages,
        }
        made = validated(ArgumentOwner("recipe", SETTINGS), Recipe, given, span, self.bag, extra)
        if not isinstance(made, Recipe) or not self._consistent(made, merged, {*args, *parameters}):
            return None
        if made.after is not None and made.after not in item.file.recipes:
            self._unknown(made.after, args["after"].span, item.file)
            return None
        return made

    def _consistent(self, recipe: Recipe, merged: MergedRecipe, given: Iterable[str]) -> bool:
        """Whether nothing contradicts itself and everything has an effect; reports what does not."""
        found = problems(recipe, frozenset(given))
        for problem in found:
            self._report(problem, merged)
        return not found

    def _report(self, problem: RecipeProblem, merged: MergedRecipe) -> None:
        member = merged.members[problem.key][0]
        span = member.value.span if isinstance(member, ast.Entry) else member.span
        if problem.code == "E437" and isinstance(member, ast.Entry):
            span = member.key_span
        if isinstance(member, ast.Progressive) and problem.row is not None:
            span = member.rows[min(problem.row, len(member.rows) - 1)].span
        other = merged.members.get(problem.other or "")
        places = [] if other is None else [Label(other[0].span, "disagrees with this")]
        self.bag.report(problem.code, span, facts=problem.facts, secondary=places)

    def _value(self, key: str, entry: ast.Entry, file: FileScope) -> Any:
        """The value of a setting; UNKNOWN after an error. Asked for by every recipe that takes it over, read once."""
        if id(entry) not in self._values:
            if key == "top1":
                self._values[id(entry)] = self._percentage(entry)
            elif key in PARTS:
                self._values[id(entry)] = self._part(key, entry, file)
            else:
                self._values[id(entry)] = constant(entry.value, file, self.bag)
        return self._values[id(entry)]

    def _percentage(self, entry: ast.Entry) -> Any:
        value = entry.value
        if not isinstance(value, ast.Number) or value.text[-1].isalpha():
            self.bag.report("E301", value.span, what="top1", expected="a number", got="something else")
            return UNKNOWN
        number = Decimal(value.text.replace("_", ""))
        if not 0 <= number <= 100:
            self.bag.report("E302", value.span, what="top1", expected="a percentage, 0 to 100", got=value.text)
            return UNKNOWN
        return number

    def _part(self, key: str, entry: ast.Entry, file: FileScope) -> Any:
        """What is written as a call: `optimizer = sgd(momentum = 0.9)`; UNKNOWN after an error."""
        value, choices = entry.value, PARTS[key]
        callee = value.callee if isinstance(value, ast.CallExpr) else value
        name = callee.name if isinstance(callee, ast.Name) else ""
        if name not in choices:
            got = f"`{name}`" if name else "this"
            near = closest(name, choices) if name else None
            self.bag.report("E434", callee.span, key=key, got=got, suggestion=near, known=", ".join(choices))
            return UNKNOWN
        model = choices[name]
        owner = ArgumentOwner(name, tuple(model.model_fields))
        arguments = value.arguments if isinstance(value, ast.CallExpr) else ()
        args = call_arguments(arguments, owner.parameter_names, name, value.span, file, self.bag)
        made = None if args is None else validated(owner, model, args, value.span, self.bag)
        return made if isinstance(made, RecipePart) else UNKNOWN

    # --- models ------------------------------------------------------------------------------

    def _models(self, merged: MergedRecipe) -> list[tuple[ast.Name, Definition]] | None:
        """The models that a recipe is for, each with the target that says so; None after E108."""
        file = merged.file
        if file is None or not merged.targets:
            return []
        if file is not self.program.root:
            return []  # what it was for there is no part of this file
        known = targets_of(self.program, self.variants)
        found, ok = [], True
        for target in merged.targets:
            if target.name not in known:
                unknown_target("E108", target, known, self.bag)
                ok = False
                continue
            configured = self.variants.get(target.name)
            found.append((target, configured.model if configured else file.names[target.name]))
        return found if ok else None

    def _is_parameter(self, key: str, span: Span, models: Sequence[tuple[ast.Name, Definition]]) -> bool:
        """Whether a key is a parameter of every model that a recipe is for; reports E433 or E440."""
        names = [(target.name, parameters_by_name(model)) for target, model in models]
        having = [name for name, parameters in names if key in parameters]
        if len(having) == len(names) and (names or key in MODEL_RATES):
            return True
        if having or (names and key in MODEL_RATES):
            name, parameters = next(item for item in names if key not in item[1])
            near, known = closest(key, parameters), ", ".join(parameters)
            self.bag.report("E440", span, key=key, model=name, suggestion=near, known=known)
            return False
        own = [name for name, _ in names] and list(names[0][1])
        near = (
            FOREIGN.get(key)
            or closest(key, [*SETTINGS, *(own or MODEL_RATES)])
            or FOREIGN.get(closest(key, FOREIGN) or "")
        )
        self.bag.report("E433", span, key=key, suggestion=near, known=", ".join(SETTINGS))
        return False

    def _accepted(self, key: str, arg: Arg, models: Sequence[tuple[ast.Name, Definition]]) -> bool:
        """Whether a value is what the models declare, and plain; of a recipe for any, whether it is a rate."""
        if not _is_plain(arg.value):
            expected = "a number, a text or a list of them"
            self.bag.report("E301", arg.span, what=key, expected=expected, got=type_name(arg.value))
            return False
        if not models:
            fits = isinstance(arg.value, int | float) and not isinstance(arg.value, bool) and 0 <= arg.value < 1
            if not fits:
                self.bag.report("E302", arg.span, what=key, expected="a rate, 0 or more and less than 1", got=arg.value)
            return fits
        run = Run(self.bag)
        ok = True
        for model in {id(model): model for _, model in models}.values():
            parameter = parameters_by_name(model)[key]
            ok = accepts(parameter, arg, model, Context(run, model.file)) and ok
        run.hand_on_costs()
        return ok


def recipes_of(program: Program, variants: Mapping[str, Configured], bag: Bag) -> dict[str, Recipe]:
    """The recipes that a file has, its own and those it uses, by name; wrong ones are reported and left out."""
    return Recipes(program, variants, bag).read() if program.root.recipes else {}


def recipes_for(lineage: Sequence[str], recipes: Mapping[str, Recipe]) -> dict[str, Recipe]:
    """Those for a network of this lineage, or for any; what is said of the nearest comes first."""
    near = {target: number for number, target in reversed(list(enumerate(lineage)))}
    found = [
        (min((near[target] for target in recipe.targets if target in near), default=len(lineage)), name, recipe)
        for name, recipe in recipes.items()
        if not recipe.targets or any(target in near for target in recipe.targets)
    ]
    return {name: recipe for _, name, recipe in sorted(found, key=lambda item: item[0])}


def _is_plain(value: Any) -> bool:
    """Whether a value can be written into a file and read again: no layer, no record, no endless list."""
    if isinstance(value, tuple):
        return len(value) <= MOST_MEMBERS and all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str)
