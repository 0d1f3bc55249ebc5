"""The slug of a name: what stands for it in an address."""

from slugify import slugify

from parlour.domain.address import SLUG_MAX, is_plain

NAMELESS = "room"


def slug_of(name: str) -> str:
    """The name itself where it can stand in an address, else its letters and digits in ASCII, joined by dashes.

    >>> slug_of("Coffee_Cafe"), slug_of("Café Zürich"), slug_of("Кафе"), slug_of("☕")
    ('Coffee_Cafe', 'cafe-zurich', 'kafe', 'room')
    """
    return name if is_plain(name) else slugify(name, max_length=SLUG_MAX) or NAMELESS
