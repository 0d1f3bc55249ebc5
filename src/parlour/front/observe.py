"""The outermost layer: a request's id, its log line, its figures, and the last word on failures."""

import logging
import os
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parlour.front.access_log import AccessLog
from parlour.front.metrics import Metrics

ID_HEADER = b"x-request-id"
HIDDEN = "secret"
"""The name of a path's parameter that nobody else may read."""
_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,128}\Z")

log = logging.getLogger("parlour.front")


class Observe:
    """Wraps the application. Whatever happens inside is answered, counted and logged under the request's id."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access: AccessLog | None = None) -> None:
        """Without ``access`` requests are not logged."""
        self._app = app
        self._metrics = metrics
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        status = 0

        async def tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (ID_HEADER, request_id)]
            await send(message)

        try:
            await self._app(scope, receive, tagged)
        except Exception:
            # The application answered 500 before it let this through; the server's own log would not know the id.
            log.exception("request %s failed", request_id.decode())
            if not status:
                raise
        finally:
            seconds = time.perf_counter() - began
            route = scope.get("route")
            self._metrics.request(scope["method"], route.path_format if route else "none", status, seconds)
            if self._access is not None:
                # What is a permission by itself stays out of the log.
                path = route.path_format if route and HIDDEN in scope["path_params"] else scope["path"]
                self._access.request(scope["method"], path, status, seconds, request_id)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == ID_HEADER and _SANE.match(value):
            found: bytes = value
            return found
    return os.urandom(12).hex().encode()
