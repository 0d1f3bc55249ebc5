"""The moving picture of a session, for whoever has its link: a page shows it as it shows any picture."""

from contextlib import suppress

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound
from parlour.front.front import front_of
from parlour.front.links import SESSIONS
from parlour.front.objects import Changed
from parlour.front.path import path_id
from parlour.front.sending import send_object
from parlour.objects import preview_key
from parlour.store import sessions

KIND = "image/webp"
TRIES = 3
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
}

router = APIRouter(include_in_schema=False)


@router.api_route(f"{SESSIONS}/{{id}}/preview/{{secret}}", methods=["GET", "HEAD"])
async def preview(request: Request) -> Response:
    """The picture. There is none when the session is over, has no previews, or has none yet."""
    front = front_of(request)
    key, secret = path_id(request), request.path_params["secret"]
    if not await front.database.run(lambda connection: sessions.previewed(connection, key, secret)):
        raise NotFound
    for _ in range(TRIES):
        found = await front.objects.find(preview_key(secret))
        if found is None:
            break
        with suppress(Changed):  # it was renewed between the two
            return await send_object(request, front.objects, found, KIND, _HEADERS)
    raise NotFound
