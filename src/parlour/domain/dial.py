"""What somebody dials: ``/public/coffee_cafe?channel=video``."""

import re
from dataclasses import dataclass

from parlour.domain.address import CONTEXT, SLUG_MAX

_DIALLED = re.compile(
    rf"(?:/(?P<context>[a-z]{{1,20}})/)?(?P<name>[A-Za-z0-9_-]{{1,{SLUG_MAX + 20}}})(?:\?(?P<query>[!-~]{{0,200}}))?\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Dialled:
    """A destination taken apart; ``channel`` is ``audio`` or ``video``."""

    context: str
    name: str
    channel: str


def parse_dialled(text: str) -> Dialled:
    """Read a dial string. Without a context it means the public one, without a channel video.

    Raises ``ValueError`` for what can be no address.
    """
    found = _DIALLED.match(text)
    if not found:
        raise ValueError("not an address")
    parameters = dict(pair.partition("=")[::2] for pair in (found["query"] or "").split("&"))
    channel = parameters.get("channel", "video")
    if channel not in {"audio", "video"}:
        raise ValueError("the channel must be audio or video")
    return Dialled(found["context"] or CONTEXT, found["name"], channel)
