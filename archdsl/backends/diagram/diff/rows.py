"""The ops of a changed block as rows: takes a `DistinctChange`, gives `Row`s with their words and what they read.

The ops of both networks are in one list, each once. A row is on the main path, which is drawn straight, or beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Line
from archdsl.backends.diagram.text import fit, wrap
from archdsl.graph.diff import wording
from archdsl.graph.diff.changes import BlockChange, DistinctChange, OpChange, Status, in_order
from archdsl.graph.ir import Node

INPUT = -1
"""The number of what the block reads."""
_MERGES = {"+": "+", "−": "−", "×": "×", "concat": "‖"}
_PADDING = 2.5
_LONG = 20
"""Rows of a block up to which all are shown."""


@dataclass(slots=True, eq=False)
class Row:
    """One op, or several in a row that stayed the same (`elided`), with the rows it reads and since when."""

    number: int
    change: OpChange
    status: Status
    """What happened to the op, here or in another place."""
    main: bool
    lines: list[Line]
    tag: str
    symbol: str = ""
    reads: dict[int, Status] = field(default_factory=dict)
    elided: tuple[OpChange, ...] = ()
    x: float = 0
    y: float = 0
    wide: float = 0

    @property
    def high(self) -> float:
        return 10.0 if self.symbol else sum(line.height for line in self.lines) + _PADDING

    @property
    def top(self) -> float:
        return self.y - self.high / 2

    @property
    def bottom(self) -> float:
        return self.y + self.high / 2

    @property
    def nodes(self) -> Iterator[Node]:
        """What it stands for in the second network, or of what was removed, in the first."""
        for op in self.elided or (self.change,):
            node = op.after or op.before
            assert node is not None
            yield node


def rows_of(change: DistinctChange, wide: float, side: float) -> list[Row]:
    """The rows of the block to show, in order; their lines fit the widths of the main path and beside it."""
    block = change.example
    places_of = dict(zip(map(id, block.ops), change.counterparts(block), strict=True))
    shown = [op for op in block.ops if op.after is not None or op.status != "same"]
    halves = [(half, whole) for whole in shown for half in _halves(whole)]
    whole_of = {id(half): whole for half, whole in halves}
    rows = []
    for number, op in enumerate(in_order([half for half, _ in halves])):
        whole = whole_of[id(op)]
        places = places_of[id(whole)]
        main = _is_main(op, block)
        width = wide if main else side
        node = op.after or op.before
        assert node is not None
        tag = _tag(op, block)
        changed = [other for other in places if other.status != "same"] or [op]
        symbol = _MERGES.get(node.label, "")
        left = whole is not op and op.after is None
        status: Status = "removed" if left else changed[0].status
        lines = _lines([op] if left else changed, width, tag)
        if left:
            lines.append(Line("moved", style.TINY))
        elif len(changed) < len(places) and not symbol:
            lines.append(Line("not in all", style.TINY))
        rows.append(Row(number, op, status, main, lines, tag, symbol, wide=width))
    _connect(rows, block)
    return rows


def _halves(op: OpChange) -> tuple[OpChange, ...]:
    """An op that moved, at its old place and at its new one; any other as it is."""
    if not op.moved or op.before is None or op.after is None:
        return (op,)
    return OpChange(op.before, None), OpChange(None, op.after)


def _is_main(op: OpChange, block: BlockChange) -> bool:
    if op.after is not None and block.after is not None:
        return op.after.id in block.after.main
    return op.before is not None and block.before is not None and op.before.id in block.before.main


def _tag(op: OpChange, block: BlockChange) -> str:
    """The last level of its label."""
    node, unit = (op.before, block.before) if op.after is None else (op.after, block.after)
    tag = unit.inner(node).rpartition(".")[2] if node is not None and unit is not None and node.labelled else ""
    return "" if tag.isdigit() else tag


def _lines(places: Sequence[OpChange], width: float, tag: str) -> list[Line]:
    """What the op is, then what changed in it."""
    op = places[0]
    room = width - 13 - (Line(tag, style.TINY).width + 5 if tag else 0)
    if op.status == "same":
        assert op.after is not None
        return [Line(fit(_head(op.after), room, style.SMALL), style.SMALL, colour=style.FAINT)]
    if op.before is None or op.after is None:
        text = wording.merged_label(node for o in places if (node := o.after or o.before) is not None)
        first, *rest = wrap(text, room, style.SMALL)
        return [Line(first, style.SMALL), *(Line(line, style.SMALL) for line in rest)]
    heads = [
        " or ".join(dict.fromkeys(_head(node) for o in places if (node := _side(o, side)) is not None))
        for side in (0, 1)
    ]
    heads = list(dict.fromkeys(heads))
    parameters = [p for p in wording.parameters_of(places) if len(heads) == 1 or p.name not in ("kernel", "groups")]
    notes = [f"{p.name} {wording.span_text(p.before)} → {wording.span_text(p.after)}" for p in parameters]
    notes += ["moved here"] if any(o.moved for o in places) else []
    notes += ["other input"] if any(o.rewired for o in places) else []
    title = wrap(wording.ARROW.join(heads), room, style.SMALL, True)
    details = [line for note in notes for line in wrap(note, width - 13, style.TINY)]
    return [*(Line(text, style.SMALL, True) for text in title), *(Line(text, style.TINY) for text in details)]


def _head(node: Node) -> str:
    """`3×3 conv` of `3×3 conv, 64, /2`."""
    return wording.label_of(node).partition(",")[0]


def _connect(rows: list[Row], block: BlockChange) -> None:
    """What each row reads, in both networks or in one; not along the main path, where the order of the rows says it."""
    edges = [(side, source, row) for side in (0, 1) for source, row in _edges(rows, side, block)]
    chains = _chains(rows, edges)
    found: dict[tuple[int, int], set[int]] = {}
    for side, source, row in edges:
        if not _is_next(source, row, rows, side):
            end = _end(source, row, side, rows, chains)
            found.setdefault((end.number if end else INPUT, row.number), set()).add(side)
    status: dict[tuple[int, ...], Status] = {(0, 1): "same", (0,): "removed", (1,): "added"}
    for (source_number, target), sides in found.items():
        rows[target].reads[source_number] = status[tuple(sorted(sides))]


def _edges(rows: list[Row], side: int, block: BlockChange) -> Iterator[tuple[Row | None, Row]]:
    """What reads what in one of the networks; None is what the block reads. What is not shown is looked through."""
    unit = block.after if side else block.before
    inside = {node.id: node for node in unit.nodes} if unit is not None else {}
    nodes = {node.id: row for row in rows if (node := _side(row.change, side)) is not None}
    for row in rows:
        node = _side(row.change, side)
        for ref in node.inputs if node is not None else ():
            source = ref.node
            while source in inside and source not in nodes:
                source = inside[source].inputs[0].node
            yield nodes.get(source), row


def _chains(rows: list[Row], edges: list[tuple[int, Row | None, Row]]) -> dict[int, list[Row]]:
    """For the number of each row beside the main path the rows that it is linked to there, in order."""
    chains = {row.number: [row] for row in rows if not row.main}
    for _, source, row in edges:
        if source is not None and not source.main and not row.main:
            one, other = chains[source.number], chains[row.number]
            if one is not other:
                one += other
                chains |= {member.number: one for member in other}
    for chain in chains.values():
        chain.sort(key=lambda row: row.number)
    return chains


def _end(source: Row | None, row: Row, side: int, rows: list[Row], chains: dict[int, list[Row]]) -> Row | None:
    """Where a line begins: below rows of the same path that are in the other network only."""
    if source is None:
        return None
    path = [r for r in rows if r.main] if source.main else chains[source.number]
    end = source
    for below in (r for r in path if r.number > source.number):
        if _side(below.change, side) is not None or (row in path and below.number >= row.number):
            break
        end = below
    return end


def _side(op: OpChange, side: int) -> Node | None:
    return op.after if side else op.before


def _is_next(source: Row | None, row: Row, rows: list[Row], side: int) -> bool:
    """Whether `row` is the next one on the main path of one of the networks."""
    if not row.main or (source is not None and not source.main):
        return False
    between = rows[source.number + 1 if source is not None else 0 : row.number]
    return all(_side(r.change, side) is None for r in between if r.main)


def elided(rows: list[Row], keep: int = 1, least: int = 3) -> list[Row]:
    """The rows of a long block with runs of what stayed the same, and is linked to its neighbours only, as one each."""
    if len(rows) <= _LONG:
        return rows
    sources = {source for row in rows for source in row.reads}
    result: list[Row] = []
    run: list[Row] = []
    for row in [*rows, None]:
        if row is not None and row.main and row.status == "same" and not row.reads and row.number not in sources:
            run.append(row)
            continue
        if len(run) >= least + 2 * keep:
            middle = run[keep : len(run) - keep]
            text = [Line(f"{len(middle)} layers as before", style.SMALL, colour=style.FAINT)]
            gap = Row(middle[0].number, middle[0].change, "same", True, text, "", wide=middle[0].wide)
            gap.elided = tuple(item.change for item in middle)
            run = [*run[:keep], gap, *run[len(run) - keep :]]
        result += run + ([row] if row is not None else [])
        run = []
    return result


def branches_of(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows beside the main path that read each other, in order."""
    of: dict[int, list[Row]] = {}
    found: list[list[Row]] = []
    for row in rows:
        if row.main:
            continue
        own = next((of[source] for source in row.reads if source in of), None)
        if own is None:
            own = []
            found.append(own)
        own.append(row)
        of[row.number] = own
    return found


def are_chains(rows: Sequence[Row], branches: Sequence[Sequence[Row]]) -> bool:
    """Whether every branch is a chain that starts on the main path and is read at its end only: what a column of rows
    says."""
    of = {row.number: index for index, branch in enumerate(branches) for row in branch}
    ends = {branch[-1].number for branch in branches}
    chained = ([*row.reads] == [before.number] for branch in branches for before, row in pairwise(branch))
    apart = (branch[0].reads and not of.keys() & branch[0].reads.keys() for branch in branches)
    onward = (s < row.number for row in rows for s in row.reads)
    read = (s in ends for row in rows for s in row.reads if s in of and of.get(row.number) != of[s])
    return all(chained) and all(apart) and all(onward) and all(read)
