"""Journeys and feedback on their way to the database: kept in memory, written every two seconds.

A worker that is killed may lose two seconds of them. While the database is gone they wait; when
there are too many the oldest are dropped, and counted. Writing the same thing twice keeps it once.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import JSON, bindparam, column, func, inspect, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.conversation import Visit
from ivr.core.flow import Place
from ivr.database import Database, NoDatabaseError
from ivr.journeys.tables import (
    LONGEST_HEARD,
    LONGEST_ID,
    LONGEST_PLACE,
    JourneyFeedback,
    JourneyStep,
)

log = logging.getLogger(__name__)

EVERY_S = 2.0  # seconds between two writings
PATIENCE_S = 10.0  # seconds for one transaction; a database that takes longer is as good as gone
MOST_WAITING = 20_000  # turns: some megabytes, and many minutes of a busy line
AT_ONCE = 500  # turns in one transaction, so that a caller's "save" never waits long behind it


class Visited(NamedTuple):
    """The steps that one turn of a call went through, and when."""

    visit: Visit
    at: datetime


class Feedback(NamedTuple):
    """What a caller said about an answer."""

    effect: str
    helped: bool
    topic: Place
    at: datetime


class Journeys:
    """Takes journeys in at no cost, and writes them in the background while ``run`` runs."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], most: int = MOST_WAITING
    ) -> None:
        """Take where to write to, a clock (aware), and how many turns may wait in memory."""
        self._database = database
        self._clock = clock
        self._most = most
        self._waiting: deque[Visited | Feedback] = deque()
        self._down = False
        self.dropped = 0  # turns and answers lost since the process started

    def record(self, visit: Visit) -> None:
        """Note the steps of one turn."""
        self._take(Visited(visit, self._clock()))

    def feedback(self, effect: str, helped: bool, topic: Place) -> None:
        """Note an answer to "did that help?"; ``effect`` tells repeats apart from new answers."""
        self._take(Feedback(effect, helped, topic, self._clock()))

    async def run(self) -> None:
        """Write what is waiting every two seconds, until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write what is waiting. What cannot be written waits on; nothing is raised."""
        while self._waiting:
            batch = list(islice(self._waiting, AT_ONCE))
            try:
                async with asyncio.timeout(PATIENCE_S), self._database.writing() as session:
                    await _keep(session, batch)
            except (NoDatabaseError, TimeoutError) as problem:
                self._note_down(problem)
                return
            except Exception:
                # Something in this batch can never be written: later journeys matter more.
                log.exception("%d journeys could not be written and were dropped", len(batch))
                self.dropped += len(batch)
            self._note_up()
            self._forget(batch)

    def _take(self, item: Visited | Feedback) -> None:
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(item)

    def _forget(self, batch: list[Visited | Feedback]) -> None:
        """Remove what was written, which is at the front unless newer things pushed it out."""
        for item in batch:
            if self._waiting and self._waiting[0] is item:
                self._waiting.popleft()

    def _note_down(self, problem: Exception) -> None:
        if not self._down:
            log.warning("journeys wait in memory: %s", type(problem.__cause__ or problem).__name__)
        self._down = True

    def _note_up(self) -> None:
        if self._down:
            log.warning("journeys are written again; %d were dropped", self.dropped)
        self._down = False


# --- rows --------------------------------------------------------------------------------------

Row = dict[str, Any]  # by the names of its columns, as JSON can hold it


def _steps(batch: list[Visited | Feedback]) -> Iterator[Row]:
    for item in batch:
        if isinstance(item, Visited):
            visit, at = item.visit, _kept(item.at)
            for part, place in enumerate(visit.places):
                yield {
                    "journey": visit.journey[:LONGEST_ID],
                    "turn": visit.turn,
                    "part": part,
                    "place": place[:LONGEST_PLACE],
                    "heard": visit.heard[:LONGEST_HEARD],
                    "at": at,
                }


def _answers(batch: list[Visited | Feedback]) -> Iterator[Row]:
    for item in batch:
        if isinstance(item, Feedback):
            topic = item.topic[:LONGEST_PLACE]
            at = _kept(item.at)
            yield {"effect": item.effect, "helped": item.helped, "topic": topic, "at": at}


def _kept(moment: datetime) -> str:
    """A moment in UTC as SQLite keeps it; PostgreSQL, whose sessions are in UTC, takes it too."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


async def _keep(session: AsyncSession, batch: list[Visited | Feedback]) -> None:
    """Add these rows; those that are there already stay as they are."""
    connection = await session.connection()
    for model, rows in ((JourneyStep, [*_steps(batch)]), (JourneyFeedback, [*_answers(batch)])):
        if rows:
            await connection.execute(_insert(model, connection.dialect.name), {"rows": rows})


@cache
def _insert(model: type[SQLModel], dialect: str) -> Any:
    """A statement that adds all rows of a list, which comes as one parameter.

    Calls are being answered meanwhile, in the same loop. A list of parameters for each row would
    take turns with them row by row; so the database works by itself, and once.
    """
    table = inspect(model).local_table
    names = [each.name for each in table.columns]
    rows = bindparam("rows", type_=JSON)
    if dialect == "postgresql":
        row = (
            func.json_to_recordset(rows)
            .table_valued(*(column(each.name, each.type) for each in table.columns))
            .render_derived(with_types=True)
        )
        return postgresql.insert(table).from_select(names, select(*row.c)).on_conflict_do_nothing()
    row = func.json_each(rows).table_valued("value")
    values = [func.json_extract(row.c.value, f"$.{name}") for name in names]
    # Without a condition SQLite would read ON CONFLICT as that of a join.
    given = select(*values).where(true())
    return sqlite.insert(table).from_select(names, given).on_conflict_do_nothing()
