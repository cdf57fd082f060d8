"""Texts that we send: once, or not at all, and the truth about which; on both databases."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from databases import KINDS, ROOT, new_url
from sqlalchemy import update
from sqlmodel import col, select

from ivr.callbacks.erasing import Eraser as CallBackEraser
from ivr.callbacks.erasing import months_before
from ivr.callbacks.keys import Keys as CallBackKeys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.tables import CallBackRequest
from ivr.callbacks.wishes import Kind as WishKind
from ivr.callbacks.wishes import Wish
from ivr.carrier import Carrier
from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.database import Database, NoDatabaseError, upgrade
from ivr.gsm import UnsendableError
from ivr.messages import service
from ivr.messages.erasing import Eraser as TextEraser
from ivr.messages.erasing import erase_with
from ivr.messages.keys import Keys
from ivr.messages.optouts import OptOuts
from ivr.messages.outbox import Draft, Kind, Outbox
from ivr.messages.post import Post
from ivr.messages.rules import finished
from ivr.messages.sender import Sender
from ivr.messages.service import CheckMobile, NoTextsError, SendText
from ivr.messages.states import TOLD, State
from ivr.messages.tables import TextMessage
from ivr.messages.thread import Thread
from ivr.numbers import mobile
from tests.helplines import PATIENCE, SetClock
from tests.standins import Twilio, twilio

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SID = "AC" + "1" * 32
NUMBER, OTHER, OURS = "+447700900123", "+447700900124", "+447700900999"
FERNET_KEY = Fernet.generate_key()
KEYS = Keys((FERNET_KEY,), b"a key for hashes, in tests")
CALL = Call("CA" + "1" * 32, NUMBER)


@pytest.fixture
def standin() -> Iterator[Twilio]:
    with twilio() as made:
        yield made


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


@pytest.fixture
def outbox(database: Database, clock: SetClock) -> Outbox:
    return Outbox(database, KEYS, clock)


def sender(outbox: Outbox, address: str) -> Sender:
    carrier = Carrier(address, SID, "a token", "", OURS)
    return Sender(outbox, carrier, lambda one: f"https://line.example.org/sms/status/{one}")


def draft(effect: str = "1", number: str = NUMBER) -> Draft:
    return Draft(effect, Kind.ANSWER, number, f"What you asked for: {effect}", "caller")


async def stands(outbox: Outbox) -> list[tuple[str, int]]:
    """The state and the error of each message."""
    async with outbox.database.reading() as session:
        found = await session.exec(select(TextMessage).order_by(col(TextMessage.id)))
        return [(one.state, one.error) for one in found.all()]


# --- the outbox ----------------------------------------------------------------------------------


async def test_a_text_is_kept_sealed_and_sent_once(outbox: Outbox, standin: Twilio) -> None:
    """However often the same effect is put into the outbox, and the outbox is looked at."""
    puts = await asyncio.gather(*(outbox.put(draft()) for _ in range(4)))
    assert sorted(put.is_new for put in puts) == [False, False, False, True]
    async with outbox.database.reading() as session:
        row = (await session.exec(select(TextMessage))).one()
    assert "asked" not in str(row)
    assert "7700" not in str(row)
    for _ in range(3):
        assert await sender(outbox, standin.address).send_due()
    (asked,) = standin.asked
    assert asked["path"] == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert (asked["To"], asked["From"]) == (NUMBER, OURS)
    assert asked["Body"] == "What you asked for: 1"
    assert asked["StatusCallback"] == f"https://line.example.org/sms/status/{row.id}"
    assert await stands(outbox) == [("queued", 0)]
    assert not (await outbox.put(draft())).is_new


async def test_a_number_that_wants_no_texts_gets_none(outbox: Outbox, standin: Twilio) -> None:
    """Also if it said so between the writing and the sending; and until it wants them again."""
    optouts = OptOuts(outbox.database, KEYS, outbox.clock)
    await outbox.put(draft("before"))
    await optouts.stop(NUMBER, "caller")
    assert (await outbox.put(draft("after"))).stopped
    assert not (await outbox.put(draft("another", OTHER))).stopped
    await sender(outbox, standin.address).send_due()
    assert [asked["To"] for asked in standin.asked] == [OTHER]
    assert await stands(outbox) == [("stopped", 0), ("stopped", 0), ("queued", 0)]
    assert (await outbox.put(draft("after"))).stopped
    await optouts.start(NUMBER, "caller")
    assert not (await outbox.put(draft("again"))).stopped


async def test_what_a_number_said_last_counts_in_whatever_order_it_comes(outbox: Outbox) -> None:
    optouts = OptOuts(outbox.database, KEYS, outbox.clock)
    assert not await optouts.has(NUMBER)
    await optouts.start(NUMBER, "caller", NOON)
    await optouts.stop(NUMBER, "caller", NOON - timedelta(minutes=1))
    assert not await optouts.has(NUMBER)
    both = (optouts.stop(OTHER, "caller", NOON), optouts.stop(OTHER, "Ada", NOON))
    await asyncio.gather(*both)
    assert await optouts.has(OTHER)
    assert not await optouts.has(NUMBER)


# --- what can happen on the way ------------------------------------------------------------------


async def test_what_twilio_refuses_has_failed_with_its_number(
    outbox: Outbox, standin: Twilio
) -> None:
    await outbox.put(draft())
    standin.status, standin.code = 400, 21211
    await sender(outbox, standin.address).send_due()
    standin.status = 201
    await sender(outbox, standin.address).send_due()
    assert await stands(outbox) == [("failed", 21211)]
    assert len(standin.asked) == 1


async def test_who_told_twilio_to_stop_has_told_us(outbox: Outbox, standin: Twilio) -> None:
    """Twilio refuses with 21610."""
    await outbox.put(draft())
    standin.status, standin.code = 400, 21610
    await sender(outbox, standin.address).send_due()
    assert await OptOuts(outbox.database, KEYS, outbox.clock).has(NUMBER)
    assert (await outbox.put(draft("2"))).stopped


@pytest.mark.parametrize("status", [0, 401, 403, 429])
async def test_while_twilio_takes_nothing_texts_wait_ever_longer(
    outbox: Outbox, standin: Twilio, clock: SetClock, status: int
) -> None:
    """It cannot be reached, the token is being changed, the account is suspended, or too much is
    asked. They are sent when it takes them, and on the next day they are too late."""
    busy = bool(status)
    if busy:
        standin.status, standin.code = status, 20003
    ours = sender(outbox, standin.address if busy else "http://127.0.0.1:9")
    await outbox.put(draft())
    pauses = (0, 5, 30, 120, 600, 3600, 3600)
    for pause in pauses:
        clock.at += timedelta(seconds=pause - 1)
        assert not pause or await outbox.due(9) == []
        clock.at += timedelta(seconds=1)
        assert not await ours.send_due()
    assert len(standin.asked) == (len(pauses) if busy else 0)
    standin.status = 201
    clock.at += timedelta(hours=1)
    assert await sender(outbox, standin.address).send_due()
    assert await stands(outbox) == [("queued", 0)]
    await outbox.put(draft("2"))
    assert not await sender(outbox, "http://127.0.0.1:9").send_due()
    clock.at += timedelta(days=1)
    await sender(outbox, standin.address).send_due()
    assert (await stands(outbox))[1] == ("failed", 0)


async def test_when_nobody_can_say_whether_it_was_sent_it_is_not_sent_again(
    outbox: Outbox, standin: Twilio, clock: SetClock
) -> None:
    """Twilio's own news settle it, should they come."""
    await outbox.put(draft())
    standin.status = 503
    assert not await sender(outbox, standin.address).send_due()
    standin.status = 201
    clock.at += timedelta(hours=1)
    await sender(outbox, standin.address).send_due()
    assert await stands(outbox) == [("unknown", 0)]
    assert len(standin.asked) == 1
    await outbox.told(1, "delivered", "SM1", "")
    assert await stands(outbox) == [("delivered", 0)]


async def test_two_senders_send_no_text_twice(
    outbox: Outbox, standin: Twilio, clock: SetClock
) -> None:
    for number in range(12):
        await outbox.put(draft(str(number)))
    second = Database(outbox.database.url)
    senders = [sender(Outbox(base, KEYS, clock), standin.address) for base in (second,) * 2]
    await asyncio.gather(*(one.send_due() for one in (*senders, sender(outbox, standin.address))))
    await second.close()
    assert sorted(asked["Body"] for asked in standin.asked) == sorted(
        f"What you asked for: {number}" for number in range(12)
    )
    assert await stands(outbox) == [("queued", 0)] * 12


CHILD = """
import asyncio, sys
from datetime import datetime
from ivr.carrier import Carrier
from ivr.database import Database
from ivr.messages.keys import Keys
from ivr.messages.outbox import Outbox
from ivr.messages.sender import Sender
url, address, key, at = sys.argv[1:]
keys = Keys((key.encode(),), b"a key for hashes, in tests")
outbox = Outbox(Database(url), keys, lambda: datetime.fromisoformat(at))
carrier = Carrier(address, "AC" + "1" * 32, "a token", "", "+447700900999")
asyncio.run(Sender(outbox, carrier, str).send_due())
"""


async def test_a_sender_that_is_killed_leaves_no_text_to_be_sent_twice(
    outbox: Outbox, standin: Twilio, clock: SetClock
) -> None:
    """What it had in hand is unknown from then on; another sender sends the rest."""
    for number in range(3):
        await outbox.put(draft(str(number)))
    standin.silent.clear()
    given = (outbox.database.url, standin.address, FERNET_KEY.decode(), NOON.isoformat())
    child = subprocess.Popen([sys.executable, "-c", CHILD, *given], cwd=ROOT)
    try:
        assert await asyncio.to_thread(standin.came.wait, PATIENCE)
    finally:
        child.kill()
        child.wait()
        standin.silent.set()
    ours = sender(outbox, standin.address)
    assert await outbox.abandoned() == 0
    await ours.send_due()
    clock.at += timedelta(minutes=2)
    assert await outbox.abandoned() == 1
    await ours.send_due()
    assert await stands(outbox) == [("unknown", 0), ("queued", 0), ("queued", 0)]
    assert len(standin.asked) == len({asked["Body"] for asked in standin.asked}) == 3


async def test_who_stops_a_sender_does_not_cut_a_text_in_two(
    outbox: Outbox, standin: Twilio
) -> None:
    """What is on its way is waited for, and noted."""
    await outbox.put(draft())
    standin.silent.clear()
    ours = sender(outbox, standin.address)
    running = asyncio.create_task(ours.run())
    assert await asyncio.to_thread(standin.came.wait, PATIENCE)
    running.cancel()
    standin.silent.set()
    await ours.close()
    assert await stands(outbox) == [("queued", 0)]


# --- news of a text ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "stands_at"),
    [
        ("queued sent delivered", "delivered"),
        ("delivered sent queued sending", "delivered"),
        ("sent sent queued sent", "sent"),
        ("undelivered delivered sent", "undelivered"),
        ("delivered failed undelivered", "delivered"),
        ("failed failed sent", "failed"),
        ("canceled", "failed"),
        ("nonsense", "queued"),
        ("read", "delivered"),
    ],
)
async def test_news_of_a_text_may_come_twice_late_and_in_any_order(
    outbox: Outbox, standin: Twilio, told: str, stands_at: str
) -> None:
    await outbox.put(draft())
    await sender(outbox, standin.address).send_due()
    for status in told.split():
        await outbox.told(1, status, "SM1", "30003")
    error = 30003 if stands_at in ("failed", "undelivered") else 0
    assert await stands(outbox) == [(stands_at, error)]


async def test_news_that_come_before_the_answer_stand(outbox: Outbox, clock: SetClock) -> None:
    """Twilio may tell of a message before it has answered us; and of none that we know."""
    await outbox.put(draft())
    assert await outbox.take(1) is not None
    await outbox.told(1, "delivered", "SM1", "")
    await outbox.accepted(1, "SM1")
    assert await stands(outbox) == [("delivered", 0)]
    await outbox.told(99, "delivered", "SM1", "9" * 5000)
    assert {"delivered", "failed"} <= set(TOLD)


# --- what the phone asks for ---------------------------------------------------------------------


def send_text(outbox: Outbox, **settings: Any) -> SendText:
    composers = {"contact": lambda code: f"What you asked for:\n{code}"}
    post = Post(
        outbox,
        OptOuts(outbox.database, KEYS, outbox.clock),
        Thread(outbox.database, KEYS, outbox.clock),
        composers,
        lambda text: finished(text, OURS, ""),
        can_text=True,
    )
    return SendText(replace(post, **settings), demo=True)


def asks(**facts: str) -> Ask:
    given = {"text_number": NUMBER, "text_kind": "contact", "topic": "a/b", "council": "E1"}
    return Ask("send-text", {**given, **facts}, "text/send", 4)


async def test_a_caller_hears_that_it_is_sent_once_it_is_kept(
    outbox: Outbox, standin: Twilio
) -> None:
    """The same step of the call, repeated, is the same text."""
    for _ in range(2):
        assert await send_text(outbox)(asks(), CALL) == Answered("queued")
    await sender(outbox, standin.address).send_due()
    (asked,) = standin.asked
    assert asked["Body"] == "What you asked for:\nE1\nReply STOP to end"
    await OptOuts(outbox.database, KEYS, outbox.clock).stop(NUMBER, "caller")
    assert await send_text(outbox)(asks(), CALL) == Answered("queued")
    other = Call("CA" + "2" * 32, NUMBER)
    assert await send_text(outbox)(asks(), other) == Answered("stopped")


async def test_trying_again_in_one_call_sends_the_same_text_once(outbox: Outbox) -> None:
    """The first try may have been kept after all. Another answer, or another phone, is another
    text; and so is one that failed, or that was stopped before they said START."""
    send, later = send_text(outbox), 0

    async def tried(**facts: str) -> str:
        nonlocal later
        later += 1
        return (await send(replace(asks(**facts), turn=later), CALL)).outcome

    assert [await tried(), await tried()] == ["queued", "queued"]
    assert await tried(council="E2") == await tried(text_number=OTHER) == "queued"
    assert await stands(outbox) == [("waiting", 0)] * 3
    await outbox.told(1, "failed", "SM1", "30003")
    assert [await tried(), await tried(council="E2")] == ["queued", "queued"]
    assert (await stands(outbox))[3:] == [("waiting", 0)]
    optouts = OptOuts(outbox.database, KEYS, outbox.clock)
    await optouts.stop(NUMBER, "caller")
    assert await tried(council="E3") == "stopped"
    await optouts.start(NUMBER, "caller")
    assert await tried(council="E3") == "queued"
    assert (await stands(outbox))[4:] == [("stopped", 0), ("waiting", 0)]


async def test_callers_cannot_flood_a_phone(outbox: Outbox, clock: SetClock) -> None:
    """Six texts in a day, from whatever phones they ring; what was sent is not denied."""
    send = send_text(outbox)
    calls = [Call(f"CA{number:032}", OTHER) for number in range(8)]
    outcomes = [(await send(asks(), call)).outcome for call in calls]
    assert outcomes == ["queued"] * 6 + ["enough"] * 2
    assert await send(asks(), calls[0]) == Answered("queued")
    assert await send(asks(text_number=OTHER), calls[7]) == Answered("queued")
    assert len(await stands(outbox)) == 7
    assert NUMBER not in repr(Draft(f"call {NUMBER}", Kind.ANSWER, NUMBER, "", "caller"))
    clock.at += timedelta(days=1)
    assert await send(asks(), calls[7]) == Answered("queued")


async def test_what_cannot_be_sent_is_not_said_to_be(outbox: Outbox) -> None:
    """Not set up; no mobile; a kind that nobody writes; letters that no text has."""
    hostile = {"contact": lambda code: "Привет"}
    for made, ask, problem in (
        (send_text(outbox, can_text=False), asks(), NoTextsError),
        (send_text(outbox), asks(text_number="+441134960000"), NoTextsError),
        (send_text(outbox), asks(text_kind="poem"), ValueError),
        (send_text(outbox), asks(text_kind="way"), LookupError),
        (send_text(outbox, composers=hostile), asks(), UnsendableError),
    ):
        with pytest.raises(problem):
            await made(ask, CALL)
    assert await stands(outbox) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_database_the_caller_hears_the_truth(
    kind: str, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_url(kind, tmp_path)
    never_made = Database(url)
    with pytest.raises(NoDatabaseError):
        await send_text(Outbox(never_made, KEYS, clock))(asks(), CALL)
    await never_made.close()


async def test_a_slow_database_is_not_waited_for(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_url("sqlite", tmp_path)
    await upgrade(url)
    slow, busy = Database(url, busy_ms=200), Database(url)
    monkeypatch.setattr(service, "PATIENCE_S", 0.05)
    async with busy.writing() as session:
        await session.connection()
        with pytest.raises(TimeoutError):
            await send_text(Outbox(slow, KEYS, clock))(asks(), CALL)
    await slow.close()
    await busy.close()


@pytest.mark.parametrize(
    ("number", "is_mobile"),
    [
        ("07400 123456", True),
        ("+447400123456", True),
        ("07700 900123", True),
        ("07012 345678", False),  # a personal number
        ("07624 123456", False),  # the Isle of Man
        ("0113 496 0000", False),
        ("0300 123 4567", False),
        ("+33612345678", False),
        ("", False),
    ],
)
async def test_only_uk_mobiles_are_texted(number: str, is_mobile: bool) -> None:
    typed = await CheckMobile(demo=True)(
        Ask("check-mobile", {"text_typed": number, "text_phone": "typed"}, "text/number", 1), CALL
    )
    assert typed.outcome == ("usable" if is_mobile else "unusable")
    assert bool(mobile(number, demo=False)) == (is_mobile and "900123" not in number)


async def test_the_callers_own_number_or_the_typed_one(outbox: Outbox) -> None:
    own = {"text_phone": "own", "caller_number": NUMBER, "text_typed": OTHER}
    answered = await CheckMobile(demo=True)(Ask("check-mobile", own, "text/number", 1), CALL)
    assert answered == Answered("usable", {"text_number": NUMBER, "text_printed": "07700 900 123"})


async def test_a_text_whose_key_is_lost_is_not_sent(
    outbox: Outbox, standin: Twilio, clock: SetClock
) -> None:
    """The others are."""
    other = Outbox(outbox.database, Keys((Fernet.generate_key(),), b"another"), clock)
    await other.put(draft("1"))
    await outbox.put(draft("2"))
    assert await sender(outbox, standin.address).send_due()
    assert await stands(outbox) == [("failed", 0), ("queued", 0)]
    assert State.FAILED == "failed"


# --- erasing -------------------------------------------------------------------------------------


async def test_texts_are_erased_with_their_request_or_when_they_are_as_old(
    database: Database, outbox: Outbox, clock: SetClock
) -> None:
    """Those of an urgent request are held, as it is. Who wants no texts is kept."""
    ledger = Ledger(database, CallBackKeys((FERNET_KEY,), b"a key for hashes, in tests"))
    for request in (1, 2):
        wish = Wish(
            WishKind.SAVE, str(request), "000001", f"{NUMBER[:-1]}{request}", NOON, "any", NOON
        )
        await ledger.enter(wish)
        await outbox.put(replace(draft(f"of {request}"), request_id=request))
    await outbox.put(draft("of none"))
    await OptOuts(database, KEYS, clock).stop(NUMBER, "caller")
    async with database.writing() as session:
        ended = update(CallBackRequest).values(state="done", ended_at=NOON)
        await session.exec(ended)
        await session.exec(ended.where(col(CallBackRequest.id) == 2).values(urgent=True))
    mine = TextEraser(database, clock, lambda: months_before(clock(), 3))
    theirs = CallBackEraser(database, clock, 3, erase_with)
    assert (await mine.erase(), await theirs.erase()) == (0, 0)
    clock.at = NOON + timedelta(days=93)
    assert (await mine.erase(), await theirs.erase()) == (1, 1)
    async with database.reading() as session:
        found = (await session.exec(select(TextMessage).order_by(col(TextMessage.id)))).all()
    kept = [bool(one.number or one.number_hash or one.body) for one in found]
    assert kept == [False, True, False]
    assert await OptOuts(database, KEYS, clock).has(NUMBER)
    assert (await mine.erase(), await theirs.erase()) == (0, 0)
    shown = await Thread(database, KEYS, clock).of(1, seen=True)
    assert [one.body for one in shown] == ["(erased)"]
    assert await outbox.due(9) == [2]
