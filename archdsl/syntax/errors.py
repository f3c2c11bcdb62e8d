"""From a parse failure to the diagnostic that helps most: what was found, what could have come, and a likely reason.

Reports E002, E003, E006, E009 and E010.
"""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.source import Source, Span
from archdsl.syntax.hints import HINTS, WORDS
from archdsl.syntax.lexing import ITEM_WORDS, MAX_NESTING, Token
from archdsl.syntax.parser import Failure

_EXPRESSION = frozenset(
    "NUMBER STRING NAME LABEL STRING_LABEL true false in not if stage - ( [ ..".split()
)  # fmt: skip
_OPERATION = frozenset("+ - * / // % ^ COMPARE and or -> . .. ( [".split())
_SOFT = ITEM_WORDS | {"with", "on", "stage", "output", "count", "none", "progressive"}
_UNFINISHED = _OPERATION - {".", "(", "["} | {"=", "not", "then", "else"}
_RESERVED = frozenset("if then else for in of or and not true false require".split())
_WITH_ENTRIES = frozenset("expect reference preprocess recipe space".split())
_SHOWN = 4
_NAMES = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "LABEL": "a label",
    "STRING_LABEL": "a quoted label",
    "COMPARE": "a comparison",
    "STAGE": "a stage",
    "OUTPUT": "an output",
    "_NL": "a new line",
    "$END": "the end of the item",
}


def report_failure(
    source: Source,
    bag: Bag,
    tokens: Sequence[Token],
    failure: Failure,
    *,
    at_end: bool,
    end: int | None = None,
    meant: tuple[Token, str] | None = None,
) -> None:
    """Report where and why `tokens` (one item, or one expression) could not be parsed.

    `at_end`: they are the last of the file, or of the label that ends at offset `end`. `meant`: the token that is a
    misspelt word, and that word.
    """
    index = failure.index
    if failure.too_deep:
        place = tokens[min(index, len(tokens) - 1)]
        bag.report("E009", _place(source, place), what="nesting", limit=MAX_NESTING, help=HINTS["nesting"])
        return
    if meant is not None:
        _report_misspelt(source, bag, tokens, *meant)
        return
    expected = describe_expected(failure.expected)
    if end is not None:
        _report_in_label(source, bag, tokens[index:], end, expected)
        return
    if index >= len(tokens):
        _report_missing(source, bag, tokens, expected, at_end=at_end)
        return
    token = tokens[index]
    span = _place(source, token)
    if token.kind == "=" and _continues(source, tokens, index - 1):
        # What is set in this line was taken for the value that is missing in the line above.
        _report_line_end(source, bag, tokens[index - 2], tokens[index - 1], "a value")
        return
    if _ends_early(source, tokens, index, failure.expected):
        hint = HINTS["row comma"] if tokens[index - 1].kind == "," else None
        _report_line_end(source, bag, tokens[index - 1], token, expected, hint)
        return
    misplaced = _misplaced(tokens, index)
    if misplaced is not None:
        what, place, hint = misplaced
        bag.report("E010", _place(source, place), what=what, help=hint)
        return
    hint = _hint(tokens, index, failure.expected)
    bag.report("E002", span, found=describe_token(token), expected=expected, help=hint)


def _report_in_label(source: Source, bag: Bag, rest: Sequence[Token], end: int, expected: str) -> None:
    """What is wrong in the expression of a label that ends at `end`, at the first of the `rest` of its tokens."""
    found, span = "`}`", Span(source, end, end)
    if rest:
        found, span = describe_token(rest[0]), _place(source, rest[0])
    bag.report("E006", span, detail=f"unexpected {found}, expected {expected}")


def _report_missing(source: Source, bag: Bag, tokens: Sequence[Token], expected: str, *, at_end: bool) -> None:
    """The tokens are fine, but something has to follow them."""
    stop = tokens[-1].end_pos if tokens else 0
    span = Span(source, stop, stop)
    hint = HINTS["trailing dot"] if len(tokens) > 1 and [t.kind for t in tokens[-2:]] == ["NUMBER", "."] else None
    if at_end:
        bag.report("E003", span, expected=expected, help=hint)
    else:
        bag.report("E002", span, found="end of the line", expected=expected, help=hint)


def _report_line_end(
    source: Source, bag: Bag, last: Token, following: Token, expected: str, hint: str | None = None
) -> None:
    """Something is missing behind the last token of a line."""
    span = Span(source, last.end_pos, last.end_pos)
    next_line = Label(_place(source, following), "before the next line")
    bag.report("E002", span, found="end of the line", expected=expected, secondary=[next_line], help=hint)


def _place(source: Source, token: Token) -> Span:
    return Span(source, token.start_pos, token.end_pos)


def _report_misspelt(source: Source, bag: Bag, tokens: Sequence[Token], token: Token, word: str) -> None:
    name = token.value.rstrip(": \t")
    span, help_ = Span(source, token.start_pos, token.start_pos + len(name)), f"did you mean `{word}`?"
    if token is tokens[0]:
        bag.report("E010", span, what=describe_token(token), help=help_)
    else:
        bag.report("E002", span, found=f"name `{name}`", expected=f"`{word}`", help=help_)


def describe_token(token: Token) -> str:
    """What a token is, for a sentence: `` `,` ``, "number 3", "end of the line"."""
    terminal, text = token.kind, token.value
    if terminal == "_NL":
        return "end of the line"
    text = text if len(text) <= 40 else text[:39] + "…"
    kind = {"NAME": "name ", "NUMBER": "number ", "STRING": "string ", "LABEL": "label ", "STRING_LABEL": "label "}
    return f"{kind.get(terminal, '')}`{text}`"


def describe_expected(terminals: frozenset[str]) -> str:
    """A short list in words of what could have come: "`,` or `)`", "an expression"."""
    rest = set(terminals)
    words: list[str] = []
    if rest >= {"NUMBER", "NAME", "("}:
        words.append("an expression")
        rest -= _EXPRESSION | _SOFT
    if rest >= {"block", "fn", "model"} and "NAME" not in rest:
        words.append("an item")
        rest -= ITEM_WORDS | {"STRING"}
    if "NAME" in rest:
        rest -= _SOFT
    operations = rest & _OPERATION
    if len(operations) > 3:
        rest -= _OPERATION
    words += sorted(_NAMES.get(terminal, f"`{terminal}`") for terminal in rest if terminal != "$END")
    if "$END" in rest:
        words.append(_NAMES["$END"])
    if len(operations) > 3:
        words.append("an operator")
    if len(words) > _SHOWN:
        words = [*words[: _SHOWN - 1], "…"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else ""


def _continues(source: Source, tokens: Sequence[Token], index: int) -> bool:
    """Whether a token begins a line and goes on with an assignment of the one above, which ends in `=`."""
    if index < 1:
        return False
    before, token = tokens[index - 1], tokens[index]
    return before.kind == "=" and "\n" in source.text[before.end_pos : token.start_pos]


def _ends_early(source: Source, tokens: Sequence[Token], index: int, expected: frozenset[str]) -> bool:
    """Whether what is missing belongs to the end of a line: the token that cannot stand there begins the next one."""
    before, token = tokens[index - 1], tokens[index]
    if not index or "\n" not in source.text[before.end_pos : token.start_pos] or before.kind == "_NL":
        return False
    if before.kind == ",":
        return token.kind in ("LABEL", "STRING_LABEL", "}") and "NUMBER" in expected
    if before.kind in ("(", "[", "{"):
        return False
    return before.kind in _UNFINISHED or "," in expected


def _misplaced(tokens: Sequence[Token], index: int) -> tuple[str, Token, str | None] | None:
    """A statement outside any body, or an item inside one: what it is, where, and the hint."""
    token = tokens[index]
    if index == 0:
        hint = HINTS.get(WORDS.get(token.value, ""))
        return ("an expression" if token.kind in ("NUMBER", "(", "[") else describe_token(token)), token, hint
    before = tokens[index - 1]
    begins = index >= 2 and tokens[index - 2].kind in ("_NL", "{")
    if before.kind in ITEM_WORDS and begins and token.kind in ("NAME", "STRING"):
        return f"`{before.value}`", before, HINTS["inside"]
    return None


def _hint(tokens: Sequence[Token], index: int, expected: frozenset[str]) -> str | None:
    """The likely reason for an unexpected token, if there is one."""
    token = tokens[index]
    before = tokens[index - 1]
    terminal = token.kind
    name = token.value.rstrip(": \t") if terminal == "LABEL" else token.value
    for word in (name, before.value):
        if word in WORDS:
            return HINTS[WORDS[word]]
    if before.value == "output" and (index < 2 or tokens[index - 2].kind in ("_NL", "{")) and terminal != "=":
        return HINTS["output name"]
    if terminal == "with" and "=" in expected and tokens[0].kind in ("recipe", "space", "variant"):
        return HINTS[f"amended {tokens[0].kind}"]
    inside = _innermost(tokens, index)
    if terminal in (":", "LABEL") and inside == "[" and _subscripts(tokens, index):
        return HINTS["slice"]
    if terminal == "{" and "NUMBER" in expected:
        return HINTS["value label"]
    if terminal == ":":
        if _statement_word(tokens, index) in ("if", "for", "else"):
            return HINTS["braces"]
        return HINTS["number label" if before.kind == "NUMBER" else "colon"]
    if terminal in ("LABEL", "STRING_LABEL"):
        if tokens[0].kind in _WITH_ENTRIES and inside == "{":
            return HINTS["entry"]
        if before.kind == ",":
            return HINTS["row comma"]
        if _statement_word(tokens, index) in ("if", "for", "else") and "{" not in expected and before.kind != "then":
            return HINTS["braces"]
        return HINTS["label operand"] if "NUMBER" in expected else None
    if terminal == "*" and before.kind == "*" and before.end_pos == token.start_pos:
        return HINTS["power"]
    if terminal == "=":
        if before.kind in ("+", "-", "*", "/"):
            return HINTS["update"]
        if before.kind in _RESERVED:
            return HINTS["reserved"]
        return HINTS["equal"] if "COMPARE" in expected else None
    if terminal == "if":
        return HINTS["conditional operand" if "NUMBER" in expected else "conditional"]
    if terminal == "for" and "NUMBER" not in expected:
        return HINTS["comprehension"]
    if terminal == "." and (before.kind == "NUMBER" or "NUMBER" in expected):
        return HINTS["trailing dot"]
    if "NAME" in expected and "NUMBER" not in expected and terminal.isalpha() and terminal.islower():
        return HINTS["reserved"]
    if "_NL" in expected and terminal in ("NAME", "require"):
        return HINTS["newline"]
    return None


def _innermost(tokens: Sequence[Token], index: int) -> str:
    """The bracket that is open before a token."""
    depth = 0
    for token in reversed(tokens[:index]):
        if token.kind in (")", "]", "}"):
            depth += 1
        elif token.kind in ("(", "[", "{"):
            if depth == 0:
                return token.kind
            depth -= 1
    return ""


def _subscripts(tokens: Sequence[Token], index: int) -> bool:
    """Whether the open `[` before a token follows a value, so that it takes a part of it."""
    depth = 0
    for at in range(index - 1, 0, -1):
        if tokens[at].kind == "]":
            depth += 1
        elif tokens[at].kind == "[":
            if depth == 0:
                return tokens[at - 1].kind in ("NAME", ")", "]", "in") or tokens[at - 1].kind in _SOFT
            depth -= 1
    return False


def _statement_word(tokens: Sequence[Token], index: int) -> str:
    """The first word of the statement that a token belongs to."""
    word = ""
    for token in reversed(tokens[: index + 1]):
        if token.kind in ("_NL", "{", "}"):
            break
        word = token.kind
    return word
