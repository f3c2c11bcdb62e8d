"""What the commands share: opening SPEC, and how a command ends with diagnostics or a document."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli import console
from archdsl.cli.codes import COULD_NOT_RUN, FINDINGS
from archdsl.cli.options import TEXT
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.image import AS_WRITTEN, Image

if TYPE_CHECKING:
    from archdsl.api import ArchFile, Variant
    from archdsl.backends.diagram.choices import Picture
    from archdsl.cli.documents.base import Document
    from archdsl.source import Source

STDIN = "<stdin>"
_stdin: list[tuple[object, Source]] = []
_FAULTS_OF_SPECS = frozenset({"E604"})
_NOT_READ = frozenset({"E504", "E505", "E511", "E512", "E516", "E517", *(f"E{code}" for code in range(519, 535))})
"""Codes outside E6xx that mean: could not run."""


class ArchCommand(click.Command):
    """A command whose `ArchError` becomes rendered diagnostics, or a JSON document, and an exit code."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # click takes `-:resnet50` (a variant of the text on standard input) for an option.
        args = [STDIN + arg[1:] if arg.startswith("-:") else arg for arg in args]
        self.look_at_order(ctx, self.make_parser(ctx).parse_args(list(args))[2])
        return super().parse_args(ctx, args)

    def look_at_order(self, ctx: click.Context, order: Sequence[click.Parameter]) -> None:
        """Raise UsageError for an option of one value that is given twice: click would forget the first."""
        seen = set()
        for option in order:
            if not isinstance(option, click.Option) or option.multiple:
                continue
            if option in seen and (not option.is_flag or option.secondary_opts):
                raise click.UsageError(f"{'/'.join(option.opts)} is given twice, and has one value", ctx)
            seen.add(option)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchError as error:
            diagnostics = error.diagnostics
            if ctx.params.get("as_json"):
                from archdsl.cli.documents.base import document

                console.write_json(document(self.name or "", diagnostics))
            else:
                fail(diagnostics)
            return exit_code(diagnostics)


def write_document(keys: Document, diagnostics: Iterable[Diagnostic] = (), ok: bool | None = None) -> None:
    """Print a command's JSON document; `ok`, where it is not that no diagnostic is an error."""
    from archdsl.cli.documents.base import document

    console.write_json(document(keys.command, diagnostics, keys, ok))


def write_output(content: bytes, path: Path | None, as_json: bool = False) -> None:
    """Write a file and note it; without a path print the content, unless the JSON document has it."""
    if path is None:
        if not as_json:
            console.write_data(content.decode())
        return
    from archdsl.files import Staged

    with Staged(path, content) as staged:
        staged.commit()
    console.note(f"wrote {path}")


def picture_file(output: str) -> tuple[Picture, Path | None]:
    """The format of a picture, by its name, and where it goes, None to print it (`-`); raises UsageError."""
    from archdsl.backends.diagram.choices import PICTURES

    if output == "-":
        return "svg", None
    path = Path(output)
    kind = next((one for one in PICTURES if path.suffix.lower() == f".{one}"), None)
    if kind is None:
        raise click.UsageError(f"{path} has no suffix that says the format: {', '.join(PICTURES)}")
    return kind, path


def fail(diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics and how many there are to standard error."""
    found = tuple(diagnostics)
    console.diagnose(found, sys.stderr)
    console.note(console.tally(found))


def exit_code(diagnostics: Iterable[Diagnostic]) -> int:
    """0 without errors, 1 for errors in a spec, 2 if the command could not be carried out as it was given."""
    errors = [d for d in diagnostics if d.severity == "error"]
    if any(_could_not_run(d) for d in errors):
        return COULD_NOT_RUN
    return FINDINGS if errors else 0


def _could_not_run(diagnostic: Diagnostic) -> bool:
    code, span = diagnostic.code, diagnostic.span
    if code in _FAULTS_OF_SPECS:
        return False
    from_options = span is not None and span.source.name.startswith("--")
    unplaced_name = span is None and code in ("E108", "E432")  # SPEC:VARIANT names no variant, NAME no recipe
    return code.startswith("E6") or code in _NOT_READ or from_options or unplaced_name


def may_replace(path: Path, is_ours: Callable[[bytes], bool], force: bool) -> bool:
    """Whether there is a file in the way that may be replaced; raises ArchError E607 if it may not.

    It may with `--force`, or if its content says that archdsl wrote it: names can be mistaken, for the spec's own too.
    """
    if not os.path.isfile(path):
        return False
    try:
        ours = force or is_ours(path.read_bytes())
    except OSError:
        ours = False
    if not ours:
        raise ArchError.of("E607", path=str(path), detail="the file is not one that archdsl wrote; --force replaces it")
    return True


def changed(
    variant: Variant, settings: Mapping[str, str], image: Image = AS_WRITTEN, output_stride: int | None = None
) -> Variant:
    """The variant with parameters set, for another image, of another output stride; raises ArchError."""
    variant = (variant.set(settings) if settings else variant).for_image(image.channels, image.size)
    return variant if output_stride is None else variant.with_output_stride(output_stride)


# --- specs -----------------------------------------------------------------------------------


def locate(spec: str) -> tuple[Source, str | None]:
    """The source that SPEC or SPEC:VARIANT means, and the variant it names; raises ArchError E601 or E602."""
    from archdsl import library

    if spec in ("-", STDIN):
        return read_stdin(), None
    if spec.startswith(STDIN + ":"):
        return read_stdin(), _variant(spec)
    source, variant = library.locate(spec, console.note)
    return source, None if variant is None else _variant(f":{variant}")


def _variant(spec: str) -> str:
    """The name after the last `:`; raises ArchError E618 where there is none, UsageError for what is no text."""
    name = spec.rpartition(":")[2]
    if not name:
        raise ArchError.of("E618", name=spec.replace(STDIN, "-"))
    return str(TEXT.convert(name, None, None))


def read_stdin() -> Source:
    """Standard input as a source, the same one for every SPEC that means it; raises ArchError E602."""
    from archdsl.library import MAX_BYTES, decoded
    from archdsl.source import Source

    if _stdin and _stdin[-1][0] is sys.stdin:
        return _stdin[-1][1]
    try:
        source = Source(STDIN, decoded(sys.stdin.buffer.read(MAX_BYTES)))
    except UnicodeDecodeError as error:
        raise ArchError.of("E602", path=STDIN, detail=str(error)) from None
    except OSError as error:
        detail = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
        raise ArchError.of("E602", path=STDIN, detail=detail) from None
    _stdin[:] = [(sys.stdin, source)]
    return source


def open_spec(spec: str) -> tuple[ArchFile, str | None]:
    """The file that SPEC means, its names and variants checked, and the variant it names; raises ArchError."""
    from archdsl.api import open_source

    source, variant = locate(spec)
    return open_source(source), variant


def find_next(
    before: Variant,
    spec: str,
    settings: Mapping[str, str],
    image: Image = AS_WRITTEN,
    output_stride: int | None = None,
) -> Variant:
    """`find_variant` for what comes after another SPEC: `:NAME` is a variant of the file of the one before."""
    if spec.startswith(":"):
        return changed(before.sibling(_variant(spec)), settings, image, output_stride)
    return find_variant(spec, settings, image, output_stride)


def find_variant(
    spec: str, settings: Mapping[str, str], image: Image = AS_WRITTEN, output_stride: int | None = None
) -> Variant:
    """The one variant that SPEC means, with parameters set; raises ArchError, E603 if there are several."""
    file, name = open_spec(spec)
    return changed(file.only(name, spec), settings, image, output_stride)
