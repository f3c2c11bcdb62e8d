"""Whatever text a spec holds, the generated source is the network, and the text is a text in it."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

import pytest

from archdsl import api
from archdsl.api import ArchFile, Variant
from archdsl.backends.module import compile_source
from archdsl.backends.proof import prove
from archdsl.backends.python.meaning import Meaning
from archdsl.backends.python.vetting import vet
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


def _literals(source: str) -> set[object]:
    return {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}


def _proved(file: ArchFile) -> None:
    """Prove all variants of a file that has no errors: one that comes now is ours."""
    try:
        for variant in file.values():
            prove(variant.graph, variant.source)
    except ArchError as error:
        pytest.fail(str(error))


def network(spec: str) -> Variant:
    """The model `Net` of a spec."""
    return api.open_source(Source("hostile.arch", spec))["Net"]


def writable(text: str) -> str:
    """The text without what no spec can hold: half a surrogate pair, a lone carriage return."""
    return _LONE.sub("", text).replace("\r\n", "\n").replace("\r", "")


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
    """Of file, blocks, models: each comes back, blanks apart. Those of functions, scalings, variants are not printed."""
    found = list(hostile.texts(250, seed))[0 if seed == 0 else -250 :]
    found = list(map(writable, found))
    chain = " -> ".join(f"B{i}" for i in range(len(found)))
    items = [quote(found[-1])]
    items += [f"block B{i} {{\n{quote(text)}\nconv(1, 1) -> relu\n}}" for i, text in enumerate(found)]
    items += [f"fn f(x) {{\n{quote(found[0])}\n2 * x\n}}"]
    items += [f"scaling grown(phi) {{\n{quote(found[2])}\nwidth = f(phi)\n}}"]
    items += [f"model Net(width = 1) {{\n{quote(found[1])}\nimage(f(width), 1, 1) -> {chain}\n}}"]
    items += [f"variants Net {{\n{quote(found[3])}\nNet: width = 1\nlarger: ..grown(phi = 1)\n}}"]
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


# --- texts in expressions --------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_conditions(seed: int) -> None:
    """`k == "a\\nb"` is asked by generated code; two instances of a block differ in it."""
    found = list(hostile.texts(40, seed))[0 if seed == 0 else -40 :]
    found = [writable(text) for text in found if len(text) < 1_000]
    items = [
        f"block B{i}(out, k = {quote(text)}) = conv(if k == {quote(text)} then out else 2 * out, 1)"
        for i, text in enumerate(found)
    ]
    chain = " -> ".join(f'B{i}(2) -> B{i}(2, k = "no such text")' for i in range(len(found)))
    items.append(f"model Net = image(1, 8, 8) -> {chain}")
    variant = network("\n".join(items))
    assert prove(variant.graph, variant.source).keys == 4 * len(found)
    assert set(found) <= _literals(variant.source)


def test_arguments_from_python() -> None:
    """A string of the caller's, which may be what no file can hold."""
    spec = """
        block B(out, k) = conv(if k == "x" then out else 2 * out, 1)
        model Net(k = "x") = image(1, 8, 8) -> B(2, k) -> B(2, "x") -> B(2, "y")
        """
    for text in (_LONE.sub("", text) for text in hostile.texts(100)):
        variant = network(spec).override({"k": text})
        prove(variant.graph, variant.source)
        assert text in _literals(variant.source)


def test_names_of_files_and_messages() -> None:
    """What a spec asks about sizes is said in the source, with the file's name and a message of the spec."""
    for text in hostile.texts(100):
        if len(text) < 1_000:
            said = writable(text).replace("{", "(")
            spec = (
                f"model Net {{\nx = image(3, 8, 8)\nrequire x.height == 8, {quote(said)}\n"
                "y = if x.height > 4 then x -> conv(8, 3) else x -> conv(4, 3)\ny -> relu\n}"
            )
            variant = api.open_source(Source(f"{text}.arch", spec))["Net"]
            prove(variant.graph, variant.source)
            assert variant.graph.size_decisions
            assert all(line.isprintable() for line in variant.source.split("\n"))


# --- names -----------------------------------------------------------------------------------

_PLACES = {
    "block": "block {0} {{\nconv(8, 3) }}\nmodel Net = image(3, 8, 8) -> {0}",
    "fn": "fn {0}(x) = 2 * x\nmodel Net = image(3, 8, 8) -> conv({0}(4), 3)",
    "model": "model {0} = image(3, 8, 8) -> conv(8, 3)",
    "parameter": "block B({0}) = conv({0}, 3)\nmodel Net = image(3, 8, 8) -> B(8)",
    "binding": "block B(w) {{\n{0} = 2 * w\nconv({0}, 3) -> conv({0}, 3) }}\nmodel Net = image(3, 8, 8) -> B(8) -> B(4)",
    "input": "block B on ({0}, b) = {0} + b\nmodel Net {{\nx = image(3, 8, 8)\n(x, x) -> B }}",
    "output": "model Net {{\nx = image(3, 8, 8)\noutput {0} = x -> conv(8, 3)\nx -> conv(8, 3) }}",
    "variant": "model Net = image(3, 8, 8) -> conv(8, 3)\nvariant {0} = Net()",
    "label": "model Net = image(3, 8, 8) -> {0}: conv(8, 3)",
    "text as label": 'model Net = image(3, 8, 8) -> "{1}": conv(8, 3)',
    "part of a label": 'block B(s) = "a{{s}}": conv(8, 3)\nmodel Net = image(3, 8, 8) -> B("{1}")',
    "stage": 'model Net {{\nstage "{1}" {{\nimage(3, 8, 8) -> conv(8, 3) }}\n}}',
    "init": 'model Net = image(3, 8, 8) -> conv(8, 3)\ninit Net {{ "{1}": zeros }}',
    "argument": "model Net = image(3, 8, 8) -> conv(8, 3, {0} = 1)",
    "used": 'use "{1}"\nmodel Net = image(3, 8, 8) -> conv(8, 3)',
}


@pytest.mark.parametrize("place", _PLACES)
def test_names(place: str) -> None:
    """Where a name is wanted, a text is an error, or it is a name and the source is proved."""
    proved = refused = 0
    for text in hostile.texts(200):
        if len(text) < 2_000:
            spec = _PLACES[place].format(text, quote(text)[1:-1])
            try:
                file = api.open_source(Source("hostile.arch", spec))
                found = file.check()
            except ArchError as error:
                found = tuple(error.diagnostics)
            errors = [each for each in found if each.severity == "error"]
            assert all(each.span for each in errors)
            if errors:
                refused += 1
            else:
                _proved(file)
                proved += 1
    assert refused > 250
    assert bool(proved) == (place not in ("init", "argument", "used"))  # of which only what is there is a name


# --- the last look ---------------------------------------------------------------------------


_SPEC = """
"of the file"
block B(out, k) {
"of the block"
conv(if k == "x" then out else 2 * out, 1)
}
model Net {
"of the model"
image(3, 8, 8) -> "a-b": B(2, "x") -> b: B(2, "y") -> gap -> flatten -> fc: linear(10)
}
init Net { conv: kaiming_normal(mode = "fan_out"), "*.conv1": zeros }
"""


@pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning", "ignore:invalid escape:SyntaxWarning")
def test_a_careless_escape_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the escapes of no use, no source would come out that is not what was meant."""
    place = "archdsl.backends.python"
    monkeypatch.setattr(f"{place}.docstrings.docstring_text", lambda text, **_: text)
    monkeypatch.setattr("archdsl.symbolic.expr.string_literal", lambda text: f'"{text}"')
    stopped = 0
    passed: list[str] = []
    for text in hostile.texts(300):
        text = writable(text)
        spec = _SPEC.replace('"of the block"', quote(text)).replace('if k == "x"', f"if k == {quote(text)}")
        try:
            source = network(spec).source
        except (ArchError, SyntaxError):
            stopped += 1
            continue
        assert text in _literals(source)
        passed.append(text)
    assert stopped > 200
    assert len(passed) > 50


_CHANGES = (
    ('"""of the block"""', '"""of another block"""'),
    ('    """of the block"""\n', '    """of the block"""\n    """and another"""\n'),
    ('    """of the block"""\n', '    """of the block"""\n    open("x")\n'),
    ("import torch\n", "import torch\nimport os\n"),
    ("import torch\n", "import torch, os\n"),
    ("class B(nn.Module):", "class B(nn.Module):  # noqa\n    x = open(1)\n"),
    ("import torch\n", "import torch\nopen\n"),
    ("from torch import Tensor, nn", "from torch import Tensor, hub, nn"),
    ("class B(nn.Module):", "class B(nn.Sequential):"),
    ("class B(nn.Module):", "class B(nn.Module, metaclass=print):"),
    ("class B(nn.Module):", "@print\nclass B(nn.Module):"),
    ("class Net(", "class Other(nn.Module):\n    pass\n\n\nclass Net("),
    ("class Net(", "x = 1\n\n\nclass Net("),
    ("k: str)", "k: str = print())"),
    ("k: str)", "k: str, **more)"),
    ('"y"', '"z"'),
    ('"y"', 'b"y"'),
    ('"y"', "open"),
    ('"y"', 'open("y")'),
    ('"y"', '"y" "z"'),
    ('"y"', 'f"{self}"'),
    ('"y"', '[x for x in "y"].pop()'),
    ('"y"', '(lambda: "y")()'),
    ('"y"', '(y := "y")'),
    ("nn.Linear(", "torch.hub.load("),
    ("nn.Linear(", "torch.load("),
    ("nn.Linear(", "nn.Conv3d("),
    ("nn.Linear(", "self.__class__("),
    ("nn.Linear(", 'getattr(torch, "load")('),
    ("nn.Linear(", "getattr(torch, self)("),
    ("super().__init__()", "nn.__init__()"),
    ("    def forward_head(", "    def __del__(self) -> None:\n        pass\n\n    def forward_head("),
    ("        return x if", "        while True:\n            pass\n        return x if"),
    ("        return x if", "        raise ValueError(self)\n        return x if"),
    ("        return x if", "        del x\n        return x if"),
    ("        return x if", "        global x\n        return x if"),
    ("        return x if", "        x\n        return x if"),
    ("        return x if", "        self.os.system(x)\n        return x if"),
    ("        return x if", "        x = x if x else yes\n        return x if"),
    ("module.weight", "module.data"),
    ('"fan_out"', '"fan_in"'),
    ("mode=", "generator="),
    ("mode=", "**"),
    ("kaiming_normal_", "eye_"),
)


def test_a_change_of_the_source_is_found() -> None:
    """Each change of what was generated is found; without one, nothing is."""
    variant = network(_SPEC)
    calls: list[tuple[str, Meaning]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archdsl.backends.python.source.vet", lambda *given: calls.append(given))
        assert variant.source
    ((source, meaning),) = calls
    vet(source, meaning)
    for old, new in _CHANGES:
        assert old in source, old
        changed = source.replace(old, new, 1)
        with pytest.raises(ArchError, match="E604"):
            vet(changed, meaning)


def test_a_change_of_a_helper_is_found() -> None:
    """Helpers are copies, letter by letter."""
    variant = network('model Net = image(3, 8, 8) -> conv(4, 3, 2, padding = "tf_same") -> drop_path(0.1)')
    calls: list[tuple[str, Meaning]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archdsl.backends.python.source.vet", lambda *given: calls.append(given))
        assert variant.source
    ((source, meaning),) = calls
    vet(source, meaning)
    assert set(meaning.helpers) == {"Conv2dSame", "DropPath"}
    for old, new in (
        ("class DropPath(", "class DropPath(nn.Module):\n    pass\n\n\nclass Other("),
        ("bernoulli_", "normal_"),
    ):
        changed = source.replace(old, new, 1)
        assert changed != source
        with pytest.raises(ArchError, match="E604"):
            vet(changed, meaning)
