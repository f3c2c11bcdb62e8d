"""From a graph to PyTorch: `python` prints source, `module` builds what it says, `proof` compares that with the graph.

torch is imported inside functions of `module` and `proof` only.
"""
