"""``/healthz``, ``/readyz`` and ``/metrics``: how the server is."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.front.errors import render
from parlour.front.front import front_of

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz(_request: Request) -> Response:
    """The process runs and answers."""
    return render(200, {"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """The server can do its work just now: the database takes a write. Else 503 with ``Retry-After``."""
    await front_of(request).database.probe()
    return render(200, {"status": "ready"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    text, kind = front_of(request).metrics.exposition()
    return Response(text, media_type=kind)
