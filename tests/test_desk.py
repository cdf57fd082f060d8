"""What staff do with the queue: nobody rings a caller twice, and nothing falls out of it."""

import asyncio
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from databases import KINDS, ROOT, new_url
from sqlalchemy import text

from ivr.callbacks import states
from ivr.callbacks.bell import Bell
from ivr.callbacks.desk import (
    CLAIM_LASTS,
    CannotReopenError,
    Claim,
    Desk,
    NoteNeededError,
    NotYoursError,
    UnknownOutcomeError,
)
from ivr.callbacks.erasing import Eraser
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.queue import Queue
from ivr.callbacks.records import Looking, View
from ivr.callbacks.states import ENDED, OPEN, OUTCOMES, State
from ivr.callbacks.wishes import PRESSED, Kind, Wish
from ivr.database import Database, upgrade
from ivr.hours import Hours, Opening, load_hours
from tests.helplines import PATIENCE, SetClock
from tests.workers import started

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FERNET_KEY = Fernet.generate_key()
HASH_KEY = b"a key for hashes, in tests"
KEYS = Keys((FERNET_KEY,), HASH_KEY)
HOURS = load_hours(ROOT / "flows" / "data" / "hours.yaml")


def wish(number: int, **changes: object) -> Wish:
    """The wish of another caller, due on Tuesday."""
    made = Wish(
        kind=Kind.SAVE,
        effect=KEYS.effect_hash(str(number)),
        reference=f"{number:06d}",
        number=f"+44770090{number:04d}",
        at=MONDAY + timedelta(seconds=number),
        slot="any",
        due_at=MONDAY + timedelta(days=1),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def desk(database: Database, clock: SetClock) -> Desk:
    return Desk(database, KEYS, lambda: HOURS, clock)


@pytest.fixture
def queue(database: Database, clock: SetClock) -> Queue:
    return Queue(database, KEYS, clock)


async def wished(database: Database, *wishes: Wish) -> None:
    for one in wishes:
        await Ledger(database, KEYS).enter(one)


async def claimed(desk: Desk, who: str = "alice") -> Claim:
    claim = await desk.claim_next(who)
    assert claim is not None
    return claim


async def events(database: Database) -> list[tuple[str, str]]:
    async with database.reading() as session:
        found = text("select who, what from callback_event order by id")
        return [tuple(row) for row in await (await session.connection()).execute(found)]


# --- claims ------------------------------------------------------------------------------------


async def test_urgent_is_claimed_first_then_not_safe_then_the_earliest_promise(
    desk: Desk, database: Database
) -> None:
    """A missed promise has the earliest time; of two alike, the one that has waited longest."""
    tuesday = MONDAY + timedelta(days=1)
    await wished(
        database,
        wish(1, due_at=tuesday + timedelta(hours=1)),
        wish(2, due_at=tuesday),
        wish(3, due_at=tuesday),
        wish(4, due_at=MONDAY - timedelta(hours=1)),
        wish(5, due_at=tuesday + timedelta(days=14), safety=PRESSED),
    )
    async with database.writing() as session:
        urgent = text("update callback_request set urgent = true where reference = '000003'")
        await (await session.connection()).execute(urgent)
    order = [(await claimed(desk)).reference for _ in range(5)]
    assert order == ["000003", "000005", "000004", "000002", "000001"]
    assert await desk.claim_next("alice") is None


async def test_who_asked_for_the_afternoon_is_not_rung_first_in_the_morning(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    """Unless they are late, or urgent, or nobody else waits."""
    due = MONDAY + timedelta(days=1)
    await wished(
        database, wish(1, due_at=due, slot="afternoon"), wish(2, due_at=due + timedelta(days=1))
    )
    first, second = await claimed(desk), await claimed(desk)
    assert [first.reference, second.reference] == ["000002", "000001"]
    await desk.release(first)
    await desk.release(second)
    await desk.mark(second.request_id, "alice", True, "not safe")
    assert (await claimed(desk)).reference == "000001"
    await desk.release((await desk.held(second.request_id, "alice")) or second)
    await desk.mark(second.request_id, "alice", False, "safe")
    clock.at = MONDAY + timedelta(hours=3)  # one in the afternoon
    assert (await claimed(desk)).reference == "000001"


async def test_what_one_person_holds_nobody_else_can_claim(
    desk: Desk, queue: Queue, database: Database
) -> None:
    """The queue says who holds it."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    assert await desk.claim(claim.request_id, "bob") is None
    assert await desk.claim_next("bob") is None
    (shown,) = await queue.open()
    assert (shown.state, shown.holder) == ("claimed", "alice")


async def test_a_claim_that_expires_is_free_again_and_its_holder_can_do_nothing_with_it(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    """Who went home with a claim does not keep a parent waiting."""
    await wished(database, wish(1))
    stale = await claimed(desk)
    clock.at += CLAIM_LASTS - timedelta(seconds=1)
    assert await desk.claim_next("bob") is None
    clock.at += timedelta(seconds=1)
    fresh = await claimed(desk, "bob")
    for late in (desk.finish(stale, "spoke"), desk.release(stale), desk.renew(stale)):
        with pytest.raises(NotYoursError, match="do not hold"):
            await late
    await desk.finish(fresh, "spoke")


async def test_a_claim_that_is_renewed_does_not_expire(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    await wished(database, wish(1))
    claim = await claimed(desk)
    for _ in range(3):
        clock.at += CLAIM_LASTS - timedelta(seconds=1)
        claim = await desk.renew(claim)
    assert await desk.claim_next("bob") is None


async def test_an_expired_claim_is_still_good_while_nobody_else_has_claimed(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    """A talk that took longer than the claim is not lost."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    clock.at += timedelta(hours=2)
    assert (await desk.finish(claim, "spoke")).state == "done"


async def test_a_claim_can_be_taken_over_and_that_is_recorded(
    desk: Desk, database: Database
) -> None:
    """What nobody holds is claimed, not taken over."""
    await wished(database, wish(1))
    assert await desk.take_over(1, "bob") is None
    before = await claimed(desk)
    taken = await desk.take_over(before.request_id, "bob")
    assert taken is not None
    with pytest.raises(NotYoursError):
        await desk.finish(before, "spoke")
    assert (await events(database))[1:] == [("alice", "claimed"), ("bob", "taken over")]


async def test_a_released_request_has_its_old_place(
    desk: Desk, queue: Queue, database: Database
) -> None:
    """And is due again, if we had rung before."""
    await wished(database, wish(1), wish(2))
    await desk.release(await claimed(desk))
    assert [one.state for one in await queue.open()] == ["waiting", "waiting"]
    await desk.finish(await claimed(desk), "engaged")
    await desk.release(await taken(desk, 1))
    assert [one.state for one in await queue.open()] == ["due again", "waiting"]


# --- how it went -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTCOMES)
async def test_each_outcome_leads_where_its_table_says(
    name: str, desk: Desk, queue: Queue, database: Database, clock: SetClock
) -> None:
    """Ended for good, or due again: later, in staffed hours, and nobody holds it."""
    await wished(database, wish(1))
    clock.at = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)  # a Friday afternoon
    outcome = OUTCOMES[name]
    request = await desk.finish(await claimed(desk), name, "what happened")
    (shown,) = await queue.all()
    assert (shown.state, shown.holder) == (outcome.leads, "")
    assert shown.attempts == outcome.counts
    assert (request.ended_at is not None) == (outcome.leads in ENDED)
    assert (await events(database))[-1] == ("alice", name)
    if outcome.retry_after:
        assert HOURS.is_open(request.due_at)
        assert request.due_at >= clock.at + outcome.retry_after


async def test_who_is_to_be_rung_in_the_morning_is_tried_again_in_the_morning(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    await wished(database, wish(1, slot="morning"))
    clock.at = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
    request = await desk.finish(await claimed(desk), "no answer")
    assert request.due_at == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", [name for name in OUTCOMES if OUTCOMES[name].needs_note])
async def test_an_outcome_that_needs_explaining_is_not_taken_without_a_note(
    name: str, desk: Desk, queue: Queue, database: Database
) -> None:
    """Nothing is changed then; and no note can be read in the database."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    with pytest.raises(NoteNeededError, match=f'"{name}" needs a note'):
        await desk.finish(claim, name, "  ")
    (shown,) = await queue.open()
    assert shown.holder == "alice"
    await desk.finish(claim, name, "a boy answered")
    async with database.reading() as session:
        notes = await (await session.connection()).execute(text("select note from callback_event"))
        (sealed,) = [note for (note,) in notes if note]
    assert "boy" not in sealed
    assert KEYS.unseal(sealed) == "a boy answered"


async def test_an_outcome_that_there_is_not_is_named_with_those_that_there_are(
    desk: Desk, database: Database
) -> None:
    await wished(database, wish(1))
    with pytest.raises(UnknownOutcomeError, match=r'no outcome "spoken".*spoke, no answer'):
        await desk.finish(await claimed(desk), "spoken")


async def test_an_outcome_is_recorded_once(desk: Desk, database: Database) -> None:
    """The button was pressed twice."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    await desk.finish(claim, "no answer")
    with pytest.raises(NotYoursError):
        await desk.finish(claim, "no answer")
    assert [what for _, what in await events(database)] == ["saved", "claimed", "no answer"]


async def test_notes_are_erased_with_the_number(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    await wished(database, wish(1))
    await desk.finish(await claimed(desk), "wrong number", "a shop")
    clock.at += timedelta(days=40)
    assert await Eraser(database, clock, months=1).erase() == 1
    async with database.reading() as session:
        notes = await (await session.connection()).execute(text("select note from callback_event"))
        assert {note for (note,) in notes} == {""}


async def test_what_is_urgent_says_why_and_is_not_erased_until_it_is_not(
    desk: Desk, queue: Queue, database: Database, clock: SetClock
) -> None:
    """Somebody may not be safe: the number may be needed."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    with pytest.raises(NoteNeededError, match='"marked urgent" needs a note'):
        await desk.mark(claim.request_id, "alice", urgent=True, note="")
    await desk.mark(claim.request_id, "alice", urgent=True, note="the child is at risk")
    await desk.finish(claim, "spoke")
    clock.at += timedelta(days=400)
    eraser = Eraser(database, clock, months=1)
    assert await eraser.erase() == 0
    await desk.mark(claim.request_id, "bob", urgent=False, note="the family is safe")
    history = await queue.history(claim.request_id, notes=True)
    assert [(one.who, one.what, one.note) for one in history] == [
        ("caller", "saved", ""),
        ("alice", "claimed", ""),
        ("alice", "marked urgent", "the child is at risk"),
        ("alice", "spoke", ""),
        ("bob", "not urgent", "the family is safe"),
    ]
    assert {one.note for one in await queue.history(claim.request_id)} == {""}
    assert await eraser.erase() == 1


# --- the tables --------------------------------------------------------------------------------


def test_every_state_can_be_left_unless_it_is_an_end() -> None:
    """By somebody's move or, for what is being rung, by an outcome. An end is left only by who
    made a mistake."""
    left = {origin for move in states.MOVES for origin in move.origins if move != states.REOPEN}
    assert left == set(OPEN)
    assert set(states.REOPEN.origins) == set(ENDED)
    assert set(OPEN) | set(ENDED) == set(State)
    assert not set(OPEN) & set(ENDED)


def test_what_is_tried_again_has_a_time_and_what_ends_has_none() -> None:
    for outcome in OUTCOMES.values():
        assert (outcome.leads is State.DUE_AGAIN) == (outcome.retry_after is not None)


def test_every_slot_has_a_next_moment_on_any_day() -> None:
    """Nights, weekends and Christmas included; never before the moment itself."""
    for slot in ("any", "morning", "afternoon"):
        for hour in range(24 * 14):
            moment = datetime(2026, 12, 20, tzinfo=UTC) + timedelta(hours=hour)
            found = HOURS.within(moment, slot)
            assert found >= moment
            assert HOURS.is_open(found)
            local = found.astimezone(HOURS.zone)
            assert slot == "any" or (local.hour < 12) == (slot == "morning")
    with pytest.raises(ValueError, match="no slot 'night'"):
        HOURS.within(MONDAY, "night")
    with pytest.raises(ValueError, match="no day of the week"):
        Hours({0: Opening(time(9), time(12))}).within(MONDAY, "afternoon")


def test_while_nobody_knows_the_hours_they_put_nothing_off() -> None:
    """An outcome can be recorded though the file of hours is broken."""
    assert Hours({}).within(MONDAY, "morning") == MONDAY


# --- handing over, and opening again -------------------------------------------------------------


async def test_a_claim_is_handed_over_and_its_first_holder_has_it_no_longer(
    desk: Desk, queue: Queue, database: Database
) -> None:
    """The colleague has as long for it as if they had claimed it; the note is theirs to read."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    await desk.hand_over(claim, "bob", "she reads lips")
    with pytest.raises(NotYoursError):
        await desk.finish(claim, "spoke")
    theirs = await desk.held(claim.request_id, "bob")
    assert theirs is not None
    assert theirs.expires_at == MONDAY + CLAIM_LASTS
    assert ("alice", "handed over to bob") in await events(database)
    notes = [one.note for one in await queue.history(claim.request_id, notes=True)]
    assert "she reads lips" in notes
    await desk.finish(theirs, "spoke")


async def test_what_was_ended_by_mistake_is_opened_again_and_is_due_at_once(
    desk: Desk, queue: Queue, database: Database, clock: SetClock
) -> None:
    """What is open, or was never there, cannot be."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    with pytest.raises(CannotReopenError):
        await desk.reopen(claim.request_id, "alice")
    await desk.finish(claim, "asked not to be called")
    await desk.reopen(claim.request_id, "alice")
    (shown,) = await queue.open()
    assert (shown.state, shown.due_at) == ("due again", "2026-11-23T10:00:00Z")
    with pytest.raises(CannotReopenError):
        await desk.reopen(4711, "alice")
    await desk.finish(await claimed(desk), "spoke")
    clock.at = MONDAY + timedelta(days=200)
    assert await Eraser(database, clock, 3).erase() == 1
    with pytest.raises(CannotReopenError):
        await desk.reopen(claim.request_id, "alice")


async def test_a_caller_who_asked_anew_has_one_open_request_still(
    desk: Desk, queue: Queue, database: Database
) -> None:
    await wished(database, wish(1))
    claim = await claimed(desk)
    await desk.finish(claim, "spoke")
    await wished(database, replace(wish(2), number=wish(1).number))
    with pytest.raises(CannotReopenError, match="another open request"):
        await desk.reopen(claim.request_id, "alice")
    assert len(await queue.open()) == 1


async def test_another_try_is_when_the_caller_said_but_in_staffed_hours(
    desk: Desk, queue: Queue, database: Database
) -> None:
    """A time that has passed means now; one at night the next morning."""
    for number, chosen, due in (
        (1, MONDAY + timedelta(days=1), "2026-11-24T10:00:00Z"),
        (2, MONDAY - timedelta(days=1), "2026-11-23T10:00:00Z"),
        (3, MONDAY + timedelta(hours=12), "2026-11-24T09:00:00Z"),
    ):
        await wished(database, wish(number))
        claim = await claimed(desk)
        await desk.finish(claim, "no answer", again_at=chosen)
        assert (await queue.one(claim.request_id)).due_at == due
        await desk.finish(await taken(desk, claim.request_id), "spoke")


async def taken(desk: Desk, request_id: int) -> Claim:
    claim = await desk.claim(request_id, "alice")
    assert claim is not None
    return claim


# --- looking -------------------------------------------------------------------------------------


async def test_the_queue_is_looked_at_in_parts_and_pages(
    desk: Desk, queue: Queue, database: Database, clock: SetClock
) -> None:
    """Each part holds what it says, a page after another: urgent first, then the next due."""
    due = MONDAY + timedelta(days=1)
    await wished(
        database,
        *(wish(number, due_at=due + timedelta(hours=number)) for number in range(1, 6)),
        wish(6, due_at=MONDAY - timedelta(hours=1), topic="school/rights", council="E09000003"),
    )
    urgent = (await queue.ids("000005"))[0]
    await desk.mark(urgent, "alice", True, "not safe")
    mine = await desk.claim((await queue.ids("000006"))[0], "alice")
    assert mine is not None

    async def found(view: View, **narrowed: str) -> list[str]:
        looking = Looking(view, who="alice", **narrowed)
        shown = await queue.page(looking, 0, 10)
        assert await queue.count(looking) == len(shown)
        return [one.record.reference for one in shown]

    assert await found(View.OPEN) == ["000005", "000006", "000001", "000002", "000003", "000004"]
    assert await found(View.MISSED) == await found(View.TODAY) == ["000006"]
    assert await found(View.MINE) == ["000006"]
    assert await found(View.URGENT) == ["000005"]
    assert await found(View.OPEN, flow="school") == ["000006"]
    assert await found(View.OPEN, flow="scho_l") == []
    assert await found(View.OPEN, council="E09000003") == ["000006"]
    pages = [await queue.page(Looking(), first, 4) for first in (0, 4, 8)]
    assert [len(page) for page in pages] == [4, 2, 0]
    await desk.finish(mine, "spoke")
    assert await found(View.ENDED) == ["000006"]
    worrying = await desk.claim(urgent, "alice")
    assert worrying is not None
    await desk.finish(worrying, "spoke")
    clock.at += timedelta(hours=1)
    later = await desk.claim((await queue.ids("000001"))[0], "alice")
    assert later is not None
    await desk.finish(later, "spoke")
    assert await found(View.ENDED) == ["000005", "000001", "000006"]


async def test_a_search_finds_whole_numbers_and_references_and_nothing_else(
    queue: Queue, database: Database
) -> None:
    await wished(database, wish(1), wish(2))
    for text_typed, references in (
        ("07700 900001", ["000001"]),
        ("+447700900002", ["000002"]),
        ("000 002", ["000002"]),
        ("0002", []),
        ("", []),
        ("% or 1=1 --", []),
        ("٠٠٠٠٠١", []),
    ):
        found = await queue.search(text_typed)
        assert [one.record.reference for one in found] == references, text_typed


async def test_the_bell_rings_for_what_others_did(database: Database, desk: Desk) -> None:
    """On PostgreSQL by its own notice, on SQLite by looking; one's own deeds are no news."""
    bell = Bell(database)
    ringing = asyncio.create_task(bell.run())
    try:
        waiting = asyncio.create_task(bell.wait(PATIENCE))
        while not waiting.done():  # until the bell listens, nothing can be heard
            await wished(database, wish(await bell.changed(0, "nobody") + 1))
            await asyncio.wait({waiting}, timeout=0.2)
        assert await bell.changed(0, "nobody") > 0
        assert await bell.changed(0, "caller") == 0
    finally:
        ringing.cancel()


# --- many at once ------------------------------------------------------------------------------

WORKING = """
import asyncio, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from ivr.callbacks.desk import Desk
from ivr.callbacks.keys import Keys
from ivr.database import Database
from ivr.hours import load_hours

async def main(url, fernet_key, hash_key, who, end):
    database = Database(url, busy_ms=60_000)  # a slow machine is not what is tested
    keys = Keys((fernet_key.encode(),), hash_key.encode())
    hours = load_hours(Path("flows/data/hours.yaml"))
    desk = Desk(database, keys, lambda: hours, lambda: datetime.now(UTC))
    print("ready", flush=True); sys.stdin.readline()
    while claim := await desk.claim_next(who):
        print(claim.reference, flush=True)
        await desk.finish(claim, "spoke")
    if end == "killed":
        print("nothing left", flush=True)  # to be killed in: others were quicker each time
        signal.pause()
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""

REQUESTS = 120


@pytest.mark.parametrize("people", [2, 8])
@pytest.mark.parametrize("kind", KINDS)
async def test_however_many_claim_at_once_and_whoever_dies_each_request_is_worked_once(
    kind: str, people: int, tmp_path: Path
) -> None:
    """Half of the processes are killed (SIGKILL) amid their claims. What they held is free once
    the claim has expired; nothing is worked twice, nothing is lost."""
    url = new_url(kind, tmp_path)
    await upgrade(url)
    database = Database(url)
    await wished(database, *(wish(number) for number in range(REQUESTS)))
    given = [url, FERNET_KEY.decode(), HASH_KEY.decode()]
    ends = ["killed"] * (people // 2) + ["done"] * (people // 2)
    work = [[*given, f"p{who}", end] for who, end in enumerate(ends)]
    with started(WORKING, work) as working:
        for process in working[: people // 2]:
            process.out.readline()  # it has claimed one, and works
            os.kill(process.pid, signal.SIGKILL)
        for process in working:
            process.out.read()
    later = Desk(database, KEYS, lambda: HOURS, lambda: datetime.now(UTC) + CLAIM_LASTS)
    while claim := await later.claim_next("last"):
        await later.finish(claim, "spoke")
    async with database.reading() as session:
        found = text("select request_id, what, who from callback_event order by id")
        history: dict[int, list[tuple[str, str]]] = {}
        for request_id, what, who in await (await session.connection()).execute(found):
            history.setdefault(request_id, []).append((what, who))
    await database.close()
    assert len(history) == REQUESTS
    for saved, *claims, spoke in history.values():
        assert saved == ("saved", "caller")
        assert all(what == "claimed" for what, _ in claims)
        assert spoke == ("spoke", claims[-1][1])
        # Claimed a second time only because the first process died with it.
        assert len(claims) == 1 or claims[-1][1] == "last"
