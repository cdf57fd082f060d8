"""What staff read of texts, and what they can do about one of which nobody knows how it fares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, func, select

from ivr.database import Database
from ivr.messages.keys import Keys
from ivr.messages.states import State
from ivr.messages.tables import IS_DUE, IS_KEPT, TextMessage
from ivr.vault import UnreadableError

SLOW = timedelta(minutes=10)  # a text that waits for longer is stuck
RECENT = timedelta(days=1)  # in which a text of unknown fate is worth looking after
STUCK = {
    "waiting": "texts have waited for more than ten minutes: is Twilio reached?",
    "unknown": "texts of the last day may not have been sent: nobody can say",
}
UNREADABLE = "(unreadable: its key is lost)"
ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class Shown:
    """A text, as pages show it."""

    id: int
    who: str
    at: datetime
    state: State
    error: int  # Twilio's error number
    body: str  # "" if it is not for whoever looks

    @property
    def came_in(self) -> bool:
        """Whether they sent it."""
        return self.state is State.RECEIVED


@dataclass(frozen=True)
class Thread:
    """Reads texts."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware

    async def of(self, request_id: int, seen: bool) -> list[Shown]:
        """Return the texts of a call-back request, both ways, in order; what they say only if
        whoever looks may see it."""
        query = select(TextMessage).where(col(TextMessage.request_id) == request_id)
        order = (col(TextMessage.made_at), col(TextMessage.id))
        async with self.database.reading() as session:
            found = (await session.exec(query.order_by(*order))).all()
        return [
            Shown(
                id=one.id or 0,
                who=one.who,
                at=one.made_at,
                state=State(one.state),
                error=one.error,
                body=self._body(one) if seen else "",
            )
            for one in found
        ]

    async def again(self, message_id: int, request_id: int, who: str) -> bool:
        """Send a text of this request again, of which nobody can say whether it was sent; once.
        Whether there was such a one."""
        now = self.clock()
        doubtful = update(TextMessage).where(
            col(TextMessage.id) == message_id,
            col(TextMessage.request_id) == request_id,
            col(TextMessage.state) == State.UNKNOWN.value,
            col(TextMessage.erased_at).is_(None),
        )
        async with self.database.writing() as session:
            repeated = doubtful.values(state=State.REPEATED.value).returning(TextMessage)
            old: TextMessage | None = (await session.exec(repeated)).scalar_one_or_none()
            if old is None:
                return False
            session.add(
                TextMessage(
                    effect=self.keys.effect_hash(f"again {message_id}"),
                    kind=old.kind,
                    request_id=request_id,
                    who=who[:64],
                    number=old.number,
                    number_hash=old.number_hash,
                    body=old.body,
                    made_at=now,
                    next_at=now,
                )
            )
        return True

    async def stuck(self) -> dict[str, str]:
        """Return, in words, how many texts have waited for long, and of how many of late nobody
        knows whether they were sent. Raises NoDatabaseError."""
        now = self.clock()
        waiting = (IS_DUE, IS_KEPT, col(TextMessage.made_at) <= now - SLOW)
        unknown = (
            IS_KEPT,
            col(TextMessage.state) == State.UNKNOWN.value,
            col(TextMessage.made_at) > now - RECENT,
        )
        async with self.database.reading() as session:
            counts = {
                name: (await session.exec(select(func.count()).where(*conditions))).one()
                for name, conditions in (("waiting", waiting), ("unknown", unknown))
            }
        return {
            f"texts {name}": f"{count} {STUCK[name]}" for name, count in counts.items() if count
        }

    def _body(self, row: TextMessage) -> str:
        try:
            return self.keys.unseal(row.body) if row.body else ERASED
        except UnreadableError:
            return UNREADABLE
