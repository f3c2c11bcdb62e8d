"""Handwritten digits as folders of pictures: scikit-learn's 1,797 of 8×8 (UCI, optical recognition, 1998).

python -m tests.training.digits FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy
from PIL import Image


def write_digits(folder: Path, *, side: int = 8, limit: int | None = None) -> Path:
    """`train` and `val`, a fifth of the pictures, with a folder for each class; enlarged to `side`."""
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    for number, (values, digit) in enumerate(zip(pixels[:limit], classes[:limit], strict=True)):
        place = folder / ("val" if number % 5 == 4 else "train") / str(digit)
        place.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray((values.reshape(8, 8) * 255 / 16).round().astype(numpy.uint8))
        image.resize((side, side), Image.Resampling.BICUBIC).save(place / f"{number:04d}.png")
    return folder


if __name__ == "__main__":
    write_digits(Path(sys.argv[1]))
