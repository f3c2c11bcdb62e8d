"""The difference of two architectures: takes two graphs; gives what came, went and changed, as data and in words.

`graph.stages` cuts a network as its reader does, into stages of blocks. `matching` says what corresponds (`align`, and
`orders` where the order differs), `facts` what a layer is and how two differ. `compare` makes the data of
`changes` of it. `everywhere` takes out what is the same for all layers of a kind; `wording` and `brief` put it into
words; `transfer` is about weights.
"""
