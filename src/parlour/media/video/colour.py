"""Colours of the canvas: sRGB to limited-range BT.601, which browsers assume of a picture that says nothing else."""

import math
from hashlib import blake2s
from typing import NamedTuple


class Rgb(NamedTuple):
    """An sRGB colour, 0 to 255 each."""

    red: int
    green: int
    blue: int


class Yuv(NamedTuple):
    """A colour as the canvas holds it: limited range, Y 16 to 235, U and V 16 to 240."""

    y: int
    u: int
    v: int


def to_yuv(colour: Rgb) -> Yuv:
    """The limited-range BT.601 equivalent (ITU-R BT.601 section 2.5)."""
    red, green, blue = (part / 255 for part in colour)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return Yuv(
        round(16 + 219 * luma), round(128 + 112 * (blue - luma) / 0.886), round(128 + 112 * (red - luma) / 0.701)
    )


def oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    """The sRGB colour nearest to an Oklch one; hue in degrees. Equal lightness looks equally light in every hue.

    Matrices from Björn Ottosson, "A perceptual color space for image processing" (2020).
    """
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return Rgb(
        _companded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _companded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _companded(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _companded(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    return round(255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055))


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, 1.4.3)."""
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: Rgb) -> float:
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def hue_of(member_id: str) -> float:
    """A member's own hue in degrees, one of 24. The olive ones are left out: dark, they look soiled."""
    step = blake2s(member_id.encode(), digest_size=2).digest()[0] % 24
    return (130.0 + step * 305.0 / 24) % 360


BACKGROUND = Rgb(0x17, 0x19, 0x1D)
"""Canvas and letterbox: near black, so that bars recede, but lighter than a dead picture."""

TALKING = Rgb(0x34, 0xD3, 0x99)
"""The border of who speaks."""
