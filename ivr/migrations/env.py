"""What Alembic runs for every upgrade, on the connection that ``ivr.database`` hands it.

All migrations of one upgrade are one transaction, on SQLite too: an upgrade that fails half-way
changes nothing.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
