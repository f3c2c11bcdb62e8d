"""Preprocessing as a callable: from pictures to a model's input, by what a spec's `preprocess` says.

Torch and Pillow are imported when the first picture comes.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archdsl import arguments
from archdsl.graph.settings import Preprocess
from archdsl.quiet import import_torch

if TYPE_CHECKING:
    import torch
    from PIL import Image

MOST_PIXELS = 80_000_000
"""Of a picture, as it is in its file and as it is before the crop."""

_PICTURES = "a picture of Pillow, uint8 pixels (a numpy array or a torch tensor), or a list of these"


class Unusable(ValueError):
    """A picture that can be read, and is none for a network."""


@dataclass(frozen=True)
class Transform:
    """What `preprocess` says, for images of `size` (height, width) with so many channels.

    Called with one picture it gives a float32 tensor C×H×W, with a list of them, or a batch, N×C×H×W. Pixels that come
    as numbers are treated as the picture that has them: the result is the same, bit for bit, as through Pillow. It
    comes back on the device of the tensor.
    """

    settings: Preprocess
    size: tuple[int, int]
    channels: int = 3

    def __call__(self, pictures: Any) -> torch.Tensor:
        """Raises TypeError for what is no picture, ValueError for one of other channels or of too many pixels."""
        import_torch()
        import torch

        if isinstance(pictures, list | tuple):
            if not pictures:
                raise ValueError("the list of pictures is empty")
            return torch.stack([self._one(picture) for picture in pictures])
        return self._one(pictures)

    @property
    def resized(self) -> tuple[int, ...]:
        """Before the crop: the shorter side, or height and width of a picture that is squashed."""
        if self.settings.squash:
            return tuple(map(self.settings.resized, self.size))
        return (self.settings.resized(max(self.size)),)

    def __repr__(self) -> str:
        """The steps in their order: resize, crop, normalize."""
        sides = " × ".join(map(str, self.resized))
        whole = f"to {sides}, squashed" if self.settings.squash else f"shorter side to {sides}"
        mean, std = (" ".join(f"{value:.4g}" for value in of) for of in (self.settings.mean, self.settings.std))
        steps = (
            f"resize {whole} ({self.settings.interpolation})",
            f"crop the central {self.size[0]} × {self.size[1]}",
            f"normalize {self.channels} channels from 0..1 by mean {mean}, std {std}",
        )
        return f"<archdsl transform: {' → '.join(steps)}>"

    def _one(self, picture: Any) -> torch.Tensor:
        import torch
        from PIL import Image

        if isinstance(picture, Image.Image):
            mode = _MODES.get(self.channels)
            if mode is None:
                raise Unusable(f"a picture of Pillow has no {self.channels} channels: give uint8 pixels, C×H×W")
            if picture.mode == "F":
                raise Unusable("its pixels are fractions, of which it is not known which one is white")
            return self._normalized(self._sized(in_mode(picture, mode)))
        if isinstance(picture, torch.Tensor):
            return self._from_pixels(picture, "C×H×W or N×C×H×W")
        if (type(picture).__module__, type(picture).__name__) == ("numpy", "ndarray"):
            if str(picture.dtype) != "uint8":
                raise TypeError(f"pictures are {_PICTURES}, not {picture.dtype}")
            first, last = (picture.ndim > 2 and picture.shape[axis] == self.channels for axis in (-3, -1))
            if first and last:
                raise Unusable(f"an array of {_dims(picture)} may be C×H×W or H×W×C: give a torch tensor, C×H×W")
            pixels = torch.tensor(picture.copy())  # the array may be read-only, or run backwards
            return self._from_pixels(pixels.movedim(-1, -3) if last else pixels, "C×H×W, H×W×C or batches of these")
        return arguments.wrong("pictures", _PICTURES, picture)

    def _from_pixels(self, pixels: torch.Tensor, expected: str) -> torch.Tensor:
        """A picture, or a batch, of numbers from 0 to 255."""
        import torch

        if pixels.dtype != torch.uint8:
            raise TypeError(f"pictures are {_PICTURES}, not {pixels.dtype}")
        if pixels.ndim not in (3, 4) or pixels.shape[-3] != self.channels or not pixels.numel():
            raise Unusable(f"pixels are {expected} with {self.channels} channels here, not {_dims(pixels)}")
        if pixels.ndim == 4:
            return torch.stack([self._from_pixels(one, expected) for one in pixels])
        return self._normalized(torch.cat([self._sized(plane) for plane in _planes(pixels)])).to(pixels.device)

    def _sized(self, image: Image.Image) -> torch.Tensor:
        """Resized and cropped; its bytes, C×H×W."""
        import torch
        from PIL import Image

        if self.settings.squash:
            height, width = self.resized
        else:
            (short,), shorter = self.resized, min(image.size)
            # As torchvision does it: the longer side is rounded down.
            width, height = (short if side == shorter else int(short * side / shorter) for side in image.size)
        check_pixels(width, height, "resized it has")
        image = image.resize((width, height), Image.Resampling[self.settings.interpolation.upper()])
        left, upper = round((width - self.size[1]) / 2), round((height - self.size[0]) / 2)
        image = image.crop((left, upper, left + self.size[1], upper + self.size[0]))
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
        return pixels.view(*self.size, len(image.getbands())).permute(2, 0, 1)

    def _normalized(self, pixels: torch.Tensor) -> torch.Tensor:
        import torch

        mean, std = torch.tensor(self.settings.mean), torch.tensor(self.settings.std)
        return (pixels.float() / 255 - mean[:, None, None]) / std[:, None, None]


_MODES = {1: "L", 3: "RGB"}


def transform_of(settings: Preprocess, image: tuple[int, int], channels: int) -> Transform:
    """The transform of a variant whose image is of this size; `settings` may ask for pictures of another."""
    size = image if settings.size is None else (settings.size, settings.size)
    return Transform(settings, size, channels)


def check_pixels(width: int, height: int, what: str) -> None:
    """Raise Unusable where a picture has more pixels than are held."""
    if width * height > MOST_PIXELS:
        raise Unusable(f"{what} {width:,} × {height:,} pixels, more than {MOST_PIXELS:,}")


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture in 8 bits, RGB or grey; transparency is dropped, as the reference libraries do."""
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)


def _planes(pixels: torch.Tensor) -> list[Image.Image]:
    """Pictures that together have these channels: three as one picture in colour, else each by itself."""
    from PIL import Image

    count, height, width = pixels.shape
    held = pixels.detach().cpu()
    parts = [held] if count == 3 else [held[channel : channel + 1] for channel in range(count)]
    return [Image.frombytes(_MODES[len(part)], (width, height), _bytes(part.permute(1, 2, 0))) for part in parts]


def _bytes(pixels: torch.Tensor) -> bytes:
    """In memory order. Torch may be there without numpy, through which it would give them."""
    held = pixels.contiguous()
    return ctypes.string_at(held.data_ptr(), held.numel())


def _dims(pixels: Any) -> str:
    return "×".join(map(str, pixels.shape)) or "no dimension"
