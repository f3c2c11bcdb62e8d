"""From syntax to meaning: takes parsed files, gives graphs, or every error in them.

In order: `program` binds top-level names, `names` checks all bodies, `variants` configures models, `elaborate` makes a
graph of one (`evaluate` finds the rule for a piece of syntax; rules are in `expressions`, `operators`, `lists`, `calls`
and `statements`, layers are applied in `application`), and `claims`, `settings` and
`checkpoints` hold against the graphs what the file says about them.
"""
