"""A call-back is never lost and never doubled: what callers wish, on both databases and without."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from databases import KINDS, ROOT, new_url, run_at_once
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from ivr.callbacks import keeping
from ivr.callbacks.erasing import Eraser, months_before
from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger, join
from ivr.callbacks.queue import Queue
from ivr.callbacks.service import OpenCallBack, Wishing
from ivr.callbacks.spool import Spool
from ivr.callbacks.tables import IS_OPEN, CallBackRequest
from ivr.callbacks.wishes import Kept, Kind, Wish
from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.database import Database, upgrade
from ivr.hours import load_hours
from ivr.vault import UnreadableError

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
NUMBER = "+447700900123"
CALL = Call("CA" + "1" * 32, NUMBER)
FERNET_KEY = Fernet.generate_key()
HASH_KEY = b"a key for hashes, in tests"
KEYS = Keys((FERNET_KEY,), HASH_KEY)
HOURS = load_hours(ROOT / "flows" / "data" / "hours.yaml")
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
WISH = Wish(
    kind=Kind.SAVE,
    effect=KEYS.effect_hash("first"),
    reference="000001",
    number=NUMBER,
    at=NOW,
    slot="morning",
    due_at=NOW + timedelta(days=1),
    topic="school/rights",
)
AGAIN = replace(
    WISH,
    effect=KEYS.effect_hash("second"),
    reference="000002",
    at=NOW + timedelta(hours=5),
    due_at=NOW + timedelta(days=2),
    topic="",
    council="E08000035",
)
KEEP = replace(AGAIN, kind=Kind.KEEP, slot="", due_at=None, council="", request=1)
CANCEL = replace(KEEP, kind=Kind.CANCEL, effect=KEYS.effect_hash("third"), reference="000003")


def clock() -> datetime:
    return NOW


@pytest.fixture
async def gone(tmp_path: Path) -> AsyncIterator[tuple[Database, str]]:
    """A database that is not there yet, and where it will be."""
    url = new_url("sqlite", tmp_path)
    made = Database(url)
    yield made, url
    await made.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", KEYS)


def save_with(database: Database, spool: Spool, kind: Kind = Kind.SAVE) -> Wishing:
    return Wishing(kind, Keeper(Ledger(database, KEYS), spool), KEYS, clock, demo=True)


async def stored(database: Database, table: str) -> list[dict[str, object]]:
    async with database.reading() as session:
        rows = await (await session.connection()).execute(text(f"select * from {table}"))
        return [dict(row) for row in rows.mappings()]


async def set_state(database: Database, state: str) -> None:
    async with database.writing() as session:
        change = text(f"update callback_request set state = '{state}' where {IS_OPEN}")
        await (await session.connection()).execute(change)


# --- saving ----------------------------------------------------------------------------------


async def test_a_request_is_kept_with_all_that_was_asked(database: Database, spool: Spool) -> None:
    """And its reference is told."""
    answer = await save_with(database, spool)(SAVE, CALL)
    reference = KEYS.reference(CALL.effect(SAVE))
    assert (answer.outcome, answer.facts["reference"]) == ("saved", reference)
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


async def test_neither_number_nor_call_can_be_read_in_the_database(
    database: Database, spool: Spool
) -> None:
    """Not in any column of any table."""
    await save_with(database, spool)(SAVE, CALL)
    tables = ("callback_request", "callback_effect", "callback_event")
    everything = str([await stored(database, table) for table in tables])
    assert "900123" not in everything
    assert CALL.sid not in everything


async def test_a_repeated_webhook_keeps_nothing_more(database: Database, spool: Spool) -> None:
    """Not a second later, not with other facts; the reference is the same."""
    save = save_with(database, spool)
    first = await save(SAVE, CALL)
    again = await save(replace(SAVE, facts={**SAVE.facts, "slot": "any"}), CALL)
    assert again == first
    assert len(await stored(database, "callback_request")) == 1
    assert len(await stored(database, "callback_event")) == 1


async def test_tasks_that_save_the_same_at_once_keep_it_once(
    database: Database, spool: Spool
) -> None:
    """One worker can get both webhooks, too."""
    save = save_with(database, spool)
    answers = await asyncio.gather(*(save(SAVE, CALL) for _ in range(5)))
    assert answers == [answers[0]] * 5
    assert len(await stored(database, "callback_request")) == 1


async def test_the_same_call_turn_and_step_is_a_repeat_and_nothing_else_is(
    database: Database, spool: Spool
) -> None:
    """Another press of the key is another wish, though of the same request."""
    save = save_with(database, spool)
    answers = [
        await save(SAVE, CALL),
        await save(replace(SAVE, turn=8), CALL),
        await save(SAVE, Call("CA" + "2" * 32)),
    ]
    assert [answer.outcome for answer in answers] == ["saved", "already", "already"]
    assert len({answer.facts["reference"] for answer in answers}) == 3
    (kept,) = await Queue(database, KEYS, clock).all()
    assert kept.repeats == 2


SAVING = """
import asyncio, sys
from datetime import datetime, UTC
from pathlib import Path
from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.vault import UnreadableError
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.service import OpenCallBack, Wishing
from ivr.callbacks.spool import Spool
from ivr.callbacks.wishes import Kind
from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.database import Database
from ivr.callbacks import keeping

keeping.PATIENCE_S = 60  # a slow machine is not what is tested

async def main(url, fernet_key, hash_key, turns):
    database = Database(url, busy_ms=60_000)
    keys = Keys((fernet_key.encode(),), hash_key.encode())
    keeper = Keeper(Ledger(database, keys), Spool(Path("/nowhere"), keys))
    save = Wishing(Kind.SAVE, keeper, keys, lambda: datetime.now(UTC), demo=True)
    print("ready", flush=True); sys.stdin.readline()
    for turn in range(int(turns)):
        facts = {"number": f"+4477009009{turn:02d}", "slot": "any", "due_at": "2026-11-25T17:00Z"}
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


async def test_saved_is_not_answered_when_the_commit_fails(
    database: Database, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept then."""
    monkeypatch.setattr("ivr.callbacks.ledger.event", None)  # breaks between the two rows
    with pytest.raises(TypeError):
        await save_with(database, spool)(SAVE, CALL)
    assert await stored(database, "callback_request") == []


async def test_a_number_that_may_not_be_rung_is_never_saved(
    database: Database, spool: Spool
) -> None:
    """Whatever the flows let through; and the message does not tell it."""
    facts = {**SAVE.facts, "number": "+449098790123"}
    with pytest.raises(ValueError, match="may not be rung") as caught:
        await save_with(database, spool)(replace(SAVE, facts=facts), CALL)
    assert "9098790123" not in str(caught.value)
    assert await stored(database, "callback_request") == []


# --- what staff read -------------------------------------------------------------------------


async def test_the_next_due_comes_first_and_what_is_done_is_not_open(
    database: Database, spool: Spool
) -> None:
    """`list` shows what needs a call, `list --all` everything."""
    save, queue = save_with(database, spool), Queue(database, KEYS, clock)
    for turn, day in enumerate(("27", "25", "26")):
        number = f"+44770090012{turn}"
        facts = {**SAVE.facts, "number": number, "due_at": f"2026-11-{day}T12:00:00Z"}
        await save(replace(SAVE, facts=facts, turn=turn), CALL)
    assert [kept.due_at[8:10] for kept in await queue.open()] == ["25", "26", "27"]
    async with database.writing() as session:
        done = text("update callback_request set state = 'done' where due_at < '2026-11-26'")
        await (await session.connection()).execute(done)
    assert [kept.due_at[8:10] for kept in await queue.open()] == ["26", "27"]
    assert [kept.state for kept in await queue.all()] == ["done", "waiting", "waiting"]


async def test_a_request_is_found_by_its_reference_however_it_is_grouped(
    database: Database, spool: Spool
) -> None:
    """As callers read it out."""
    save, queue = save_with(database, spool), Queue(database, KEYS, clock)
    reference = (await save(SAVE, CALL)).facts["reference"]
    other = {**SAVE.facts, "number": "+447700900456"}
    await save(replace(SAVE, facts=other, turn=8), CALL)
    for written in (reference, f"{reference[:3]} {reference[3:]}"):
        assert [kept.reference for kept in await queue.find(written)] == [reference]
    assert await queue.find("") == []


async def test_every_reference_ever_told_finds_its_request(
    database: Database, spool: Spool
) -> None:
    """A later wish joined the first: staff find it by what either caller was told."""
    save, queue = save_with(database, spool), Queue(database, KEYS, clock)
    first, later = [
        (await save(replace(SAVE, turn=turn), CALL)).facts["reference"] for turn in (7, 8)
    ]
    assert first != later
    assert [kept.reference for kept in await queue.find(later)] == [first]
    assert [kept.reference for kept in await queue.find(first)] == [first]


async def test_whoever_sees_a_whole_number_is_recorded(database: Database, spool: Spool) -> None:
    """Who, what and when, for each request shown."""
    reference = (await save_with(database, spool)(SAVE, CALL)).facts["reference"]
    (shown,) = await Queue(database, KEYS, clock).reveal(reference, "alice")
    assert shown.number == "07700 900 123"
    events = [(event["who"], event["what"]) for event in await stored(database, "callback_event")]
    assert events == [("caller", "saved"), ("alice", "number revealed")]


async def test_requests_are_listed_though_a_key_is_lost(database: Database, spool: Spool) -> None:
    """Their numbers cannot be read, but everything else can."""
    reference = (await save_with(database, spool)(SAVE, CALL)).facts["reference"]
    queue = Queue(database, Keys((Fernet.generate_key(),), HASH_KEY), clock)
    assert [kept.number for kept in await queue.open()] == ["unreadable"]
    with pytest.raises(UnreadableError, match="IVR_SECRET_KEYS"):
        await queue.reveal(reference, "alice")


# --- one open request for each number ----------------------------------------------------------


async def enter(database: Database, *wishes: Wish) -> list[str]:
    """Enter these wishes, and return what each caller is told."""
    ledger = Ledger(database, KEYS)
    return [(await ledger.enter(wish)).outcome for wish in wishes]


async def test_who_asks_again_keeps_their_place_and_is_counted(database: Database) -> None:
    """For the same time of day the earlier promise stands; what was learnt since is added."""
    assert await enter(database, WISH, AGAIN) == ["saved", "already"]
    (kept,) = await Queue(database, KEYS, clock).open()
    assert (kept.requested_at, kept.due_at) == ("2026-11-24T10:30:00Z", "2026-11-25T10:30:00Z")
    assert (kept.repeats, kept.topic, kept.council) == (1, "school/rights", "E08000035")
    events = [(one["who"], one["what"]) for one in await stored(database, "callback_event")]
    assert events == [("caller", "saved"), ("caller", "already")]


async def test_who_asks_for_another_time_of_day_is_promised_that(database: Database) -> None:
    """But keeps the place of the first wish."""
    await enter(database, WISH, replace(AGAIN, slot="afternoon"))
    (kept,) = await stored(database, "callback_request")
    assert kept["slot"] == "afternoon"
    (shown,) = await Queue(database, KEYS, clock).open()
    assert (shown.requested_at, shown.due_at) == ("2026-11-24T10:30:00Z", "2026-11-26T10:30:00Z")


async def test_once_a_request_has_ended_the_next_wish_is_a_new_one(database: Database) -> None:
    """Done or closed; while it is claimed or being rung it is still open."""
    await enter(database, WISH)
    for number, state in enumerate(("claimed", "calling", "due again")):
        await set_state(database, state)
        again = replace(AGAIN, effect=KEYS.effect_hash(state), reference=f"00001{number}")
        assert await enter(database, again) == ["already"]
    for state in ("done", "closed"):
        await set_state(database, state)
        again = replace(AGAIN, effect=KEYS.effect_hash(state))
        assert await enter(database, again) == ["saved"]
    assert len(await stored(database, "callback_request")) == 3


async def test_a_caller_who_keeps_a_request_changes_nothing_but_the_count(
    database: Database,
) -> None:
    await enter(database, WISH)
    (before,) = await stored(database, "callback_request")
    assert await enter(database, KEEP, KEEP) == ["kept", "kept"]
    (after,) = await stored(database, "callback_request")
    assert after == before | {"repeats": 1}


async def test_a_cancelled_request_is_closed_and_a_repeat_says_so_again(database: Database) -> None:
    """The repeat does not close what was asked for since."""
    assert await enter(database, WISH, CANCEL) == ["saved", "cancelled"]
    assert await Queue(database, KEYS, clock).open() == []
    assert await enter(database, AGAIN, CANCEL) == ["saved", "cancelled"]
    assert len(await Queue(database, KEYS, clock).open()) == 1


async def test_a_cancellation_that_comes_late_does_not_undo_what_was_asked_since(
    database: Database,
) -> None:
    """It waited in another machine's spool while the caller changed their mind."""
    early = replace(CANCEL, at=NOW + timedelta(minutes=1))
    assert await enter(database, WISH, AGAIN, early) == ["saved", "already", "none"]
    assert len(await Queue(database, KEYS, clock).open()) == 1


async def test_what_has_ended_can_be_neither_kept_nor_cancelled(database: Database) -> None:
    """Nor what is being rung at this moment: the phone is about to ring."""
    await enter(database, WISH)
    await set_state(database, "done")
    assert await enter(database, KEEP, CANCEL) == ["none", "none"]
    await enter(database, replace(AGAIN, effect=KEYS.effect_hash("anew")))
    await set_state(database, "calling")
    other = replace(CANCEL, effect=KEYS.effect_hash("other"), request=2)
    assert await enter(database, other) == ["none"]


async def test_a_repeat_of_what_came_to_nothing_comes_to_nothing(database: Database) -> None:
    """The request was being rung; or the caller has asked for another one since."""
    await enter(database, WISH)
    await set_state(database, "calling")
    assert await enter(database, CANCEL) == ["none"]
    await set_state(database, "due again")
    assert await enter(database, CANCEL) == ["none"]
    await set_state(database, "closed")
    await enter(database, replace(AGAIN, effect=KEYS.effect_hash("anew")))
    later = replace(CANCEL, effect=KEYS.effect_hash("later"), at=NOW + timedelta(days=1))
    assert await enter(database, CANCEL, later) == ["none", "none"]
    assert len(await Queue(database, KEYS, clock).open()) == 1


async def test_the_database_itself_refuses_a_second_open_request(database: Database) -> None:
    """Whatever a program does: the unique index is the last word."""
    await enter(database, WISH)
    columns = "reference, state, number, number_hash, requested_at, due_at, slot, topic, council"
    rest = "access, repeats, attempts, holder"
    copy = text(
        f"insert into callback_request ({columns}, {rest}) select {columns}, {rest}"
        " from callback_request"
    )
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            await (await session.connection()).execute(copy)


wishes = st.builds(
    Wish,
    kind=st.just(Kind.SAVE),
    effect=st.just("effect"),
    reference=st.sampled_from(["000001", "000002"]),
    number=st.just(NUMBER),
    at=st.datetimes(datetime(2026, 11, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),
    slot=st.sampled_from(["any", "morning", "afternoon"]),
    due_at=st.datetimes(datetime(2026, 12, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    topic=st.sampled_from(["", "school/rights", "plans/refused"]),
    council=st.sampled_from(["", "E08000035"]),
)


def joined(first: Wish, second: Wish) -> dict[str, object]:
    request = CallBackRequest(
        reference=first.reference,
        requested_at=first.at,
        due_at=first.due_at,
        **{name: getattr(first, name) for name in ("slot", "topic", "council")},
    )
    join(request, second, first.at)
    return request.model_dump()


@given(wishes, wishes)
def test_two_wishes_come_to_the_same_in_either_order(one: Wish, other: Wish) -> None:
    """One of them may have waited in another machine's spool."""
    assume(one.at != other.at)
    assert joined(one, other) == joined(other, one)


ASKING = """
import asyncio, sys
from dataclasses import replace
from datetime import datetime, UTC
from ivr.callbacks.keys import Keys
from ivr.vault import UnreadableError
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.wishes import Kind, Wish
from ivr.database import Database

async def main(url, fernet_key, hash_key, who):
    database = Database(url, busy_ms=60_000)  # a slow machine is not what is tested
    keys = Keys((fernet_key.encode(),), hash_key.encode())
    ledger, now = Ledger(database, keys), datetime.now(UTC)
    print("ready", flush=True); sys.stdin.readline()
    for turn in range(20):
        number = f"+4477009009{turn:02d}"
        effect = keys.effect_hash(f"{who}:{turn}")
        wish = Wish(Kind.SAVE, effect, "000000", number, now, "any", now)
        print((await ledger.enter(wish)).outcome)
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_processes_that_ask_for_the_same_numbers_at_once_make_one_request_each(
    kind: str, tmp_path: Path
) -> None:
    """Eight of them, with other calls: each number is saved once, and joined seven times."""
    url = new_url(kind, tmp_path)
    await upgrade(url)
    given = [[url, FERNET_KEY.decode(), HASH_KEY.decode(), str(who)] for who in range(8)]
    said = [each.splitlines() for each in run_at_once(ASKING, given)]
    for outcomes in zip(*said, strict=True):
        assert sorted(outcomes) == ["already"] * 7 + ["saved"]
    database = Database(url)
    assert [one["repeats"] for one in await stored(database, "callback_request")] == [7] * 20
    await database.close()


async def test_a_caller_hears_of_the_open_request_of_their_own_phone_only(
    database: Database,
) -> None:
    """By the next quarter of an hour, as it can be spoken; when it is late, the truth."""
    due = datetime(2026, 11, 24, 14, 37, tzinfo=UTC)
    await enter(database, replace(WISH, due_at=due))
    facts = {"phone": "own", "number": NUMBER}
    ask = Ask("open-call-back", facts, "callback/look", 4)
    look = OpenCallBack(Ledger(database, KEYS), lambda: HOURS, clock)
    assert await look(ask, CALL) == Answered(
        "found", {"open_request": "1", "due_day": "2026-11-24", "due_time": "14:45"}
    )
    late = replace(look, clock=lambda: due + timedelta(seconds=1))
    assert (await late(ask, CALL)).outcome == "late"
    for other in ({"phone": "typed", "number": NUMBER}, {**facts, "number": "+447700900124"}):
        assert await look(replace(ask, facts=other), CALL) == Answered("none")


# --- the spool ---------------------------------------------------------------------------------


def keeper_of(database: Database, spool: Spool) -> Keeper:
    return Keeper(Ledger(database, KEYS), spool)


async def test_without_a_database_a_wish_is_saved_on_disk_and_delivered_once_it_is_back(
    gone: tuple[Database, str], spool: Spool
) -> None:
    """The caller hears "saved", and a repeat hears the same, before and after."""
    database, url = gone
    save = save_with(database, spool)
    first = await save(SAVE, CALL)
    assert (first.outcome, first.facts["reference"]) == (
        "saved",
        KEYS.reference(CALL.effect(SAVE)),
    )
    assert await save(SAVE, CALL) == first
    assert len(spool.waiting()) == 1
    await keeper_of(database, spool).deliver()
    assert len(spool.waiting()) == 1
    await upgrade(url)
    await keeper_of(database, spool).deliver()  # of another process, after a crash
    assert spool.waiting() == []
    assert await save(SAVE, CALL) == first
    (kept,) = await Queue(database, KEYS, clock).open()
    assert (kept.reference, kept.number) == (first.facts["reference"], "… 123")


async def test_what_joins_a_request_when_it_is_delivered_is_still_told_as_saved(
    database: Database, spool: Spool
) -> None:
    """Nobody could know of the open request while the database was away."""
    await enter(database, WISH)
    spool.put(replace(AGAIN, told="saved"))
    await keeper_of(database, spool).deliver()
    assert await Ledger(database, KEYS).enter(AGAIN) == Kept("saved", AGAIN.reference)
    assert len(await stored(database, "callback_request")) == 1


async def test_wishes_are_delivered_in_the_order_in_which_they_were_made(
    database: Database, spool: Spool
) -> None:
    """Saved, cancelled, and asked for anew: one request is open."""
    anew = replace(AGAIN, effect=KEYS.effect_hash("fourth"), at=CANCEL.at + timedelta(hours=1))
    for wish in (anew, CANCEL, WISH):
        spool.put(wish)
    await keeper_of(database, spool).deliver()
    assert spool.waiting() == []
    assert [one["state"] for one in await stored(database, "callback_request")] == [
        "closed",
        "waiting",
    ]


async def test_an_attempt_that_hangs_is_not_waited_for_and_counts_once(
    database: Database, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still succeed after the caller has been told of the one on disk."""
    monkeypatch.setattr(keeping, "PATIENCE_S", 0)
    keeper = keeper_of(database, spool)
    assert (await keeper.keep(WISH)).outcome == "saved"
    assert len(spool.waiting()) == 1
    while not await stored(database, "callback_request"):  # the attempt goes on by itself
        await asyncio.sleep(0)
    await keeper.deliver()
    assert spool.waiting() == []
    assert len(await stored(database, "callback_request")) == 1
    await keeper.close()


async def test_when_neither_database_nor_disk_takes_it_nothing_is_said_to_be_saved(
    gone: tuple[Database, str], tmp_path: Path
) -> None:
    """The driver turns this into "failed", and the caller hears the truth."""
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="Not a directory"):
        await save_with(gone[0], Spool(tmp_path / "spool", KEYS))(SAVE, CALL)


async def test_the_first_wish_makes_the_spool_whose_parent_may_be_missing_too(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path / "var" / "spool", KEYS)
    assert (spool.waiting(), spool.aside()) == ([], [])
    spool.tidy()
    spool.put(WISH)
    spool.put(WISH)
    assert len(spool.waiting()) == 1
    assert "900123" not in repr(WISH)


async def test_a_wish_on_disk_can_be_read_by_its_owner_alone_and_tells_no_number(
    spool: Spool,
) -> None:
    """Sealed, as numbers are in the database."""
    spool.put(WISH)
    (path,) = spool.waiting()
    assert path.stat().st_mode & 0o777 == 0o600
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert "900123" not in path.read_text() + path.name
    assert spool.read(path) == WISH


async def test_a_wish_that_cannot_be_read_does_not_hold_up_the_others_and_is_not_lost(
    database: Database, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """It is set aside, said so, and tried once more by the next start: a key may be back."""
    other = Spool(spool.folder, Keys((Fernet.generate_key(),), HASH_KEY))
    other.put(WISH)
    spool.put(replace(AGAIN, number="+447700900456"))
    await keeper_of(database, spool).deliver()
    assert (len(spool.waiting()), len(spool.aside())) == (0, 1)
    assert "set aside" in caplog.text
    assert len(await stored(database, "callback_request")) == 1
    other.tidy()
    await Keeper(Ledger(database, KEYS), other).deliver()
    assert (other.waiting(), other.aside()) == ([], [])
    assert len(await stored(database, "callback_request")) == 2


async def test_drafts_of_killed_processes_are_removed_but_not_those_of_live_ones(
    spool: Spool,
) -> None:
    """They hold a number, and nobody was told that they are kept."""
    spool.put(WISH)
    stale, fresh = spool.folder / ".stale", spool.folder / ".fresh"
    for draft in (stale, fresh):
        draft.touch()
    os.utime(stale, (0, 0))
    spool.tidy()
    assert not stale.exists()
    assert fresh.exists()
    assert len(spool.waiting()) == 1


# --- how to ring ---------------------------------------------------------------------------------


def need(name: str, wanted: bool = True, **changes: object) -> Wish:
    """An answer to "may we leave a message?" and the like, after the first wish."""
    made = Wish(
        kind=Kind.NEED,
        effect=KEYS.effect_hash(f"{name}{wanted}"),
        reference=WISH.reference,
        number="",
        at=NOW + timedelta(minutes=1),
        of=WISH.effect,
        need=name,
        wanted=wanted,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_each_answer_is_added_to_the_saved_request_and_can_be_taken_back(
    database: Database,
) -> None:
    answers = [need("message"), need("slower"), need("slower"), need("message", wanted=False)]
    assert await enter(database, WISH, *answers) == ["saved", *["noted"] * 4]
    (kept,) = await Queue(database, KEYS, clock).open()
    assert kept.access == ["slower"]
    happened = [one["what"] for one in await stored(database, "callback_event")]
    assert happened == ["saved", "message: yes", "slower: yes", "message: no"]


async def test_an_answer_to_a_joined_wish_is_added_to_the_request_that_it_joined(
    database: Database,
) -> None:
    await enter(database, WISH, AGAIN, need("message", of=AGAIN.effect, own=True))
    (kept,) = await Queue(database, KEYS, clock).open()
    assert kept.access == ["message"]


async def test_nobody_can_give_leave_to_leave_messages_in_another_s_place(
    database: Database,
) -> None:
    """Somebody typed the number of a parent who had asked before. That we shall speak slowly is
    taken from them, that a message may be left is not; staff read that it was said."""
    typed = [need(each, of=AGAIN.effect) for each in ("message", "someone-else", "slower")]
    assert await enter(database, WISH, AGAIN, *typed) == ["saved", "already", *["noted"] * 3]
    (kept,) = await Queue(database, KEYS, clock).open()
    assert kept.access == ["slower"]
    assert "message: yes" in [one["what"] for one in await stored(database, "callback_event")]


async def test_an_answer_whose_wish_waits_in_another_spool_waits_for_it(
    database: Database, spool: Spool
) -> None:
    """Another machine saved it while the database was gone; this one heard the answer."""
    keeper = keeper_of(database, spool)
    assert await keeper.keep(need("message")) == Kept("noted", WISH.reference)
    await keeper.deliver()
    assert len(spool.waiting()) == 1
    await enter(database, replace(AGAIN, number="+447700900456"))  # others are not held up
    await enter(database, WISH)
    await keeper.deliver()
    assert spool.waiting() == []
    kept = await Queue(database, KEYS, clock).find(WISH.reference)
    assert [one.access for one in kept] == [["message"]]


async def test_an_answer_whose_wish_never_comes_is_set_aside(
    database: Database, spool: Spool
) -> None:
    """After a day; it is not thrown away."""
    spool.put(need("message", at=datetime.now(UTC) - timedelta(days=1, minutes=1)))
    await keeper_of(database, spool).deliver()
    assert (len(spool.waiting()), len(spool.aside())) == (0, 1)


# --- erasing on schedule -----------------------------------------------------------------------


async def ended(database: Database, at: datetime) -> None:
    async with database.writing() as session:
        for request in (await session.exec(select(CallBackRequest))).all():
            request.state, request.ended_at = "done", at


async def test_months_after_a_request_has_ended_nobody_can_tell_whose_it_was(
    database: Database,
) -> None:
    """What counts in reports stays: when, which topic, how often."""
    await enter(database, WISH, AGAIN)
    await ended(database, NOW)
    early = Eraser(database, lambda: datetime(2027, 2, 24, 10, 29, tzinfo=UTC), months=3)
    assert await early.erase() == 0
    in_time = Eraser(database, lambda: datetime(2027, 2, 24, 10, 30, tzinfo=UTC), months=3)
    assert (await in_time.erase(), await in_time.erase()) == (1, 0)
    (kept,) = await stored(database, "callback_request")
    assert (kept["number"], kept["number_hash"], kept["reference"]) == ("", "", "")
    assert (kept["topic"], kept["repeats"]) == ("school/rights", 1)
    assert await stored(database, "callback_effect") == []
    (shown,) = await Queue(database, KEYS, clock).all()
    assert shown.number == "erased"


async def test_what_is_still_open_is_never_erased(database: Database) -> None:
    """However old it is: somebody waits."""
    await enter(database, WISH)
    later = Eraser(database, lambda: NOW + timedelta(days=5000), months=1)
    assert await later.erase() == 0


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        ("2026-11-24", 3, "2026-08-24"),
        ("2027-01-31", 2, "2026-11-30"),
        ("2027-03-31", 1, "2027-02-28"),
        ("2026-12-01", 12, "2025-12-01"),
    ],
)
def test_months_are_those_of_the_calendar(day: str, months: int, before: str) -> None:
    moment = datetime.fromisoformat(f"{day}T10:30+00:00")
    assert months_before(moment, months) == datetime.fromisoformat(f"{before}T10:30+00:00")


# --- an older database -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_requests_that_were_asked_twice_are_joined_by_the_upgrade(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first keeps its place; every reference still finds it."""
    url = new_url(kind, tmp_path)
    monkeypatch.setattr("ivr.database.head", lambda: "0001")
    await upgrade(url)
    database = Database(url)
    row = "'waiting', 'x', '{hash}', '2026-11-{day} 10:00:00', '2026-11-25 10:00:00', 'any'"
    async with database.writing() as session:
        connection = await session.connection()
        for number, (known, day) in enumerate((("a", 21), ("b", 22), ("a", 20)), start=1):
            await connection.execute(
                text(
                    "insert into callback_request (id, reference, topic, council, access, repeats,"
                    " attempts, holder, state, number, number_hash, requested_at, due_at, slot)"
                    f" values ({number}, '00000{number}', '', '', '[]', 1, 0, '',"
                    f" {row.format(hash=known, day=day)})"
                )
            )
            await connection.execute(
                text(
                    f"insert into callback_effect values ('e{number}', 'saved', '00000{number}',"
                    f" {number}, '2026-11-{day} 10:00:00')"
                )
            )
    monkeypatch.undo()
    await upgrade(url)
    kept = {one["id"]: one["repeats"] for one in await stored(database, "callback_request")}
    assert kept == {2: 1, 3: 2}
    effects = await stored(database, "callback_effect")
    assert {one["reference"]: one["request_id"] for one in effects} == {
        "000001": 3,
        "000002": 2,
        "000003": 3,
    }
    await database.close()
