"""Definitions that use themselves, directly or through others. Reports E113.

Files cannot import each other in a circle, so a circle of definitions lies within one file.
"""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.diagnostics.core import Bag
from archdsl.semantics.program import Definition
from archdsl.source import Span


def check_recursion(uses: Mapping[Definition, Mapping[str, Span]], bag: Bag) -> None:
    """Report each circle once, where it closes, and mark its members as faulty.

    `uses` gives, for each definition of a file, the file's names it reads and where.
    """
    by_name = {definition.name: definition for definition in uses}
    done: set[str] = set()
    for start in by_name:
        # Depth first without recursion: a chain of definitions may be as long as the file.
        path: list[str] = []
        stack = [(start, iter(uses[by_name[start]]))] if start not in done else []
        if stack:
            path.append(start)
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                path.pop()
                done.add(name)
            elif following in path:
                circle = path[path.index(following) :]
                chain = " -> ".join([*circle, following])
                bag.report("E113", uses[by_name[name]][following], chain=chain)
                for member in circle:
                    by_name[member].file.faulty.add(member)
            elif following in by_name and following not in done:
                path.append(following)
                stack.append((following, iter(uses[by_name[following]])))
