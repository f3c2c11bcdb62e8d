"""Whatever text a spec holds, the generated source is the network, and the text is a text in it."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

import pytest

from archdsl import api
from archdsl.api import Variant
from archdsl.backends.module import compile_source
from archdsl.diagnostics.core import ArchError
from archdsl.quoting import docstring_text, paragraphs, string_literal
from archdsl.source import Source
from archdsl.syntax.literals import quote
from tests.backends import hostile

_BLANKS = re.compile(r"[ \t\r\n]+")
_LONE = re.compile("[\ud800-\udfff]")


@pytest.fixture(autouse=True)
def _nothing_runs() -> Iterator[None]:
    yield
    assert not hasattr(builtins, hostile.CANARY)


def network(spec: str) -> Variant:
    """The model `Net` of a spec."""
    return api.open_source(Source("hostile.arch", spec))["Net"]


def words(text: str | None) -> list[str]:
    """What a docstring says: line breaks and indentation are ours."""
    return [word for word in _BLANKS.split(text or "") if word]


def test_string_literals() -> None:
    for text in hostile.texts(5_000):
        literal = string_literal(text)
        assert ast.literal_eval(literal) == text
        assert literal.isprintable()


def test_docstring_literals() -> None:
    for text in hostile.texts(5_000):
        found = paragraphs(text)
        for first, last in ((True, True), (True, False), (False, True), (False, False)):
            inside = [docstring_text(part, first=first, last=last) for part in found]
            assert all(part.isprintable() for part in inside)
            literals = ['"""' + (part if first else f" {part}") + ('"""' if last else ' """') for part in inside]
            assert [word for literal in literals for word in words(ast.literal_eval(literal))] == words(text)


def test_a_blank_docstring_opens_nothing() -> None:
    """The finding of issue 15: the blank docstring was one `\"\"\"`, and so the next was code."""
    spec = f"""
        block A {{ " "
          conv(8, 3) -> relu }}
        block B {{ "; __import__('builtins').{hostile.CANARY} = 1 #"
          conv(8, 3) -> conv(8, 1) -> relu }}
        model Net = image(3, 32, 32) -> a: A -> b: B -> gap -> flatten -> fc: linear(10)
        """
    variant = network(spec)
    module = compile_source(variant.graph, variant.source)
    assert module.A.__doc__ is None
    assert words(module.B.__doc__) == words(f"; __import__('builtins').{hostile.CANARY} = 1 #")


@pytest.mark.parametrize("seed", range(8))
def test_docstrings(seed: int) -> None:
    """Of file, blocks, functions, models: each comes back, blanks apart."""
    found = list(hostile.texts(250, seed))[0 if seed == 0 else -250 :]
    found = [_LONE.sub("", text) for text in found]  # no character: an error of its own
    chain = " -> ".join(f"B{i}" for i in range(len(found)))
    items = [quote(found[-1])]
    items += [f"block B{i} {{\n{quote(text)}\nconv(1, 1) -> relu\n}}" for i, text in enumerate(found)]
    items += [f"fn f(x) {{\n{quote(found[0])}\n2 * x\n}}"]
    items += [f"model Net {{\n{quote(found[1])}\nimage(f(1), 1, 1) -> {chain}\n}}"]
    variant = network("\n".join(items))
    module = compile_source(variant.graph, variant.source)
    assert words(module.__doc__)[-len(words(found[-1])) or 10**9 :] == words(found[-1])
    for i, text in enumerate(found):
        assert words(getattr(module, f"B{i}").__doc__) == words(text)
    assert words(module.Net.__doc__) == words(found[1])


def test_half_a_surrogate_pair_is_no_character() -> None:
    """Python cannot make a class with such a docstring, and no file can hold it."""
    with pytest.raises(ArchError) as caught:
        network(f'block A {{ "{chr(0xD800)}"\nconv(8, 3) }}\nmodel Net = image(3, 8, 8) -> A')
    assert [(d.code, str(d.span)) for d in caught.value.diagnostics] == [("E001", "hostile.arch:1:12")]
