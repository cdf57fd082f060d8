"""What the phone asks for: may this number be rung, by when, and keep the request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks.keys import Keys
from ivr.callbacks.numbers import printed, usable
from ivr.callbacks.tables import CallBackEffect, CallBackRequest, event
from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.database import Database
from ivr.hours import Hours

Clock = Callable[[], datetime]  # gives the time now, aware

CALLER = "caller"  # who did it, in an event


def utc_text(moment: datetime) -> str:
    """Write a moment as UTC ISO 8601 to the second: "2026-11-24T17:00:00Z"."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class CheckNumber:
    """May we ring the number that the caller confirmed or typed? ``usable`` or ``unusable``."""

    demo: bool  # are drama numbers accepted?

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the number in E.164 and in its printed grouping."""
        own = ask.facts.get("phone") == "own"
        number = usable(ask.facts.get("caller_number" if own else "typed", ""), self.demo)
        if not number:
            return Answered("unusable")
        return Answered("usable", {"number": number, "number_printed": printed(number)})


@dataclass(frozen=True)
class PlanCallBack:
    """By when shall we ring, for the slot that the caller chose? Always ``planned``."""

    hours: Hours
    clock: Clock

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the moment in UTC, and with its day and time of day in London."""
        due = self.hours.due(self.clock(), ask.facts["slot"])
        local = due.astimezone(self.hours.zone)
        return Answered(
            "planned",
            {
                "due_at": utc_text(due),
                "due_day": local.date().isoformat(),
                "due_time": f"{local:%H:%M}",
            },
        )


@dataclass(frozen=True)
class SaveCallBack:
    """Keep a call-back request. ``saved`` is answered only after the commit.

    The same effect (call, turn, step) again, later or at the same moment in another process, keeps
    nothing more and gets the same reference. Raises whatever went wrong: nothing is kept then, or
    it is kept and a repeat will say so.
    """

    database: Database
    keys: Keys
    clock: Clock
    demo: bool  # are drama numbers accepted?

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the reference, once the request is durable."""
        key = call.effect(ask)
        effect, reference = self.keys.effect_hash(key), self.keys.reference(key)
        try:
            async with self.database.writing() as session:
                kept = await session.get(CallBackEffect, effect)
                if kept is None:
                    kept = await self._keep(session, ask.facts, effect, reference)
        except IntegrityError:  # another process kept the same effect between our two statements
            async with self.database.reading() as session:
                kept = await session.get(CallBackEffect, effect)
            if kept is None:
                raise
        return Answered(kept.outcome, {"reference": kept.reference})

    async def _keep(
        self, session: AsyncSession, facts: Mapping[str, str], effect: str, reference: str
    ) -> CallBackEffect:
        now = self.clock()
        request = self._request(facts, reference, now)
        session.add(request)
        await session.flush()  # gives the request its id
        saved = event(request, now, CALLER, "saved")
        kept = CallBackEffect(
            effect=effect, outcome="saved", reference=reference, request_id=saved.request_id, at=now
        )
        session.add_all((saved, kept))
        return kept

    def _request(self, facts: Mapping[str, str], reference: str, now: datetime) -> CallBackRequest:
        number = usable(facts["number"], self.demo)
        if not number:
            raise ValueError("a number that may not be rung was to be saved")
        return CallBackRequest(
            reference=reference,
            number=self.keys.seal(number),
            number_hash=self.keys.number_hash(number),
            requested_at=now,
            due_at=datetime.fromisoformat(facts["due_at"]),
            slot=facts["slot"],
            topic=facts.get("topic", ""),
            council=facts.get("council", ""),
        )
