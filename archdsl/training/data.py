"""Batches of pictures, the same for the same seed wherever they are made: in whatever process, at whatever time.

What is random about a picture (crop, flip, augmentation) follows from the seed, the epoch, and its place in the epoch's
order. So a training that goes on in the midst of an epoch sees what it would have seen, with any number of workers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.training.folders import Pictured
from archdsl.training.libraries import import_timm
from archdsl.transform import Unusable

if TYPE_CHECKING:
    import torch
    from PIL import Image


class Place(NamedTuple):
    """A picture in an epoch: its place in the order, and its number."""

    position: int
    number: int


@dataclass(frozen=True)
class Broken:
    """A picture that cannot be read, by its number, and why."""

    number: int
    path: str
    detail: str


def unreadable(found: Iterable[Broken]) -> ArchError:
    """What to raise for broken pictures."""
    bag = Bag()
    for broken in found:
        bag.report("E651", None, path=broken.path, detail=broken.detail)
    return ArchError(bag)


def seeded(*parts: object) -> int:
    """A seed of 63 bits that follows from some numbers."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def seed_everything(*parts: object) -> None:
    """Seed what timm, torchvision and torch draw random numbers from."""
    import numpy
    import torch

    seed = seeded(*parts)
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def order(pictures: int, repeats: int, *, epoch: int, seed: int) -> list[int]:
    """The numbers of the pictures in the order of an epoch, as one process would take them: torch's DistributedSampler,
    or timm's RepeatAugSampler, whose epoch is no longer for the repeats."""
    import_timm()

    class Sized:
        def __len__(self) -> int:
            return pictures

    made: Any
    if repeats > 1:
        from timm.data.distributed_sampler import RepeatAugSampler

        made = RepeatAugSampler(Sized(), num_replicas=1, rank=0, num_repeats=repeats)
        made.set_epoch(seeded(seed, epoch))
    else:
        from torch.utils.data import DistributedSampler

        made = DistributedSampler(Sized(), num_replicas=1, rank=0, shuffle=True, seed=seed)  # type: ignore[arg-type]
        made.set_epoch(epoch)
    return list(made)


class Pictures:
    """Pictures as a data set of torch, by `Place`: input and class, or what is `Broken`."""

    def __init__(
        self, source: Pictured, transform: Callable[[Image.Image], torch.Tensor], seeds: tuple[object, ...]
    ) -> None:
        self.source, self.transform, self.seeds = source, transform, seeds

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, place: Place) -> tuple[torch.Tensor, int] | Broken:
        seed_everything(*self.seeds, place.position)
        try:
            image, number = self.source.image(place.number)
        except Unusable as error:
            return Broken(place.number, self.source.name(place.number), str(error))
        return self.transform(image), number


def collate(items: Sequence[Any]) -> tuple[torch.Tensor, torch.Tensor] | list[Broken]:
    """A batch, or the pictures of it that are broken."""
    import torch

    broken = [item for item in items if isinstance(item, Broken)]
    if broken:
        return broken
    return torch.stack([image for image, _ in items]), torch.tensor([number for _, number in items])


def batches(
    pictures: Pictures, places: Sequence[Sequence[Place]], *, workers: int, pin: bool
) -> Iterator[tuple[torch.Tensor, torch.Tensor] | list[Broken]]:
    """Batch after batch, read by so many processes beside this one."""
    import torch
    from torch.utils.data import DataLoader

    loader: DataLoader[Any] = DataLoader(
        pictures,  # type: ignore[arg-type]  # it has the two methods that are asked for
        batch_sampler=places,  # type: ignore[arg-type]
        num_workers=min(workers, len(places)),
        collate_fn=collate,
        pin_memory=pin,
        generator=torch.Generator(),  # it draws seeds for the workers, which nothing uses
    )
    return iter(loader)
