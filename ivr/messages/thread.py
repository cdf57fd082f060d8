"""What staff read of texts, and what they can do about one of which nobody knows how it fares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from ivr.database import Database
from ivr.messages.keys import Keys
from ivr.messages.outbox import Kind
from ivr.messages.states import State
from ivr.messages.tables import IS_DUE, IS_KEPT, TextMessage
from ivr.numbers import masked
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


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A text of which nobody can say whether it was sent."""

    id: int
    kind: Kind
    at: datetime
    number: str  # masked
    request_id: int | None  # the call-back request that it belongs to


@dataclass(frozen=True)
class Thread:
    """Reads texts."""

    database: Database
    keys: Keys
    clock: Callable[[], datetime]  # gives the time now, aware

    async def of(self, request_id: int, seen: bool) -> list[Shown]:
        """Return the texts of a call-back request, both ways, in order; what they say only if
        whoever looks may see it."""
        query = select(TextMessage).where(
            col(TextMessage.request_id) == request_id,
            col(TextMessage.kind) != Kind.ALARM.value,  # that is to staff
        )
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

    async def doubtful(self, most: int) -> list[Doubtful]:
        """Return some of the texts of the last day of which nobody can say whether they were sent,
        the newest first. Raises NoDatabaseError."""
        query = select(TextMessage).where(*_of_unknown_fate(self.clock()))
        newest = query.order_by(col(TextMessage.made_at).desc(), col(TextMessage.id).desc())
        async with self.database.reading() as session:
            found = (await session.exec(newest.limit(most))).all()
        return [
            Doubtful(one.id or 0, Kind(one.kind), one.made_at, self._masked(one), one.request_id)
            for one in found
        ]

    async def doubts(self) -> int:
        """Return how many such texts there are. Raises NoDatabaseError."""
        async with self.database.reading() as session:
            return (await session.exec(_count(_of_unknown_fate(self.clock())))).one()

    async def again(self, message_id: int, request_id: int | None, who: str) -> bool:
        """Send a text of this request again (None: one to staff, or of no request) whose fate is
        unknown; once. Return whether there was such a text."""
        now = self.clock()
        is_alarm = col(TextMessage.kind) == Kind.ALARM.value
        of_request = col(TextMessage.request_id).is_not_distinct_from(request_id)
        doubtful = update(TextMessage).where(
            col(TextMessage.id) == message_id,
            of_request if request_id else or_(of_request, is_alarm),
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
                    request_id=old.request_id,
                    who=who[:64],
                    number=old.number,
                    number_hash=old.number_hash,
                    body=old.body,
                    made_at=old.made_at if old.kind == Kind.ALARM else now,  # of the same alarm
                    next_at=now,
                )
            )
        return True

    async def stuck(self) -> dict[str, str]:
        """Return, in words, how many texts have waited for long, and of how many of late nobody
        knows whether they were sent. Raises NoDatabaseError."""
        now = self.clock()
        waiting = (IS_DUE, IS_KEPT, col(TextMessage.made_at) <= now - SLOW)
        unknown = _of_unknown_fate(now)
        async with self.database.reading() as session:
            counts = {
                name: (await session.exec(_count(conditions))).one()
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

    def _masked(self, row: TextMessage) -> str:
        try:
            return masked(self.keys.unseal(row.number))
        except UnreadableError:
            return UNREADABLE


def _of_unknown_fate(now: datetime) -> tuple[Any, ...]:
    return (
        IS_KEPT,
        col(TextMessage.state) == State.UNKNOWN.value,
        col(TextMessage.made_at) > now - RECENT,
    )


def _count(conditions: tuple[Any, ...]) -> SelectOfScalar[int]:
    return select(func.count()).select_from(TextMessage).where(*conditions)
