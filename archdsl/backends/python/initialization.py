"""Weight initialization in generated source: the spec's `init` rules as torch.nn.init calls.

Rules by op or role become one loop over the modules, as people write it; rules by path, and rules that do not hold for
all modules of a torch class, go by the names of parameters. What no rule is about keeps torch's own initialization.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from archdsl.backends.python.helpers import helper_bases
from archdsl.backends.python.layout import INDENT, statement
from archdsl.backends.python.text import text
from archdsl.graph.ir import Graph, Node
from archdsl.graph.settings import InitRule, assign_initializers
from archdsl.quoting import string_literal
from archdsl.symbolic import IN_CHANNELS, evaluate, lift

_PAD = INDENT * 2
_CONSTANT = frozenset({"constant", "ones", "zeros"})
_RENAMED = {"low": "a", "high": "b", "value": "val"}


def initialization(graph: Graph, rules: Sequence[InitRule], helpers: Mapping[str, str]) -> Iterator[str]:
    """Statements at the end of the model's `__init__`, in the order of the rules: the last one about a weight wins."""
    for quoted, group in groupby(_lasting(rules, graph), key=lambda rule: rule.quoted):
        if quoted:
            for rule in group:
                yield from _by_pattern(rule, graph)
        else:
            yield from _by_class(list(group), graph, helpers)


def _lasting(rules: Sequence[InitRule], graph: Graph) -> list[InitRule]:
    """The rules without constants that later rules replace everywhere; what draws random numbers stays."""
    found: list[InitRule] = []
    for position, rule in enumerate(rules):
        later = [other for other in rules[position + 1 :] if _may_replace(other, rule)]
        replaced = rule.initializer in _CONSTANT and later and _keys([rule], graph) <= _keys(later, graph)
        if not replaced:
            found.append(rule)
    return found


def _may_replace(later: InitRule, rule: InitRule) -> bool:
    alike = (later.pattern, later.weight) == (rule.pattern, rule.weight)
    return later.quoted == rule.quoted and (alike or rule.quoted)


def _keys(rules: Sequence[InitRule], graph: Graph) -> set[str]:
    return set(assign_initializers(rules, graph))


def _by_pattern(rule: InitRule, graph: Graph) -> Iterator[str]:
    keys = list(assign_initializers([rule], graph))
    if keys:
        yield from _by_name(rule, keys, graph, (rule.pattern, f"{rule.pattern}.weight"))


def _by_name(rule: InitRule, keys: Sequence[str], graph: Graph, patterns: Sequence[str]) -> Iterator[str]:
    """A loop over the parameters that picks some by name: by a pattern that is about no other, else one by one."""
    known = [key for key, weight, _ in graph.state() if weight.trainable]
    plain = [pattern for pattern in patterns if not any(char in pattern for char in "[]?")]
    fitting = [p for p in plain if [key for key in known if fnmatch.fnmatchcase(key, p)] == list(keys)]
    yield f"{_PAD}for name, parameter in self.named_parameters():"
    if fitting:
        wanted = string_literal(fitting[0])
        test = f"fnmatchcase(name, {wanted})" if "*" in fitting[0] else f"name == {wanted}"
        yield from statement("if ", test, ":", 3)
    else:
        names = ", ".join(map(string_literal, keys))
        yield from statement("if ", f"name in {{{names}}}", ":", 3)
    yield from _call(rule, "parameter", 4)


def _by_class(rules: Sequence[InitRule], graph: Graph, helpers: Mapping[str, str]) -> Iterator[str]:
    """One loop over the modules, with a branch for each torch class; by name what classes do not tell apart."""
    assigned = assign_initializers(rules, graph)
    branches: dict[tuple[str, ...], list[str]] = {}
    named: dict[int, list[str]] = {}
    for target, (nodes, weights) in _weighted(graph).items():
        done: list[str] = []
        for name, owners in weights.items():
            paths = {node: f"{node.path}.{name}" if name else node.path for node in owners}
            wanted = {node: rules.index(assigned[key]) for node, key in paths.items() if key in assigned}
            lines = _class_statements(name, owners, len(owners) < len(nodes), wanted, rules) if target else None
            if lines is not None:
                done += lines
                continue
            for node, index in wanted.items():
                named.setdefault(index, []).append(paths[node])
        if done:
            branches.setdefault(tuple(done), []).append(helpers.get(target, target))
    if branches:
        yield f"{_PAD}for module in self.modules():"
    for position, (body, targets) in enumerate(branches.items()):
        yield from statement("elif " if position else "if ", f"isinstance(module, {' | '.join(targets)})", ":", 3)
        yield from body
    for index, keys in named.items():
        endings = {key.rpartition(".")[2] for key in keys}
        patterns = [f"*.{ending}" for ending in endings] if len(endings) == 1 else []
        yield from _by_name(rules[index], keys, graph, patterns)


def _weighted(graph: Graph) -> dict[str, tuple[list[Node], dict[str, list[Node]]]]:
    """The nodes with weights by class of torch, "" for bare weights; and by name of the weight those that train it."""
    found: dict[str, tuple[list[Node], dict[str, list[Node]]]] = {}
    bases = helper_bases()  # `isinstance` takes in the helpers that derive from a class of torch
    for node in graph.nodes:
        if node.weights:
            module = node.lowering.module
            nodes, owners = found.setdefault(bases.get(module.target, module.target) if module else "", ([], {}))
            nodes.append(node)
            for weight in node.weights:
                if weight.trainable:
                    owners.setdefault(weight.name, []).append(node)
    return found


def _class_statements(
    name: str, owners: Sequence[Node], optional: bool, wanted: Mapping[Node, int], rules: Sequence[InitRule]
) -> list[str] | None:
    """What the loop does with one weight of the modules of a class; None if it cannot tell them apart.

    `optional`: some modules of the class lack it. Rules often treat depthwise convolutions differently: that can be
    asked.
    """
    lines: list[str] = []
    depth = 4
    if optional and wanted:
        lines.append(f"{INDENT * depth}if module.{name} is not None:")
        depth += 1
    found = {wanted.get(node) for node in owners}
    if len(found) == 1:
        (index,) = found
        return [*lines, *_call(rules[index], f"module.{name}", depth)] if index is not None else []
    plain, grouped = ({wanted.get(node) for node in owners if _is_grouped(node) is value} for value in (False, True))
    if len(plain) != 1 or len(grouped) != 1:
        return None
    (first,), (second,) = plain, grouped
    tests = [("if module.groups == 1:", first), ("else:", second)]
    if first is None:
        tests = [("if module.groups > 1:", second)]
    for test, index in tests:
        if index is not None:
            lines += [f"{INDENT * depth}{test}", *_call(rules[index], f"module.{name}", depth + 1)]
    return lines


def _is_grouped(node: Node) -> bool | None:
    """Whether a convolution has groups; None of any other module."""
    module = node.lowering.module
    if module is None or "groups" not in module.kwargs:
        return None
    values = {name: getattr(node.params, name) for name in node.op.parameter_names}
    return bool(evaluate(module.kwargs["groups"], values | {IN_CHANNELS.name: node.input_shapes[0].channels}) > 1)


def _call(rule: InitRule, tensor: str, depth: int) -> Iterator[str]:
    """The initializer's statement for one tensor."""
    if rule.initializer in ("uniform_fan_in", "uniform_fan_out"):
        # Torch's fans: fan-in is the size of one filter, fan-out that of one input's share of all filters.
        axis = f"{tensor}[0].numel()" if rule.initializer == "uniform_fan_in" else f"{tensor}[:, 0].numel()"
        yield f"{INDENT * depth}bound = {axis} ** -0.5"
        yield from statement("", f"nn.init.uniform_({tensor}, -bound, bound)", "", depth)
        return
    items = [tensor, *(f"{_RENAMED.get(name, name)}={text(lift(value))}" for name, value in rule.arguments.items())]
    yield from statement("", f"nn.init.{rule.initializer}_({', '.join(items)})", "", depth)
