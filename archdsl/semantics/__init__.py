"""From syntax to meaning: takes parsed files, gives graphs, or every error in them.

In order: `program` binds top-level names, `names` checks all bodies, `variants` configures models, `elaborate` makes a
graph of one (its rules are in `expressions`, `statements`, `calls` and `application`), and `claims`, `settings` and
`checkpoints` hold against the graphs what the file says about them.
"""
