"""The difference of two architectures: takes two graphs; gives what came, went and changed, as data and in words.

`sections` cuts a network as its reader does, into stages of blocks. `matching` says what corresponds, by `align`ing them
and what is in them, `facts` what a layer is and how two differ. `compare` puts that together to the data of `changes`.
`everywhere` takes out what is the same for all layers of a kind; `wording` and `brief` put it into words; `transfer` is
about weights.
"""
