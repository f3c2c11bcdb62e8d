"""The hints for common mistakes: which one fits a place, and its words."""

from __future__ import annotations

HINTS = {
    "slice": "a part of a list is a range: `xs[1..3]`, `xs[..n]`, `xs[1..]`",
    "equal": "`=` names a value; to compare, write `==`",
    "power": "a power is written `^`: `2^i`",
    "update": "write the whole assignment: `x = x + 1`",
    "label operand": "a label reaches up to the next `->`; put parentheses around a labelled operand: `id + (a: f)`",
    "conditional operand": "put parentheses around the conditional: `x -> (if c then f else g)`",
    "conditional": "a choice is written `if c then a else b`",
    "comprehension": "a comprehension stands in [ ]: `[f(i) for i in 0..n]`",
    "value label": 'a label that begins with a value is a string: `"{i}.conv": f`',
    "number label": 'members of [ ] are numbered by themselves; a label that is a number is a string: `"8": f`',
    "braces": "bodies stand in braces: `if c { … }`, `for i in xs { … }`",
    "colon": "`:` stands only directly after a label, a row's name or a parameter's name",
    "def": "a function is `fn name(x) = …`, a module `block name(…) { … }`",
    "lambda": "there are no anonymous functions: define `fn name(x) = …`",
    "import": 'names come from another file by `use "common.arch" (a, b)`',
    "return": "the last expression of a body is its result: leave `return` out",
    "while": "loops are finite: `for i in 0..n { … }`",
    "elif": "write `else if`",
    "class": "a module is `block Name(…) { … }`",
    "None": "there is no null value: give the parameter a default, or leave the layer out with `id`",
    "True": "booleans are written `true` and `false`",
    "let": "a binding has no word in front of it: `y = …`",
    "range": "a range is written `0..n`",
    "python": "layers are written without a module: `conv(64, 3)`, `relu`",
    "Sequential": "layers one after the other are `f -> g`, with numbers for labels `[f, g]`",
    "reserved": "this is a reserved word: choose another name",
    "inside": "items do not nest: is a `}` missing above?",
    "row comma": "a row ends with its line: leave out the comma at its end",
    "newline": "put it on its own line",
    "output name": 'an output is named as a layer is: `output p{i} = x`, or `output "{name}" = x`',
    "entry": "a setting is written with `=`: `size = 224`",
    "amended recipe": "what is amended stands behind `=`: `recipe b = a with { epochs = 300 }`",
    "amended space": "what is amended stands behind `=`: `space b = a with { depth in 1..9 }`",
    "amended variant": "what is amended stands behind `=`: `variant b = a with (width = 2)`",
    "trailing dot": "write numbers with a digit on both sides of the point: `0.5`, `1.0`",
    "number": "numbers look like 3, 25_557_032, 0.1, 1e-3 or 4.09G (K, M, G: thousand, million, billion)",
    "escape": 'the escapes are \\" \\\\ and \\n',
    "pattern": 'write a pattern as a string: `"features.*.conv": …`',
    "plain label": "this name cannot contain { } or dots",
    "nesting": "give the inner parts names",
    "surrogate": "half of a surrogate pair is no character: a spec is text in UTF-8",
    "no bracket": "no such bracket is open here: remove it",
}

_CHARACTERS = {
    "'": 'strings are written with double quotes: `"…"`',
    "“": 'strings are written with straight quotes: `"…"`',
    "”": 'strings are written with straight quotes: `"…"`',
    "!": "write `not`, or `!=` to compare",
    "&": "write `and`",
    "|": "write `or`",
    ";": "end a statement with a new line",
    "−": "this is not the ASCII minus `-`",
    "–": "this is not the ASCII minus `-`",
    "×": "multiply with `*`",
    "⊗": "multiply with `*`",
    "·": "multiply with `*`",
    "⊕": "add with `+`",
    "→": "write `->`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "@": "apply layers with `->`",
    "…": "ranges are written with two dots: `0..n`",
    "\ufeff": "remove the byte order mark",
}

WORDS = {
    "def": "def", "lambda": "lambda", "import": "import", "from": "import", "return": "return", "while": "while",
    "elif": "elif", "class": "class", "let": "let", "var": "let", "const": "let", "None": "None", "null": "None",
    "True": "True", "False": "True",
}  # fmt: skip
"""Words of other languages -> the hint they deserve."""

NAMES = WORDS | {
    "range": "range", "nn": "python", "torch": "python", "F": "python", "self": "python", "Sequential": "Sequential",
}  # fmt: skip
"""The same for names that stand where an expression may."""


def character_hint(char: str) -> str | None:
    """The hint for a character that no token begins with."""
    return _CHARACTERS.get(char)
