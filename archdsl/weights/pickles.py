"""What a pickle would do, told from its instructions before torch follows them: nothing is made or called here.

torch calls no code of a file, but some of what it does call (`bytearray(10**12)`, `FloatStorage(10**12)`) takes any
memory, and a key of tuples within tuples, each twice the one before by a reference, takes any time. Of a file of
weights only what puts tensors together is called. What training scripts keep beside the weights (arguments, dates,
NumPy's numbers) is not made either: a dict with what it was given stands in its place. Torch-free.
"""

from __future__ import annotations

import pickletools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import IO

_REBUILD = "torch._utils._rebuild_"
_CONTAINERS = frozenset({"collections.OrderedDict", "collections.Counter", "builtins.set"})
_CALLED = _CONTAINERS | {
    "builtins.complex", "torch.Size", "torch.device", "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
    f"{_REBUILD}tensor", f"{_REBUILD}tensor_v2", f"{_REBUILD}tensor_v3", f"{_REBUILD}parameter",
    f"{_REBUILD}parameter_with_state", f"{_REBUILD}qtensor", f"{_REBUILD}sparse_tensor",
    f"{_REBUILD}meta_tensor_no_storage", f"{_REBUILD}nested_tensor", f"{_REBUILD}device_tensor_from_cpu_tensor",
}  # fmt: skip
"""What of a file is called with whatever arguments: none of it takes more memory than it is given."""

BESIDE = frozenset({
    "addict", "argparse", "datetime", "easydict", "fvcore", "lightning", "lightning_fabric", "lightning_utilities",
    "ml_collections", "mmcv", "mmengine", "numpy", "omegaconf", "pathlib", "pytorch_lightning", "timm", "yacs",
})  # fmt: skip
"""Modules whose objects are kept beside weights. None of their code runs: others would be no danger either, but a file
that asks for `subprocess.Popen` is nobody's weights."""

MOST = 100
"""Classes of such objects in a file."""

_ENCODE, _TYPED = "_codecs.encode", "torch._tensor._rebuild_from_type_v2"
"""Bytes, as `encode(text, "latin1")`; and a tensor with attributes, by a function that its arguments name."""

_STATED = f"{_REBUILD}parameter_with_state"
"""A parameter with attributes. These come last, as those of `_TYPED` do."""

KEY = 64
"""Items of a tuple, with those of the tuples in it, that may be a key; `MEMBER` in a set, and where pairs are given."""
MEMBER = 1000

_ONE = frozenset({
    "NONE", "NEWTRUE", "NEWFALSE", "EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_SET", "BININT", "BININT1",
    "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING", "LONG1",
})  # fmt: skip
"""Instructions that put one value on the stack."""
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Unsafe(Exception):
    """What a pickle holds that no state_dict does."""


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """A value: its items with those inside, as often as they are met; what a tuple holds; the name of a global."""

    leaves: int = 1
    parts: Sequence[_Item] = ()
    name: str | None = None
    value: object = None
    made_by: str | None = None
    """The class of which a stand-in takes the place."""
    keys: set[object] | None = None
    """Of what may be a dict its keys as it is filled: texts, and None for all others, and for what it was made with."""


class StandIn(dict[object, object]):
    """What takes the place of an object of another program: what it was made with, and its attributes."""

    of = ""

    def __init__(self, *arguments: object) -> None:
        super().__init__({"()": arguments} if arguments else {})

    def __setstate__(self, state: object) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.update(part)

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


def stand_in(name: str) -> type[StandIn]:
    """The class of stand-ins for objects of a class."""
    return type("StandIn", (StandIn,), {"of": name})


def check_pickle(file: IO[bytes], size: int, own: Collection[str] = ()) -> frozenset[str]:
    """Follow one pickle to its end; `size` are the bytes of the whole, `own` the attributes that every tensor has. The
    names of what is kept beside the weights, for which there have to be stand-ins. Raises Unsafe, or ValueError or such
    for what is no pickle."""
    machine = _Machine(size, own)
    machine.run(file)
    return frozenset(machine.beside)


class _Machine:
    """A pickle's stack, with items for values."""

    def __init__(self, size: int, own: Collection[str]) -> None:
        self.own = own
        self.stack: list[_Item] = []
        self.marks: list[list[_Item]] = []
        self.memo: dict[object, _Item] = {}
        self.room = size
        self.largest = 1
        self.filled = False
        self.beside: set[str] = set()

    def run(self, file: IO[bytes]) -> None:
        for opcode, argument, _ in pickletools.genops(file):
            self.step(opcode.name, argument)
        if self.filled and self.largest > MEMBER:
            raise Unsafe("it holds tuples within tuples, which no state_dict has")

    def step(self, name: str, argument: object) -> None:
        stack = self.stack
        if name in _ONE:
            stack.append(_Item(value=argument))
        elif name == "EMPTY_DICT":
            stack.append(_Item(keys=set()))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name == "MARK":
            self.marks.append(stack)
            self.stack = []
        elif name == "TUPLE":
            self.pack(self.popped())
        elif name in _TUPLES:
            parts = [stack.pop() for _ in range(_TUPLES[name])]
            self.pack(parts[::-1])
        elif name == "GLOBAL":
            stack.append(self.named(str(argument)))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments, called = stack.pop(), stack.pop()
            self.call(called, arguments)
            made_by = called.name if called.name in self.beside else None
            stack.append(_Item(arguments.leaves, made_by=made_by, keys={None} if arguments.parts else set()))
        elif name == "BINPERSID":
            _check_key(stack.pop())
            stack.append(_Item())
        elif name == "BUILD":
            stack.pop()
            if stack[-1].keys is not None:
                stack[-1].keys.add(None)
        elif name == "APPEND":
            stack.pop()
            _check_filled(stack[-1])
        elif name == "APPENDS":
            self.popped()
            _check_filled(self.stack[-1])
        elif name == "SETITEM":
            stack.pop()
            _fill(stack[-2], [stack.pop()])
        elif name == "SETITEMS":
            keys = self.popped()[::2]
            _fill(self.stack[-1], keys)
        elif name not in ("PROTO", "STOP"):
            raise Unsafe(f"it holds the pickle instruction {name}, which torch.save does not write")

    def named(self, argument: str) -> _Item:
        """A global."""
        name = argument.replace(" ", ".", 1).replace("__builtin__.", "builtins.", 1)
        if name.partition(".")[0] in BESIDE:
            self.beside.add(name)
            if len(self.beside) > MOST:
                raise Unsafe("it holds objects of more classes than are kept beside weights")
        return _Item(name=name)

    def popped(self) -> list[_Item]:
        """The items since the last mark."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def pack(self, parts: Sequence[_Item]) -> None:
        leaves = 1 + sum(part.leaves for part in parts)
        self.largest = max(self.largest, leaves)
        self.stack.append(_Item(leaves, parts))

    def call(self, called: _Item, arguments: _Item) -> None:
        name, parts = called.name, arguments.parts
        if name == _TYPED and parts and (parts[0].name or "").startswith(_REBUILD):
            name = parts[0].name
        if name == _ENCODE and len(parts) == 2 and isinstance(parts[0].value, str) and parts[1].value == "latin1":
            self.room -= len(parts[0].value)
            if self.room < 0:
                raise Unsafe("it holds the same text many times over")
        elif name not in _CALLED and name not in self.beside:
            raise Unsafe(_refused(name or "call of something that has no name"))
        if called.name in (_TYPED, _STATED) and len(parts) == 4:
            self.check_attributes(parts[3])
        self.filled |= name in _CONTAINERS and bool(parts)

    def check_attributes(self, state: _Item) -> None:
        """The attributes of a tensor take the place of its methods, and of its numbers, if they have their names."""
        for part in state.parts or (state,):
            for key in part.keys or ():
                if key is None or key in self.own:
                    what = "attributes" if key is None else f"an attribute `{key}`"
                    raise Unsafe(f"it holds a tensor with {what} of its own, which would take the place of torch's")


def _fill(item: _Item, keys: Iterable[_Item]) -> None:
    """Items that are put into a dict one by one."""
    for key in keys:
        _check_key(key)
        if item.keys is not None:
            item.keys.add(key.value if isinstance(key.value, str) else None)
    _check_filled(item)


def _refused(name: str) -> str:
    return f"it holds a {name}, not only weights, and reading that would run code"


def _check_filled(item: _Item) -> None:
    """A stand-in takes no items one by one, as objects that are lists and dicts of other programs do."""
    if item.made_by is not None:
        raise Unsafe(_refused(item.made_by))


def _check_key(key: _Item) -> None:
    if key.leaves > KEY:
        raise Unsafe("one of its keys is a tuple of tuples, not a name")
