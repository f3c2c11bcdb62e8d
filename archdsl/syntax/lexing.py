"""Text -> tokens, one list for each item of the file.

Done in one pass before parsing: newlines are kept only where they mean something, brackets are matched (so an unclosed
one is reported where it was opened), and the file is cut into items, so that one bad item does not hide the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import lark

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.source import Source, Span
from archdsl.syntax.grammar import Terminals
from archdsl.syntax.hints import HINTS, character_hint

MAX_NESTING = 100
"""Brackets open at once, and levels of the tree."""

MAX_FAULTS = 50
"""Faults of one file that are kept, and the first of each item."""

ITEM_WORDS = frozenset(
    "use default block fn table scaling model variants variant expect reference preprocess init checkpoint "
    "recipe space weights".split()
)
_OPENERS = frozenset("([{")
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_OPERATORS = frozenset(["->", "+", "*", "/", "//", "%", "^", "COMPARE", "and", "or"])
_CONTINUES_AFTER = _OPERATORS | {"-", "not", ",", "=", "then", "else", "{"}
_CONTINUES_BEFORE = _OPERATORS | {",", "then", "else", "{", "}"}
_BLANK = re.compile(r"[ \t]*")
_ITEM_START = re.compile(
    rf"(?:{'|'.join(sorted(ITEM_WORDS))})[ \t]+(?!(?:if|then|else|for|in|of|and|or|not)\b)[A-Za-z_\"]"
)


class Token(lark.Token):
    """A token as Lark's parser takes it (`type` is the name of its terminal), with the terminal's kind."""

    __slots__ = ("kind",)
    start_pos: int
    end_pos: int
    kind: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the characters or brackets of an item."""

    code: str
    span: Span
    facts: Mapping[str, object]
    help: str | None = None
    secondary: tuple[Label, ...] = ()
    stray: bool = False
    """A closing bracket that nothing opens: where the item before it is torn, it belongs to that."""

    def report(self, bag: Bag) -> None:
        bag.report(self.code, self.span, help=self.help, secondary=self.secondary, facts=self.facts)


class Chunk:
    """The tokens of one item, and its faults. One that has any is not worth parsing."""

    __slots__ = ("faults", "tokens")

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.faults: list[Fault] = []


class Lexer:
    """Cuts one source, or a part of it, into tokens. Made for one use."""

    def __init__(self, source: Source, terminals: Terminals) -> None:
        self.source = source
        self.terminals = terminals
        self.chunks = [Chunk()]
        self.brackets: list[Token] = []
        self.suspect: Token | None = None
        """A bracket that was closed further left than it was opened: if a closer is missing, it is probably its own."""
        self.early: Token | None = None
        """A closer that ends, in the midst of a line, what was opened in one above: if there is one too many, it is
        probably this one."""
        self.line = 0  # where the current line begins
        self.opening_lines: list[int] = []  # and those of the open brackets
        self.faults = 0
        self.strange: set[str] = set()

    def run(self, start: int = 0, end: int | None = None) -> list[Chunk]:
        """The items of the text from `start` to `end`; without any, an empty list."""
        text = self.source.text
        end = len(text) if end is None else end
        words = self.terminals.names
        brackets = self.brackets
        tokens = self.chunks[-1].tokens
        newline = -1  # where the line before this token ended, if it is the first of its line
        previous = ""
        for match in self.terminals.master.finditer(text, start, end):
            kind = match.lastgroup
            if kind == "newline":
                self.line = match.end()
                newline = self.line - 1
                continue
            if kind is None or kind == "comment":
                continue
            at, stop = match.span(kind)
            value = match[kind]
            if kind == "literal" or value in words:
                kind = value
            if newline >= 0:
                tokens = self._begin_line(kind, at, stop, previous, newline)
            token = self._token(kind, value, at, stop)
            if kind in _OPENERS:
                brackets.append(token)
                self.opening_lines.append(self.line)
                if len(brackets) > MAX_NESTING:
                    facts = {"what": "nesting", "limit": MAX_NESTING}
                    self._fault("E009", token, facts=facts, help=HINTS["nesting"])
                    brackets.clear()
                    break
            elif kind in _CLOSERS:
                self._close(token, first=newline >= 0)
            elif kind == "other" and (value not in self.strange or not self.chunks[-1].faults):
                self.strange.add(value)
                self._fault("E001", token, facts={"char": value}, help=character_hint(value))
            elif kind == "unclosed":
                self._fault("E005", token)
            tokens.append(token)
            previous = kind
            newline = -1
        if brackets:
            self._unclosed(brackets[-1], end, end, "the file ends here")
        return [chunk for chunk in self.chunks if chunk.tokens]

    def _token(self, kind: str, text: str, start: int, end: int) -> Token:
        token = Token(self.terminals.names.get(kind, kind), text, start, end_pos=end)
        token.kind = kind
        return token

    def _close(self, closer: Token, first: bool) -> None:
        """Match a closing bracket with its opener; report those in between, or the closer if it has none.

        `first`: it is the first token of its line.
        """
        brackets, kind = self.brackets, _CLOSERS[closer.kind]
        if not any(opener.kind == kind for opener in brackets):
            self._stray(closer, first)
            return
        while (opener := brackets.pop()).kind != kind:
            self.opening_lines.pop()
            self._unclosed(opener, closer.start_pos, closer.end_pos, f"`{closer.kind}` closes an outer bracket here")
        opening_line = self.opening_lines.pop()
        if not first and opening_line != self.line:
            self.early = closer
        if not brackets:
            self.suspect = None
        elif first and self.suspect is None and closer.start_pos - self.line < self._indent(opening_line):
            self.suspect = opener

    def _stray(self, closer: Token, first: bool) -> None:
        """A closer without an opener: of another kind than the bracket that it is to close, or one too many."""
        if self.brackets and first and closer.start_pos - self.line == self._indent(self.opening_lines[-1]):
            self.opening_lines.pop()
            self._unclosed(self.brackets.pop(), closer.start_pos, closer.end_pos, f"`{closer.kind}` stands here")
            return
        early = self.early
        secondary: tuple[Label, ...] = ()
        if early is not None and early.kind == closer.kind:
            place = Span(self.source, early.start_pos, early.end_pos)
            secondary = (Label(place, "this one closes what was opened lines above: is it one too many?"),)
        facts = {"found": f"`{closer.kind}`", "expected": ""}
        self._fault("E002", closer, facts=facts, help=HINTS["no bracket"], secondary=secondary, stray=True)

    def _indent(self, line: int) -> int:
        match = _BLANK.match(self.source.text, line)
        return match.end() - line if match else 0

    def _begin_line(self, kind: str, at: int, stop: int, previous: str, newline: int) -> list[Token]:
        """Decide what the newline before a token means; the list of tokens that it belongs to."""
        text, tokens, brackets = self.source.text, self.chunks[-1].tokens, self.brackets
        if not tokens:
            return tokens
        if kind in ITEM_WORDS and at == self.line and _ITEM_START.match(text, at):
            if brackets:
                self._unclosed(brackets[-1], at, stop, "the next item begins here")
                brackets.clear()
                self.opening_lines.clear()
                self.suspect = None
            self.early = None
            self.chunks.append(Chunk())
        elif previous not in _CONTINUES_AFTER and not (brackets and brackets[-1].kind != "{"):
            spaced_minus = kind == "-" and text[stop : stop + 1] in (" ", "\t")
            if spaced_minus or kind in _CONTINUES_BEFORE:
                pass
            elif brackets:
                tokens.append(self._token("_NL", "\n", newline, newline + 1))
            else:
                self.chunks.append(Chunk())
        return self.chunks[-1].tokens

    def _unclosed(self, opener: Token, at: int, stop: int, noticed: str) -> None:
        suspect = self.suspect
        if suspect is not None and suspect.kind == opener.kind and suspect.start_pos > opener.start_pos:
            opener, self.suspect = suspect, None
        place = Span(self.source, at, stop)
        closer = {"(": ")", "[": "]", "{": "}"}[opener.kind]
        facts = {"bracket": opener.kind, "closer": closer}
        self._fault("E004", opener, facts=facts, secondary=(Label(place, noticed),))

    def _fault(
        self,
        code: str,
        token: Token,
        *,
        facts: Mapping[str, object] | None = None,
        help: str | None = None,
        secondary: tuple[Label, ...] = (),
        stray: bool = False,
    ) -> None:
        self.faults += 1
        if self.faults <= MAX_FAULTS or not self.chunks[-1].faults:
            span = Span(self.source, token.start_pos, token.end_pos)
            self.chunks[-1].faults.append(Fault(code, span, facts or {}, help, secondary, stray))
