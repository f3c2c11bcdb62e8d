"""What a training is of, as `run.json` says it: two runs must have this in common for one to go on from the other.

The contents of pictures are compared too: of all in small data sets, of some, evenly spread, in large ones.
Raises ArchError E648 for pictures that are not there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Container, Mapping
from typing import Any

from archdsl.graph.fingerprint import fingerprint
from archdsl.published import chosen
from archdsl.training.folders import UNKNOWN, Pictured
from archdsl.training.plan import Plan

VERSION = 2
PICTURES, TEST_PICTURES = "pictures", "test pictures"


def identity(plan: Plan, weights: str | None) -> dict[str, Any]:
    """What a training is of, as JSON holds it."""
    test = plan.data.test
    made = {
        "version": VERSION,
        "network": plan.pieces.variant.name,
        "digest": fingerprint(plan.pieces.variant.graph),
        "preprocess": plan.pieces.variant.preprocess.model_dump(mode="json"),
        "recipe": json.loads(plan.recipe.model_dump_json(exclude={"source"})),
        "weights": None if weights is None else _weights(plan, weights),
        PICTURES: _pictures(plan.data.train),
        TEST_PICTURES: None if test is None else _pictures(test),
        "batch": plan.batch,
        "micro-batch": plan.micro_batch,
        "processes": plan.wishes.devices,
        "seed": plan.wishes.seed,
        "amp": plan.wishes.amp,
    }
    return dict(json.loads(json.dumps(made)))


def _weights(plan: Plan, weights: str) -> str:
    """Which weights a training begins with: the name and the hash of a file or of published ones."""
    published = chosen(plan.given, weights)
    stated = published and (published.sha256 or published.sha1)
    if published is not None and stated:
        return f"{published.name} ({stated})"
    path = weights if published is None else published.fetch()
    if not os.path.isfile(path):
        return weights  # why it cannot be read, the loader says
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return weights
    return f"{os.path.basename(weights)} (sha256 {found[:16]})"


def _pictures(found: Pictured) -> dict[str, Any]:
    return {"classes": found.counts, "digest": found.digest, "contents": " ".join(found.contents.values())}


def without_contents(known: Mapping[str, Any], split: str, found: Pictured, numbers: Container[int]) -> dict[str, Any]:
    """An identity in which nothing is said of what is in these pictures of a split."""
    said = known[split]["contents"].split()
    for place, number in enumerate(found.contents):
        if number in numbers:
            said[place] = UNKNOWN
    return {**known, split: {**known[split], "contents": " ".join(said)}}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In words, what differs between two identities."""
    found = []
    for name in before.keys() | now.keys():
        a: Any = before.get(name)
        b: Any = now.get(name)
        if a == b:
            continue
        if name == "recipe":
            found.append(_recipes_differ(a, b))
        elif name in (PICTURES, TEST_PICTURES):
            found += _pictures_differ(name, a, b)
        elif name == "digest":
            if before.get("network") == now.get("network"):
                found.append(f"`{now['network']}` is another network now")
        elif name == "preprocess":
            names = [setting for setting in b if a.get(setting) != b[setting]]
            found.append(f"preprocess has other settings: {', '.join(names)}")
        else:
            found.append(f"{name} was {a}, is {b}")
    return sorted(found)


def _recipes_differ(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    if a["name"] != b["name"]:
        return f"recipe was {a['name']}, is {b['name']}"
    names = [name for name in b if a.get(name) != b[name]]
    return f"the recipe `{b['name']}` has other settings: {', '.join(names)}"


def _pictures_differ(what: str, a: Any, b: Any) -> list[str]:
    if a is None or b is None:
        return [f"there {'were' if a is None else 'are'} no {what}"]
    gone = [name for name in a["classes"] if name not in b["classes"]]
    new = [name for name in b["classes"] if name not in a["classes"]]
    if gone or new:
        lost = f"the class folder `{gone[0]}` is missing" if gone else f"the class folder `{new[0]}` is new"
        return [f"{what}: {lost}"]
    counts = [(name, n, b["classes"][name]) for name, n in a["classes"].items() if n != b["classes"][name]]
    if counts:
        name, then, today = counts[0]
        return [f"{what}: class `{name}` had {then} pictures, has {today}"]
    if a["digest"] != b["digest"]:
        return [f"{what}: other files"]
    pairs = zip(a["contents"].split(), b["contents"].split(), strict=True)
    other = sum(x != y and UNKNOWN not in (x, y) for x, y in pairs)
    return [f"{what}: {other} have other contents than before"] if other else []
