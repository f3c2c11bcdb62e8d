"""The choice of feature maps: takes a `Graph`, names and numbers; gives the names of maps, or says what is none."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl import arguments
from archdsl.diagnostics.core import Bag, errors_raised
from archdsl.diagnostics.suggest import closest
from archdsl.graph.backbone import feature_maps, named_maps, pyramid
from archdsl.graph.ir import Graph


def select(graph: Graph, given: Sequence[object] | None, owner: str) -> list[str]:
    """The names of the feature maps that are meant, in order of execution: names as `named_maps` takes them, numbers of
    the `pyramid`, all of which are meant by None. `owner` is the network in messages.

    Raises ArchError E122 for what is none of these, E624 for what is no number of one; TypeError for neither.
    """
    levels = pyramid(graph)
    names: list[str] = list(levels) if given is None else []
    with errors_raised() as bag:
        for name in given or ():
            number = arguments.index(name)
            if number is None:
                names.append(arguments.text("a feature map", name))
            elif -len(levels) <= number < len(levels):
                names.append(levels[number])
            else:
                bag.report("E624", None, facts={"name": owner}, index=arguments.shown(number), count=len(levels))
        for name in names or ([] if bag.errors else ["(any)"]):
            if not named_maps(graph, [name]):
                _report(graph, name, owner, bag)
    return list(named_maps(graph, names))


def _report(graph: Graph, name: str, owner: str, bag: Bag) -> None:
    """E122 for a name that means no map, or several."""
    known = feature_maps(graph)
    several = [f"{each} ({graph.shape(ref)})" for each, ref in known.items() if each.startswith(f"{name}[")]
    help_ = f"`{name}` gives several feature maps, choose of {', '.join(several)}" if several else None
    facts = {"variant": owner, "suggestion": closest(name, known), "known": ", ".join(known) or None}
    bag.report("E122", None, name=name, help=help_, facts=facts)
