"""Passwords of subscribers, kept as scrypt hashes (RFC 7914) that carry their own parameters."""

import asyncio
import base64
import hashlib
import hmac
import secrets

N, R, P = 2**14, 8, 1
"""About 16 MiB and some 50 ms a hash."""
SALT_BYTES, KEY_BYTES = 16, 32
MEMORY_MAX = 64 * 1024 * 1024


async def hash_password(password: str) -> str:
    """Hash a password for keeping, off the event loop."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = await asyncio.to_thread(_derive, password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${_text(salt)}${_text(key)}"


async def password_matches(password: str, kept: str) -> bool:
    """Whether a password is the one whose hash was kept; takes the same time either way."""
    _, n, r, p, salt, key = kept.split("$")
    found = await asyncio.to_thread(_derive, password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, base64.b64decode(key))


def _derive(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=MEMORY_MAX, dklen=KEY_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
