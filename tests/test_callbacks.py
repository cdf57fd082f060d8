"""Call-backs: which numbers are rung, how they are kept, and that a repeat changes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import phonenumbers
import pytest
from cryptography.fernet import Fernet
from databases import KINDS, new_url, run_at_once
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from ivr.callbacks.keys import Keys, UnreadableNumberError
from ivr.callbacks.numbers import caller_number, masked, printed, usable
from ivr.callbacks.queue import Queue
from ivr.callbacks.service import CheckNumber, PlanCallBack, SaveCallBack
from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.database import Database, NoDatabaseError, upgrade
from ivr.hours import load_hours

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
NUMBER = "+447700900123"
CALL = Call("CA" + "1" * 32, NUMBER)
FERNET_KEY = Fernet.generate_key()
HASH_KEY = b"a key for hashes, in tests"
KEYS = Keys((FERNET_KEY,), HASH_KEY)
SAVE = Ask(
    "save-call-back",
    {
        "number": NUMBER,
        "slot": "morning",
        "due_at": "2026-11-25T12:00:00Z",
        "council": "E08000035",
        "topic": "school/rights",
    },
    "callback/save",
    7,
)


def clock() -> datetime:
    return NOW


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = new_url(request.param, tmp_path)
    await upgrade(url)
    made = Database(url)
    yield made
    await made.close()


def save_with(database: Database) -> SaveCallBack:
    return SaveCallBack(database, KEYS, clock, demo=True)


async def stored(database: Database, table: str) -> list[dict[str, object]]:
    async with database.reading() as session:
        rows = await (await session.connection()).execute(text(f"select * from {table}"))
        return [dict(row) for row in rows.mappings()]


# --- which numbers may be rung ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("07400123456", "+447400123456"),
        ("01204848722", "+441204848722"),
        ("02079460999", ""),  # a drama number is nobody's
        ("02393233656", "+442393233656"),
        ("03003651020", "+443003651020"),
        ("+447400123456", "+447400123456"),
        ("07012345678", ""),  # 070 looks like a mobile and costs like premium
        ("07624123456", ""),  # Isle of Man
        ("07911123456", ""),  # Guernsey
        ("01481710000", ""),  # Guernsey
        ("07612345678", ""),  # a pager
        ("08001951635", ""),  # a service, not a parent
        ("08456789012", ""),
        ("08712345678", ""),
        ("09098790123", ""),
        ("118118", ""),
        ("999", ""),
        ("01204", ""),
        ("074001234567", ""),
        ("", ""),
        ("+353861234567", ""),  # Ireland
    ],
)
def test_only_ordinary_uk_numbers_are_rung(typed: str, number: str) -> None:
    """Landlines, 03 and mobiles."""
    assert usable(typed, demo=False) == number


@pytest.mark.parametrize(
    "drama",
    [
        "07700900123",
        "01632960123",
        "01134960123",
        "01184960999",
        "01214960000",
        "01914980123",
        "02079460123",
        "02896496123",
        "02920180123",
        "03069990123",
    ],
)
def test_drama_numbers_are_accepted_in_demo_mode_only(drama: str) -> None:
    """Ofcom keeps them so that nobody is rung by mistake."""
    assert usable(drama, demo=True) == "+44" + drama[1:]
    assert usable(drama, demo=False) == ""


@given(st.text(st.sampled_from("0123456789+ #*-abc()"), max_size=18), st.booleans())
def test_nothing_that_is_typed_raises_or_leaves_the_allowed_ranges(typed: str, demo: bool) -> None:
    """Whatever comes out is +44 1, 2, 3 or 7, and is its own check."""
    number = usable(typed, demo)
    assert number == "" or number[:4] in ("+441", "+442", "+443", "+447")
    assert number == "" or usable(number, demo) == number
    assert not number.startswith("+4470")


@pytest.mark.parametrize(
    "withheld",
    [
        *("anonymous", "Anonymous", "RESTRICTED", "unavailable", "unknown", "private", "blocked"),
        *("+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533"),
        *("266696687", "7378742833", "86282452253", "8656696", "2562533"),
        *("", "sip:alice@example.org", "client:alice", "+", "07400123456", "+44 7400 123456"),
    ],
)
@pytest.mark.parametrize("demo", [True, False])
def test_a_withheld_or_odd_caller_id_is_no_number(withheld: str, demo: bool) -> None:
    """Twilio has many ways of saying that there is none."""
    assert caller_number(withheld, demo) == ""


def test_a_callers_own_uk_number_is_known() -> None:
    """It comes in E.164."""
    assert caller_number("+447400123456", demo=False) == "+447400123456"
    assert caller_number(NUMBER, demo=True) == NUMBER


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+447400123456", "07400 123 456"),
        ("+447700900123", "07700 900 123"),
        ("+441204848722", "01204 848 722"),
        ("+441133785020", "0113 378 5020"),
        ("+442079460123", "020 7946 0123"),
        ("+443003651020", "0300 365 1020"),
    ],
)
def test_numbers_are_printed_in_groups_short_enough_to_write_down(
    number: str, expected: str
) -> None:
    """And with all their digits."""
    assert printed(number) == expected


@given(st.integers(1_000_000_000, 9_999_999_999))
def test_printing_loses_no_digit(digits: int) -> None:
    """Of any number that may be rung."""
    number = usable(f"+44{digits}", demo=True)
    if number:
        assert printed(number).replace(" ", "") == number.replace("+44", "0")
        assert phonenumbers.parse(printed(number), "GB") == phonenumbers.parse(number)


def test_a_masked_number_shows_three_digits() -> None:
    """The same three that the caller confirms it by."""
    assert masked(NUMBER) == "… 123"


# --- hiding them -----------------------------------------------------------------------------


def test_a_sealed_number_can_be_read_with_its_key_only() -> None:
    """With any of the keys that still count."""
    other = Fernet.generate_key()
    sealed = KEYS.seal(NUMBER)
    assert NUMBER[-6:] not in sealed
    assert Keys((other, FERNET_KEY), HASH_KEY).unseal(sealed) == NUMBER
    with pytest.raises(UnreadableNumberError):
        Keys((other,), HASH_KEY).unseal(sealed)


def test_the_same_text_hashed_for_two_purposes_is_not_the_same() -> None:
    """And none can be made without the key."""
    other = Keys((FERNET_KEY,), b"another key for hashes")
    hashes = {
        *(KEYS.number_hash("x"), KEYS.effect_hash("x")),
        *(other.number_hash("x"), other.effect_hash("x")),
    }
    assert len(hashes) == 4


@given(st.text())
def test_a_reference_is_six_digits_and_always_the_same(effect: str) -> None:
    """It needs no database."""
    reference = KEYS.reference(effect)
    assert len(reference) == 6
    assert reference.isdecimal()
    assert KEYS.reference(effect) == reference


# --- what the phone asks for -----------------------------------------------------------------


async def test_the_callers_own_number_is_checked() -> None:
    """Confirmed by its last three digits, it is used as it came."""
    facts = {"phone": "own", "caller_number": NUMBER, "typed": ""}
    ask = Ask("check-number", facts, "number/check", 2)
    assert await CheckNumber(demo=True)(ask, CALL) == Answered(
        "usable", {"number": NUMBER, "number_printed": "07700 900 123"}
    )
    assert await CheckNumber(demo=False)(ask, CALL) == Answered("unusable")


async def test_a_typed_number_is_checked() -> None:
    """Even when the caller's own is known."""
    facts = {"phone": "typed", "caller_number": NUMBER, "typed": "01204848722"}
    answer = await CheckNumber(demo=False)(Ask("check-number", facts, "number/check", 2), CALL)
    assert answer.facts == {"number": "+441204848722", "number_printed": "01204 848 722"}
    none = await CheckNumber(demo=False)(Ask("check-number", {}, "number/check", 2), CALL)
    assert none == Answered("unusable")


async def test_a_call_back_is_planned_in_london_time() -> None:
    """Due in UTC for us, day and time in London for the caller."""
    hours = load_hours(Path(__file__).parent.parent / "flows" / "data" / "hours.yaml")
    asked = datetime(2026, 7, 3, 15, 0, tzinfo=UTC)
    ask = Ask("plan-call-back", {"slot": "morning"}, "callback/plan", 3)
    assert await PlanCallBack(hours, lambda: asked)(ask, CALL) == Answered(
        "planned",
        {"due_at": "2026-07-06T11:00:00Z", "due_day": "2026-07-06", "due_time": "12:00"},
    )


async def test_a_request_is_kept_with_all_that_was_asked(database: Database) -> None:
    """And its reference is told."""
    answer = await save_with(database)(SAVE, CALL)
    reference = KEYS.reference(CALL.effect(SAVE))
    assert answer == Answered("saved", {"reference": reference})
    (kept,) = await Queue(database, KEYS, clock).open()
    assert asdict(kept) == {
        "reference": reference,
        "state": "waiting",
        "number": "… 123",
        "requested_at": "2026-11-24T10:30:00Z",
        "due_at": "2026-11-25T12:00:00Z",
        "topic": "school/rights",
        "council": "E08000035",
        "access": [],
        "repeats": 0,
        "attempts": 0,
        "holder": "",
    }
    json.dumps(asdict(kept))


async def test_neither_number_nor_call_can_be_read_in_the_database(database: Database) -> None:
    """Not in any column of any table."""
    await save_with(database)(SAVE, CALL)
    tables = ("callback_request", "callback_effect", "callback_event")
    everything = str([await stored(database, table) for table in tables])
    assert "900123" not in everything
    assert CALL.sid not in everything


async def test_a_repeated_webhook_keeps_nothing_more(database: Database) -> None:
    """Not a second later, not with other facts; the reference is the same."""
    save = save_with(database)
    first = await save(SAVE, CALL)
    again = await save(replace(SAVE, facts={**SAVE.facts, "slot": "any"}), CALL)
    assert again == first
    assert len(await stored(database, "callback_request")) == 1
    assert len(await stored(database, "callback_event")) == 1


async def test_tasks_that_save_the_same_at_once_keep_it_once(database: Database) -> None:
    """One worker can get both webhooks, too."""
    save = save_with(database)
    answers = await asyncio.gather(*(save(SAVE, CALL) for _ in range(5)))
    assert answers == [answers[0]] * 5
    assert len(await stored(database, "callback_request")) == 1


async def test_another_call_or_turn_is_another_request(database: Database) -> None:
    """Only the same call, turn and step is a repeat."""
    save = save_with(database)
    await save(SAVE, CALL)
    await save(replace(SAVE, turn=8), CALL)
    await save(SAVE, Call("CA" + "2" * 32))
    assert len({kept.reference for kept in await Queue(database, KEYS, clock).all()}) == 3


SAVING = """
import asyncio, sys
from datetime import datetime, UTC
from ivr.callbacks.keys import Keys
from ivr.callbacks.service import SaveCallBack
from ivr.conversation import Call
from ivr.core.call import Ask
from ivr.database import Database

async def main(url, fernet_key, hash_key, turns):
    database = Database(url, busy_ms=60_000)  # a slow machine is not what is tested
    keys = Keys((fernet_key.encode(),), hash_key.encode())
    save = SaveCallBack(database, keys, lambda: datetime.now(UTC), demo=True)
    facts = {"number": "+447700900123", "slot": "any", "due_at": "2026-11-25T17:00:00Z"}
    print("ready", flush=True); sys.stdin.readline()
    for turn in range(int(turns)):
        answer = await save(Ask("save-call-back", facts, "callback/save", turn), Call("CA1"))
        print(answer.outcome, answer.facts["reference"])
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_processes_that_save_the_same_at_once_keep_it_once(kind: str, tmp_path: Path) -> None:
    """Twilio sends a webhook twice, two workers answer: one request, one reference, twice said."""
    url = new_url(kind, tmp_path)
    await upgrade(url)
    said = run_at_once(SAVING, [[url, FERNET_KEY.decode(), HASH_KEY.decode(), "25"]] * 4)
    expected = [f"saved {KEYS.reference(f'CA1:{turn}:callback/save')}" for turn in range(25)]
    assert [each.splitlines() for each in said] == [expected] * 4
    database = Database(url)
    kept = await stored(database, "callback_request")
    events = await stored(database, "callback_event")
    await database.close()
    assert len(kept) == len(events) == 25


async def test_saved_is_not_answered_when_the_database_is_gone(tmp_path: Path) -> None:
    """The driver turns this into "failed", and the caller hears the truth."""
    database = Database(new_url("sqlite", tmp_path))
    with pytest.raises(NoDatabaseError):
        await save_with(database)(SAVE, CALL)
    await database.close()


async def test_saved_is_not_answered_when_the_commit_fails(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept then."""
    monkeypatch.setattr("ivr.callbacks.service.event", None)  # breaks between the two rows
    with pytest.raises(TypeError):
        await save_with(database)(SAVE, CALL)
    assert await stored(database, "callback_request") == []


async def test_a_number_that_may_not_be_rung_is_never_saved(database: Database) -> None:
    """Whatever the flows let through; and the message does not tell it."""
    facts = {**SAVE.facts, "number": "+449098790123"}
    with pytest.raises(ValueError, match="may not be rung") as caught:
        await save_with(database)(replace(SAVE, facts=facts), CALL)
    assert "9098790123" not in str(caught.value)
    assert await stored(database, "callback_request") == []


# --- what staff read -------------------------------------------------------------------------


async def test_the_next_due_comes_first_and_what_is_done_is_not_open(database: Database) -> None:
    """`list` shows what needs a call, `list --all` everything."""
    save, queue = save_with(database), Queue(database, KEYS, clock)
    for turn, day in enumerate(("27", "25", "26")):
        facts = {**SAVE.facts, "due_at": f"2026-11-{day}T12:00:00Z"}
        await save(replace(SAVE, facts=facts, turn=turn), CALL)
    assert [kept.due_at[8:10] for kept in await queue.open()] == ["25", "26", "27"]
    async with database.writing() as session:
        done = text("update callback_request set state = 'done' where due_at < '2026-11-26'")
        await (await session.connection()).execute(done)
    assert [kept.due_at[8:10] for kept in await queue.open()] == ["26", "27"]
    assert [kept.state for kept in await queue.all()] == ["done", "waiting", "waiting"]


async def test_a_request_is_found_by_its_reference_however_it_is_grouped(
    database: Database,
) -> None:
    """As callers read it out."""
    save, queue = save_with(database), Queue(database, KEYS, clock)
    reference = (await save(SAVE, CALL)).facts["reference"]
    await save(replace(SAVE, turn=8), CALL)
    for written in (reference, f"{reference[:3]} {reference[3:]}"):
        assert [kept.reference for kept in await queue.find(written)] == [reference]
    assert await queue.find("") == []


async def test_every_reference_ever_told_finds_its_request(database: Database) -> None:
    """A later save may be joined to an earlier request, which keeps both references."""
    save, queue = save_with(database), Queue(database, KEYS, clock)
    first = (await save(SAVE, CALL)).facts["reference"]
    async with database.writing() as session:
        joined = text(
            "insert into callback_effect select 'later', outcome, '000042', request_id, at"
            " from callback_effect"
        )
        await (await session.connection()).execute(joined)
    assert [kept.reference for kept in await queue.find("000042")] == [first]
    assert [kept.reference for kept in await queue.find(first)] == [first]


async def test_whoever_sees_a_whole_number_is_recorded(database: Database) -> None:
    """Who, what and when, for each request shown."""
    reference = (await save_with(database)(SAVE, CALL)).facts["reference"]
    (shown,) = await Queue(database, KEYS, clock).reveal(reference, "alice")
    assert shown.number == "07700 900 123"
    events = [(event["who"], event["what"]) for event in await stored(database, "callback_event")]
    assert events == [("caller", "saved"), ("alice", "number revealed")]


async def test_requests_are_listed_though_a_key_is_lost(database: Database) -> None:
    """Their numbers cannot be read, but everything else can."""
    reference = (await save_with(database)(SAVE, CALL)).facts["reference"]
    queue = Queue(database, Keys((Fernet.generate_key(),), HASH_KEY), clock)
    assert [kept.number for kept in await queue.open()] == ["unreadable"]
    with pytest.raises(UnreadableNumberError, match="IVR_SECRET_KEYS"):
        await queue.reveal(reference, "alice")
