"""From picture files to named classes, by what a spec's `preprocess` says.

torch and Pillow are imported when `predict` is called. Raises ArchError: E608 for every picture that cannot be read,
E609 where the spec does not say how, E515 where what comes out are no probabilities, and what loading weights raises.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from archdsl import arguments
from archdsl.diagnostics.core import Bag
from archdsl.graph.settings import Preprocess
from archdsl.quiet import import_torch
from archdsl.resources import find
from archdsl.semantics.settings import preprocess_of
from archdsl.variant import Variant

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from archdsl.weights.loading import Say

BATCH = 16
"""Pictures that go through the network together."""

MOST_PIXELS = 80_000_000
"""Of a picture, as it is in its file and as it is before the crop."""

_SIXTEEN_BITS = ("PNG", "PPM")
"""Formats whose pictures of 16 bits Pillow may give as whole numbers of 32."""


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one picture, the best first: label and probability."""

    path: str
    classes: tuple[tuple[str, float], ...]


def predict(
    variant: Variant,
    weights: str | os.PathLike[str],
    images: Iterable[str | os.PathLike[str]],
    checkpoint: str | None = None,
    *,
    weights_set: str | None = None,
    top: int = 5,
    batch: int = BATCH,
    device: torch.device | str | None = None,
    say: Say | None = None,
) -> list[Prediction]:
    """Classify picture files with the weights of a file; `checkpoint` names the map to read them with, `weights_set`
    one of several sets in the file; `say` gets what is done to the weights unasked, which is a warning without it."""
    import_torch()
    import torch

    from archdsl.weights.loading import load_weights, warn

    arguments.instance("variant", variant, Variant, "a variant")
    weights = arguments.path("weights", weights)
    checkpoint = arguments.optional_text("checkpoint", checkpoint)
    weights_set = arguments.optional_text("weights_set", weights_set)
    top, batch = arguments.positive("top", top), arguments.positive("batch", batch)
    files = arguments.paths("images", images, "a list of files")
    settings = preprocessing(variant)
    if settings.size is not None and variant.graph.size_decisions:
        variant = variant.for_image(size=settings.size)  # what the spec asks about sizes is asked of these pictures
    labels = _labels_of(variant, settings)
    said = say or warn
    model = load_weights(variant, weights, checkpoint, weights_set=weights_set, device=device, say=said).eval()
    bag = Bag()
    predictions: list[Prediction] = []
    for paths, pixels in _batches(files, variant, settings, batch, bag):
        if not bag.errors:
            with torch.inference_mode():
                output = model(pixels.to(device or "cpu"))
                logits = output.logits if variant.graph.form == "named" else output
                probabilities = logits.float().softmax(1)
                best = probabilities.topk(min(top, len(labels)), dim=1)
            for path, usable in zip(paths, probabilities.isfinite().all(dim=1).tolist(), strict=True):
                if not usable:
                    bag.report("E515", None, name=variant.name, path=path)
            for path, values, indices in zip(paths, best.values.tolist(), best.indices.tolist(), strict=True):
                named = zip((labels[index] for index in indices), values, strict=True)
                predictions.append(Prediction(path, tuple(named)))
    bag.raise_errors()
    return predictions


def preprocessing(variant: Variant) -> Preprocess:
    """What the spec says about the variant's pictures; raises ArchError E609 if nothing, or its own errors."""
    bag = Bag()
    settings = preprocess_of(variant.file.program, variant.configured, bag, variant.graph)
    if settings is None and not bag.errors:
        bag.report("E609", None, what="preprocess", name=variant.name)
    channels = variant.graph.input_shape.channels
    if settings is not None and len(settings.mean) != channels:
        expected = f"{channels} numbers, one a channel of the model's input"
        bag.report("E302", None, what="mean of preprocess", expected=expected, got=settings.mean)
    bag.raise_errors()
    assert settings is not None
    return settings


@cache
def class_labels(name: str) -> tuple[str, ...] | None:
    """The shipped class names `name` (`imagenet1k`), in the order of a model's outputs; None if there are none."""
    path = find("specs", f"{name}.txt")
    if path is None:
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def prepare(image: Image.Image, settings: Preprocess, size: tuple[int, int], channels: int = 3) -> torch.Tensor:
    """A picture as (channels, *size) numbers: the shorter side resized, the centre cropped, normalized."""
    import torch
    from PIL import Image

    image = _in_mode(image, "L" if channels == 1 else "RGB")
    if settings.squash:
        height, width = map(settings.resized, size)
    else:
        short, shorter = settings.resized(max(size)), min(image.size)
        # As torchvision does it: the longer side is rounded down.
        width, height = (short if side == shorter else int(short * side / shorter) for side in image.size)
    _check_pixels(width, height, "resized it has")
    image = image.resize((width, height), Image.Resampling[settings.interpolation.upper()])
    left, upper = round((width - size[1]) / 2), round((height - size[0]) / 2)
    image = image.crop((left, upper, left + size[1], upper + size[0]))
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    pixels = pixels.view(*size, channels).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor(settings.mean), torch.tensor(settings.std)
    return (pixels - mean[:, None, None]) / std[:, None, None]


def _labels_of(variant: Variant, settings: Preprocess) -> tuple[str, ...]:
    bag = Bag()
    graph = variant.graph
    shape = ", ".join(graph.output_labels) if graph.result is None else graph.shape(graph.result)
    labels = None if settings.labels is None else class_labels(settings.labels)
    if labels is None:
        bag.report("E609", None, what="labels", name=variant.name)
    elif isinstance(shape, str) or shape.dims != (len(labels),):
        expected = f"{len(labels)} numbers, one for each class of {settings.labels}"
        bag.report("E302", None, what=f"the output of `{variant.name}`", expected=expected, got=str(shape))
    bag.raise_errors()
    assert labels is not None
    return labels


def _batches(
    paths: Sequence[str], variant: Variant, settings: Preprocess, batch: int, bag: Bag
) -> Iterator[tuple[Sequence[str], torch.Tensor]]:
    """The pictures, some at a time; those that cannot be read are reported, and only the rest is given."""
    import torch

    shape = variant.graph.input_shape
    size = (shape.height, shape.width) if settings.size is None else (settings.size, settings.size)
    for start in range(0, len(paths), batch):
        read = [(path, _read(path, settings, size, shape.channels, bag)) for path in paths[start : start + batch]]
        good = [(path, pixels) for path, pixels in read if pixels is not None]
        if good:
            yield [path for path, _ in good], torch.stack([pixels for _, pixels in good])


def _read(path: str, settings: Preprocess, size: tuple[int, int], channels: int, bag: Bag) -> torch.Tensor | None:
    from PIL import ImageOps, UnidentifiedImageError

    from archdsl.weights.reading import endless

    try:
        kind = endless(path)
        if kind is not None:
            bag.report("E608", None, path=path, detail=f"it is {kind}, not a file")
            return None
        with _opened(path) as image:
            _check_pixels(*image.size, "it has")
            _check_range(image)
            return prepare(ImageOps.exif_transpose(image), settings, size, channels)
    except _Unusable as error:
        bag.report("E608", None, path=path, detail=str(error))
    except MemoryError:
        bag.report("E608", None, path=path, detail="there is not enough memory for it")
    except UnidentifiedImageError:
        bag.report("E608", None, path=path, detail="it is no picture of a known format")
    except Exception as error:  # a damaged file can raise anything
        detail = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        bag.report("E608", None, path=path, detail=detail)
    return None


class _Unusable(Exception):
    """A picture that can be read, and is none for a network."""


def _opened(path: str) -> Image.Image:
    """The picture, its pixels not read yet; how many are too many is said in our words."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _check_pixels(width: int, height: int, what: str) -> None:
    if width * height > MOST_PIXELS:
        raise _Unusable(f"{what} {width:,} × {height:,} pixels, more than {MOST_PIXELS:,}")


def _check_range(image: Image.Image) -> None:
    """Refuse numbers of which the file does not say which one is white: of 32 bits, and of 12 in a field of 16."""
    wide = image.mode == "F" or (image.mode == "I" and image.format not in _SIXTEEN_BITS)
    bits: Sequence[int] = getattr(image, "tag_v2", {}).get(258, ()) if image.mode.startswith("I;16") else ()
    if wide or any(number != 16 for number in bits):
        kind = "fractions" if image.mode == "F" else "numbers of 32 bits" if wide else f"numbers of {bits[0]} bits"
        raise _Unusable(
            f"its pixels are {kind}, of which it is not known which one is white: save it with 8 or 16 bits"
        )


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture in 8 bits, RGB or grey; transparency is dropped, as the reference libraries do."""
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)
