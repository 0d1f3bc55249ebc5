"""The tables. Times are UTC; identifiers of resources sort by the time they were made."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from parlour.store.kept_json import KeptJson, compact_json


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC on every database; SQLite, which keeps no zone, gets and gives it bare."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Only moments that know their zone go in; PostgreSQL's driver takes any zone."""
        return None if dialect.name == "postgresql" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Every moment comes out in UTC, as PostgreSQL's driver gives it anyway."""
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """For a database without zones."""
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """For a database without zones."""
        return value if value is None else value.replace(tzinfo=UTC)


class JsonText(sa.TypeDecorator[Mapping[str, Any]]):
    """A JSON object kept as the compact text it was checked as, the same on every database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Write compactly, in any script."""
        return compact_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> KeptJson:
        """Read back what was written."""
        return KeptJson(value or "{}")


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("permissions", sa.Text, nullable=False, comment="sorted, separated by spaces"),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, comment="SHA-256 of the token"),
    sa.Column("hint", sa.Text, nullable=False, comment="the token's last four characters"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("project_id", "digest"),
    sa.Index(None, "project_id", "id"),
)

rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("room_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("address_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("address_name", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False, comment="the address without its number"),
    sa.Column("slug_number", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("join_from", UtcDateTime),
    sa.Column("join_until", UtcDateTime),
    sa.Column("max_members", sa.Integer, nullable=False),
    sa.Column("quality", sa.Text, nullable=False),
    sa.Column("fps", sa.Integer, nullable=False),
    sa.Column("remove_at", UtcDateTime),
    sa.Column("remove_after_seconds_elapsed", sa.Integer),
    sa.Column("layout", sa.Text, nullable=False),
    sa.Column("record_on_start", sa.Boolean, nullable=False),
    sa.Column("enable_room_previews", sa.Boolean, nullable=False),
    sa.Column("meta", JsonText, nullable=False),
    sa.Column("sync_audio_video", sa.Boolean),
    sa.Column("tone_on_entry_and_exit", sa.Boolean, nullable=False),
    sa.Column("room_join_video_off", sa.Boolean, nullable=False),
    sa.Column("user_join_video_off", sa.Boolean, nullable=False),
    sa.Column("prioritize_handraise", sa.Boolean, nullable=False),
    sa.UniqueConstraint("project_id", "address_name"),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "project_id", "slug", "slug_number"),
)

replies = sa.Table(
    "replies",
    metadata,
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True, comment="the request's Idempotency-Key"),
    sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

subscribers = sa.Table(
    "subscribers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("address_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("address_name", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, comment="what others read, for lists that sort by it"),
    sa.Column("password_hash", sa.Text, comment="scrypt; none where no password was ever set"),
    sa.Column("first_name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("job_title", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("company_name", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("project_id", "reference"),
    sa.UniqueConstraint("project_id", "address_name"),
    sa.Index(None, "project_id", "id"),
)

embeds = sa.Table(
    "embeds",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("address_id", sa.Uuid, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True, comment="SHA-256 of the embed token"),
    sa.Column("hint", sa.Text, nullable=False, comment="the token's last four characters"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "project_id", "id"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("room_id", sa.Uuid, nullable=False, comment="the room may be gone by now"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("settings", JsonText, nullable=False, comment="of the room, as the API shows them"),
    sa.Column("layout", sa.Text, nullable=False),
    sa.Column("locked", sa.Boolean, nullable=False),
    sa.Column("preview", sa.Text, nullable=False, comment="the secret in the preview's URL, empty where there is none"),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("told_at", UtcDateTime, nullable=False, comment="when this was so; the younger word counts"),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "project_id", "room_id", "id"),
    sa.Index(None, "project_id", "name", "id"),
    sa.Index(None, "project_id", "ended_at", "id"),
    sa.Index(None, "ended_at"),
)

session_members = sa.Table(
    "session_members",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="member, or screen for one that is shared"),
    sa.Column("joined_at", UtcDateTime, nullable=False),
    sa.Column("left_at", UtcDateTime),
    sa.Column("told_at", UtcDateTime, nullable=False, comment="when this was so; the younger word counts"),
    sa.Index(None, "session_id", "id"),
)

session_events = sa.Table(
    "session_events",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("room_id", sa.Uuid, nullable=False),
    sa.Column("member_id", sa.Uuid),
    sa.Column("recording_id", sa.Uuid),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("payload", JsonText, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "session_id", "id"),
    sa.Index(None, "recording_id", "id"),
)

recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("duration", sa.Float(53), comment="seconds of film"),
    sa.Column("size", sa.BigInteger, comment="octets"),
    sa.Column("key", sa.Text, nullable=False, comment="of the file in the object store, empty where there is none"),
    sa.Column("reason", sa.Text, nullable=False, comment="why it ended by itself, where it did"),
    sa.Column("told_at", UtcDateTime, nullable=False, comment="when this was so; the younger word counts"),
    sa.Column("deleted_at", UtcDateTime, comment="the row stays, so that no late word brings the recording back"),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "session_id", "id"),
    sa.Index(None, "status"),
    sa.Index(None, "deleted_at"),
)
