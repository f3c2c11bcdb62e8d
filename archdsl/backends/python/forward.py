"""The text of `forward`: steps as statements, short chains nested, few variable names.

Takes the steps of a `Body`; gives lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.backends.python.construction import is_attribute, negated
from archdsl.backends.python.layout import INDENT, refusal, signature, statement
from archdsl.backends.python.modules import DECISION, Body, Listed, ModuleExpr, Option, Step
from archdsl.backends.python.text import argument
from archdsl.graph.ir import Ref
from archdsl.graph.lifetime import Expression, nests
from archdsl.quoting import string_literal
from archdsl.symbolic import Const, Expr, Local, Symbol

_POOL = ("out", "y", "z", "u", "v", "w", "p", "q", "r", "s")
_FIELD = re.compile(r"\{(\w+)\}")
_SLICE = re.compile(r"(\{\w+\})?(::?)(\{\w+\})?(?=[,\]])")


@dataclass(slots=True)
class _Pending(Expression):
    """An expression not yet assigned: the tensor that it gives, and the variables it read."""

    ref: Ref
    reads: list[Ref]


class Forward:
    """Prints one class's `forward`; `kept` are the attributes that hold conditions and numbers.

    `result` is the class of what it returns, or `dict`, with the names of its fields; or `tuple`, even of one tensor;
    "" for a tensor, or a tuple of several.
    """

    def __init__(self, body: Body, kept: Mapping[Expr, str], result: str = "", fields: Sequence[str] = ()) -> None:
        self.body = body
        self.result = result
        self.fields = dict(zip(body.outputs, fields, strict=False))
        self.keys = fields
        self.kept = kept
        self.absent = {name for name, m in body.members if isinstance(m, Option) and m.is_absent}
        self.steps = self._present(body.steps)
        self.outputs = list(body.outputs)
        self.uses = Counter(ref for step in self.steps for ref in step.inputs)
        self.uses.update(self.outputs)
        self.names: dict[Ref, str] = {}
        self.free: list[str] = []
        self.made = 0

    def _present(self, steps: Sequence[Step]) -> list[Step]:
        """The steps without members that are absent in every instance: their output is the tensor that came in."""
        return [step for step in steps if not step.path or step.path[0] not in self.absent]

    def method(self, name: str = "forward") -> Iterator[str]:
        """The whole method."""
        yield from self.signature(name)
        yield from self.statements(2)

    def assign(self, name: str, depth: int) -> Iterator[str]:
        """The lines that give the only output that name, which is the only input's; none where they are one tensor."""
        self.names = {self.body.inputs[0]: name}
        yield from self._run(self.steps, self.outputs, depth, [name])

    def expression(self, name: str = "x") -> str | None:
        """What the only input, of that name, becomes, if it is one expression on one line."""
        lines = list(self.statements(0, name))
        return lines[0].removeprefix("return ") if len(lines) == 1 else None

    def signature(self, method: str = "forward") -> Iterator[str]:
        """`def forward(self, x: Tensor) -> Tensor:`"""
        names = self.body.scope.input_names
        if len(self.body.inputs) == 1:
            names = ("x",)
        elif len(names) != len(self.body.inputs):
            names = tuple(f"x{i + 1}" for i in range(len(self.body.inputs)))
        self.names = dict(zip(self.body.inputs, names, strict=True))
        count = len(self.body.outputs)
        plain = "Tensor" if count == 1 and not self.result else f"tuple[{', '.join(['Tensor'] * count)}]"
        known = {"dict": "dict[str, Tensor]", "list": "list[Tensor]", "tuple": plain, "": plain}
        result = known.get(self.result, self.result)
        yield from signature(f"def {method}", ["self", *(f"{name}: Tensor" for name in names)], f" -> {result}:", 1)

    def statements(self, depth: int, name: str = "") -> Iterator[str]:
        """The lines of the body, the return included; call `signature` first, or give the only input's name."""
        if name:
            self.names = {self.body.inputs[0]: name}
        yield from self._run(self.steps, self.outputs, depth, None)

    def _run(
        self, steps: Sequence[Step], outputs: Sequence[Ref], depth: int, targets: Sequence[str] | None
    ) -> Iterator[str]:
        """The lines for some steps; their outputs are returned, or assigned to `targets`."""
        pending: _Pending | None = None
        steps = self._present(steps)
        for index, step in enumerate(steps):
            inputs = list(step.inputs)
            if pending is not None and not self._nests(pending, step, inputs):
                yield from self._assign(pending, depth)
                pending = None
            if step.region is not None:
                last = index == len(steps) - 1 and targets is None and list(step.outputs) == list(outputs)
                yield from self._branches(step, depth, last)
                if last:
                    return
                continue
            text, infix, reads = self._expression(step, inputs, pending)
            if step.role == DECISION:
                self._release(reads)
                yield from statement("if ", text, ":", depth)
                message = step.values[0][1]
                assert isinstance(message, Const)
                yield from refusal(str(message.value), depth + 1)
                continue
            if len(step.outputs) == 1:
                pending = _Pending(step.role, text, infix, step.outputs[0], reads)
                continue
            pending = None
            self._release(reads)
            names = [self._fresh(ref) for ref in step.outputs]
            yield from statement(f"{', '.join(names)} = ", text, "", depth)
        yield from self._finish(pending, outputs, depth, targets)

    def _finish(
        self, pending: _Pending | None, outputs: Sequence[Ref], depth: int, targets: Sequence[str] | None
    ) -> Iterator[str]:
        goal = "return " if targets is None else f"{', '.join(targets)} = "
        named = targets is None and self.result
        if pending is not None and list(outputs) == [pending.ref] and not named:
            yield from statement(goal, pending.text, "", depth)
            return
        if pending is not None:
            yield from self._assign(pending, depth)
        values = [self.names[ref] for ref in outputs]
        if named:
            yield from statement(goal, self._named(values), "", depth)
        elif targets is None or values != list(targets):
            yield from statement(goal, ", ".join(values), "", depth)

    def _named(self, values: Sequence[str]) -> str:
        """The outputs with their names, in a tuple or in a list."""
        if self.result == "tuple":
            return ", ".join(values) if len(values) > 1 else f"({values[0]},)"
        if self.result == "list":
            return f"[{', '.join(values)}]"
        if self.result != "dict":
            return f"{self.result}({', '.join(values)})"
        pairs = [f"{string_literal(key)}: {value}" for key, value in zip(self.keys, values, strict=True)]
        return f"{{{', '.join(pairs)}}}"

    def _branches(self, step: Step, depth: int, last: bool) -> Iterator[str]:
        """An `if` in forward: both sides give the same variables, or return."""
        region = step.region
        assert region is not None
        names, uses = dict(self.names), Counter(self.uses)
        targets: list[str] | None = None
        if not last:
            self._release(step.inputs)
            targets = [self._fresh(ref) for ref in step.outputs]
        after = (dict(self.names), list(self.free), Counter(self.uses))
        pad = INDENT * depth
        for position, (value, branch) in enumerate(region.branches):
            self.names, self.free = dict(names), []
            self.uses = Counter(uses)
            for ref in step.inputs:
                self.uses[ref] -= 1
            self.uses.update(ref for inner in branch.steps for ref in inner.inputs)
            self.uses.update(branch.outputs)
            lines = list(self._run(branch.steps, branch.outputs, depth + 1, targets))
            if position == 0:
                condition = self._condition(region.condition if value else negated(region.condition))
                yield from statement("if ", condition.python(0), ":", depth)
                yield from lines or [f"{INDENT * (depth + 1)}pass"]
            elif last:
                yield from (line[len(INDENT) :] for line in lines)
            elif lines:
                yield f"{pad}else:"
                yield from lines
        self.names, self.free, self.uses = after

    def _nests(self, pending: _Pending, step: Step, inputs: Sequence[Ref]) -> bool:
        """Whether a reader would rather see the pending expression inside the next call."""
        if step.region is not None or step.role == DECISION:
            return False
        if inputs.count(pending.ref) != 1 or self.uses[pending.ref] != 1:
            return False
        call = self._member(step) or step.template
        return nests(pending, step.role, call, len(inputs), bool(step.path and step.template))

    def _expression(self, step: Step, inputs: Sequence[Ref], pending: _Pending | None) -> tuple[str, bool, list[Ref]]:
        texts, reads = [], []
        infix_template = step.template.startswith("{")
        for ref in inputs:
            if pending is not None and ref == pending.ref:
                texts.append(f"({pending.text})" if pending.infix and infix_template else pending.text)
                reads.extend(pending.reads)
            else:
                texts.append(self.names[ref])
                reads.append(ref)
        member = self._member(step)
        if not step.template:
            return f"{member}({', '.join(texts)})", False, reads
        fields = {name: self._value(value) for name, value in step.values}
        fields |= {"x": texts[0] if texts else "", "xs": ", ".join(texts), "weight": member}
        fields |= {str(i): text for i, text in enumerate(texts)}
        template = f"{step.template[:-1]}, {step.inplace})" if step.inplace else step.template
        template = _SLICE.sub(lambda match: _slice(match, fields), template)
        return _FIELD.sub(lambda match: fields[match.group(1)], template), infix_template, reads

    def _member(self, step: Step) -> str:
        """The text of the member that a step calls, if it calls one."""
        return _member(step.path, bool(step.template), dict(self.body.members)) if step.path else ""

    def _value(self, value: Expr) -> str:
        return argument(value) if isinstance(value, Const) else f"self.{self.kept[value]}"

    def _condition(self, expr: Expr) -> Expr:
        """A condition over what the module keeps."""
        if isinstance(expr, Local | Symbol):
            return Symbol(f"self.{self.kept[expr]}")
        parts = expr.parts()
        return expr.rebuild([self._condition(part) for part in parts]) if parts else expr

    def _assign(self, pending: _Pending, depth: int) -> Iterator[str]:
        self._release(pending.reads)
        name = self._fresh(pending.ref)
        yield from statement(f"{name} = ", pending.text, "", depth)

    def _release(self, reads: Sequence[Ref]) -> None:
        """Count reads; a variable that nothing reads any more may be used again, the first operand's first."""
        for ref in reads:
            self.uses[ref] -= 1
        for ref in reversed(reads):
            if not self.uses[ref] and ref in self.names:
                self.free.append(self.names.pop(ref))

    def _fresh(self, ref: Ref) -> str:
        field = self.fields.get(ref)
        usable = field is not None and field.isidentifier() and field not in (*self.names.values(), self.result)
        if field is not None and usable:
            name = field
            if name in self.free:
                self.free.remove(name)
        elif self.free:
            name = self.free.pop()
        else:
            taken = set(self.names.values())
            name = next((n for n in _POOL if n not in taken), "")
            while not name or name in taken:
                self.made += 1
                name = f"t{self.made}"
        self.names[ref] = name
        return name


def _slice(match: re.Match[str], fields: Mapping[str, str]) -> str:
    """A range in brackets: where an end is more than a number or a name, there are blanks around the colon."""
    start, colon, stop = match.groups(default="")
    if not any("." in fields[end[1:-1]] for end in (start, stop) if end):
        return match[0]
    return f"{start}{' ' * bool(start)}{colon}{' ' * bool(stop)}{stop}"


def _member(path: Sequence[str], weight: bool, members: Mapping[str, ModuleExpr]) -> str:
    """The text of a member: `self.conv1`, `self.blocks[0]`; `weight`: it is a weight of its own, not a module."""
    first, *rest = path
    text = f"self.{first}" if is_attribute(first) else f"getattr(self, {string_literal(first)})"
    module = members.get(first)
    for part in rest:
        if weight and part is rest[-1]:
            return f"{text}.{part}" if is_attribute(part) else f"getattr({text}, {string_literal(part)})"
        known = module if isinstance(module, Listed) else Listed(())
        text = f"{text}[{known.key(part)}]"
        module = dict(known.items).get(part)
    return text
