"""How often callers come to each council's service. It says which council to ring first."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database
from ivr.directory.tables import DirectoryAsked
from ivr.hours import LONDON
from ivr.notebook import Notebook


class Asked(Notebook[tuple[str, date]]):
    """Takes in which council was asked for, at no cost; ``run`` writes it down."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Take where to write to, and a clock (aware)."""
        super().__init__(database, _count, "counts of councils")
        self._clock = clock

    def note(self, code: str) -> None:
        """Note that a caller came to this council's service."""
        self.take((code, self._clock().astimezone(LONDON).date()))

    async def most_asked(self, since: date) -> Sequence[tuple[str, int]]:
        """Return the codes of councils that were asked for on this day or later, and how often, the
        most often first. Raises NoDatabaseError."""
        times = func.sum(DirectoryAsked.times)
        query = select(DirectoryAsked.council, times).where(col(DirectoryAsked.day) >= since)
        ranked = query.group_by(col(DirectoryAsked.council)).order_by(
            times.desc(), col(DirectoryAsked.council)
        )
        async with self._database.reading() as session:
            return [(code, int(often)) for code, often in (await session.exec(ranked)).all()]


async def _count(session: AsyncSession, asked: Sequence[tuple[str, date]]) -> None:
    """Add to the counts of the days."""
    connection = await session.connection()
    insert = postgresql if connection.dialect.name == "postgresql" else sqlite
    table = inspect(DirectoryAsked).local_table
    # In one order, so that no two workers wait for each other's rows.
    rows = [
        {"council": code, "day": day, "times": times}
        for (code, day), times in sorted(Counter(asked).items())
    ]
    adding = insert.insert(table).values(rows)
    more = {"times": table.c.times + adding.excluded.times}
    await connection.execute(
        adding.on_conflict_do_update(index_elements=["council", "day"], set_=more)
    )
