"""Names and shapes of a file against those of a model: which map fits, and what is wrong under it.

Torch-free. Reports E408, E415, E501-E503, E506 and, by `prefixes`, E510.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from archdsl.diagnostics.core import ArchError, Bag, errors_raised
from archdsl.graph.glob import Effort
from archdsl.graph.keymap import DIRECT, KeyMap, Renaming, report_clash
from archdsl.graph.published import OWN
from archdsl.weights.grouping import grouped
from archdsl.weights.prefixes import report_prefix

Shape = tuple[int, ...]

COUNTER = "num_batches_tracked"
"""Batch norm's count of training steps: files from before torch 0.4.1 lack it, and it does not change the output."""

SHOWN = 5
"""Faults of one kind that are shown one by one; more are one error, with the first of them."""

LINES = 8
"""Lines of keys in the text of such an error."""

TRIED = 16
"""Maps under which keys are looked for that only begin with something else."""

WIDTH = 200
"""Characters of such a line."""

GATHERED = 1000
"""Keys of which those are gathered that are alike, for these lines."""


@dataclass(frozen=True)
class Adaptation:
    """What of a file need not fit, because something else was asked for.

    `unneeded` are our keys that the module does not have (those of a head, where feature maps are wanted); `new` those
    of classifiers, each of which is initialized again as a whole unless the file has all of it in its size; `channels`
    has the layers that see the image, where its channels were asked for, with how many it has in the spec. Of the
    weights of classifiers, `heads`, the file has `offset` rows more in front: classes that are none of ours.
    """

    unneeded: Collection[str] = ()
    new: Collection[str] = ()
    channels: Mapping[str, int] = field(default_factory=dict)
    heads: Collection[str] = ()
    offset: int = 0

    def may_lack(self, key: str) -> bool:
        return key in self.unneeded or key in self.new

    def adapts(self, key: str, theirs: Shape, ours: Shape) -> bool:
        """Whether a kernel over other channels, of any number, is made one over ours."""
        other_channels = (*theirs[:1], *theirs[2:]) == (*ours[:1], *ours[2:]) and theirs[1:2] != ours[1:2]
        return len(theirs) == 4 and other_channels and theirs[1] > 0 and key in self.channels

    def shape_in_file(self, key: str, ours: Shape) -> Shape:
        """The shape in the file of a weight that has this one without the classes that are none of ours."""
        return (ours[0] + self.offset, *ours[1:]) if ours and key in self.heads else ours


STRICT = Adaptation()


@dataclass(frozen=True)
class Fit:
    """A file under one map: `theirs` says where each weight of ours is; what does not fit is in the lists."""

    keymap: KeyMap
    renaming: Renaming
    wanted: Mapping[str, Shape]
    """The shape in the file that each weight of ours needs."""
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    absent: tuple[str, ...]
    """Keys of the file that the map says have no counterpart here."""
    misshaped: tuple[str, ...]
    new: tuple[str, ...]
    """Our keys that are initialized again."""
    adapted: tuple[str, ...]
    """Our keys of layers that see an image of other channels than in the file."""
    trimmed: tuple[str, ...]
    """Our keys of classifiers whose first rows in the file are dropped."""
    uncounted: tuple[str, ...]
    """Our batch norms' counts that the file lacks: they start at 0."""
    misfits: int = 0
    """Lines of the map that give shapes which our weights have not."""

    @property
    def theirs(self) -> Mapping[str, str]:
        return self.renaming.theirs

    @property
    def turned(self) -> Mapping[str, int]:
        """Our keys whose numbers are in the other order there, along a dimension."""
        turns = ((key, self.renaming.reversed_at(key)) for key in self.renaming.reshaped)
        return {key: at for key, at in turns if at is not None}

    @property
    def names_fit(self) -> bool:
        return not (self.missing or self.unexpected or self.renaming.clashes or self.misfits)

    @property
    def faults(self) -> int:
        lines = len(self.renaming.clashes) + self.misfits
        return len(self.missing) + len(self.unexpected) + len(self.misshaped) + lines


def fit(
    ours: Mapping[str, Shape],
    shapes: Mapping[str, Shape],
    keymap: KeyMap,
    adaptation: Adaptation = STRICT,
    effort: Effort | None = None,
) -> Fit:
    """Hold a file's keys and shapes against ours (in the order of the graph) under a map; raises ArchError E514."""
    renaming = keymap.apply(ours, effort)
    absent = [key for key, theirs in renaming.theirs.items() if theirs not in shapes]
    wanted = {key: adaptation.shape_in_file(key, shape) for key, shape in their_shapes(renaming, ours).items()}
    differing = {
        key: shapes[theirs]
        for key, theirs in renaming.theirs.items()
        if theirs in shapes and shapes[theirs] != wanted[key]
    }
    unfit = {*absent, *differing}
    renewed = {_layer(key) for key in unfit if key in adaptation.new}
    adapted = [k for k, s in differing.items() if k not in renaming.reshaped and adaptation.adapts(k, s, ours[k])]
    known = set(renaming.theirs.values())
    left = keymap.ignored(shapes, known)
    expected = known.union(left)
    return Fit(
        keymap,
        renaming,
        wanted,
        missing=tuple(key for key in absent if not key.endswith(COUNTER) and not adaptation.may_lack(key)),
        unexpected=tuple(key for key in shapes if key not in expected),
        absent=left,
        misshaped=tuple(key for key in differing if key not in adapted and not adaptation.may_lack(key)),
        new=tuple(
            key for key in ours if key in adaptation.new and _layer(key) in renewed and key not in adaptation.unneeded
        ),
        adapted=tuple(adapted),
        trimmed=tuple(
            key for key in renaming.theirs if adaptation.offset and key in adaptation.heads and key not in unfit
        ),
        uncounted=tuple(key for key in absent if key.endswith(COUNTER) and not adaptation.may_lack(key)),
        misfits=len(renaming.misfits(ours)),
    )


def their_shapes(renaming: Renaming, ours: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shape in the file of each weight of ours: our own where its map says nothing else, or what does not fit."""
    shapes = dict(ours)
    for key in renaming.reshaped:
        theirs = renaming.shape(key, ours[key])
        if theirs is not None:
            shapes[key] = theirs
    return shapes


def _layer(key: str) -> str:
    """The layer of a weight: a new one is new as a whole."""
    return key.rpartition(".")[0]


def choose(
    ours: Mapping[str, Shape],
    shapes: Mapping[str, Shape],
    keymaps: Mapping[str, KeyMap],
    wanted: KeyMap | None,
    adaptation: Adaptation = STRICT,
) -> Fit:
    """The fit under the wanted map; else under our own names, else under the one map that fits; raises E506.

    Where none fits it is the one with the fewest faults: the caller reports them.
    """
    if wanted is not None:
        return fit(ours, shapes, wanted, adaptation)
    direct = fit(ours, shapes, DIRECT, adaptation)
    effort = Effort()
    if direct.names_fit:
        turning = (keymap for keymap in keymaps.values() if keymap.turns)
        fits = [fit(ours, shapes, keymap, adaptation, effort) for keymap in turning]
        _report_several([direct, *(found for found in fits if not found.faults and found.theirs == direct.theirs)])
        return direct
    fits = [fit(ours, shapes, keymap, adaptation, effort) for keymap in keymaps.values()]
    _report_several([found for found in fits if not found.faults])
    return min([direct, *fits], key=lambda found: (bool(found.faults), not found.names_fit, found.faults))


def _report_several(fits: Sequence[Fit]) -> None:
    """Raise ArchError E506 if these do not all read the file alike."""
    if any((found.theirs, found.turned) != (fits[0].theirs, fits[0].turned) for found in fits[1:]):
        names = (OWN if found.keymap is DIRECT else found.keymap.name for found in fits)
        raise ArchError.of("E506", names=", ".join(names))


def check_fit(
    found: Fit,
    ours: Mapping[str, Shape],
    shapes: Mapping[str, Shape],
    notes: Iterable[str] = (),
    keymaps: Iterable[KeyMap] = (),
    refused: Iterable[str] = (),
) -> None:
    """Raise ArchError with everything that does not fit; `keymaps` are those under which the file may be, but for what
    its keys begin with; `refused` says which files of other libraries do not fit, and is said of those alone."""
    bag = Bag()
    _report_map(found.renaming, ours, bag)
    said = list(notes)
    if found.keymap is not DIRECT:
        said.append(f"keys were read by the checkpoint map `{found.keymap.name}`")
    if found.missing:
        names = [found.theirs, *(keymap.apply(ours).theirs for keymap in islice(keymaps, TRIED))]
        if report_prefix(names, shapes.keys(), notes, bag):
            bag.raise_errors()  # keys that are missing or not expected follow from it
    if found.keymap is not DIRECT or ours.keys().isdisjoint(shapes):
        said += refused
    theirs = found.theirs
    wanted = found.wanted

    def named(key: str) -> str:
        return f"`{key}`" if theirs[key] == key else f"`{theirs[key]}`, our `{key}`"

    def needed(key: str) -> str:
        there = "" if wanted[key] == ours[key] else f", {shape_text(wanted[key])} there"
        return shape_text(ours[key]) + there

    missing = [f"{named(key)} ({needed(key)})" for key in found.missing]
    _report("E501", missing, f"{len(missing):,} of {len(ours):,} keys", said, bag)
    unexpected = [f"`{key}` ({shape_text(shapes[key])})" for key in found.unexpected]
    _report("E502", unexpected, f"{len(unexpected):,} keys", said, bag)
    if len(found.misshaped) <= SHOWN:
        rows = _rows(found.misshaped, {key: shapes[theirs[key]] for key in found.misshaped}, wanted)
        for key in found.misshaped:
            in_file = f"the shape of {named(key)} is {shape_text(shapes[theirs[key]])}"
            bag.report("E503", None, notes=_taken(said), theirs=in_file, ours=needed(key), classes=rows)
    else:
        items = [
            f"{named(key)} ({shape_text(shapes[theirs[key]])} in the file, {needed(key)} in the model)"
            for key in found.misshaped
        ]
        many = f"{len(items):,} weights have one shape"
        bag.report("E503", None, notes=[*_lines(items), *_taken(said)], items=items, theirs=many, ours="another")
    bag.raise_errors()


def check_map(renaming: Renaming, ours: Mapping[str, Shape]) -> None:
    """Raise ArchError if a map makes one key of two of ours, or gives one a shape that it has not: E408, E415."""
    with errors_raised() as bag:
        _report_map(renaming, ours, bag)


def _report_map(renaming: Renaming, ours: Mapping[str, Shape], bag: Bag) -> None:
    for clash in renaming.clashes:
        report_clash(clash, bag)
    renaming.report_misfits(ours, "the model", bag)


def _report(code: str, items: Sequence[str], many: str, notes: list[str], bag: Bag) -> None:
    """Some keys one by one; many as one error."""
    if len(items) > SHOWN:
        bag.report(code, None, notes=[*_lines(items), *_taken(notes)], items=items, what=many)
        return
    for item in items:
        bag.report(code, None, notes=_taken(notes), what=item)


def _rows(keys: Collection[str], theirs: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> int | None:
    """The rows in the file of the only layer that does not fit, if all of it has others: its classes, mostly."""
    rows = {theirs[key][:1] for key in keys}
    alike = all(theirs[key][1:] == wanted[key][1:] and theirs[key] for key in keys)
    return next(iter(rows))[0] if alike and len(rows) == 1 and len({_layer(key) for key in keys}) == 1 else None


def _taken(notes: list[str]) -> list[str]:
    """The notes, which are said with the first error only."""
    taken = notes.copy()
    notes.clear()
    return taken


def _lines(items: Sequence[str]) -> list[str]:
    """The first of many keys, those that are alike in one line."""
    lines = [line if len(line) <= WIDTH else f"{line[:WIDTH]}…" for line in map("".join, _alike(items[:GATHERED]))]
    whole = len(lines) <= LINES and len(items) <= GATHERED
    return lines if whole else [*lines[:LINES], "… (--json has every key)"]


def _alike(items: Sequence[str]) -> list[tuple[str, str]]:
    """Keys in few lines: those that differ in numbers and names only, and have the same shape."""
    parted = [(key, (f"`{rest}",)) for key, _, rest in (item[1:].partition("`") for item in items)]
    return [(f"`{key}", rest) for key, (rest,) in grouped(parted)]


def shape_text(shape: Shape) -> str:
    """`64×3×7×7`; `scalar` for no dimension."""
    return "×".join(map(str, shape)) or "scalar"
