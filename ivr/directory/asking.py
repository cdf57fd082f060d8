"""How often callers come to each council's service: counted in memory, written every two seconds.

It says which council to ring first. A worker that is killed may lose two seconds of it, and while
the database is gone the counts wait.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, func, select

from ivr.database import Database, NoDatabaseError
from ivr.directory.tables import DirectoryAsked
from ivr.hours import LONDON

EVERY_S = 2.0  # seconds between two writings
PATIENCE_S = 10.0  # seconds for one transaction


class Asked:
    """Takes in which council was asked for, at no cost; ``run`` writes it down."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Take where to write to, and a clock (aware)."""
        self._database, self._clock = database, clock
        self._waiting: Counter[tuple[str, date]] = Counter()  # as many as councils, for each day

    def note(self, code: str) -> None:
        """Note that a caller came to this council's service."""
        self._waiting[code, self._clock().astimezone(LONDON).date()] += 1

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

    async def run(self) -> None:
        """Write what is waiting every two seconds, until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write what is waiting. What cannot be written waits on; nothing is raised for want of a
        database."""
        waiting, self._waiting = self._waiting, Counter()
        if not waiting:
            return
        try:
            async with asyncio.timeout(PATIENCE_S), self._database.writing() as session:
                connection = await session.connection()
                insert = postgresql if connection.dialect.name == "postgresql" else sqlite
                table = inspect(DirectoryAsked).local_table
                # In one order, so that no two workers wait for each other's rows.
                rows = [
                    {"council": code, "day": day, "times": times}
                    for (code, day), times in sorted(waiting.items())
                ]
                adding = insert.insert(table).values(rows)
                more = {"times": table.c.times + adding.excluded.times}
                await connection.execute(
                    adding.on_conflict_do_update(index_elements=["council", "day"], set_=more)
                )
        except (NoDatabaseError, TimeoutError):
            self._waiting.update(waiting)
