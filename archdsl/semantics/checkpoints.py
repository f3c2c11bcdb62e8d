"""The `checkpoint` items of a file: which maps a variant has, and whether they make sense for its graphs.

Takes a `Program` and the graphs of its variants. Reports E406-E408, E415-E417, E513 and E514.
"""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping, Sequence

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest
from archdsl.graph.glob import Effort
from archdsl.graph.ir import Graph, Node
from archdsl.graph.keymap import Clash, Counter, KeyMap, Rule, report_clash
from archdsl.graph.keyshapes import Shape
from archdsl.graph.read_keymap import read_map
from archdsl.semantics.program import FileScope, Program
from archdsl.semantics.variants import Configured
from archdsl.syntax import ast

MOST_LINES = 5_000
"""Lines in the `checkpoint` items of one file."""


def keymaps_of(program: Program, configured: Configured, bag: Bag) -> dict[str, KeyMap]:
    """The maps declared for a variant, those it amends and its model, by name.

    Of one name they are one map, with the lines that are nearest to the variant last, where they count, and those of
    one target in the order of the file. A model used
    from another file brings along the maps of that file.
    """
    if any(_too_many(file, bag) for file in dict.fromkeys((configured.model.file, program.root))):
        return {}
    return _keymaps(program, configured, lambda item: read_map(item, bag))


def map_names(program: Program, configured: Configured) -> tuple[str, ...]:
    """The names of the maps of a variant, whatever is in them."""
    files = dict.fromkeys((configured.model.file, program.root))
    items = [item for file in files for item in file.items(ast.Checkpoint)]
    about = (item.name for item in items if any(target.name in configured.lineage for target in item.targets))
    return tuple(dict.fromkeys(about))


def _too_many(file: FileScope, bag: Bag) -> bool:
    """E513 if a file has more lines than are looked at."""
    lines = [line for item in file.items(ast.Checkpoint) for line in item.rules]
    if len(lines) <= MOST_LINES:
        return False
    place = lines[MOST_LINES].span
    bag.report("E513", place, what="lines of `checkpoint`", count=f"{len(lines):,}", limit=f"{MOST_LINES:,}")
    return True


def _keymaps(
    program: Program, configured: Configured, read: Callable[[ast.Checkpoint], KeyMap | None]
) -> dict[str, KeyMap]:
    found: dict[str, KeyMap] = {}
    for target in reversed(configured.lineage):
        for file in dict.fromkeys((configured.model.file, program.root)):
            for item in file.items(ast.Checkpoint):
                if any(t.name == target for t in item.targets) and (keymap := read(item)) is not None:
                    found[item.name] = found[item.name].amended(keymap) if item.name in found else keymap
    return found


def check_checkpoints(
    program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag
) -> None:
    """Check every map of the root file against the graphs of all variants that it is for.

    That a rule matches nothing is said only where all those graphs could be built.
    """
    if _too_many(program.root, bag):
        return
    items = list(program.root.items(ast.Checkpoint))
    keymaps = {id(item): read_map(item, bag) for item in items}  # equal items are two all the same
    if not keymaps:
        return
    try:
        _check(program, graphs, variants, items, keymaps, bag)
    except ArchError as error:  # E514
        for diagnostic in error.diagnostics:
            bag.add(diagnostic)


def _check(
    program: Program,
    graphs: Mapping[str, Graph],
    variants: Mapping[str, Configured],
    items: Sequence[ast.Checkpoint],
    keymaps: Mapping[int, KeyMap | None],
    bag: Bag,
) -> None:
    keys: dict[str, dict[str, Shape]] = {}  # of the variants that have a map: most have none
    used: set[Rule | Counter] = set()
    clashes: list[Clash] = []
    misfitting: set[Rule] = set()
    effort = Effort()
    for name, graph in graphs.items():
        for keymap in _keymaps(program, variants[name], lambda item: keymaps.get(id(item))).values():
            if name not in keys:
                keys[name] = {key: weight.shape for key, weight, _ in graph.state()}
            renaming = keymap.apply(keys[name], effort)
            used |= renaming.used
            clashes += renaming.clashes
            found = {rule for rule, _ in renaming.misfits(keys[name])}
            if not found <= misfitting:  # each once, of the first variant
                misfitting |= found
                renaming.report_misfits(keys[name], name, bag)
    for item in items:
        read = keymaps[id(item)]
        targets = {target.name for target in item.targets}
        names = [name for name, configured in variants.items() if not targets.isdisjoint(configured.lineage)]
        if read is not None and names and all(name in keys for name in names):
            _report_idle(read, used, {name: keys[name] for name in names}, graphs, effort, bag)
    _report_clashes(clashes, bag)


def _report_idle(
    keymap: KeyMap,
    used: set[Rule | Counter],
    keys: Mapping[str, Iterable[str]],
    graphs: Mapping[str, Graph],
    effort: Effort,
    bag: Bag,
) -> None:
    """The lines of a map that have no effect in any variant."""
    lines: tuple[Rule | Counter, ...] = (*keymap.rules, *keymap.counters)
    idle = [line for line in lines if line not in used]
    hidden: set[Rule] = set()
    if any(isinstance(line, Rule) for line in idle):
        for of_one in keys.values():
            hidden |= keymap.matching(of_one, effort)
    words = _Words([line.syntax.ours.value for line in lines], keys, graphs)
    for line in idle:
        span, pattern = line.syntax.ours.span, line.syntax.ours.value
        if line in hidden:
            bag.report("E407", span, label="a later rule takes all that it matches", pattern=pattern)
            continue
        near, node = words.meant(pattern)
        secondary = [] if node is None else [Label(node.span, f"`{near}` is here")]
        bag.report("E407", span, pattern=pattern, suggestion=near, secondary=secondary)


class _Words:
    """The words of a map's patterns and those of the paths that it is for."""

    def __init__(self, patterns: Iterable[str], keys: Mapping[str, Iterable[str]], graphs: Mapping[str, Graph]) -> None:
        self.known = {part for of_one in keys.values() for key in of_one for part in key.split(".")}
        self.named = Counts(part for pattern in set(patterns) for part in set(pattern.split(".")))
        self.unnamed = sorted(self.known - self.named.keys())
        self.graphs = [graphs[name] for name in keys]

    def meant(self, pattern: str) -> tuple[str | None, Node | None]:
        """The label that a pattern means by a word that no path has, and a layer with that label in its path.

        Labels that other lines of the map name are not meant by this one.
        """
        own = set(pattern.split("."))
        wrong = next((part for part in pattern.split(".") if part.isidentifier() and part not in self.known), None)
        alone = [part for part in own & self.known if self.named[part] == 1]
        near = None if wrong is None else closest(wrong, sorted([*self.unnamed, *alone]))
        if near is None:
            return None, None
        nodes = (node for graph in self.graphs for node in graph.nodes)
        return near, next((node for node in nodes if near in node.path.split(".")), None)


def _report_clashes(clashes: list[Clash], bag: Bag) -> None:
    """Each pair of rules once."""
    reported: set[tuple[Rule | None, Rule | None]] = set()
    for clash in clashes:
        rules = clash.first[1], clash.second[1]
        if rules not in reported:
            reported.add(rules)
            report_clash(clash, bag)
