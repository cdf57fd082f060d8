"""What the phone asks for: may this number have a text, and send what the caller chose to have."""

import asyncio
from dataclasses import dataclass, replace

from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.errors import HelplineError
from ivr.messages.limits import asked_enough
from ivr.messages.outbox import CALLER, Draft, Kind
from ivr.messages.post import Post
from ivr.numbers import mobile, printed

PATIENCE_S = 3.0  # seconds that a caller waits for the database


class NoTextsError(HelplineError):
    """Texts are not set up here, or not to that number; see IVR_TEXT_FROM in the README."""


@dataclass(frozen=True)
class CheckMobile:
    """May we text the number that the caller confirmed or typed? ``usable`` or ``unusable``."""

    demo: bool  # are drama numbers accepted?

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the number in E.164 and in its printed grouping."""
        own = ask.facts.get("text_phone") == "own"
        number = mobile(ask.facts.get("caller_number" if own else "text_typed", ""), self.demo)
        if not number:
            return Answered("unusable")
        return Answered("usable", {"text_number": number, "text_printed": printed(number)})


@dataclass(frozen=True)
class SendText:
    """Put a text into the outbox: ``queued`` once that is durable, ``stopped`` if the number wants
    none, ``enough`` if callers have had many texts sent to it in a day.

    In one call the same about the same to the same number is one text, as long as it may arrive.
    Raises whatever went wrong: the caller then hears that nothing is sent.
    """

    post: Post
    demo: bool  # are drama numbers accepted?

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer once the text is kept."""
        number = mobile(ask.facts["text_number"], self.demo)
        if not (self.post.can_text and number):
            raise NoTextsError
        kind = Kind(ask.facts["text_kind"])
        about = ask.facts.get("topic" if kind is Kind.ANSWER else "council", "")
        draft = Draft(
            effect=f"call {call.sid} {kind} {about} {number}",
            kind=kind,
            number=number,
            body=self.post.finish(self.post.composers[kind.value](about)),
            who=CALLER,
        )
        async with asyncio.timeout(PATIENCE_S):
            return Answered(await self._put(draft, call.effect(ask)))

    async def _put(self, draft: Draft, turn: str) -> str:
        """Keep the text, and return what came of it. What was stopped or failed before is, at
        another turn, another text: they may have said START since."""
        for effect in (draft.effect, f"{draft.effect} {turn}"):
            text = replace(draft, effect=effect)
            if await asked_enough(self.post.outbox, text):
                return "enough"
            put = await self.post.outbox.put(text)
            if put.is_new or put.is_on_its_way:
                break
        return "stopped" if put.stopped else "queued"
