"""The tables: they are Lark's, cached safely, and needed by no import of Lark when cached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Token
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer as LarkLexer

from archdsl.diagnostics.core import Bag
from archdsl.resources import find
from archdsl.source import Source
from archdsl.syntax import grammar
from archdsl.syntax.build import Build
from archdsl.syntax.lexing import Lexer
from archdsl.syntax.parser import Failure, Parser
from archdsl.syntax.reading import Reader
from tests.syntax.helpers import CASES, ROOT

TEXT = (ROOT / "grammar" / "arch.lark").read_text()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    grammar.load_tables.cache_clear()
    yield tmp_path / "cache" / "archdsl"
    grammar.load_tables.cache_clear()


@pytest.fixture(scope="module")
def lark() -> Lark:
    """Lark's own parser of the whole grammar, with a lexer that takes our tokens."""

    class Tokens(LarkLexer):
        def __init__(self, conf: object) -> None: ...

        def lex(self, tokens: Any) -> Any:  # type: ignore[override]
            yield from tokens

    return Lark(TEXT, parser="lalr", lexer=Tokens, start="item")


def test_our_driver_agrees_with_lark_s(lark: Lark) -> None:
    """The same items accepted; the others refused at the same token. Damage: each token dropped or doubled in turn."""
    names = {t.pattern.value: t.name for t in lark.terminals if type(t.pattern).__name__ == "PatternStr"}
    tables = grammar.load_tables()
    parser = Parser(tables, Build)
    accepted = refused = 0
    for path in CASES:
        source = Source(path.name, path.read_text())
        build = Build(source, Bag(), Reader(source, Bag()))
        for chunk in Lexer(source, tables).run():
            tokens = chunk.tokens
            streams = [tokens]
            for at in range(0, len(tokens), 3):
                streams += [tokens[:at] + tokens[at + 1 :], [*tokens[: at + 1], *tokens[at:]]]
            for stream in streams:
                ours = parser.parse(stream, "item", build)
                theirs = _lark_failure(
                    lark, [Token(names.get(t[0], t[0]), t[1], start_pos=i) for i, t in enumerate(stream)]
                )
                assert (ours.index if isinstance(ours, Failure) else None) == theirs
                accepted, refused = accepted + (theirs is None), refused + (theirs is not None)
    assert accepted > 100
    assert refused > 100


def _lark_failure(lark: Lark, tokens: list[Token]) -> int | None:
    try:
        lark.parse(tokens)  # type: ignore[arg-type]
    except UnexpectedToken as error:
        return len(tokens) if error.token.type == "$END" else error.token.start_pos
    return None


def test_the_tables_come_out_the_same_every_time() -> None:
    code = (
        "from archdsl.syntax.grammar import compile_grammar\nimport sys, zlib\ntext = sys.stdin.read()\n"
        "sys.stdout.write(str(zlib.crc32(repr(compile_grammar(text).plain).encode())))"
    )
    sums = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=TEXT, text=True, check=True, capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(sums) == 1


def test_the_builder_has_a_method_for_every_rule() -> None:
    methods = {rule[2] for rule in grammar.load_tables().rules} - {"", "[]"}
    assert methods
    assert all(callable(getattr(Build, method, None)) for method in methods)


def test_the_cache_is_used_and_private(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = grammar.load_tables()
    assert (cache.stat().st_mode & 0o777, [f.suffix for f in cache.iterdir()]) == (0o700, [".tables"])
    grammar.load_tables.cache_clear()

    def unused(text: str) -> grammar.Tables:
        raise AssertionError("compiled again")

    monkeypatch.setattr(grammar, "compile_grammar", unused)
    assert grammar.load_tables().plain == first.plain


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\xe9\x00", None], ids=["empty", "garbage", "truncated", "stale"])
def test_a_damaged_or_stale_cache_is_replaced(
    cache: Path, damage: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = grammar.load_tables()
    (file,) = cache.iterdir()
    written = grammar.pack("another grammar", first) if damage is None else damage
    file.write_bytes(written)
    grammar.load_tables.cache_clear()
    assert grammar.load_tables().plain == first.plain
    assert file.read_bytes() != written
    monkeypatch.setattr(grammar, "compile_grammar", lambda text: pytest.fail("the damaged file was not replaced"))
    grammar.load_tables.cache_clear()
    assert grammar.load_tables().plain == first.plain


def test_a_folder_that_others_can_write_is_not_used(cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert grammar.cache_folder() is None
    assert grammar.load_tables().rules
    assert list(cache.iterdir()) == []


def test_a_link_is_not_followed(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    cache.parent.mkdir()
    cache.symlink_to(tmp_path / "elsewhere")
    assert grammar.cache_folder() is None


def test_parsing_imports_no_lark_when_the_tables_are_cached(cache: Path) -> None:
    grammar.load_tables()
    code = (
        "import sys\nfrom archdsl.source import Source\nfrom archdsl.diagnostics.core import Bag\n"
        "from archdsl.syntax import parse\nassert parse(Source('a', 'fn f = 1'), Bag()) is not None\n"
        "assert 'lark' not in sys.modules and 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_resources_are_single_files_of_their_folder() -> None:
    assert find("grammar", "arch.lark") == ROOT / "grammar" / "arch.lark"
    for name in ("", "..", "../pyproject.toml", "/etc/passwd", "nothing.lark", "a\\b", "C:x", "a\0b"):
        assert find("grammar", name) is None
