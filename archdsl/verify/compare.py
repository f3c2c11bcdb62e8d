"""One variant against its references: takes an `archdsl.Variant`, gives a `Result` for each library.

Structure first, on the meta device, where nothing is computed; then, where asked for, numbers. Both networks are built
once, and the weights exist once: ours are the reference's tensors.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from archdsl.diagnostics.core import ArchError
from archdsl.graph.keymap import Renaming
from archdsl.graph.published import OWN
from archdsl.graph.reference import SIZES, Reference
from archdsl.variant import Variant
from archdsl.verify import traits
from archdsl.verify.back import check_conversion_back
from archdsl.verify.libraries import LibraryRefused, Unavailable, reference_model, version
from archdsl.verify.numbers import in_double, output_difference, step_differences, train_step
from archdsl.verify.operations import Operation
from archdsl.verify.randomize import give_memory, randomize
from archdsl.verify.results import Result, listed
from archdsl.verify.running import CannotRun, Meaningless
from archdsl.weights.loading import fit_keys
from archdsl.weights.naming import map_name, namings

SHOWN = 5
"""Differences of one kind that a finding lists."""

TRAINED = 400_000_000
"""Parameters above which no training step is compared: two sets of gradients are twice the memory of the weights."""

AT_ITS_OWN_SIZE = 50_000_000_000
"""MACs above which outputs are not compared at the variant's own image size: half a minute each."""

Progress = Callable[[str], None]
V = TypeVar("V")


def compare(
    variant: Variant,
    reference: Reference,
    *,
    numbers: bool = True,
    own_size: bool = False,
    progress: Progress = lambda _: None,
) -> Result:
    """Hold a variant against a reference: structure, and with `numbers` outputs and a training step.

    `own_size`: outputs at the variant's own image size as well.
    """
    start = time.perf_counter()
    progress("building")
    try:
        theirs = reference_model(reference)
    except Unavailable as error:
        result = _result(variant, reference)
        result.skipped = str(error)
        return result
    except LibraryRefused as error:
        result = _result(variant, reference)
        result.find("model", str(error))
        return result
    models = theirs, variant.empty()
    result = compare_models(variant, reference, *models, numbers=numbers, own_size=own_size, progress=progress)
    result.seconds = time.perf_counter() - start
    return result


def compare_models(
    variant: Variant,
    reference: Reference,
    theirs: nn.Module,
    ours: nn.Module,
    *,
    numbers: bool = True,
    own_size: bool = False,
    progress: Progress = lambda _: None,
) -> Result:
    """Hold a network against another, both on the meta device, as those of a variant and of its reference."""
    result = _result(variant, reference)
    found = _names(variant, theirs, result)
    if found is None:
        return result
    pair = _Pair(variant, reference, theirs.eval(), ours.eval(), *found)
    progress("structure")
    try:
        for check in (_names_back, _settings, _work, _drops):
            check(pair, result)
        if numbers and not any(finding.check in ("keys", "params") for finding in result.findings):
            _numbers(pair, result, progress, own_size=own_size)
    except CannotRun as error:
        result.find("size", f"{error}; `sizes` of the reference says at which to compare")
    except Meaningless as error:
        result.find("outputs", str(error))
    return result


class _Pair:
    """Both networks, and our name for each of the reference's keys and paths."""

    def __init__(
        self,
        variant: Variant,
        reference: Reference,
        theirs: nn.Module,
        ours: nn.Module,
        names: Mapping[str, str],
        renaming: Renaming,
        naming: str,
    ) -> None:
        self.variant = variant
        self.reference = reference
        self.theirs = theirs
        self.ours = ours
        self.names = names
        self.renaming = renaming
        self.naming = naming
        self.paths = {key.rpartition(".")[0]: name.rpartition(".")[0] for key, name in names.items()}

    def in_our_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors by the reference's keys under ours, in the shapes of our weights."""
        shapes = {key: tuple(tensor.shape) for key, tensor in self.ours.state_dict().items()}
        named = {self.names[key]: tensor for key, tensor in tensors.items()}
        return {key: self.renaming.here(key, tensor, shapes[key]) for key, tensor in named.items()}

    @property
    def size(self) -> int:
        """The side of the images that the numbers are first compared with."""
        return self.reference.comparison.sizes[0]

    @property
    def exact(self) -> bool:
        """Whether the networks are to be equal bit for bit."""
        return self.reference.comparison.tolerance == 0


def _result(variant: Variant, reference: Reference) -> Result:
    graph = variant.graph
    family = Path(variant.file.name).stem
    keys = sum(1 for _ in graph.state())
    return Result(family, variant.name, reference, version(reference.library), graph.params, graph.macs, keys)


def _names(variant: Variant, theirs: nn.Module, result: Result) -> tuple[dict[str, str], Renaming, str] | None:
    """Our key for each of the reference's, directly or by a map of the spec, that map applied, and the word for their
    names: the library, if the spec says that it has the network, and else the map.

    None if they do not fit, or should not.
    """
    state, reference = theirs.state_dict(), result.reference
    try:
        found = fit_keys(variant, state, reference.comparison.checkpoint)
    except ArchError as error:
        result.refused = result.reference.refuses
        for line in _some([diagnostic.message for diagnostic in error.diagnostics]) if not result.refused else ():
            result.find("keys", line)
        return None
    if result.reference.refuses:
        result.find("keys", "the library's files load, though the reference says that they do not")
        return None
    names = {theirs: ours for ours, theirs in found.theirs.items() if theirs in state}
    if len(names) != len(state):
        result.find("keys", f"{len(names)} keys of ours for {len(state)} of the reference")
        return None
    trainable = sum(parameter.numel() for parameter in theirs.parameters() if parameter.requires_grad)
    if trainable != variant.graph.params:
        result.find("params", f"{variant.graph.params:,} instead of {trainable:,}")
    word = map_name(reference) if reference.library in namings(variant) else found.keymap.name or OWN
    return {key: names[key] for key in state}, found.renaming, word


# --- structure -------------------------------------------------------------------------------


def _names_back(pair: _Pair, result: Result) -> None:
    """That what we write by the library's names is what the library writes; with the values that there are."""
    state = pair.theirs.state_dict()
    for line in _some(check_conversion_back(pair.variant, pair.naming, pair.in_our_names(state), state)):
        result.find("names", line)


def _settings(pair: _Pair, result: Result) -> None:
    """Strides, paddings, groups, eps, momentum …, path by path."""
    theirs = {pair.paths.get(path, path): values for path, values in traits.settings(pair.theirs).items()}
    ours = traits.settings(pair.ours)
    lines = []
    for path, expected in theirs.items():
        actual = ours.get(path, {})
        for name in {**expected, **actual}:
            a, b = expected.get(name), actual.get(name)
            computed = name == "padding" and None in (a, b)
            if not computed and not _alike(a, b):
                lines.append(f"{name} of {path}: {b} instead of {a}")
    lines += [f"{path}: the reference has no such layer" for path in ours if path not in theirs]
    _report(pair, result, "settings", lines)


def _alike(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9)  # 1 - 0.99 is not quite 0.01
    return a == b


def _work(pair: _Pair, result: Result) -> None:
    """MACs and operations at the variant's own size, which is even or odd, and at sizes that are the other.

    Operations are to be the same on the same shapes only where the networks are to be equal bit for bit.
    """
    own = pair.variant.graph.input_shape.height
    macs, operations = [], []
    for size in (own, *(size for size in pair.reference.comparison.sizes if size % 2 != own % 2)):
        expected, theirs = traits.work(pair.theirs, size, "the reference")
        actual, ours = traits.work(pair.ours, size, "the variant")
        if actual != expected:
            macs.append(f"{actual:,} instead of {expected:,} at {size}×{size}")
        if size == own and actual != pair.variant.graph.macs:
            result.find("macs", f"the graph says {pair.variant.graph.macs:,}, the module does {actual:,}")
        operations += [
            f"{_shown(operation)} at {size}×{size}: {ours[operation]} instead of {theirs[operation]}"
            for operation in {**theirs, **ours}
            if theirs[operation] != ours[operation]
        ]
    _report(pair, result, "macs", macs)
    if pair.exact:
        _report(pair, result, "operations", operations)


def _shown(operation: Operation) -> str:
    name, *arguments = operation
    return f"{name}({', '.join(map(str, arguments))})"


def _drops(pair: _Pair, result: Result) -> None:
    """The rates of dropout and stochastic depth, in order."""
    theirs = traits.drops(pair.theirs, pair.size, "the reference")
    ours = traits.drops(pair.ours, pair.size, "the variant")
    lines = []
    if len(theirs) != len(ours):
        lines.append(f"{len(ours)} places where training drops something instead of {len(theirs)}")
    for number, ((expected, shape), (rate, own)) in enumerate(zip(theirs, ours, strict=False), 1):
        if not math.isclose(expected, rate, rel_tol=1e-6) or shape != own:  # timm computes some in single precision
            lines.append(f"place {number}: rate {rate:.6g} over {own} instead of {expected:.6g} over {shape}")
    _report(pair, result, "drops", lines)


def _report(pair: _Pair, result: Result, check: str, lines: Sequence[str]) -> None:
    """Findings, unless the reference says that this differs; then a finding if it does not."""
    if check not in pair.reference.comparison.differs:
        for line in _some(lines):
            result.find(check, line)
    elif not lines:
        result.find(check, "they are equal, though the reference says that they differ")


def _some(lines: Iterable[str]) -> list[str]:
    every = list(lines)
    rest = len(every) - SHOWN
    return every if rest <= 1 else [*every[:SHOWN], f"and {rest} more"]


# --- numbers ---------------------------------------------------------------------------------


def _numbers(pair: _Pair, result: Result, progress: Progress, *, own_size: bool) -> None:
    comparison = pair.reference.comparison
    own = pair.variant.graph.input_shape.height
    with_own = own_size and own not in comparison.sizes and pair.variant.graph.macs <= AT_ITS_OWN_SIZE
    give_memory(pair.theirs)
    with ExitStack() as stack:
        if not pair.exact:
            stack.enter_context(in_double(pair.theirs, pair.ours))
        progress("randomizing")
        randomize(pair.theirs, size=pair.size)
        _share_weights(pair)
        _names_back(pair, result)
        for size in (*comparison.sizes, *([own] if with_own else [])):
            progress(f"outputs at {size}×{size}")
            batch = 1 if size == own and with_own else 2
            difference = output_difference(pair.theirs, pair.ours, size, batch=batch)
            result.differences = {**result.differences, size: difference}
            if not difference <= comparison.tolerance:
                result.find("outputs", f"they differ by {difference:.2g} standard deviations at {size}×{size}")
        if not comparison.everywhere:
            _elsewhere(pair, result)
        if pair.variant.graph.params <= TRAINED and "drops" not in comparison.differs:
            progress("a training step")
            _training(pair, result)


def _elsewhere(pair: _Pair, result: Result) -> None:
    """That they differ at other sizes, where the reference says so: at the two where networks are usually compared."""
    for size in SIZES:
        try:
            if not output_difference(pair.theirs, pair.ours, size) <= pair.reference.comparison.tolerance:
                return
        except Meaningless:
            return
    result.find("size", f"they are equal at {listed(SIZES)} too, though the reference says at its sizes alone")


def _share_weights(pair: _Pair) -> None:
    """Our network with the reference's parameters, and copies of its buffers, which training changes."""
    buffers = dict(pair.theirs.named_buffers())
    tensors = {
        key: tensor.clone() if key in buffers else tensor
        for key, tensor in pair.in_our_names(pair.theirs.state_dict()).items()
    }
    pair.ours.load_state_dict(tensors, strict=True, assign=True)


def _training(pair: _Pair, result: Result) -> None:
    differences: dict[str, float] = {}
    for expected, actual in zip(
        train_step(pair.theirs, pair.size, whose="the reference"),
        train_step(pair.ours, pair.size, whose="the variant"),
        strict=True,
    ):
        differences |= step_differences(pair.in_our_names(expected), actual)
    result.training = max(differences.values(), default=0.0)
    tolerance = pair.reference.comparison.tolerance
    wrong = {key: difference for key, difference in differences.items() if not difference <= tolerance}
    for line in _some(f"{key} differs by {d:.2g} of its greatest value" for key, d in wrong.items()):
        result.find("training", line)
