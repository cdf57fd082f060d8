"""What reports count: how many asked, how long they waited, how it ended. Only reads.

The database does the counting and finds the middle waits, so that the loop in which calls are
answered gets a few rows, however many requests there are. A request that is erased still counts.
What belongs to a day is what happened on that day, by London's clock: who asked, who was first
tried, whose request ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from ivr.callbacks.figures import MOST_COUNCILS, Counted, Report, Share, Waits, by_flow, joined
from ivr.callbacks.spans import Span
from ivr.callbacks.states import CANCEL, OPEN, OUTCOMES
from ivr.callbacks.tables import CallBackEvent, CallBackRequest
from ivr.database import Database

SPOKE = "spoke"
TRIES = [outcome.name for outcome in OUTCOMES.values() if outcome.counts]
ENDINGS = [*OUTCOMES, CANCEL.name]
ALL = -1  # instead of the number of a day
HOUR_S, DAY_S = 3600, 86_400


@dataclass(frozen=True)
class Counting:
    """Counts the call-back requests."""

    database: Database

    async def report(self, span: Span) -> Report:
        """Count everything for a span of days."""
        async with self.database.reading() as session:
            connection = await session.connection()
            return await _report(connection, span)


async def _report(connection: AsyncConnection, span: Span) -> Report:
    asked = await _rows(connection, _asked(span))
    ended = await _rows(connection, _ended(span))
    outcomes = {row["what"]: row["many"] for row in await _rows(connection, _how(span))}
    first_tried = await _waits(connection, _first_tries(span))
    spoken_with = await _waits(connection, _spoken_with(span))

    def counted(number: int) -> Counted:
        here = [row for row in asked if number in (row["day"], ALL)]
        over = [row for row in ended if number in (row["day"], ALL)]
        return Counted(
            asked=_sum(here, "asked"),
            ended=_sum(over, "ended"),
            spoke=_sum(over, "spoke"),
            kept=_sum([row for row in over if row["in_time"] and row["attempts"]], "ended"),
            late=_sum([row for row in over if not row["in_time"]], "ended"),
            first_tried=first_tried.get(number, Waits()),
            spoken_with=spoken_with.get(number, Waits()),
        )

    topics = await _shares(connection, span, col(CallBackRequest.topic))
    councils = await _shares(connection, span, col(CallBackRequest.council))
    return Report(
        span=span,
        whole=counted(ALL),
        days={day: counted(number) for number, day in enumerate(span.days)},
        still_open=_sum(asked, "still_open"),
        asked_again=_sum(asked, "asked_again"),
        repeats=_sum(asked, "repeats"),
        attempts=_attempts(ended),
        outcomes={name: outcomes.get(name, 0) for name in ENDINGS},
        topics=joined(by_flow(topics)),
        councils=joined(councils, MOST_COUNCILS),
    )


# --- queries -----------------------------------------------------------------------------------


class _Seconds(FunctionElement[int]):
    """The whole seconds from 1970 to a moment."""

    inherit_cache = True
    type = Integer()


@compiles(_Seconds, "sqlite")
def _sqlite_seconds(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@compiles(_Seconds, "postgresql")
def _postgresql_seconds(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **kw)})) AS BIGINT)"


def _day(moment: Any, span: Span) -> Any:
    """The number of the day that a moment is in, by London's clock; the span's first day is 0."""
    *changes, (_, ahead) = span.clocks
    clock: Any = literal(ahead, Integer)
    if changes:
        clock = case(*((moment < until, before) for until, before in changes), else_=ahead)
    begin = int(span.begin.timestamp()) + span.clocks[0][1]  # a midnight, by London's clock
    return ((_Seconds(moment) + clock - begin) // DAY_S).label("day")


def _within(moment: Any, span: Span) -> Any:
    return (moment >= span.begin) & (moment < span.end)


def _many(condition: Any) -> Any:
    """How many rows meet a condition."""
    return func.sum(case((condition, 1), else_=0))


def _asked(span: Span) -> Any:
    request = CallBackRequest
    day = _day(col(request.requested_at), span)
    is_open = col(request.state).in_([state.value for state in OPEN])
    return (
        select(
            day,
            func.count().label("asked"),
            func.sum(col(request.repeats)).label("repeats"),
            _many(col(request.repeats) > 0).label("asked_again"),
            _many(is_open).label("still_open"),
        )
        .where(_within(col(request.requested_at), span))
        .group_by("day")
    )


def _ended(span: Span) -> Any:
    """How many ended on each day, by attempts, and by whether we had kept the promise.

    Before the caller called it off, if we had not tried by then.
    """
    request = CallBackRequest
    tried = (
        select(func.min(col(CallBackEvent.at)))
        .where(
            col(CallBackEvent.request_id) == col(request.id),
            col(CallBackEvent.what).in_(TRIES),
        )
        .scalar_subquery()
    )
    promise = func.coalesce(col(request.promised_at), col(request.due_at))
    ended = col(request.ended_at)
    # Most were tried once, and ended by it: their events need not be looked for.
    once = (col(request.attempts) == 1) & (col(request.outcome) != CANCEL.name)
    in_time = case((once, ended), else_=func.coalesce(tried, ended)) <= promise
    return (
        select(
            _day(ended, span),
            col(request.attempts),
            in_time.label("in_time"),
            func.count().label("ended"),
            _many(col(request.outcome) == SPOKE).label("spoke"),
        )
        .where(_within(ended, span))
        .group_by("day", col(request.attempts), "in_time")
    )


def _how(span: Span) -> Any:
    happened = CallBackEvent
    return (
        select(col(happened.what), func.count().label("many"))
        .where(_within(col(happened.at), span), col(happened.what).in_(ENDINGS))
        .group_by(col(happened.what))
    )


def _first_tries(span: Span) -> Any:
    """The day and the wait of each request that was first tried in these days."""
    request, tried, earlier = CallBackRequest, CallBackEvent, aliased(CallBackEvent)
    before = select(col(earlier.id)).where(
        col(earlier.request_id) == tried.request_id,
        col(earlier.id) < tried.id,
        col(earlier.what).in_(TRIES),
    )
    return (
        select(_day(col(tried.at), span), _wait(col(tried.at)))
        .join(request, col(request.id) == col(tried.request_id))
        .where(_within(col(tried.at), span), col(tried.what).in_(TRIES), ~before.exists())
    )


def _spoken_with(span: Span) -> Any:
    """The day and the wait of each request that ended in these days because we spoke."""
    ended = col(CallBackRequest.ended_at)
    spoke = col(CallBackRequest.outcome) == SPOKE
    return select(_day(ended, span), _wait(ended)).where(_within(ended, span), spoke)


def _wait(until: Any) -> Any:
    return (_Seconds(until) - _Seconds(col(CallBackRequest.requested_at))).label("wait")


async def _waits(connection: AsyncConnection, query: Any) -> dict[int, Waits]:
    """The middle wait and that of 9 of 10, of each day and of ALL."""
    waited = query.subquery().c
    ranks = (
        func.row_number().over(partition_by=waited.day, order_by=waited.wait).label("place"),
        func.count().over(partition_by=waited.day).label("many"),
        func.row_number().over(order_by=waited.wait).label("place_of_all"),
        func.count().over().label("many_of_all"),
    )
    ranked: Any = select(waited.day, waited.wait, *ranks).subquery()
    places = (ranked.c.place, ranked.c.many), (ranked.c.place_of_all, ranked.c.many_of_all)
    wanted = [place == each for place, many in places for each in _wanted(many)]
    found: dict[int, dict[int, float]] = {}
    many: dict[int, int] = {}
    for row in await _rows(connection, select(ranked).where(or_(*wanted))):
        for day, suffix in ((row["day"], ""), (ALL, "_of_all")):
            many[day] = row[f"many{suffix}"]
            found.setdefault(day, {})[row[f"place{suffix}"]] = round(row["wait"] / HOUR_S, 2)
    return {
        day: Waits(many[day], *(waits[place] for place in _wanted(many[day])))
        for day, waits in found.items()
    }


def _wanted(many: Any) -> tuple[Any, Any]:
    """The places of the middle one, and of the last of 9 of 10, among so many in order."""
    return (many + 1) // 2, (many * 9 + 9) // 10


async def _shares(connection: AsyncConnection, span: Span, key: Any) -> list[Share]:
    request = CallBackRequest
    query = (
        select(key, func.count(), _many(col(request.outcome) == SPOKE))
        .where(_within(col(request.requested_at), span))
        .group_by(key)
    )
    return [Share(*row) for row in await connection.execute(query)]


async def _rows(connection: AsyncConnection, query: Any) -> list[Mapping[str, Any]]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]


def _sum(rows: list[Mapping[str, Any]], name: str) -> int:
    return sum(int(row[name]) for row in rows)


def _attempts(ended: list[Mapping[str, Any]]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for row in ended:
        counts[row["attempts"]] = counts.get(row["attempts"], 0) + row["ended"]
    return dict(sorted(counts.items()))
