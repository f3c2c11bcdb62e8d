"""The `reference` items of a file: which models of which libraries each variant is said to equal.

Takes a `Program` and a `Configured` variant; gives `Reference`s. Like `expect` they are claims of the file about its
own variants: they are not inherited by what amends a variant, and do not travel with a model that is used elsewhere.
What is said of a variant by name replaces what is said of its model and the same library. No library is imported.
Reports E101, E105, E106, E108, E301, E302, E317, E409-E414 and E505.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest
from archdsl.graph.reference import ARGUMENTS, LIBRARIES, Comparison, Plain, Reference, is_plain, is_plain_name
from archdsl.semantics.arguments import ArgumentOwner, validated
from archdsl.semantics.checkpoints import keymaps_of
from archdsl.semantics.elaborate import constant
from archdsl.semantics.entries import read_entries
from archdsl.semantics.program import FileScope, Program
from archdsl.semantics.values import UNKNOWN, type_name
from archdsl.semantics.variants import Configured, targets_of, unknown_target
from archdsl.source import Span
from archdsl.syntax import ast


def references_of(program: Program, configured: Configured, bag: Bag) -> tuple[Reference, ...]:
    """The references of one variant, in the order of the file; wrong ones are reported and left out."""
    found = (
        _read(item, configured.name if named.model is None else named.model.value, program.root, bag)
        for item, named in _about(program, configured)
        if _is_plain(item, named, bag)
    )
    return tuple(reference for reference in found if reference is not None)


def check_references(program: Program, variants: Mapping[str, Configured], bag: Bag) -> None:
    """Check every `reference` of the root file: its library, targets, values, and that its map exists."""
    known = targets_of(program, variants)
    seen: dict[tuple[str, str, str | None], Span] = {}
    for item in program.root.items(ast.Reference):
        for named in item.targets:
            target = named.target
            if target.name not in known:
                unknown_target("E108", target, known, bag)
                continue
            # A library may have one network under several names, or another one under the variant's.
            key = item.library.name, target.name, named.model.value if named.model else None
            if key in seen:
                first = Label(seen[key], "first given here")
                bag.report("E106", target.span, name=" for ".join(key[:2]), secondary=[first])
            seen.setdefault(key, target.span)
        for named in item.targets:
            _is_plain(item, named, bag)
        reference = _read(item, "", program.root, bag)
        if reference is not None and reference.comparison.checkpoint is not None:
            concerned = [each for each in variants.values() if any(item is one for one, _ in _about(program, each))]
            _check_map(item, reference.comparison.checkpoint, concerned, program, bag)


def _is_plain(item: ast.Reference, named: ast.ReferenceTarget, bag: Bag) -> bool:
    """Whether a target has a plain name in the library; False after E412. Names are handed to libraries,
    and written into commands and configurations."""
    if named.model is None or is_plain_name(named.model.value):
        return True
    bag.report("E412", named.model.span, library=item.library.name, name=named.model.value)
    return False


def _about(program: Program, configured: Configured) -> list[tuple[ast.Reference, ast.ReferenceTarget]]:
    """The items that name a variant, and those that name its model, but for a library that one of the former names.

    Each with the target that names it, and as often as it says what the library calls the network.
    """
    own, models = (
        [
            (item, named)
            for item in program.root.items(ast.Reference)
            for named in item.targets
            if named.target.name == name
        ]
        for name in (configured.name, configured.model.name)
    )
    libraries = {item.library.name for item, _ in own}
    if configured.name != configured.model.name:
        own += [(item, named) for item, named in models if item.library.name not in libraries]
    return sorted(own, key=lambda found: found[1].target.span.start)


def _read(item: ast.Reference, model: str, file: FileScope, bag: Bag) -> Reference | None:
    """What an item says of a variant; None after an error."""
    library = item.library.name
    known = library in LIBRARIES
    if not known:
        names = ", ".join(LIBRARIES)
        bag.report("E409", item.library.span, name=library, suggestion=closest(library, LIBRARIES), known=names)
    arguments = _arguments(item, file, bag)
    entries = read_entries(item.entries, tuple(Comparison.model_fields), "E410", file, bag)
    if entries is None:
        return None
    comparison = validated(
        ArgumentOwner("reference", tuple(Comparison.model_fields)), Comparison, entries, item.span, bag
    )
    if not isinstance(comparison, Comparison) or arguments is None or not known:
        return None
    reason = item.docstring.text if item.docstring else ""
    usual = Comparison()
    for key in ("tolerance", "everywhere", "differs"):
        if getattr(comparison, key) != getattr(usual, key) and not reason.strip():
            bag.report("E411", entries[key].span, key=key)
            return None
    return Reference(library, model, arguments, comparison, reason)


def _arguments(item: ast.Reference, file: FileScope, bag: Bag) -> dict[str, Plain] | None:
    """The values for the library's constructor; None after E105, E106, E413, E414 or an error in a value."""
    listed = ARGUMENTS.get(item.library.name)
    found: dict[str, Plain] = {}
    places: dict[str, Span] = {}
    ok = True
    for argument in item.arguments:
        name = argument.name
        if name is None or argument.name_span is None:
            bag.report("E105", argument.span, owner=f"{item.library.name} with", limit=0, given=1)
            ok = False
            continue
        if name in places:
            bag.report("E106", argument.name_span, name=name, secondary=[Label(places[name], "first given here")])
            ok = False
        places[name] = argument.name_span
        if listed is not None and name not in listed:
            library, near = item.library.name, closest(name, listed)
            bag.report("E413", argument.name_span, name=name, library=library, suggestion=near, known=", ".join(listed))
            ok = False
            continue
        value = constant(argument.value, file, bag)
        if value is UNKNOWN or listed is None:
            ok = False
        elif not is_plain(value) or not listed[name].takes(value):
            got = str(value) if type(value) in (int, float) else type_name(value)
            bag.report("E414", argument.value.span, name=name, expected=listed[name].expected, got=got)
            ok = False
        else:
            found[name] = value
    return found if ok else None


def _check_map(item: ast.Reference, name: str, concerned: Iterable[Configured], program: Program, bag: Bag) -> None:
    place = next(entry.value.span for entry in item.entries if entry.key == "checkpoint")
    for configured in concerned:
        maps = keymaps_of(program, configured, Bag())
        if name not in maps:
            bag.report("E505", place, name=name, suggestion=closest(name, maps))
            return
