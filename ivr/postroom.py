"""The texts of one helpline: the parts that write, send and read them, joined from its settings.

The one place beside the house where rooms meet.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.callbacks.desk import Desk
from ivr.callbacks.keys import Keys
from ivr.callbacks.states import ALARM_LOST
from ivr.callbacks.tables import CallBackRequest, event
from ivr.carrier import Carrier
from ivr.config import Settings
from ivr.core.flow import Book
from ivr.core.texting import answer_by_text, whole
from ivr.database import Database
from ivr.directory.lookup import DirectoryNow
from ivr.directory.texting import contact, way
from ivr.hours import LONDON, HoursNow
from ivr.messages import rules
from ivr.messages.alarm import Alarm
from ivr.messages.inbox import Incoming, text_spool
from ivr.messages.keys import Keys as TextKeys
from ivr.messages.optouts import OptOuts
from ivr.messages.outbox import HELPLINE, Outbox
from ivr.messages.post import Compose, Post
from ivr.messages.thread import Thread
from ivr.spool import Spool

Clock: TypeAlias = Callable[[], datetime]


def carrier_of(settings: Settings) -> Carrier:
    """Twilio's account. In demo mode there is none: nobody is rung, and nothing is sent."""
    return Carrier(
        settings.twilio_api_url,
        settings.twilio_account_sid,
        "" if settings.demo_mode else settings.auth_tokens[0],
        settings.twilio_number,
        settings.text_from,
    )


def text_keys(settings: Settings) -> TextKeys:
    """What seals texts, and finds them."""
    return TextKeys(settings.fernet_keys, settings.hash_key)


def texts_spool(settings: Settings) -> Spool[Incoming]:
    """Where texts wait that came in while the database, or the book, could not be used."""
    return text_spool(settings.var / "texts", text_keys(settings))


def alarm_of(settings: Settings, database: Database, clock: Clock) -> Alarm:
    """The alarm to the safeguarding phones of these settings."""
    outbox = Outbox(database, text_keys(settings), clock)
    phones, can_text = settings.safety_phones_listed, carrier_of(settings).can_text
    return Alarm(outbox, phones, settings.public_url, can_text)


def desk_for(settings: Settings, database: Database, hours: HoursNow, clock: Clock) -> Desk:
    """The desk of these settings, for pages and prompt alike."""
    keys = Keys(settings.fernet_keys, settings.hash_key)
    return Desk(database, keys, hours, clock, alarm_of(settings, database, clock).ring)


def outbox_of(settings: Settings, database: Database, clock: Clock) -> Outbox:
    """The outbox of these settings. An alarm that does not arrive is an event of its request, so
    that open pages learn of it."""

    async def alarm_lost(session: AsyncSession, request_id: int) -> None:
        request = await session.get(CallBackRequest, request_id)
        if request is not None:
            session.add(event(request, clock(), HELPLINE, ALARM_LOST))

    return Outbox(database, text_keys(settings), clock, alarm_lost)


def _finish(settings: Settings) -> Callable[[str], str]:
    return lambda text: rules.finished(text, settings.text_from, settings.twilio_number)


def post_of(
    settings: Settings,
    carrier: Carrier,
    database: Database,
    composers: Mapping[str, Compose],
    clock: Clock,
) -> Post:
    """What writes, sends and reads texts."""
    keys = text_keys(settings)
    return Post(
        outbox=outbox_of(settings, database, clock),
        optouts=OptOuts(database, keys, clock),
        thread=Thread(database, keys, clock),
        composers=composers,
        finish=_finish(settings),
        can_text=carrier.can_text and bool(settings.public_url),
    )


def composers_of(
    settings: Settings, book: Callable[[], Book], directory: DirectoryNow, clock: Clock
) -> dict[str, Compose]:
    """What writes texts, by their kind."""
    end = len(rules.way_out(settings.text_from, settings.twilio_number)) + 1

    def answer(topic: str) -> str:
        return answer_by_text(book(), topic, f"{settings.public_url}/", end)

    def about(words: Callable[[str], str]) -> Compose:
        return lambda code: whole(book(), words(code), (), end)

    def contact_of(code: str) -> str:
        return contact(directory(), code, clock().astimezone(LONDON).date())

    def way_to(code: str) -> str:
        return way(directory().council(code))

    return {"answer": answer, "contact": about(contact_of), "way": about(way_to)}
