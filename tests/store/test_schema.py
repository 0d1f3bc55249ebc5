"""The revisions together make the tables as they are declared."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from parlour.store.database import Database
from parlour.store.tables import metadata


async def test_the_revisions_make_the_declared_tables(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await database.run(differences) == []
