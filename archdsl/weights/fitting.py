"""Names and shapes of a file against those of a model: which map fits, and what is wrong under it.

Torch-free. Reports E408 and E501-E503, E505, E506.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.suggest import closest
from archdsl.graph.keymap import DIRECT, KeyMap, Renaming, report_clash
from archdsl.weights.grouping import grouped

Shape = tuple[int, ...]

COUNTER = "num_batches_tracked"
"""Batch norm's count of training steps: files from before torch 0.4.1 lack it, and it does not change the output."""

SHOWN = 20
"""Faults of one kind that are shown one by one; more are gathered."""


@dataclass(frozen=True)
class Leeway:
    """What of a file need not fit, because something else was asked for.

    `unneeded` are our keys that the module does not have (those of a head, where feature maps are wanted); `new` those
    of a classifier that is initialized anew unless the file has one of its size; `channels` says, for the layers that
    see the image, how many channels it has in the spec, where it has others here.
    """

    unneeded: Collection[str] = ()
    new: Collection[str] = ()
    channels: Mapping[str, int] = field(default_factory=dict)

    def may_lack(self, key: str) -> bool:
        return key in self.unneeded or key in self.new

    def may_differ(self, key: str, theirs: Shape, ours: Shape) -> bool:
        return self.may_lack(key) or self.adapts(key, theirs, ours)

    def adapts(self, key: str, theirs: Shape, ours: Shape) -> bool:
        """Whether a kernel over other channels can be summed or repeated."""
        other_channels = (*theirs[:1], *theirs[2:]) == (*ours[:1], *ours[2:]) and theirs[1:2] != ours[1:2]
        return len(theirs) == 4 and other_channels and theirs[1] == self.channels.get(key)


STRICT = Leeway()


@dataclass(frozen=True)
class Fit:
    """A file under one map: `theirs` says where each weight of ours lies; what does not fit is in the lists."""

    keymap: KeyMap
    renaming: Renaming
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    absent: tuple[str, ...]
    """Keys of the file that the map says have no counterpart here."""
    misshaped: tuple[str, ...]
    new: tuple[str, ...]
    """Our keys that are initialized anew."""
    adapted: tuple[str, ...]
    """Our keys of layers that see an image of other channels than in the file."""
    uncounted: tuple[str, ...]
    """Our batch norms' counts that the file lacks: they start at 0."""

    @property
    def theirs(self) -> Mapping[str, str]:
        return self.renaming.theirs

    @property
    def names_fit(self) -> bool:
        return not (self.missing or self.unexpected or self.renaming.clashes)

    @property
    def faults(self) -> int:
        return len(self.missing) + len(self.unexpected) + len(self.misshaped) + len(self.renaming.clashes)


def fit(ours: Mapping[str, Shape], shapes: Mapping[str, Shape], keymap: KeyMap, leeway: Leeway = STRICT) -> Fit:
    """Hold a file's keys and shapes against ours (in the order of the graph) under a map."""
    renaming = keymap.apply(ours)
    absent = [key for key, theirs in renaming.theirs.items() if theirs not in shapes]
    differing = {
        key: shapes[theirs]
        for key, theirs in renaming.theirs.items()
        if theirs in shapes and shapes[theirs] != ours[key]
    }
    unfit = {*absent, *differing}
    known = set(renaming.theirs.values())
    left = keymap.left_aside(shapes, known)
    expected = known.union(left)
    return Fit(
        keymap,
        renaming,
        missing=tuple(key for key in absent if not key.endswith(COUNTER) and not leeway.may_lack(key)),
        unexpected=tuple(key for key in shapes if key not in expected),
        absent=left,
        misshaped=tuple(key for key, shape in differing.items() if not leeway.may_differ(key, shape, ours[key])),
        new=tuple(key for key in ours if key in unfit and key in leeway.new and key not in leeway.unneeded),
        adapted=tuple(key for key, shape in differing.items() if leeway.adapts(key, shape, ours[key])),
        uncounted=tuple(key for key in absent if key.endswith(COUNTER) and not leeway.may_lack(key)),
    )


def named_map(name: str, keymaps: Mapping[str, KeyMap]) -> KeyMap:
    """The map of that name; raises ArchError E505."""
    if name not in keymaps:
        bag = Bag()
        bag.report("E505", None, name=name, suggestion=closest(name, keymaps))
        raise ArchError(bag)
    return keymaps[name]


def choose(
    ours: Mapping[str, Shape],
    shapes: Mapping[str, Shape],
    keymaps: Mapping[str, KeyMap],
    name: str | None,
    leeway: Leeway = STRICT,
) -> Fit:
    """The fit under the named map; else under our own names, else under the one map that fits; raises E505, E506.

    Where none fits it is the one with the fewest faults: the caller reports them.
    """
    if name is not None:
        return fit(ours, shapes, named_map(name, keymaps), leeway)
    direct = fit(ours, shapes, DIRECT, leeway)
    if direct.names_fit:
        return direct
    fits = [fit(ours, shapes, keymap, leeway) for keymap in keymaps.values()]
    perfect = [found for found in fits if not found.faults]
    if any(found.theirs != perfect[0].theirs for found in perfect[1:]):
        bag = Bag()
        bag.report("E506", None, names=", ".join(found.keymap.name for found in perfect))
        raise ArchError(bag)
    return min([direct, *fits], key=lambda found: (bool(found.faults), not found.names_fit, found.faults))


def check_fit(found: Fit, ours: Mapping[str, Shape], shapes: Mapping[str, Shape], notes: Iterable[str]) -> None:
    """Raise ArchError with everything that does not fit."""
    bag = Bag()
    for clash in found.renaming.clashes:
        report_clash(clash, bag)
    said = list(notes)
    if found.keymap is not DIRECT:
        said.append(f"keys were read by the checkpoint map `{found.keymap.name}`")
    theirs = found.theirs
    for key, (shape,) in _shown(found.missing, theirs, lambda key: (shape_text(ours[key]),)):
        bag.report("E501", None, notes=said, key=key, shape=shape)
    for key, (shape,) in _shown(found.unexpected, {}, lambda key: (shape_text(shapes[key]),)):
        bag.report("E502", None, notes=said, key=key, shape=shape)
    both = _shown(found.misshaped, theirs, lambda key: (shape_text(shapes[theirs[key]]), shape_text(ours[key])))
    for key, (in_file, in_model) in both:
        bag.report("E503", None, notes=said, key=key, theirs=in_file, ours=in_model)
    bag.raise_errors()


def shape_text(shape: Shape) -> str:
    """`64×3×7×7`; `scalar` for no dimension."""
    return "×".join(map(str, shape)) or "scalar"


def _shown(
    keys: Sequence[str], theirs: Mapping[str, str], facts: Callable[[str], tuple[str, ...]]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Keys with facts about them, their name beside ours where it differs; many of them gathered into fewer."""
    if len(keys) > SHOWN:
        return grouped((key, facts(key)) for key in keys)
    named = {key: key if theirs.get(key, key) == key else f"{theirs[key]}`, our `{key}" for key in keys}
    return [(named[key], facts(key)) for key in keys]
