"""Writing files: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType

from archdsl.cli.shared import refuse
from archdsl.diagnostics.core import ArchError


class Staged:
    """Content under a temporary name beside its destination. `commit` puts it in place; leaving without deletes it.

    A text is written as UTF-8.
    A symbolic link is followed; a device or pipe (`/dev/null`) is written to, not replaced. Raises ArchError E607.
    """

    def __init__(self, path: Path, content: str | bytes) -> None:
        self.shown = path
        self.path = Path(os.path.realpath(path))
        self.data = content.encode() if isinstance(content, str) else content
        self.temporary: Path | None = None

    def __enter__(self) -> Staged:
        if self.path.exists() and not self.path.is_file():
            if self.path.is_dir():
                raise refuse("E607", path=str(self.shown), detail="it is a folder")
            return self
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", suffix=".tmp", dir=self.path.parent)
            self.temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(self.data)
            self.temporary.chmod(self._mode())
        except OSError as error:
            self._clean()
            raise self._refusal(error) from None
        return self

    def content(self) -> str:
        """The text that was written, read back."""
        return self.temporary.read_text(encoding="utf-8") if self.temporary else self.data.decode()

    def commit(self) -> None:
        try:
            if self.temporary is not None:
                self.temporary.replace(self.path)
            else:
                self.path.write_bytes(self.data)
        except OSError as error:
            raise self._refusal(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clean()

    def _clean(self) -> None:
        if self.temporary is not None:
            self.temporary.unlink(missing_ok=True)

    def _mode(self) -> int:
        """That of the file to be replaced; that of a new file, which the umask decides."""
        if self.path.exists():
            return self.path.stat().st_mode & 0o777
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

    def _refusal(self, error: OSError) -> ArchError:
        return refuse("E607", path=str(self.shown), detail=error.strerror or str(error))
