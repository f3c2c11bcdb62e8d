"""The last look at a generated file: parsed, it is what was meant, and nothing of a spec's text has become code.

Takes the text and what it was printed from; raises ArchError E604 where the tree has a definition, a docstring, a text,
a name or a form that nobody put there. It trusts no function that escapes: what these do is looked at here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

from archdsl.backends.python.helpers import helper_sources
from archdsl.backends.python.meaning import Meaning, anonymous
from archdsl.backends.python.reroll import LETTERS
from archdsl.diagnostics.core import ArchError
from archdsl.quoting import paragraphs

_METHODS = ("forward", "forward_features", "forward_head")
_FORMS = (
    # statements
    ast.AnnAssign, ast.Assign, ast.AugAssign, ast.Expr, ast.For, ast.If, ast.Pass, ast.Raise, ast.Return,
    # expressions
    ast.Attribute, ast.BinOp, ast.BoolOp, ast.Call, ast.Compare, ast.Constant, ast.Dict, ast.FormattedValue, ast.IfExp,
    ast.JoinedStr, ast.List, ast.ListComp, ast.Name, ast.Set, ast.Slice, ast.Starred, ast.Subscript, ast.Tuple,
    ast.UnaryOp,
    # parts of them
    ast.arg, ast.arguments, ast.boolop, ast.cmpop, ast.comprehension, ast.expr_context, ast.keyword, ast.operator,
    ast.unaryop,
)  # fmt: skip
_IMPORTS = (
    "import math",
    "from collections import OrderedDict",
    "from fnmatch import fnmatchcase",
    "from typing import NamedTuple",
    "import torch",
    "import torch.nn.functional as F",
    "from torch import nn",
    "from torch import Tensor, nn",
)
_LIBRARIES = ("F", "math", "nn", "torch")
_NUMBER = re.compile(r"[0-9]+")
_COUNTER = re.compile(rf"({'|'.join(LETTERS)})[0-9]*( [+-] [0-9]+)?")
_VARIABLE = re.compile(r"(?:index|layers|sequence|t|x)[0-9]+")
"""Variables of ours that are numbered."""


class _Unexpected(Exception):
    """What was not meant, and the node where it is."""

    def __init__(self, what: str, node: ast.AST | None = None) -> None:
        super().__init__(what)
        self.line = getattr(node, "lineno", 1)


def vet(source: str, meaning: Meaning) -> None:
    """Raise ArchError E604 unless the file is what was meant."""
    try:
        tree = ast.parse(source)
        _Vetting(meaning).file(tree, source.split("\n"))
    except (_Unexpected, SyntaxError, ValueError) as error:
        line = error.line if isinstance(error, _Unexpected) else getattr(error, "lineno", None) or 1
        raise ArchError.of("E604", detail=f"line {line}: {error}") from None


class _Vetting:
    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.known: set[int] = set()
        """By their ids: nodes looked at with what is around them."""

    def file(self, tree: ast.Module, lines: Sequence[str]) -> None:
        meaning = self.meaning
        rest = self._after_docstring(tree, meaning.docstring)
        while rest and isinstance(rest[0], ast.Import | ast.ImportFrom):
            if ast.unparse(rest[0]) not in _IMPORTS:
                raise _Unexpected(f"`{ast.unparse(rest[0])}`", rest[0])
            rest = rest[1:]
        for helper in helper_sources(meaning.helpers):
            # The same lines are the same tree.
            if not rest or "\n".join(lines[rest[0].lineno - 1 : rest[0].end_lineno]) != helper:
                raise _Unexpected("a helper is not as archdsl has it", rest[0] if rest else None)
            rest = rest[1:]
        wanted = [*meaning.functions, *meaning.records, *meaning.classes]
        found = [node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else "" for node in rest]
        if found != wanted:
            raise _Unexpected(f"it defines {', '.join(found)}, not {', '.join(wanted)}")
        for node in rest:
            self._definition(node)

    def _definition(self, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef) and node.name in self.meaning.functions:
            self._function(node, self.meaning.functions[node.name])
        elif isinstance(node, ast.ClassDef) and not node.decorator_list and not node.keywords:
            bases = [ast.unparse(base) for base in node.bases]
            if node.name in self.meaning.records:
                _same("bases", bases, ["NamedTuple"], node)
                _same("fields", list(map(ast.unparse, node.body)), self.meaning.records[node.name], node)
                return
            wanted = self.meaning.classes[node.name]
            _same("bases", bases, [wanted.base], node)
            for number, method in enumerate(self._after_docstring(node, wanted.docstring)):
                if not isinstance(method, ast.FunctionDef) or method.name not in (_METHODS if number else ["__init__"]):
                    raise _Unexpected(f"the class {node.name} has what is no method of it", method)
                self._function(method, None if number else ["self", *wanted.parameters])
        else:
            raise _Unexpected("it defines what is neither class nor function", node)

    def _function(self, node: ast.FunctionDef, parameters: Sequence[str] | None) -> None:
        arguments = node.args
        given = [argument.arg for argument in arguments.args]
        if parameters is not None:
            _same("parameters", given, parameters, node)
        if node.decorator_list or arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
            raise _Unexpected(f"the head of {node.name}", node)
        for part in (node.args, *([node.returns] if node.returns else []), *node.body):
            self._parts(part)

    def _after_docstring(self, node: ast.Module | ast.ClassDef, texts: Sequence[str]) -> list[ast.stmt]:
        """The statements after the docstring, which must be that of these texts."""
        wanted = [paragraph for text in texts for paragraph in paragraphs(text)]
        found = ast.get_docstring(node, clean=False)
        if (found is None) != (not wanted) or (found is not None and paragraphs(found) != wanted):
            raise _Unexpected("a docstring is not what the spec says", node)
        return node.body[1:] if wanted else node.body

    # --- statements and expressions ----------------------------------------------------------

    def _parts(self, top: ast.AST) -> None:
        stack = [top]
        while stack:
            node = stack.pop()
            if not isinstance(node, _FORMS):
                raise _Unexpected(f"a {type(node).__name__}", node)
            look = _LOOKS.get(type(node))
            if look is not None:
                look(self, node)
            stack.extend(ast.iter_child_nodes(node))

    def _statement(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Call):
            raise _Unexpected("a statement that does nothing", node)

    def _if(self, node: ast.If) -> None:
        """`if width % 8:` and the refusal in it, whose text says the same; a refusal of images of another size."""
        match node:
            case ast.If(
                test=ast.BinOp(left=left, op=ast.Mod(), right=right),
                body=[ast.Raise(exc=ast.Call(func=ast.Name("ValueError"), args=[message], keywords=[]), cause=None)],
                orelse=[],
            ) if isinstance(message, ast.Constant) and isinstance(message.value, str):
                said = message.value.split(" must be divisible by ")
                if len(said) == 2 and [_dumped(part) for part in said] == [ast.dump(left), ast.dump(right)]:
                    self.known |= {id(node.body[0]), id(message)}
        match node:
            case ast.If(
                body=[ast.Raise(exc=ast.Call(func=ast.Name("ValueError"), args=[message], keywords=[]), cause=None)],
                orelse=[],
            ) if isinstance(message, ast.Constant):
                if (message.value, anonymous(node.test)) in self.meaning.refusals:
                    self.known |= {id(node.body[0]), id(message)}

    def _raise(self, node: ast.Raise) -> None:
        if id(node) not in self.known:
            raise _Unexpected("an error that is raised", node)

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, str):
            if id(node) not in self.known and value not in self.meaning.texts and not _NUMBER.fullmatch(value):
                raise _Unexpected(f"the text {value!r:.200}", node)
        elif not (value is None or type(value) in (bool, int, float)):
            raise _Unexpected(f"the constant {value!r:.200}", node)

    def _formatted(self, node: ast.JoinedStr) -> None:
        """`f"layer{i + 1}"`: the name of a layer, but for a number."""
        pattern = ""
        for part in node.values:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                pattern += re.escape(part.value)
                self.known.add(id(part))
            elif isinstance(part, ast.FormattedValue) and _COUNTER.fullmatch(ast.unparse(part.value)):
                if part.conversion != -1 or part.format_spec is not None:
                    raise _Unexpected("a format", node)
                pattern += "[0-9]+"
            else:
                raise _Unexpected("a text with parts", node)
        form = re.compile(pattern)
        if not any(map(form.fullmatch, ("0", *self.meaning.texts))):
            raise _Unexpected("a text with parts that no layer is called by", node)

    def _name(self, node: ast.Name) -> None:
        if node.id not in self.meaning.names and not _VARIABLE.fullmatch(node.id):
            raise _Unexpected(f"the name `{node.id}`", node)

    def _argument(self, node: ast.arg) -> None:
        if node.arg not in self.meaning.names and not _VARIABLE.fullmatch(node.arg):  # `x2` where no name is known
            raise _Unexpected(f"the parameter `{node.arg}`", node)

    def _keyword(self, node: ast.keyword) -> None:
        if node.arg not in self.meaning.keywords:
            raise _Unexpected(f"the argument `{node.arg}`", node)

    def _attribute(self, node: ast.Attribute) -> None:
        root = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in _LIBRARIES:
            dotted = ast.unparse(node)
            if not any(known == dotted or known.startswith(f"{dotted}.") for known in self.meaning.dotted):
                raise _Unexpected(f"`{dotted}`", node)
        elif node.attr == "__init__":
            if not isinstance(node.value, ast.Call) or ast.unparse(node.value) != "super()":
                raise _Unexpected("the constructor of something else", node)
        elif node.attr not in self.meaning.attributes:
            raise _Unexpected(f"the attribute `{node.attr}`", node)

    def _call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name("getattr"):
                if len(node.args) != 2 or not isinstance(node.args[1], ast.Constant) or node.keywords:
                    raise _Unexpected("an attribute by a name that is computed", node)
            case ast.Name(name) if name not in self.meaning.callables:
                raise _Unexpected(f"a call of `{name}`", node)
            case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call(func=ast.Name("getattr")):
                pass
            case _:
                raise _Unexpected("a call of what is computed", node)


_LOOKS: dict[type, Callable[[_Vetting, Any], None]] = {
    ast.Expr: _Vetting._statement,
    ast.If: _Vetting._if,
    ast.Raise: _Vetting._raise,
    ast.Constant: _Vetting._constant,
    ast.JoinedStr: _Vetting._formatted,
    ast.Name: _Vetting._name,
    ast.arg: _Vetting._argument,
    ast.keyword: _Vetting._keyword,
    ast.Attribute: _Vetting._attribute,
    ast.Call: _Vetting._call,
}


def _same(what: str, found: Sequence[str], wanted: Sequence[str], node: ast.stmt) -> None:
    if list(found) != list(wanted):
        raise _Unexpected(f"its {what} are {', '.join(found)}, not {', '.join(wanted)}", node)


def _dumped(expression: str) -> str:
    return ast.dump(ast.parse(expression, mode="eval").body)
