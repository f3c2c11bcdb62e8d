"""`archdsl explain`: the long form of a diagnostic's code."""

from __future__ import annotations

import sys

import click

from archdsl.cli import console
from archdsl.cli.options import json_option
from archdsl.cli.shared import ArchCommand, write_document


@click.command("explain", cls=ArchCommand, short_help="Explain the code of an error.")
@click.argument("code")
@json_option
def command(code: str, as_json: bool) -> int:
    """Explain the code of an error: what it means, an example, and its mend."""
    from archdsl.diagnostics.catalogue import entries, explain

    code = code.strip().upper()
    markdown = explain(code)
    if markdown is None:
        from archdsl.diagnostics.suggest import closest

        near = closest(code, entries())
        raise click.BadParameter(f"there is no code {code!r}{f', did you mean {near}?' if near else ''}")
    if as_json:
        from archdsl.cli.documents.files import ExplainDocument

        write_document(ExplainDocument(code=code, markdown=markdown))
    elif console.is_coloured(sys.stdout):
        from rich.markdown import Markdown

        console.show(Markdown(markdown, code_theme="ansi_dark"))
    else:
        console.line(markdown.rstrip())
    return 0
