"""Sessions: who was in, what happened, and what was recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_YOUNGER = "when this was so; the younger word counts"


def _moment(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project_id"], ["projects.id"], name=op.f(f"fk_{table}_project_id"), ondelete="CASCADE"
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False, comment="the room may be gone by now"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False, comment="of the room, as the API shows them"),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column(
            "preview", sa.Text(), nullable=False, comment="the secret in the preview's URL, empty where there is none"
        ),
        _moment("started_at"),
        _moment("ended_at", nullable=True),
        _moment("told_at", comment=_YOUNGER),
        _of_project("sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    _index("sessions", "project_id", "id")
    _index("sessions", "project_id", "room_id", "id")
    _index("sessions", "project_id", "name", "id")
    _index("sessions", "project_id", "ended_at", "id")
    _index("sessions", "ended_at")
    op.create_table(
        "session_members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="member, or screen for one that is shared"),
        _moment("joined_at"),
        _moment("left_at", nullable=True),
        _moment("told_at", comment=_YOUNGER),
        _of_project("session_members"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_members")),
    )
    _index("session_members", "session_id", "id")
    op.create_table(
        "session_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("recording_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        _moment("created_at"),
        _of_project("session_events"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_events")),
    )
    _index("session_events", "session_id", "id")
    _index("session_events", "recording_id", "id")
    op.create_table(
        "recordings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        _moment("started_at"),
        _moment("finished_at", nullable=True),
        sa.Column("duration", sa.Float(53), nullable=True, comment="seconds of film"),
        sa.Column("size", sa.BigInteger(), nullable=True, comment="octets"),
        sa.Column(
            "key", sa.Text(), nullable=False, comment="of the file in the object store, empty where there is none"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it ended by itself, where it did"),
        _moment("told_at", comment=_YOUNGER),
        _moment("deleted_at", nullable=True, comment="the row stays, so that no late word brings the recording back"),
        _of_project("recordings"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
    )
    _index("recordings", "project_id", "id")
    _index("recordings", "session_id", "id")
    _index("recordings", "status")
    _index("recordings", "deleted_at")
