"""Recordings, as the journal tells of them. The files are in the object store.

A recording that is deleted leaves its row behind: the journal may tell of it once more, and it must not come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.live.journal import Entry
from parlour.domain.live.recording import Recording as LiveRecording
from parlour.domain.live.recording import RecordingStatus
from parlour.store.paging import Page, Position, fetch_page
from parlour.store.tables import UtcDateTime, recordings, sessions
from parlour.store.upsert import put_younger

_FINISHED = RecordingStatus.COMPLETED.value
_LIVE = (RecordingStatus.RECORDING.value, RecordingStatus.PAUSED.value)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it is kept; ``duration`` in seconds, ``size`` in octets, ``key`` empty where there is no file."""

    id: UUID
    project_id: UUID
    session_id: UUID
    status: RecordingStatus
    started_at: datetime
    finished_at: datetime | None
    duration: float | None
    size: int | None
    key: str
    reason: str
    told_at: datetime

    @property
    def is_finished(self) -> bool:
        """Whether its file is there, or will never be."""
        return self.status is RecordingStatus.COMPLETED


_SELECT: sa.Select[Any] = sa.select(*(recordings.c[name] for name in Recording.__dataclass_fields__))
_THERE = recordings.c.deleted_at.is_(None)


def keep(connection: sa.Connection, entries: Sequence[Entry]) -> None:
    """Write down what entries tell of recordings, in their order."""
    put_younger(
        connection,
        recordings,
        [
            _row(entry.recording, entry.project_id, UUID(entry.session_id), _moment(entry.at))
            for entry in entries
            if entry.recording is not None
        ],
    )


def as_told(told: LiveRecording, project: UUID, session: UUID, told_at: datetime) -> Recording:
    """A recording as its room tells it."""
    row = _row(told, project, session, told_at)
    return Recording(**{**row, "status": told.status})


def note(connection: sa.Connection, told: Recording, since: datetime | None) -> None:
    """Write down what a room has just answered, unless the journal has told of the recording after ``since``.

    That is when it was told of last; ``None`` for a recording that was not known.
    """
    row = {name: getattr(told, name) for name in Recording.__dataclass_fields__}
    row |= {"status": told.status.value, "told_at": since or told.started_at}
    put_younger(connection, recordings, [row])


def get(connection: sa.Connection, project: UUID, key: UUID) -> Recording | None:
    """One recording of a project."""
    row = connection.execute(_SELECT.where(recordings.c.project_id == project, recordings.c.id == key, _THERE)).first()
    return None if row is None else _recording(row)


def page(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[Recording]:
    """A page of a project's recordings, the newest first."""
    query = _SELECT.where(recordings.c.project_id == project, _THERE)
    return fetch_page(connection, query, recordings.c.id, position, size, _recording)


def of_session(connection: sa.Connection, session: UUID, position: Position, size: int) -> Page[Recording]:
    """A page of a session's recordings, the newest first."""
    query = _SELECT.where(recordings.c.session_id == session, _THERE)
    return fetch_page(connection, query, recordings.c.id, position, size, _recording)


def live(connection: sa.Connection, session: UUID) -> Recording | None:
    """The recording of a session that goes on, paused or not."""
    query = _SELECT.where(recordings.c.session_id == session, recordings.c.status.in_(_LIVE), _THERE)
    row = connection.execute(query.order_by(recordings.c.id.desc()).limit(1)).first()
    return None if row is None else _recording(row)


def file_of(connection: sa.Connection, key: UUID) -> tuple[Recording, str] | None:
    """A recording of any project that has a file, and the name of the room it is of."""
    query = _SELECT.add_columns(sessions.c.name).outerjoin(sessions, sessions.c.id == recordings.c.session_id)
    row = connection.execute(query.where(recordings.c.id == key, recordings.c.key != "", _THERE)).first()
    return None if row is None else (_recording(row[:-1]), row[-1] or "")


def delete(connection: sa.Connection, project: UUID, key: UUID, now: datetime) -> bool:
    """Let a finished recording be gone; whether it was there. What becomes of its file see ``left_files``."""
    there = sa.and_(recordings.c.project_id == project, recordings.c.id == key, _THERE)
    finished = recordings.c.status == _FINISHED
    return connection.execute(recordings.update().where(there, finished).values(deleted_at=now)).rowcount == 1


def left_files(connection: sa.Connection, limit: int) -> list[tuple[UUID, str]]:
    """Deleted recordings whose files have not gone yet, with the files' keys."""
    query = sa.select(recordings.c.id, recordings.c.key).where(recordings.c.deleted_at.is_not(None))
    return [(row[0], row[1]) for row in connection.execute(query.where(recordings.c.key != "").limit(limit))]


def file_is_gone(connection: sa.Connection, key: UUID, file: str) -> None:
    """The file of a deleted recording is removed."""
    gone = sa.and_(recordings.c.id == key, recordings.c.key == file, recordings.c.deleted_at.is_not(None))
    connection.execute(recordings.update().where(gone).values(key=""))


def end_of_session(connection: sa.Connection, session: UUID, ended_at: datetime, reason: str, now: datetime) -> None:
    """End what was being recorded of a session that is lost. A word from whoever finds the file still counts."""
    lost = sa.and_(recordings.c.session_id == session, recordings.c.status != _FINISHED)
    finished_at = sa.func.coalesce(recordings.c.finished_at, sa.literal(ended_at, UtcDateTime))
    connection.execute(
        recordings.update().where(lost).values(status=_FINISHED, finished_at=finished_at, reason=reason, told_at=now)
    )


def end_forgotten(connection: sa.Connection, before: datetime, reason: str, now: datetime) -> int:
    """End recordings whose sessions are over and of which nothing was told since ``before``; how many there were."""
    over = sa.select(sessions.c.id).where(sessions.c.id == recordings.c.session_id, sessions.c.ended_at.is_(None))
    forgotten = sa.and_(recordings.c.status != _FINISHED, recordings.c.told_at < before, ~over.exists())
    return connection.execute(
        recordings.update()
        .where(forgotten)
        .values(
            status=_FINISHED,
            finished_at=sa.func.coalesce(recordings.c.finished_at, recordings.c.told_at),
            reason=reason,
            told_at=now,
        )
    ).rowcount


def _row(of: LiveRecording, project: UUID, session: UUID, told_at: datetime) -> dict[str, Any]:
    return {
        "id": UUID(of.id),
        "project_id": project,
        "session_id": session,
        "status": of.status.value,
        "started_at": _moment(of.started_at),
        "finished_at": None if of.finished_at is None else _moment(of.finished_at),
        "duration": of.duration,
        "size": of.size,
        "key": of.key,
        "reason": of.reason,
        "told_at": told_at,
    }


def _recording(row: Sequence[Any]) -> Recording:
    id_, project_id, session_id, status, *rest = row
    return Recording(id_, project_id, session_id, RecordingStatus(status), *rest)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
