"""Devices for roofline times: peak arithmetic and memory bandwidth, from their makers' data sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ITEMSIZE: Mapping[str, int] = MappingProxyType(
    {"float64": 8, "float32": 4, "tf32": 4, "float16": 2, "bfloat16": 2},
)
"""Bytes of a number; `tf32` are float32 that are multiplied with 10 bits of their mantissa."""


@dataclass(frozen=True, slots=True)
class Device:
    """`flops`: peak FLOP per second of each dtype, a multiply-accumulate being two; `bandwidth`: bytes per second."""

    name: str
    flops: Mapping[str, float]
    bandwidth: float
    source: str


def _device(name: str, bandwidth: float, source: str, **tera: float) -> Device:
    return Device(name, MappingProxyType({dtype: value * 1e12 for dtype, value in tera.items()}), bandwidth, source)


DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        device.name: device
        for device in (
            _device(
                "a100",
                2039e9,
                "NVIDIA A100 80GB SXM data sheet, 2021; dense",
                float64=9.7,
                float32=19.5,
                tf32=156,
                float16=312,
                bfloat16=312,
            ),
            _device(
                "h100",
                3350e9,
                "NVIDIA H100 SXM data sheet, 2023; dense: half of what it gives with sparsity",
                float64=34,
                float32=67,
                tf32=494.5,
                float16=989.5,
                bfloat16=989.5,
            ),
            _device("v100", 900e9, "NVIDIA V100 SXM2 data sheet, 2018", float64=7.8, float32=15.7, float16=125),
            _device("t4", 320e9, "NVIDIA T4 data sheet, 2019", float32=8.1, float16=65),
            _device(
                "i7-1165g7",
                68.3e9,
                "Intel ARK: 4 cores at 2.8 GHz, 32 float32 operations a cycle (one AVX-512 FMA); LPDDR4x-4267",
                float64=0.1792,
                float32=0.3584,
            ),
        )
    }
)


def device_of(text: str) -> Device:
    """A device by its name, or by its figures, `FLOPS/BANDWIDTH`: `20T/900G`. Raises ValueError."""
    known = DEVICES.get(text.lower())
    if known is not None:
        return known
    parts = text.split("/")
    if len(parts) == 2:
        flops, bandwidth = map(_number, parts)
        if flops and bandwidth:
            return Device(text, MappingProxyType(dict.fromkeys(ITEMSIZE, flops)), bandwidth, "as given")
    raise ValueError(f"{text!r} is no device: {', '.join(DEVICES)}, or FLOP/s and bytes/s, 20T/900G")


_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}


def _number(text: str) -> float | None:
    """`19.5T`; None for what is no number above 0."""
    text = text.strip()
    unit = text[-1:].upper() if text[-1:].isalpha() else ""
    digits = text.removesuffix(text[-1:]) if unit else text
    plain = digits.replace(".", "", 1)
    if unit not in _UNITS or not (plain.isascii() and plain.isdigit()) or len(digits) > 18:
        return None
    return float(digits) * _UNITS[unit] or None
