"""How many texts one number may have in a day.

The text in question does not count, so that the same one again is answered the same.
"""

from datetime import timedelta
from typing import Any

from sqlmodel import col, func, select

from ivr.messages.outbox import CALLER, Draft, Kind, Outbox
from ivr.messages.states import State
from ivr.messages.tables import TextMessage

A_DAY = timedelta(days=1)
MOST_ANSWERS = 5  # to the texts of one number
MOST_ASKED = 6  # that callers have sent to one number: it may be a stranger's
ASKED = (Kind.ANSWER, Kind.CONTACT, Kind.WAY)  # by a caller, with a key


async def answered_enough(outbox: Outbox, draft: Draft) -> bool:
    """Whether the number of this answer has had so many answers of ours to its texts in a day that
    a machine must be at the other end. Raises NoDatabaseError."""
    return await _others(outbox, draft, (Kind.REPLY, Kind.HELP)) >= MOST_ANSWERS


async def helped(outbox: Outbox, draft: Draft) -> bool:
    """Whether the number of this answer to HELP is to have none: it had one in the last day, or
    enough answers. Raises NoDatabaseError."""
    had_one = await _others(outbox, draft, (Kind.HELP,)) > 0
    return had_one or await answered_enough(outbox, draft)


async def asked_enough(outbox: Outbox, draft: Draft) -> bool:
    """Whether callers have had so many texts sent to the number of this one in a day that it is to
    have no more. Raises NoDatabaseError."""
    return await _others(outbox, draft, ASKED, col(TextMessage.who) == CALLER) >= MOST_ASKED


async def _others(outbox: Outbox, draft: Draft, kinds: tuple[Kind, ...], *conditions: Any) -> int:
    """How many other texts of these kinds, under these conditions, its number had in a day."""
    query = select(func.count()).where(
        col(TextMessage.number_hash) == outbox.keys.number_hash(draft.number),
        col(TextMessage.made_at) > outbox.clock() - A_DAY,
        col(TextMessage.kind).in_([kind.value for kind in kinds]),
        col(TextMessage.state) != State.STOPPED.value,
        col(TextMessage.effect) != outbox.keys.effect_hash(draft.effect),
        *conditions,
    )
    async with outbox.database.reading() as session:
        return (await session.exec(query)).one()
