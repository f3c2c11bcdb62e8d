"""The text of `__init__`: one statement for each member, more where a sequence depends on conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from keyword import iskeyword

from archdsl.backends.python.layout import INDENT, statement
from archdsl.backends.python.modules import Built, Instance, Listed, ModuleExpr, Option, Repeat, Weight
from archdsl.backends.python.naming import inner_names, unique
from archdsl.backends.python.parameters import ClassDef
from archdsl.backends.python.reroll import UNREAD, loop_letter, reroll
from archdsl.backends.python.text import argument, text
from archdsl.quoting import string_literal
from archdsl.symbolic import Binary, Const, Expr, Not

Member = tuple[str, ModuleExpr]

_FACTOR = 8
"""The precedence at which a factor of a product needs parentheses."""
_POSITIONAL = 2
"""Arguments that read well without their names: the width coming in and the width made."""


class Construction:
    """Prints the constructor calls of one class; `classes` are all classes of the file, by number."""

    def __init__(self, known: ClassDef, classes: Sequence[ClassDef], helpers: Mapping[str, str]) -> None:
        self.known = known
        self.classes = classes
        self.helpers = helpers
        self.variables = 0
        self.names = frozenset(inner_names(known))
        """Parameters and named numbers: variables of loops have other names."""

    def members(self, members: Sequence[Member], depth: int) -> Iterator[str]:
        """The statements that make members; neighbours under one condition share an `if`."""
        members = [(name, m) for name, m in members if not (isinstance(m, Option) and m.is_absent)]
        position = 0
        while position < len(members):
            name, module = members[position]
            if not isinstance(module, Option):
                yield from self._member(name, module, depth)
                position += 1
                continue
            end = position + 1
            while end < len(members) and _same_condition(members[end][1], module):
                end += 1
            options = [(name, m) for name, m in members[position:end] if isinstance(m, Option)]
            yield from self._options(options, depth)
            position = end

    def _member(self, name: str, module: ModuleExpr, depth: int) -> Iterator[str]:
        before, expression = self._expression(self._prepared(module), depth)
        yield from before
        if is_attribute(name):
            yield from statement(f"self.{name} = ", expression, "", depth)
        else:
            kind = "register_parameter" if isinstance(module, Weight) else "add_module"
            yield from statement("", f"self.{kind}({string_literal(name)}, {expression})", "", depth)
        if isinstance(module, Listed):
            owner = f"self.{name}" if is_attribute(name) else f"getattr(self, {string_literal(name)})"
            yield from self._bare_weights(owner, module, depth)

    def _options(self, options: Sequence[tuple[str, Option]], depth: int) -> Iterator[str]:
        """Members under one condition: both sides of the `if`, empty ones left out."""
        condition = options[0][1].condition
        if not options[0][1].is_open:
            yield from self.members([(name, m) for name, option in options for _, m in option.branches if m], depth)
            return
        sides: dict[bool, list[Member]] = {True: [], False: []}
        there = {True: False, False: False}
        for name, option in options:
            for value, module in option.branches:
                there[value] = there[value] or module is not None
                if module is not None or option.called:
                    sides[value].append((name, module or Built("nn.Identity", ())))
        first = there[True]  # say first what is there, then what is not
        yield from statement("if ", text(condition if first else negated(condition)), ":", depth)
        yield from self.members(sides[first], depth + 1)
        if sides[not first]:
            yield f"{INDENT * depth}else:"
            yield from self.members(sides[not first], depth + 1)

    def sequence(self, listed: Listed, depth: int) -> Iterator[str]:
        """The constructor of a class that is an nn.Sequential."""
        ready = self._prepared_list(listed)
        if any(isinstance(item, Option) for _, item in ready.items):
            before, name = self._layers(ready, depth)
            yield from before
            yield f"{INDENT * depth}super().__init__(*{name})"
            return
        before, items = self._expressions([item for _, item in ready.items], depth)
        yield from before
        yield from statement("", f"super().__init__({', '.join(items)})", "", depth)

    def _bare_weights(self, owner: str, listed: Listed, depth: int) -> Iterator[str]:
        """Weights of their own in a ModuleDict, which takes modules only."""
        if listed.sequential:
            return
        for name, item in listed.items:
            if isinstance(item, Weight):
                _, expression = self._expression(item, depth)
                yield from statement("", f"{owner}.register_parameter({string_literal(name)}, {expression})", "", depth)
            elif isinstance(item, Listed):
                yield from self._bare_weights(f"{owner}[{listed.key(name)}]", item, depth)

    # --- conditions --------------------------------------------------------------------------

    def _layers(self, listed: Listed, depth: int) -> tuple[list[str], str]:
        """Statements that fill a list in order, and its name."""
        lines: list[str] = []
        name = self._variable("layers")
        pending: list[str] = []

        def flush() -> None:
            items = f"[{', '.join(pending)}]"
            if not lines:
                lines.extend(statement(f"{name}: list[nn.Module] = ", items, "", depth))
            elif len(pending) == 1 and not pending[0].startswith("*"):
                lines.extend(statement("", f"{name}.append({pending[0]})", "", depth))
            elif pending:
                lines.extend(statement(f"{name} += ", items, "", depth))
            pending.clear()

        for _, item in listed.items:
            if isinstance(item, Option):
                flush()
                lines += self._sides(item, depth, lambda module: f"{name}.append({module})")
                continue
            before, expression = self._expression(item, depth)
            if before:
                flush()
                lines += before
            pending.append(expression)
        flush()
        return lines, name

    def _named_layers(self, listed: Listed, depth: int) -> tuple[list[str], str]:
        """Statements that fill an nn.Sequential member by member, and its name."""
        name = self._variable("sequence")
        lines = [f"{INDENT * depth}{name} = nn.Sequential()"]

        def adding(label: str, module: str) -> str:
            key = (
                (f"f{string_literal(label)}" if "{" in label else string_literal(label))
                if label
                else f"str(len({name}))"
            )
            return f"{name}.add_module({key}, {module})"

        for label, item in listed.items:
            if isinstance(item, Option):
                lines += self._sides(item, depth, partial(adding, item.name))
                continue
            inner = depth
            if isinstance(item, Repeat):
                lines.append(f"{INDENT * depth}for {item.loop} in {_range(item)}:")
                label, item, inner = _formatted(item), item.module, depth + 1
            before, expression = self._expression(item, inner)
            lines += [*before, *statement("", adding(label, expression), "", inner)]
        return lines, name

    def _sides(self, option: Option, depth: int, adding: Callable[[str], str]) -> Iterator[str]:
        """The branches of an option that build something, each under its condition."""
        branches = dict(option.branches)
        first = True
        for value in (True, False):
            module = branches[value]
            if module is None:
                continue
            condition = option.condition if value else negated(option.condition)
            if first:
                yield from statement("if ", text(condition), ":", depth)
            else:
                yield f"{INDENT * depth}else:"
            first = False
            before, expression = self._expression(self._prepared(module), depth + 1)
            yield from before
            yield from statement("", adding(expression), "", depth + 1)

    def _prepared(self, module: ModuleExpr) -> ModuleExpr:
        """The module as it is printed: without options that are none, repeats as comprehensions."""
        return self._prepared_list(module) if isinstance(module, Listed) else module

    def _prepared_list(self, listed: Listed) -> Listed:
        return reroll(_without_absent(listed), self.names)

    def _variable(self, stem: str) -> str:
        self.variables += 1
        return unique(stem if self.variables == 1 else f"{stem}{self.variables}", self.names)

    # --- expressions -------------------------------------------------------------------------

    def _expression(self, module: ModuleExpr, depth: int) -> tuple[list[str], str]:
        """A module as one expression, and the statements that must come before it."""
        match module:
            case Built():
                return [], self._built(module)
            case Weight():
                shape = ", ".join(map(text, module.shape))
                return [], f"nn.Parameter(torch.ones({shape}) * {text(module.init, _FACTOR)})"
            case Instance():
                return [], self._instance(module)
            case Listed():
                return self._listed(module, depth)
            case Repeat():
                before, element = self._expression(module.module, depth)
                assert not before, "what depends on conditions is not repeated"
                return [], self._repeat(module, element)
            case Option():
                raise AssertionError("an option is a statement")

    def _expressions(self, modules: Sequence[ModuleExpr], depth: int) -> tuple[list[str], list[str]]:
        found = [self._expression(module, depth) for module in modules]
        return [line for before, _ in found for line in before], [expression for _, expression in found]

    def _built(self, module: Built) -> str:
        defaults = dict(module.defaults)
        items = [argument(arg) for arg in module.args]
        for name, value in module.kwargs:
            if not (name in defaults and isinstance(value, Const) and value.value == defaults[name]):
                items.append(f"{name}={argument(value)}")
        if module.inplace:
            items.append("inplace=True")
        return f"{self.helpers.get(module.target, module.target)}({', '.join(items)})"

    def _instance(self, module: Instance) -> str:
        found = self.classes[module.definition]
        values = dict(module.kwargs)
        items: list[str] = []
        for position, parameter in enumerate(found.parameters):
            value = values[parameter.name]
            if not parameter.optional and position < _POSITIONAL:
                items.append(text(value))
            elif not parameter.optional or value != Const(parameter.default):
                items.append(f"{parameter.name}={text(value)}")
        return f"{found.name}({', '.join(items)})"

    @staticmethod
    def _repeat(repeat: Repeat, element: str) -> str:
        if repeat.name:
            element = f"(f{string_literal(_formatted(repeat))}, {element})"
        return f"*[{element} for {repeat.loop} in {_range(repeat)}]"

    def _listed(self, listed: Listed, depth: int) -> tuple[list[str], str]:
        if not listed.sequential:
            members = [(name, item) for name, item in listed.items if not isinstance(item, Weight)]
            before, items = self._expressions([item for _, item in members], depth)
            if listed.is_numbered:
                return before, f"nn.ModuleList([{', '.join(items)}])"
            pairs = [f"{string_literal(name)}: {item}" for (name, _), item in zip(members, items, strict=True)]
            return before, f"nn.ModuleDict({{{', '.join(pairs)}}})"
        named = any(_name(name, item) for name, item in listed.items)
        if any(isinstance(item, Option) for _, item in listed.items):
            before, name = self._named_layers(listed, depth) if named else self._layers(listed, depth)
            return before, name if named else f"nn.Sequential(*{name})"
        if named:
            return self._ordered(listed, depth)
        before, items = self._expressions([item for _, item in listed.items], depth)
        return before, f"nn.Sequential({', '.join(items)})"

    def _ordered(self, listed: Listed, depth: int) -> tuple[list[str], str]:
        """A sequence with names of its own."""
        lines: list[str] = []
        pairs: list[str] = []
        named: list[str] = []
        position = 0
        for name, item in listed.items:
            if isinstance(item, Repeat):
                if not item.name:  # numbered by position
                    loop = loop_letter(item.module, self.names) if item.loop in UNREAD else item.loop
                    item = Repeat(item.count, item.module, "{}", position - item.start, item.start, loop)
                pairs.append(self._expression(item, depth)[1])
                position += item.count
                continue
            before, expression = self._expression(item, depth)
            lines += before
            pairs.append(f"({string_literal(name or str(position))}, {expression})")
            named.append(f"{name}={expression}")
            position += 1
        if len(named) == len(pairs) and all(name.isidentifier() and not iskeyword(name) for name, _ in listed.items):
            return lines, f"nn.Sequential(OrderedDict({', '.join(named)}))"
        if len(pairs) == 1 and pairs[0].startswith("*"):
            return lines, f"nn.Sequential(OrderedDict({pairs[0][1:]}))"
        return lines, f"nn.Sequential(OrderedDict([{', '.join(pairs)}]))"


def _range(repeat: Repeat) -> str:
    bounds = f"{repeat.start}, {repeat.start + repeat.count}" if repeat.start else str(repeat.count)
    return f"range({bounds})"


def _formatted(repeat: Repeat) -> str:
    """The text of an f-string for the names of what is repeated; "" if they have none."""
    index = repeat.loop
    if repeat.offset:
        index += f" + {repeat.offset}" if repeat.offset > 0 else f" - {-repeat.offset}"
    return repeat.name.format("{" + index + "}")


_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def negated(condition: Expr) -> Expr:
    """The opposite of a condition, as a reader would write it: `not (a == b and c)` is `a != b or not c`."""
    if isinstance(condition, Not):
        return condition.operand
    if isinstance(condition, Binary):
        if condition.op in ("and", "or"):
            other = "or" if condition.op == "and" else "and"
            return Binary(other, negated(condition.left), negated(condition.right))
        if condition.op in _OPPOSITE:
            return Binary(_OPPOSITE[condition.op], condition.left, condition.right)
    return Not(condition)


def is_attribute(name: str) -> bool:
    """Whether a member can be written `self.name`; Python mangles what begins with two underscores."""
    return name.isidentifier() and not name.startswith("__")


def _without_absent(listed: Listed) -> Listed:
    """The list without members that no instance has; options all instances took stand for themselves."""
    items: list[tuple[str, ModuleExpr]] = []
    for name, item in listed.items:
        if not isinstance(item, Option):
            items.append((name, _plain(item)))
        elif item.is_absent:
            continue
        elif item.is_open:
            items.append(("", item))
        elif item.branches[0][1] is not None:
            items.append((item.name, _plain(item.branches[0][1])))
    return Listed(tuple(items), listed.sequential)


def _plain(module: ModuleExpr) -> ModuleExpr:
    return _without_absent(module) if isinstance(module, Listed) else module


def _same_condition(module: ModuleExpr, first: Option) -> bool:
    alike = isinstance(module, Option) and module.is_open == first.is_open
    return alike and isinstance(module, Option) and (not first.is_open or module.condition == first.condition)


def _name(name: str, item: ModuleExpr) -> str:
    return item.name if isinstance(item, Option | Repeat) else name
