"""API tokens: what they may do, how they are made and how they are kept."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

PREFIX = "PT"
SECRET_BYTES = 24
"""192 bits, the length of the service's own tokens: 48 hexadecimal digits behind the prefix."""
TOKEN_MIN, TOKEN_MAX = 16, 200
"""Characters of a token that an operator brings along."""
TOKEN_NAME_MAX = 100


class Permission(StrEnum):
    """What a token may be allowed to do; the names are the service's."""

    CALLING = "calling"
    CHAT = "chat"
    DATASPHERE = "datasphere"
    FAX = "fax"
    MANAGEMENT = "management"
    MESSAGING = "messaging"
    NUMBERS = "numbers"
    PUBSUB = "pubsub"
    STORAGE = "storage"
    TASKING = "tasking"
    VIDEO = "video"


ROOMS = frozenset({Permission.CALLING, Permission.MESSAGING, Permission.FAX, Permission.VIDEO})
"""Any one of these opens the room endpoints (the create page names Voice, Messaging, Fax and Video)."""
TOKENS = frozenset({Permission.MANAGEMENT})
"""Any one of these opens the token endpoints."""


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as it is kept: its SHA-256, never the token itself.

    ``hint`` is the token's last four characters, so that a person can tell tokens apart.
    """

    id: UUID
    project_id: UUID
    name: str
    permissions: frozenset[Permission]
    digest: bytes
    hint: str
    created_at: datetime
    updated_at: datetime

    @property
    def masked(self) -> str:
        """The token as it may be shown again: ``PT…1a2b``."""
        return f"{PREFIX}…{self.hint}"

    def matches(self, secret: str) -> bool:
        """Whether ``secret`` is this token, compared in constant time."""
        return hmac.compare_digest(self.digest, digest(secret))

    def may(self, any_of: frozenset[Permission]) -> bool:
        """Whether the token carries any one of these permissions."""
        return not self.permissions.isdisjoint(any_of)


def spell(randomness: bytes) -> str:
    """Spell ``SECRET_BYTES`` random bytes as a token."""
    return PREFIX + randomness.hex()


def digest(secret: str) -> bytes:
    """What is kept of a token. A plain hash is enough: the token is random, so there is nothing to guess at."""
    return hashlib.sha256(secret.encode()).digest()
