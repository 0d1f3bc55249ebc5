"""Identifiers that sort by the time they were made, so that a list can be walked by its keys alone."""

from uuid import UUID

_MILLISECOND = 1_000_000


def time_ordered_id(nanoseconds: int, randomness: int) -> UUID:
    """Make a UUID of version 7 (RFC 9562 section 5.7).

    ``nanoseconds`` are Unix nanoseconds. The 12 bits behind the millisecond hold its fraction (section 6.2, method 3),
    a quarter of a microsecond each, so that ids made one after the other in one process sort that way. ``randomness``
    are at least 62 random bits; more are cut off.
    """
    milliseconds, rest = divmod(nanoseconds, _MILLISECOND)
    fraction = (rest << 12) // _MILLISECOND
    low = randomness & ((1 << 62) - 1)
    return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | low)


def made_at(identifier: UUID) -> float:
    """When a UUID of version 7 was made, in Unix seconds; of any other one nonsense."""
    return (identifier.int >> 80) / 1000
