"""The graph: what a spec means, once every name, number and shape is known.

`semantics` fills it (`ir`, `scopes`, and `templates`: what is the same); the stage table, init rules, key maps and
backends read it. Its nodes stand in the order of execution; questions about paths are answered by networkx, of
`Graph.network`. Nothing here imports torch.
"""
