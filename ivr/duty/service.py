"""What the phone asks for: is our team there, whom to ring next, and did they take the call?"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.duty.roster import Roster
from ivr.hours import HoursNow

PATIENCE_S = 3.0  # seconds that a caller waits for the database
MOST = 3  # people who are rung for one caller, 15 s each: 45 s in all

LastRang = Callable[[str], Awaitable[str]]  # who rang this number last, of those with a request


@dataclass(frozen=True)
class TeamOpen:
    """May our team be rung now? ``open``, ``closed``, or ``unknown``.

    Open only in staffed hours, and when somebody on duty is free; unknown when that cannot be told.
    """

    roster: Roster
    hours: HoursNow
    clock: Callable[[], datetime]  # gives the time now, aware

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer within three seconds."""
        hours = self.hours()
        if not hours.week:
            return Answered("unknown")
        if not hours.is_open(self.clock()):
            return Answered("closed")
        try:
            async with asyncio.timeout(PATIENCE_S):
                free = await self.roster.anybody_free()
        except Exception:  # whatever it is, we cannot know
            return Answered("unknown")
        return Answered("open" if free else "closed")


@dataclass(frozen=True)
class RingNext:
    """Whom to ring next for this caller: ``ringing``, or ``nobody`` once three have been rung,
    nobody else is free, or the staffed hours or the call itself have ended meanwhile.

    A parent who returns a missed call reaches first whoever rang.
    """

    roster: Roster
    last_rang: LastRang
    hours: HoursNow
    clock: Callable[[], datetime]  # gives the time now, aware

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the number (E.164), the ring, and everybody who was rung so far."""
        tried = ask.facts["tried"].split()
        number = ask.facts["caller_number"]
        async with asyncio.timeout(PATIENCE_S):
            if ask.facts["ring"]:  # the one before is over, whether or not we were told
                await self.roster.end(int(ask.facts["ring"]))
            if call.is_over or len(tried) >= MOST or not self.hours().is_open(self.clock()):
                return Answered("nobody")
            first = await self.last_rang(number) if number and not tried else ""
            people = [int(one) for one in tried]
            called = await self.roster.reserve(call.effect(ask), people, first, call.sid)
        if called is None:
            return Answered("nobody")
        facts = {"team_number": called.number, "ring": str(called.ring)}
        return Answered("ringing", {**facts, "tried": " ".join((*tried, str(called.person)))})


@dataclass(frozen=True)
class WasTaken:
    """Did whoever answered press 1? ``taken`` or ``not-taken``: a voicemail presses nothing.

    ``unrecorded`` when it could not be written down, but the network says that they were joined:
    then somebody talked, and nobody else is to be rung.
    """

    roster: Roster

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer by what was recorded then."""
        async with asyncio.timeout(PATIENCE_S):
            taken = bool(ask.facts["ring"]) and await self.roster.end(int(ask.facts["ring"]))
        if taken:
            return Answered("taken")
        return Answered("unrecorded" if ask.facts["joined"] else "not-taken")
