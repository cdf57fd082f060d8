"""Erasing on schedule: nobody can tell afterwards whose a text was, or what it said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database
from ivr.messages.outbox import Kind
from ivr.messages.tables import IS_KEPT, TextMessage

AT_ONCE = 500  # texts in one transaction, so that no caller's text waits long behind it
NOTHING = {"number": "", "number_hash": "", "body": "", "sid": ""}


@dataclass(frozen=True)
class Eraser:
    """Erases the texts that belong to no call-back request, and those to staff. The others of a
    request go with it."""

    database: Database
    clock: Callable[[], datetime]  # gives the time now, aware
    oldest: Callable[[], datetime]  # gives the moment from which texts are kept

    async def erase(self) -> int:
        """Erase some of the texts that were kept long enough, and return how many."""
        old = select(TextMessage.id).where(
            IS_KEPT,
            col(TextMessage.made_at) <= self.oldest(),
            or_(
                col(TextMessage.request_id).is_(None),
                col(TextMessage.kind) == Kind.ALARM.value,
            ),
        )
        async with self.database.reading() as session:
            ids = list((await session.exec(old.limit(AT_ONCE))).all())
        if not ids:
            return 0
        async with self.database.writing() as session:
            await _erase(session, col(TextMessage.id).in_(ids), self.clock())
        return len(ids)


async def erase_with(session: AsyncSession, requests: Sequence[int], now: datetime) -> None:
    """Erase the texts of these call-back requests."""
    await _erase(session, col(TextMessage.request_id).in_(requests), now)


async def _erase(session: AsyncSession, which: Any, now: datetime) -> None:
    await session.exec(update(TextMessage).where(which).values(NOTHING | {"erased_at": now}))
