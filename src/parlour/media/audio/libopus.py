"""The functions of libopus that FFmpeg's wrapper keeps to itself, from the very library that came with PyAV.

The wrapper always decodes with ``decode_fec`` at 0, and knows no concealment but by packets that are made up.
"""

from ctypes import CDLL, c_char_p, c_int, c_int32, c_void_p
from ctypes.util import find_library
from functools import cache
from pathlib import Path

import av


@cache
def libopus() -> CDLL:
    """The library, which lets other threads run while it works. Raises ``OSError`` where there is none."""
    package = Path(av.__file__).parent
    found = [*package.parent.glob("av.libs/libopus*"), *package.glob(".dylibs/libopus*")]
    library = CDLL(str(found[0]) if found else find_library("opus") or "libopus.so.0")
    library.opus_decoder_get_size.argtypes = [c_int]
    library.opus_decoder_init.argtypes = [c_void_p, c_int32, c_int]
    library.opus_decode.argtypes = [c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int]
    library.opus_packet_has_lbrr.argtypes = [c_char_p, c_int32]
    return library
