"""The `checkpoint` items of a file: which maps a variant has, and whether they make sense for its graphs.

Takes a `Program` and the graphs of its variants. Reports E106, E109 and E406-E408.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.diagnostics.core import Bag, Label
from archdsl.diagnostics.suggest import closest
from archdsl.graph.ir import Graph
from archdsl.graph.keymap import Clash, Counter, KeyMap, Rule, read_map
from archdsl.semantics.program import Program
from archdsl.semantics.variants import Configured
from archdsl.source import Span
from archdsl.syntax import ast


def keymaps_of(program: Program, configured: Configured, bag: Bag) -> dict[str, KeyMap]:
    """The maps declared for a variant, those amended or its model, by name; one that is nearer to the variant wins."""
    found: dict[str, KeyMap] = {}
    for target in configured.lineage:
        for item in _items(program):
            if item.target.name == target and item.name not in found:
                keymap = read_map(item, bag)
                if keymap is not None:
                    found[item.name] = keymap
    return found


def check_checkpoints(
    program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag
) -> None:
    """Check every map against the graphs of all variants that it is for; only whole sets of graphs are judged."""
    known = {name for name, definition in program.root.names.items() if definition.kind == "model"} | set(variants)
    seen: dict[tuple[str, str], Span] = {}
    for item in _items(program):
        target = item.target.name
        if target not in known:
            if not _is_declared(program, target):
                bag.report("E109", item.target.span, name=target, suggestion=closest(target, known))
            continue
        if (target, item.name) in seen:
            first = Label(seen[target, item.name], "first defined here")
            bag.report("E106", item.name_span, name=item.name, secondary=[first])
            continue
        seen[target, item.name] = item.name_span
        keymap = read_map(item, bag)
        names = [name for name, configured in variants.items() if target in configured.lineage]
        if keymap is not None and names and all(name in graphs for name in names):
            _check_map(keymap, [graphs[name] for name in names], bag)


def _items(program: Program) -> Iterator[ast.Checkpoint]:
    return (item for item in program.root.syntax.items if isinstance(item, ast.Checkpoint))


def _is_declared(program: Program, name: str) -> bool:
    """Whether there is a variant of this name, even if it could not be configured."""
    for item in program.root.syntax.items:
        if isinstance(item, ast.Variant) and item.name == name:
            return True
        if isinstance(item, ast.Variants) and any(row.name == name for row in item.rows):
            return True
    return False


def _check_map(keymap: KeyMap, graphs: list[Graph], bag: Bag) -> None:
    keys = [[key for key, _, _ in graph.state()] for graph in graphs]
    renamings = [keymap.apply(of_one) for of_one in keys]
    for line in (*keymap.rules, *keymap.counters):
        if not any(line in renaming.used for renaming in renamings):
            _report_idle(keymap, line, keys, bag)
    reported: set[tuple[Rule | None, Rule | None]] = set()
    for renaming in renamings:
        for clash in renaming.clashes:
            rules = clash.first[1], clash.second[1]
            if rules not in reported:
                reported.add(rules)
                _report_clash(clash, bag)


def _report_idle(keymap: KeyMap, line: Rule | Counter, keys: list[list[str]], bag: Bag) -> None:
    label = None
    if isinstance(line, Rule):
        alone = KeyMap(keymap.name, (line,), keymap.counters)
        if any(line in alone.apply(of_one).used for of_one in keys):
            label = "a later rule takes all that it matches"
    bag.report("E407", line.syntax.ours.span, label=label, pattern=line.syntax.ours.value)


def _report_clash(clash: Clash, bag: Bag) -> None:
    (first_key, first), (second_key, second) = clash.first, clash.second
    if second is None:
        first, second = None, first
    if second is None:
        return
    secondary = [] if first is None or first is second else [Label(first.syntax.theirs.span, "given here")]
    note = f"`{first_key}` and `{second_key}` of the model would both be `{clash.key}`"
    bag.report("E408", second.syntax.theirs.span, secondary=secondary, key=clash.key, notes=[note])
