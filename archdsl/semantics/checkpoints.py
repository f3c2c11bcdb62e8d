"""The `checkpoint` items of a file: which maps a variant has, and whether they make sense for its graphs.

Takes a `Program` and the graphs of its variants. Reports E406-E408.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archdsl.diagnostics.core import Bag
from archdsl.graph.ir import Graph
from archdsl.graph.keymap import Clash, Counter, KeyMap, Rule, read_map, report_clash
from archdsl.semantics.program import FileScope, Program
from archdsl.semantics.variants import Configured
from archdsl.syntax import ast


def keymaps_of(program: Program, configured: Configured, bag: Bag) -> dict[str, KeyMap]:
    """The maps declared for a variant, those it amends and its model, by name.

    Of one name they are one map, with the lines that are nearest to the variant last, where they count, and those of
    one target in the order of the file. A model used
    from another file brings along the maps of that file.
    """
    return _keymaps(program, configured, lambda item: read_map(item, bag))


def _keymaps(
    program: Program, configured: Configured, read: Callable[[ast.Checkpoint], KeyMap | None]
) -> dict[str, KeyMap]:
    found: dict[str, KeyMap] = {}
    for target in reversed(configured.lineage):
        for file in dict.fromkeys((configured.model.file, program.root)):
            for item in _items(file):
                if any(t.name == target for t in item.targets) and (keymap := read(item)) is not None:
                    found[item.name] = found[item.name].amended(keymap) if item.name in found else keymap
    return found


def check_checkpoints(
    program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag
) -> None:
    """Check every map of the root file against the graphs of all variants that it is for.

    That a rule matches nothing is said only where all those graphs could be built.
    """
    items = list(_items(program.root))
    keymaps = {id(item): read_map(item, bag) for item in items}  # equal items are two all the same
    if not keymaps:
        return
    keys: dict[str, list[str]] = {}  # of the variants that have a map: most have none
    used: set[Rule | Counter] = set()
    clashes: list[Clash] = []
    for name, graph in graphs.items():
        for keymap in _keymaps(program, variants[name], lambda item: keymaps.get(id(item))).values():
            if name not in keys:
                keys[name] = [key for key, _, _ in graph.state()]
            renaming = keymap.apply(keys[name])
            used |= renaming.used
            clashes += renaming.clashes
    for item in items:
        read = keymaps[id(item)]
        targets = {target.name for target in item.targets}
        names = [name for name, configured in variants.items() if not targets.isdisjoint(configured.lineage)]
        if read is not None and names and all(name in keys for name in names):
            _report_idle(read, used, [keys[name] for name in names], bag)
    _report_clashes(clashes, bag)


def _items(file: FileScope) -> Iterator[ast.Checkpoint]:
    return (item for item in file.syntax.items if isinstance(item, ast.Checkpoint))


def _report_idle(keymap: KeyMap, used: set[Rule | Counter], keys: list[list[str]], bag: Bag) -> None:
    """The lines of a map that have no effect in any variant."""
    lines: tuple[Rule | Counter, ...] = (*keymap.rules, *keymap.counters)
    for line in lines:
        if line in used:
            continue
        label = None
        if isinstance(line, Rule):
            alone = KeyMap(keymap.name, (line,), keymap.counters)
            if any(line in alone.apply(of_one).used for of_one in keys):
                label = "a later rule takes all that it matches"
        bag.report("E407", line.syntax.ours.span, label=label, pattern=line.syntax.ours.value)


def _report_clashes(clashes: list[Clash], bag: Bag) -> None:
    """Each pair of rules once."""
    reported: set[tuple[Rule | None, Rule | None]] = set()
    for clash in clashes:
        rules = clash.first[1], clash.second[1]
        if rules not in reported:
            reported.add(rules)
            report_clash(clash, bag)
