"""Sessions, who was in them and what happened there, as the journal tells."""

import hmac
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.live.journal import Entry, KeptSession
from parlour.domain.moment import format_moment
from parlour.domain.room import RoomSettings
from parlour.store import recordings
from parlour.store.paging import Page, Position, fetch_page
from parlour.store.tables import projects, session_events, session_members, sessions
from parlour.store.upsert import put_once, put_younger

LOST = "The server that recorded was lost."
"""Why a recording ended that went down with its session."""

log = logging.getLogger("parlour.store")


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is kept. ``settings`` are the room's as the API shows them; ``preview`` is a secret."""

    id: UUID
    project_id: UUID
    room_id: UUID
    name: str
    settings: Mapping[str, Any]
    layout: str
    locked: bool
    preview: str
    started_at: datetime
    ended_at: datetime | None
    told_at: datetime


@dataclass(frozen=True, slots=True)
class SessionMember:
    """Somebody, or a shared screen, who is or was in."""

    id: UUID
    session_id: UUID
    name: str
    kind: str
    joined_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something that happened."""

    id: UUID
    project_id: UUID
    session_id: UUID
    room_id: UUID
    member_id: UUID | None
    recording_id: UUID | None
    name: str
    payload: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions to list. ``in_progress`` is ``None`` for all, ``name_has`` a part of the name in any case."""

    room_id: UUID | None = None
    name: str | None = None
    name_has: str | None = None
    in_progress: bool | None = None


_SELECT: sa.Select[Any] = sa.select(*sessions.c)
_MEMBERS: sa.Select[Any] = sa.select(*(session_members.c[name] for name in SessionMember.__dataclass_fields__))
_EVENTS: sa.Select[Any] = sa.select(*(session_events.c[name] for name in SessionEvent.__dataclass_fields__))


def keep(connection: sa.Connection, entries: Sequence[Entry]) -> None:
    """Write down what the journal tells, as often as it is told. What is of no project of this installation is not."""
    entries = sorted(_of_ours(connection, entries), key=lambda entry: entry.at)
    put_younger(connection, sessions, [_session_row(entry, entry.session) for entry in entries if entry.session])
    put_younger(connection, session_members, [_member_row(entry) for entry in entries if entry.member])
    recordings.keep(connection, entries)
    put_once(connection, session_events, [_event_row(entry) for entry in entries])
    _see_out(connection, {UUID(entry.session_id) for entry in entries})


def get(connection: sa.Connection, project: UUID, key: UUID) -> Session | None:
    """One session of a project."""
    row = connection.execute(_SELECT.where(sessions.c.project_id == project, sessions.c.id == key)).first()
    return None if row is None else _session(row)


def page(connection: sa.Connection, project: UUID, position: Position, size: int, wanted: Wanted) -> Page[Session]:
    """A page of a project's sessions, the newest first."""
    query = _SELECT.where(sessions.c.project_id == project)
    if wanted.room_id is not None:
        query = query.where(sessions.c.room_id == wanted.room_id)
    if wanted.name is not None:
        query = query.where(sessions.c.name == wanted.name)
    if wanted.name_has is not None:
        query = query.where(sa.func.lower(sessions.c.name).contains(wanted.name_has.lower(), autoescape=True))
    if wanted.in_progress is not None:
        ended = sessions.c.ended_at
        query = query.where(ended.is_(None) if wanted.in_progress else ended.is_not(None))
    return fetch_page(connection, query, sessions.c.id, position, size, _session)


def members(connection: sa.Connection, session: UUID, position: Position, size: int) -> Page[SessionMember]:
    """A page of who was in a session, the last to come first."""
    query = _MEMBERS.where(session_members.c.session_id == session)
    return fetch_page(connection, query, session_members.c.id, position, size, lambda row: SessionMember(*tuple(row)))


def events(connection: sa.Connection, session: UUID, position: Position, size: int) -> Page[SessionEvent]:
    """A page of what happened in a session, the latest first."""
    query = _EVENTS.where(session_events.c.session_id == session)
    return fetch_page(connection, query, session_events.c.id, position, size, lambda row: SessionEvent(*tuple(row)))


def events_of_recording(
    connection: sa.Connection, recording: UUID, position: Position, size: int
) -> Page[SessionEvent]:
    """A page of what happened to a recording, the latest first."""
    query = _EVENTS.where(session_events.c.recording_id == recording)
    return fetch_page(connection, query, session_events.c.id, position, size, lambda row: SessionEvent(*tuple(row)))


def in_progress(connection: sa.Connection, room_ids: Iterable[UUID]) -> dict[UUID, Session]:
    """The sessions that go on in these rooms, by room."""
    asked = sorted(set(room_ids))
    if not asked:
        return {}
    query = _SELECT.where(sessions.c.room_id.in_(asked), sessions.c.ended_at.is_(None)).order_by(sessions.c.id)
    return {session.room_id: session for session in map(_session, connection.execute(query))}


def all_in_progress(connection: sa.Connection, limit: int) -> list[Session]:
    """Sessions that go on anywhere, the oldest first."""
    query = _SELECT.where(sessions.c.ended_at.is_(None)).order_by(sessions.c.id).limit(limit)
    return [_session(row) for row in connection.execute(query)]


def previewed(connection: sa.Connection, session: UUID, secret: str) -> bool:
    """Whether the session goes on and its preview has this secret."""
    query = sa.select(sessions.c.preview).where(sessions.c.id == session, sessions.c.ended_at.is_(None))
    kept: str | None = connection.execute(query).scalar()
    return bool(kept and hmac.compare_digest(kept.encode(), secret.encode(errors="replace")))


def end_lost(connection: sa.Connection, session: Session, now: datetime) -> bool:
    """End a session that nobody can end any more, as of when it was last heard of; whether it was going on."""
    heard = connection.execute(
        sa.select(sa.func.max(session_events.c.created_at)).where(session_events.c.session_id == session.id)
    ).scalar()
    ended_at = heard or session.told_at
    ended = connection.execute(
        sessions.update()
        .where(sessions.c.id == session.id, sessions.c.ended_at.is_(None), sessions.c.told_at == session.told_at)
        .values(ended_at=ended_at, told_at=now)
    ).rowcount
    if ended:
        connection.execute(
            session_members.update()
            .where(session_members.c.session_id == session.id, session_members.c.left_at.is_(None))
            .values(left_at=ended_at, told_at=now)
        )
        recordings.end_of_session(connection, session.id, ended_at, LOST, now)
    return bool(ended)


def _see_out(connection: sa.Connection, of: Iterable[UUID]) -> None:
    """Nobody stays in a session that is over.

    Nothing is told of the end of those who went down with a worker and do not come back, such as screens.
    """
    over = sa.select(sessions.c.id, sessions.c.ended_at).where(
        sessions.c.id.in_(sorted(of)), sessions.c.ended_at.is_not(None)
    )
    for session, ended_at in connection.execute(over).all():
        inside = sa.and_(session_members.c.session_id == session, session_members.c.left_at.is_(None))
        connection.execute(session_members.update().where(inside).values(left_at=ended_at))


def _of_ours(connection: sa.Connection, entries: Sequence[Entry]) -> Iterator[Entry]:
    asked = {entry.project_id for entry in entries}
    ours = set(connection.execute(sa.select(projects.c.id).where(projects.c.id.in_(sorted(asked)))).scalars())
    for entry in entries:
        if entry.project_id not in ours or not _has_ids(entry):
            log.warning("an entry of the journal is of nothing here: %s of session %s", entry.name, entry.session_id)
        else:
            yield entry


def _has_ids(entry: Entry) -> bool:
    try:
        for of in (entry.session_id, *(one.id for one in (entry.member, entry.recording) if one is not None)):
            UUID(of)
    except ValueError:
        return False
    return True


def _session_row(entry: Entry, kept: KeptSession) -> dict[str, Any]:
    return {
        "id": UUID(entry.session_id),
        "project_id": entry.project_id,
        "room_id": entry.room_id,
        "name": kept.settings.name,
        "settings": _shown(kept.settings),
        "layout": kept.layout,
        "locked": kept.locked,
        "preview": kept.preview,
        "started_at": moment(kept.started_at),
        "ended_at": moment(kept.ended_at),
        "told_at": moment(entry.at),
    }


def _member_row(entry: Entry) -> dict[str, Any]:
    member = entry.member
    assert member is not None  # noqa: S101 - as the caller has looked
    return {
        "id": UUID(member.id),
        "project_id": entry.project_id,
        "session_id": UUID(entry.session_id),
        "name": member.name,
        "kind": member.kind,
        "joined_at": moment(member.joined_at),
        "left_at": moment(member.left_at),
        "told_at": moment(entry.at),
    }


def _event_row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "project_id": entry.project_id,
        "session_id": UUID(entry.session_id),
        "room_id": entry.room_id,
        "member_id": UUID(entry.member.id) if entry.member else None,
        "recording_id": UUID(entry.recording.id) if entry.recording else None,
        "name": entry.name,
        "payload": entry.payload,
        "created_at": moment(entry.at),
    }


def moment(seconds: float | None) -> Any:
    """Unix seconds as a moment in UTC; ``None`` stays."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _shown(settings: RoomSettings) -> dict[str, Any]:
    def when(of: datetime | None) -> str | None:
        return None if of is None else format_moment(of.astimezone(UTC))

    return {
        "display_name": settings.display_name,
        "layout": settings.layout.value,
        "max_members": settings.max_members,
        "quality": settings.quality.value,
        "fps": settings.fps,
        "join_from": when(settings.join_from),
        "join_until": when(settings.join_until),
        "remove_at": when(settings.remove_at),
        "remove_after_seconds_elapsed": settings.remove_after_seconds_elapsed,
        "record_on_start": settings.record_on_start,
        "tone_on_entry_and_exit": settings.tone_on_entry_and_exit,
        "room_join_video_off": settings.room_join_video_off,
        "user_join_video_off": settings.user_join_video_off,
        "prioritize_handraise": settings.prioritize_handraise,
        "sync_audio_video": settings.sync_audio_video,
        "enable_room_previews": settings.enable_room_previews,
    }


def _session(row: sa.Row[Any]) -> Session:
    return Session(*tuple(row))
