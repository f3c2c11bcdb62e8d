"""The text of `__init__`: one statement for each member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.backends.python.classes import ClassDef
from archdsl.backends.python.layout import INDENT, Brackets, Doc, flat, lines
from archdsl.backends.python.modules import Built, Instance, Listed, ModuleExpr, Option, Repeat, Weight
from archdsl.backends.python.reroll import reroll
from archdsl.symbolic import Binary, Const, Expr, Not


_POSITIONAL = 2
"""Arguments that read well without their names: the width coming in and the width made."""


class Construction:
    """Prints constructor calls; `classes` are all classes of the file, by number."""

    def __init__(self, classes: Sequence[ClassDef]) -> None:
        self.classes = classes

    def member(self, name: str, module: ModuleExpr, depth: int) -> Iterator[str]:
        """The statements that make `self.name`."""
        if isinstance(module, Option):
            yield from self._option(name, module, depth)
            return
        if isinstance(module, Listed):
            module = reroll(_without_absent(module))
            if any(isinstance(item, Option) and len(item.branches) > 1 for _, item in module.items):
                yield from self._optional_list(name, module, depth)
                return
        yield from self._assign(name, self.doc(module), depth)

    def _assign(self, name: str, doc: Doc, depth: int) -> Iterator[str]:
        if name.isidentifier():
            yield from lines(doc, f"self.{name} = ", depth)
        else:
            yield from lines(Brackets("self.add_module", (f'"{name}"', doc)), "", depth)

    def _option(self, name: str, option: Option, depth: int) -> Iterator[str]:
        branches = dict(option.branches)
        if len(branches) == 1:
            (module,) = branches.values()
            if module is not None:
                yield from self.member(name, module, depth)
            return
        condition, first, second = option.condition, branches[True], branches[False]
        if first is None:  # say first what is there, then what is not
            condition, first, second = negated(condition), second, None
        yield f"{INDENT * depth}if {condition}:"
        assert first is not None
        yield from self.member(name, first, depth + 1)
        yield f"{INDENT * depth}else:"
        yield from self.member(name, second or Built("nn.Identity", ()), depth + 1)

    def sequence(self, listed: Listed, depth: int) -> Iterator[str]:
        """The constructor of a class that is an nn.Sequential."""
        listed = reroll(_without_absent(listed))
        if any(_is_open(item) for _, item in listed.items):
            yield from self._layers(listed, depth)
            yield f"{INDENT * depth}super().__init__(*layers)"
        else:
            items = tuple(self.doc(item) for _, item in listed.items)
            yield from lines(Brackets("super().__init__", items), "", depth)

    def _optional_list(self, name: str, listed: Listed, depth: int) -> Iterator[str]:
        """A sequence with members that are there only under a condition."""
        if all(not item_name for item_name, item in listed.items if not isinstance(item, Option)):
            yield from self._layers(listed, depth)
            yield f"{INDENT * depth}self.{name} = nn.Sequential(*layers)"
            return
        yield f"{INDENT * depth}self.{name} = nn.Sequential()"
        position = 0
        for item_name, item in listed.items:
            add = f"self.{name}.add_module"
            if _is_open(item):
                assert isinstance(item, Option)
                for text, module in _sides(item):
                    yield f"{INDENT * depth}if {text}:"
                    yield from lines(Brackets(add, (f'"{item.name}"', self.doc(module))), "", depth + 1)
            else:
                yield from lines(Brackets(add, (f'"{item_name or position}"', self.doc(item))), "", depth)
            position += 1

    def _layers(self, listed: Listed, depth: int) -> Iterator[str]:
        """A list `layers`, filled in order."""
        yield f"{INDENT * depth}layers: list[nn.Module] = []"
        pending: list[Doc] = []
        for _, item in listed.items:
            if not _is_open(item):
                pending.append(self.doc(item))
                continue
            assert isinstance(item, Option)
            yield from self._flush(pending, depth)
            for text, module in _sides(item):
                yield f"{INDENT * depth}if {text}:"
                yield from lines(Brackets("layers.append", (self.doc(module),)), "", depth + 1)
        yield from self._flush(pending, depth)

    @staticmethod
    def _flush(pending: list[Doc], depth: int) -> Iterator[str]:
        if len(pending) == 1 and not flat(pending[0]).startswith("*"):
            yield from lines(Brackets("layers.append", (pending[0],)), "", depth)
        elif pending:
            yield from lines(Brackets("", tuple(pending), "[", "]"), "layers += ", depth)
        pending.clear()

    # --- expressions -------------------------------------------------------------------------

    def doc(self, module: ModuleExpr) -> Doc:
        """A module as one expression."""
        match module:
            case Built():
                return _call(module.target, module.args, module.kwargs, dict(module.defaults))
            case Weight():
                shape = ", ".join(map(str, module.shape))
                shape = f"({shape},)" if len(module.shape) == 1 else f"({shape})"
                return Brackets("nn.Parameter", (f"torch.ones({shape}) * {module.init}",))
            case Instance():
                return self._instance(module)
            case Listed():
                return self._listed(reroll(_without_absent(module)))
            case Option():
                (branch,) = dict(module.branches).values()
                return self.doc(branch or Built("nn.Identity", ()))
            case Repeat():
                return self._repeat(module)

    def _instance(self, module: Instance) -> Doc:
        found = self.classes[module.definition]
        values = dict(module.kwargs)
        items: list[Doc] = []
        for position, parameter in enumerate(found.parameters):
            value = values[parameter.name]
            if not parameter.optional and position < _POSITIONAL:
                items.append(str(value))
            elif not parameter.optional or value != Const(parameter.default):
                items.append(f"{parameter.name}={value}")
        return Brackets(found.name, tuple(items))

    def _repeat(self, repeat: Repeat) -> Doc:
        loop = "i" if "i" in _loop_names(flat(self.doc(repeat.module))) or repeat.name else "_"
        if repeat.name:
            pattern, base = repeat.name.split("|")
            index = "i" if base == "0" else f"i + {base}"
            element: Doc = Brackets("", (f'f"{pattern.replace("{i}", "{" + index + "}")}"', self.doc(repeat.module)))
        else:
            element = self.doc(repeat.module)
        parts = (element, f"for {loop} in range({repeat.count})")
        return Brackets("*" if not repeat.name else "*", parts, "[", "]", comma=False)

    def _listed(self, listed: Listed) -> Doc:
        if not listed.sequential:
            entries = [_prefixed(f'"{name}": ', self.doc(item)) for name, item in listed.items]
            return Brackets("nn.ModuleDict", (Brackets("", tuple(entries), "{", "}"),))
        if all(name == "" for name, _ in listed.items):
            items: list[Doc] = []
            for _, item in listed.items:
                items.append(self._inline_option(item) if _is_open(item) else self.doc(item))
            if len(items) == 1 and isinstance(items[0], Brackets) and not items[0].comma:
                return Brackets("nn.Sequential", (items[0],))
            return Brackets("nn.Sequential", tuple(items))
        return Brackets("nn.Sequential", (self._ordered(listed),))

    def _ordered(self, listed: Listed) -> Doc:
        pairs: list[Doc] = []
        position = 0
        for name, item in listed.items:
            if isinstance(item, Repeat):
                pairs.append(self._repeat(item if item.name else Repeat(item.count, item.module, f"{{i}}|{position}")))
                position += item.count
                continue
            pairs.append(Brackets("", (f'"{name or position}"', self.doc(item))))
            position += 1
        if len(pairs) == 1 and isinstance(pairs[0], Brackets) and not pairs[0].comma:
            only = pairs[0]
            return Brackets("OrderedDict", (Brackets("", only.items, "[", "]", comma=False),))
        return Brackets("OrderedDict", (Brackets("", tuple(pairs), "[", "]"),))

    def _inline_option(self, item: ModuleExpr) -> Doc:
        assert isinstance(item, Option)
        branches = dict(item.branches)
        yes, no = (f"[{flat(self.doc(b))}]" if b else "[]" for b in (branches[True], branches[False]))
        return f"*({yes} if {item.condition} else {no})"


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


def _sides(option: Option) -> Iterator[tuple[str, ModuleExpr]]:
    """The branches of an option that build something, each with its condition as text."""
    branches = dict(option.branches)
    for value in (True, False):
        module = branches[value]
        if module is not None:
            yield str(option.condition if value else negated(option.condition)), module


def _is_open(module: ModuleExpr) -> bool:
    return isinstance(module, Option) and len(module.branches) > 1


def _without_absent(listed: Listed) -> Listed:
    """The list without members that no instance has; options all instances took stand for themselves."""
    items: list[tuple[str, ModuleExpr]] = []
    for name, module in listed.items:
        if isinstance(module, Option) and len(module.branches) == 1:
            branch = module.branches[0][1]
            if branch is not None:
                items.append((module.name if module.name and not module.name.isdigit() else "", branch))
        else:
            items.append((name, module))
    return Listed(tuple(items), listed.sequential)


def _call(
    target: str, args: Sequence[Expr], kwargs: Sequence[tuple[str, Expr]], defaults: dict[str, object]
) -> Brackets:
    items = [str(arg) for arg in args]
    items += [f"{n}={v}" for n, v in kwargs if not (n in defaults and isinstance(v, Const) and v.value == defaults[n])]
    return Brackets(target, tuple(items))


def _prefixed(prefix: str, doc: Doc) -> Doc:
    if isinstance(doc, str):
        return prefix + doc
    return Brackets(prefix + doc.prefix, doc.items, doc.opening, doc.closing, doc.comma)


def _loop_names(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())
