"""What holds now, always at hand: no call waits for the database to say it.

It is read every two seconds, and kept on disk too: a helpline that starts without its database goes
by what held last. That ends by itself, for a closure has its day and a notice its end.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import col, select

from ivr.database import Database
from ivr.disk import put
from ivr.hours import Hours, Opening
from ivr.lookout import Lookout
from ivr.today.snapshot import DamagedError, Snapshot, packed, unpacked
from ivr.today.tables import Closure, Notice

log = logging.getLogger(__name__)

A_DAY = timedelta(days=1)


class Today:
    """What holds now: ``hours`` and ``notice`` answer at once, and never fail."""

    def __init__(
        self, database: Database, path: Path, week: Hours, clock: Callable[[], datetime]
    ) -> None:
        """Take up what held last, as the file at ``path`` has it; ``week`` are the usual hours."""
        self._database, self._path, self._week, self._clock = database, path, week, clock
        self._lookout = Lookout(self._look, "closed days and the notice are as they were last")
        self.changed = asyncio.Event()  # set by a new notice; whoever waits for it clears it
        self._on_disk = self._snapshot = self._kept()
        self._take(self._on_disk)

    def hours(self) -> Hours:
        """The usual hours, with the days that are closed or have others."""
        return self._hours

    def notice(self) -> str:
        """The notice of the day; "" for none."""
        return self._snapshot.notice_at(self._clock())

    async def run(self) -> None:
        """Look every two seconds, until cancelled."""
        await self._lookout.run()

    async def look(self) -> None:
        """Read what holds now. Nothing is raised."""
        await self._lookout.look()

    async def _look(self) -> None:
        self._take(await self._read())
        await self._keep()

    def _take(self, snapshot: Snapshot) -> None:
        if snapshot.notice not in ("", self._snapshot.notice):
            self.changed.set()
        self._snapshot = snapshot
        self._hours = replace(self._week, exceptions=snapshot.exceptions)

    async def _read(self) -> Snapshot:
        now = self._clock()
        yesterday = now.astimezone(self._week.zone).date() - A_DAY
        closures = select(Closure).where(col(Closure.day) >= yesterday).order_by(col(Closure.day))
        notices = select(Notice).where(col(Notice.until_at) > now).order_by(col(Notice.id).desc())
        async with self._database.reading() as session:
            days = (await session.exec(closures)).all()
            notice = (await session.exec(notices.limit(1))).first()
        exceptions = {one.day: opening_of(one) for one in days}
        return (
            Snapshot(exceptions, notice.text, notice.until_at) if notice else Snapshot(exceptions)
        )

    # --- on disk -------------------------------------------------------------------------------

    def _kept(self) -> Snapshot:
        """What held last; nothing special, if nobody knows."""
        try:
            return unpacked(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return Snapshot()
        except (DamagedError, OSError, UnicodeDecodeError) as problem:
            log.warning("%s is not used: %s", self._path.name, type(problem).__name__)
            return Snapshot()

    async def _keep(self) -> None:
        """Keep what holds. Workers that share the file write the same into it."""
        if self._snapshot != self._on_disk:
            await asyncio.to_thread(put, self._path, packed(self._snapshot))
            self._on_disk = self._snapshot


def opening_of(closure: Closure) -> Opening | None:
    """The hours of such a day; None if it is closed."""
    if closure.opens is None or closure.closes is None:
        return None
    return Opening(closure.opens, closure.closes)
