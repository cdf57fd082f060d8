"""One open request for each number, held by the database; when a request ended, was erased."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from ivr.database import Moment

revision = "0002"
down_revision = "0001"

IS_OPEN = sa.text("state NOT IN ('done', 'closed')")

request = sa.table(
    "callback_request",
    *(sa.column(name) for name in ("id", "state", "number_hash", "requested_at", "repeats")),
)
PARTS = tuple(
    sa.table(name, sa.column("request_id")) for name in ("callback_effect", "callback_event")
)


def upgrade() -> None:
    """Add the columns, join what was asked twice, and let it not happen again."""
    op.add_column("callback_request", sa.Column("ended_at", Moment, nullable=True))
    op.add_column("callback_request", sa.Column("erased_at", Moment, nullable=True))
    for ids in _asked_twice().values():
        _join(ids)
    op.create_index(
        "callback_request_open",
        "callback_request",
        ["number_hash"],
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index("callback_request_ended", "callback_request", ["ended_at"])


def _asked_twice() -> dict[str, list[int]]:
    """The open requests of each number that has several, the first asked first."""
    found: dict[str, list[int]] = {}
    query = sa.select(request.c.id, request.c.number_hash).where(IS_OPEN)
    for row in op.get_bind().execute(query.order_by(request.c.requested_at, request.c.id)):
        found.setdefault(row.number_hash, []).append(row.id)
    return {number: ids for number, ids in found.items() if len(ids) > 1}


def _join(ids: list[int]) -> None:
    """Join these requests to the first of them, which keeps its place."""
    first, others = ids[0], ids[1:]
    repeats: Any = request.c.repeats + len(others)
    bind = op.get_bind()
    bind.execute(sa.update(request).where(request.c.id == first).values(repeats=repeats))
    for part in PARTS:
        moved = sa.update(part).where(part.c.request_id.in_(others)).values(request_id=first)
        bind.execute(moved)
    bind.execute(sa.delete(request).where(request.c.id.in_(others)))
