"""Near misses: takes a name and those that are known, gives the one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_LONGEST = 64
_PER_TYPO = 4


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` most likely misspells, or None if none is near.

    Near is, the nearest first: the same but for case and underscores (`ReLU`, `max_pool`); what another library calls
    it (`BatchNorm2d`, `filters`); one typo, or two in a long name; one a whole-word beginning of the other
    (`kernel_size`, `kernel`); one edit per three characters. A swap of neighbours is one edit. Ties go to the same
    case, then to the earlier candidate.
    """
    others = [c for c in dict.fromkeys(candidates) if c != name and 0 < len(c) <= _LONGEST]
    if not others or not 0 < len(name) <= _LONGEST:
        return None
    plain = _plain(name)
    for candidate in others:
        if plain and _plain(candidate) == plain:
            return candidate
    from archdsl.diagnostics.foreign import FOREIGN

    if FOREIGN.get(plain) in others:
        return FOREIGN[plain]
    return _nearest(name, others, per=_PER_TYPO, most=2) or _whole_words(name, others) or _nearest(name, others, per=3)


def meant(name: str, candidates: Iterable[str]) -> tuple[str | None, str | None]:
    """For a name that may be an op's: the candidate that is meant, or None and, if it is known, why there is none.

    What is known to be absent is not taken for the misspelling of something else: `conv1d` is not `conv`.
    """
    from archdsl.diagnostics.foreign import ABSENT

    return _or_absent(name, candidates, ABSENT)


def meant_parameter(name: str, candidates: Iterable[str]) -> tuple[str | None, str | None]:
    """The same for the name of an argument."""
    from archdsl.diagnostics.foreign import ABSENT_PARAMETERS

    return _or_absent(name, candidates, ABSENT_PARAMETERS)


def meant_setting(name: str, parameters: Iterable[str]) -> tuple[str | None, str | None]:
    """The same for a parameter of a model."""
    from archdsl.diagnostics.foreign import ABSENT_SETTINGS, SETTINGS

    known = list(parameters)
    foreign = SETTINGS.get(_plain(name))
    return (foreign, None) if foreign in known else _or_absent(name, known, ABSENT_SETTINGS)


def _or_absent(name: str, candidates: Iterable[str], absent: Mapping[str, str]) -> tuple[str | None, str | None]:
    near, plain = closest(name, candidates), _plain(name)
    if plain in absent and (near is None or _plain(near) != plain):
        return None, absent[plain]
    return near, None


def _whole_words(name: str, candidates: list[str]) -> str | None:
    """The longest candidate that `name` begins with, or else the shortest that begins with it."""
    for candidate in sorted(candidates, key=len, reverse=True):
        if len(candidate) > 2 and name.lower().startswith(candidate.lower() + "_"):
            return candidate
    for candidate in sorted(candidates, key=len):
        if len(name) > 2 and candidate.lower().startswith(name.lower() + "_"):
            return candidate
    return None


def _nearest(name: str, candidates: list[str], *, per: int, most: int = _LONGEST) -> str | None:
    """The candidate of the fewest edits, of which each `per` characters allow one."""
    from rapidfuzz.distance import OSA

    best, best_distance = None, (_LONGEST + 1, 0)
    for candidate in candidates:
        allowed = min(most, max(len(name), len(candidate)) // per)
        edits = OSA.distance(name.lower(), candidate.lower(), score_cutoff=allowed)
        if edits <= allowed and edits <= best_distance[0]:
            distance = (edits, OSA.distance(name, candidate))
            if distance < best_distance:
                best, best_distance = candidate, distance
    return best


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
