"""The phases on one screen: from a text to a module.

    bound → configured → elaborated → checked
                                    → generated → compiled

Each takes what the ones before it give. What is wrong with the spec goes into the bag, all of it in one run; a phase
gives None where nothing can go on from it. torch is imported by `compiled` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import Bag
from archdsl.graph.ir import Graph
from archdsl.semantics.checkpoints import check_checkpoints
from archdsl.semantics.claims import check_claims
from archdsl.semantics.defaults import check_defaults
from archdsl.semantics.elaborate import elaborate
from archdsl.semantics.program import Loader, Program, bind
from archdsl.semantics.published import check_weights
from archdsl.semantics.references import check_references
from archdsl.semantics.resolve import resolve
from archdsl.semantics.settings import check_settings
from archdsl.semantics.variants import Configured, VariantTable
from archdsl.source import Source
from archdsl.syntax import ast

if TYPE_CHECKING:
    from types import ModuleType

    from archdsl.graph.settings import InitRule


def bound(source: Source, find: Loader, bag: Bag) -> Program | None:
    """A text and the files that it uses, parsed, with every name resolved; None if the text itself is no file."""
    program = bind(source, find, bag)
    if program is not None:
        resolve(program, bag)
        if not bag.errors:
            check_defaults(program, bag)
    return program


def configured(program: Program, bag: Bag) -> Mapping[str, Configured]:
    """The variants of a file by their names, in its order: models with their arguments."""
    return VariantTable(program, bag).collect()


def elaborated(variant: Configured, bag: Bag, *, traced: bool = False) -> Graph | None:
    """The graph of a variant. `traced` it knows what its numbers were computed from, as generated source says them."""
    graph = elaborate(variant.name, variant.model, variant.args, variant.span, bag, image=variant.image, traced=traced)
    if graph is None or variant.output_stride is None:
        return graph
    from archdsl.graph.dilate import dilated

    return dilated(graph, variant.output_stride, bag)


def checked(program: Program, variants: Mapping[str, Configured], graphs: Mapping[str, Graph], bag: Bag) -> None:
    """Report what the items of a file say that is not so of its networks, of which `graphs` could be made."""
    check_checkpoints(program, graphs, variants, bag)
    check_claims(program, graphs, variants, bag)
    check_settings(program, graphs, variants, bag)
    check_references(program, variants, bag)
    if program.root.recipes:
        from archdsl.semantics.recipes import recipes_of

        recipes_of(program, variants, bag)
    if any(program.root.items(ast.Space)):
        from archdsl.semantics.spaces import check_spaces

        check_spaces(program, variants, bag)
    check_weights(program, graphs, variants, bag)


def generated(graph: Graph, docstring: str, rules: Iterable[InitRule]) -> str:
    """PyTorch source of a traced graph; `docstring` is that of the file."""
    from archdsl.backends.python import generate

    return generate(graph, docstring, tuple(rules))


def compiled(graph: Graph, source: str, identity: str) -> ModuleType:
    """That source as a module of Python, of one network: `identity` tells it from others with the same source."""
    from archdsl.backends.module import compile_source

    return compile_source(graph, source, identity)
