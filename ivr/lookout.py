"""Looking into the database every two seconds: what was seen last holds while nothing is seen."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ivr.database import NoDatabaseError

log = logging.getLogger(__name__)

EVERY_S = 2.0  # seconds between two looks
PATIENCE_S = 5.0  # seconds for one look
MENTIONED = 2  # looks in vain in a row: at the first start the first one comes before the tables


class Lookout:
    """Looks again and again, and at once when asked; one look at a time."""

    def __init__(self, look: Callable[[], Awaitable[None]], without: str) -> None:
        """``look`` reads, and may raise NoDatabaseError or OSError; ``without`` says, for the log,
        how things are while it does."""
        self._look, self._without = look, without
        self._one_look = asyncio.Lock()  # an older look must not end after a newer one
        self._in_vain = 0

    @property
    def sees(self) -> bool:
        """Whether the last look was not in vain."""
        return self._in_vain == 0

    async def run(self) -> None:
        """Look every two seconds, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Look once. Nothing is raised: without a database what was seen last still holds, and a
        disk that takes nothing is only needed at the next start."""
        try:
            async with self._one_look, asyncio.timeout(PATIENCE_S):
                await self._look()
        except (NoDatabaseError, TimeoutError, OSError) as problem:
            self._in_vain += 1
            if self._in_vain == MENTIONED:
                cause = type(problem.__cause__ or problem).__name__
                log.warning("%s: %s", self._without, cause)
        else:
            self._in_vain = 0
