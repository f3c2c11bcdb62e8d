"""All ops by name."""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType

from archdsl.ops.act import ACTIVATIONS
from archdsl.ops.channelwise import CHANNELWISE
from archdsl.ops.conv import CONVOLUTIONS
from archdsl.ops.image import IMAGE
from archdsl.ops.linear import LINEAR_OPS
from archdsl.ops.merge import MERGES
from archdsl.ops.norm import NORMALISATIONS
from archdsl.ops.pool import POOLS
from archdsl.ops.regularizer import REGULARIZERS
from archdsl.ops.resample import RESAMPLING
from archdsl.ops.reshape import RESHAPES
from archdsl.ops.spec import OpSpec
from archdsl.ops.transposed import CONV_TRANSPOSE

ALL_OPS: tuple[OpSpec, ...] = (
    IMAGE,
    *CONVOLUTIONS,
    CONV_TRANSPOSE,
    *CHANNELWISE,
    *LINEAR_OPS,
    *NORMALISATIONS,
    *ACTIVATIONS,
    *POOLS,
    *MERGES,
    *RESHAPES,
    *RESAMPLING,
    *REGULARIZERS,
)

OPS: Mapping[str, OpSpec] = MappingProxyType({op.name: op for op in ALL_OPS})
"""Every op of the language, read-only."""


def _named(name: str) -> OpSpec:
    return OPS[name]


copyreg.pickle(OpSpec, lambda op: (_named, (op.name,)))  # its name stands for it: most of it are functions
