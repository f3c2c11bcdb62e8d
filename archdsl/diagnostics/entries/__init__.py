"""The catalogue's entries, in files of neighbouring codes."""

from archdsl.diagnostics.entries import (
    claims,
    downloads,
    driver,
    hub,
    large,
    layers,
    loading,
    members,
    names,
    plots,
    published,
    recipes,
    scaling,
    search,
    shapes,
    spaces,
    syntax,
    training,
    values,
    weights,
)

ALL = (
    *syntax.ENTRIES, *names.ENTRIES, *members.ENTRIES, *shapes.ENTRIES, *values.ENTRIES, *layers.ENTRIES,
    *large.ENTRIES, *claims.ENTRIES, *published.ENTRIES, *recipes.ENTRIES, *spaces.ENTRIES, *weights.ENTRIES,
    *downloads.ENTRIES, *driver.ENTRIES, *loading.ENTRIES, *hub.ENTRIES, *training.ENTRIES, *plots.ENTRIES,
    *search.ENTRIES, *scaling.ENTRIES,
)  # fmt: skip
"""Every entry, ordered by code."""
