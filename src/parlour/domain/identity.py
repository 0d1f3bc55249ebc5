"""Identifiers that sort by the time they were made, so that a list can be walked by its keys alone."""

from uuid import UUID

_RANDOM_BITS = 74


def time_ordered_id(milliseconds: int, randomness: int) -> UUID:
    """Make a UUID of version 7 (RFC 9562 section 5.7).

    ``milliseconds`` are Unix milliseconds, ``randomness`` at least 74 random bits; more are cut off.
    """
    bits = randomness & ((1 << _RANDOM_BITS) - 1)
    high, low = bits >> 62, bits & ((1 << 62) - 1)
    return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
