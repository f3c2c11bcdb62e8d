"""Misspelt words of the grammar (`expcet`, `iff`, `esle`): takes an item that does not parse, gives the word that was
meant, if with it the item parses further.

The parser alone cannot know: to it a misspelt keyword is a name, and what cannot stand there is often the token behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from archdsl.syntax.lexing import ITEM_WORDS, Token

_WORDS = tuple(
    "if then else for in of or and not true false require stage output with on count none progressive".split()
)
_SOFT = frozenset(["stage", "output", "with", "on", "count", "none", "progressive"])
_REACH = 3
"""How many tokens, ending with the one that cannot stand there, may be the misspelt one."""
_LONGEST = 20_000
"""Characters of an item that is read again."""


def misspelt_word(
    text: str, tokens: Sequence[Token], index: int, reach: Callable[[str], int]
) -> tuple[Token, str] | None:
    """The misspelt token of an item, and the word that was meant.

    `text` is the whole source; the item's token `index` cannot stand where it does. `reach` says how many characters at
    the end of an item's text are left over, from the first token that cannot stand there: 0 where it parses.
    """
    start, end = tokens[0].start_pos, tokens[-1].end_pos
    if end - start > _LONGEST:
        return None
    left_over = end - tokens[index].start_pos if index < len(tokens) else 0
    for token in _suspects(tokens, index):
        name = token.value.rstrip(": \t")
        behind = token.start_pos + len(name)
        words = _near(name, first=token is tokens[0])
        left = {word: reach(text[start : token.start_pos] + word + text[behind:end]) for word in words}
        best = min(left, key=left.__getitem__, default="")
        if best and (left[best] == 0 or left[best] < min(left_over, end - behind)):
            return token, best
    return None


def _suspects(tokens: Sequence[Token], index: int) -> Iterator[Token]:
    for at in range(min(index, len(tokens) - 1), max(-1, index - _REACH), -1):
        if tokens[at].kind in ("NAME", "LABEL") or tokens[at].kind in _SOFT:
            yield tokens[at]


def _near(name: str, *, first: bool) -> list[str]:
    """Words within a typo or two of a name, the nearest first."""
    from rapidfuzz.distance import OSA

    allowed = 1 if len(name) < 6 else 2
    words = sorted(ITEM_WORDS) if first else _WORDS
    found = sorted((OSA.distance(name, word, score_cutoff=allowed), word) for word in words)
    return [word for distance, word in found if 0 < distance <= allowed]
