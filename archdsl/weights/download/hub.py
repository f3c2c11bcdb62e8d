"""A file of a Hugging Face repository into Hugging Face's cache, by huggingface_hub (the extra `hub`).

Where it is, who may read it, and the cache are that library's: HF_HOME, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE mean
what they mean there. Before anything is fetched the hub is asked which file it has: of large ones it says the sha256.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, NoReturn

from archdsl import arguments
from archdsl.diagnostics.core import ArchError, errors_raised
from archdsl.weights.download.digests import Digest, stated
from archdsl.weights.download.opening import reason_of
from archdsl.weights.download.places import LOCKS, locked
from archdsl.weights.download.progress import Meter
from archdsl.weights.download.transfer import AGAIN, Patience, retry_after
from archdsl.weights.download.wanted import Wanted
from archdsl.weights.loading import Say, warn

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_PATH = re.compile(r"[^/\\:\x00-\x1f]+(/[^/\\:\x00-\x1f]+)*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch_hub(
    repo: str,
    file: str,
    revision: str | None = None,
    sha256: str | None = None,
    *,
    algorithm: str = "sha256",
    size: int | None = None,
    progress: bool = True,
    patience: Patience = Patience(),  # noqa: B008  it is frozen
    say: Say = warn,
) -> Path:
    """The file of a repository in Hugging Face's cache, fetched if it is not there; its hash is checked in any case.

    `revision` is a branch, a tag or a commit, the branch `main` if left out; the rest as `fetch_url` has it. Where a
    hash is stated, or a commit, and the file is in the cache, no network is needed; otherwise the hub is asked
    whether there is a newer one, and the one in the cache is taken, which is said, where it does not answer.

    Raises ArchError: E522 for what is no repository or file, E530 where huggingface_hub is not installed, E523 to E529
    for what stands in the way; ValueError for what is no hash.
    """
    repo, file = arguments.text("repo", repo), arguments.text("file", file)
    revision = arguments.optional_text("revision", revision) or "main"
    digest = stated(arguments.optional_text("sha256", sha256), algorithm)
    _check_names(repo, file, revision)
    source = _Source(hub_library(repo), repo, file, revision)
    wanted = Wanted(source.address, source.place, digest, size)
    try:
        cached = source.confirmed(wanted)
        if cached is not None:
            return cached
        with Meter(wanted, progress) as meter, _alone(source, meter):
            return source.confirmed(wanted) or _Fetching(source, wanted, patience, meter, say).run()
    except OSError as error:
        wanted.refuse_folder(error, source.cache)


@contextmanager
def _alone(source: _Source, meter: Meter) -> Iterator[None]:
    """Be the only process at this file; in a cache that cannot be written to nobody fetches, so nobody waits."""
    lock = source.cache / LOCKS / source.folder.name / f"archdsl.{source.file.replace('/', '--')[-150:]}.lock"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with open(lock, "ab"):
            pass
        holding: AbstractContextManager[object] = locked(lock, meter.wait)
    except OSError:
        if source.cached() is None:
            raise
        holding = nullcontext()
    with holding:
        yield


def _check_names(repo: str, file: str, revision: str) -> None:
    with errors_raised() as bag:
        if not _REPOSITORY.fullmatch(repo) or ".." in repo:
            bag.report("E522", None, what=repo, detail="a repository is called owner/name")
        for name in (file, revision):
            if not _PATH.fullmatch(name) or ".." in name.split("/"):
                bag.report("E522", None, what=name, detail=f"it is nothing in the repository {repo}")


def hub_library(repo: str) -> Any:
    """huggingface_hub, which a repository is wanted of; raises ArchError E530."""
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
    except ImportError as error:
        missing = error.name if error.name and error.name != "huggingface_hub" else None
        raise ArchError.of(
            "E530", repo=repo, detail=f"{missing} is missing" if missing else "it is not installed"
        ) from None
    return huggingface_hub


@dataclass(frozen=True)
class _Source:
    """A file of a repository, and where Hugging Face's cache has it."""

    hub: Any
    repo: str
    file: str
    revision: str

    @property
    def address(self) -> str:
        constants = self.hub.constants
        return str(self.hub.hf_hub_url(self.repo, self.file, revision=self.revision, endpoint=constants.ENDPOINT))

    @property
    def cache(self) -> Path:
        return Path(self.hub.constants.HF_HUB_CACHE)

    @property
    def folder(self) -> Path:
        return self.cache / f"models--{self.repo.replace('/', '--')}"

    @property
    def place(self) -> Path:
        """Where the file is looked for: in the folder of the commit that the cache knows the revision by."""
        commit = self.revision
        with suppress(OSError):
            commit = (self.folder / "refs" / self.revision).read_text(encoding="utf-8").strip() or commit
        return self.folder / "snapshots" / commit / self.file

    def cached(self) -> Path | None:
        found = self.hub.try_to_load_from_cache(self.repo, self.file, cache_dir=self.cache, revision=self.revision)
        return Path(found) if isinstance(found, str) else None

    def confirmed(self, wanted: Wanted) -> Path | None:
        """The file in the cache, if there is no doubt about it: its hash is stated, or it is that of a commit."""
        found = self.cached()
        if found is None or (wanted.digest is None and not _COMMIT.fullmatch(self.revision)):
            return None
        return found if other_than(wanted, found) is None else None


def other_than(wanted: Wanted, path: Path, *more: Digest) -> tuple[Digest, str] | None:
    """A hash that a file must have and has not, and the one that it has; raises OSError.

    Besides the one that is stated these are `more`, and the name of the file behind a link in the cache: that of a
    large file is its sha256.
    """
    name = path.resolve().name
    digests = [*more, *([Digest("sha256", name)] if _SHA256.fullmatch(name) else ())]
    for digest in dict.fromkeys([*([wanted.digest] if wanted.digest else ()), *digests]):
        got = digest.other(path)
        if got is not None:
            return digest, got
    return None


class _Unreached(Exception):
    """The hub does not answer: why, in the words of a code; whether somebody wished it so."""

    def __init__(self, code: str, *, wished: bool = False, **facts: object) -> None:
        super().__init__(code)
        self.code, self.wished, self.facts = code, wished, facts


@dataclass
class _Fetching:
    """One download."""

    source: _Source
    wanted: Wanted
    patience: Patience
    meter: Meter
    say: Say

    def run(self) -> Path:
        cached = self.source.cached()
        damage = None if cached is None else other_than(self.wanted, cached)
        if damage is not None:
            there = f"the file in its place has another hash ({damage[0].algorithm} {damage[1]})"
            self.wanted = replace(self.wanted, remarks=(there,))
        try:
            metadata = self.asked()
        except _Unreached as reason:
            if cached is None or damage is not None or self.wanted.digest is not None:
                self.wanted.refuse(reason.code, facts=reason.facts)
            if not reason.wished:
                detail = reason.facts["detail"]
                self.say(str(cached), [f"it was taken as it lay in the cache, for the hub did not answer ({detail})"])
            return cached
        digests = self.checked(metadata)
        before = "" if cached is None else cached.resolve().name
        if digests and _SHA256.fullmatch(before) and before != digests[0].digits:
            news = f"the repository has another file now (sha256 {digests[0].digits}) than when it was fetched before"
            self.say(str(cached), [news])
        known = self.source.folder / "blobs" / str(metadata.etag)
        pointer = self.source.folder / "snapshots" / str(metadata.commit_hash) / self.source.file
        was_there = known.exists() or pointer.exists()
        path = self.download(metadata, anew=False)
        wrong = other_than(self.wanted, path, *digests)
        if wrong is not None and was_there:
            self.say(str(path), [f"it was damaged in the cache ({wrong[0].algorithm} {wrong[1]}), and is fetched anew"])
            path = self.download(metadata, anew=True)
            wrong = other_than(self.wanted, path, *digests)
        if wrong is not None:
            for one in (path.resolve(), path):
                one.unlink(missing_ok=True)  # nobody else should take it for the file
            self.wanted.refuse("E527", expected=str(wrong[0]), got=wrong[1])
        if not digests and self.wanted.digest is None:
            self.say(str(path), ["no hash is stated for it, so it was not checked"])
        return path

    def asked(self) -> Any:
        """What the hub says of the file; raises _Unreached."""
        failures = 0
        while True:
            try:
                return self.source.hub.get_hf_file_metadata(
                    self.source.address, timeout=self.patience.timeout, library_name="archdsl"
                )
            except Exception as error:  # which client it uses is the library's matter
                status, wait = self.failed(error)
                failures += 1
                asked_too_much = wait is not None and wait > self.patience.longest
                if failures >= self.patience.tries or asked_too_much:
                    seconds = f"{wait:,.0f}" if asked_too_much else None
                    raise _Unreached("E525", detail=f"the server answers {status}", wait=seconds) from None
            self.meter.say(f"the server answers {status}: trying again")
            time.sleep(min(self.patience.delay * 2 ** (failures - 1) if wait is None else wait, self.patience.longest))

    def failed(self, error: Exception) -> tuple[str, float | None]:
        """What an exception means: the answer after which to try again, and the seconds until then."""
        response = getattr(error, "response", None)
        if response is not None:
            status = f"{response.status_code} {getattr(response, 'reason_phrase', getattr(response, 'reason', ''))}"
            if response.status_code in AGAIN:
                return status.strip(), retry_after(response.headers.get("Retry-After"))
            self.wanted.refuse("E524", status=status.strip())
        errors = self.source.hub.errors
        if isinstance(error, errors.OfflineModeIsEnabled):
            raise _Unreached("E523", wished=True, detail="HF_HUB_OFFLINE is set")
        raise _Unreached("E523", detail=reason_of(error))

    def checked(self, metadata: Any) -> list[Digest]:
        """The hashes that the hub states; raises ArchError if it has another file."""
        if metadata.etag is None or metadata.commit_hash is None:
            self.wanted.refuse("E528", detail="the server answers, but not as a hub does: is HF_ENDPOINT right?")
        if self.wanted.size is not None and metadata.size not in (None, self.wanted.size):
            self.wanted.refuse("E528", detail=f"it has {metadata.size:,} bytes, and {self.wanted.size:,} are stated")
        if not _SHA256.fullmatch(metadata.etag):
            return []
        digest = self.wanted.digest
        if digest is not None and digest.algorithm == "sha256" and not digest.agrees(metadata.etag):
            remark = "the hub says so: nothing was fetched. A `revision` that is a commit always is the same file"
            self.wanted.refuse("E527", remarks=[remark], expected=str(digest), got=metadata.etag)
        return [Digest("sha256", metadata.etag)]

    def download(self, metadata: Any, *, anew: bool) -> Path:
        source = self.source
        bar = {}
        if "tqdm_class" in signature(source.hub.hf_hub_download).parameters:
            bar = {"tqdm_class": _bar(self.meter, metadata.size)}
        else:  # an older one, which draws its own
            self.meter.announce(0, metadata.size)
        try:
            found = source.hub.hf_hub_download(
                source.repo,
                source.file,
                revision=source.revision,
                cache_dir=source.cache,
                endpoint=source.hub.constants.ENDPOINT,
                library_name="archdsl",
                etag_timeout=self.patience.timeout,
                force_download=anew,
                **bar,
            )
        except Exception as error:
            self.broken(error)
        return Path(found)

    def broken(self, error: Exception) -> NoReturn:
        """Say why a download failed."""
        if isinstance(error, OSError) and error.errno is not None and type(error).__module__ == "builtins":
            self.wanted.refuse_folder(error, self.source.cache)
        response = getattr(error, "response", None)
        if response is not None and response.status_code not in AGAIN:
            self.wanted.refuse("E524", status=str(response.status_code))
        if response is not None:
            self.wanted.refuse("E525", detail=f"the server answers {response.status_code}")
        self.wanted.refuse("E526", detail=reason_of(error))


def _bar(meter: Meter, total: int | None) -> type[Any]:
    """The meter as huggingface_hub wants a bar: a tqdm, which draws nothing itself."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            meter.start(int(options.get("initial") or 0), options.get("total") or total)
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            meter.advance(int(n or 0))

    return Bar
