"""The image of a network where it is not the spec's: its one form, from `--image` and Python to the graph."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Image:
    """What takes the place of arguments of the spec's `image(…)`; None leaves the spec's."""

    channels: int | None = None
    height: int | None = None
    width: int | None = None

    @property
    def given(self) -> dict[str, int]:
        """Those that are given, by the names of the parameters of `image`."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width."""
        return None if self.height is None or self.width is None else (self.height, self.width)

    def __bool__(self) -> bool:
        return bool(self.given)

    def over(self, other: Image) -> Image:
        """This one, and the other's where this one leaves something open."""
        return Image(**{**other.given, **self.given})


AS_WRITTEN = Image()
"""The image is that of the spec."""
