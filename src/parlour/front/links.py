"""Links that are their own permission: whoever has one may look. What is behind them stays private."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from parlour.domain.errors import Gone, NotFound
from parlour.store import keys
from parlour.store.database import Database

SESSIONS = "/api/video/room_sessions"
RECORDINGS = "/api/video/room_recordings"
KEY_NAME = "links"
KEY_BYTES = 32
LIFE_S = 900
"""Seconds that a link to a recording's file is good for, unless its asker says otherwise."""
LIFE_MAX_S = 7 * 24 * 60 * 60
"""The longest that may be asked for: a link cannot be taken back, only its recording can be deleted."""
_DIGITS_MAX = 12


def preview_url(origin: str, session_id: object, secret: str) -> str | None:
    """Where a session's moving picture is, the same for as long as it goes on; ``None`` where there is none."""
    return f"{origin}{SESSIONS}/{session_id}/preview/{secret}" if secret else None


class FileLinks:
    """Links to recordings' files, which expire.

    They are signed (HMAC-SHA-256) with a key that is made once per installation and kept in the database, so that any
    front knows what another one has signed.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._key: bytes | None = None

    async def ready(self) -> None:
        """Know the key. Raises ``Unavailable``."""
        if self._key is None:
            proposed, now = secrets.token_bytes(KEY_BYTES), self._now()
            self._key = await self._database.transact(
                lambda connection: keys.ensure(connection, KEY_NAME, proposed, now)
            )

    def url(self, origin: str, recording: UUID, life: int) -> str:
        """A link to a recording's file, good for ``life`` seconds; only once ``ready``."""
        expires = str(int(self._now().timestamp()) + life)
        query = urlencode({"expires": expires, "signature": self._signature(recording, expires)})
        return f"{origin}{RECORDINGS}/{recording}/file?{query}"

    async def check(self, recording: UUID, expires: str, signature: str) -> None:
        """Raises ``NotFound`` for a link that is none of ours, ``Gone`` for one whose time is over."""
        await self.ready()
        genuine = self._signature(recording, expires[:_DIGITS_MAX])
        if not hmac.compare_digest(genuine.encode(), signature.encode(errors="replace")) or len(expires) > _DIGITS_MAX:
            raise NotFound
        if self._now().timestamp() >= int(expires):
            raise Gone

    def _signature(self, recording: UUID, expires: str) -> str:
        if self._key is None:
            raise RuntimeError("the key is not known yet")
        digest = hmac.digest(self._key, f"{recording} {expires}".encode(errors="replace"), hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()
