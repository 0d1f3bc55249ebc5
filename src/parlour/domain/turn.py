"""What clients are told of the operator's STUN and TURN servers.

Where the list is not empty, browsers wait for each server in it before they call, and the SDK gives up on a call whose
every section did not get an address from one: what is named must work, TURN above all. The media workers need none of
it, as they are reached under their own addresses.
"""

import base64
import hmac
from collections.abc import Sequence
from typing import TypedDict

LIFE_S = 24 * 60 * 60
"""Seconds that a credential lasts, as the convention suggests: a call needs it for as long as it goes on."""


class IceServer(TypedDict, total=False):
    """An ``RTCIceServer`` as browsers take it."""

    urls: list[str]
    username: str
    credential: str


def ice_servers(
    stun: Sequence[str], turn: Sequence[str], secret: str, name: str, now: float, lifetime: int = LIFE_S
) -> list[IceServer]:
    """The servers for one client, with a TURN credential that expires.

    ``stun`` and ``turn`` are URLs, ``secret`` is shared with the TURN server (coturn's ``static-auth-secret``),
    ``name`` stands in the TURN server's log, ``now`` is Unix time and ``lifetime`` in seconds. Empty where nothing is
    configured: clients then use their own addresses alone. The credential is the TURN REST convention's: user
    ``<expiry>:<name>``, password the Base64 of HMAC-SHA1 over it.
    """
    servers: list[IceServer] = []
    if stun:
        servers.append({"urls": list(stun)})
    if turn and secret:
        username = f"{int(now) + lifetime}:{name}"
        digest = hmac.digest(secret.encode(), username.encode(), "sha1")
        credential = base64.b64encode(digest).decode()
        servers.append({"urls": list(turn), "username": username, "credential": credential})
    return servers
