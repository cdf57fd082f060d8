"""Erasing on schedule: some months after a request has ended, nobody can tell whose it was.

What is left (when, which slot, topic and council, how it ended) counts in reports; the number, its
hash, what the caller needs, the references told, and the notes of staff are gone.
"""

import calendar
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks.drafts import erase_drafts
from ivr.callbacks.tables import CallBackEffect, CallBackEvent, CallBackRequest
from ivr.database import Database

NOBODY = {"number": "", "number_hash": "", "reference": "", "access": []}
AT_ONCE = 500  # requests in one transaction, so that no caller's "save" waits long behind it


class Eraser:
    """Erases what was kept long enough."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        months: int,
        also: Callable[[AsyncSession, Sequence[int], datetime], Awaitable[None]] | None = None,
    ) -> None:
        """Take how many months after its end a request is erased (IVR_RETENTION_MONTHS), and what
        erases that which belongs to requests elsewhere, in the same transaction."""
        self._database, self._clock, self._months = database, clock, months
        self._also = also

    async def erase(self) -> int:
        """Erase some of the requests that ended long enough ago, and return how many."""
        now = self._clock()
        old = select(CallBackRequest.id).where(
            col(CallBackRequest.ended_at) <= months_before(now, self._months),
            col(CallBackRequest.erased_at).is_(None),
            col(CallBackRequest.urgent).is_(False),  # somebody may not be safe: it is held
        )
        async with self._database.writing() as session:
            ids = list((await session.exec(old.limit(AT_ONCE))).all())
            erased = update(CallBackRequest).where(col(CallBackRequest.id).in_(ids))
            told = delete(CallBackEffect).where(col(CallBackEffect.request_id).in_(ids))
            await session.exec(erased.values(NOBODY | {"erased_at": now}))
            await session.exec(told)
            notes = update(CallBackEvent).where(col(CallBackEvent.request_id).in_(ids))
            await session.exec(notes.values(note=""))
            await erase_drafts(session, [one for one in ids if one is not None])
            if self._also:
                await self._also(session, [one for one in ids if one is not None], now)
            session.add_all(
                CallBackEvent(request_id=one, at=now, who="schedule", what="erased")
                for one in ids
                if one is not None
            )
        return len(ids)


def months_before(moment: datetime, months: int) -> datetime:
    """The same day of an earlier month, or the last day of it if it is shorter."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
