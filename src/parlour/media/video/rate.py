"""How many bits a picture needs."""

KUSH = 0.07
"""Bits a pixel and frame of a picture with little motion: the "Kush gauge", a rule of thumb of the field."""


def kush_bitrate(width: int, height: int, fps: int, quality: float = 1.0) -> int:
    """Bits a second for a picture of this size (pixels): 1.935 Mbit/s at 1280×720 and 30 frames a second.

    ``quality`` is a motion factor, 1 for people who sit, up to 4 for sport. Raises `ValueError` outside of 0 to 4.
    """
    if not 0 < quality <= 4:
        raise ValueError(f"a quality of {quality} is not within 0 to 4")
    return round(width * height * fps * quality * KUSH)
