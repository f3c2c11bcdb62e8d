"""AST -> text in the canonical layout, with the comments of the text it was parsed from.

Two spaces of indentation, one space around `=`, one blank line between items, the columns of tables aligned. A body
written on one line stays on one line. `parse(Formatter(f).run()) == f`, and formatting twice changes nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from archdsl.syntax import ast
from archdsl.syntax.comments import Comments
from archdsl.syntax.layout import IF, OR, RANGE, WIDTH, Layout, end_column
from archdsl.syntax.literals import quote, quote_docstring

_NUMERIC = re.compile(r"-?[0-9][0-9_.]*(?:[eE][+-]?[0-9]+)?[KMG]?")


class Formatter:
    """Writes the lines of one file. Comments and line breaks are taken from the source of its span."""

    def __init__(self, file: ast.File) -> None:
        self.file = file
        self.source = file.span.source.text
        self.comments = Comments(file.span.source)
        self.layout = Layout(self.comments)
        self.lines: list[str] = []
        self.depth = 0

    def run(self) -> str:
        """The text of the file."""
        previous: ast.ItemSyntax | None = None
        for item in self.file.items:
            self._line(item, partial(self._item, item), spaced=previous is not None and self._apart(previous, item))
            previous = item
        self._rest(len(self.source))
        return "\n".join(self.lines) + "\n" if self.lines else ""

    # --- lines -------------------------------------------------------------------------------

    def _line(self, node: ast.Syntax, write: Callable[[], None], *, spaced: bool = False) -> None:
        """The comments above a node, the node, and the comment beside it; comments inside it go above."""
        start, end = node.span.start, node.span.end
        numbers = self.comments.take(0, start)
        if self.lines and (spaced or self._blank(numbers, start)):
            self._blank_line()
        for index, number in enumerate(numbers):
            if index and self.comments.blank_before(self.comments.starts[number]):
                self._blank_line()
            self._put(self.comments.texts[number])
        if numbers and self.comments.blank_before(start):
            self._blank_line()
        at = len(self.lines)
        write()
        inside = self.comments.take(start, end)
        self.lines[at:at] = [self._pad() + self.comments.texts[number] for number in inside]
        self.lines[-1] += self.comments.trailing(end)

    def _blank(self, comments: Sequence[int], start: int) -> bool:
        first = self.comments.starts[comments[0]] if comments else start
        return self.comments.blank_before(first)

    def _blank_line(self) -> None:
        if self.lines[-1] and not self.lines[-1].endswith("{"):
            self.lines.append("")

    def _rest(self, end: int) -> None:
        """The comments before a place that stand on lines of their own, at the end of a body or of the file."""
        for number in self.comments.take(0, end):
            if self.lines and self.comments.blank_before(self.comments.starts[number]):
                self._blank_line()
            self._put(self.comments.texts[number])

    def _pad(self) -> str:
        return "  " * self.depth

    def _put(self, text: str) -> None:
        self.lines += (self._pad() + text).split("\n")

    def _add(self, text: str) -> None:
        """Go on in the last line."""
        first, *rest = text.split("\n")
        self.lines[-1] += first
        self.lines += rest

    def _apart(self, above: ast.ItemSyntax, item: ast.ItemSyntax) -> bool:
        """Whether a blank line has to be between two items. What is expected of a variant may stand beside it."""
        if isinstance(item, ast.Expect) and isinstance(above, ast.Variant) and item.variant.name == above.name:
            return False
        return _kind(item) != _kind(above) or self._breaks(item) or self._breaks(above)

    def _breaks(self, node: ast.Syntax) -> bool:
        """Whether an item takes several lines, or will."""
        return self._is_long(node) or len(" ".join(node.span.text.split())) > WIDTH

    def _is_long(self, node: ast.Syntax) -> bool:
        return "\n" in node.span.text

    # --- items -------------------------------------------------------------------------------

    def _item(self, item: ast.ItemSyntax) -> None:
        layout = self.layout
        layout.indent = 0
        match item:
            case ast.Docstring():
                self._put(quote_docstring(item.text))
            case ast.Use():
                self._put(f"use {quote(item.path.value)} {_columns(item.names)}")
            case ast.Default():
                self._put("default " + layout.listed(item.calls, 8))
            case ast.Definition():
                self._definition(item)
            case ast.Variant():
                head = f"variant {item.name} = {item.base.name}" + (" with " if item.amends else "")
                called = item.arguments or item.amends
                self._put(head + (layout.arguments(item.arguments, len(head)) if called else ""))
            case _:
                self._rows(item)

    def _rows(self, item: ast.ItemSyntax) -> None:
        """The items that are rows in braces."""
        one = self._value
        match item:
            case ast.Table():
                rows = [[one(value) for value in row.values] for row in item.rows]
                texts = _aligned([""] * len(rows), rows)
                self._braces(f"table {item.name}{_columns(item.columns)}", item, item.rows, texts, item.docstring)
            case ast.Variants():
                rows = [[self._argument(argument) for argument in row.arguments] for row in item.rows]
                texts = _aligned([row.name + ":" for row in item.rows], rows)
                head = f"variants {item.model.name}{_columns(item.columns) if item.columns else ''}"
                self._braces(head, item, item.rows, texts, item.docstring)
            case ast.Expect() | ast.Preprocess():
                said_of = (item.variant,) if isinstance(item, ast.Expect) else item.targets
                head = _about("expect" if isinstance(item, ast.Expect) else "preprocess", said_of)
                pairs = [(f"{entry.key} =", one(entry.value)) for entry in item.entries]
                self._braces(head, item, item.entries, _paired(pairs, 0), None, _paired(pairs, 0))
            case ast.Reference():
                self._reference(item)
            case ast.Init():
                patterns = [quote(rule.pattern) if rule.quoted else rule.pattern for rule in item.rules]
                pairs = [(f"{p}:", one(rule.value)) for p, rule in zip(patterns, item.rules, strict=True)]
                texts = _paired(pairs, max((len(left) for left, _ in pairs), default=0))
                self._braces(_about("init", item.targets), item, item.rules, texts, None, _paired(pairs, 0))
            case ast.Checkpoint():
                width = max(
                    (len(quote(r.theirs.value)) for r in item.rules if not isinstance(r, ast.Counter)), default=0
                )
                texts = [_key_line(rule, width) for rule in item.rules]
                head = _about(f"checkpoint {item.name} for", item.targets)
                self._braces(head, item, item.rules, texts, item.docstring, [_key_line(rule, 0) for rule in item.rules])

    def _reference(self, item: ast.Reference) -> None:
        head = f"reference {item.library.name} for "
        head += _filled([_reference_target(target) for target in item.targets], len(head))
        if item.arguments:
            head += " with "
            head += self.layout.arguments(item.arguments, end_column(head, 0))
        if item.docstring is None and not item.entries:
            self._put(head)
            return
        pairs = [(f"{entry.key} =", self._value(entry.value)) for entry in item.entries]
        self._braces(head, item, item.entries, _paired(pairs, 0), item.docstring, _paired(pairs, 0))

    def _value(self, node: ast.Expression) -> str:
        """A value in a row: on one line, without `->` or a label of its own."""
        return self.layout.one_line(node, IF if isinstance(node, ast.If) else OR)

    def _argument(self, item: ast.Argument) -> str:
        head = ".." if item.spread else "" if item.name is None else f"{item.name} = "
        return head + self._value(item.value)

    def _braces(
        self,
        head: str,
        item: ast.Syntax,
        rows: Sequence[ast.Syntax],
        texts: Sequence[str],
        docstring: ast.Docstring | None,
        listed: Sequence[str] | None = None,
    ) -> None:
        """An item with rows in braces, a row a line; on one line if it was: one row, or `listed` between commas."""
        one_line = f"{head} {{ {', '.join(listed or texts)} }}" if rows else head + " {}"
        if docstring is None and not self._is_long(item) and (listed or len(rows) < 2) and len(one_line) <= WIDTH:
            self._put(one_line)
            return
        self._open(head, docstring)
        for row, text in zip(rows, texts, strict=True):
            self._line(row, partial(self._put, text))
        self._close(item.span.end)

    def _open(self, head: str, docstring: ast.Docstring | None) -> None:
        self._put(head + " {")
        self.depth += 1
        if docstring is not None:
            self._line(docstring, partial(self._put, quote_docstring(docstring.text, self._pad())))

    def _close(self, end: int) -> None:
        """The closing brace of a body that ends at `end`, after the comments that are left in it."""
        self._rest(end)
        self.depth -= 1
        self._put("}")

    def _definition(self, item: ast.Definition) -> None:
        head = f"{item.kind} {item.name}"
        last = item.name_span.end
        if item.parameters:
            head += f"({self._parameters(item.parameters, len(head) + 1)})"
            last = item.parameters[-1].span.end
        if item.inputs:
            head += f" on {_columns(item.inputs)}"
            last = item.inputs[-1].span.end
        if item.expression and isinstance(item.body[0], ast.Result):
            value = item.body[0].value
            self._put(f"{head} =")
            self._equal(last, value, break_long=True)
        elif item.docstring is None and self._inline(item, item.body):
            self._put(f"{head} {{ ")
            self._inside(item.body)
        else:
            self._open(head, item.docstring)
            self._statements(item.body)
            self._close(item.span.end)

    def _parameters(self, parameters: Sequence[ast.Parameter], column: int) -> str:
        text = ""
        for index, parameter in enumerate(parameters):
            if index:
                before = parameters[index - 1].span.end
                text += "," + (self.comments.line_break(before, parameter.span.start, column) or " ")
            text += parameter.name
            if parameter.type is not None:
                text += f": {_type(parameter.type)}"
            if parameter.allowed is not None:
                text += f" in {self.layout.one_line(parameter.allowed, RANGE)}"
            if parameter.default is not None:
                text += " = "
                text += self.layout.expression(parameter.default, end_column(text, column))
        return text

    # --- statements --------------------------------------------------------------------------

    def _statements(self, statements: Sequence[ast.Statement]) -> None:
        widths = self._assignment_widths(statements)
        for statement, width in zip(statements, widths, strict=True):
            self._line(statement, partial(self._statement, statement, width))

    def _assignment_widths(self, statements: Sequence[ast.Statement]) -> list[int]:
        """For each statement the width of its target: where the author aligned the `=` of neighbours, they stay so."""
        widths: list[int] = []
        group: list[int] = []
        previous: tuple[int, int] | None = None
        for statement in statements:
            place = width = None
            if isinstance(statement, ast.Assign) and not self.layout.flat:
                line, column = self.file.span.source.position(max(0, self.source.find("=", statement.target.span.end)))
                place, width = (line, column), len(self.layout.target(statement.target))
            if place is None or previous is None or place != (previous[0] + 1, previous[1]):
                group = []
            group.append(len(widths))
            widths.append(width or 0)
            for index in group:
                widths[index] = max(widths[number] for number in group)
            previous = place
        return widths

    def _inline(self, node: ast.Syntax, *bodies: Sequence[ast.Statement]) -> bool:
        """Whether a node whose bodies are these stays on one line."""
        return not self._is_long(node) and all(len(body) <= 1 for body in bodies) and len(node.span.text) < WIDTH - 10

    def _inside(self, body: Sequence[ast.Statement]) -> None:
        """`… }` after a `{ ` that the last line ends with."""
        if not body:
            self.lines[-1] = self.lines[-1].rstrip() + "}"
            return
        lines, self.lines = self.lines, []
        depth, self.depth = self.depth, 0
        self.layout.flat += 1
        self._statement(body[0])
        self.layout.flat -= 1
        self.depth = depth
        lines[-1] += " ".join(self.lines) + " }"
        self.lines = lines

    def _statement(self, statement: ast.Statement, width: int = 0) -> None:
        layout, pad = self.layout, len(self._pad())
        layout.indent = pad
        match statement:
            case ast.Assign():
                self._put(f"{layout.target(statement.target).ljust(width)} =")
                value = statement.value
                if statement.target.name is None and isinstance(value, ast.TupleExpr) and len(value.items) > 1:
                    self._add(" " + layout.listed(value.items, len(self.lines[-1]) + 1))
                else:
                    self._equal(statement.target.span.end, value)
            case ast.Result():
                self._put(layout.expression(statement.value, pad))
            case ast.Require():
                text = "require " + layout.expression(statement.condition, pad + 8, OR)
                self._put(text if statement.message is None else f"{text}, {quote(statement.message.value)}")
            case ast.For():
                head = f"for {layout.target(statement.target)} in {layout.one_line(statement.iterable, OR)} {{"
                self._block(head, statement, statement.body, statement.span.end)
            case ast.IfStatement():
                self._if(statement)
            case ast.Output():
                self._put(f"output {statement.name} =")
                self._equal(statement.name_span.end, statement.value)
            case ast.Stage():
                head = f"stage {layout.label(statement.parts, statement.quoted)} {{"
                self._block(head, statement, statement.body, statement.span.end)

    def _equal(self, before: int, value: ast.Expression, *, break_long: bool = False) -> None:
        """` value` after an `=`, on the next line if it was there (or, with `break_long`, is too long)."""
        layout = self.layout
        column = layout.indent + 2
        new_line = None if layout.flat else self.comments.line_break(before, value.span.start, column)
        if new_line is None and break_long and not self._is_long(value):
            too_long = len(self.lines[-1]) + 1 + len(layout.one_line(value)) > WIDTH
            new_line = "\n" + " " * column if too_long else None
        space = new_line or " "
        self._add(space)
        self._add(layout.expression(value, len(self.lines[-1])))

    def _block(self, head: str, node: ast.Syntax, body: Sequence[ast.Statement], end: int) -> None:
        self._put(head)
        if self.layout.flat or self._inline(node, body):
            self.lines[-1] += " "
            self._inside(body)
            return
        self.depth += 1
        self._statements(body)
        self._close(end)

    def _if(self, statement: ast.IfStatement) -> None:
        branches: list[tuple[str, Sequence[ast.Statement]]] = []
        word = "if"
        rest: Sequence[ast.Statement] = (statement,)
        while len(rest) == 1 and isinstance(rest[0], ast.IfStatement):
            branch = rest[0]
            branches.append((f"{word} {self.layout.one_line(branch.condition, OR)} {{", branch.yes))
            word, rest = "else if", branch.no
        if rest:
            branches.append(("else {", rest))
        inline = self.layout.flat or self._inline(statement, *(body for _, body in branches))
        for index, (head, body) in enumerate(branches):
            if index:
                self._add(" " + head)
            else:
                self._put(head)
            if inline:
                self.lines[-1] += " "
                self._inside(body)
            else:
                self.depth += 1
                self._statements(body)
                after = branches[index + 1][1] if index + 1 < len(branches) else ()
                self._close(self._end_of_branch(body, after, statement))

    def _end_of_branch(
        self, body: Sequence[ast.Statement], after: Sequence[ast.Statement], statement: ast.IfStatement
    ) -> int:
        """The offset before which comments belong to this branch: its closing brace, as far as can be told."""
        if not after:
            return statement.span.end
        start = body[-1].span.end if body else statement.span.start
        brace = self.source.find("\n}", start, after[0].span.start)
        return max(start, brace)


def _kind(item: ast.ItemSyntax) -> object:
    """Items of one kind on neighbouring lines stay together."""
    return item.kind if isinstance(item, ast.Definition) else type(item)


def _columns(names: Sequence[ast.UsedName]) -> str:
    return f"({', '.join(name.name for name in names)})"


def _type(reference: ast.TypeRef) -> str:
    return reference.name if reference.element is None else f"{reference.name}({_type(reference.element)})"


def _paired(pairs: Sequence[tuple[str, str]], width: int) -> list[str]:
    return [f"{left.ljust(width)} {right}" for left, right in pairs]


def _reference_target(item: ast.ReferenceTarget) -> str:
    return item.target.name if item.model is None else f"{item.target.name} = {quote(item.model.value)}"


def _filled(items: Sequence[str], column: int) -> str:
    """Items between commas from a column on, as many a line as fit."""
    text, end = items[0], column + len(items[0])
    for item in items[1:]:
        fits = end + len(item) + 3 <= WIDTH
        text += ", " if fits else ",\n" + " " * column
        end = len(item) + (end + 2 if fits else column)
        text += item
    return text


def _about(words: str, targets: Sequence[ast.Name]) -> str:
    """The beginning of an item: what it is, and of what it says something."""
    return f"{words} {_filled([target.name for target in targets], len(words) + 1)}"


def _key_line(rule: ast.KeyRule | ast.Absent | ast.Counter, width: int) -> str:
    """A line of a `checkpoint`; the other library's key is filled up to a width."""
    if isinstance(rule, ast.Counter):
        return f"count {rule.name} in {quote(rule.ours.value)}"
    ours = "none" if isinstance(rule, ast.Absent) else quote(rule.ours.value)
    return f"{quote(rule.theirs.value).ljust(width)} = {ours}"


def _with_aligned_lists(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """The same rows; in a column of equally long lists of numbers, the numbers stand under each other."""
    columns: list[list[str]] = []
    for cells in zip(*rows, strict=True):
        lists = [cell[1:-1].split(", ") for cell in cells if cell.startswith("[")]
        numeric = all(_NUMERIC.fullmatch(number) for numbers in lists for number in numbers)
        if len(lists) == len(cells) and numeric and len({len(numbers) for numbers in lists}) == 1:
            widths = [max(map(len, numbers)) for numbers in zip(*lists, strict=True)]
            padded = [[n.rjust(width) for n, width in zip(numbers, widths, strict=True)] for numbers in lists]
            columns.append([f"[{', '.join(numbers)}]" for numbers in padded])
        else:
            columns.append(list(cells))
    return list(zip(*columns, strict=True))


def _aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their columns under each other: numbers to the right, all else to the left."""
    width = max((len(head) for head in heads), default=0)
    starts = [f"{head.ljust(width)} " if head else "" for head in heads]
    if len({len(row) for row in rows}) != 1:
        return [start + ", ".join(row) for start, row in zip(starts, rows, strict=True)]
    rows = _with_aligned_lists(rows)
    lines = starts
    for index, cells in enumerate(zip(*rows, strict=True)):
        comma = "," if index < len(rows[0]) - 1 else ""
        widest = max(len(cell) for cell in cells)
        if all(_NUMERIC.fullmatch(cell) for cell in cells):
            columns = [cell.rjust(widest) + comma for cell in cells]
        else:
            columns = [(cell + comma).ljust(widest + len(comma)) for cell in cells]
        lines = [line + (" " if index else "") + cell for line, cell in zip(lines, columns, strict=True)]
    return [line.rstrip() for line in lines]
