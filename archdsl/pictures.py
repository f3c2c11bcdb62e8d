"""Picture files, opened and upright. What cannot be read, or is no picture for a network, is `Unusable`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archdsl.transform import Unusable, check_pixels

if TYPE_CHECKING:
    from PIL import Image

_SIXTEEN_BITS = ("PNG", "PPM")
"""Formats whose pictures of 16 bits Pillow may give as whole numbers of 32."""


@contextmanager
def picture(path: str) -> Iterator[Image.Image]:
    """The picture in a file, upright. Raises Unusable, also for what goes wrong while it is used: a damaged file can
    raise anything, and does so when its pixels are asked for."""
    from PIL import ImageOps, UnidentifiedImageError

    from archdsl.weights.reading import endless

    try:
        kind = endless(path)
        if kind is not None:
            raise Unusable(f"it is {kind}, not a file")
        with _opened(path) as image:
            check_pixels(*image.size, "it has")
            _check_range(image)
            yield ImageOps.exif_transpose(image)
    except Unusable:
        raise
    except MemoryError:
        raise Unusable("there is not enough memory for it") from None
    except UnidentifiedImageError:
        raise Unusable("it is no picture of a known format") from None
    except Exception as error:
        detail = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        raise Unusable(detail) from None


def _opened(path: str) -> Image.Image:
    """The picture, its pixels not read yet; how many are too many is said in our words."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _check_range(image: Image.Image) -> None:
    """Refuse numbers of which the file does not say which one is white: of 32 bits, and of 12 in a field of 16."""
    wide = image.mode == "F" or (image.mode == "I" and image.format not in _SIXTEEN_BITS)
    bits: Sequence[int] = getattr(image, "tag_v2", {}).get(258, ()) if image.mode.startswith("I;16") else ()
    if wide or any(number != 16 for number in bits):
        kind = "fractions" if image.mode == "F" else "numbers of 32 bits" if wide else f"numbers of {bits[0]} bits"
        raise Unusable(f"its pixels are {kind}, of which it is not known which one is white: save it with 8 or 16 bits")
