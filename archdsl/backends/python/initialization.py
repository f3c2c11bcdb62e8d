"""Weight initialization in generated source: the spec's `init` rules as torch.nn.init calls.

Rules by op or role become one loop over the modules, as people write it; rules by path, and rules that do not hold for
all modules of a torch class, go by the names of parameters. What no rule is about keeps torch's own initialization.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from archdsl.backends.python.layout import INDENT, Brackets, lines
from archdsl.graph.ir import Graph, Node
from archdsl.graph.settings import InitRule, assign_initializers
from archdsl.symbolic import lift

_PAD = INDENT * 2
_RENAMED = {"low": "a", "high": "b", "value": "val"}


def initialization(graph: Graph, rules: Sequence[InitRule]) -> Iterator[str]:
    """Statements at the end of the model's `__init__`, in the order of the rules: the last one about a weight wins."""
    for quoted, group in groupby(rules, key=lambda rule: rule.quoted):
        if quoted:
            for rule in group:
                yield from _by_pattern(rule, graph)
        else:
            yield from _by_class(list(group), graph)


def _by_pattern(rule: InitRule, graph: Graph) -> Iterator[str]:
    keys = list(assign_initializers([rule], graph))
    if not keys:
        return
    pattern = rule.pattern if fnmatch.filter(keys, rule.pattern) == keys else f"{rule.pattern}.{rule.weight}"
    simple = not any(char in rule.pattern for char in "[]?") and fnmatch.filter(_trainable(graph), pattern) == keys
    yield f"{_PAD}for name, parameter in self.named_parameters():"
    if simple:
        yield f'{_PAD}{INDENT}if fnmatchcase(name, "{pattern}"):'
    else:
        yield from _names_condition(keys)
    yield from _call(rule, "parameter", 4)


def _trainable(graph: Graph) -> list[str]:
    return [key for key, weight, _ in graph.state() if weight.trainable]


def _names_condition(keys: Iterable[str]) -> Iterator[str]:
    items = tuple(f'"{key}"' for key in keys)
    yield from lines(Brackets("", items, "{", "}"), "if name in ", 3, ":")


def _by_class(rules: Sequence[InitRule], graph: Graph) -> Iterator[str]:
    """One loop over the modules, with a branch for each torch class; names where a class is not of one mind."""
    assigned = assign_initializers(rules, graph)
    classes: dict[str, list[Node]] = {}
    for node in graph.nodes:
        recipe = node.recipe
        if node.weights:
            classes.setdefault(recipe.module.target if recipe.module else "", []).append(node)
    branches: list[str] = []
    named: dict[int, list[str]] = {}
    for target, nodes in classes.items():
        wanted: dict[str, set[int]] = {}
        for node in nodes:
            for weight in node.weights:
                rule = assigned.get(node.weight_path(weight))
                wanted.setdefault(weight.name, set()).add(-1 if rule is None else rules.index(rule))
        if target and all(len(found) == 1 for found in wanted.values()):
            branches += _branch(target, nodes, {n: found.copy().pop() for n, found in wanted.items()}, rules, not branches)
            continue
        for node in nodes:
            for weight in node.weights:
                key = node.weight_path(weight)
                if key in assigned:
                    named.setdefault(rules.index(assigned[key]), []).append(key)
    if branches:
        yield f"{_PAD}for module in self.modules():"
        yield from branches
    for index, keys in named.items():
        yield f"{_PAD}for name, parameter in self.named_parameters():"
        yield from _names_condition(keys)
        yield from _call(rules[index], "parameter", 4)


def _branch(
    target: str, nodes: Sequence[Node], wanted: dict[str, int], rules: Sequence[InitRule], first: bool
) -> Iterator[str]:
    """What the loop does with modules of one torch class."""
    if all(index < 0 for index in wanted.values()):
        return
    yield f"{INDENT * 3}{'if' if first else 'elif'} isinstance(module, {target}):"
    for name, index in wanted.items():
        if index < 0:
            continue
        present = sum(any(weight.name == name for weight in node.weights) for node in nodes)
        if present < len(nodes):
            yield f"{INDENT * 4}if module.{name} is not None:"
        yield from _call(rules[index], f"module.{name}", 4 if present == len(nodes) else 5)


def _call(rule: InitRule, tensor: str, depth: int) -> Iterator[str]:
    """The initializer's statement for one tensor."""
    if rule.initializer in ("uniform_fan_in", "uniform_fan_out"):
        # Torch's fans: fan-in is the size of one filter, fan-out that of one input's share of all filters.
        axis = f"{tensor}[0].numel()" if rule.initializer == "uniform_fan_in" else f"{tensor}[:, 0].numel()"
        yield f"{INDENT * depth}bound = {axis} ** -0.5"
        yield from lines(Brackets("nn.init.uniform_", (tensor, "-bound", "bound")), "", depth)
        return
    items = [tensor]
    for name, value in rule.arguments.items():
        items.append(f"{_RENAMED.get(name, name)}={lift(value)}")
    yield from lines(Brackets(f"nn.init.{rule.initializer}_", tuple(items)), "", depth)
