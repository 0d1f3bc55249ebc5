"""What encoders, decoders and whoever has left had goes back to the system."""

import ctypes
from typing import Final

LARGE: Final = 1 << 20
"""Bytes from which a block is the system's own. The encoders' pictures of 720p are (1.6 MB in libvpx, 4 MB in libx264).
What comes and goes many times a second is not, which is tiles' pictures (up to 0.8 MB where there are two): touching a
new block's pages for the first time costs as much as copying them.
"""
SPARE: Final = 16 << 20
"""Bytes that may lie unused at the end of a heap."""

GIVE_BACK_EVERY_S: Final = 10.0

_M_MMAP_THRESHOLD: Final = -3  # malloc.h
_M_TRIM_THRESHOLD: Final = -1


def give_back_large_blocks() -> bool:
    """Set the process's allocator so; false where it has no such setting (it is glibc's).

    Left to itself it raises the threshold to the largest block that was ever freed, and keeps all blocks below that in
    the heap of the thread that asked for them. There they stay when a rendition or a room ends, between others that
    live: a worker through which people come and go would grow by an encoder now and then.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGE) and mallopt(_M_TRIM_THRESHOLD, SPARE))


def give_back_what_is_free() -> bool:
    """Give the pages of every heap that hold nothing back to the system; false where that cannot be (it is glibc's).

    Each thread has a heap of its own, which is as large as what it held at its busiest moment, with holes between what
    lives: 40 MB of 100 after a while in which people came and went, and more with each moment that is busier still.
    Takes 0.5 to 4 ms of CPU, without the interpreter's lock; one heap after the other waits for it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
