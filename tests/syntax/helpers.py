"""What the tests of syntax/ share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from archdsl.diagnostics.core import Bag
from archdsl.source import Source
from archdsl.syntax import ast, parse, parse_expression

ROOT = Path(__file__).parents[2]
CASES = sorted((Path(__file__).parent / "cases").glob("*.arch"))
SPECS = [*CASES, *sorted((ROOT / "specs").glob("*.arch"))]


def read(text: str) -> ast.File:
    """The file of a text without errors."""
    bag = Bag()
    file = parse(Source("test.arch", text), bag)
    assert file is not None, [str(d) for d in bag]
    assert not len(bag)
    return file


def read_expression(text: str) -> ast.Expression:
    bag = Bag()
    node = parse_expression(Source("test", text), bag)
    assert node is not None, [str(d) for d in bag]
    return node


def nodes(node: object) -> Iterator[ast.Syntax]:
    """A piece of syntax and everything in it."""
    if isinstance(node, tuple):
        for member in node:
            yield from nodes(member)
    elif isinstance(node, ast.Syntax):
        yield node
        for field in dataclasses.fields(node):
            yield from nodes(getattr(node, field.name))


def show(node: ast.Expression) -> str:
    """An expression with every operation in parentheses."""
    match node:
        case ast.Number(value=value) | ast.String(value=value) | ast.Bool(value=value):
            return repr(value)
        case ast.Name(name=name):
            return name
        case ast.Unary(op=op, operand=operand):
            return f"({op} {show(operand)})"
        case ast.BinaryExpr(op=op, left=left, right=right):
            return f"({show(left)} {op} {show(right)})"
        case ast.Range(start=start, stop=stop):
            return f"({show(start) if start else ''}..{show(stop) if stop else ''})"
        case ast.If(condition=condition, yes=yes, no=no):
            return f"(if {show(condition)} then {show(yes)} else {show(no)})"
        case ast.Arrow(operands=operands):
            return f"({' -> '.join(map(show, operands))})"
        case ast.Labelled(parts=parts, stage=stage, value=value):
            label = "".join(p.text if p.text is not None else "{" + show(p.value) + "}" for p in parts)  # type: ignore[arg-type]
            return f"({'stage ' if stage else ''}{label}: {show(value)})"
        case ast.CallExpr(callee=callee, arguments=arguments):
            return f"{show(callee)}({', '.join(map(show_argument, arguments))})"
        case ast.Subscript(value=value, index=index):
            return f"{show(value)}[{show(index)}]"
        case ast.Attribute(value=value, name=name):
            return f"{show(value)}.{name}"
        case ast.TupleExpr(items=items):
            return f"<{', '.join(map(show, items))}>"
        case ast.ListExpr(items=items):
            return f"[{', '.join(map(show_item, items))}]"
        case ast.Splice(value=value):
            return f"..{show(value)}"
        case ast.Comprehension(value=value, clauses=clauses):
            return f"[{show(value)}{''.join(map(show_clause, clauses))}]"
    raise AssertionError(node)


def show_argument(argument: ast.Argument) -> str:
    return (".." if argument.spread else f"{argument.name} = " if argument.name else "") + show(argument.value)


def show_clause(clause: ast.Clause) -> str:
    tail = f" if {show(clause.condition)}" if clause.condition else ""
    return f" for {show_target(clause.target)} in {show(clause.iterable)}{tail}"


def show_item(item: ast.Item) -> str:
    head = f"{show(item.count)} of " if item.count else ""
    return head + show(item.value) + (f" if {show(item.condition)}" if item.condition else "")


def show_target(target: ast.Target) -> str:
    return target.name if target.name is not None else f"<{', '.join(map(show_target, target.items))}>"
