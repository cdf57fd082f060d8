"""Who wants no texts. What a number said last counts, in whatever order it comes to us."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database
from ivr.messages.keys import Keys
from ivr.messages.tables import TextOptOut


@dataclass(frozen=True)
class OptOuts:
    """Keeps who wants no texts. Only hashes of numbers are kept, and for good."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware

    async def stop(self, number: str, who: str, at: datetime | None = None) -> None:
        """No more texts to this number (E.164). Raises NoDatabaseError."""
        await self._say(number, True, who, at)

    async def start(self, number: str, who: str, at: datetime | None = None) -> None:
        """Texts to this number again. Raises NoDatabaseError."""
        await self._say(number, False, who, at)

    async def has(self, number: str) -> bool:
        """Whether this number wants no texts. Raises NoDatabaseError."""
        async with self.database.reading() as session:
            return await wants_none(session, self.keys.number_hash(number))

    async def _say(self, number: str, stopped: bool, who: str, at: datetime | None) -> None:
        said = TextOptOut(
            number_hash=self.keys.number_hash(number),
            stopped=stopped,
            at=at or self.clock(),
            who=who[:64],
        )
        while True:
            try:
                async with self.database.writing() as session:
                    return await note(session, said)
            except IntegrityError:  # the same number at the same moment: now it is there
                continue


async def note(session: AsyncSession, said: TextOptOut) -> None:
    """Write down what a number said, unless it has said something since."""
    theirs = col(TextOptOut.number_hash) == said.number_hash
    values = {"stopped": said.stopped, "at": said.at, "who": said.who}
    later = update(TextOptOut).where(theirs, col(TextOptOut.at) <= said.at)
    if not (await session.exec(later.values(values))).rowcount:
        known = select(TextOptOut.number_hash).where(theirs)
        if (await session.exec(known)).first() is None:
            session.add(said)


async def wants_none(session: AsyncSession, number_hash: str) -> bool:
    """Whether the number with this hash wants no texts."""
    query = select(TextOptOut.stopped).where(col(TextOptOut.number_hash) == number_hash)
    return bool((await session.exec(query)).first())
