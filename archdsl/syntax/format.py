"""AST -> text in the canonical layout, with the comments of the text it was parsed from.

Two spaces of indentation, one space around `=`, one blank line between items of several lines, the columns of tables
and of items on neighbouring lines aligned. A body written on one line stays on one line.
`parse(Formatter(f).run()) == f`, and formatting twice changes nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from archdsl.syntax import ast
from archdsl.syntax.columns import WIDTH, aligned, aligned_where_it_fits, end_column, filled, padded
from archdsl.syntax.layout import IF, OR
from archdsl.syntax.lines import is_long
from archdsl.syntax.literals import quote, quote_docstring
from archdsl.syntax.statements import Statements

_CLOSING = re.compile(r"(?:[\s,(]|#[^\n]*)*\)")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")

OneLiner = ast.Expect | ast.Preprocess | ast.Init


class Formatter(Statements):
    """Writes the items of one file."""

    def __init__(self, file: ast.File) -> None:
        super().__init__(file)
        self.one_liners: dict[int, str] = {}

    def run(self) -> str:
        """The text of the file."""
        self._align_one_liners()
        above: tuple[ast.ItemSyntax, bool] | None = None
        for item in self.file.items:
            at = len(self.lines)
            several = self._line(item, partial(self._item, item))
            if above is not None and self.lines[at] and _apart(above[0], item, above[1] and several):
                self.lines.insert(at, "")
            above = item, several
        self._rest(len(self.source))
        return "\n".join(self.lines) + "\n" if self.lines else ""

    def _item(self, item: ast.ItemSyntax) -> None:
        layout = self.layout
        layout.indent = 0
        match item:
            case ast.Docstring():
                self._put(quote_docstring(item.text))
            case ast.Use():
                self._put(f"use {quote(item.path.value)} {_columns(item.names)}")
            case ast.WeightsList():
                self._put(f"weights {quote(item.path.value)}")
            case ast.Default():
                self._put("default " + filled([layout.one_line(call) for call in item.calls], 8))
            case ast.Definition():
                self._definition(item)
            case ast.Variant():
                head = f"variant {item.name} = {item.base.name}" + (" with " if item.amends else "")
                called = item.arguments or item.amends
                place = (len(head), item.base.span.end, item.span.end)
                self._put(head + (layout.brackets("()", item.arguments, *place) if called else ""))
            case ast.Expect() | ast.Preprocess() | ast.Init():
                self._settings(item)
            case _:
                self._rows(item)

    def _definition(self, item: ast.Definition) -> None:
        head = f"{item.kind} {item.name}"
        on = f" on {_columns(item.inputs)}" if item.inputs else ""
        last = item.name_span.end
        if item.parameters or self.source[last : item.span.end].lstrip().startswith("("):
            members = item.parameters
            end = self._after_brackets(members[-1].span.end if members else last)
            head += self.layout.brackets("()", members, len(head), last, end, tail=len(on) + 2)
            last = end
        head += on
        if item.expression and isinstance(item.body[0], ast.Result):
            self._put(f"{head} =")
            last = item.inputs[-1].span.end if item.inputs else last
            self._equal(last, item.body[0].value, break_long=True)
        elif item.docstring is None:
            self._block(head, item, item.body, item.span.end)
        else:
            self._open(head, item.docstring)
            self._statements(item.body)
            self._close(item.span.end)

    def _after_brackets(self, end: int) -> int:
        """The place after the closing bracket that follows on the last of some members, which ends at `end`."""
        while match := _CLOSING.match(self.source, end):
            end = match.end()
        return end

    # --- items with rows in braces -----------------------------------------------------------

    def _rows(self, item: ast.ItemSyntax) -> None:
        match item:
            case ast.Table():
                rows = [[self._value(value) for value in row.values] for row in item.rows]
                texts = aligned_where_it_fits(rows, [""] * len(rows), WIDTH - 2)
                self._braces(f"table {item.name}{_columns(item.columns)}", item, item.rows, texts, item.docstring)
            case ast.Variants():
                rows = [self._variant_cells(row) for row in item.rows]
                texts = aligned_where_it_fits(rows, padded([row.name + ":" for row in item.rows]), WIDTH - 2)
                head = f"variants {item.model.name}{_columns(item.columns) if item.columns else ''}"
                self._braces(head, item, item.rows, texts, item.docstring)
            case ast.Reference():
                self._reference(item)
            case ast.Recipe():
                self._recipe(item)
            case ast.Space():
                self._space(item)
            case ast.Checkpoint():
                keys = [_their_key(rule) for rule in item.rules if not isinstance(rule, ast.Counter)]
                width = max(map(len, keys), default=0)
                texts = [_key_line(rule, width) for rule in item.rules]
                head = _about(f"checkpoint {item.name} for", item.targets)
                self._braces(head, item, item.rules, texts, item.docstring, [_key_line(rule, 0) for rule in item.rules])
            case ast.Weights():
                head = f"weights {item.library.name} for {_reference_target(item.about)}"
                self._braces(head, item, item.rows, list(map(self._weights_row, item.rows)), item.docstring)

    def _space(self, item: ast.Space) -> None:
        head = f"space {item.name}" + (f" for {item.target.name}" if item.target else "")
        head += (f" = {item.base.name}" if item.base else "") + (" with" if item.base and item.braces else "")
        texts = [self._space_member(member) for member in item.members]
        if item.braces:
            self._braces(head, item, item.members, texts, item.docstring)
        else:
            self._put(head)

    def _space_member(self, member: ast.Dimension | ast.Entry | ast.Require) -> str:
        match member:
            case ast.Dimension():
                return f"{member.key} in {self._value(member.domain)}"
            case ast.Entry():
                return f"{member.key} = {self._value(member.value)}"
        message = "" if member.message is None else f", {quote(member.message.value)}"
        return f"require {self._value(member.condition)}{message}"

    def _weights_row(self, row: ast.WeightsRow) -> str:
        """A row, on as many lines as it needs."""
        tag = f"{quote(row.tag) if row.quoted else row.tag}: "
        return tag + filled(self._entries(row.entries), len(tag) + 2)

    def _variant_cells(self, row: ast.VariantRow) -> list[str]:
        """The values of a row; what is named or spread after those of the columns is one cell."""
        count = next((i for i, a in enumerate(row.arguments) if a.spread or a.name is not None), len(row.arguments))
        cells = [self._argument(argument) for argument in row.arguments]
        return cells if count == len(cells) else [*cells[:count], ", ".join(cells[count:])]

    def _reference(self, item: ast.Reference) -> None:
        head = f"reference {item.library.name} for "
        head += filled([_reference_target(target) for target in item.targets], len(head))
        if item.arguments:
            self.layout.indent = head.index(" for ") + 5 if "\n" in head else 0
            head += " with "
            place = (item.targets[-1].span.end, self._after_brackets(item.arguments[-1].span.end))
            head += self.layout.brackets("()", item.arguments, end_column(head, 0), *place)
        if item.docstring is None and not item.entries:
            self._put(head)
        elif item.docstring is None and not is_long(item) and self._fits(head, self._entries(item.entries)):
            self._put(f"{head} {{ {', '.join(self._entries(item.entries))} }}")
        else:
            self._open(head, item.docstring)
            self._entry_lines(item.entries)
            self._close(item.span.end)

    def _recipe(self, item: ast.Recipe) -> None:
        head = f"recipe {item.name}"
        head = _about(f"{head} for", item.targets) if item.targets else head
        head += f" = {item.base.name}" if item.base else ""
        head += " with" if item.base and item.braces else ""
        entries = [member for member in item.members if isinstance(member, ast.Entry)]
        short = item.docstring is None and len(entries) == len(item.members) and not is_long(item)
        if not item.braces:
            self._put(head)
        elif not item.members and item.docstring is None:
            self._put(head + " {}")
        elif short and self._fits(head, self._entries(entries)):
            self._put(f"{head} {{ {', '.join(self._entries(entries))} }}")
        else:
            self._open(head, item.docstring)
            run: list[ast.Entry] = []
            for member in item.members:
                if isinstance(member, ast.Entry):
                    run.append(member)
                    continue
                self._entry_lines(run)
                run = []
                self._line(member, partial(self._progressive, member))
            self._entry_lines(run)
            self._close(item.span.end)

    def _progressive(self, item: ast.Progressive) -> None:
        count = "" if item.count is None else f" in {self._value(item.count)}"
        rows = [[self._value(value) for value in row.values] for row in item.rows]
        texts = aligned_where_it_fits(rows, [""] * len(rows), WIDTH - 4)
        self._braces(f"progressive{_columns(item.columns)}{count}", item, item.rows, texts, None)

    def _settings(self, item: OneLiner) -> None:
        """`expect`, `preprocess` and `init`."""
        if id(item) in self.one_liners:
            self._put(self.one_liners[id(item)])
        elif isinstance(item, ast.Init):
            pairs = zip(padded(self._patterns(item)), item.rules, strict=True)
            self._open(_head(item), None)
            for pattern, rule in pairs:
                self._line(rule, partial(self._put, pattern + self._value(rule.value)))
            self._close(item.span.end)
        elif not item.entries:
            self._put(_head(item) + " {}")
        else:
            self._open(_head(item), None)
            self._entry_lines(item.entries)
            self._close(item.span.end)

    def _entry_lines(self, entries: Sequence[ast.Entry]) -> None:
        """The entries, those of a line of the source on a line."""
        lines: list[list[ast.Entry]] = []
        for entry in entries:
            if lines and "\n" not in self.source[lines[-1][-1].span.end : entry.span.start]:
                lines[-1].append(entry)
            else:
                lines.append([entry])
        for line in lines:
            text = filled(self._entries(line), len(self._pad()), end_of_line="")
            self._line(line[0], partial(self._put, text), line[-1])

    def _entries(self, entries: Sequence[ast.Entry]) -> list[str]:
        return [f"{entry.key} = {self._value(entry.value)}" for entry in entries]

    def _patterns(self, item: ast.Init) -> list[str]:
        return [f"{quote(rule.pattern) if rule.quoted else rule.pattern}:" for rule in item.rules]

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
        inside = listed or texts
        if docstring is None and not is_long(item) and (listed or len(rows) < 2) and self._fits(head, inside):
            self._put(f"{head} {{ {', '.join(inside)} }}" if rows else head + " {}")
            return
        self._open(head, docstring)
        for row, text in zip(rows, texts, strict=True):
            self._line(row, partial(self._put, text))
        self._close(item.span.end)

    def _fits(self, head: str, inside: Sequence[str]) -> bool:
        return end_column(head, 0) + sum(len(text) + 2 for text in inside) + 3 <= WIDTH

    # --- items of one kind on neighbouring lines ---------------------------------------------

    def _align_one_liners(self) -> None:
        """Writes the `expect`, `preprocess` and `init` of a line each; on neighbouring lines in columns."""
        run: list[OneLiner] = []
        for item in self.file.items:
            if not isinstance(item, OneLiner) or is_long(item) or not self._cells(item):
                continue
            if run and (type(item) is not type(run[-1]) or not self._neighbours(run[-1], item)):
                self._write_run(run)
                run = []
            if self._fits(_head(item), self._cells(item)) and "\n" not in _head(item):
                run.append(item)
        self._write_run(run)

    def _neighbours(self, above: ast.Syntax, item: ast.Syntax) -> bool:
        """Whether only comments stand between two items, and no blank line."""
        between = self.source[above.span.end : item.span.start]
        rest = re.sub(r"#[^\n]*", "", between)
        return not rest.strip() and not _BLANK_LINE.search(between)

    def _write_run(self, run: Sequence[OneLiner]) -> None:
        cells = [self._cells(item) for item in run]
        keys = [[cell.split(" = ")[0] for cell in row] for row in cells]
        same = {
            index
            for index in range(max(map(len, cells), default=0))
            if len({row[index] for row in keys if index + 1 < len(row)}) == 1
        }
        heads = [_head(item) for item in run]
        texts = aligned(cells, starts=[f"{head}{{ " for head in padded(heads)], only=same)
        if any(len(text) + 2 > WIDTH for text in texts):
            texts = aligned(cells, starts=[f"{head} {{ " for head in heads], only=())
        self.one_liners.update((id(item), text + " }") for item, text in zip(run, texts, strict=True))

    def _cells(self, item: OneLiner) -> list[str]:
        if isinstance(item, ast.Init):
            pairs = zip(self._patterns(item), item.rules, strict=True)
            return [f"{pattern} {self._value(rule.value)}" for pattern, rule in pairs]
        return self._entries(item.entries)


def _apart(above: ast.ItemSyntax, item: ast.ItemSyntax, both_long: bool) -> bool:
    """Whether a blank line has to be between two items: both of several lines, or of different kinds.

    What is expected of a variant may stand beside it.
    """
    if isinstance(item, ast.Expect) and isinstance(above, ast.Variant) and item.variant.name == above.name:
        return False
    return both_long or _kind(item) != _kind(above)


def _kind(item: ast.ItemSyntax) -> object:
    """Items of one kind on neighbouring lines stay together."""
    if isinstance(item, ast.Definition):
        return item.kind
    return ast.Variants if isinstance(item, ast.Variant) else type(item)


def _columns(names: Sequence[ast.UsedName]) -> str:
    return f"({', '.join(name.name for name in names)})"


def _reference_target(item: ast.ReferenceTarget) -> str:
    return item.target.name if item.model is None else f"{item.target.name} = {quote(item.model.value)}"


def _head(item: OneLiner) -> str:
    """The beginning of an item in braces."""
    match item:
        case ast.Expect():
            return _about("expect", (item.variant,))
        case ast.Preprocess():
            return _about("preprocess", item.targets)
    return _about("init", item.targets)


def _about(words: str, targets: Sequence[ast.Name]) -> str:
    """The beginning of an item: what it is, and of what it says something."""
    return f"{words} {filled([target.name for target in targets], len(words) + 1)}"


def _key_line(rule: ast.KeyRule | ast.Absent | ast.Counter, width: int) -> str:
    """A line of a `checkpoint`; the other library's key is filled up to a width."""
    if isinstance(rule, ast.Counter):
        return f"count {rule.name} in {quote(rule.ours.value)}"
    ours = "none" if isinstance(rule, ast.Absent) else _key(rule.ours, rule.our_shape)
    return f"{_their_key(rule).ljust(width)} = {ours}"


def _their_key(rule: ast.KeyRule | ast.Absent) -> str:
    """The left side of a line."""
    return _key(rule.theirs, None if isinstance(rule, ast.Absent) else rule.their_shape)


def _key(key: ast.String, shape: ast.Shape | None) -> str:
    """`"layer_scale" [C, 1, 1]`"""
    if shape is None:
        return quote(key.value)
    sizes = [size.name if isinstance(size, ast.Name) else size.text for size in shape.sizes]
    return f"{quote(key.value)} [{', '.join(sizes)}]"
