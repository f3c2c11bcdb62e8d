"""How long each tensor is alive while generated source runs: takes a `Graph`, gives the last node of each `Ref`.

A tensor lives until its last reader is done; longer, where Python keeps it: what a module is called with is held by the
call until it returns, and a variable of `forward` until its name is given to another tensor. The names are those that
`backends/python/forward.py` gives: what it nests in one expression has none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import ChoiceScope, Scope
from archdsl.ops.spec import Call, Module, Parameter
from archdsl.source import Span

_UNNAMED: Mapping[Ref, str] = MappingProxyType({})
_ABSENT = "absent"
"""The role of a member that is not there in this instance but in others: a call that hands on what it gets."""
_ENDS_LINE = frozenset({"act", "merge", "pool", "module", "gate"})
"""Roles of calls that stand in a statement of their own, unless what follows says otherwise."""
_LONGEST, _SHORT = 66, 44
"""Characters of an expression and of the call around it, and of one that is an operand."""
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(slots=True)
class Expression:
    """A call in a `forward` that has no variable yet: its role and its text, which may be `a + b`."""

    role: str
    text: str
    infix: bool


def nests(inner: Expression, role: str, call: str, operands: int, free: bool) -> bool:
    """Whether a reader would rather see an expression inside the next call than a variable.

    `call` is the member or the template that is called, `free`: it is a template over a member.
    """
    if free and inner.infix:
        return False
    if role == "merge" and len(inner.text) <= _SHORT and not inner.infix:
        return True
    if len(inner.text) + len(call) > _LONGEST or operands > 1:
        return False
    if role == "act":
        return inner.role != "module"
    if inner.role == "pool" and role == "reshape":
        return True
    return inner.role not in _ENDS_LINE and role != "module"


@dataclass(slots=True)
class _Step:
    """A call in a `forward`: of an op or of a module, and the number of the last node in it."""

    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    role: str
    last: int
    path: tuple[str, ...] = ()
    """The labels of the member that is called; none where a function is."""
    name: str = ""
    module: bool = True
    """Whether it can be a member of an nn.Sequential."""
    template: str = ""
    """The call of a function, or what is done with a weight."""

    @property
    def call(self) -> str:
        """What is called: `self.blocks[0]`, `self.stem["conv"]`, or a template."""
        if not self.path:
            return self.template
        first, *rest = self.path
        return f"self.{first}" + "".join(f"[{part}]" if part.isdigit() else f'["{part}"]' for part in rest)

    @property
    def infix(self) -> bool:
        return self.template.startswith("{")

    def text(self, operands: Sequence[str]) -> str:
        """The call with its operands; of numbers that it takes each is as long as one digit."""
        if not self.template:
            return f"{self.call}({', '.join(operands)})"
        known = {"x": operands[0] if operands else "", "xs": ", ".join(operands), "weight": self.call}
        known |= {str(place): text for place, text in enumerate(operands)}
        return _FIELD.sub(lambda match: known.get(match[1], "1"), self.template)


@dataclass(slots=True)
class _Frame:
    """The variables of one `forward`; outputs that are `named` have one of their own each."""

    named: Mapping[Ref, str]
    names: dict[Ref, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    holds: dict[int, Ref] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    """What each variable is called, or how long names of its kind are."""

    def text(self, ref: Ref) -> str:
        return self.texts[self.names[ref]] if ref in self.names else "x"

    def release(self, reads: Sequence[Ref], uses: Counter[Ref]) -> None:
        for ref in reads:
            uses[ref] -= 1
        for ref in reversed(reads):
            if not uses[ref] and ref in self.names:
                self.free.append(self.names.pop(ref))

    def bind(self, ref: Ref) -> Ref | None:
        """Give a tensor a name; the tensor that had it before, if any."""
        name = self.free.pop() if self.free and ref not in self.named else len(self.holds)
        before = self.holds.get(name)
        if name == len(self.texts):
            self.texts.append(self.named.get(ref) or ("x", "out", "y")[min(name, 2)])
        self.names[ref], self.holds[name] = name, ref
        return before


def last_uses(graph: Graph) -> dict[Ref, int]:
    """The number of the node during which each tensor is alive for the last time."""
    last: dict[Ref, int] = {}
    for node in graph.nodes:
        last.update((Ref(node.id, port), node.id) for port in range(len(node.outputs)))
        last.update((ref, node.id) for ref in node.inputs)
    end = len(graph.nodes) - 1
    last.update((ref, end) for ref in graph.outputs)
    if graph.nodes:
        last[Ref(0, 0)] = end  # whoever calls the network has the images
        sites = {s.site for s in graph.root.scopes() if isinstance(s, ChoiceScope) and s.members}
        fields = zip(graph.outputs, graph.output_names, strict=False)
        _run(graph.root, last, sites, {ref: name for ref, name in fields if name.isidentifier()})
    return last


def _run(scope: Scope, last: dict[Ref, int], sites: Collection[Span], named: Mapping[Ref, str] = _UNNAMED) -> int:
    """Note what a scope's call keeps; gives its last node. `sites` are those of `if`s that some instance takes, `named`
    the outputs whose variables are called as they are."""
    steps = list(_steps(scope, last, sites))
    if all(step.role == _ABSENT for step in steps):
        return -1
    end = max(step.last for step in steps)
    inputs = scope.inputs if scope.kind != "model" else (Ref(0, 0),)
    uses = Counter(ref for step in steps for ref in step.inputs)
    uses.update(scope.outputs)
    own, steps = [step for step in steps if step.role != _ABSENT], _folded(steps, uses, last)
    for ref in inputs:
        last[ref] = max(last[ref], end)
    if not _is_chain(scope, own, inputs):
        _assign(steps, inputs, scope.outputs, named, last, end)
    return end


def _is_chain(scope: Scope, steps: Sequence[_Step], inputs: tuple[Ref, ...]) -> bool:
    """Whether it is an nn.Sequential: each step feeds the next, nothing else; of a block all members are numbered."""
    current = inputs
    for position, step in enumerate(steps):
        numbered = scope.kind != "block" or step.name == str(position)
        if step.inputs != current or len(step.outputs) != 1 or not step.module or not numbered:
            return False
        current = step.outputs
    return scope.kind != "model" and not scope.decisions and current == scope.outputs


def _assign(
    steps: Sequence[_Step],
    inputs: tuple[Ref, ...],
    outputs: tuple[Ref, ...],
    named: Mapping[Ref, str],
    last: dict[Ref, int],
    end: int,
) -> None:
    """Follow the variables of one `forward`."""
    frame = _Frame(named)
    for ref in inputs:
        frame.bind(ref)
    uses = Counter(ref for step in steps for ref in step.inputs)
    uses.update(outputs)
    pending: tuple[_Step, list[Ref], Expression] | None = None
    for step in steps:
        reads, texts = list(step.inputs), [frame.text(ref) for ref in step.inputs]
        if pending is not None:
            before, before_reads, inner = pending
            (made,) = before.outputs
            alone = step.role != _ABSENT and reads.count(made) == 1 and uses[made] == 1
            if alone and nests(inner, step.role, step.call, len(reads), bool(step.path and step.template)):
                place = reads.index(made)
                texts[place] = f"({inner.text})" if inner.infix and step.infix else inner.text
                reads[place : place + 1] = before_reads
            else:
                _bind(frame, before, before_reads, uses, last)
                texts = [frame.text(ref) for ref in step.inputs]
            pending = None
        if step.role == _ABSENT:
            continue
        if len(step.outputs) == 1:
            pending = step, reads, Expression(step.role, step.text(texts), step.infix)
        else:
            _bind(frame, step, reads, uses, last)
    if pending is not None and pending[0].outputs != outputs:
        _bind(frame, pending[0], pending[1], uses, last)
    for ref in frame.holds.values():
        last[ref] = max(last[ref], end)


def _bind(frame: _Frame, step: _Step, reads: Sequence[Ref], uses: Counter[Ref], last: dict[Ref, int]) -> None:
    frame.release(reads, uses)
    for ref in step.outputs:
        before = frame.bind(ref)
        if before is not None:
            last[before] = max(last[before], step.last)


def _folded(steps: Sequence[_Step], uses: Counter[Ref], last: dict[Ref, int]) -> list[_Step]:
    """The steps with each unbroken chain below one label (`features.0`, `features.1`) as the nn.Sequential it is."""
    names = [step.path[0] if len(step.path) > 1 else "" for step in steps]
    found: list[_Step] = []
    position = 0
    while position < len(steps):
        name, end = names[position], position + 1
        while name and end < len(steps) and names[end] == name:
            end += 1
        run = list(steps[position:end])
        position = end
        if name and names.count(name) == len(run):
            inner = _folded([replace(step, path=step.path[1:]) for step in run], uses, last)
            if _is_run(inner, uses):
                whole = _Step(inner[0].inputs, inner[-1].outputs, "module", inner[-1].last, (name,))
                last[whole.inputs[0]] = max(last[whole.inputs[0]], whole.last)
                found.append(whole)
                continue
            run = [replace(step, path=(name, *step.path)) for step in inner]
        found.extend(run)
    return found


def _is_run(steps: Sequence[_Step], uses: Counter[Ref]) -> bool:
    if any(len(step.path) != 1 or len(step.inputs) != 1 or len(step.outputs) != 1 for step in steps):
        return False
    return all(a.outputs == b.inputs and uses[a.outputs[0]] == 1 for a, b in pairwise(steps))


def _steps(
    scope: Scope, last: dict[Ref, int], sites: Collection[Span], around: tuple[str, ...] = ()
) -> Iterator[_Step]:
    """What the `forward` of a scope does, in order."""
    for label, member in scope.units():
        path = (*around, *label)
        if isinstance(member, ChoiceScope):
            if member.members:
                yield from _steps(member, last, sites, path[:-1])
            elif member.site in sites:
                yield _Step((), (), _ABSENT, -1)
        elif isinstance(member, Node):
            if member.inputs:
                outputs = tuple(Ref(member.id, port) for port in range(len(member.outputs)))
                own = path if isinstance(member.form, Module) else ()
                able = member.lowering.module is not None
                template = "" if own else _template(member)
                yield _Step(member.inputs, outputs, member.op.role, member.id, own, member.name, able, template)
        else:
            end = _run(member, last, sites)
            if end >= 0:
                yield _Step(member.inputs, member.outputs, "module", end, path, member.name)


def _template(node: Node) -> str:
    """The call of a node that is no module, as `forward` has it."""
    form = node.form
    if isinstance(form, Parameter):
        return form.template
    return form.template if isinstance(form, Call) else ""
