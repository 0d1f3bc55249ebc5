"""The address that a room is dialled at: ``/public/<slug>``."""

import re
from dataclasses import dataclass
from uuid import UUID

CONTEXT = "public"
SLUG_MAX = 100

_PLAIN = re.compile(r"[A-Za-z0-9_-]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a resource can be dialled; ``name`` is the slug, unique within its project."""

    id: UUID
    name: str

    @property
    def uri(self) -> str:
        """The dialled form, without a channel."""
        return f"/{CONTEXT}/{self.name}"


def is_plain(name: str) -> bool:
    """Whether a name can stand in an address as it is."""
    return len(name) <= SLUG_MAX and _PLAIN.match(name) is not None


def numbered(slug: str, number: int) -> str:
    """The slug of the ``number``-th room whose name gives the same ``slug``; the first bears it bare."""
    return slug if number == 1 else f"{slug}-{number}"
