"""The callers' calls that Twilio says are over, each by a keyed hash of its id.

A webhook of such a call may still arrive or be answered: it came late, it is a repeat, or another
worker holds it. A call is therefore remembered for as long as its state tokens are good.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database
from ivr.duty.tables import EndedCall
from ivr.sealing import GOOD_FOR

REMEMBERED_FOR = timedelta(seconds=GOOD_FOR)


async def has_ended(session: AsyncSession, call_hash: str) -> bool:
    """Return whether this call is known to be over, as this transaction sees it."""
    query = select(EndedCall.call_hash).where(col(EndedCall.call_hash) == call_hash)
    return (await session.exec(query)).first() is not None


@dataclass(frozen=True)
class EndedCalls:
    """Remembers which calls are over. Each method is a transaction of its own, and raises
    NoDatabaseError."""

    database: Database
    clock: Callable[[], datetime]  # gives the time now, aware

    async def add(self, call_hash: str) -> None:
        """Remember that a call is over. Idempotent; durable when this returns."""
        try:
            async with self.database.writing() as session:
                session.add(EndedCall(call_hash=call_hash, ended_at=self.clock()))
        except IntegrityError:  # it is known already
            return

    async def has(self, call_hash: str) -> bool:
        """Return whether this call is known to be over."""
        async with self.database.reading() as session:
            return await has_ended(session, call_hash)

    async def forget(self) -> None:
        """Delete the calls whose state tokens are no longer good."""
        old = col(EndedCall.ended_at) <= self.clock() - REMEMBERED_FOR
        async with self.database.writing() as session:
            await session.exec(delete(EndedCall).where(old))
