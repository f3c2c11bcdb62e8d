"""The values of number and string literals."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"([0-9]+(?:_[0-9]+)*)(?:\.([0-9]+(?:_[0-9]+)*))?(?:([eE][+-]?[0-9]+)|([KMG]))?")
_POWERS = {"K": 10**3, "M": 10**6, "G": 10**9}
_MAX_DIGITS = 100
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n"}


def parse_number(text: str) -> int | float | None:
    """The value of a literal; None if it is none. With a suffix it is exact: `4.09G` is the integer 4090000000."""
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > _MAX_DIGITS:
        return None
    whole, fraction, exponent, suffix = match.groups()
    if suffix:
        digits = (fraction or "").replace("_", "")
        scaled: int = int(whole + digits) * _POWERS[suffix]
        unit: int = 10 ** len(digits)
        return scaled // unit if scaled % unit == 0 else scaled / unit
    if fraction is None and exponent is None:
        return int(whole)
    number = float(text)
    return number if math.isfinite(number) else None


def unescape(text: str) -> tuple[str, str | None]:
    """The text that a string literal's inside stands for, and the first escape in it that does not exist."""
    wrong = [match[0] for match in _ESCAPE.finditer(text) if match[1] not in _ESCAPES]
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), text), wrong[0] if wrong else None


def quote(text: str) -> str:
    """The string literal for a text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def dedent(text: str) -> str:
    """The inside of a string of several lines: what indents all lines after the first is dropped, blank edges too."""
    first, *rest = text.split("\n")
    indents = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    margin = min(indents, default=0)
    return "\n".join([first.strip(), *(line[margin:].rstrip() for line in rest)]).strip()


def quote_docstring(text: str, indent: str = "") -> str:
    """The literal for a docstring: `"…"`, or `\"\"\"…\"\"\"` where it has several lines."""
    if "\n" not in text:
        return quote(text)
    body = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    body = body[:-1] + '\\"' if body.endswith('"') else body
    first, *rest = body.split("\n")
    return "\n".join(['"""' + first, *((indent + line) if line else "" for line in rest)]) + '"""'
