"""To and from repositories of the hub, by huggingface_hub (the extra `hub`): its cache, its token, its settings.

Of a repository `config.json` is fetched first, and then the files that it names: nothing else. Raises ArchError E530
where that library is not installed, E640 for what stands in the way.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import archdsl
from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.library import MAX_BYTES
from archdsl.pretrained.config import LONGEST, NAME
from archdsl.pretrained.folder import WEIGHTS
from archdsl.weights.download.hub import hub_library

if TYPE_CHECKING:
    from torch import nn


def push_to_hub(
    model: nn.Module,
    repo: str,
    *,
    revision: str | None = None,
    private: bool | None = None,
    message: str | None = None,
    token: str | bool | None = None,
    labels: Sequence[str] | None = None,
    license: str | None = None,
) -> str:
    """Put a model of ours into a repository of the hub, as `save_pretrained` writes it; the address of the commit.

    The repository is made if it is not there (`private`, then). A model card that it has already is kept.
    """
    from archdsl.pretrained.saving import Saved, write

    repo = arguments.text("repo", repo)
    revision = arguments.optional_text("revision", revision)
    message = arguments.optional_text("message", message)
    saved = Saved(model, labels, license)
    library = hub_library(repo)
    with tempfile.TemporaryDirectory(prefix="archdsl-") as folder:
        write(saved, os.path.join(folder, "model"), repo, overwrite=False)
        try:
            api = library.HfApi(token=token, library_name="archdsl", library_version=archdsl.__version__)
            api.create_repo(repo, private=private, exist_ok=True)
            has_card = api.file_exists(repo, "README.md", revision=revision)
            done = api.upload_folder(
                repo_id=repo,
                folder_path=os.path.join(folder, "model"),
                revision=revision,
                commit_message=message or f"{saved.variant.name}, by archdsl {archdsl.__version__}",
                ignore_patterns=["README.md"] if has_card else None,
            )
        except Exception as error:  # whatever its client raises
            _refuse(library, repo, error)
    return str(done.commit_url)


def fetched(repo: str, revision: str | None, token: str | bool | None, listed: Callable[[str], Sequence[str]]) -> str:
    """The folder of a repository in the library's cache; `listed` says which files its config names.

    Before a config or a text is fetched the hub is asked how long it is: E636 for what is longer than may be.
    """
    library = hub_library(repo)
    sizes = _asked(library, repo, revision, token)

    def check(files: Sequence[str]) -> None:
        for name in files:
            limit = LONGEST if name == NAME else MAX_BYTES
            if name != WEIGHTS and sizes.get(name, 0) > limit:
                raise ArchError.of("E636", path=f"{repo}: {name}", detail=f"it has more than {limit:,} bytes")

    def snapshot(revision: str | None, files: Sequence[str]) -> str:
        try:
            found = library.snapshot_download(
                repo,
                revision=revision,
                allow_patterns=list(files),
                token=token,
                library_name="archdsl",
                library_version=archdsl.__version__,
            )
        except Exception as error:  # whatever its client raises
            _refuse(library, repo, error)
        return str(found)

    check([NAME])
    folder = snapshot(revision, [NAME])  # by its name, so that the cache knows it without a network
    files = listed(folder)
    check(files)
    return snapshot(os.path.basename(folder), files)  # of the same commit


def _asked(library: Any, repo: str, revision: str | None, token: str | bool | None) -> Mapping[str, int]:
    """The sizes of the files of a repository; nothing where the hub does not say."""
    try:
        info = library.HfApi(token=token).model_info(repo, revision=revision, files_metadata=True)
        return {file.rfilename: file.size or 0 for file in info.siblings or ()}
    except Exception:  # whatever its client raises: what is in the cache may do, and else the same is raised again
        return {}


def _refuse(library: Any, repo: str, error: Exception) -> NoReturn:
    detail = " ".join(str(error).split())[:300] or type(error).__name__
    raise ArchError.of("E640", repo=repo, address=library.constants.ENDPOINT, detail=detail) from None
