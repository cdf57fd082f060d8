"""A bell that rings when something happened to any request, whichever worker did it.

On PostgreSQL a trigger notifies every worker that listens; SQLite is looked at every second, and
only while somebody waits for the bell.
"""

import asyncio
import logging
from contextlib import suppress

from sqlmodel import col, func, select

from ivr.callbacks.tables import CallBackEvent
from ivr.database import Database, NoDatabaseError

CHANNEL = "callback_event"  # as in the migrations
LOOK_S = 1.0  # seconds between two looks at SQLite, or while PostgreSQL cannot be listened to
CHECK_S = 15.0  # seconds between two looks while it is listened to, should it have died silently

log = logging.getLogger(__name__)


class Bell:
    """Tells those who wait when something happened."""

    def __init__(self, database: Database) -> None:
        self._database, url = database, database.url
        self._dsn = url.replace("+asyncpg", "") if url.startswith("postgresql") else ""
        self._rung = asyncio.Event()
        self._waiting = 0

    async def wait(self, seconds: float) -> None:
        """Wait until something happens, or until so many seconds have passed."""
        self._waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._rung.wait()
        finally:
            self._waiting -= 1

    async def changed(self, after: int, but_by: str = "", of: int = 0) -> int:
        """Return to how many requests, or whether to that of this id, somebody else did something
        after this event."""
        query = select(func.count(col(CallBackEvent.request_id).distinct())).where(
            col(CallBackEvent.id) > after, col(CallBackEvent.who) != but_by
        )
        if of:
            query = query.where(col(CallBackEvent.request_id) == of)
        async with self._database.reading() as session:
            return (await session.exec(query)).one()

    async def run(self) -> None:
        """Ring whenever there is something new, until cancelled."""
        while True:
            try:
                await self._listen() if self._dsn else await self._look()
            except (NoDatabaseError, OSError) as problem:
                cause = type(problem.__cause__ or problem).__name__
                log.warning("staff are not told of news: %s; tried again", cause)
            await asyncio.sleep(LOOK_S)

    def ring(self) -> None:
        """Wake everybody who waits."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def _look(self) -> None:
        last = -1
        while True:
            if self._waiting:
                newest = await self._newest()
                if newest != last:
                    last = newest
                    self.ring()
            await asyncio.sleep(LOOK_S)

    async def _listen(self) -> None:
        import asyncpg  # SQLite is had without it

        try:
            connection = await asyncpg.connect(self._dsn, timeout=CHECK_S)
            try:
                await connection.add_listener(CHANNEL, lambda *_: self.ring())
                while True:
                    await asyncio.sleep(CHECK_S)
                    await connection.fetchval("SELECT 1", timeout=CHECK_S)
            finally:
                await connection.close(timeout=1)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
            raise NoDatabaseError from problem

    async def _newest(self) -> int:
        async with self._database.reading() as session:
            return (await session.exec(select(func.max(CallBackEvent.id)))).one() or 0
