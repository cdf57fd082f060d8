"""Whoever rings a caller back is not rung for another one meanwhile."""

from datetime import timedelta

import pytest
from test_desk import HOURS, MONDAY, claimed, wish, wished
from test_desk import KEYS as CALL_BACK_KEYS
from test_duty import KEYS, on_duty, state_of

from ivr.callbacks.attempts import ANSWERING, LONGEST_CALL, Attempt, Attempts, OnCalls, Result
from ivr.callbacks.desk import Desk
from ivr.database import Database
from ivr.duty.roster import REST, Roster
from tests.helplines import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def roster(database: Database, clock: SetClock) -> Roster:
    return Roster(database, KEYS, clock, OnCalls(database, clock))


@pytest.fixture
def attempts(database: Database, clock: SetClock) -> Attempts:
    return Attempts(database, CALL_BACK_KEYS, clock)


@pytest.fixture
async def attempt(database: Database, clock: SetClock, attempts: Attempts) -> Attempt:
    """Ada presses "Call" on the page of a request; on duty she is known by the same name."""
    await wished(database, wish(1))
    desk = Desk(database, CALL_BACK_KEYS, lambda: HOURS, clock)
    claim = await claimed(desk, "ada")
    made = await attempts.begin(claim.request_id, "ada")
    assert made is not None
    return made


async def test_who_rings_back_is_left_in_peace_until_ten_minutes_after_the_talk(
    roster: Roster, attempts: Attempts, attempt: Attempt, clock: SetClock
) -> None:
    """Her colleague is rung instead, also for a parent who returns a call."""
    await on_duty(roster, "Ada")
    assert await state_of(roster, "Ada") == "ringing a caller back"
    assert not await roster.anybody_free()
    await attempts.take(attempt.id)
    clock.at += LONGEST_CALL
    await on_duty(roster, "Ben")
    called = await roster.reserve("call:1", first="Ada")
    assert called is not None
    assert await roster.reserve("call:2", [called.person]) is None
    await attempts.end(attempt.id, Result.SPOKE)
    clock.at += REST - timedelta(seconds=1)
    assert await roster.reserve("call:3", [called.person]) is None
    clock.at += timedelta(seconds=1)
    assert await state_of(roster, "Ada") == "free"
    assert await roster.reserve("call:4", [called.person]) is not None


async def test_nobody_needs_rest_from_a_phone_that_only_rang(
    roster: Roster, attempts: Attempts, attempt: Attempt
) -> None:
    """Whoever missed them, and rings at once, reaches whoever rang."""
    await on_duty(roster, "Ada")
    await attempts.take(attempt.id)
    await attempts.end(attempt.id, Result.NO_ANSWER)
    assert await roster.reserve("call:1", first="ada") is not None


async def test_an_attempt_that_nobody_took_up_keeps_nobody_for_long(
    roster: Roster, attempt: Attempt, clock: SetClock
) -> None:
    """Its end was never told."""
    await on_duty(roster, "Ada")
    clock.at += ANSWERING
    assert await roster.anybody_free()
