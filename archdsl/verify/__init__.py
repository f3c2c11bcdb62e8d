"""Equality with reference libraries: takes variants with `reference` items, gives what was compared and what differs.

`libraries` builds a reference, `traits` reads what a network is without computing with it, `randomize` gives it values
under which an error shows, `numbers` compares what both compute, `compare` does all of it for one reference,
`choose` finds the variants whose numbers stand for all, `page` writes docs/parity.md. torch is imported by all of them
but `choose` and `results`.
"""
