"""Moments in time as the wire spells them: RFC 3339 in, second-precise UTC out."""

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})\Z",
    re.ASCII,
)


def parse_moment(text: str) -> datetime:
    """Read an RFC 3339 date-time with any offset, or a bare date that means midnight UTC.

    Fractions beyond a microsecond are cut; a leap second (``:60``, RFC 3339 section 5.6) is the second after
    ``:59``. The result is in UTC. Raises ``ValueError`` for anything else, also for a moment that UTC cannot
    show within the years 1 to 9999.
    """
    if _DATE.match(text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    found = _DATE_TIME.match(text)
    if not found:
        raise ValueError("not an RFC 3339 date-time")
    text = text.upper()
    if fraction := found[1]:
        text = text.replace(fraction, fraction[:7].ljust(7, "0"), 1)
    leap = text[17:19] == "60"
    if leap:
        text = f"{text[:17]}59{text[19:]}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC) + timedelta(seconds=leap)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def format_moment(moment: datetime) -> str:
    """Write a UTC moment as ``2024-05-06T12:20:00Z``, truncated to the second."""
    return f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{moment.hour:02}:{moment.minute:02}:{moment.second:02}Z"
