"""Cross-origin requests (CORS) for the few routes that browsers call with a join token, and for previews.

Any origin may: the token, or the link, is what counts, and no cookie is ever read. Everything else takes an API
token, which has no business in a browser, and stays closed.
"""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN = re.compile(
    r"/api/fabric/(?:subscriber/info|subscriber/invites|embeds/tokens|addresses(?:/[^/]+)?)\Z"
    r"|/api/video/room_sessions/[^/]+/preview/[^/]+\Z",
)
_OPEN_TO_CHANGES = re.compile(r"/api/video/room_sessions/[^/]+/recordings(?:/[^/]+)?\Z")
"""Their lists are for API tokens."""
_ORIGIN = (b"access-control-allow-origin", b"*")
_EXPOSED = (b"access-control-expose-headers", b"x-request-id, retry-after")
_PREFLIGHT = [
    _ORIGIN,
    (b"access-control-allow-methods", b"GET, POST, PUT"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"86400"),
]


class Cors:
    """Wraps the application: answers preflights, and lets pages read what they asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or not _is_open(scope):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
            await send({"type": "http.response.body", "body": b""})
            return

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _ORIGIN, _EXPOSED]
            await send(message)

        await self._app(scope, receive, opened)


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"]
    changes = scope["method"] in {"POST", "PUT", "OPTIONS"}
    return bool(_OPEN.match(path) or (changes and _OPEN_TO_CHANGES.match(path)))
