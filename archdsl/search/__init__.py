"""The search of a design space: which networks there are, what they cost, how good they are."""

SAMPLERS = ("random", "all", "tpe", "nsga2")
LEARNING = ("tpe", "nsga2")
"""Samplers that suggest networks; others take them in order from a sequence, the same in every process."""

MEASURED = ("latency", "step", "accuracy", "reward", "command")
"""What networks are scored by beside their costs."""
TRAINED = frozenset({"accuracy", "reward"})
TIMED = frozenset({"latency", "step", "reward"})
