"""`archdsl build`: from a spec to PyTorch source that has been run."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.options import force_option, image_option, json_option, output_stride_option, set_option
from archdsl.cli.shared import ArchCommand, changed, locate, may_replace, write_document
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.image import Image

if TYPE_CHECKING:
    from archdsl.api import ArchFile, Variant
    from archdsl.backends.proof import Proof
    from archdsl.cli.documents.specs import BuiltJson

_OURS = re.compile(r'"""\S+:\s+[\d,]+\s+parameters,\s+[\d,]+\s+MACs\s+at\s+[\d×]+\.')
"""How the docstring of every generated file begins."""


@click.command("build", cls=ArchCommand, short_help="Write a spec's PyTorch source, proved by running it.")
@click.argument("spec")
@click.option("-o", "--output", metavar="FILE|DIR", help="Where to write; `-` prints the source. [<variant>.py]")
@click.option("--all", "every", is_flag=True, help="Build every variant of the file.")
@set_option
@image_option
@output_stride_option
@click.option("--proof/--no-proof", default=None, help="Import the source and run it. [on, but for `-o -`]")
@force_option()
@json_option
def command(
    spec: str,
    output: str | None,
    every: bool,
    settings: dict[str, str],
    image: Image,
    output_stride: int | None,
    proof: bool | None,
    force: bool,
    as_json: bool,
) -> int:
    """Check a spec, print its stage table, write its PyTorch source and prove it.

    The proof imports the source, runs it once, and compares the output's shape, the number of parameters and every
    weight's name and shape with the graph. A source that fails is not written. The file that is written needs
    nothing but torch; one that archdsl wrote before is replaced.
    """
    to_stdout = output == "-"
    if every and to_stdout and not as_json:
        raise click.UsageError("--all writes several files: -o must be a folder")
    if force and to_stdout:
        raise click.UsageError("--force does nothing with `-o -`, which replaces no file")
    if every and output and output.endswith(".py"):
        raise click.UsageError(f"--all writes several files: {output} is not a folder")
    file, variants, warnings = _open(spec, every)
    prove_it = proof if proof is not None else not to_stdout
    built: list[BuiltJson] = []
    for variant in [changed(found, settings, image, output_stride) for found in variants]:
        if not as_json and not to_stdout:
            _print_table(variant)
        path = None if to_stdout else _destination(variant.name, output, every)
        source, proved = _build(variant, path, prove_it, force, as_json)
        if as_json:
            built.append(_built(variant, path, source, proved))
    if as_json:
        from archdsl.cli.documents.specs import BuildDocument

        write_document(BuildDocument(file=file.name, built=built), warnings)
    return 0


def _open(spec: str, every: bool) -> tuple[ArchFile, list[Variant], list[Diagnostic]]:
    """The checked file, the variants to build, and warnings; raises ArchError with all findings about the file."""
    from archdsl.api import ArchFile

    source, named = locate(spec)
    file = ArchFile(source)
    found = file.check()
    file.bag.raise_errors()
    if found:
        console.diagnose(found, sys.stderr)
    if not file:
        raise ArchError.of("E606", path=file.name)
    if every:
        if named:
            raise click.UsageError(f"--all builds every variant, {named} is one")
        return file, list(file.values()), list(found)
    if named is None:
        first, *others = file
        if others:
            console.note(f"building {first}, the first of {len(file)} variants; --all or {spec}:NAME builds others")
            console.note(f"others: {', '.join(others)}\n")
        named = first
    return file, [file[named]], list(found)


def _destination(variant: str, output: str | None, every: bool) -> Path:
    """Where a variant's source goes: `-o` names a file, or a folder that exists, ends in `/` or gets all variants."""
    if output is None:
        return Path(f"{variant}.py")
    path = Path(output)
    if os.path.isdir(path):
        return path / f"{variant}.py"
    if every or output.endswith("/"):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchError.of("E607", path=output, detail=error.strerror or str(error)) from None
        return path / f"{variant}.py"
    return path


def _build(variant: Variant, path: Path | None, prove_it: bool, force: bool, as_json: bool) -> tuple[str, Proof | None]:
    """Generate, prove and write one variant."""
    source = variant.source
    proof: Proof | None = None
    replaces = False
    if path is None:
        if prove_it:
            proof = _prove(variant, source)
        if not as_json:
            console.write_data(source)
    else:
        replaces = may_replace(path, _is_ours, force)
        proof = _write(variant, path, source, prove_it)
    if sizes := variant.graph.size_decisions:
        console.note(f"{variant.name} refuses images where it is not so: {'; '.join(map(str, sizes))}")
    if proof is not None:
        console.note(f"proved {variant.name}: {_sentence(proof)}")
    if path is not None:
        console.note(f"{'replaced' if replaces else 'wrote'} {path} ({len(source.splitlines())} lines)")
    return source, proof


def _built(variant: Variant, path: Path | None, source: str, proof: Proof | None) -> BuiltJson:
    from archdsl.cli.documents.specs import BuiltJson

    place, text = (None, source) if path is None else (str(path), None)
    return BuiltJson.of(variant=variant, stages=variant.table.rows, path=place, source=text, proof=proof)


def _is_ours(content: bytes) -> bool:
    return _OURS.match(content[:4000].decode(errors="replace")) is not None


def _write(variant: Variant, path: Path, source: str, prove_it: bool) -> Proof | None:
    """Write a source under a temporary name, prove what was written, and put it in place."""
    from archdsl.files import Staged

    with Staged(path, source) as staged:
        proof = _prove(variant, staged.text()) if prove_it else None
        staged.commit()
    return proof


def _prove(variant: Variant, source: str) -> Proof:
    with console.busy(f"running {variant.name} …"):
        from archdsl.backends.proof import prove

        return prove(variant.graph, source)


def _sentence(proof: Proof) -> str:
    shapes = ["×".join(map(str, shape)) for shape in proof.outputs]
    sizes = f"output{'s' if len(shapes) > 1 else ''} {', '.join(shapes)}"
    how = "ran on the CPU" if proof.device == "cpu" else f"ran on torch's {proof.device} device, shapes only"
    return f"{how}; {sizes}, {proof.params:,} parameters, {proof.keys} state_dict entries as in the graph"


def _print_table(variant: Variant) -> None:
    from archdsl.cli.tables import stage_table, title

    console.show(title(variant), stage_table(variant))
    console.line()
    sys.stdout.flush()
