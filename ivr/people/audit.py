"""Who did what that is not about one request, and when: the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlmodel import col, select

from ivr.database import Database
from ivr.people.tables import Deed

Span: TypeAlias = tuple[datetime, datetime]  # from the first moment until before the second


@dataclass(frozen=True)
class Deeds:
    """Reads what people did. Goes back by the primary key, in the order in which it was written
    down: a page takes as long however much there is."""

    database: Database

    async def older(
        self, than: int, most: int, who: str = "", span: Span | None = None
    ) -> Sequence[Deed]:
        """Return some of what was written down before the deed with this id: of one person, in
        one span of time."""
        query = select(Deed).where(col(Deed.id) < than)
        if who:
            query = query.where(col(Deed.who) == who)
        if span:
            query = query.where(col(Deed.at) >= span[0], col(Deed.at) < span[1])
        async with self.database.reading() as session:
            return (await session.exec(query.order_by(col(Deed.id).desc()).limit(most))).all()

    async def names(self) -> set[str]:
        """Return everybody who did anything."""
        async with self.database.reading() as session:
            return set((await session.exec(select(Deed.who).distinct())).all())
