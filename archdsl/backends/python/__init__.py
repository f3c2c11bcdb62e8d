"""A graph as plain PyTorch: one file that needs only torch.

`generate(graph)` gives the source. The phases: `bodies` (a scope becomes the body of a class), `classes` and
`unify` (bodies of equal structure share a class, their numbers become parameters), `reroll` (repeats become
comprehensions), `forms`, `naming` and `repeated` (names of classes, numbers, attributes), `construction`, `forward`
and `initialization` (text), `layout` (line breaks as ruff format leaves them), `source` (the file). What comes out is
compared with what was meant: `meaning` says what that is, `vetting` parses the file and looks.
"""

from archdsl.backends.python.source import generate

__all__ = ["generate"]
