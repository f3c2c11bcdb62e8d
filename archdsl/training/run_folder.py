"""The folder of a training: what it is of, its last checkpoint, logs, weights. Every file is whole at any time.

A checkpoint is written beside the one before, made durable (fsync), then put in its place, so that whatever ends a
training leaves one that can be gone on from. Raises ArchError E653 where the folder belongs to another training, E654
for a checkpoint that cannot be read, E607 where nothing can be written (a full disk).
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Container, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from archdsl.diagnostics.core import ArchError
from archdsl.files import Staged
from archdsl.training.folders import Pictured
from archdsl.training.identity import PICTURES, TEST_PICTURES, VERSION, differences, identity, without_contents
from archdsl.training.plan import Plan

if TYPE_CHECKING:
    import torch

RUN, CHECKPOINT, LOCK = "run.json", "checkpoint.pt", ".lock"
BEST, LAST, AVERAGED, CURVES = "best.safetensors", "last.safetensors", "averaged.safetensors", "curves.svg"

_LOCKS: set[IO[str]] = set()
"""Files with which this process keeps folders from others."""


def _let_go() -> None:
    """Forked workers that outlive a killed training for a moment do not keep its folder: the lock is their parent's."""
    for file in _LOCKS:
        file.close()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_let_go)


class RunFolder:
    """The folder at a path, for one plan; `weights`: what it begins with, a file or a name."""

    def __init__(self, path: str | os.PathLike[str], plan: Plan, weights: str | None = None) -> None:
        self.path, self.plan, self.weights = Path(path), plan, weights

    def file(self, name: str) -> str:
        return os.fspath(self.path / name)

    @contextmanager
    def begun(self, *, must_go_on: bool = False) -> Iterator[bool]:
        """Make the folder, or find that it belongs to this training, and keep it from other processes meanwhile; gives
        whether there is a checkpoint to go on from."""
        now = identity(self.plan, self.weights)
        self._check(now, must_go_on)  # before anything is touched
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchError.of("E607", path=str(self.path), detail=error.strerror or str(error)) from None
        with self._held():
            known = self._check(now, must_go_on)  # by what another process did until now
            if known != now:
                self._note(now)
            yield (self.path / CHECKPOINT).exists()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keep the folder from other processes while one trains in it."""
        if sys.platform == "win32":
            yield
            return
        import fcntl

        with open(self.path / LOCK, "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArchError.of("E653", path=str(self.path), detail="another process is training in it") from None
            except OSError:
                pass  # not every file system has locks
            _LOCKS.add(file)
            try:
                yield
            finally:
                _LOCKS.discard(file)

    def _check(self, now: Mapping[str, Any], must_go_on: bool) -> dict[str, Any] | None:
        """What the folder says that it is of, if anything. Raises E653 and E654 where it is not for this training."""
        known = self._known()
        if must_go_on and not (known is not None and (self.path / CHECKPOINT).exists()):
            raise ArchError.of("E654", path=self.file(CHECKPOINT), detail="there is none")
        if known is None:
            if self._holds({LOCK}):
                raise ArchError.of("E653", path=str(self.path), detail="it holds other things than a training")
            return None
        differing = differences(known, now)
        if differing and self._holds({LOCK, RUN}):  # a training that came to nothing may be another one now
            detail = f"it is that of another training: {'; '.join(differing)}"
            raise ArchError.of("E653", path=str(self.path), detail=detail)
        return known

    def broke(self, source: Pictured, numbers: Container[int]) -> None:
        """Note that pictures cannot be read: repaired, they have other contents, and the training goes on."""
        known = self._known()
        if known is not None:
            split = PICTURES if source is self.plan.data.train else TEST_PICTURES
            self._note(without_contents(known, split, source, numbers))

    def _note(self, identity: Mapping[str, Any]) -> None:
        self.write(RUN, json.dumps(identity, indent=2) + "\n")

    def _known(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.path / RUN).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise ArchError.of("E654", path=self.file(RUN), detail=str(error)) from None
        if not isinstance(found, dict) or found.get("version") != VERSION:
            raise ArchError.of("E654", path=self.file(RUN), detail="it is not of this version of archdsl")
        return found

    def _holds(self, beside: Set[str]) -> bool:
        """Whether there is anything else in the folder, apart from temporary files."""
        names = [entry.name for entry in self.path.iterdir()] if self.path.is_dir() else []
        return any(name not in beside and not name.startswith(".archdsl-") for name in names)

    # --- writing -------------------------------------------------------------------------------

    def write(self, name: str, content: str | bytes | Callable[[str], object]) -> None:
        with Staged(self.file(name), content, durable=True) as staged:
            staged.commit()

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the checkpoint."""
        import torch

        self.write(CHECKPOINT, lambda path: _as_os_error(lambda: torch.save(dict(state), path)))

    def load(self, device: torch.device) -> dict[str, Any]:
        """Read the checkpoint: tensors and plain values, nothing that is run."""
        import torch

        try:
            found = torch.load(self.path / CHECKPOINT, map_location=device, weights_only=True)
        except Exception as error:  # a damaged file can raise anything
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ArchError.of("E654", path=self.file(CHECKPOINT), detail=detail) from None
        if not isinstance(found, dict) or found.get("version") != VERSION:
            raise ArchError.of("E654", path=self.file(CHECKPOINT), detail="it is not of this version of archdsl")
        return found

    def save_weights(self, name: str, state: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
        """Write weights as `archdsl.load` takes them, with what they are: names of the classes, how good."""
        from safetensors.torch import save_file

        tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in state.items()}
        facts = {**about, "classes": self.plan.data.train.classes, "variant": self.plan.given.name}
        facts |= {"recipe": self.plan.recipe.name}
        metadata = {"format": "pt", "archdsl": json.dumps(facts)}
        self.write(name, lambda path: _as_os_error(lambda: save_file(tensors, path, metadata)))

    def load_weights(self, name: str) -> dict[str, torch.Tensor]:
        from safetensors.torch import load_file

        return load_file(self.file(name))

    def log(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write all rows as CSV and as JSON lines."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = io.StringIO()
        writer = csv.DictWriter(table, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.write("log.csv", table.getvalue())
        self.write("log.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def _as_os_error(write: Callable[[], object]) -> None:
    """Call what writes a file; what torch and safetensors make of a full disk becomes what Python makes of it."""
    try:
        write()
    except OSError:
        raise
    except Exception as error:
        raise OSError(None, str(error).splitlines()[0]) from None
