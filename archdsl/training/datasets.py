"""The pictures to train with and to test on: in folders by class, or what timm's readers open.

`DATA/train/CLASS/…` and `DATA/val/CLASS/…` (or the names in `VALIDATION`); without a folder `train`, DATA itself holds
the classes and nothing is held out. Raises ArchError E648.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from archdsl.training.folders import SPLITS, VALIDATION, Pictured, find_pictures, unusable
from archdsl.training.sources import is_opened, open_sources


@dataclass(frozen=True)
class Data:
    """What is trained with and what is tested on; nothing is, where `test` is None."""

    path: str
    train: Pictured
    test: Pictured | None


def find_data(path: str) -> Data:
    """The pictures below a folder, or what timm's readers open."""
    if is_opened(path):
        return Data(path, *open_sources(path))
    if not os.path.isdir(path):
        raise unusable(path, "there is no such folder" if not os.path.exists(path) else "it is not a folder")
    train = os.path.join(path, "train")
    if not os.path.isdir(train):
        whole = find_pictures(path)
        if all(name.lower() in SPLITS for name in whole.classes):
            raise unusable(path, f"`{whole.classes[0]}` looks like a part of them, and there is no folder `train`")
        return Data(path, whole, None)
    held = next((name for name in VALIDATION if os.path.isdir(os.path.join(path, name))), None)
    found = find_pictures(train)
    test = None if held is None else find_pictures(os.path.join(path, held), found.classes)
    return Data(path, found, test)
