"""Texts that try to get out of where they are put, into code of another language."""

from __future__ import annotations

import random
from collections.abc import Iterator

CANARY = "archdsl_canary"
"""An attribute of `builtins` that no run may leave behind."""

_RUN = f"__import__('builtins').__dict__.update({CANARY}=1)"
_RUN_DOUBLE = _RUN.replace("'", '"')
_PARTS = (
    "", " ", "\n", "\n\n", "\r", "\r\n", "\t", "\v", "\f", "\x00", "\x07", "\x1b[31m", "\x1c", "\x7f", "\x85", "\xa0",
    "\u200b", "\u2028", "\u2029", "\u202e", "\u2066", "\ufeff", "\ud800", "\udfff", "\U000e0041", "\U0010ffff",
    '"', '""', '"""', '""""', "'", "''", "'''", "\\", "\\\\", "\\n", "\\N{DEGREE SIGN}", "\\x41", "\\u0041", "\\\n",
    "#", " # ", "//", "/*", "*/", "<!--", "-->", "{}", "{0}", "{x}", "{", "}", "%", "%s", "%(x)s", "$", "`", ";", "(", ")",
    "]", "[", ",", ":", "=", "&", "<", ">", "</text>", "</script>", "]]>", "&amp;", "\\end{document}", "\\write18{ls}",
    "word", "ﬁ", "é", "e\u0301", "漢字", "🙂", "a-b", "1e-06", "noqa", "fmt: off", "coding: latin-1", "type: ignore",
    _RUN, f"; {_RUN} #", f'"; {_RUN} #', f"'; {_RUN} #", f'"""\n{_RUN}\n"""', f"'''\n{_RUN}\n'''", f"\n{_RUN}\n",
    f"{{{_RUN}}}", f'"+str({_RUN})+"', f"\\\"; {_RUN} #", f"\\\"\"\"\n{_RUN_DOUBLE}", f"\r{_RUN}\r", f"\x0c{_RUN}\x0c",
)  # fmt: skip


def texts(count: int, seed: int = 0) -> Iterator[str]:
    """Each part alone, then so many random rows of them; the same at every run."""
    yield from _PARTS
    yield "x" * 100_000
    yield '"' * 10_000
    yield "\\" * 9_999
    yield " \n" * 5_000
    draw = random.Random(seed)
    for _ in range(count):
        yield "".join(draw.choices(_PARTS, k=draw.randint(2, 6)))
