"""Grammar text -> LALR(1) tables of plain data, by Lark once, then from a cache.

Lark takes over 100 ms to import and to compile the grammar, a multiple of what parsing costs. The tables depend on
nothing but the grammar's text, so they are kept: beside the grammar (`arch.tables`, made when a wheel is built), or in
a folder that belongs to the user alone. They are stored with `marshal`: numbers, strings and containers only, nothing
in them is ever run. Whatever goes wrong with the cache, the grammar is compiled afresh.
"""

from __future__ import annotations

import marshal
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

from archdsl.resources import find

FORMAT = 1
"""Raise it whenever the shape of `Tables.plain` or the way `compile_grammar` makes it changes."""

STARTS = ("item", "expr")

Plan: TypeAlias = tuple[tuple[int, bool], ...]
"""What a reduction hands on: index into the right side (-1: a missing optional part, None), and whether to splice."""

Rule: TypeAlias = tuple[str, int, str, Plan | None]
"""Left side; length of the right side; callback ("": pass the only child on, "[]": a list to splice); plan (None: all
of them as they are)."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What the parser and the lexer run on. A terminal is named by its text (`->`) or its name (`NUMBER`)."""

    actions: list[dict[str, int]]
    """For each state: terminal -> the state to shift to, or `~rule` to reduce by."""
    gotos: list[dict[str, int]]
    rules: list[Rule]
    starts: dict[str, tuple[int, int]]
    """Start symbol -> its first state and its accepting one."""
    patterns: list[tuple[str, str]]
    """The terminals given as regular expressions, in the order in which to try them."""
    literals: list[str]

    @property
    def plain(self) -> tuple[Any, ...]:
        return self.actions, self.gotos, self.rules, self.starts, self.patterns, self.literals


class GrammarMissing(RuntimeError):
    """The installation is broken: no grammar file was found."""


@cache
def load_tables() -> Tables:
    """The tables of the language's grammar, from a cache where there is one."""
    path = find("grammar", "arch.lark")
    if path is None:
        raise GrammarMissing("grammar/arch.lark is missing from the installation of archdsl")
    grammar = path.read_text(encoding="utf-8")
    name = f"arch-{crc32(grammar.encode()):08x}-{FORMAT}.tables"
    folder = cache_folder()
    shipped = find("grammar", "arch.tables")
    for candidate in (shipped, folder and folder / name):
        if candidate is not None and (tables := _read(candidate, grammar)) is not None:
            return tables
    tables = compile_grammar(grammar)
    if folder is not None:
        _write(folder / name, grammar, tables)
    return tables


def cache_folder() -> Path | None:
    """The user's own cache folder (made with mode 0700), or None where there is none that only the user can write."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(base):
        return None
    folder = os.path.join(base, "archdsl")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        return None
    return Path(folder)


def pack(grammar: str, tables: Tables) -> bytes:
    """The content of a table file; it names the grammar it was made from in full, so a stale one is never used."""
    return marshal.dumps((FORMAT, grammar, tables.plain), 4)


def _read(path: Path, grammar: str) -> Tables | None:
    try:
        made_by, made_from, plain = marshal.loads(path.read_bytes())
        return Tables(*plain) if (made_by, made_from) == (FORMAT, grammar) else None
    except (OSError, ValueError, EOFError, TypeError, OverflowError, MemoryError):
        return None


def _write(path: Path, grammar: str, tables: Tables) -> None:
    from archdsl.diagnostics.core import ArchError
    from archdsl.files import Staged

    with suppress(ArchError), Staged(path, pack(grammar, tables)) as staged:
        staged.commit()


def compile_grammar(grammar: str) -> Tables:
    """Have Lark build the tables, and restate them as plain data. Raises lark.GrammarError on a bad grammar."""
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import Lexer, TerminalDef

    class NoLexer(Lexer):
        """The tokens are ours; a custom class spares Lark from building lexers."""

        def __init__(self, conf: object) -> None: ...

        def lex(self, lexer_state: object, parser_state: object) -> Any: ...

    lark = Lark(grammar, parser="lalr", lexer=NoLexer, start=list(STARTS), maybe_placeholders=True)
    data, memo = lark.memo_serialize([TerminalDef, LarkRule])
    names: dict[str, str] = {}
    patterns: list[tuple[str, str]] = []
    for terminal in sorted(_of_type(memo, "TerminalDef"), key=lambda t: (-t["priority"], t["name"])):
        pattern, name = terminal["pattern"], terminal["name"]
        if pattern["__type__"] == "PatternStr":
            names[name] = pattern["value"]
        else:
            patterns.append((name, pattern["value"]))
    entries = [(key, entry) for key, entry in memo.items() if entry["__type__"] == "Rule"]
    entries.sort(key=lambda pair: (pair[1]["origin"]["name"], [symbol["name"] for symbol in pair[1]["expansion"]]))
    numbers = {key: number for number, (key, _) in enumerate(entries)}
    rules = [_rule(entry) for _, entry in entries]
    table = data["parser"]["parser"]
    states = _ordered_states(table)
    actions: list[dict[str, int]] = [{} for _ in states]
    gotos: list[dict[str, int]] = [{} for _ in states]
    for old, number in states.items():
        for name, (reduces, argument) in _entries(table, old):
            if reduces:
                actions[number][names.get(name, name)] = ~numbers[argument["@"]]
            elif name.isupper() or name.startswith("__ANON_"):
                actions[number][names.get(name, name)] = states[argument]
            else:
                gotos[number][name] = states[argument]
    starts = {name: (states[table["start_states"][name]], states[table["end_states"][name]]) for name in STARTS}
    return Tables(actions, gotos, rules, starts, patterns, sorted(names.values()))


def _ordered_states(table: dict[str, Any]) -> dict[int, int]:
    """Lark's numbers of the states -> ours, in the order in which they are reached: Lark's change with every run."""
    order = [table["start_states"][name] for name in STARTS]
    seen = set(order)
    for state in order:
        for _, (reduces, target) in _entries(table, state):
            if not reduces and target not in seen:
                seen.add(target)
                order.append(target)
    return {state: number for number, state in enumerate(order)}


def _entries(table: dict[str, Any], state: int) -> list[tuple[str, tuple[int, Any]]]:
    """What a state does at each symbol, by the symbol's name."""
    named = ((table["tokens"][symbol], entry) for symbol, entry in table["states"][state].items())
    return sorted(named, key=lambda pair: pair[0])


def _of_type(memo: dict[int, Any], name: str) -> list[dict[str, Any]]:
    return [entry for entry in memo.values() if entry["__type__"] == name]


def _rule(entry: dict[str, Any]) -> Rule:
    """One production, with what Lark's own tree builder would do to its children (filter, splice, placeholders)."""
    origin, options, expansion = entry["origin"]["name"], entry["options"], entry["expansion"]
    missing = [0] * (len(expansion) + 1)
    if options["empty_indices"]:
        gaps = "".join("1" if empty else "0" for empty in options["empty_indices"]).split("0")
        missing = [len(gap) for gap in gaps]
    plan: list[tuple[int, bool]] = []
    for index, symbol in enumerate(expansion):
        plan += [(-1, False)] * missing[index]
        terminal = symbol["__type__"] == "Terminal"
        if terminal and symbol["filter_out"] and not options["keep_all_tokens"]:
            continue
        plan.append((index, not terminal and symbol["name"].startswith("_")))
    plan += [(-1, False)] * missing[-1]
    inlined = origin.startswith("_")
    method = entry["alias"] or origin
    if inlined:
        method = "[]"
    elif options["expand1"] and not entry["alias"] and len(plan) == 1:
        method = ""
    everything = plan == [(index, False) for index in range(len(expansion))]
    return origin, len(expansion), method, None if everything else tuple(plan)


@cache
def master_pattern(tables: Tables) -> re.Pattern[str]:
    """One expression for all tokens: each match is blank space and then one group, named as its terminal.

    Groups of its own are `literal` (the terminals given as text, and a stray `:`), `newline`, `comment`, and for
    errors `unclosed` (a string without its end) and `other` (any other character).
    """
    known = [":", *(text for text in tables.literals if not text[0].isalpha())]
    marks = sorted(map(re.escape, known), key=len, reverse=True)
    groups = [f"(?P<{name}>{pattern})" for name, pattern in tables.patterns]
    groups += [r"(?P<newline>\n)", r"(?P<comment>\#[^\n]*)", f"(?P<literal>{'|'.join(marks)})"]
    groups += [r'(?P<unclosed>"(?:[^"\\\n]|\\.)*)', r"(?P<other>.)", r"\Z"]  # blank space may end the text
    return re.compile(rf"[ \t\r\f]*(?:{'|'.join(groups)})")
