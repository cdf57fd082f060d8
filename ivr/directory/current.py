"""The directory that holds now, always at hand: the file, and over it what people changed since.

No call waits for the database to say it. It is read every two seconds, and kept on disk too: a
helpline that starts without its database goes by what it knew last.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.config import Settings
from ivr.database import Database
from ivr.directory.entries import Council, Entry, Periods
from ivr.directory.lookup import Directory
from ivr.directory.places import Place
from ivr.directory.snapshot import DamagedError, Snapshot, overlaid, packed, unpacked
from ivr.directory.tables import DirectoryChange
from ivr.disk import put
from ivr.lookout import Lookout

log = logging.getLogger(__name__)


Make = Callable[[Iterable[Council]], Directory]


class Current:
    """What is known of the councils now: ``now`` answers at once, and never fails."""

    def __init__(
        self, database: Database, path: Path, councils: Sequence[Council], make: Make = Directory
    ) -> None:
        """Take up what held last, as the file at ``path`` has it; ``councils`` are those of the
        book's own file, and ``make`` makes a directory of councils."""
        self._database, self._path, self._councils, self._make = database, path, councils, make
        self._filed = {one.entry.gss_code: one.entry for one in councils}
        self._lookout = Lookout(self._look, "the directory is as it was last")
        self._seen: tuple[int, int] | None = None  # the highest change, and how many there are
        self.fault = ""  # of the file on disk
        self.changed = asyncio.Event()  # set by each change; whoever waits for it clears it
        self._on_disk = self._kept()
        self._take(self._on_disk)

    def now(self) -> Directory:
        """The directory that holds now."""
        return self._directory

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all councils, in the order of the file."""
        return tuple(self._filed)

    def filed(self, code: str) -> Entry:
        """What the book's own file says of a council. Raises KeyError."""
        return self._filed[code]

    def last_change(self, record: str) -> int:
        """The number of the change after which a record is as it is; 0 if it is as in the file."""
        return self._snapshot.last.get(record, 0)

    @property
    def is_stale(self) -> bool:
        """Whether the last look was in vain: what people changed of late may not be known."""
        return not self._lookout.sees

    async def run(self) -> None:
        """Look every two seconds, until cancelled."""
        await self._lookout.run()

    async def look(self) -> None:
        """Read what was changed. Nothing is raised."""
        await self._lookout.look()

    async def _look(self) -> None:
        await self._read()
        await self._keep()

    def _take(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._directory = self._make(overlaid(self._councils, snapshot))

    async def _read(self) -> None:
        """Take what was changed since the last look, if anything was. Both are asked, for a lower
        change may come to light after a higher one."""
        marks = select(func.max(DirectoryChange.id), func.count())
        async with self._database.reading() as session:
            highest, count = (await session.exec(marks.select_from(DirectoryChange))).one()
            if self._seen == (highest or 0, count):
                return
            changes = await last_changes(session)
        last = {one.record: one.id or 0 for one in changes}
        snapshot = Snapshot(last, {one.record: one.new for one in changes})
        if snapshot != self._snapshot:
            self._take(snapshot)
            self.changed.set()
        self._seen = (highest or 0, count)

    # --- on disk -------------------------------------------------------------------------------

    def _kept(self) -> Snapshot:
        """What held last; what nobody knows is as in the file of the book."""
        try:
            snapshot, dropped = unpacked(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return Snapshot()
        except (DamagedError, OSError, UnicodeDecodeError) as problem:
            log.warning("%s is not used: %s", self._path.name, type(problem).__name__)
            self.fault = f"{self._path.name} is damaged: changes are unknown without the database"
            return Snapshot()
        if dropped:
            lost = ", ".join(code for code in self._filed if code in dropped) or "no council"
            log.warning("%s: what it says of %s is not used", self._path.name, lost)
            self.fault = (
                f"{self._path.name} is damaged: changes of {lost} are unknown without the database"
            )
        return snapshot

    async def _keep(self) -> None:
        """Keep what holds. Workers that share the file write the same into it."""
        if self._snapshot != self._on_disk or self.fault:
            await asyncio.to_thread(put, self._path, packed(self._snapshot))
            self._on_disk, self.fault = self._snapshot, ""


def directory_of(
    settings: Settings, database: Database, councils: Sequence[Council], places: Iterable[Place]
) -> Current:
    """Return what these settings say of these councils and places, with what people changed."""
    periods = Periods(settings.verified_days, settings.published_days, settings.demo_mode)
    known = tuple(places)
    return Current(
        database,
        settings.var / "directory.json",
        councils,
        lambda changed: Directory(changed, known, periods=periods),
    )


async def last_changes(session: AsyncSession) -> Sequence[DirectoryChange]:
    """Return the last change of each record."""
    newest = select(func.max(DirectoryChange.id)).group_by(col(DirectoryChange.record))
    return (
        await session.exec(select(DirectoryChange).where(col(DirectoryChange.id).in_(newest)))
    ).all()
