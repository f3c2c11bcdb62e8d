"""Short texts about parts of a graph, for notes and tables: takes a `Scope`, gives `Basic(width = 64) at layer1.0`."""

from __future__ import annotations

from typing import Any

from archdsl.graph.scopes import Scope

_LONGEST = 40


def value_text(value: Any) -> str:
    """A compile-time value as a spec would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list | range):
        return f"[{', '.join(map(value_text, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def describe_value(value: Any) -> str:
    """A compile-time value as a spec would write it, cut where it is long."""
    text = value_text(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def describe_scope(scope: Scope) -> str:
    """An instance with the arguments it was given: `Bottleneck(width = 128, stride = 2) at layer2.0`."""
    given = ", ".join(f"{n} = {describe_value(b.value)}" for n, b in scope.arguments.items() if b.explicit)
    text = f"{scope.definition}({given})" if given else scope.definition
    return f"{text} at {scope.path}" if scope.path else text
