"""Grammar text -> Lark's parser, and what the lexer needs of it: the terminals.

Compiling the grammar takes Lark a multiple of what parsing costs. So the compiled parser comes with the grammar, as
`Lark.save` writes it (`arch.parser`; `python -m docs.generate_parser`), and is loaded by `Lark.load`. It names the
grammar and the version of Lark it was made of: with any other the grammar is compiled again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO

import lark
from lark.lexer import PatternStr, TerminalDef

from archdsl.resources import find

STARTS = ["item", "expr"]
SAVED = "arch.parser"


class GrammarMissing(RuntimeError):
    """The installation is broken: no grammar file was found."""


def grammar_text() -> str:
    """The language's grammar."""
    path = find("grammar", "arch.lark")
    if path is None:
        raise GrammarMissing("grammar/arch.lark is missing from the installation of archdsl")
    return path.read_text(encoding="utf-8")


def load_grammar(callbacks: object) -> lark.Lark:
    """The parser of the language's grammar. At each reduction it calls the attribute of `callbacks` that is named as
    the rule; where there is none it makes a `Tree`. It is saved with the parser, by its name."""
    grammar = grammar_text()
    path = find("grammar", SAVED)
    if path is not None:
        with path.open("rb") as file:
            if file.readline() == _key(grammar):
                return lark.Lark.load(file)
    return compile_grammar(grammar, callbacks)


def compile_grammar(grammar: str, callbacks: object) -> lark.Lark:
    """As `load_grammar`, of any grammar. Raises lark.GrammarError on a bad one."""
    # The lexer is ours; `basic` is the one of Lark's that costs nothing as long as it is not used.
    return lark.Lark(grammar, parser="lalr", lexer="basic", start=STARTS, transformer=callbacks)


def save_grammar(grammar: str, callbacks: object) -> bytes:
    """The content of `arch.parser`."""
    file = BytesIO()
    file.write(_key(grammar))
    compile_grammar(grammar, callbacks).save(file)
    return file.getvalue()


def _key(grammar: str) -> bytes:
    """The first line of a saved parser."""
    return f"Lark {lark.__version__}, grammar {sha256(grammar.encode()).hexdigest()}\n".encode()


@dataclass(frozen=True, slots=True, eq=False)
class Terminals:
    """The terminals of a grammar. Their kinds are what messages speak of: the text of one that is written as a text
    (`->`), else its name (`NUMBER`)."""

    names: dict[str, str]
    """Text -> the name that Lark gives it."""
    kinds: dict[str, str]
    """The other way."""
    master: re.Pattern[str]
    """One expression for all tokens: each match is blank space and then one group, named as its terminal.

    Groups of its own are `literal` (the terminals given as text, and a stray `:`), `newline`, `comment`, and for
    errors `unclosed` (a string without its end) and `other` (any other character).
    """


@cache
def terminals_of(parser: lark.Lark) -> Terminals:
    """The terminals of a parser's grammar."""
    names = {t.pattern.value: t.name for t in parser.terminals if isinstance(t.pattern, PatternStr)}
    patterns = [t for t in parser.terminals if not isinstance(t.pattern, PatternStr)]
    kinds = {name: text for text, name in names.items()}
    return Terminals(names, kinds, _master_pattern(patterns, names))


def _master_pattern(patterns: list[TerminalDef], literals: dict[str, str]) -> re.Pattern[str]:
    known = [":", *(text for text in literals if not text[0].isalpha())]
    marks = sorted(map(re.escape, known), key=lambda text: (-len(text), text))
    ordered = sorted(patterns, key=lambda terminal: (-terminal.priority, terminal.name))
    groups = [f"(?P<{terminal.name}>{terminal.pattern.value})" for terminal in ordered]
    groups += [r"(?P<newline>\n)", r"(?P<comment>\#[^\n]*)", f"(?P<literal>{'|'.join(marks)})"]
    groups += [r'(?P<unclosed>"(?:[^"\\\n]|\\.)*)', r"(?P<other>.)", r"\Z"]  # blank space may end the text
    return re.compile(rf"[ \t\r\f]*(?:{'|'.join(groups)})")
