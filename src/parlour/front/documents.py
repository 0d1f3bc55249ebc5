"""What the front shows of itself: the API document and its page, the error codes, the default cover. All offline."""

import html
from importlib.resources import files

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound
from parlour.front.errors import CODES
from parlour.front.front import front_of

_PAGES = files("parlour.front") / "pages"
_ASSETS = {
    name: ((files("fastapi_offline") / "static" / name), kind)
    for name, kind in {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}.items()
}
_STRICT = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FOR_A_DAY = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The API document."""
    document = front_of(request).document()
    return Response(orjson.dumps(document, option=orjson.OPT_INDENT_2), media_type="application/json")


@router.get("/docs")
async def docs(_request: Request) -> Response:
    """The API page."""
    return Response((_PAGES / "docs.html").read_text(), headers=_STRICT, media_type="text/html")


@router.get("/docs/start.js")
async def start(_request: Request) -> Response:
    """What starts the API page."""
    return Response((_PAGES / "docs.js").read_text(), headers=_FOR_A_DAY, media_type="text/javascript")


@router.get("/docs/assets/{name}")
async def asset(request: Request) -> Response:
    """What the API page is made of."""
    try:
        file, kind = _ASSETS[request.path_params["name"]]
    except KeyError:
        raise NotFound from None
    return Response(file.read_bytes(), headers=_FOR_A_DAY, media_type=kind)


@router.get("/docs/errors")
async def errors(_request: Request) -> Response:
    """The error codes and what they mean."""
    rows = (f'      <dt id="{code}">{code}</dt>\n      <dd>{html.escape(words)}</dd>' for code, words in CODES.items())
    page = (_PAGES / "errors.html").read_text().replace("{codes}", "\n".join(rows))
    return Response(page, headers=_STRICT, media_type="text/html")


@router.get("/covers/room.svg")
async def cover(_request: Request) -> Response:
    """The picture that stands for a room without one of its own."""
    return Response((_PAGES / "room.svg").read_text(), headers=_FOR_A_DAY, media_type="image/svg+xml")
