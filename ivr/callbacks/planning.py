"""By when can we promise to ring? In staffed hours, where there is room, at our pace of late.

``plan`` is a pure function; ``Backlog`` counts what it needs to know. Without a database the hours
alone decide: a promise that may be a day too early is better than none.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice

from sqlmodel import col, func, select

from ivr.callbacks.states import State
from ivr.callbacks.tables import BY_DUE, IS_OPEN, CallBackRequest, is_retry
from ivr.database import Database, NoDatabaseError
from ivr.hours import HALVES, Hours, HoursNow

log = logging.getLogger(__name__)

A_DAY = timedelta(days=1)  # by the clock on the wall, whatever the season
LOOK_BACK = 14  # days: ten working days
ENOUGH = 10  # call-backs finished in them, before we trust what they say about our pace
FURTHEST = 20  # slots ahead that are looked at; the last is promised if all are full
SOON = 2  # working days: a promise that is further away is said to be
PATIENCE_S = 1.5  # seconds that a caller waits for the counting


@dataclass(frozen=True, slots=True)
class Load:
    """What is promised already, and how many call-backs were finished of late."""

    taken: Mapping[tuple[date, str], int] = field(default_factory=dict)  # open, by day and slot
    finished: int = 0  # in the last LOOK_BACK days


@dataclass(frozen=True, slots=True)
class Plan:
    """By when we ring, and how many working days away that is."""

    due_at: datetime
    working_days: int

    @property
    def is_soon(self) -> bool:
        """Whether it is so near that nothing needs to be said about it."""
        return self.working_days <= SOON


def plan(hours: Hours, now: datetime, slot: str, load: Load) -> Plan:
    """The first slot that we can promise at this moment.

    Not today; not before those who wait have been rung, at the pace of late; and only where there
    is room. Raises ValueError for another slot, or one that no day of the week has.
    """
    tomorrow = now.astimezone(hours.zone).date() + timedelta(days=1)
    ends = [end for _, end in islice(hours.windows(tomorrow, slot), FURTHEST)]
    if not ends:
        raise ValueError(f"no day of the week has the slot {slot!r}")
    first = min(_days_behind(load), len(ends) - 1)
    for number, end in enumerate(ends[first:], start=first + 1):
        if _has_room(hours, end.astimezone(hours.zone).date(), slot, load):
            return Plan(end, number)
    return Plan(ends[-1], len(ends))


def by_when(hours: Hours, request: CallBackRequest) -> datetime:
    """By when we can say that we ring. Whoever is to be tried again is rung from when that is due
    on: by the end of the slot in which that lies."""
    due = request.due_at
    if is_retry(request):
        for _, end in hours.windows(due.astimezone(hours.zone).date(), request.slot):
            if due < end:
                return end
    return due


def _days_behind(load: Load) -> int:
    """How many working days we need for those who wait already."""
    if load.finished < ENOUGH:
        return 0
    a_day = load.finished / (LOOK_BACK * 5 / 7)
    return int(sum(load.taken.values()) / a_day)


def _has_room(hours: Hours, day: date, slot: str, load: Load) -> bool:
    if not hours.room:
        return True
    opening = hours.opening(day)  # of a day that ends at noon, only the morning has room
    room = {half: hours.room[half] for half in HALVES if opening and opening.end(half)}
    taken = {name: load.taken.get((day, name), 0) for name in ("any", *HALVES)}
    if sum(taken.values()) >= sum(room.values()):
        return False
    return slot == "any" or taken[slot] < room[slot]


@dataclass(frozen=True, slots=True)
class Promised:
    """A request that somebody is to be rung for by a moment, in a slot."""

    request_id: int
    reference: str
    slot: str
    due_at: datetime


@dataclass(frozen=True)
class Backlog:
    """Counts what is promised and what was finished."""

    database: Database
    hours: HoursNow

    async def load(self, now: datetime) -> Load:
        """The load at this moment; an empty one if it cannot be counted in time."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._counted(now)
        except (NoDatabaseError, TimeoutError):
            log.warning("a call-back is promised without counting those that are open")
            return Load()

    async def unkept(self, day: date) -> list[Promised]:
        """What was promised for this day and cannot be kept: it has no such slot, or none at all.
        The next due first."""
        hours = self.hours()
        opening, begin = hours.opening(day), datetime.combine(day, time(), hours.zone)
        due = col(CallBackRequest.due_at)
        query = select(CallBackRequest).where(IS_OPEN, due >= begin, due < begin + A_DAY)
        async with self.database.reading() as session:
            found = (await session.exec(query.order_by(*BY_DUE))).all()
        return [
            Promised(one.id or 0, one.reference, one.slot, one.due_at)
            for one in found
            if opening is None or opening.end(one.slot) is None
        ]

    async def _counted(self, now: datetime) -> Load:
        due, slot = col(CallBackRequest.due_at), col(CallBackRequest.slot)
        promised = select(due, slot, func.count()).where(IS_OPEN).group_by(due, slot)
        done = select(func.count()).where(
            col(CallBackRequest.state) == State.DONE.value,
            col(CallBackRequest.ended_at) >= now - timedelta(days=LOOK_BACK),
        )
        taken: Counter[tuple[date, str]] = Counter()
        zone = self.hours().zone
        async with self.database.reading() as session:
            for due_at, name, count in await session.exec(promised):
                taken[due_at.astimezone(zone).date(), name] += count
            return Load(taken, (await session.exec(done)).one())
