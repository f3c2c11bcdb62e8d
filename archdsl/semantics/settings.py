"""What a file says about its variants beside their layers: `init`, `preprocess`, and the targets of both.

Takes a `Program` and a `Configured` variant; gives `InitRule`s and a `Preprocess`. Items are looked up by the
variant's lineage: what is said of the model holds for all its variants, what is said of a variant overrides it.
Reports E102-E105, E108, E109, E301, E302, E317, E403-E405, E513 and E514.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.suggest import closest
from archdsl.graph.glob import Effort
from archdsl.graph.image import Image
from archdsl.graph.ir import Graph
from archdsl.graph.settings import INITIALIZERS, NEEDS_FAN, InitRule, InitRules, Preprocess
from archdsl.ops.registry import OPS
from archdsl.resources import label_lists
from archdsl.semantics.arguments import ArgumentOwner, validated
from archdsl.semantics.elaborate import call_arguments, elaborate
from archdsl.semantics.entries import read_entries
from archdsl.semantics.program import FileScope, Program
from archdsl.semantics.values import Arg
from archdsl.semantics.variants import Configured, targets_of, unknown_target
from archdsl.source import Span
from archdsl.symbolic import Const
from archdsl.syntax import ast

Targeted = TypeVar("Targeted", ast.Init, ast.Preprocess)

MOST_RULES = 500
"""Rules in the `init` items of one file."""

_KEYS = ArgumentOwner("preprocess", tuple(Preprocess.model_fields))


def init_rules(program: Program, configured: Configured, graph: Graph, bag: Bag) -> tuple[InitRule, ...]:
    """The rules for one variant, the most specific last; wrong ones are reported and left out."""
    rules = []
    for file, item in _about(program, configured, ast.Init):
        if _too_many(file, bag):
            continue
        for rule in item.rules:
            made = _init_rule(rule, file, bag)
            if made is not None:
                rules.append(made)
    _check_fans(rules, graph, bag)
    return tuple(rules)


def _too_many(file: FileScope, bag: Bag) -> bool:
    """E513 if a file has more rules than are looked at."""
    rules = [rule for item in file.items(ast.Init) for rule in item.rules]
    if len(rules) <= MOST_RULES:
        return False
    bag.report("E513", rules[MOST_RULES].pattern_span, what="init rules", count=f"{len(rules):,}", limit=MOST_RULES)
    return True


def preprocess_of(program: Program, configured: Configured, bag: Bag, graph: Graph | None = None) -> Preprocess | None:
    """How pictures are prepared for one variant, with its graph for those of this size; None where the file does not
    say, or after an error."""
    args: dict[str, Arg] = {}
    ok = True
    items = list(_about(program, configured, ast.Preprocess))
    for file, item in items:
        fresh = read_entries(item.entries, _KEYS.parameter_names, "E405", file, bag)
        ok = ok and fresh is not None
        args = _amended(args, fresh or {})
    return _checked(args, items[-1][1].targets[0].span, configured, bag, graph) if items and ok else None


def needed_preprocess(program: Program, configured: Configured, bag: Bag, graph: Graph) -> Preprocess | None:
    """`preprocess_of`, where a picture is to be prepared: E609 where nothing is said, E302 where it is of others."""
    settings = preprocess_of(program, configured, bag, graph)
    channels = graph.input_shape.channels
    if settings is None:
        if not bag.errors:
            bag.report("E609", None, what="preprocess", name=configured.name)
    elif len(settings.mean) != channels:
        expected = f"{channels} numbers, one a channel of the model's input"
        help_ = f"a `preprocess` for such images has `mean` and `std` of {channels}; else prepare them by yourself"
        place = _place_of(program, configured, "mean")
        bag.report("E302", place, help=help_, what="mean of preprocess", expected=expected, got=settings.mean)
    return settings


def _place_of(program: Program, configured: Configured, key: str) -> Span | None:
    """Where it is said what `key` of its `preprocess` is: the entry nearest to the variant, else the item."""
    place: Span | None = None
    said = False
    for file, item in _about(program, configured, ast.Preprocess):
        arg = (read_entries(item.entries, _KEYS.parameter_names, "E405", file, Bag()) or {}).get(key)
        if arg is not None or not said:
            place, said = (item.targets[0].span if arg is None else arg.span), arg is not None
    return place


def amended_preprocess(
    base: Preprocess | None,
    more: Mapping[str, Arg],
    place: Span,
    configured: Configured,
    bag: Bag,
    graph: Graph | None = None,
) -> Preprocess | None:
    """What is said of pictures for one file of weights, in the row at `place`, over what its spec says."""
    said = {} if base is None else {key: getattr(base, key) for key in base.model_fields_set}
    args = {key: Arg(value, Const(value), place) for key, value in said.items()}
    return _checked(_amended(args, more), place, configured, bag, graph)


def _amended(args: Mapping[str, Arg], fresh: Mapping[str, Arg]) -> dict[str, Arg]:
    """Settings with those that are said nearer to the variant; of two that say the same thing these decide."""
    rivals = {"resize": "crop", "crop": "resize"}
    dropped = {other for key, other in rivals.items() if key in fresh and other not in fresh}
    return {key: arg for key, arg in args.items() if key not in dropped} | dict(fresh)


def _checked(
    args: Mapping[str, Arg], place: Span, configured: Configured, bag: Bag, graph: Graph | None
) -> Preprocess | None:
    """The settings; None after an error."""
    made = validated(_KEYS, Preprocess, args, place, bag)
    if not isinstance(made, Preprocess) or not _known_labels(made.labels, args, bag):
        return None
    if configured.image.size is not None:
        side = max(configured.image.size)
        written = _written_side(configured) if made.size is None and made.resize else None
        made = made.for_image(side, side if written is None else written)
    image = graph and graph.input_shape
    problem = image and made.problem(max(image.height, image.width))
    if problem:
        sizes = [arg for key in ("resize", "crop", "size") if (arg := args.get(key)) is not None]
        span = next((arg.span for arg in sizes if arg.span is not place), place)
        bag.report("E317", span, owner="preprocess", detail=problem)
        return None
    return made


def _written_side(configured: Configured) -> int | None:
    """The longer side of the spec's own image, of a variant for which another was chosen; None where the network takes
    no other."""
    written = Image(channels=configured.image.channels)
    graph = elaborate(
        configured.name, configured.model, configured.args, configured.span, Bag(), image=written, traced=False
    )
    return None if graph is None else max(graph.input_shape.height, graph.input_shape.width)


def _known_labels(name: str | None, args: Mapping[str, Arg], bag: Bag) -> bool:
    lists = label_lists()
    if name is None or name in lists:
        return True
    near = closest(name, lists)
    help_ = f"did you mean `{near}`?" if near else None
    expected = f"the name of a shipped list ({', '.join(lists)})"
    bag.report("E302", args["labels"].span, help=help_, what="labels of preprocess", expected=expected, got=name)
    return False


def check_settings(program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag) -> None:
    """Check every `init`, `preprocess` and the target of every `checkpoint` of the root file."""
    root = program.root
    known = targets_of(program, variants)
    for item in root.syntax.items:
        for target in item.targets if isinstance(item, ast.Init | ast.Checkpoint | ast.Preprocess) else ():
            if target.name not in known:
                unknown_target("E108" if isinstance(item, ast.Preprocess) else "E109", target, known, bag)
        if isinstance(item, ast.Preprocess):
            read_entries(item.entries, _KEYS.parameter_names, "E405", root, bag)
    for configured in variants.values():
        preprocess_of(program, configured, bag, graphs.get(configured.name))
        if configured.name in graphs:
            init_rules(program, configured, graphs[configured.name], bag)
    _check_idle(root, graphs, variants, bag)


def _about(program: Program, configured: Configured, kind: type[Targeted]) -> Iterator[tuple[FileScope, Targeted]]:
    """Items of a kind about a variant, the most general first, with the file that says them.

    A model used from another file brings along what that file says of it.
    """
    root, home = program.root, configured.model.file
    for name in reversed(dict.fromkeys(configured.lineage)):
        own = name == configured.lineage[-1]
        for file in (home, root) if own and home is not root else (root,):
            # `use` cannot rename, so the model has one name in both files.
            yield from ((file, item) for item in _by_target(file, kind).get(name, ()))


def _by_target(file: FileScope, kind: type[Targeted]) -> Mapping[str, list[Targeted]]:
    """The items of a kind by what they are about; once for all variants of the file, each of which asks."""
    key, known = ("about", file, kind), file.memo.items
    if key not in known:
        found: dict[str, list[Targeted]] = {}
        for item in file.items(kind):
            for name in dict.fromkeys(target.name for target in item.targets):
                found.setdefault(name, []).append(item)
        known[key] = found
    index: Mapping[str, list[Targeted]] = known[key]
    return index


# --- init ------------------------------------------------------------------------------------


def _init_rule(rule: ast.Rule, file: FileScope, bag: Bag) -> InitRule | None:
    """A rule read; once for all variants of its file."""
    key, known = ("init", id(rule)), file.memo.items  # the syntax lives as long as the program
    if key not in known:
        if bag.spent:
            return None
        own = bag.part()
        known[key] = _read_rule(rule, file, own), tuple(own)
        bag.take_costs(own)
    made, found = known[key]
    for diagnostic in found:
        bag.add(diagnostic)
    return made if isinstance(made, InitRule) else None


def _read_rule(rule: ast.Rule, file: FileScope, bag: Bag) -> InitRule | None:
    value = rule.value
    callee = value.callee if isinstance(value, ast.CallExpr) else value
    given: tuple[ast.Argument, ...] = value.arguments if isinstance(value, ast.CallExpr) else ()
    if not isinstance(callee, ast.Name):
        bag.report("E301", value.span, what="an init rule", expected="an initializer", got="another expression")
        return None
    if callee.name not in INITIALIZERS:
        known = ", ".join(INITIALIZERS)
        bag.report("E403", callee.span, name=callee.name, suggestion=closest(callee.name, INITIALIZERS), known=known)
        return None
    model = INITIALIZERS[callee.name]
    owner = ArgumentOwner(callee.name, tuple(model.model_fields))
    args = call_arguments(given, owner.parameter_names, owner.name, value.span, file, bag)
    if args is None or validated(owner, model, args, value.span, bag) is None:
        return None
    pattern, weight = rule.pattern, ""
    if not rule.quoted:
        pattern, _, weight = rule.pattern.partition(".")
    arguments = {name: arg.value for name, arg in args.items()}
    return InitRule(
        pattern, weight or ("" if rule.quoted else "weight"), callee.name, arguments, rule.pattern_span, rule.quoted
    )


def _check_idle(file: FileScope, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag) -> None:
    """E404 for rules that match nothing in any variant; not said while one of these has errors of its own."""
    if _too_many(file, bag):
        return
    effort = Effort()
    for item in file.items(ast.Init):
        targets = {target.name for target in item.targets}
        concerned = [v.name for v in variants.values() if not targets.isdisjoint(v.lineage)]
        made = [(rule, _init_rule(rule, file, bag)) for rule in item.rules]
        idle = [(rule, known) for rule, known in made if known is not None]
        if not concerned or not all(name in graphs for name in concerned):
            continue
        try:
            for name in concerned:
                used = _matching([known for _, known in idle], graphs[name], effort)
                idle = [
                    (rule, known) for rule, known in idle if (known.pattern, known.weight, known.quoted) not in used
                ]
        except ArchError as error:
            for diagnostic in error.diagnostics:
                bag.add(diagnostic)
            return
        for rule, known in idle:
            names = (*OPS, *{op.role for op in OPS.values()})
            suggestion = None if rule.quoted or known.pattern in names else closest(known.pattern, names)
            bag.report("E404", rule.pattern_span, pattern=rule.pattern, suggestion=suggestion)


def _matching(rules: Sequence[InitRule], graph: Graph, effort: Effort) -> set[tuple[str, str, bool]]:
    """What the rules that match some weight of a graph are about; equal rules match alike."""
    found: set[tuple[str, str, bool]] = set()
    if not rules:
        return found
    known = InitRules(rules, effort)
    for node in graph.nodes:
        for weight in node.weights:
            found.update((rule.pattern, rule.weight, rule.quoted) for _, rule in known.about(node, weight))
    return found


def _check_fans(rules: Sequence[InitRule], graph: Graph, bag: Bag) -> None:
    """Fans are those of matrices and kernels: a vector has none."""
    fans = InitRules(rule for rule in rules if rule.initializer in NEEDS_FAN)
    vectors = [(node, weight) for node in graph.nodes for weight in node.weights if len(weight.shape) < 2]
    every = InitRules(rules)
    reported: set[int] = set()
    try:
        for node, weight in vectors:
            if fans.latest(node, weight) is None:
                continue
            rule = every.latest(node, weight)
            if rule is not None and rule.initializer in NEEDS_FAN and id(rule) not in reported:
                reported.add(id(rule))
                detail = f"it needs a weight with fan-in and fan-out; {node.weight_path(weight)} is a vector"
                bag.report("E317", rule.span, owner=rule.initializer, detail=detail)
    except ArchError as error:
        for diagnostic in error.diagnostics:
            bag.add(diagnostic)
