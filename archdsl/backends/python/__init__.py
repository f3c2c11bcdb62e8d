"""A graph as plain PyTorch: one file that needs only torch.

`generate(graph)` gives the source. The phases: `bodies` (a scope becomes the body of a class), `classes` and
`unify` (bodies of equal structure share a class, their numbers become parameters), `reroll` (repeats become
comprehensions), `construction`, `forward` and `initialization` (text), `layout` (line breaks as ruff format leaves
them), `source` (the file).
"""

from archdsl.backends.python.source import generate

__all__ = ["generate"]
