"""Join tickets as tokens: JSON Web Encryption in compact form (RFC 7516), ``dir`` with ``A256GCM``.

The header says what a token is for (``typ``) in clear, as the browser SDK reads it; everything else is for the
server's eyes. The key is made once per installation and kept in the database, so that any front reads what another
one wrote.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from parlour.domain.errors import Refusal
from parlour.domain.ticket import REFRESH_EXTRA_S, Bearer, Ticket
from parlour.store import keys
from parlour.store.database import Database

KEY_NAME = "tickets"
KEY_BYTES = 32
TOKEN_MAX = 16 * 1024
"""Characters of a token that is worth looking at."""

_REGISTRY = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)


class Use(StrEnum):
    """What a token is for; its header's ``typ``."""

    ACCESS = "SAT"
    REFRESH = "Refresh"
    STATE = "State"


class BadToken(Refusal):
    """The token is none of ours, or for another use."""


class OldToken(BadToken):
    """The token was good once; its time is past. ``ticket`` is what it was."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__("the token has expired")
        self.ticket = ticket


class Tickets:
    """Writes and reads tokens. ``connect_host`` tells browser SDKs in each token where to connect to."""

    def __init__(self, database: Database, now: Callable[[], datetime], connect_host: str | None = None) -> None:
        self._database = database
        self._now = now
        self._connect_host = connect_host
        self._key: OctKey | None = None

    async def mint(self, ticket: Ticket, use: Use = Use.ACCESS) -> str:
        """Spell a ticket as a token."""
        extra = REFRESH_EXTRA_S if use is Use.REFRESH else 0
        return await self.seal(
            use,
            {
                "jti": ticket.id,
                "prj": str(ticket.project),
                "br": ticket.bearer,
                "iat": ticket.issued_at,
                "exp": ticket.expires_at + extra,
                "name": ticket.name,
                "sub": None if ticket.subscriber is None else str(ticket.subscriber),
                "adr": None if ticket.addresses is None else sorted(str(address) for address in ticket.addresses),
                "mod": ticket.moderator,
            },
        )

    async def read(self, token: str, use: Use = Use.ACCESS) -> Ticket:
        """Read a token. Raises ``BadToken``, and ``OldToken``, which has the ticket, when its time is past."""
        claims = await self.unseal(use, token)
        ticket = Ticket(
            claims["jti"],
            UUID(claims["prj"]),
            Bearer(claims["br"]),
            claims["iat"],
            claims["exp"],
            claims["name"],
            None if claims["sub"] is None else UUID(claims["sub"]),
            None if claims["adr"] is None else frozenset(map(UUID, claims["adr"])),
            claims["mod"],
        )
        if ticket.over(self._now().timestamp()):
            raise OldToken(ticket)
        return ticket

    async def seal(self, use: Use, content: dict[str, Any]) -> str:
        """Close up something that only this installation shall read."""
        header = {"alg": "dir", "enc": "A256GCM", "typ": use.value}
        if self._connect_host and use is Use.ACCESS:
            header["ch"] = self._connect_host
        return jwe.encrypt_compact(header, orjson.dumps(content), await self._ready(), registry=_REGISTRY)

    async def unseal(self, use: Use, token: str) -> dict[str, Any]:
        """Open what was sealed for that use. Raises ``BadToken``."""
        key = await self._ready()
        if len(token) > TOKEN_MAX or not token.isascii():
            raise BadToken("not a token")
        try:
            opened = jwe.decrypt_compact(token, key, registry=_REGISTRY)
        except (JoseError, ValueError) as error:
            raise BadToken("not a token of this server") from error
        if opened.headers().get("typ") != use or opened.plaintext is None:
            raise BadToken("a token for another use")
        content: dict[str, Any] = orjson.loads(opened.plaintext)
        return content

    def now(self) -> datetime:
        """The clock that tokens expire by."""
        return self._now()

    async def _ready(self) -> OctKey:
        if self._key is None:
            proposed, now = secrets.token_bytes(KEY_BYTES), self._now()
            kept = await self._database.transact(lambda connection: keys.ensure(connection, KEY_NAME, proposed, now))
            self._key = OctKey.import_key(kept)
        return self._key
