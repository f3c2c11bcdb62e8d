"""Source -> AST: lexes, parses each item, and reports what went wrong in each."""

from __future__ import annotations

import re

from archdsl.diagnostics.core import Bag
from archdsl.source import Source, Span
from archdsl.syntax import ast
from archdsl.syntax.build import Build
from archdsl.syntax.errors import report_failure
from archdsl.syntax.hints import HINTS
from archdsl.syntax.lexing import ITEM_WORDS, Chunk, Lexer, Token
from archdsl.syntax.parser import Failure, the_parser
from archdsl.syntax.repair import misspelt_word

MAX_TEXT = 1_000_000
"""Characters of a file."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
MAX_REPAIRS = 10
"""Faulty items of a file in which a misspelt word is looked for: it takes as long as parsing the item a few times."""


class Reader:
    """Reads one source into syntax; every fault goes into the bag and sets `failed`."""

    def __init__(self, source: Source, bag: Bag) -> None:
        self.source = source
        self.bag = bag
        self.parser = the_parser()
        self.build = Build(source, bag, self.piece)
        self.repairs = 0

    def file(self) -> ast.File | None:
        """The whole source, or None after any fault."""
        text = self.source.text
        if len(text) > MAX_TEXT:
            span = Span(self.source, 0, 0)
            self.bag.report("E009", span, what="the file's length", limit=f"{MAX_TEXT} characters")
            return None
        if not self.has_plain_lines():
            return None
        before = len(self.bag)
        self.characters()
        chunks = Lexer(self.source, self.parser.terminals).run()
        items: list[ast.ItemSyntax] = []
        follows_fault = False
        for index, chunk in enumerate(chunks):
            at_end = index == len(chunks) - 1
            is_item = chunk.tokens[0].kind in ITEM_WORDS or chunk.tokens[0].kind == "STRING"
            torn = follows_fault and not is_item  # the rest of a broken item more often than a fault of its own
            for fault in chunk.faults:
                if not (torn and fault.stray):
                    fault.report(self.bag)
            if chunk.faults or torn:
                follows_fault = True
                continue
            item = self._item(chunk, at_end)
            follows_fault = item is None
            if item is not None:
                items.append(item)
        if len(self.bag) != before:
            return None
        docstring = next((item for item in items if isinstance(item, ast.Docstring)), None)
        return ast.File(docstring, tuple(items), span=Span(self.source, 0, len(text)))

    def characters(self) -> None:
        """Report what no file in UTF-8 can hold: a text that Python made may."""
        lone = _SURROGATE.search(self.source.text)
        if lone is not None:
            span = Span(self.source, lone.start(), lone.end())
            self.bag.report("E001", span, char=lone[0], help=HINTS["surrogate"])

    def has_plain_lines(self) -> bool:
        """Whether no carriage return stands alone, which some programs show as a new line and others do not show."""
        at = self.source.text.find("\r")
        if at >= 0:
            self.bag.report("E011", Span(self.source, at, at + 1))
        return at < 0

    def _item(self, chunk: Chunk, at_end: bool) -> ast.ItemSyntax | None:
        item = self.parser.parse(chunk.tokens, "item", self.build)
        if isinstance(item, Failure):
            meant = None if item.too_deep else self._meant(chunk, item.index)
            report_failure(self.source, self.bag, chunk.tokens, item, at_end=at_end, meant=meant)
            return None
        syntax: ast.ItemSyntax = item
        return syntax

    def _meant(self, chunk: Chunk, index: int) -> tuple[Token, str] | None:
        """The misspelt keyword that keeps an item from being parsed, and what was meant."""
        self.repairs += 1
        if self.repairs > MAX_REPAIRS:
            return None
        return misspelt_word(self.source.text, chunk.tokens, index, self._left_over)

    def _left_over(self, text: str) -> int:
        """How many characters at the end of an item's text the parser does not reach."""
        reader = Reader(Source("", text), Bag())
        chunks = Lexer(reader.source, self.parser.terminals).run()
        if len(chunks) != 1 or chunks[0].faults:
            return len(text)
        tokens = chunks[0].tokens
        result = self.parser.parse(tokens, "item", reader.build)
        if not isinstance(result, Failure):
            return 0
        return len(text) - tokens[result.index].start_pos if result.index < len(tokens) else 1

    def expression(self, start: int = 0, end: int | None = None) -> ast.Expression | None:
        """The expression that is all of the text from `start` to `end`."""
        whole = end is None
        end = len(self.source.text) if end is None else end
        chunks = Lexer(self.source, self.parser.terminals).run(start, end)
        faults = [fault for chunk in chunks for fault in chunk.faults]
        for fault in faults:
            fault.report(self.bag)
        if faults:
            return None
        tokens = [token for chunk in chunks for token in chunk.tokens]
        value = self.parser.parse(tokens, "expr", self.build)
        if isinstance(value, Failure):
            report_failure(self.source, self.bag, tokens, value, at_end=True, end=None if whole else end)
            return None
        expression: ast.Expression = value
        return expression

    def piece(self, start: int, end: int) -> ast.Expression:
        """The expression between the braces of a label; an empty string where there is none."""
        if self.source.text[start:end].strip():
            value = self.expression(start, end)
            if value is not None:
                return value
        else:
            self.bag.report("E006", Span(self.source, start - 1, end + 1), detail="its braces are empty")
        return ast.String("", span=Span(self.source, start, end))


def parse(source: Source, bag: Bag) -> ast.File | None:
    """The syntax of a source. On any syntax error None, with every error found in the bag; never raises."""
    return Reader(source, bag).file()


def parse_expression(source: Source, bag: Bag) -> ast.Expression | None:
    """The syntax of a source that is one expression (an override on the command line); None after an error."""
    if len(source.text) > MAX_TEXT:
        bag.report("E009", Span(source, 0, 0), what="the text's length", limit=f"{MAX_TEXT} characters")
        return None
    before = len(bag)
    reader = Reader(source, bag)
    reader.characters()
    expression = reader.expression() if reader.has_plain_lines() else None
    return expression if len(bag) == before else None
