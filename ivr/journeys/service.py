"""What the phone asks for: note whether an answer helped."""

import hmac
from dataclasses import dataclass

from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.journeys.batch import Journeys


@dataclass(frozen=True)
class NoteFeedback:
    """Note whether the answer helped. Always ``noted``: no caller should wait for statistics."""

    journeys: Journeys
    hash_key: bytes

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Note ``helped`` (yes or no) for ``topic``; a repeat of the same effect counts once."""
        effect = f"journeys feedback\0{call.effect(ask)}"
        told = hmac.digest(self.hash_key, effect.encode(), "sha256").hex()
        self.journeys.feedback(told, ask.facts["helped"] == "yes", ask.facts.get("topic", ""))
        return Answered("noted")
