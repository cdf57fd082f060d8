"""A text message opens a call-back request, or joins the open one of its number."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.planning import Backlog, plan
from ivr.callbacks.tables import CallBackEffect
from ivr.callbacks.wishes import Kind, Wish

TOPIC = "text"  # of a request that a text opened: no place of a flow
NEED = "relay"  # who writes may not be able to speak or hear
SLOT = "any"
NO_HOURS = timedelta(days=1)  # the place in the queue, while nobody knows our hours


@dataclass(frozen=True, slots=True)
class Texted:
    """The request that a text belongs to."""

    request_id: int
    due_at: datetime | None  # by when a new text is answered; None: that cannot be said


@dataclass(frozen=True)
class ByText:
    """Enters texts among the requests."""

    ledger: Ledger
    keys: Keys
    backlog: Backlog
    clock: Callable[[], datetime]  # gives the time now, aware

    async def __call__(self, number: str, words: str, effect: str, at: datetime) -> Texted:
        """Enter the words of a text from this number (E.164). The same effect again changes
        nothing, and returns the same request. Raises NoDatabaseError."""
        planned = await self._planned()
        wish = Wish(
            kind=Kind.TEXT,
            effect=self.keys.effect_hash(effect),
            reference=self.keys.reference(effect),
            number=number,
            at=at,
            slot=SLOT,
            due_at=planned or self.clock() + NO_HOURS,
            topic=TOPIC,
            need=NEED,
            wanted=True,
            words=words,
        )
        await self.ledger.enter(wish)
        async with self.ledger.database.reading() as session:
            entered = await session.get_one(CallBackEffect, wish.effect)
        # The same for a request that it joins, whose time is earlier: the answer must not tell
        # another person who has the phone that somebody asked before.
        return Texted(entered.request_id, planned)

    async def _planned(self) -> datetime | None:
        now = self.clock()
        try:
            return plan(self.backlog.hours(), now, SLOT, await self.backlog.load(now)).due_at
        except ValueError:  # the hours cannot be used, or no day of the week has any
            return None
