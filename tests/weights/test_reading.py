"""Files: both formats, the usual containers, and E504 for everything else."""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import os
import pickle
import random
import socket
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from archdsl.diagnostics.core import ArchError
from archdsl.weights import read_weights, reading

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "b.count": torch.tensor(7)}


def saved(content: Any, path: Path, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def equal(tensors: Any) -> bool:
    return list(tensors) == list(STATE) and all(torch.equal(tensors[key], STATE[key]) for key in STATE)


def refused(path: Path) -> str:
    """The detail of the E504 that reading gives, which names the path."""
    with pytest.raises(ArchError) as raised:
        read_weights(path)
    (found,) = raised.value.diagnostics
    assert found.code == "E504"
    assert str(path) in found.message
    return found.message.partition(f"{path}: ")[2]


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w.ckpt", "w"])
def test_torch_files(tmp_path: Path, name: str) -> None:
    assert equal(read_weights(saved(STATE, tmp_path / name)).tensors)
    assert equal(read_weights(saved(collections.OrderedDict(STATE), tmp_path / name)).tensors)
    assert equal(read_weights(saved(STATE, tmp_path / name, _use_new_zipfile_serialization=False)).tensors)


@pytest.mark.parametrize("name", ["w.safetensors", "w.bin"])
def test_safetensors(tmp_path: Path, name: str) -> None:
    save_file(STATE, tmp_path / name, metadata={"format": "pt"})
    assert equal(dict(sorted(read_weights(str(tmp_path / name)).tensors.items())))


@pytest.mark.parametrize("container", ["state_dict", "model", "model_ema", "state_dict_ema", "net"])
def test_containers(tmp_path: Path, container: str) -> None:
    whole = {"epoch": 3, container: STATE, "optimizer": {"lr": 0.1, "state": {0: torch.zeros(1)}}}
    weights = read_weights(saved(whole, tmp_path / "w.pth"))
    assert equal(weights.tensors)
    assert [note for note in weights.notes if container in note]
    weights = read_weights(saved({"checkpoint": 1, "state_dict": {"model": STATE}}, tmp_path / "w.pth"))
    assert equal(weights.tensors)
    assert weights.notes == ("the weights are the `state_dict.model` of the file",)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_prefixes_of_every_key_are_dropped(tmp_path: Path, prefix: str) -> None:
    path = saved({prefix + key: tensor for key, tensor in STATE.items()}, tmp_path / "w.pth")
    weights = read_weights(path)
    assert equal(weights.tensors)
    assert len(weights.notes) == prefix.count(".")
    # Unless the model's own keys begin so, or not every key does.
    assert next(iter(read_weights(path, [prefix + "a.weight"]).tensors)).startswith(prefix)
    mixed = saved({**STATE, "module.c": torch.zeros(1)}, tmp_path / "w.pth")
    assert list(read_weights(mixed).tensors) == [*STATE, "module.c"]


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("trapped",)


def test_code_in_a_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for old in (False, True):
        path = saved({"a": Trap()}, tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
        assert "mkdir" in refused(path)
    (tmp_path / "raw.pth").write_bytes(pickle.dumps(Trap()))
    refused(tmp_path / "raw.pth")
    assert "run code" in refused(saved(torch.nn.Linear(2, 2), tmp_path / "w.pth"))
    assert not (tmp_path / "trapped").exists()


def raw(pickled: bytes, path: Path) -> Path:
    """A file as torch.save writes it, with this for its pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (("data.pkl", pickled), ("version", b"3\n"), ("byteorder", b"little")):
            archive.writestr(f"archive/{name}", content)
    return path


DOUBLED = b")q\x00" + b"h\x00\x86q\x00" * 60
LARGE = b"\x8a\x05" + (3 * 10**9).to_bytes(5, "little") + b"\x85"


@pytest.mark.parametrize("pickled", [
    b"}" + DOUBLED + b"K\x01s.",
    b"}(" + DOUBLED + b"K\x01u.",
    b"ccollections\nOrderedDict\n](](" + DOUBLED + b"K\x01ee\x85R.",
    b"c__builtin__\nset\n]" + DOUBLED + b"a\x85R.",
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n" + DOUBLED + b"X\x03\x00\x00\x00cpuK\x01tQ.",
])  # fmt: skip
def test_tuples_within_tuples_take_no_time(pickled: bytes, tmp_path: Path) -> None:
    """Each is twice the one before: a hash of the last would take 2 ** 60 steps."""
    for content in (raw(b"\x80\x02" + pickled, tmp_path / "w.pth"), old_format(pickled, tmp_path / "old.pth")):
        assert "tuple" in refused(content)


def old_format(pickled: bytes, path: Path) -> Path:
    """A file as torch.save wrote it before it wrote zip files, with this for its pickle."""
    torch.save({}, path, _use_new_zipfile_serialization=False)
    head, empty, tail = path.read_bytes().rpartition(b"\x80\x02}q\x00.")
    path.write_bytes(head + b"\x80\x02" + pickled + tail)
    assert empty
    return path


@pytest.mark.parametrize("called", [
    b"cbuiltins\nbytearray\n" + LARGE + b"R",
    b"c__builtin__\nbytearray\n" + LARGE + b"R",
    b"ctorch\nFloatStorage\n" + LARGE + b"R",
    b"ctorch.storage\nUntypedStorage\n" + LARGE + b"\x81",
    b"ctorch\nTensor\n" + LARGE + b"\x81",
    b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\nFloatTensor\nctorch\nTensor\n" + LARGE + b"}tR",
    b"c_codecs\nencode\nX\x02\x00\x00\x00abX\x03\x00\x00\x00hex\x86R",
    b"X\xff\x00\x00\x00" + b"a" * 255 + b"q\x01X\x06\x00\x00\x00latin1q\x02\x86"
    + b"c_codecs\nencode\nq\x00h\x01h\x02\x86R" + b"h\x00h\x01h\x02\x86R" * 60 + b"t",
])  # fmt: skip
def test_a_small_file_takes_no_memory(called: bytes, tmp_path: Path) -> None:
    pickled = b"}X\x01\x00\x00\x00a" + (b"(" if called.endswith(b"t") else b"") + called + b"s."
    for content in (raw(b"\x80\x02" + pickled, tmp_path / "w.pth"), old_format(pickled, tmp_path / "old.pth")):
        assert "it holds" in refused(content)


def test_what_training_scripts_keep_beside_weights_is_read(tmp_path: Path) -> None:
    tagged = torch.zeros(2)
    tagged.tag = "x"  # type: ignore[attr-defined]
    beside = {
        "rng": random.getstate(), ("a", ("b", 1)): 2, "size": torch.Size([1, 2]), "kind": torch.float16, "t": tagged,
        "set": {1, 2}, "z": 1j, "count": collections.Counter("aab"), "on": torch.device("cpu"), "bytes": b"abc" * 99,
        "p": torch.nn.Parameter(torch.zeros(1)), "od": collections.OrderedDict([((1, 2), [3])]),
    }  # fmt: skip
    for old in (False, True):
        content = {"state_dict": STATE, "beside": beside}
        weights = read_weights(saved(content, tmp_path / "w.pth", _use_new_zipfile_serialization=not old))
        assert equal(weights.tensors)


@pytest.mark.parametrize("content", [
    {"k" * 3_000_000: torch.zeros(1)},
    {"k" * 3_000_000: 1},
    {"k" * 3_000_000: STATE, "b": dict(STATE)},
    {f"set{i}": {"a": torch.zeros(1)} for i in range(2000)},
    {"k" * 3_000_000: {"a": 1}, "a.weight": torch.zeros(1)},
], ids=["key", "other", "set", "sets", "beside"])  # fmt: skip
def test_a_long_key_is_not_shown_whole(content: Any, tmp_path: Path) -> None:
    for name in (None, "x"):
        with pytest.raises(ArchError) as raised:
            read_weights(saved(content, tmp_path / "w.pth"), (), name)
        (found,) = raised.value.diagnostics
        said = f"{found.message} {found.help}"
        assert "…" in said or name
        assert len(said) < 2000
    if isinstance(content.get("k" * 3_000_000), dict) and "b" in content:
        (note,) = read_weights(saved({"k" * 3_000_000: STATE}, tmp_path / "w.pth")).notes
        assert len(note) < 200


def test_a_file_that_holds_itself(tmp_path: Path) -> None:
    """Structures are walked once."""
    inside: dict[str, Any] = {}
    inside["state_dict"] = inside
    assert "`state_dict` in it is a dict" in refused(saved(inside, tmp_path / "w.pth"))
    first: dict[str, Any] = {"epoch": 1}
    first["model"] = {"state_dict": first, "ema": {"module": first}}
    assert "is a" in refused(saved(first, tmp_path / "w.pth"))
    first["model"]["net"] = STATE
    assert equal(read_weights(saved(first, tmp_path / "w.pth")).tensors)


def compressed(path: Path) -> Path:
    """The same file, its entries deflated."""
    target = path.with_suffix(".small.pth")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, source.read(entry))
    return target


def test_compressed_bytes_are_no_weights(tmp_path: Path) -> None:
    """Mapped into memory they would be: torch takes so many bytes as a tensor has."""
    path = compressed(saved(STATE, tmp_path / "w.pth"))
    mapped = torch.load(path, weights_only=True, mmap=True)
    assert not equal(mapped)
    assert equal(read_weights(path).tensors)


def test_an_entry_that_is_too_short(tmp_path: Path) -> None:
    """Mapped into memory, the tensor would go on with the next entry's bytes."""
    whole = saved({"a": torch.arange(100.0), "b": torch.arange(100.0)}, tmp_path / "w.pth")
    path = tmp_path / "short.pth"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as archive:
        for entry in source.infolist():
            content = source.read(entry)
            archive.writestr(entry.filename, content[:40] if entry.filename.endswith("data/0") else content)
    assert len(torch.load(path, weights_only=True, mmap=True)["a"]) == 100
    assert refused(path) == "it is damaged (an entry is shorter than its tensor)"


def test_tensors_may_share_memory(tmp_path: Path) -> None:
    base = torch.arange(10.0)
    weights = read_weights(saved({"a": base, "b": base[2:5], "c": base.view(2, 5), "d": base[:0]}, tmp_path / "w.pth"))
    assert torch.equal(weights.tensors["b"], base[2:5])
    assert weights.shapes["d"] == (0,)


def test_a_compressed_file_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = compressed(saved({"a": torch.zeros(500_000)}, tmp_path / "zeros.pth"))
    assert small.stat().st_size < 10_000
    assert read_weights(small).tensors["a"].numel() == 500_000
    monkeypatch.setattr(reading, "UNPACKED", 1_000_000)
    assert "it is compressed, and holds 0.0 GB" in refused(small)


def test_what_never_ends_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.pth")
    (tmp_path / "link.pth").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert refused(tmp_path / "fifo.pth") == "it is a FIFO, not a file"
        assert refused(tmp_path / "link.pth") == "it is a device, not a file"
        assert refused(tmp_path / "socket") == "it is a socket, not a file"
    with pytest.raises(ArchError) as raised:
        read_weights("w\0.pth")
    assert "no file has such a name" in str(raised.value)


def header(entries: dict[str, Any]) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    assert refused(path) == "No such file or directory"
    assert refused(tmp_path) == "Is a directory"
    path.write_bytes(b"")
    assert refused(path) == "it is empty"
    path.write_text("<html>404 Not Found</html>")
    assert "neither" in refused(path)
    path.write_bytes(gzip.compress(b"x" * 100))
    assert "neither" in refused(path)
    whole = saved({"a": torch.randn(1000)}, path).read_bytes()
    for size in (2, 10, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(path)
    tensor = {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
    for content in (
        header(tensor),
        header(tensor) + b"x" * 15,
        header(tensor) + b"x" * 17,
        header({"a": {**tensor["a"], "shape": [5]}}) + b"x" * 16,
        header({"a": {**tensor["a"], "dtype": "F33"}}) + b"x" * 16,
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 4) + b"{xx}",
    ):
        path.write_bytes(content)
        refused(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1500), st.integers(0, 255), st.booleans())
def test_a_changed_byte_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, safetensors: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.pth"
    if safetensors:
        save_file(STATE, path)
    else:
        saved(STATE, path)
    content = bytearray(path.read_bytes())
    content[at % len(content)] = value
    path.write_bytes(content)
    try:
        weights = read_weights(path)
    except ArchError as error:
        refusal = error
    else:  # as the libraries read it that wrote it
        theirs = load_file(path) if safetensors else torch.load(path, weights_only=True)
        assert weights.tensors.keys() == theirs.keys()
        assert all(same_bits(tensor, theirs[key]) for key, tensor in weights.tensors.items())
        return
    assert [d.code for d in refusal.diagnostics] == ["E504"]


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Type, shape and every bit, NaNs too."""
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    return one.contiguous().view(-1).view(torch.uint8).equal(other.contiguous().view(-1).view(torch.uint8))


UNUSABLE = [
    ([torch.zeros(1)], "list"),
    (torch.zeros(1), "Tensor"),
    ({"a": torch.zeros(1), "epoch": 3}, "`epoch`"),
    ({"epoch": 3}, "`epoch`"),
    ({**STATE, "ema": STATE}, "`ema` in it is a dict, not a tensor, unlike `a.weight`"),
    ({"state_dict": {**STATE, "epoch": 3}}, "`epoch` in it is a int"),
    ({"state_dict": {}}, "`state_dict` in it is a dict"),
    ({0: torch.zeros(1)}, "int"),
    ({"a": torch.eye(3).to_sparse()}, "`a`"),
    ({"a": torch.zeros(3, device="meta")}, "`a`"),
]


@pytest.mark.parametrize(("content", "said"), UNUSABLE)
def test_other_contents(tmp_path: Path, content: Any, said: str) -> None:
    assert said in refused(saved(content, tmp_path / "w.pth"))


@pytest.mark.parametrize(
    "name", ["clone", "detach", "is_floating_point", "to", "data", "requires_grad", "grad", "shape"]
)
def test_attributes_that_take_the_place_of_a_tensors_own(name: str, tmp_path: Path) -> None:
    """`t.clone` and `t.data` mean what torch means by them; other attributes, as trainers set them, change nothing."""
    numbers = torch.ones(2, 2)
    for make, old in ((torch.ones, True), (torch.ones, False), (parameter, True), (parameter, False)):
        tensor = make(2, 2)
        vars(tensor)["no_weight_decay"] = True
        torch.save({"a.weight": tensor}, tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
        assert torch.equal(read_weights(tmp_path / "w.pth").tensors["a.weight"], numbers)
        vars(tensor)[name] = torch.zeros(2, 2)
        torch.save({"a.weight": tensor}, tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
        with pytest.raises(ArchError, match=f"attribute `{name}` of its own"):
            read_weights(tmp_path / "w.pth")


def parameter(*shape: int) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(*shape))


@pytest.mark.parametrize("how", ["ordered", "pairs", "stand-in", "slots"])
def test_attributes_given_another_way(how: str, tmp_path: Path) -> None:
    tensor = torch.ones(2, 2)
    given: Any = {"data": torch.zeros(2, 2)}
    state = {
        "ordered": collections.OrderedDict(given),
        "pairs": collections.Counter(given),
        "stand-in": argparse.Namespace(**given),
        "slots": (None, given),
    }[how]
    torch.save({"a.weight": Stated(tensor, state)}, tmp_path / "w.pth")
    with pytest.raises(ArchError, match="of its own"):
        read_weights(tmp_path / "w.pth")


class Stated:
    """Pickled as a tensor with this state."""

    def __init__(self, tensor: torch.Tensor, state: object) -> None:
        self.tensor, self.state = tensor, state

    def __reduce__(self) -> Any:
        made, given = self.tensor.__reduce_ex__(2)[:2]
        return torch._tensor._rebuild_from_type_v2, (made, torch.Tensor, given, self.state)
