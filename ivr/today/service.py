"""What the phone asks for: is there a notice of the day?"""

from dataclasses import dataclass

from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.today.today import Today


@dataclass(frozen=True)
class NoticeOfTheDay:
    """``none``, or ``some`` with its words. From memory: the greeting waits for nothing."""

    today: Today

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer with the words as they are to be said."""
        notice = self.today.notice()
        return Answered("some", {"notice": notice}) if notice else Answered("none")
