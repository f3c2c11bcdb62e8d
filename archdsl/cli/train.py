"""`archdsl train`: what a spec describes, trained as a recipe of it says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from archdsl.arguments import LARGEST
from archdsl.cli import console
from archdsl.cli.options import TEXT, json_option, set_option
from archdsl.cli.shared import ArchCommand, find_variant, write_document

if TYPE_CHECKING:
    from archdsl.training.engine import Progress
    from archdsl.training.plan import Plan

_COUNT = click.IntRange(1, LARGEST)


@click.command("train", cls=ArchCommand)
@click.argument("spec", metavar="SPEC[:VARIANT]")
@click.option(
    "--recipe", metavar="NAME", type=TEXT, required=True, help="A recipe of the spec; `archdsl recipe` lists them."
)
@click.option(
    "--data",
    metavar="DATA",
    required=True,
    help="Pictures: train/CLASS/… and val/CLASS/… in a folder; or DATA.tar, torch/NAME@ROOT, hfds/NAME.",
)
@click.option(
    "-o", "--output", metavar="RUN", help="The folder of the training; one that was ended goes on from there."
)
@click.option("--plan", "only_plan", is_flag=True, help="Say what the training will be, and train nothing.")
@click.option("--weights", metavar="FILE|NAME", help="Begin with these weights; another classifier is new.")
@click.option("--epochs", type=_COUNT, help="Another number of epochs than the recipe's.")
@click.option(
    "--batch", type=_COUNT, help="Images of a step, over all devices; the learning rate follows by the recipe's rule."
)
@click.option("--image", type=_COUNT, help="Another side of the images than the recipe's.")
@click.option(
    "--micro-batch", type=_COUNT, help="Images at a time, on each device; several are added up to a step. [all]"
)
@click.option(
    "--seed",
    type=click.IntRange(0, LARGEST),
    default=0,
    show_default=True,
    help="What all that is random follows from.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    help="Processes that read pictures, for each device. [a processor each, at most 8]",
)
@click.option(
    "--device", type=TEXT, help="cpu, cuda, cuda:1 … [CUDA where there is some; a device each under torchrun]"
)
@click.option(
    "--amp", type=click.Choice(["off", "bfloat16", "float16"]), help="Type of activations. [bfloat16 on CUDA, else off]"
)
@click.option("--compile", "compiled", is_flag=True, help="Compile the network (torch.compile).")
@click.option(
    "--channels-last/--channels-first", "channels_last", default=None, help="Layout of images in memory. [last on CUDA]"
)
@click.option("--recompute", is_flag=True, help="Less memory: compute inside of blocks again for the gradients.")
@click.option(
    "--save-every",
    type=click.IntRange(0, LARGEST),
    default=1000,
    show_default=True,
    help="Steps between checkpoints, beside those after each epoch; 0: none.",
)
@click.option(
    "--resume", is_flag=True, help="Only go on with a training: it is an error if there is no checkpoint in RUN."
)
@set_option
@json_option
def command(
    spec: str,
    recipe: str,
    data: str,
    output: str | None,
    only_plan: bool,
    settings: dict[str, str],
    as_json: bool,
    **options: Any,
) -> int:
    """Train a network as a recipe of its spec says.

    What is not as the recipe says is told before anything is trained. A training that was ended in any way goes on when
    the same command is given again. RUN gets log.csv, log.jsonl, curves.svg and weights for `archdsl predict`:
    best.safetensors, last.safetensors and, where the recipe averages, averaged.safetensors. On several devices:
    torchrun --nproc-per-node 8 -m archdsl train ….
    """
    if output is None and not only_plan:
        raise click.UsageError("-o RUN says where the training is kept; --plan needs none")
    variant = find_variant(spec, settings)
    plan = _plan(variant, recipe, data, options)
    if only_plan:
        if as_json:
            _json(plan)
        else:
            _show(plan)
        return 0
    assert output is not None
    progress = _train(plan, output, options, quiet=as_json)
    if _first():
        files = [name for name in _FILES if os.path.exists(os.path.join(output, name))]
        if as_json:
            _json(plan, progress, output, files)
        else:
            _result(progress, output, files)
        _say_preparation(plan)
    return 0


_FILES = ("best.safetensors", "averaged.safetensors", "last.safetensors", "log.csv", "log.jsonl", "curves.svg")


def _first() -> bool:
    from archdsl.training.processes import is_first

    return is_first()


def _plan(variant: Any, recipe: str, data: str, options: Mapping[str, Any]) -> Plan:
    from archdsl.training import processes
    from archdsl.training.datasets import find_data
    from archdsl.training.plan import TrainingOptions, make_plan

    wishes = TrainingOptions(
        batch=options["batch"],
        epochs=options["epochs"],
        image=options["image"],
        micro_batch=options["micro_batch"],
        devices=processes.count(),
        seed=options["seed"],
        amp=options["amp"] or ("bfloat16" if _on_cuda(options["device"]) else "off"),
        recompute=options["recompute"],
        weights=options["weights"],
    )
    return make_plan(variant, recipe, find_data(data), wishes)


def _on_cuda(device: str | None) -> bool:
    """Whether the training will be on CUDA. Torch is imported to find out only where there may be a device."""
    if device is not None:
        return device.startswith("cuda")
    if not any(os.path.exists(path) for path in ("/dev/nvidia0", "/proc/driver/nvidia", "/dev/dxg", "/dev/kfd")):
        return False
    from archdsl.quiet import import_torch

    import_torch()
    import torch

    return torch.cuda.is_available()


def _train(plan: Plan, output: str, options: Mapping[str, Any], quiet: bool) -> Progress:
    from archdsl.cli.training import reporter
    from archdsl.training.engine import EngineOptions, train
    from archdsl.training.processes import is_first
    from archdsl.training.run_folder import RunFolder

    on_cuda = _on_cuda(options["device"])
    last = options["channels_last"]
    workers = options["workers"]
    how = EngineOptions(
        device=options["device"],
        workers=min(8, os.cpu_count() or 1) if workers is None else workers,
        channels_last=on_cuda if last is None else last,
        compile=options["compiled"],
        save_every=options["save_every"],
        weights=options["weights"],
    )
    folder = RunFolder(output, plan, how.weights)
    if not is_first():
        with reporter(plan, say=False) as silent:
            return train(plan, folder, how, silent)
    with folder.begun(must_go_on=options["resume"]) as going_on:
        for difference in plan.differences:
            console.note(f"note: {difference}")
        if going_on:
            console.note(f"note: going on with the training in {output}")
        with reporter(plan, say=not quiet) as told:
            return train(plan, folder, how, told)


# --- what is said ----------------------------------------------------------------------------


def _show(plan: Plan) -> None:
    """The plan as a table, and what differs from the recipe."""
    from archdsl.cli.training import plan_table

    console.show(*plan_table(plan))
    if plan.differences:
        console.line()
    for difference in plan.differences:
        console.line(f"differs: {difference}")


def _result(progress: Progress, output: str, files: list[str]) -> None:
    last = progress.rows[-1] if progress.rows else {}
    if progress.best:
        what = "averaged weights" if progress.best["weights"] == "average" else "weights"
        console.line(f"best: {progress.best['top1']:.2f} % top-1, {what} of epoch {progress.best['epoch']}")
    elif last:
        console.line(f"trained {last['epoch']} epochs; nothing was held out to test on")
    for name in files:
        console.line(f"wrote {os.path.join(output, name)}")


def _say_preparation(plan: Plan) -> None:
    """Note where the recipe prepares pictures otherwise for the test than the spec, whether there was a test or not."""
    spec, recipe = repr(plan.given.transform), repr(plan.pieces.transforms(train=False))
    if spec != recipe:
        what = "pictures to test on are prepared" if plan.data.test is None else "tested"
        side = plan.recipe.test_size or plan.recipe.size
        same = f", and with --image {side} as the recipe" if repr(plan.pieces.tested.transform) == recipe else ""
        console.note(f"note: {what} as the recipe says: {recipe}; `archdsl predict` goes by the spec: {spec}{same}")


def _json(plan: Plan, progress: Progress | None = None, output: str = "", files: Sequence[str] = ()) -> None:
    from archdsl.cli.documents.training import TrainDocument

    run = None
    if progress is not None:
        run = {
            "folder": output,
            "epochs": len(progress.rows),
            "steps": progress.step,
            "best": progress.best["top1"] if progress.best else None,
            "files": [os.path.join(output, name) for name in files],
        }
    write_document(TrainDocument.of(plan=plan, run=run))
