"""Files of a hub's repositories: a fake hub on the loopback, read by huggingface_hub itself."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import huggingface_hub.constants
import pytest

from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.weights.download import Patience, fetch_hub
from tests.weights.server import COMMIT, Server, breaks, late, serving, status

DATA = random.Random(2).randbytes(200_000)
OTHER = random.Random(3).randbytes(200_000)
SHA = hashlib.sha256(DATA).hexdigest()
REPO, FILE = "timm/net.a1", "model.safetensors"
QUICK = Patience(tries=3, timeout=5.0, delay=0.01, longest=0.5)
Notes = list[str]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hf" / "hub"


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """huggingface_hub reads its environment when it is imported, so what it read is changed."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(cache.parent / "token"))
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 10_000)  # what is resumed are whole chunks
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    with serving() as made:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", made.url)
        template = made.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield made
    huggingface_hub.close_session()


def fetched(notes: Notes | None = None, sha256: str | None = SHA, **options: Any) -> Path:
    said: Notes = [] if notes is None else notes
    given: dict[str, Any] = {"repo": REPO, "file": FILE, "patience": QUICK, **options}
    return fetch_hub(sha256=sha256, say=lambda path, texts: said.extend(texts), **given)


def refused(code: str, sha256: str | None = SHA, **options: Any) -> Diagnostic:
    with pytest.raises(ArchError) as caught:
        fetched(None, sha256, **options)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    return diagnostic


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()


# --- what goes well --------------------------------------------------------------------------


def test_a_file_is_fetched_once_into_the_cache(hub: Server, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    notes: Notes = []
    path = fetched(notes, size=len(DATA))
    assert path == cache / "models--timm--net.a1" / "snapshots" / COMMIT / FILE
    assert path.read_bytes() == DATA
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), "200.0 kB" in err, f"{REPO}/resolve/main/{FILE}" in err) == ("", 1, True, True)
    asked = len(hub.requests)
    assert fetched(notes) == path
    assert len(hub.requests) == asked  # its hash is stated: nobody is asked
    assert huggingface_hub.hf_hub_download(REPO, FILE, endpoint=hub.url) == str(path)  # the cache is the library's
    assert notes == []
    assert len(hub.gets("/cdn/")) == 1


def test_without_a_hash_the_hub_says_one(hub: Server) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    notes: Notes = []
    path = fetched(notes, None)
    heads = hub.heads()
    assert fetched(notes, None) == path
    assert hub.heads() > heads  # there might be a newer one
    assert notes == []
    hub.serve_hub(REPO, FILE, OTHER, commit="f" * 40)
    assert fetched(notes, None).read_bytes() == OTHER
    assert path.read_bytes() == DATA
    (news,) = notes
    assert "the repository has another file now" in news
    notes.clear()
    hub.serve_hub(REPO, "config.json", b"{}", large=False)
    assert fetched(notes, None, file="config.json").read_bytes() == b"{}"
    assert notes == ["no hash is stated for it, so it was not checked"]


def test_a_commit_is_asked_for_once(hub: Server) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    hub.files[f"/{REPO}/resolve/{COMMIT}/{FILE}"] = hub.files[f"/{REPO}/resolve/main/{FILE}"]
    path = fetched(None, None, revision=COMMIT)
    asked = len(hub.requests)
    assert fetched(None, None, revision=COMMIT) == path
    assert len(hub.requests) == asked


def test_a_token_is_sent(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.serve_hub(REPO, FILE, DATA)
    fetched()
    assert {headers.get("authorization") for method, _, headers in hub.requests if method == "HEAD"} == {
        "Bearer hf_secret"
    }


ENVIRONMENT = """
import sys
from archdsl.weights.download import fetch_hub
print(fetch_hub(sys.argv[1], sys.argv[2], sha256=sys.argv[3]))
assert "torch" not in sys.modules
"""


def test_processes_fetch_one_file(hub: Server, tmp_path: Path) -> None:
    """With the environment variables that huggingface_hub has."""
    hub.serve_hub(REPO, FILE, DATA, late(1.0))
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", ENVIRONMENT, REPO, FILE, SHA]
    runs = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0] * len(runs), said
    place = tmp_path / "home" / "hub" / "models--timm--net.a1" / "snapshots" / COMMIT / FILE
    assert {out for out, _ in said} == {f"{place}\n"}
    assert [headers.get("range") for headers in hub.gets("/cdn/")] == [None]
    assert sum("fetching" in err for _, err in said) == 1
    environment["HF_HUB_OFFLINE"] = "1"
    hub.files.clear()
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == f"{place}\n"
    environment["HF_HOME"] = str(tmp_path / "another")
    failed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "E523" in failed.stderr
    assert "HF_HUB_OFFLINE is set" in failed.stderr


def test_a_library_s_published_weights_by_name(hub: Server, tmp_path: Path) -> None:
    """The whole way: a name of ours, the repository that the list says, the library's names, its outputs."""
    import torch
    from safetensors.torch import save_file

    import archdsl
    from archdsl.verify.randomize import randomize
    from tests.libraries import reference_model

    theirs = reference_model("timm", "efficientnet_lite0").eval()
    randomize(theirs, seed=1, size=32, batch=2)
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    hub.serve_hub("timm/efficientnet_lite0.ra_in1k", FILE, (tmp_path / "model.safetensors").read_bytes())
    ours = archdsl.load("efficientnet_lite0", weights="timm/efficientnet_lite0.ra_in1k").eval()
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(ours(image), theirs(image))


# --- another file ----------------------------------------------------------------------------


def test_the_hub_has_another_file(hub: Server, cache: Path) -> None:
    """It says so before anything is fetched."""
    hub.serve_hub(REPO, FILE, OTHER)
    diagnostic = refused("E527")
    assert hashlib.sha256(OTHER).hexdigest() in diagnostic.message
    assert any("nothing was fetched" in note for note in diagnostic.notes)
    assert "200,000 bytes, and 3 are stated" in refused("E528", None, size=3).message
    assert hub.gets("/cdn/") == []


@pytest.mark.parametrize("sha256", [SHA, None])
def test_wrong_bytes_come(hub: Server, cache: Path, sha256: str | None) -> None:
    """The hub states one hash, and other bytes come."""
    hub.serve_hub(REPO, FILE, DATA)
    hub.files[f"/cdn/{SHA}"].data = OTHER
    diagnostic = refused("E527", sha256)
    assert hashlib.sha256(OTHER).hexdigest() in diagnostic.message
    assert SHA in diagnostic.message
    assert len(hub.gets("/cdn/")) == 1
    assert [
        path for path in (cache / "models--timm--net.a1").rglob("*") if path.is_file() and "refs" not in path.parts
    ] == []
    hub.files[f"/cdn/{SHA}"].data = DATA
    assert fetched(None, sha256).read_bytes() == DATA


def test_hashes_of_small_files(hub: Server) -> None:
    """Of these the hub states none that is of the bytes alone."""
    hub.serve_hub(REPO, FILE, OTHER, large=False)
    refused("E527")
    refused("E527", "00000000", algorithm="sha1")
    assert fetched(None, hashlib.sha1(OTHER).hexdigest()[:8], algorithm="sha1").read_bytes() == OTHER


@pytest.mark.parametrize("sha256", [SHA, None])
def test_a_damaged_cache_is_fetched_anew(hub: Server, sha256: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    path = fetched()
    path.resolve().write_bytes(OTHER)
    notes: Notes = []
    assert fetched(notes, sha256) == path
    assert path.read_bytes() == DATA
    assert len(notes) == 1
    assert "damaged" in notes[0]
    path.resolve().write_bytes(OTHER)
    offline(monkeypatch)
    assert any(hashlib.sha256(OTHER).hexdigest() in note for note in refused("E523", sha256).notes)


# --- no hub ----------------------------------------------------------------------------------


def test_offline(hub: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    path = fetched()
    offline(monkeypatch)
    asked = len(hub.requests)
    notes: Notes = []
    assert fetched(notes) == path
    assert notes == []
    assert fetched(notes, None) == path
    assert notes == []  # that is what it means
    diagnostic = refused("E523", repo="timm/other")
    assert "HF_HUB_OFFLINE is set" in diagnostic.message
    place = cache / "models--timm--other" / "snapshots" / "main" / FILE
    assert f"place: {place}" in "\n".join(diagnostic.notes)
    place.parent.mkdir(parents=True)
    place.write_bytes(DATA)  # by hand
    assert fetched(notes, repo="timm/other") == place
    place.write_bytes(OTHER)
    refused("E523", repo="timm/other")
    assert len(hub.requests) == asked


def test_no_network(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    path = fetched()
    nowhere = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", nowhere)
    diagnostic = refused("E523", repo="timm/other")
    assert "http://127.0.0.1:9/timm/other/resolve/main/model.safetensors" in "\n".join(diagnostic.notes)
    notes: Notes = []
    assert fetched(notes, None) == path
    assert "for the hub did not answer" in notes[0]


def test_what_the_hub_has_not(hub: Server) -> None:
    assert "404" in refused("E524").message
    hub.serve_hub(REPO, FILE, DATA)
    path = f"/{REPO}/resolve/main/{FILE}"
    hub.files[path].head_faults = [status(401, X_Error_Code="RepoNotFound")]
    assert "401" in refused("E524").message
    hub.files[path].head_faults = [status(403, X_Error_Code="GatedRepo")]
    assert "HF_TOKEN" in str(refused("E524").help)
    assert hub.gets("/cdn/") == []


def test_a_hub_that_is_overloaded(hub: Server) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    at = hub.files[f"/{REPO}/resolve/main/{FILE}"]
    at.head_faults = [status(429, Retry_After="0"), status(500)]
    assert fetched().read_bytes() == DATA
    at.head_faults = [status(429, Retry_After="3600")]
    assert "3,600 seconds" in str(refused("E525", "0" * 64).help)
    at.head_faults = [status(503)] * 3
    assert "503" in refused("E525", "0" * 64).message


def test_what_is_no_hub(hub: Server) -> None:
    hub.serve(f"/{REPO}/resolve/main/{FILE}", DATA)
    assert "HF_ENDPOINT" in refused("E528").message


def test_broken_off(hub: Server) -> None:
    hub.serve_hub(REPO, FILE, DATA, breaks(100_000), breaks(50_000))
    assert fetched().read_bytes() == DATA
    assert [headers.get("range") for headers in hub.gets("/cdn/")] == [None, "bytes=100000-", "bytes=150000-"]
    hub.serve_hub("timm/b", FILE, OTHER, *[breaks(0)] * 20)
    refused("E526", hashlib.sha256(OTHER).hexdigest(), repo="timm/b")
    hub.serve_hub("timm/c", FILE, DATA[:9], *[status(403)] * 20)
    refused("E524", None, repo="timm/c")


# --- names, places, the library --------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        {"repo": "../net"}, {"repo": "a/b/c"}, {"repo": "https://a.org/b"}, {"repo": ""}, {"repo": "a/.."},
        {"file": "../net"}, {"file": "/etc/passwd"}, {"file": "a/../../b"}, {"file": ""}, {"file": "a\\b"},
        {"revision": "../x"}, {"revision": "a b\n"},
    ],
)  # fmt: skip
def test_what_is_no_file_of_a_repository(names: dict[str, str]) -> None:
    refused("E522", **names)


def test_a_cache_that_is_a_file(hub: Server, cache: Path) -> None:
    hub.serve_hub(REPO, FILE, DATA)
    cache.parent.mkdir(parents=True)
    cache.write_text("")
    refused("E529")
    assert hub.requests == []


def test_a_cache_that_cannot_be_written_to(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in it is used, as on machines that share one."""
    hub.serve_hub(REPO, FILE, DATA)
    path = fetched()

    def no(self: Path, *args: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", no)
    assert fetched() == path
    assert fetched(None, None) == path
    assert "Permission denied" in refused("E529", repo="timm/other").message


def test_without_huggingface_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    diagnostic = refused("E530")
    assert diagnostic.help == "pip install 'archdsl[hub]'"
    assert REPO in diagnostic.message
