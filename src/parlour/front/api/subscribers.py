"""``/api/fabric/resources/subscribers``: the people whom the project knows."""

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import InvalidInput, NotFound, Problem
from parlour.domain.subscriber import Profile
from parlour.domain.token import ROOMS
from parlour.front.api.address_schema import LEADS_TO, FabricAddressList
from parlour.front.api.addresses import list_addresses_of
from parlour.front.api.join_tokens import new_subscriber
from parlour.front.api.subscriber_schema import (
    CreateSubscriberRequest,
    SubscriberList,
    SubscriberResponse,
    UpdateSubscriberRequest,
    subscriber_body,
)
from parlour.front.body import read_object
from parlour.front.describe import BY_ID, PAGING, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.listing import listed
from parlour.front.passwords import hash_password
from parlour.front.path import path_id
from parlour.front.problems import validate
from parlour.store import subscribers
from parlour.store.directory import SUBSCRIBER

PATH = "/api/fabric/resources/subscribers"

router = APIRouter(tags=["Subscribers"])
_SUBSCRIBER = identifier("id", "the subscriber")
_LEADS_TO = dict.fromkeys(
    ("get-subscriber", "update-subscriber", "delete-subscriber", "list-subscriber-addresses"), BY_ID
)


@router.post(
    PATH,
    description="Makes a subscriber. Asking for a token makes one as well.",
    **described(
        "create-subscriber",
        "Create subscriber",
        SubscriberResponse,
        (401, 413, 422, 500, 503),
        takes=CreateSubscriberRequest,
        leads_to=_LEADS_TO,
        status=201,
    ),
)
async def create_subscriber(request: Request) -> Response:
    """Make a subscriber."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    given, _ = await read_object(request)
    values = validate(CreateSubscriberRequest, given).model_dump(exclude_unset=True)
    reference, password = values.pop("email"), values.pop("password", "")
    password_hash = await hash_password(password) if password else None
    subscriber, slug = new_subscriber(front, project, reference, Profile(**values))
    made = await front.database.transact(
        lambda connection: subscribers.create(connection, subscriber, slug, password_hash)
    )
    if made is None:
        raise _taken()
    return render(201, subscriber_body(made))


@router.get(
    PATH,
    description="Lists the project's subscribers, the newest first.",
    **described("list-subscribers", "List subscribers", SubscriberList, (401, 422, 500, 503), parameters=PAGING),
)
async def list_subscribers(request: Request) -> Response:
    """List subscribers."""
    project = await front_of(request).gate.admit(request, ROOMS)
    return await listed(request, project, subscribers.page, subscriber_body)


@router.get(
    f"{PATH}/{{id}}",
    description="Shows one subscriber.",
    **described("get-subscriber", "Get subscriber", SubscriberResponse, (401, 404, 500, 503), parameters=[_SUBSCRIBER]),
)
async def get_subscriber(request: Request) -> Response:
    """Show a subscriber."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    subscriber_id = path_id(request)
    subscriber = await front.database.run(lambda connection: subscribers.get(connection, project, subscriber_id))
    if subscriber is None:
        raise NotFound
    return render(200, subscriber_body(subscriber))


@router.put(
    f"{PATH}/{{id}}",
    description="Changes a subscriber. Fields that are not named keep their values.",
    **described(
        "update-subscriber",
        "Update subscriber",
        SubscriberResponse,
        (401, 404, 413, 422, 500, 503),
        takes=UpdateSubscriberRequest,
        parameters=[_SUBSCRIBER],
    ),
)
async def update_subscriber(request: Request) -> Response:
    """Change a subscriber."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    subscriber_id = path_id(request)
    given, _ = await read_object(request)
    values = validate(UpdateSubscriberRequest, given).model_dump(exclude_unset=True)
    if "email" in values:
        values["reference"] = values.pop("email")
    password = values.pop("password", "")
    password_hash = await hash_password(password) if password else None
    try:
        subscriber = await front.database.transact(
            lambda connection: subscribers.update(
                connection, project, subscriber_id, values, password_hash, front.now()
            )
        )
    except sa.exc.IntegrityError:
        raise _taken() from None
    if subscriber is None:
        raise NotFound
    return render(200, subscriber_body(subscriber))


@router.delete(
    f"{PATH}/{{id}}",
    description="Deletes a subscriber. Tokens of the subscriber open nothing from then on; calls go on to their end.",
    **described("delete-subscriber", "Delete subscriber", None, (401, 404, 500, 503), parameters=[_SUBSCRIBER]),
)
async def delete_subscriber(request: Request) -> Response:
    """Delete a subscriber."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    subscriber_id = path_id(request)
    if not await front.database.write(lambda connection: subscribers.delete(connection, project, subscriber_id)):
        raise NotFound
    return Response(status_code=204)


@router.get(
    f"{PATH}/{{id}}/addresses",
    description="Lists the subscriber's addresses: there is one.",
    **described(
        "list-subscriber-addresses",
        "List subscriber addresses",
        FabricAddressList,
        (401, 404, 422, 500, 503),
        parameters=[_SUBSCRIBER, *PAGING],
        leads_to=LEADS_TO,
    ),
)
async def list_subscriber_addresses(request: Request) -> Response:
    """List a subscriber's addresses."""
    return await list_addresses_of(request, SUBSCRIBER)


def _taken() -> InvalidInput:
    return InvalidInput(Problem("not_unique_within_project", "email belongs to another subscriber", "email"))
