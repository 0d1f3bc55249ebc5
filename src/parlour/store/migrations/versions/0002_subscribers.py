"""Subscribers, embed tokens, and the keys that an installation makes for itself."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_PROFILE = (
    "first_name",
    "last_name",
    "display_name",
    "job_title",
    "time_zone",
    "country",
    "region",
    "company_name",
)


def upgrade() -> None:
    op.create_table(
        "keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_keys")),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("address_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what others read, for lists that sort by it"),
        sa.Column("password_hash", sa.Text(), nullable=True, comment="scrypt; none where no password was ever set"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _PROFILE),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_subscribers_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("address_id", name=op.f("uq_subscribers_address_id")),
        sa.UniqueConstraint("project_id", "address_name", name=op.f("uq_subscribers_project_id_address_name")),
        sa.UniqueConstraint("project_id", "reference", name=op.f("uq_subscribers_project_id_reference")),
    )
    op.create_index(op.f("ix_subscribers_project_id_id"), "subscribers", ["project_id", "id"], unique=False)
    op.create_table(
        "embeds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of the embed token"),
        sa.Column("hint", sa.Text(), nullable=False, comment="the token's last four characters"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_embeds_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embeds")),
        sa.UniqueConstraint("digest", name=op.f("uq_embeds_digest")),
    )
    op.create_index(op.f("ix_embeds_project_id_id"), "embeds", ["project_id", "id"], unique=False)
