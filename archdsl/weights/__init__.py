"""Pretrained weights: files of other libraries into our modules, and back.

`reading` gives the tensors of a file, if `pickles` finds no harm in it, of which `sets` says which are meant, and
`prefixes` what of their names is not theirs; `fitting` finds the checkpoint map under which these are ours and says
what does not fit, `parts` does both; `loading` makes the module, `dtypes` its numbers, `channels` those for another
image. A file is loaded completely or not at all. `exact` loads what our own folders have; `convert` writes a file by
other names, which `naming` knows; `labels` are names of classes in a file. `download` gets published files.
"""

from __future__ import annotations

from archdsl.weights.fitting import Adaptation
from archdsl.weights.loading import (
    Reading,
    WeightsNote,
    export_keys,
    import_keys,
    load_weights,
    load_weights_into,
    save_weights,
)
from archdsl.weights.reading import Weights, read_weights

__all__ = [
    "Adaptation",
    "Reading",
    "Weights",
    "WeightsNote",
    "export_keys",
    "import_keys",
    "load_weights",
    "load_weights_into",
    "read_weights",
    "save_weights",
]
