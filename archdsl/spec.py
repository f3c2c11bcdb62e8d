"""A spec: one file, parsed and bound, with the variants that it describes. Data; networks are made by `Variant`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from archdsl import library, phases
from archdsl.diagnostics.core import ArchError, Bag, errors_raised
from archdsl.diagnostics.suggest import closest
from archdsl.semantics.program import Definition, Loader
from archdsl.source import Source, Unreadable
from archdsl.syntax import ast
from archdsl.texts import Recorder, Texts

if TYPE_CHECKING:
    from archdsl.graph.recipe import Recipe
    from archdsl.semantics.points import Space
    from archdsl.semantics.variants import Configured


class Spec:
    """`program` is the file and those it uses, `variants` its models with their arguments; `bag` has what is wrong.

    Raises ArchError for what is no file of the language.
    """

    def __init__(self, source: Source, find: Loader = library.used_file) -> None:
        self.name = source.name
        self.bag = Bag()
        used = Recorder(find)
        program = phases.bound(source, used, self.bag)
        if program is None:
            self.bag.raise_errors()
        assert program is not None
        self.program = program
        self.texts = Texts(source.name, source.text, tuple(used.uses))
        self.variants: Mapping[str, Configured] = phases.configured(program, self.bag)

    @property
    def docstring(self) -> str:
        found = self.program.root.syntax.docstring
        return found.text if found else ""

    def configured(self, name: str) -> Configured:
        """The variant of this name; raises ArchError E108."""
        if name not in self.variants:
            raise ArchError.of("E108", name=name, suggestion=closest(name, self.variants))
        return self.variants[name]

    @cached_property
    def recipes(self) -> Mapping[str, Recipe]:
        """How networks are trained: the `recipe` items of this file, and those it uses, by name; raises ArchError."""
        from archdsl.semantics.recipes import recipes_of

        with errors_raised() as bag:
            return recipes_of(self.program, self.variants, bag)

    @cached_property
    def spaces(self) -> Mapping[str, Space]:
        """What networks there could be: the `space` items of this file, by name; raises ArchError."""
        from archdsl.semantics.spaces import spaces_of

        with errors_raised() as bag:
            return spaces_of(self.program, self.variants, bag)

    @property
    def unchecked(self) -> tuple[Definition, ...]:
        """Definitions of this file that nothing uses: `check` knows that their names make sense, and no more."""
        own = [d for d in self.program.root.names.values() if d.file is self.program.root and d.kind != "table"]
        return tuple(d for d in own if d not in self.program.root.memo.elaborated and not d.faulty)

    def is_current(self) -> bool:
        """Whether every `use` in this file, and in those it uses, still means the same file, and that says the same;
        so the lists of weights."""
        files = self.program.files
        uses = ((file, item) for file in files.values() for item in file.items(ast.Use))
        try:
            for file, item in uses:
                found = library.used_file(file.source, item.path.value)
                if found is None or found.identity not in files or files[found.identity].source.text != found.text:
                    return False
            for path, known in self.program.lists.items():
                found = library.used_file(self.program.root.source, path)
                if found is None or found.text != known.text:
                    return False
        except Unreadable:
            return False
        return True
