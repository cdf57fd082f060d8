"""Ringing a caller through Twilio: what its webhooks tell may come twice, late and out of order."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from test_desk import HOURS, KEYS, MONDAY, wish

from ivr.callbacks.attempts import CALL_LASTS, WRITING_UP, Attempt, Attempts, Result
from ivr.callbacks.desk import Claim, Desk, NotYoursError
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.queue import Queue
from ivr.database import Database
from tests.helplines import SetClock

NUMBER = "+447700900001"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def desk(database: Database, clock: SetClock) -> Desk:
    return Desk(database, KEYS, lambda: HOURS, clock)


@pytest.fixture
def attempts(database: Database, clock: SetClock) -> Attempts:
    return Attempts(database, KEYS, clock)


@pytest.fixture
def queue(database: Database, clock: SetClock) -> Queue:
    return Queue(database, KEYS, clock)


@pytest.fixture
async def claim(database: Database, desk: Desk) -> Claim:
    await Ledger(database, KEYS).enter(wish(1))
    found = await desk.claim_next("alice")
    assert found is not None
    return found


async def begun(attempts: Attempts, claim: Claim) -> Attempt:
    attempt = await attempts.begin(claim.request_id, "alice")
    assert attempt is not None
    return attempt


async def happened(database: Database) -> list[str]:
    async with database.reading() as session:
        found = text("select what from callback_event order by id")
        return [row[0] for row in await (await session.connection()).execute(found)]


async def test_an_attempt_goes_from_ringing_to_the_outcome(
    attempts: Attempts, desk: Desk, queue: Queue, claim: Claim, database: Database
) -> None:
    """Whoever holds it presses 1, the caller is rung, and after the call it is theirs to write up:
    the attempt counts once."""
    attempt = await begun(attempts, claim)
    assert (await queue.one(claim.request_id)).state == "calling"
    assert await attempts.take(attempt.id) == NUMBER
    await attempts.end(attempt.id, Result.NO_ANSWER)
    shown = await queue.one(claim.request_id)
    assert (shown.state, shown.holder, shown.attempts) == ("claimed", "alice", 1)
    await desk.finish(claim, "no answer")
    shown = await queue.one(claim.request_id)
    assert (shown.state, shown.attempts) == ("due again", 1)
    assert await happened(database) == [
        "saved",
        "claimed",
        "calling",
        "hung up: no answer",
        "no answer",
    ]


@pytest.mark.parametrize("result", [Result.NOT_TAKEN, Result.FAILED])
async def test_a_caller_who_was_not_rung_counts_no_attempt(
    attempts: Attempts, desk: Desk, queue: Queue, claim: Claim, result: Result
) -> None:
    """Who then rings by hand counts it with the outcome."""
    attempt = await begun(attempts, claim)
    await attempts.end(attempt.id, result)
    assert (await queue.one(claim.request_id)).attempts == 0
    await desk.finish(claim, "spoke")
    assert (await queue.one(claim.request_id)).attempts == 1


async def test_repeats_and_disorder_change_nothing(
    attempts: Attempts, queue: Queue, claim: Claim, database: Database
) -> None:
    """What was told first stands, and a press of 1 after the end rings nobody."""
    attempt = await begun(attempts, claim)
    assert await attempts.take(attempt.id) == await attempts.take(attempt.id) == NUMBER
    await asyncio.gather(*(attempts.end(attempt.id, result) for result in Result))
    first = await attempts.last(claim.request_id)
    assert first is not None
    await attempts.end(attempt.id, Result.SPOKE)
    assert await attempts.last(claim.request_id) == first
    assert await attempts.take(attempt.id) == ""
    hung_up = [what for what in await happened(database) if what.startswith("hung up")]
    assert hung_up == [f"hung up: {first.result}"]
    assert (await queue.one(claim.request_id)).attempts <= 1
    await attempts.end(4711, Result.SPOKE)
    assert await attempts.take(4711) == ""


async def test_one_parent_is_rung_once_at_a_time_and_only_by_who_holds_it(
    attempts: Attempts, claim: Claim
) -> None:
    """However often the button is pressed."""
    assert await attempts.begin(claim.request_id, "bob") is None
    tries = await asyncio.gather(*(attempts.begin(claim.request_id, "alice") for _ in range(8)))
    assert len([attempt for attempt in tries if attempt]) == 1


async def test_while_they_are_rung_nobody_else_can_claim_them_unless_the_end_was_never_told(
    attempts: Attempts, desk: Desk, claim: Claim, clock: SetClock
) -> None:
    """A call of an hour keeps its claim; a lease ends it should Twilio's word be lost."""
    attempt = await begun(attempts, claim)
    clock.at = MONDAY + timedelta(hours=1)
    assert await desk.claim(claim.request_id, "bob") is None
    clock.at = MONDAY + CALL_LASTS
    theirs = await desk.claim(claim.request_id, "bob")
    assert theirs is not None
    assert await attempts.take(attempt.id) == ""
    await attempts.end(attempt.id, Result.SPOKE)
    assert await desk.held(claim.request_id, "bob") == theirs
    with pytest.raises(NotYoursError):
        await desk.finish(claim, "spoke")


async def test_after_the_call_there_is_time_to_write_it_up(
    attempts: Attempts, desk: Desk, claim: Claim, clock: SetClock
) -> None:
    attempt = await begun(attempts, claim)
    clock.at = MONDAY + timedelta(minutes=50)
    await attempts.end(attempt.id, Result.SPOKE)
    held = await desk.held(claim.request_id, "alice")
    assert held is not None
    assert held.expires_at == clock.at + WRITING_UP
