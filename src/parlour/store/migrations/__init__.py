"""The schema's history. ``upgrade`` brings a database to its newest revision."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError


class SchemaTooNew(Exception):  # noqa: N818 - a state of the database, told in words
    """The database was written by a newer Parlour."""


def script(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Apply what is missing up to ``revision``, inside the connection's transaction.

    Raises ``SchemaTooNew`` when the database is at a revision that this version does not know.
    """
    config = script(connection)
    current = MigrationContext.configure(connection).get_current_revision()
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
    except CommandError as error:
        raise SchemaTooNew(
            f"the database is at revision {current}, which this version does not know: it was written by a newer"
            " Parlour. Start that version, or restore a backup."
        ) from error
    command.upgrade(config, revision)
