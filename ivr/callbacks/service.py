"""What the phone asks for: may this number be rung, by when, and keep what the caller wishes."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.planning import Backlog, by_when, plan
from ivr.callbacks.wishes import PRESSED, Kind, Wish
from ivr.config.values import NEEDS
from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.hours import Hours, HoursNow
from ivr.numbers import printed, usable

PATIENCE_S = 3.0  # seconds that a caller waits for the database

Clock = Callable[[], datetime]  # gives the time now, aware


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
    """By when can we ring, in the slot that the caller chose? ``planned``, or ``far`` when that is
    more than two working days away."""

    backlog: Backlog
    hours: HoursNow
    clock: Clock
    retention: int  # months after which a number is erased: the caller is told

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the moment in UTC, and with its day and time of day in London."""
        now, hours = self.clock(), self.hours()
        found = plan(hours, now, ask.facts["slot"], await self.backlog.load(now))
        facts = {
            "due_at": utc_text(found.due_at),
            **_spoken("due", found.due_at, hours),
            **_seen(hours, now, found.due_at),
        }
        outcome = "planned" if found.is_soon else "far"
        return Answered(outcome, {**facts, "retention": str(self.retention)})


@dataclass(frozen=True)
class OpenCallBack:
    """Does the caller's own phone have an open request? ``none``, ``found``, or ``late``.

    Only the phone that they ring from: whoever types a number must not learn that somebody else
    has asked us for help.
    """

    ledger: Ledger
    hours: HoursNow
    clock: Clock

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the day and the time by when it is to be rung, but never with its topic."""
        if ask.facts.get("phone") != "own":
            return Answered("none")
        async with asyncio.timeout(PATIENCE_S):
            found = await self.ledger.open(ask.facts["number"])
        if found is None:
            return Answered("none")
        hours, now = self.hours(), self.clock()
        due = by_when(hours, found)
        facts = {
            "open_request": str(found.id),
            **_spoken("due", due, hours),
            **_seen(hours, now, due),
        }
        return Answered("found" if now <= due else "late", facts)


@dataclass(frozen=True)
class Wishing:
    """Keep what the caller wishes: ``saved``, ``already``, ``kept`` or ``cancelled``, once it is
    durable; ``none`` if there is nothing to keep or cancel.

    The same effect (call, turn, step) again, later or at the same moment in another process, keeps
    nothing more and is answered the same. Raises whatever went wrong: the caller then hears that
    nothing is saved.
    """

    kind: Kind
    keeper: Keeper
    keys: Keys
    clock: Clock
    demo: bool  # are drama numbers accepted?

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the reference, once the wish is durable."""
        number = usable(ask.facts["number"], self.demo)
        if not number:
            raise ValueError("a number that may not be rung was to be saved")
        effect, due = call.effect(ask), ask.facts.get("due_at")
        wish = Wish(
            kind=self.kind,
            effect=self.keys.effect_hash(effect),
            reference=self.keys.reference(effect),
            number=number,
            at=self.clock(),
            slot=ask.facts.get("slot", ""),
            due_at=datetime.fromisoformat(due) if due else None,
            topic=ask.facts.get("topic", ""),
            council=ask.facts.get("council", ""),
            request=int(ask.facts.get("open_request") or 0),
            safety=PRESSED if ask.facts.get("safety") else "",
        )
        kept = await self.keeper.keep(wish)
        saved_as = f"{ask.turn}:{ask.step}"  # with the call's id, the key of this effect
        return Answered(kept.outcome, {"reference": kept.reference, "saved_as": saved_as})


@dataclass(frozen=True)
class NeedsWeMeet:
    """Which access needs may a caller tell us? Those that staff can meet. Always ``known``."""

    met: Collection[str]

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with a fact for each, and one that says whether there is any."""
        asks = {f"asks_{need}": "yes" if need in self.met else "" for need in NEEDS}
        return Answered("known", {**asks, "asks": "yes" if self.met else ""})


@dataclass(frozen=True)
class AddNeed:
    """Add how to ring this caller to what they saved before in this call: ``noted``."""

    keeper: Keeper
    keys: Keys
    clock: Clock

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer once it is durable."""
        wish = replace(
            _adding(Kind.NEED, ask, call, self.keys, self.clock()),
            need=ask.facts["need"],
            wanted=ask.facts["wanted"] == "yes",
            own=ask.facts.get("phone") == "own",
        )
        return Answered((await self.keeper.keep(wish)).outcome)


@dataclass(frozen=True)
class NoteSafety:
    """Tag a call-back whose caller has pressed that someone is not safe: the one that they saved
    before in this call, or else the open one that they heard of in it. ``noted``."""

    keeper: Keeper
    keys: Keys
    clock: Clock

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer once it is durable."""
        wish = _adding(Kind.SAFETY, ask, call, self.keys, self.clock())
        if not ask.facts["saved_as"]:
            asked = int(ask.facts["open_request"] or 0)
            wish = replace(wish, of="", number=ask.facts["number"], request=asked)
        return Answered((await self.keeper.keep(replace(wish, safety=PRESSED))).outcome)


def _adding(kind: Kind, ask: Ask, call: Call, keys: Keys, at: datetime) -> Wish:
    """A wish that adds to the one which the caller saved before in this call."""
    effect, earlier = call.effect(ask), f"{call.sid}:{ask.facts['saved_as']}"
    return Wish(
        kind=kind,
        effect=keys.effect_hash(effect),
        reference=keys.reference(earlier),
        number="",
        at=at,
        of=keys.effect_hash(earlier),
    )


def _seen(hours: Hours, now: datetime, due: datetime) -> dict[str, str]:
    """Until when a person may not see a request: closed, until the next opening; open, until the
    promised time, or the end of today once that is past."""
    if not hours.is_open(now):
        return _spoken("seen", hours.within(now, "any"), hours)
    closes = next(end for _, end in hours.windows(now.astimezone(hours.zone).date(), "any"))
    return _spoken("seen", due if due > now else closes, hours)


def _spoken(name: str, moment: datetime, hours: Hours) -> dict[str, str]:
    """The day and the time in London, as facts of this name that can be spoken: by the next quarter
    of an hour."""
    local = moment.astimezone(hours.zone)
    local += timedelta(minutes=-local.minute % 15)
    return {f"{name}_day": local.date().isoformat(), f"{name}_time": f"{local:%H:%M}"}
