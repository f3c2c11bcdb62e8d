"""The training loop of `archdsl train`: a thin adapter around timm's and torch's parts.

Whatever is random follows from the seed and from where in the training it happens (`data.seed_everything`), so a
training that was ended in any way and goes on from its last checkpoint comes to the same weights, bit for bit, as one
that was left alone, where the device computes the same sums in the same order (the CPU does).

Raises ArchError: E651 for a picture that cannot be read, E652 for a loss that is no number, E658 for a device, and what
`run_folder` and `pieces` raise.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from archdsl.diagnostics.core import ArchError
from archdsl.graph.recipe_parts import Improving, Last
from archdsl.published import chosen
from archdsl.training import data, run_folder
from archdsl.training.average import mean
from archdsl.training.board import Board
from archdsl.training.data import Broken, Pictures, Place
from archdsl.training.folders import Pictured
from archdsl.training.identity import VERSION
from archdsl.training.libraries import import_timm
from archdsl.training.plan import Plan
from archdsl.training.processes import Processes, joined
from archdsl.training.run_folder import RunFolder
from archdsl.training.stage import EpochNetwork, enter, for_test
from archdsl.training.testing import Score, test

if TYPE_CHECKING:
    import torch
    from torch import nn

CHECK_EVERY = 50
"""Steps after which a loss on a device other than the CPU is looked at, for which the device has to be waited for."""


@dataclass(frozen=True)
class EngineOptions:
    """How a training runs, which does not change what comes out but for rounding; `save_every` in steps, 0: only after
    an epoch."""

    device: str | None = None
    workers: int = 0
    channels_last: bool = False
    compile: bool = False
    save_every: int = 1000
    weights: str | None = None


class Reporter(Protocol):
    """Who is told how it goes."""

    def begin(self, epoch: int, step: int) -> None: ...
    def stepped(self, epoch: int, step: int, loss: float | None, lr: float) -> None: ...
    def row(self, row: Mapping[str, Any]) -> None: ...


@dataclass
class Progress:
    """Where a training is: steps done in all and in this epoch, sums of this epoch so far, rows of those before."""

    step: int = 0
    epoch: int = 0
    done: int = 0
    loss: float = 0.0
    images: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list)


def train(plan: Plan, folder: RunFolder, how: EngineOptions, reporter: Reporter) -> Progress:
    """Train, or go on from the folder's last checkpoint; all files are in the folder then."""
    import_timm()
    with joined(how.device) as processes:
        return _Training(plan, folder, how, reporter, processes).run()


class _Training:
    def __init__(
        self, plan: Plan, folder: RunFolder, how: EngineOptions, reporter: Reporter, processes: Processes
    ) -> None:
        import torch

        self.plan, self.folder, self.how, self.reporter, self.processes = plan, folder, how, reporter, processes
        self.pieces, self.recipe, self.seed = plan.pieces, plan.recipe, plan.wishes.seed
        self.device = processes.device
        data.seed_everything(self.seed, "weights")
        self.model: nn.Module = self.pieces.model(device=self.device)
        if how.weights is not None:
            self._begin_with(how.weights)
        if how.channels_last:
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = self.pieces.ema(self.model, batch=plan.batch)
        self.optimizer = self.pieces.optimizer(self.model, batch=plan.batch)
        self.schedule = self.pieces.schedule(self.optimizer, plan.steps)
        self.scaler = torch.amp.GradScaler(self.device.type) if plan.wishes.amp == "float16" else None
        self.at = Progress()

    def _begin_with(self, path: str) -> None:
        """Take the weights of a file, or published ones by their name, but for a classifier of other classes."""
        from archdsl.modules import pretrained

        source = chosen(self.plan.given, path) or path
        scale = 1.0 if self.recipe.head_scale is None else self.recipe.head_scale
        given = pretrained(self.pieces.variant_at(0), source, self.device, new_head=True, head_scale=scale)
        self.model.load_state_dict(given.state_dict())

    # --- the whole -----------------------------------------------------------------------------

    def run(self) -> Progress:
        self._restore()
        board = Board(self.folder.file("tensorboard"), self.at.step) if self.processes.first else None
        stage = None
        for epoch in range(self.at.epoch, self.recipe.epochs):
            if stage is not self.recipe.stage_of(epoch):
                stage = self.recipe.stage_of(epoch)
                network = enter(self, epoch)
            started = time.monotonic()
            self._epoch(network, epoch)
            self._close(epoch, time.monotonic() - started)
            if board is not None:
                board.add(self.at.rows[-1])
        if self.processes.first:
            self._finish()
        return self.at

    def _epoch(self, network: EpochNetwork, epoch: int) -> None:
        """What is left of an epoch."""
        self.schedule.step(epoch)
        self.reporter.begin(epoch, self.at.done)
        batches = self._batches(epoch, network)
        for step in range(self.at.done, self.plan.steps):
            self.schedule.step_update(self.at.step)
            loss = self._step(network, batches)
            if self.ema is not None:
                self.ema.update(self.model, self.at.step + 1, epoch)
            self.at.step += 1
            self.at.done += 1
            self.at.images += self.plan.batch
            looked = self.device.type == "cpu" or self.at.done % CHECK_EVERY == 0 or self.at.done == self.plan.steps
            due = self.how.save_every and self.at.done % self.how.save_every == 0 and self.at.done < self.plan.steps
            self._losses.append(loss)
            value = self._look(epoch, step) if looked or due else None
            self.reporter.stepped(epoch, step + 1, value, self.optimizer.param_groups[-1]["lr"])
            if due:
                self._save()

    def _step(self, network: EpochNetwork, batches: Iterator[Any]) -> torch.Tensor:
        """One step of the optimizer; gives the mean loss of this process's images."""
        import torch

        count = self.plan.accumulate
        total = torch.zeros((), device=self.device)
        for part in range(count):
            images, targets = self._next(batches)
            data.seed_everything(self.seed, "step", self.at.step, part, self.processes.rank)
            images = images.to(self.device, non_blocking=True)
            targets = targets.to(self.device, non_blocking=True)
            if self.how.channels_last:
                images = images.contiguous(memory_format=torch.channels_last)
            if network.mixup is not None:
                images, targets = network.mixup(images, targets)
            last = part == count - 1
            with network.unsynchronized() if not last else nullcontext():
                with self._autocast():
                    loss = network.loss(network.run(images), targets)
                total += loss.detach() / count
                self._backward(loss / count, last)
        self.optimizer.zero_grad()
        return total

    def _backward(self, loss: torch.Tensor, last: bool) -> None:
        if self.scaler is None:
            loss.backward()
            if last:
                self.pieces.clip(self.model)
                self._optimize()
            return
        self.scaler.scale(loss).backward()
        if last:
            self.scaler.unscale_(self.optimizer)
            self.pieces.clip(self.model)
            self.scaler.step(self.optimizer)
            self.scaler.update()

    def _optimize(self) -> None:
        """A step of the optimizer; raises E652 where torch refuses one that is too large for the weights."""
        try:
            self.optimizer.step()
        except RuntimeError as error:
            if "overflow" not in str(error):
                raise
            self._no_number(self.at.epoch, self.at.done, "the step of the weights")

    def _autocast(self) -> AbstractContextManager[object]:
        import torch

        if self.plan.wishes.amp == "off":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.plan.wishes.amp))

    # --- pictures ------------------------------------------------------------------------------

    def _batches(self, epoch: int, network: EpochNetwork) -> Iterator[Any]:
        """The micro-batches of this process that are left of an epoch, and the numbers of losses that are looked at."""
        self._losses: list[torch.Tensor] = []
        plan, world, rank = self.plan, self.processes.world, self.processes.rank
        order = self.pieces.sampler(len(plan.data.train), epoch=epoch, seed=self.seed)
        places = []
        for step in range(self.at.done, plan.steps):
            own = [Place(p, order[p]) for p in range(step * plan.batch + rank, (step + 1) * plan.batch, world)]
            places += [own[start : start + plan.micro_batch] for start in range(0, len(own), plan.micro_batch)]
        pictures = Pictures(plan.data.train, network.transform, (self.seed, epoch))
        return data.batches(pictures, places, workers=self.how.workers, pin=self.device.type == "cuda")

    def _next(self, batches: Iterator[Any]) -> tuple[torch.Tensor, torch.Tensor]:
        found = next(batches)
        if isinstance(found, list):
            self.folder.broke(self.plan.data.train, {broken.number for broken in found})
            raise data.unreadable(found)
        images, targets = found
        return images, targets

    def _look(self, epoch: int, step: int) -> float:
        """The loss of the last step; raises E652 where any since the last look is no number."""
        import torch

        values = [float(value) for value in torch.stack(self._losses).tolist()]
        self._losses.clear()
        (total,) = self.processes.summed([sum(values)])
        self.at.loss += total / self.processes.world * self.plan.batch
        if not self.at.loss < float("inf") or not values[-1] > -float("inf"):
            self._no_number(epoch, step)
        return values[-1]

    def _no_number(self, epoch: int, step: int, what: str = "the loss") -> NoReturn:
        checkpoint = self.folder.file(run_folder.CHECKPOINT)
        facts = {
            "what": what,
            "epoch": epoch + 1,
            "step": step + 1,
            "lr": f"{self.optimizer.param_groups[-1]['lr']:.3g}",
            "path": checkpoint if os.path.exists(checkpoint) else None,
        }
        raise ArchError.of("E652", facts=facts)

    # --- the end of an epoch -------------------------------------------------------------------

    def _close(self, epoch: int, seconds: float) -> None:
        """Test, keep what is better, and write everything down."""
        row: dict[str, Any] = {
            "epoch": epoch + 1,
            "step": self.at.step,
            "lr": self.optimizer.param_groups[-1]["lr"],
            "size": self.recipe.at(epoch).size,
            "images": self.at.images,
            "train_loss": self.at.loss / max(1, self.plan.steps * self.plan.batch),
        }
        row |= self._tested(epoch)
        row["seconds"] = round(seconds, 3)
        self.at.rows.append(row)
        self._keep(epoch, row)
        self.at.epoch, self.at.done, self.at.loss = epoch + 1, 0, 0.0
        self._save()
        if self.processes.first:
            self.folder.log(self.at.rows)
            self._forget()
        self.reporter.row(row)

    def _tested(self, epoch: int) -> dict[str, float]:
        """How good the weights are, and their average; the better ones are written where they are the best so far."""
        folder = self.plan.data.test
        if folder is None:
            return {}
        found = self._score(self.model, folder)
        row = {"test_loss": found.loss, "top1": found.top1, "top5": found.top5}
        scores = [("weights", found, self.model)]
        if self.ema is not None:
            averaged = self._score(self.ema.module, folder)
            row |= {"average_loss": averaged.loss, "average_top1": averaged.top1, "average_top5": averaged.top5}
            scores.append(("average", averaged, self.ema.module))
        kind, score, model = max(scores, key=lambda item: item[1].top1)
        if score.top1 > self.at.best.get("top1", -1.0):
            self.at.best = {"epoch": epoch + 1, "top1": score.top1, "weights": kind}
            if self.processes.first:
                self.folder.save_weights(run_folder.BEST, model.state_dict(), self.at.best)
        return row

    def _score(self, model: nn.Module, folder: Pictured) -> Score:
        transform, model = self.pieces.transforms(train=False), for_test(self.pieces, model)

        def broke(found: list[Broken]) -> None:
            self.folder.broke(folder, {broken.number for broken in found})

        with self._autocast():
            found = test(model, folder, transform, self.processes, self.plan.micro_batch, self.how, broke)
        if not math.isfinite(found.loss):
            self._no_number(self.at.epoch, self.at.done - 1, "the loss on the test pictures")
        return found

    def _keep(self, epoch: int, row: Mapping[str, Any]) -> None:
        """Write weights that will be part of the mean of several epochs, if the recipe asks for one."""
        part = self.recipe.average
        match part:
            case Last(count=count):
                wanted = epoch >= self.recipe.epochs - count
            case Improving():
                wanted = not self.at.rows[:-1] or row.get("top1", 0) > max(r.get("top1", 0) for r in self.at.rows[:-1])
            case _:
                return
        if wanted:
            if self.processes.first:
                self.folder.save_weights(_kept(epoch + 1), self.model.state_dict(), {"epoch": epoch + 1})
            self.at.kept = [*self.at.kept, epoch + 1][-part.count :]

    def _forget(self) -> None:
        """Delete weights that no longer count."""
        current = {_kept(epoch) for epoch in self.at.kept}
        for path in self.folder.path.glob(_kept("*")):
            if path.name not in current:
                path.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Write the last weights, the averaged ones and the picture of the curves."""
        from archdsl.training.curves import curves

        rows = self.at.rows
        about = {name: value for name, value in rows[-1].items() if name in ("epoch", "top1")}
        self.folder.save_weights(run_folder.LAST, self.model.state_dict(), about)
        if self.ema is not None:
            averaged = {"epoch": rows[-1]["epoch"], "top1": rows[-1].get("average_top1"), "weights": "average"}
            self.folder.save_weights(run_folder.AVERAGED, self.ema.module.state_dict(), averaged)
        elif self.at.kept:
            states = [self.folder.load_weights(_kept(epoch)) for epoch in self.at.kept]
            about = {"epoch": rows[-1]["epoch"], "weights": f"mean of epochs {', '.join(map(str, self.at.kept))}"}
            self.folder.save_weights(run_folder.AVERAGED, mean(states), about)
        self.folder.write(run_folder.CURVES, curves(self.plan, rows))

    # --- checkpoints ---------------------------------------------------------------------------

    def _save(self) -> None:
        """Write the checkpoint, unless a weight in it is no number."""
        import torch

        if not self.processes.first:
            return
        values = [tensor for tensor in self.model.state_dict().values() if tensor.is_floating_point()]
        if not all(bool(torch.isfinite(value).all()) for value in values):
            self._no_number(self.at.epoch, self.at.done - 1)
        self.folder.save(
            {
                "version": VERSION,
                "progress": vars(self.at),
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "ema": None if self.ema is None else self.ema.module.state_dict(),
                "scaler": None if self.scaler is None else self.scaler.state_dict(),
            }
        )

    def _restore(self) -> None:
        if not os.path.exists(self.folder.file(run_folder.CHECKPOINT)):
            return
        found = self.folder.load(self.device)
        self.model.load_state_dict(found["model"])
        self.optimizer.load_state_dict(found["optimizer"])
        if self.ema is not None:
            self.ema.module.load_state_dict(found["ema"])
        if self.scaler is not None:
            self.scaler.load_state_dict(found["scaler"])
        self.at = Progress(**found["progress"])


def _kept(epoch: object) -> str:
    return f"epoch-{epoch}.safetensors"
