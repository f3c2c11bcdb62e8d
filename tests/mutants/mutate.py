"""Single-token mutants of the shipped specs: one typo each, as a hurried author makes them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archdsl.source import Source
from archdsl.syntax.lexing import Lexer, Token
from archdsl.syntax.parser import the_parser

SPECS = Path(__file__).parents[2] / "specs"

_WORDS = ("NAME", "LABEL")
_OPERATORS = ("+", "-", "*", "/", "//", "%", "^", "->", "..", "==", "<", ">", "and", "or")
_BRACKETS = ("(", ")", "[", "]", "{", "}")
_INSERTED = (*_BRACKETS, *_OPERATORS, ",", "=", ":", "0", "1", '"a"', "x", "conv", "relu", "if", "for", "in", "of")


@dataclass(frozen=True)
class Mutant:
    """One changed spec. `meant` is the word that was misspelt, of the kind `misspell` only."""

    spec: str
    kind: str
    text: str
    line: int
    before: str
    after: str
    meant: str | None = None

    def __str__(self) -> str:
        return f"{self.spec}:{self.line}: {self.kind}: {self.before!r} → {self.after!r}"


@cache
def texts() -> dict[str, str]:
    """The shipped specs by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(SPECS.glob("*.arch"))}


@cache
def _tokens(spec: str) -> tuple[Token, ...]:
    """The tokens of a spec but for newlines and docstrings, in which every text is right."""
    source = Source(spec, texts()[spec])
    chunks = Lexer(source, the_parser().terminals).run()
    return tuple(
        token
        for chunk in chunks
        for number, token in enumerate(chunk.tokens)
        if token.kind != "_NL" and not _is_docstring(chunk.tokens, number)
    )


def _is_docstring(tokens: Sequence[Token], number: int) -> bool:
    begins = number == 0 or tokens[number - 1].kind in ("_NL", "{")
    ends = number + 1 == len(tokens) or tokens[number + 1].kind in ("_NL", "}")
    return tokens[number].kind == "STRING" and begins and ends


def mutant(seed: int) -> Mutant:
    """The mutant of this number: always the same for the same specs."""
    choose = random.Random(seed)
    spec = choose.choice(sorted(texts()))
    kind = choose.choice(sorted(_KINDS))
    tokens = _tokens(spec)
    while True:
        number = choose.randrange(len(tokens))
        found = _KINDS[kind](choose, tokens, number)
        if found is not None:
            break
    start, end, after, meant = found
    text = texts()[spec]
    changed = text[:start] + after + text[end:]
    return Mutant(spec, kind, changed, text.count("\n", 0, start) + 1, text[start:end], after, meant)


_Change = tuple[int, int, str, str | None] | None


def _misspell(choose: random.Random, tokens: Sequence[Token], number: int) -> _Change:
    kind, text, start = tokens[number].kind, tokens[number].value, tokens[number].start_pos
    word = text.rstrip(": \t") if kind == "LABEL" else text
    if not (kind in _WORDS or kind.islower()) or not word.replace("_", "a").isalnum() or len(word) < 3:
        return None
    wrong = misspelt(choose, word)
    return None if wrong == word else (start, start + len(word), wrong, word)


def misspelt(choose: random.Random, word: str) -> str:
    """The word with a letter left out, doubled or replaced, or two neighbours swapped."""
    at = choose.randrange(len(word))
    match choose.randrange(4):
        case 0 if at > 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at] + word[at:]
        case 2 if at + 1 < len(word):
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case _:
            return word[:at] + choose.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]


def _drop(choose: random.Random, tokens: Sequence[Token], number: int) -> _Change:
    return tokens[number].start_pos, tokens[number].end_pos, "", None


def _double(choose: random.Random, tokens: Sequence[Token], number: int) -> _Change:
    token = tokens[number]
    return token.start_pos, token.end_pos, f"{token} {token}", None


def _swap(choose: random.Random, tokens: Sequence[Token], number: int) -> _Change:
    if number + 1 == len(tokens):
        return None
    first, second = tokens[number : number + 2]
    swapped = (first.start_pos, second.end_pos, f"{second} {first}", None)
    return None if first.value == second.value else swapped


def _insert(choose: random.Random, tokens: Sequence[Token], number: int) -> _Change:
    return tokens[number].start_pos, tokens[number].start_pos, choose.choice(_INSERTED) + " ", None


def _replace(choose: random.Random, tokens: Sequence[Token], number: int) -> _Change:
    token = tokens[number]
    kind, text, start, end = token.kind, token.value, token.start_pos, token.end_pos
    if text in _OPERATORS:
        after = choose.choice(_OPERATORS)
    elif text in _BRACKETS:
        after = choose.choice(_BRACKETS)
    elif text in (",", "=", "."):
        after = choose.choice((",", "=", ":", ".", ";", "->"))
    elif kind == "NUMBER":
        after = choose.choice(("0", "1", "3", "-1", "1.5", "1e30", "a"))
    elif kind == "STRING":
        after = choose.choice(('""', '"a"', "a", text[:-1]))
    else:
        after = choose.choice(("x", "conv", "1", '"a"', "if", "true"))
    return None if after == text else (start, end, after, None)


_KINDS: dict[str, Callable[[random.Random, Sequence[Token], int], _Change]] = {
    "double": _double,
    "drop": _drop,
    "insert": _insert,
    "misspell": _misspell,
    "replace": _replace,
    "swap": _swap,
}
