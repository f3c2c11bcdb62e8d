"""To and from repositories of the hub, by huggingface_hub (the extra `hub`): its cache, its token, its settings.

Of a repository `config.json` is fetched first, and then the files that it names: nothing else. Raises ArchError E530
where that library is not installed, E640 for what stands in the way.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import archdsl
from archdsl import arguments
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.pretrained.config import NAME

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
    library = _library(repo)
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
    """The folder of a repository in the library's cache; `listed` says which files its config names."""
    library = _library(repo)

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

    folder = snapshot(revision, [NAME])
    commit = os.path.basename(folder)  # both calls must see the same one
    return snapshot(commit, listed(folder))


def _library(repo: str) -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        bag = Bag()
        missing = error.name if error.name and error.name != "huggingface_hub" else None
        bag.report("E530", None, repo=repo, detail=f"{missing} is missing" if missing else "it is not installed")
        raise ArchError(bag) from None
    return huggingface_hub


def _refuse(library: Any, repo: str, error: Exception) -> NoReturn:
    detail = " ".join(str(error).split())[:300] or type(error).__name__
    bag = Bag()
    bag.report("E640", None, repo=repo, address=library.constants.ENDPOINT, detail=detail)
    raise ArchError(bag) from None
