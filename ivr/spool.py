"""The spool: what the database could not take yet, safe on this machine's disk; and its delivery.

Each item is a file of its own, ``<when>-<effect>.wish``, sealed as numbers are in the database. It
is there, whole and synced, or it is not there at all. They are read in the order in which they came
about, and go only after the database has them.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ivr.database import NoDatabaseError
from ivr.errors import HelplineError
from ivr.vault import UnreadableError, Vault

STALE_S = 3600  # seconds: the draft of a process that was killed; a live one needs milliseconds
PATIENCE_S = 3.0  # seconds that a caller, or Twilio, waits for the database
DELIVERY_S = 10.0  # seconds for one item from the spool
EVERY_S = 2.0  # seconds between two looks into the spool
ALONE = timedelta(days=1)  # after which what adds to another item waits for it no longer

log = logging.getLogger(__name__)


class UnreadableWishError(HelplineError):
    """What is in the spool is damaged, or IVR_SECRET_KEYS no longer holds its key."""


class NotYetError(HelplineError):
    """This adds to something that is not in the database yet: it waits in some machine's spool."""


class Spooled(Protocol):
    """What can be put into a spool."""

    @property
    def at(self) -> datetime:
        """When it came about."""
        ...

    @property
    def effect(self) -> str:
        """What it is known by: a keyed hash."""
        ...


Item = TypeVar("Item", bound=Spooled)
Entered = TypeVar("Entered")  # what entering an item comes to


class Spool(Generic[Item]):
    """Keeps items of one kind as files in a folder that processes may share. Every method blocks.

    ``pack`` writes an item as bytes, and ``unpack`` reads it; it raises ValueError.
    """

    def __init__(
        self,
        folder: Path,
        vault: Vault,
        pack: Callable[[Item], bytes],
        unpack: Callable[[bytes], Item],
    ) -> None:
        """Take the folder, which is made with the first item."""
        self.folder, self._vault, self._pack, self._unpack = folder, vault, pack, unpack

    def put(self, item: Item) -> None:
        """Keep an item; when this returns it survives a power cut. The same effect is kept once.

        Raises OSError when the disk does not take it; nothing is kept then.
        """
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(self.folder.parent)
        if any(self.folder.glob(f"*-{item.effect}.wish")):
            return
        name = f"{item.at.timestamp():017.6f}-{item.effect}"
        draft = self.folder / f".{name}.{os.getpid()}"
        try:
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(self._vault.seal(self._pack(item).decode()).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.folder / f"{name}.wish")
        finally:
            draft.unlink(missing_ok=True)
        _sync(self.folder)

    def waiting(self) -> list[Path]:
        """What waits, the first that came about first."""
        return sorted(self.folder.glob("*.wish"))

    def aside(self) -> list[Path]:
        """What was set aside: it could not be read, or the database will never take it."""
        return sorted(self.folder.glob("*.aside"))

    def read(self, path: Path) -> Item | None:
        """The item in this file, or None if another process has delivered it meanwhile.

        Raises UnreadableWishError.
        """
        try:
            return self._unpack(self._vault.unseal(path.read_text("ascii")).encode())
        except FileNotFoundError:
            return None
        except (UnreadableError, ValueError):
            raise UnreadableWishError from None

    def delivered(self, path: Path) -> None:
        """Let go of what the database has."""
        path.unlink(missing_ok=True)

    def set_aside(self, path: Path) -> None:
        """Keep an item out of the way of the others. Nothing is thrown away."""
        with suppress(FileNotFoundError):  # another process did it
            path.rename(path.with_suffix(".aside"))

    def tidy(self) -> None:
        """Begin anew: what was set aside may go in with this version, or with a key that is back.

        Drafts of processes that were killed are removed: nobody was told that they are kept.
        """
        for path in self.aside():
            with suppress(FileNotFoundError):
                path.rename(path.with_suffix(".wish"))
        for draft in self.folder.glob(".*"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > STALE_S:
                    draft.unlink()


class Delivery(Generic[Item, Entered]):
    """Enters items into the database: at once, or from the spool while ``run`` runs.

    ``enter`` enters one; the same one again changes nothing, and comes to the same. It may raise
    NoDatabaseError, and NotYetError. ``what`` names them for the log.
    """

    def __init__(
        self, spool: Spool[Item], enter: Callable[[Item], Awaitable[Entered]], what: str
    ) -> None:
        self.spool, self._enter, self._what = spool, enter, what
        self._under_way: set[asyncio.Future[Entered]] = set()
        self._down = False

    async def enter(self, item: Item) -> Entered:
        """Enter an item now, for somebody who waits; when this returns, it is durable.

        Raises what entering it raises, and TimeoutError after three seconds. The attempt then goes
        on and may still succeed, for a network may take minutes to say that it is gone; should the
        item be put into the spool meanwhile, it is entered once all the same.
        """
        attempt = asyncio.ensure_future(self._enter(item))
        self._under_way.add(attempt)
        attempt.add_done_callback(self._over)
        await asyncio.wait({attempt}, timeout=PATIENCE_S)
        if not attempt.done():
            raise TimeoutError
        return attempt.result()

    async def run(self) -> None:
        """Deliver what is in the spool, every two seconds, until cancelled."""
        await asyncio.to_thread(self.spool.tidy)
        while True:
            await self.deliver()
            await asyncio.sleep(EVERY_S)

    async def deliver(self) -> None:
        """Enter what is in the spool, in order. Nothing is raised: what the database cannot take
        now waits on."""
        try:
            for path in await asyncio.to_thread(self.spool.waiting):
                async with asyncio.timeout(DELIVERY_S):
                    await self._deliver(path)
                self._down = False
        except (NoDatabaseError, TimeoutError, OSError) as problem:
            if not self._down:
                cause = type(problem.__cause__ or problem).__name__
                log.warning("%s wait in the spool: %s", self._what, cause)
            self._down = True

    async def _deliver(self, path: Path) -> None:
        item = None
        try:
            item = await asyncio.to_thread(self.spool.read, path)
            if item is not None:
                await self._enter(item)
                await asyncio.to_thread(self.spool.delivered, path)
        except (NoDatabaseError, OSError):
            raise
        except NotYetError:
            if item is not None and datetime.now(UTC) - item.at > ALONE:
                await asyncio.to_thread(self.spool.set_aside, path)
        except Exception as problem:  # this one cannot go in; the others must
            kind = type(problem).__name__
            log.error("one of the %s was set aside as %s.aside: %s", self._what, path.stem, kind)
            await asyncio.to_thread(self.spool.set_aside, path)

    async def close(self) -> None:
        """Give up what nobody waits for any more; it is in the spool."""
        for attempt in self._under_way:
            attempt.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _over(self, attempt: "asyncio.Future[Entered]") -> None:
        self._under_way.discard(attempt)
        if not attempt.cancelled():
            attempt.exception()  # whoever waited has seen it; of the others it is in the spool


def _sync(folder: Path) -> None:
    """Make the new name in the folder as durable as what it names."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
