"""Recipes for other trainers: takes a `Recipe`, gives the configuration that a trainer reads, and what of the recipe it
cannot say. `timm` is for timm's train.py, `torchvision` for torchvision's references/classification/train.py.
"""

from __future__ import annotations

from archdsl.backends.trainers.settings import Exported as Exported
from archdsl.backends.trainers.settings import TrainedNetwork as TrainedNetwork
from archdsl.backends.trainers.timm import for_timm as for_timm
from archdsl.backends.trainers.torchvision import for_torchvision as for_torchvision
