"""Parameters set from outside: takes texts in the language by name, as `--set` gives them; gives the arguments of an
amendment, `NAME.KNOB` as `..NAME(KNOB = …)`."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.diagnostics.core import Bag
from archdsl.source import Source, Span
from archdsl.syntax import ast, parse_expression


def written_arguments(texts: Mapping[str, str], bag: Bag) -> list[ast.Argument]:
    """The arguments; a text that is no expression is reported and left out."""
    given: list[ast.Argument] = []
    knobs: dict[str, list[ast.Argument]] = {}
    for name, text in texts.items():
        # Each value is an expression by itself: no text can say anything about what it was not given for.
        value = parse_expression(Source(f"--set {name}", text), bag)
        scaling, dot, knob = name.partition(".")
        if value is not None:
            argument = ast.Argument(knob if dot else name, value, span=value.span)
            (knobs.setdefault(scaling, []) if dot else given).append(argument)
    for scaling, values in knobs.items():
        whole = Source(f"--set {scaling}", f"{scaling}(…)")
        callee = ast.Name(scaling, span=Span(whole, 0, len(scaling)))
        call = ast.CallExpr(callee, tuple(values), span=Span(whole, 0, len(whole.text)))
        given.append(ast.Argument(None, call, spread=True, span=call.span))
    return given
