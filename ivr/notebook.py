"""Noting what happens in memory, at no cost, and writing it into the database every two seconds.

A worker that is killed may lose two seconds of it. While the database is gone it waits; when there
is too much the oldest is dropped, and counted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database, NoDatabaseError

EVERY_S = 2.0  # seconds between two writings
PATIENCE_S = 10.0  # seconds for one transaction; a database that takes longer is as good as gone
MOST_WAITING = 20_000  # notes: some megabytes, and many minutes of a busy line
AT_ONCE = 500  # notes in one transaction, so that a caller's "save" never waits long behind it

log = logging.getLogger(__name__)

Note = TypeVar("Note")


class Notebook(Generic[Note]):
    """Takes notes of one kind, and writes them in the background while ``run`` runs."""

    def __init__(
        self,
        database: Database,
        write: Callable[[AsyncSession, Sequence[Note]], Awaitable[None]],
        what: str,
        most: int = MOST_WAITING,
    ) -> None:
        """``write`` writes some notes within a transaction, ``what`` names them for the log, and so
        many of them may wait in memory."""
        self._database, self._write, self._what, self._most = database, write, what, most
        self._waiting: deque[Note] = deque()
        self._down = False
        self.dropped = 0  # notes lost since the process started

    def take(self, note: Note) -> None:
        """Take a note."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(note)

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
                    await self._write(session, batch)
            except (NoDatabaseError, TimeoutError) as problem:
                self._note_down(problem)
                return
            except Exception:
                # Something in this batch can never be written: later notes matter more.
                log.exception("%d %s could not be written and were dropped", len(batch), self._what)
                self.dropped += len(batch)
            self._note_up()
            self._forget(batch)

    def _forget(self, batch: list[Note]) -> None:
        """Remove what was written, which is at the front unless newer notes pushed it out."""
        for note in batch:
            if self._waiting and self._waiting[0] is note:
                self._waiting.popleft()

    def _note_down(self, problem: Exception) -> None:
        if not self._down:
            cause = type(problem.__cause__ or problem).__name__
            log.warning("%s wait in memory: %s", self._what, cause)
        self._down = True

    def _note_up(self) -> None:
        if self._down:
            log.warning("%s are written again; %d were dropped", self._what, self.dropped)
        self._down = False
