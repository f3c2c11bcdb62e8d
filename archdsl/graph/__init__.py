"""The graph: what a spec means, once every name, number and shape is known.

`semantics` fills it (`ir`); the stage table, init rules, key maps and backends read it. Nothing here imports torch.
"""
