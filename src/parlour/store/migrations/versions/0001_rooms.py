"""Projects, API tokens, rooms, and answers kept for retries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "replies",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="the request's Idempotency-Key"),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_replies_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "key", name=op.f("pk_replies")),
    )
    op.create_index(op.f("ix_replies_created_at"), "replies", ["created_at"], unique=False)
    op.create_table(
        "rooms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("address_name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False, comment="the address without its number"),
        sa.Column("slug_number", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("join_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("join_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("max_members", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("fps", sa.Integer(), nullable=False),
        sa.Column("remove_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remove_after_seconds_elapsed", sa.Integer(), nullable=True),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("record_on_start", sa.Boolean(), nullable=False),
        sa.Column("enable_room_previews", sa.Boolean(), nullable=False),
        sa.Column("meta", sa.Text(), nullable=False),
        sa.Column("sync_audio_video", sa.Boolean(), nullable=True),
        sa.Column("tone_on_entry_and_exit", sa.Boolean(), nullable=False),
        sa.Column("room_join_video_off", sa.Boolean(), nullable=False),
        sa.Column("user_join_video_off", sa.Boolean(), nullable=False),
        sa.Column("prioritize_handraise", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_rooms_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("address_id", name=op.f("uq_rooms_address_id")),
        sa.UniqueConstraint("project_id", "address_name", name=op.f("uq_rooms_project_id_address_name")),
        sa.UniqueConstraint("room_id", name=op.f("uq_rooms_room_id")),
    )
    op.create_index(op.f("ix_rooms_project_id_id"), "rooms", ["project_id", "id"], unique=False)
    op.create_index(
        op.f("ix_rooms_project_id_slug_slug_number"),
        "rooms",
        ["project_id", "slug", "slug_number"],
        unique=False,
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False, comment="sorted, separated by spaces"),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of the token"),
        sa.Column("hint", sa.Text(), nullable=False, comment="the token's last four characters"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tokens_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("project_id", "digest", name=op.f("uq_tokens_project_id_digest")),
    )
    op.create_index(op.f("ix_tokens_project_id_id"), "tokens", ["project_id", "id"], unique=False)
