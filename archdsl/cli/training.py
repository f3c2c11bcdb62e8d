"""What `archdsl train` shows: the plan as tables; how it goes, on a terminal as bars, elsewhere a line an epoch."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from archdsl.cli import console

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID

    from archdsl.training.plan import Plan, PlanStage


def plan_table(plan: Plan) -> list[RenderableType]:
    """The settings, and the stages with what they take."""
    from rich.table import Table

    from archdsl.training.plan import macs_text

    recipe, test = plan.recipe, plan.data.test
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    share = f"{plan.accumulate} × {plan.micro_batch}" if plan.accumulate > 1 else ""
    share = (
        f" = {plan.wishes.devices} devices × {share or plan.micro_batch}"
        if plan.wishes.devices > 1
        else share and f" = {share}"
    )
    held = "none are held out to test on" if test is None else f"{len(test):,} to test on"
    rows = (
        ("network", f"{plan.given.graph.title}: {plan.pieces.variant.graph.params:,} parameters"),
        ("recipe", f"{recipe.name}{_first_line(recipe.source)}"),
        ("pictures", f"{len(plan.data.train):,} of {len(plan.data.train.classes)} classes, {held}"),
        ("batch", f"{plan.batch:,}{share}"),
        ("learning rate", f"{plan.lr:.6g}, {recipe.optimizer.word}, {recipe.schedule.word}"),
        ("steps", f"{plan.steps * recipe.epochs:,}: {plan.steps:,} in each of {recipe.epochs:,} epochs"),
        ("images", f"{plan.images:,}"),
        ("MACs", f"{macs_text(plan.macs)} to train (3 × forward){_testing(plan)}"),
        ("memory of a step", f"about {_bytes(plan.memory)} on {'each' if plan.wishes.devices > 1 else 'the'} device"),
    )
    typed = [] if plan.wishes.amp == "off" else [("activations", plan.wishes.amp)]
    for name, value in (*rows, *typed):
        facts.add_row(console.text(name), console.text(value))
    return [facts, *([console.text(""), _stages(plan)] if len(plan.parts) > 1 else [])]


def _stages(plan: Plan) -> RenderableType:
    from rich.table import Table

    from archdsl.training.plan import macs_text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    columns = plan.recipe.progressive.columns if plan.recipe.progressive is not None else ()
    others = [name for name in columns if name != "size"]
    for name in ("epochs", "size", *others, "images", "MACs", "memory"):
        table.add_column(name, justify="right")
    for part in plan.parts:
        values = [f"{part.stage.values[name]:.4g}" for name in others]
        cells = [_epochs(part), str(part.size), *values, f"{part.images:,}", macs_text(part.macs)]
        table.add_row(*map(console.text, [*cells, _bytes(part.memory)]))
    return table


def _epochs(part: PlanStage) -> str:
    return f"{part.stage.first + 1}–{part.stage.end}" if part.stage.epochs > 1 else str(part.stage.end)


def _testing(plan: Plan) -> str:
    from archdsl.training.plan import macs_text

    return f", {macs_text(plan.test_macs)} to test" if plan.test_macs else ""


def _first_line(source: str) -> str:
    line = source.strip().splitlines()[0] if source.strip() else ""
    return f": {line}" if line else ""


def _bytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


# --- how it goes -----------------------------------------------------------------------------


class Told:
    """Says nothing."""

    def begin(self, epoch: int, step: int) -> None: ...

    def stepped(self, epoch: int, step: int, loss: float | None, lr: float) -> None: ...

    def row(self, row: Mapping[str, Any]) -> None: ...


class Lines(Told):
    """A line an epoch."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def row(self, row: Mapping[str, Any]) -> None:
        console.note(describe(row, self.plan.recipe.epochs))
        sys.stderr.flush()


class Bars(Told):
    """A bar for the epoch and one for all, above them a line for each epoch that is done."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan, self.progress = plan, progress
        total = plan.steps * plan.recipe.epochs
        self.all: TaskID = progress.add_task("training", total=total, about="")
        self.one: TaskID = progress.add_task("epoch", total=plan.steps, about="")

    def begin(self, epoch: int, step: int) -> None:
        self.progress.update(self.all, completed=epoch * self.plan.steps + step)
        self.progress.update(self.one, completed=step, description=f"epoch {epoch + 1}")

    def stepped(self, epoch: int, step: int, loss: float | None, lr: float) -> None:
        about = {} if loss is None else {"about": f"loss {loss:.4g}, learning rate {lr:.3g}"}
        self.progress.update(self.one, completed=step, **about)  # type: ignore[arg-type]
        self.progress.update(self.all, completed=epoch * self.plan.steps + step)

    def row(self, row: Mapping[str, Any]) -> None:
        console.above(self.progress.console, describe(row, self.plan.recipe.epochs))


@contextmanager
def reporter(plan: Plan, say: bool) -> Iterator[Told]:
    """Who tells how it goes, on standard error."""
    if not say:
        yield Told()
    elif not sys.stderr.isatty():
        yield Lines(plan)
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[about]}"),
        )
        with Progress(*columns, console=console.console(sys.stderr)) as progress:
            yield Bars(plan, progress)


def describe(row: Mapping[str, Any], epochs: int) -> str:
    """`epoch 3 of 90: loss 0.4012, top-1 87.50 % (average 86.11 %), learning rate 0.1, 64 px, 12.1 s`"""
    parts = [f"loss {row['train_loss']:.4f}"]
    if "top1" in row:
        average = f" (average {row['average_top1']:.2f} %)" if "average_top1" in row else ""
        parts.append(f"top-1 {row['top1']:.2f} %{average}")
    parts += [f"learning rate {row['lr']:.3g}", f"{row['size']} px", f"{row['seconds']:.1f} s"]
    return f"epoch {row['epoch']} of {epochs}: {', '.join(parts)}"
