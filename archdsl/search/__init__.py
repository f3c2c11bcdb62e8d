"""The search of a design space: which networks there are, what they cost, how good they are."""
