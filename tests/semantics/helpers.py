"""What the tests of semantics/ share: small files checked as `archdsl check` does it."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.diagnostics.render import render_plain
from archdsl.graph.ir import Graph
from archdsl.semantics.context import Context, Run
from archdsl.semantics.evaluate import evaluate as evaluated
from archdsl.semantics.program import bind
from archdsl.semantics.resolve import resolve, resolve_expression
from archdsl.semantics.values import UNKNOWN, plain
from archdsl.source import Source
from archdsl.syntax import parse_expression


def check(text: str, name: str = "test.arch") -> tuple[Diagnostic, ...]:
    """Every finding about a file."""
    try:
        return ArchFile(Source(name, dedent(text).strip() + "\n")).check()
    except ArchError as error:
        return error.diagnostics


def codes(text: str) -> list[str]:
    """The codes of all errors, in the order in which they were found; warnings left out."""
    return [d.code for d in check(text) if d.severity == "error"]


def places(text: str) -> list[tuple[str, str]]:
    """Code and marked text of all errors."""
    return [(d.code, d.span.text if d.span else "") for d in check(text) if d.severity == "error"]


def only(text: str) -> Diagnostic:
    """The one error of a file."""
    found = [d for d in check(text) if d.severity == "error"]
    assert len(found) == 1, render_plain(found)
    return found[0]


def graph(text: str, variant: str = "net") -> Graph:
    """The graph of a variant of a file without errors."""
    file = ArchFile(Source("test.arch", dedent(text).strip() + "\n"))
    errors = [d for d in file.check() if d.severity == "error"]
    assert not errors, render_plain(errors)
    return file[variant].graph


def net(body: str, definitions: str = "", parameters: str = "") -> str:
    """A file with one model `Net` of this body and one variant `net`."""
    return f"{dedent(definitions)}\nmodel Net({parameters}) {{\n{dedent(body)}\n}}\nvariant net = Net()\n"


def keys(text: str, variant: str = "net") -> list[str]:
    """The state_dict keys of trainable weights, in order of execution."""
    return [key for key, weight, _ in graph(text, variant).state() if weight.trainable]


def paths(text: str, variant: str = "net") -> list[str]:
    """The paths of nodes that have weights, in order of execution."""
    return [node.path for node in graph(text, variant).nodes if node.weights]


def evaluate(text: str, definitions: str = "", **names: Any) -> Any:
    """The value of an expression; the code of its first error where it has none."""
    bag = Bag()
    program = bind(Source("definitions.arch", dedent(definitions).strip() + "\n"), lambda *_: None, bag)
    assert program is not None
    resolve(program, bag)
    node = parse_expression(Source("test", text), bag)
    assert node is not None, render_plain(bag)
    assert not len(bag), render_plain(bag)
    ctx = Context(Run(bag), program.root, locals=dict(names))
    value = evaluated(resolve_expression(node, program.root, bag, names), ctx)
    assert (value is UNKNOWN) == bool(bag.errors), render_plain(bag)
    return bag.errors[0].code if value is UNKNOWN else plain(value)
