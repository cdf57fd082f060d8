"""Journeys and feedback on their way to the database. What is written twice is kept once."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import JSON, bindparam, column, func, inspect, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.conversation import Visit
from ivr.core.flow import Place
from ivr.database import Database
from ivr.journeys.tables import (
    LONGEST_HEARD,
    LONGEST_ID,
    LONGEST_PLACE,
    JourneyFeedback,
    JourneyStep,
)
from ivr.notebook import MOST_WAITING, Notebook


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


Item: TypeAlias = Visited | Feedback


class Journeys(Notebook[Item]):
    """Takes journeys in at no cost, and writes them in the background while ``run`` runs."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], most: int = MOST_WAITING
    ) -> None:
        """Take where to write to, a clock (aware), and how many turns may wait in memory."""
        super().__init__(database, _keep, "journeys", most)
        self._clock = clock

    def record(self, visit: Visit) -> None:
        """Note the steps of one turn."""
        self.take(Visited(visit, self._clock()))

    def feedback(self, effect: str, helped: bool, topic: Place) -> None:
        """Note an answer to "did that help?"; ``effect`` tells repeats apart from new answers."""
        self.take(Feedback(effect, helped, topic, self._clock()))


# --- rows --------------------------------------------------------------------------------------

Row = dict[str, Any]  # by the names of its columns, as JSON can hold it


def _steps(batch: Sequence[Item]) -> Iterator[Row]:
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


def _answers(batch: Sequence[Item]) -> Iterator[Row]:
    for item in batch:
        if isinstance(item, Feedback):
            topic = item.topic[:LONGEST_PLACE]
            at = _kept(item.at)
            yield {"effect": item.effect, "helped": item.helped, "topic": topic, "at": at}


def _kept(moment: datetime) -> str:
    """A moment in UTC as SQLite keeps it; PostgreSQL, whose sessions are in UTC, takes it too."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


async def _keep(session: AsyncSession, batch: Sequence[Item]) -> None:
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
