"""The room's page: what people open in a browser to join. Built from ``web/`` into ``pages/room``.

Every room has the same page: whether there is a room at an address, and who may come in, the page learns from the
socket, with the invitation that stands in the fragment of its link and so reaches neither this server nor a log.
"""

import hashlib
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from parlour.domain.errors import NotFound

_BUILT = files("parlour.front") / "pages" / "room"
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_ASSET = re.compile(r"[A-Za-z0-9_-]{1,80}(\.[a-z]{2,4})\Z", re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z0-9_-]{1,120}\Z", re.ASCII)
_UNBUILT = "The room's page has not been built. Run `make web`.\n"

_POLICY = {
    # The socket may be elsewhere than the page: a token's header can name another host.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self),"
    " autoplay=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# An asset's name has a digest of its content in it.
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


router = APIRouter(include_in_schema=False)


class _Page(NamedTuple):
    content: bytes
    etag: str


@router.api_route("/rooms/{address}", methods=["GET", "HEAD"])
async def room(request: Request) -> Response:
    """The page of a room. ``HEAD`` tells the page the server's time."""
    if not _ADDRESS.match(request.path_params["address"]):
        raise NotFound
    page = _page()
    if page is None:
        return PlainTextResponse(_UNBUILT, 503)
    headers = _POLICY | {"Cache-Control": "no-cache", "ETag": page.etag}
    if request.headers.get("if-none-match") == page.etag:
        return Response(status_code=304, headers=headers)
    return Response(page.content, headers=headers, media_type="text/html")


@router.get("/rooms/assets/{name}")
async def asset(request: Request) -> Response:
    """What the page is made of."""
    found = _asset(request.path_params["name"])
    if found is None:
        raise NotFound
    content, kind = found
    return Response(content, headers=_FOR_GOOD, media_type=kind)


def _page() -> _Page | None:
    content = _read(_BUILT / "index.html")
    return _Page(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"') if content is not None else None


def _asset(name: str) -> tuple[bytes, str] | None:
    """Only what has been built: a name never leads anywhere else."""
    match = _ASSET.match(name)
    kind = _KINDS.get(match[1]) if match else None
    file = _BUILT / "assets" / name
    if kind is None:
        return None
    content = _read(file)
    return (content, kind) if content is not None else None


def _read(file: Traversable) -> bytes | None:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
