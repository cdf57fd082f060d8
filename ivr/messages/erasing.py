"""Erasing on schedule: nobody can tell afterwards whose a text was, or what it said."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database, NoDatabaseError
from ivr.messages.tables import IS_KEPT, TextMessage

EVERY_S = 3600.0  # seconds between two looks
AT_ONCE = 500  # texts in one transaction, so that no caller's text waits long behind it
NOTHING = {"number": "", "number_hash": "", "body": "", "sid": ""}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Eraser:
    """Erases the texts that belong to no call-back request. Those of a request go with it."""

    database: Database
    clock: Callable[[], datetime]  # gives the time now, aware
    oldest: Callable[[], datetime]  # gives the moment from which texts are kept

    async def run(self) -> None:
        """Erase every hour, until cancelled."""
        while True:
            try:
                while await self.erase():
                    pass
            except NoDatabaseError:
                log.warning("no text was erased: the database cannot be used; tried again hourly")
            await asyncio.sleep(EVERY_S)

    async def erase(self) -> int:
        """Erase some of the texts that were kept long enough, and return how many."""
        old = select(TextMessage.id).where(
            IS_KEPT,
            col(TextMessage.made_at) <= self.oldest(),
            col(TextMessage.request_id).is_(None),
        )
        async with self.database.writing() as session:
            ids = list((await session.exec(old.limit(AT_ONCE))).all())
            await _erase(session, col(TextMessage.id).in_(ids), self.clock())
        return len(ids)


async def erase_with(session: AsyncSession, requests: Sequence[int], now: datetime) -> None:
    """Erase the texts of these call-back requests."""
    await _erase(session, col(TextMessage.request_id).in_(requests), now)


async def _erase(session: AsyncSession, which: Any, now: datetime) -> None:
    await session.exec(update(TextMessage).where(which).values(NOTHING | {"erased_at": now}))
