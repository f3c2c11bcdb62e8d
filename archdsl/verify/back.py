"""The way back: our weights under the library's names are the library's state_dict again, tensor for tensor.

Takes a variant, its state_dict and the reference's; gives what differs, in words.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from archdsl.diagnostics.core import ArchError
from archdsl.variant import Variant
from archdsl.weights.fitting import shape_text
from archdsl.weights.loading import export_keys


def check_conversion_back(
    variant: Variant, name: str, ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]
) -> list[str]:
    """What `archdsl convert --to NAME` would write otherwise than it is there: keys, shapes, dtypes, values.

    Tensors of the meta device have no values to compare.
    """
    try:
        written = export_keys(variant, ours, name)
    except ArchError as error:
        return [f"they are not written by the names of {name}: {found.message}" for found in error.diagnostics]
    lines = []
    for key in {**theirs, **written}:
        expected, actual = theirs.get(key), written.get(key)
        if expected is None or actual is None:
            whose = "missing" if actual is None else "not the library's"
            lines.append(f"written by the names of {name}, {key} is {whose}")
        elif (expected.shape, expected.dtype) != (actual.shape, actual.dtype):
            kinds = [f"{shape_text(tuple(t.shape))} {str(t.dtype).removeprefix('torch.')}" for t in (actual, expected)]
            lines.append(f"written by the names of {name}, {key} is {kinds[0]} instead of {kinds[1]}")
        elif not expected.is_meta and not torch.equal(expected, actual):
            lines.append(f"written by the names of {name}, {key} has other values")
    return lines
