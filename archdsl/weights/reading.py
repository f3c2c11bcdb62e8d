"""Files -> tensors. Only weights are read: what would have to run code to be read is refused.

Every fault is E504 with the path, but for the choice among several sets of weights (E511, E512). The tensors are in a
private mapping of the file where its format allows it, so they must be copied before the file may change.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.quiet import import_torch
from archdsl.weights.pickles import Unsafe, check_pickle, stand_in
from archdsl.weights.prefixes import begins, is_count, unwrapped
from archdsl.weights.prefixes import dropped as said_of
from archdsl.weights.sets import CONTAINERS, NAME, chosen_set, cut, sets_in

if TYPE_CHECKING:
    import torch

UNPACKED = 1 << 30
"""Bytes to which a compressed file may unpack, if that is more than 16 times its size."""

KEY = 1000
"""Characters that a key may have: longer ones name no layer, and would be all that is seen of an error."""

_GLOBAL = re.compile(r"(?:GLOBAL|class) ([A-Za-z_][\w.]*)")
_RECORDS = ("data.pkl", "constants.pkl")
"""What is in a zip file that torch wrote."""

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"


@dataclass(frozen=True)
class Weights:
    """The tensors of a file by their keys; `notes` say what was unwrapped to get at them."""

    path: str
    tensors: Mapping[str, torch.Tensor]
    notes: tuple[str, ...] = ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {key: tuple(tensor.shape) for key, tensor in self.tensors.items()}

    def without(self, prefix: str) -> Weights | None:
        """The same under names that do not begin with this; None where one does not."""
        if not begins(self.tensors.keys(), prefix):
            return None
        tensors = {key.removeprefix(prefix): tensor for key, tensor in self.tensors.items()}
        return Weights(self.path, tensors, (*self.notes, said_of(prefix)))


def read_weights(
    path: str | os.PathLike[str],
    own: Collection[str] = (),
    weights_set: str | None = None,
    prefix: Sequence[str] = (),
) -> Weights:
    """Read safetensors or what torch.save wrote of a state_dict; raises ArchError E504, E511 or E512.

    The usual containers (`{"state_dict": …}`) are unwrapped; where a file holds several sets of weights `weights_set`
    says which. What wrappers put before and into keys (`module.`) is dropped, unless keys of `own`, the model's, begin
    with it too; `prefix` takes the keys that begin so, without it: E533 and E534.
    """
    import_torch()
    shown = arguments.path("weights", path)
    try:
        content, beside = _content(shown)
        tensors, notes = _unwrapped(content, shown, weights_set)
        if beside:
            notes.append(f"what it holds beside weights was left unread: {_some(beside)}")
        _check(tensors)
        found, dropped = unwrapped(tensors, own, prefix, shown)
        return Weights(shown, found, (*notes, *dropped))
    except ArchError:
        raise
    except Exception as error:  # a damaged file can raise anything
        unreadable(shown, _reason(error))


def unreadable(path: str, detail: str) -> NoReturn:
    """Raise E504."""
    raise ArchError.of("E504", path=path, detail=detail) from None


class _Unusable(Exception):
    """What was read is not a state_dict."""


_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)  # fmt: skip


def endless(path: str) -> str | None:
    """What lies at a path, if reading it might never end; raises OSError if nothing does."""
    mode = os.stat(path).st_mode
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), None)


def _content(path: str) -> tuple[Any, Collection[str]]:
    """What a file holds, and the classes of what has a stand-in in it."""
    if path.startswith(("https://", "http://")) and not os.path.exists(path):
        raise _Unusable("it is an address; a `weights` item of a spec says where a file is, and its hash")
    kind = endless(path)
    if kind is not None:
        raise _Unusable(f"it is {kind}, not a file")
    with open(path, "rb") as file:
        head = file.read(9)
    if head[8:9] == b"{" and not head.startswith(_ZIP):
        return _safetensors(path), ()
    if head.startswith((_ZIP, _PICKLE)):
        return _pickled(path, zipped=head.startswith(_ZIP))
    raise _Unusable("it is empty" if not head else "it is neither safetensors nor written by torch.save")


def read_safetensors(path: str, shown: str) -> dict[str, torch.Tensor]:
    """The tensors of a file in this format and no other, which is shown as `shown`; raises ArchError E504."""
    import_torch()
    try:
        if endless(path) is not None:
            raise _Unusable("it is not a file")
        tensors = _safetensors(path)
        _check(tensors)
        return tensors
    except Exception as error:  # a damaged file can raise anything
        unreadable(shown, _reason(error))


def _safetensors(path: str) -> dict[str, torch.Tensor]:
    from safetensors import safe_open

    with safe_open(path, framework="pt", device="cpu") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  not a dict


def _pickled(path: str, *, zipped: bool) -> tuple[Any, Collection[str]]:
    import torch

    sizes = _mappable(path) if zipped else None
    beside = _check_instructions(path, zipped=zipped)
    with _stand_ins(beside):
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=sizes is not None)
    if sizes is not None:
        _check_sizes(content, sizes)
    return content, beside


def _stand_ins(names: Collection[str]) -> AbstractContextManager[object]:
    """torch makes stand-ins of objects of these classes, whatever module they are in: none is imported."""
    import torch

    if not names:
        return nullcontext()
    if torch.__version__ < (2, 6):  # type: ignore[operator]  # it compares as a version
        raise Unsafe(f"it holds a {min(names)} beside weights, which torch reads from 2.6 on without running code")
    return torch.serialization.safe_globals([(stand_in(name), name) for name in names])


def _some(names: Collection[str]) -> str:
    """The first of the classes, and how many more there are."""
    shown = sorted(names)[:3]
    return ", ".join([*(cut(name) for name in shown), *([f"… ({len(names)})"] if len(names) > 3 else [])])


def _check_instructions(path: str, *, zipped: bool) -> Collection[str]:
    """Refuse what takes any time or memory to read, before torch reads it; the classes of what is beside weights. Of a
    zip file torch's own reader says which entry that is; the older format is a row of pickles: two numbers, the system,
    the content and the names of storages.
    """
    import torch

    size = os.path.getsize(path)
    own = frozenset(dir(torch.nn.Parameter))
    if not zipped:
        with open(path, "rb") as file:
            return frozenset().union(*(check_pickle(file, size, own) for _ in range(5)))
    try:
        record = torch._C.PyTorchFileReader(path).get_record("data.pkl")
    except RuntimeError:
        return ()  # torch says what is wrong with it
    return check_pickle(io.BytesIO(record), len(record), own)


def _mappable(path: str) -> Counter[int] | None:
    """The sizes of a zip file's entries, if all are stored as they are: of others torch would map the compressed bytes.

    Weights hardly become smaller by compression; what does is something else, and might fill the memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        return None  # torch says what is wrong with it
    names = [entry.filename for entry in entries]
    if names and not any(name.endswith(_RECORDS) for name in names):
        raise _Unusable(f"it is an archive with `{cut(names[0])}` in it: unpack that")
    if all(entry.compress_type == zipfile.ZIP_STORED for entry in entries):
        return Counter(entry.file_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(UNPACKED, 16 * os.path.getsize(path)):
        raise _Unusable(f"it is compressed, and holds {unpacked / 1e9:,.1f} GB")
    return None


def _check_sizes(content: object, sizes: Counter[int]) -> None:
    """Each tensor's memory is one entry of the file: of an entry that is too short torch would map what comes next."""
    import torch

    needed: dict[int, int] = {}
    seen: set[int] = set()
    stack = [content]
    while stack:
        item = stack.pop()
        if isinstance(item, torch.Tensor):
            if item.layout == torch.strided and item.device.type == "cpu":
                storage = item.untyped_storage()
                needed[storage.data_ptr()] = storage.nbytes()
        elif isinstance(item, Mapping | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            stack.extend(item.values() if isinstance(item, Mapping) else item)
    if not Counter(size for size in needed.values() if size) <= sizes:
        raise _Unusable("it is damaged (an entry is shorter than its tensor)")


def _unwrapped(content: Any, path: str, name: str | None) -> tuple[dict[str, torch.Tensor], list[str]]:
    """The state_dict of that name, or the only one, and what to say of where it was."""
    import torch

    if not isinstance(content, Mapping):
        raise _Unusable(f"it holds a {type(content).__name__}, not a state_dict")
    counts = [key for key, value in content.items() if _is_count(key, value)]
    weights = {key: value for key, value in content.items() if key not in counts}
    others = [key for key, value in weights.items() if not isinstance(value, torch.Tensor)]
    if not others and (not counts or any(_is_weight(key, value) for key, value in weights.items())):
        chosen_set({}, name, path)
        return weights, _said_of(counts)
    sets = sets_in(content, torch.Tensor)
    beside = next((key for key, value in content.items() if _is_weight(key, value)), None)
    if beside is not None:
        first = next((key for key in others if isinstance(content[key], Mapping)), others[0])
        raise _Unusable(f"`{first}` in it is a {type(content[first]).__name__}, not a tensor, unlike `{beside}`")
    if not sets:
        key, value = _first_other(content)
        raise _Unusable(f"`{key}` in it is a {type(value).__name__}, not a tensor")
    found = chosen_set(sets, name, path)
    inside = sets[found]
    counts = [key for key, value in inside.items() if _is_count(key, value)] if len(inside) > 1 else []
    notes = [] if name else [f"the weights are the `{cut(found)}` of the file"]
    return {key: value for key, value in inside.items() if key not in counts}, [*notes, *_said_of(counts)]


def _is_count(key: object, value: object) -> bool:
    import torch

    return is_count(key, value, isinstance(value, torch.Tensor) and value.dim() == 0)


def _said_of(counts: Iterable[str]) -> list[str]:
    return [f"`{key}` is no weight and was left aside" for key in counts]


def _is_weight(key: object, value: object) -> bool:
    """Whether an entry beside others looks like that of a state_dict: bookkeeping has no paths for names."""
    import torch

    return isinstance(value, torch.Tensor) and isinstance(key, str) and "." in key


def _first_other(content: Mapping[Any, Any]) -> tuple[object, object]:
    """The first entry that is no tensor, inside the containers around it."""
    import torch

    seen: set[int] = set()
    while id(content) not in seen:
        seen.add(id(content))
        inner = next((content[name] for name in CONTAINERS if isinstance(content.get(name), Mapping)), None)
        if not inner or all(isinstance(value, torch.Tensor) for value in inner.values()):
            break
        content = inner
    return next((key, value) for key, value in content.items() if not isinstance(value, torch.Tensor))


def _check(tensors: Mapping[Any, torch.Tensor]) -> None:
    import torch

    for key, tensor in tensors.items():
        if not isinstance(key, str):
            raise _Unusable(f"one of its keys is a {type(key).__name__}, not a name")
        if len(key) > KEY:
            raise _Unusable(f"one of its keys has {len(key):,} characters: `{cut(key)}`")
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested or tensor.device.type != "cpu":
            raise _Unusable(f"`{key}` is not an ordinary tensor")


def _reason(error: Exception) -> str:
    """One line that says what is wrong."""
    if isinstance(error, _Unusable | Unsafe):
        return cut(str(error), 3 * NAME)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, ValueError) and "null byte" in str(error):
        return "no file has such a name"
    text = str(error)
    refused = _GLOBAL.search(text)
    if "Weights only load failed" in text and refused:
        return f"it holds a {refused[1]}, not only weights, and reading that would run code"
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return f"it is damaged ({first[:120]})"
