"""What stands before the names of a file's weights: what is dropped unasked, what is asked for, what is an error.

Wrappers around a model (DataParallel, torch.compile) put a word before every name, and averages a count beside them;
training frameworks put the attribute before them that the model is (`model.`, `backbone.`). Torch-free. Reports E510,
E533 and E534.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.weights.sets import cut

T = TypeVar("T")

WRAPPERS = ("module.", "_orig_mod.", "_forward_module.")
"""What DataParallel, torch.compile and Lightning's Fabric put before every name."""

INNER = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Parts of names that wrappers around a part of the model add."""

ATTRIBUTES = ("model.", "net.", "network.", "backbone.", "encoder.")
"""Before every name, these are dropped where all of the rest fits then."""

COUNTS = frozenset({"epoch", "global_step", "iter", "iteration", "n_averaged", "num_updates", "step"})
"""What is counted beside weights, as AveragedModel counts what it averaged."""

_SHOWN = 5
"""First parts of names in a hint."""


def is_count(key: object, value: object, is_number: bool) -> bool:
    """Whether an entry among weights is bookkeeping: a number by a name that no weight has."""
    return key in COUNTS and (is_number or value is None or isinstance(value, int | float | str))


def unwrapped(
    tensors: Mapping[str, T], own: Collection[str], wanted: Sequence[str], path: str
) -> tuple[dict[str, T], list[str]]:
    """Tensors by their names without what wrappers added, and what to say of that; of those that begin with `wanted`
    if anything is. `own` are the model's names: what these begin with stays. Raises ArchError E533 and E534."""
    notes: list[str] = []
    found = dict(tensors)
    wanted = [prefix if not prefix or prefix.endswith(".") else f"{prefix}." for prefix in wanted]
    if wanted and not any(key.startswith(prefix) for key in found for prefix in wanted):
        found = _without_wrappers(found, own, notes)
    if wanted:
        found = _taken(found, wanted, path)
    return _without_wrappers(found, own, notes), notes


def _without_wrappers(tensors: dict[str, T], own: Collection[str], notes: list[str]) -> dict[str, T]:
    again = True
    while again:
        again = False
        for prefix in WRAPPERS:
            if begins(tensors, prefix) and not any(key.startswith(prefix) for key in own):
                tensors = {key.removeprefix(prefix): tensor for key, tensor in tensors.items()}
                notes.append(dropped(prefix))
                again = True
    for part in INNER:
        if any(part in key.split(".") for key in own):
            continue
        names = {key: _without(key, part) for key in tensors if f"{part}." in key}
        shorter = [names.get(key, key) for key in tensors]
        if names and len(set(shorter)) == len(tensors):
            tensors = dict(zip(shorter, tensors.values(), strict=True))
            notes.append(f"`{part}.` was dropped in {len(names):,} keys of the file")
    return tensors


def _without(key: str, part: str) -> str:
    return ".".join(piece for piece in key.split(".") if piece != part)


def begins(tensors: Collection[str], prefix: str) -> bool:
    """Whether every key begins with it and goes on."""
    return bool(tensors) and all(key.startswith(prefix) and key != prefix for key in tensors)


def dropped(prefix: str) -> str:
    """What is said of a prefix."""
    return f"every key of the file begins with `{prefix}`, which was dropped"


def _taken(tensors: Mapping[str, T], wanted: Sequence[str], path: str) -> dict[str, T]:
    """Those that begin with one of the prefixes, without it: of each key the longest. An empty one fits them all."""
    found: dict[str, T] = {}
    at: dict[str, str] = {}
    missed = set(wanted)
    for key, tensor in tensors.items():
        prefix = max((one for one in wanted if key.startswith(one) and key != one), key=len, default=None)
        if prefix is None:
            continue
        missed.discard(prefix)
        name = key.removeprefix(prefix)
        if name in found:
            raise ArchError.of("E534", path=path, first=at[name], second=key, name=name)
        found[name], at[name] = tensor, key
    if missed:
        raise ArchError.of("E533", path=path, prefix=min(missed), known=_first_parts(tensors))
    return found


def _first_parts(names: Iterable[str]) -> str:
    """What names begin with, the most frequent first: `backbone.` (318), `head.` (2)."""
    counts: dict[str, int] = {}
    for name in names:
        part = name.partition(".")[0] + ("." if "." in name else "")
        counts[part] = counts.get(part, 0) + 1
    known = sorted(counts, key=lambda part: -counts[part])
    listed = [f"`{cut(part)}` ({counts[part]:,})" for part in known[:_SHOWN]]
    return ", ".join([*listed, *([f"… ({len(known):,} in all)"] if len(known) > _SHOWN else [])])


def report_prefix(names: Iterable[Mapping[str, str]], keys: Collection[str], notes: Iterable[str], bag: Bag) -> bool:
    """E510 if most names would be there, did those of one side not begin with something more.

    `names` are, under each map, the names of our weights; `keys` those of the file.
    """
    best: tuple[int, str, str, frozenset[str]] = (0, "", "", frozenset())
    rivals: list[str] = []
    for theirs in names:
        expected = frozenset(theirs.values())
        direct = len(expected & set(keys))
        for where, longer, shorter in (("file", keys, expected), ("model", expected, keys)):
            counts = _prefixed(longer, shorter)
            for prefix, count in counts.items():
                if count > max(best[0], direct, len(expected) // 2):
                    best = (count, where, prefix, expected)
                    rivals = [other for other in counts if other != prefix and counts[other] == count]
    count, where, prefix, expected = best
    if not count:
        return False
    longer, other = (list(keys), "model") if where == "file" else (sorted(expected), "file")
    those = [key for key in longer if key.startswith(prefix)]
    how_many = f"all {len(longer):,}" if len(those) == len(longer) else f"{len(those):,} of the {len(longer):,}"
    said = [f"without it {count:,} of them are names of the {other}"]
    said += [f"so are as many without `{cut(other)}`" for other in rivals[:_SHOWN] if where == "file"]
    option = None
    if where == "file":
        chosen = [prefix]
        left = expected - {key.removeprefix(prefix) for key in those}
        more = _prefixed((key for key in keys if not key.startswith(prefix)), left)
        if left and left <= set(keys):
            chosen.append('""')
            said.append(f"and {len(left):,} others as they stand there")
        elif more and max(more.values()) == len(left):
            chosen.append(max(more, key=lambda one: more[one]))
            said.append(f"and {len(left):,} others without `{chosen[1]}`")
        elif left:
            said.append(f"{len(left):,} names of the model are not there even so, as `{min(left)}`")
        option = " ".join(f"--prefix {one}" for one in chosen)
    facts = {"where": where, "other": other, "share": how_many, "prefix": prefix, "option": option}
    bag.report("E510", None, notes=[*said, *notes], items=[f"`{key}`" for key in those], facts=facts)
    return True


def _prefixed(longer: Iterable[str], shorter: Collection[str]) -> dict[str, int]:
    """With what names begin that are names of the other side without it, and how many are."""
    counts: dict[str, int] = {}
    for key in longer:
        at = key.find(".") + 1
        while at:
            if key[at:] in shorter:
                counts[key[:at]] = counts.get(key[:at], 0) + 1
            at = key.find(".", at) + 1
    return counts
