"""Near misses: takes a name and those that are known, gives the one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 64
_ELSEWHERE = {
    "batchnorm": "bn", "batchnorm2d": "bn", "bn2d": "bn", "batchnormalization": "bn", "dense": "linear", "fc": "linear",
    "fullyconnected": "linear", "identity": "id", "globalavgpool": "gap", "globalavgpool2d": "gap",
    "globalaveragepooling2d": "gap", "averagepooling2d": "avgpool", "maxpooling2d": "maxpool", "cat": "concat",
    "concatenate": "concat", "swish": "silu", "hswish": "hardswish", "hsigmoid": "hardsigmoid", "depthwise": "dwconv",
    "depthwiseconv2d": "dwconv", "droppath": "drop_path", "stochasticdepth": "drop_path", "multiply": "mul",
    "interpolate": "upsample", "localresponsenorm": "lrn",
    "kernelsize": "kernel", "outchannels": "out", "outfeatures": "out", "filters": "out",
}  # fmt: skip
"""What other libraries call something, without case and underscores -> its name here."""


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` most likely misspells, or None if none is near.

    Near is: the same but for case and underscores (`ReLU`, `max_pool`), what another library calls it (`BatchNorm2d`,
    `filters`), one a whole-word beginning of the other (`kernel_size`, `kernel`), or one edit per three characters (a
    swap of neighbours is one edit). Ties go to the earlier candidate.
    """
    others = [c for c in dict.fromkeys(candidates) if c != name and 0 < len(c) <= _LONGEST]
    if not others or not 0 < len(name) <= _LONGEST:
        return None
    plain = _plain(name)
    for candidate in others:
        if plain and _plain(candidate) == plain:
            return candidate
    if _ELSEWHERE.get(plain) in others:
        return _ELSEWHERE[plain]
    for candidate in sorted(others, key=len, reverse=True):
        if len(candidate) > 2 and name.lower().startswith(candidate.lower() + "_"):
            return candidate
    for candidate in sorted(others, key=len):
        if len(name) > 2 and candidate.lower().startswith(name.lower() + "_"):
            return candidate
    return _nearest(name, others)


def _nearest(name: str, candidates: list[str]) -> str | None:
    from rapidfuzz.distance import OSA

    best, best_distance = None, _LONGEST + 1
    for candidate in candidates:
        allowed = max(len(name), len(candidate)) // 3
        distance = OSA.distance(name.lower(), candidate.lower(), score_cutoff=allowed)
        if distance <= allowed and distance < best_distance:
            best, best_distance = candidate, distance
    return best


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
