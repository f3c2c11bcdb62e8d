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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.files import Staged
from archdsl.graph.fingerprint import fingerprint
from archdsl.training.folders import Pictured
from archdsl.training.plan import Plan

if TYPE_CHECKING:
    import torch

VERSION = 1
RUN, CHECKPOINT, LOCK = "run.json", "checkpoint.pt", ".lock"
BEST, LAST, AVERAGED, CURVES = "best.safetensors", "last.safetensors", "averaged.safetensors", "curves.svg"


class RunFolder:
    """The folder at a path, for one plan."""

    def __init__(self, path: str | os.PathLike[str], plan: Plan) -> None:
        self.path, self.plan = Path(path), plan

    def file(self, name: str) -> str:
        return os.fspath(self.path / name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the folder from other processes while one trains in it."""
        if sys.platform == "win32":
            yield
            return
        import fcntl

        with open(self.path / LOCK, "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _refused("E653", path=str(self.path), detail="another process is training in it") from None
            except OSError:
                pass  # not every file system has locks
            yield

    def begin(self, *, must_go_on: bool = False) -> bool:
        """Make the folder, or find that it belongs to this training; whether there is a checkpoint to go on from."""
        known = self._known()
        if must_go_on and not (known is not None and (self.path / CHECKPOINT).exists()):
            raise _refused("E654", path=self.file(CHECKPOINT), detail="there is none")
        if known is None:
            self._check_empty()
            with suppress(FileExistsError):
                try:
                    self.path.mkdir(parents=True)
                except OSError as error:
                    if not isinstance(error, FileExistsError):
                        raise _refused("E607", path=str(self.path), detail=error.strerror or str(error)) from None
            self.write(RUN, json.dumps(identity(self.plan), indent=2) + "\n")
            return False
        differing = differences(known, identity(self.plan))
        if differing:
            raise _refused(
                "E653", path=str(self.path), detail=f"it is that of another training: {'; '.join(differing)}"
            )
        return (self.path / CHECKPOINT).exists()

    def _known(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.path / RUN).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise _refused("E654", path=self.file(RUN), detail=str(error)) from None
        if not isinstance(found, dict) or found.get("version") != VERSION:
            raise _refused("E654", path=self.file(RUN), detail="it is not of this version of archdsl")
        return found

    def _check_empty(self) -> None:
        """Whatever else is in a folder is not to be mixed with a training."""
        if self.path.is_dir() and any(
            name.name != LOCK and not name.name.startswith(".archdsl-") for name in self.path.iterdir()
        ):
            raise _refused("E653", path=str(self.path), detail="it holds other things than a training")

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
            raise _refused("E654", path=self.file(CHECKPOINT), detail=detail) from None
        if not isinstance(found, dict) or found.get("version") != VERSION:
            raise _refused("E654", path=self.file(CHECKPOINT), detail="it is not of this version of archdsl")
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


# --- what a training is of -------------------------------------------------------------------


def identity(plan: Plan) -> dict[str, Any]:
    """What two runs must have in common for one to go on from the other, as JSON holds it."""
    test = plan.data.test
    made = {
        "version": VERSION,
        "network": plan.pieces.variant.name,
        "digest": fingerprint(plan.pieces.variant.graph),
        "recipe": json.loads(plan.recipe.model_dump_json(exclude={"source"})),
        "pictures": _pictures(plan.data.train),
        "test pictures": None if test is None else _pictures(test),
        "batch": plan.batch,
        "micro-batch": plan.micro_batch,
        "processes": plan.wishes.devices,
        "seed": plan.wishes.seed,
        "amp": plan.wishes.amp,
    }
    return dict(json.loads(json.dumps(made)))


def _pictures(folder: Pictured) -> dict[str, Any]:
    return {"classes": folder.counts, "digest": folder.digest}


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
        elif name in ("pictures", "test pictures"):
            found.append(_pictures_differ(name, a, b))
        elif name == "digest":
            if before.get("network") == now.get("network"):
                found.append(f"`{now['network']}` is another network now")
        else:
            found.append(f"{name} was {a}, is {b}")
    return sorted(found)


def _recipes_differ(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    if a["name"] != b["name"]:
        return f"recipe was {a['name']}, is {b['name']}"
    names = [name for name in b if a.get(name) != b[name]]
    return f"the recipe `{b['name']}` has other settings: {', '.join(names)}"


def _pictures_differ(what: str, a: Any, b: Any) -> str:
    if a is None or b is None:
        return f"there {'were' if a is None else 'are'} no {what}"
    gone = [name for name in a["classes"] if name not in b["classes"]]
    new = [name for name in b["classes"] if name not in a["classes"]]
    if gone or new:
        lost = f"the class folder `{gone[0]}` is missing" if gone else f"the class folder `{new[0]}` is new"
        return f"{what}: {lost}"
    counts = [(name, n, b["classes"][name]) for name, n in a["classes"].items() if n != b["classes"][name]]
    if counts:
        name, then, today = counts[0]
        return f"{what}: class `{name}` had {then} pictures, has {today}"
    return f"{what}: other files"


def _refused(code: str, **facts: object) -> ArchError:
    bag = Bag()
    bag.report(code, None, facts=facts)
    return ArchError(bag)
