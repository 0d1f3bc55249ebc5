"""Who calls: HTTP Basic with a project's id and one of its API tokens."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from parlour.domain.errors import NotAuthorized
from parlour.domain.token import Permission, Token, digest
from parlour.front.header import header
from parlour.store import tokens
from parlour.store.database import Database

TRUSTED_FOR_S = 0.5
"""How long a checked token is taken as good without asking again. A revocation on another front acts after that."""
CACHE_MAX = 10_000
HEADER_MAX = 1024


@dataclass(frozen=True, slots=True)
class _Checked:
    token: Token
    until: float


class Gate:
    """Admits callers. Checked tokens are remembered for a moment, so that a busy caller costs no query each time."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """``clock`` gives seconds that never go back."""
        self._database = database
        self._clock = clock
        self._checked: dict[bytes, _Checked] = {}
        self._hits = 0
        self._misses = 0
        self._refused = 0

    async def admit(self, request: Request, any_of: frozenset[Permission]) -> UUID:
        """The project in whose name the request comes.

        Raises ``NotAuthorized`` unless its token is good and carries one of the permissions.
        """
        given = header(request, b"authorization") or ""
        key = digest(given)
        checked = self._checked.get(key)
        if checked is None or self._clock() >= checked.until:
            self._misses += 1
            checked = await self._check(given, key)
        else:
            self._hits += 1
        if checked is None or not checked.token.may(any_of):
            self._refused += 1
            raise NotAuthorized
        return checked.token.project_id

    def forget(self, token: UUID) -> None:
        """Trust a token no longer, at once."""
        for key, checked in list(self._checked.items()):
            if checked.token.id == token:
                del self._checked[key]

    def statistics(self) -> dict[str, float]:
        """Counts since the start."""
        return {
            "hits": self._hits,
            "misses": self._misses,
            "refused": self._refused,
            "cached": len(self._checked),
        }

    async def _check(self, given: str, key: bytes) -> _Checked | None:
        self._checked.pop(key, None)
        credentials = _read(given)
        if credentials is None:
            return None
        project, secret = credentials
        asked_at = self._clock()
        token = await self._database.run(lambda connection: tokens.find(connection, project, digest(secret)))
        if token is None or not token.matches(secret):
            return None
        while len(self._checked) >= CACHE_MAX:
            del self._checked[next(iter(self._checked))]
        checked = self._checked[key] = _Checked(token, asked_at + TRUSTED_FOR_S)
        return checked


def _read(given: str) -> tuple[UUID, str] | None:
    scheme, _, encoded = given.partition(" ")
    if scheme.lower() != "basic" or len(given) > HEADER_MAX:
        return None
    try:
        project, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        return (UUID(project), secret) if separator and secret else None
    except (binascii.Error, ValueError):
        return None
