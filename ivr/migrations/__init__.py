"""The database's tables, one numbered step after another (Alembic)."""
