"""From syntax to meaning: takes parsed files, gives graphs, or every error in them.

In order: `program` binds top-level names; `resolve` makes the bound tree (`bound`), in which every name and argument is
resolved; `variants` configures models; `elaborate` makes a graph of one: `evaluate` finds the rule for a piece of the
bound tree among those of `expressions`, `operators`, `lists`, `calls`; `statements` executes bodies, `application`
applies layers, `nodes` makes nodes. What holds for all variants of a file is kept in its `memo`. `claims`, `settings`,
`checkpoints` and the like hold against the graphs what the file says about them.
"""
