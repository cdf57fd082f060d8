"""Keeping a wish whatever happens: in the database, or in the spool until the database is back."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ivr.callbacks.ledger import Ledger, NotYetError
from ivr.callbacks.spool import Spool
from ivr.callbacks.wishes import Kept, Kind, Wish
from ivr.database import NoDatabaseError

log = logging.getLogger(__name__)

PATIENCE_S = 3.0  # seconds that a caller waits for the database
DELIVERY_S = 10.0  # seconds for one wish from the spool
EVERY_S = 2.0  # seconds between two looks into the spool

ALONE = timedelta(days=1)  # after which what adds to another wish waits for it no longer

# What is told of a wish that went into the spool.
TOLD = {Kind.SAVE: "saved", Kind.KEEP: "kept", Kind.CANCEL: "cancelled", Kind.NEED: "noted"}


class Keeper:
    """Keeps wishes, and delivers what is in the spool while ``run`` runs."""

    def __init__(self, ledger: Ledger, spool: Spool) -> None:
        self._ledger, self.spool = ledger, spool
        self._under_way: set[asyncio.Task[Kept]] = set()
        self._down = False

    async def keep(self, wish: Wish) -> Kept:
        """Keep a wish; when this returns it is durable, here or in the database.

        Raises OSError when neither takes it.
        """
        attempt = asyncio.create_task(self._ledger.enter(wish))
        self._under_way.add(attempt)
        attempt.add_done_callback(self._over)
        await asyncio.wait({attempt}, timeout=PATIENCE_S)
        if attempt.done() and not isinstance(attempt.exception(), NoDatabaseError | NotYetError):
            return attempt.result()
        # An attempt that goes on may still succeed: delivering the same effect again changes
        # nothing then. Nobody waits for it, for a network may take minutes to say that it is gone.
        told = Kept(TOLD[wish.kind], wish.reference)
        await asyncio.to_thread(self.spool.put, replace(wish, told=told.outcome))
        return told

    async def run(self) -> None:
        """Deliver what is in the spool, every two seconds, until cancelled."""
        await asyncio.to_thread(self.spool.tidy)
        while True:
            await self.deliver()
            await asyncio.sleep(EVERY_S)

    async def deliver(self) -> None:
        """Enter the wishes of the spool into the database, in order. Nothing is raised: what the
        database cannot take now waits on."""
        try:
            for path in await asyncio.to_thread(self.spool.waiting):
                async with asyncio.timeout(DELIVERY_S):
                    await self._deliver(path)
                self._down = False
        except (NoDatabaseError, TimeoutError, OSError) as problem:
            if not self._down:
                cause = type(problem.__cause__ or problem).__name__
                log.warning("wishes wait in the spool: %s", cause)
            self._down = True

    async def _deliver(self, path: Path) -> None:
        wish = None
        try:
            wish = await asyncio.to_thread(self.spool.read, path)
            if wish is not None:
                await self._ledger.enter(wish)
                await asyncio.to_thread(self.spool.delivered, path)
        except (NoDatabaseError, OSError):
            raise
        except NotYetError:  # the wish that it adds to is in another machine's spool
            if wish is not None and datetime.now(UTC) - wish.at > ALONE:
                await asyncio.to_thread(self.spool.set_aside, path)
        except Exception as problem:  # this one cannot go in; the others must
            log.error("a wish was set aside as %s.aside: %s", path.stem, type(problem).__name__)
            await asyncio.to_thread(self.spool.set_aside, path)

    async def close(self) -> None:
        """Give up what nobody waits for any more; it is in the spool."""
        for attempt in self._under_way:
            attempt.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _over(self, attempt: "asyncio.Task[Kept]") -> None:
        self._under_way.discard(attempt)
        if not attempt.cancelled():
            attempt.exception()  # whoever waited has seen it; of the others it is in the spool
