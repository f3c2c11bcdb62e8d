"""The `checkpoint` items of a file: which maps a variant has, and whether they make sense for its graphs.

Takes a `Program` and the graphs of its variants. Reports E106 and E406-E408.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.diagnostics.core import Bag, Label
from archdsl.graph.ir import Graph
from archdsl.graph.keymap import Counter, KeyMap, Rule, read_map, report_clash
from archdsl.semantics.program import FileScope, Program
from archdsl.semantics.variants import Configured
from archdsl.source import Span
from archdsl.syntax import ast


def keymaps_of(program: Program, configured: Configured, bag: Bag) -> dict[str, KeyMap]:
    """The maps declared for a variant, those it amends or its model, by name; the one nearest to the variant wins.

    A model used from another file brings along the maps of that file.
    """
    found: dict[str, KeyMap] = {}
    for target in configured.lineage:
        for file in dict.fromkeys((program.root, configured.model.file)):
            for item in _items(file):
                if item.target.name == target and item.name not in found:
                    keymap = read_map(item, bag)
                    if keymap is not None:
                        found[item.name] = keymap
    return found


def check_checkpoints(
    program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag
) -> None:
    """Check every map of the root file against the graphs of all variants that it is for.

    That a rule matches nothing is said only where all those graphs could be built.
    """
    seen: dict[tuple[str, str], Span] = {}
    for item in _items(program.root):
        target = item.target.name
        if (target, item.name) in seen:
            first = Label(seen[target, item.name], "first defined here")
            bag.report("E106", item.name_span, name=item.name, secondary=[first])
            continue
        seen[target, item.name] = item.name_span
        keymap = read_map(item, bag)
        names = [name for name, configured in variants.items() if target in configured.lineage]
        if keymap is not None and names and all(name in graphs for name in names):
            _check_map(keymap, [graphs[name] for name in names], bag)


def _items(file: FileScope) -> Iterator[ast.Checkpoint]:
    return (item for item in file.syntax.items if isinstance(item, ast.Checkpoint))


def _check_map(keymap: KeyMap, graphs: list[Graph], bag: Bag) -> None:
    keys = [[key for key, _, _ in graph.state()] for graph in graphs]
    renamings = [keymap.apply(of_one) for of_one in keys]
    lines: tuple[Rule | Counter, ...] = (*keymap.rules, *keymap.counters)
    for line in lines:
        if not any(line in renaming.used for renaming in renamings):
            _report_idle(keymap, line, keys, bag)
    reported: set[tuple[Rule | None, Rule | None]] = set()
    for renaming in renamings:
        for clash in renaming.clashes:
            rules = clash.first[1], clash.second[1]
            if rules not in reported:
                reported.add(rules)
                report_clash(clash, bag)


def _report_idle(keymap: KeyMap, line: Rule | Counter, keys: list[list[str]], bag: Bag) -> None:
    label = None
    if isinstance(line, Rule):
        alone = KeyMap(keymap.name, (line,), keymap.counters)
        if any(line in alone.apply(of_one).used for of_one in keys):
            label = "a later rule takes all that it matches"
    bag.report("E407", line.syntax.ours.span, label=label, pattern=line.syntax.ours.value)
