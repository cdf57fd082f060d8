"""A call-back is never lost and never doubled: what callers wish, saved once, on both databases."""

import asyncio
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from databases import KINDS, new_url
from sqlalchemy import text

from ivr.callbacks.keys import Keys
from ivr.callbacks.queue import Queue
from ivr.callbacks.spool import Spool
from ivr.conversation import Call
from ivr.database import Database, upgrade
from ivr.vault import UnreadableError
from tests.wishes import (
    CALL,
    FERNET_KEY,
    HASH_KEY,
    KEYS,
    SAVE,
    clock,
    save_with,
    stored,
)
from tests.workers import run_at_once


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", KEYS)


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
        "urgent": False,
        "safety": "",
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
from ivr import spool

spool.PATIENCE_S = 60  # a slow machine is not what is tested

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
