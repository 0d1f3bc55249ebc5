"""The file of a recording, behind a link that expires; see ``FileLinks``."""

import re
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound
from parlour.front.api.recording_schema import KIND
from parlour.front.front import front_of
from parlour.front.links import RECORDINGS
from parlour.front.objects import Changed
from parlour.front.path import path_id
from parlour.front.sending import send_object
from parlour.front.slug import slug_of
from parlour.store import recordings
from parlour.store.recordings import Recording

NAME_MAX = 100
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f\\/:*?"<>|]+')
"""What file systems do not take in a name."""

router = APIRouter(include_in_schema=False)


@router.api_route(f"{RECORDINGS}/{{id}}/file", methods=["GET", "HEAD"])
async def file(request: Request) -> Response:
    """The file, or a part of it. Whoever has the link may; it says nothing of who that is."""
    front = front_of(request)
    key, query = path_id(request), request.query_params
    await front.file_links.check(key, query.get("expires", ""), query.get("signature", ""))
    recorded = await front.database.run(lambda connection: recordings.file_of(connection, key))
    found = await front.objects.find(recorded[0].key) if recorded is not None else None
    if recorded is None or found is None:
        raise NotFound
    headers = {
        "Content-Disposition": _disposition(*recorded),
        "Cache-Control": "private, no-cache",
        "Referrer-Policy": "no-referrer",
    }
    try:
        return await send_object(request, front.objects, found, KIND, headers)
    except Changed:
        raise NotFound from None


def _disposition(recording: Recording, room: str) -> str:
    """A file name that says what it is, in ASCII for those who know no other (RFC 6266)."""
    when = f"{recording.started_at:%Y-%m-%d %H-%M}"
    readable = f"{_UNFIT.sub('_', room)[:NAME_MAX].strip(' .')} {when}.mp4".strip()
    return f"attachment; filename=\"{slug_of(room)} {when}.mp4\"; filename*=UTF-8''{quote(readable, safe='')}"
