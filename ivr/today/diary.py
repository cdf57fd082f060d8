"""The diary: what people enter for a day. Every change is heard by the next call of this worker,
and within seconds by those of all others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from ivr.database import Database
from ivr.errors import HelplineError
from ivr.hours import Opening
from ivr.today.ear import fit
from ivr.today.tables import Closure, Notice
from ivr.today.today import Today

FURTHEST = 366  # days ahead that a day can be closed
LONGEST_NOTICE = 31  # days: what holds for longer belongs into the flows
LONGEST_REASON = 120  # characters


class WrongDayError(HelplineError):
    """This day cannot be closed, or have other hours."""


class WrongTimesError(HelplineError):
    """The day must end after it begins."""


class NoReasonError(HelplineError):
    """Write a few words of why, so that colleagues know: 120 characters or fewer."""


class WrongEndError(HelplineError):
    """A notice ends today, or at most 31 days later; what holds for longer belongs in the flows."""


class QuickerError(HelplineError):
    """A colleague changed this day at the same moment. Look at what they did, and try again."""


@dataclass(frozen=True)
class Diary:
    """Closes days, puts up a notice, and undoes either."""

    database: Database
    today: Today
    clock: Callable[[], datetime]  # gives the time now, aware

    async def closures(self) -> Sequence[Closure]:
        """Return the closed days and those with other hours, from today on."""
        query = select(Closure).where(col(Closure.day) >= self.day())
        async with self.database.reading() as session:
            return (await session.exec(query.order_by(col(Closure.day)))).all()

    async def notice(self) -> Notice | None:
        """Return the notice that callers hear, if there is one."""
        query = select(Notice).where(col(Notice.until_at) > self.clock())
        async with self.database.reading() as session:
            return (await session.exec(query.order_by(col(Notice.id).desc()).limit(1))).first()

    def day(self) -> date:
        """Return London's day."""
        return self.clock().astimezone(self.today.hours().zone).date()

    def check(self, day: date, opening: Opening | None, reason: str) -> None:
        """Raise WrongDayError, WrongTimesError or NoReasonError if ``change`` would."""
        if day < self.day():
            raise WrongDayError("That day is over. Choose today or a later day.")
        if (day - self.day()).days > FURTHEST:
            raise WrongDayError("That is more than a year ahead. Choose a nearer day.")
        usual = replace(self.today.hours(), exceptions={})  # a reason can be corrected
        if opening is None and usual.opening(day) is None:
            raise WrongDayError("Nobody is at the phones on that day anyway.")
        if opening and opening.opens >= opening.closes:
            raise WrongTimesError
        if not 0 < len(reason) <= LONGEST_REASON:
            raise NoReasonError

    async def change(self, day: date, opening: Opening | None, reason: str, who: str) -> None:
        """Close a day, or give it other hours, in place of what it had. Promises that were made for
        it stay as they are.

        Raises WrongDayError, WrongTimesError, NoReasonError, QuickerError.
        """
        self.check(day, opening, reason)
        closure = Closure(
            day=day,
            opens=opening.opens if opening else None,
            closes=opening.closes if opening else None,
            reason=reason,
            who=who,
            made_at=self.clock(),
        )
        try:
            async with self.database.writing() as session:
                await session.merge(closure)
        except IntegrityError:
            raise QuickerError from None
        await self.today.look()

    async def undo(self, day: date) -> None:
        """Give a day its usual hours again."""
        async with self.database.writing() as session:
            await session.exec(delete(Closure).where(col(Closure.day) == day))
        await self.today.look()

    def end(self, last: date) -> datetime:
        """Return the end of this day, as the end of a notice. Raises WrongEndError."""
        if not 0 <= (last - self.day()).days <= LONGEST_NOTICE:
            raise WrongEndError
        return datetime.combine(last + timedelta(days=1), time(), self.today.hours().zone)

    async def put_up(self, text: str, last: date, who: str) -> None:
        """Let every caller hear this until the end of a day, in place of what they heard before.

        Raises NotForTheEarError, WrongEndError.
        """
        now, said, until = self.clock(), fit(text), self.end(last)
        async with self.database.writing() as session:
            await session.exec(self._ended(now))
            session.add(Notice(text=said, from_at=now, until_at=until, who=who))
        await self.today.look()

    async def take_down(self) -> None:
        """Let nobody hear the notice any longer."""
        async with self.database.writing() as session:
            await session.exec(self._ended(self.clock()))
        await self.today.look()

    def _ended(self, now: datetime) -> Any:
        later = col(Notice.until_at) > now
        return update(Notice).where(later).values(until_at=now)
