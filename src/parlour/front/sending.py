"""Files as answers: whole or a part of them (RFC 9110 section 14), read from the object store a piece at a time."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from email.utils import format_datetime, parsedate_to_datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from parlour.domain.errors import Unavailable
from parlour.front.objects import Changed, Found, Objects

PIECE = 256 * 1024
"""Octets that are read at a time for each who downloads."""
STALL_S = 60.0
"""How long a client may take for one piece."""
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*\Z", re.IGNORECASE)

log = logging.getLogger("parlour.front")


class Span(NamedTuple):
    """Octets of a file from ``start`` up to ``end``."""

    start: int
    end: int


class Unsatisfiable(Exception):  # noqa: N818 - RFC 9110's own word
    """A part is asked for that the file does not have."""


def wanted(value: str | None, size: int) -> Span | None:
    """The one part that a ``Range`` asks for, ``None`` for the whole file.

    What is no range of bytes, or several, is as good as none (RFC 9110 section 14.2). Raises ``Unsatisfiable``.
    """
    found = _RANGE.match(value) if value else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:  # the last so many
        span = Span(max(0, size - int(last)), size)
    elif last and int(last) < int(first):
        return None
    else:
        span = Span(int(first), min(int(last) + 1, size) if last else size)
    if span.start >= span.end:
        raise Unsatisfiable
    return span


async def send_object(
    request: Request, objects: Objects, found: Found, kind: str, headers: Mapping[str, str]
) -> Response:
    """Answer a GET or HEAD with an object of that media type."""
    common = {
        **headers,
        "Content-Type": kind,
        "ETag": found.etag,
        "Last-Modified": format_datetime(found.changed_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    if _is_known(request.headers.get("if-none-match"), found):
        del common["Content-Type"]
        return Response(None, 304, common)
    try:
        span = wanted(request.headers.get("range"), found.size) if _may_be_part(request, found) else None
    except Unsatisfiable:
        return Response(None, 416, {**headers, "Content-Range": f"bytes */{found.size}", "Content-Length": "0"})
    status = 200
    if span is not None:
        status = 206
        common["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{found.size}"
    span = span or Span(0, found.size)
    common["Content-Length"] = str(span.end - span.start)
    if request.method == "HEAD":
        return Response(None, status, common)
    objects.admit_download()
    # Read before the head goes out, so that a store which is away is told as such.
    first = await objects.read(found, span.start, min(span.start + PIECE, span.end)) if found.size else b""
    return _Pieces(objects, found, span, first, status, common)


class _Pieces(StreamingResponse):
    """A span of a file. Where the store fails or the client takes no more, the connection breaks off with it."""

    def __init__(
        self, objects: Objects, found: Found, span: Span, first: bytes, status: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__((), status, headers)
        self._objects = objects
        self._found = found
        self._span = span
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        with self._objects.downloading():
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send the head and the pieces, each within ``STALL_S``."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for piece, more in self._pieces():
                async with asyncio.timeout(STALL_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": more})
        except (Changed, Unavailable) as error:
            log.warning("a download breaks off: %s: %s", self._found.key, str(error) or "the file is another one now")
        except TimeoutError:
            log.warning("a download breaks off: %s: the client takes no more", self._found.key)

    async def _pieces(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Octets, and whether there are more."""
        start, end = self._span
        yield self._first, start + PIECE < end
        for begin in range(start + PIECE, end, PIECE):
            yield await self._objects.read(self._found, begin, min(begin + PIECE, end)), begin + PIECE < end


def _may_be_part(request: Request, found: Found) -> bool:
    """Whether a range counts: it does not for HEAD, nor where ``If-Range`` names an older file (section 13.1.5)."""
    if request.method != "GET":
        return False
    condition = request.headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return condition == found.etag  # strong comparison: a weak one never fits
    try:
        return parsedate_to_datetime(condition) == found.changed_at.replace(microsecond=0)
    except ValueError:
        return False


def _is_known(condition: str | None, found: Found) -> bool:
    if condition is None:
        return False
    known = [one.strip().removeprefix("W/") for one in condition.split(",")]
    return "*" in known or found.etag.removeprefix("W/") in known
