"""Whoever was tried in vain is tried again: not before that is due, and not by two people."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from test_desk import HOURS, KEYS, MONDAY, claimed, taken, wish, wished

from ivr.callbacks.attempts import CALL_LASTS, Attempts
from ivr.callbacks.desk import CLAIM_LASTS, Desk
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.queue import Queue
from ivr.callbacks.records import Looking, View
from ivr.callbacks.service import OpenCallBack
from ivr.conversation import Call
from ivr.core.call import Ask
from ivr.database import Database
from tests.helplines import SetClock

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def desk(database: Database, clock: SetClock) -> Desk:
    return Desk(database, KEYS, lambda: HOURS, clock)


@pytest.fixture
def queue(database: Database, clock: SetClock) -> Queue:
    return Queue(database, KEYS, clock)


async def next_of(desk: Desk) -> str:
    """The reference that "Take the next one" brings; "" for none. It is given back."""
    claim = await desk.claim_next("bob")
    if claim is None:
        return ""
    await desk.release(claim)
    return claim.reference


async def test_who_did_not_answer_is_left_alone_until_it_is_due_again(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    """Though that is sooner than what others were promised. By hand they can be claimed."""
    await wished(database, wish(1), wish(2))
    await desk.finish(await claimed(desk), "no answer")
    assert await next_of(desk) == "000002"
    await desk.finish(await claimed(desk), "spoke")
    assert await next_of(desk) == ""
    await desk.release(await taken(desk, 1))
    assert await next_of(desk) == ""  # it was given back: it is due no sooner
    clock.at = MONDAY + timedelta(hours=2)
    assert await next_of(desk) == "000001"


async def test_a_claim_of_it_that_expired_makes_it_due_no_sooner(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    await wished(database, wish(1))
    await desk.finish(await claimed(desk), "left message")
    await taken(desk, 1)
    clock.at += CLAIM_LASTS
    assert await next_of(desk) == ""


@pytest.mark.parametrize("slot", ["any", "afternoon"])
async def test_a_parent_who_asks_anew_meanwhile_is_rung_by_when_they_were_told(
    slot: str, desk: Desk, queue: Queue, database: Database, clock: SetClock
) -> None:
    """It is a promise again, whether for another time of day or a sooner one."""
    await wished(database, wish(1))
    later = TUESDAY + timedelta(days=2)
    await desk.finish(await claimed(desk), "no answer", again_at=later)
    anew = replace(wish(2), number=wish(1).number, slot=slot, due_at=TUESDAY)
    await wished(database, replace(anew, at=MONDAY + timedelta(hours=1)))
    (shown,) = await queue.page(Looking(), 0, 9)
    assert (shown.record.state, shown.due_at, shown.is_retry) == ("waiting", TUESDAY, False)
    assert await next_of(desk) == "000001"


async def test_it_is_late_an_hour_after_its_time_and_a_promise_at_once(
    desk: Desk, queue: Queue, database: Database, clock: SetClock
) -> None:
    """Nobody can be rung before the time at which they are due again."""
    await wished(database, wish(1), wish(2))
    await desk.finish(await claimed(desk), "no answer", again_at=TUESDAY)

    async def late(moment: datetime) -> list[str]:
        clock.at = moment
        found = await queue.page(Looking(View.MISSED), 0, 9)
        assert all(one.late_at < moment for one in found)
        return [one.record.reference for one in found]

    assert await late(TUESDAY) == []
    assert await late(TUESDAY + timedelta(minutes=1)) == ["000002"]
    assert await late(TUESDAY + timedelta(hours=1)) == ["000002"]
    assert await late(TUESDAY + timedelta(minutes=61)) == ["000001", "000002"]


async def test_holding_on_to_a_claim_while_the_caller_is_rung_makes_it_no_shorter(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    """The page holds on every few minutes; then it may be closed while they still talk."""
    await wished(database, wish(1))
    claim = await claimed(desk)
    assert await Attempts(database, KEYS, clock).begin(claim.request_id, "alice")
    clock.at += timedelta(minutes=5)
    held = await desk.held(claim.request_id, "alice")
    assert held is not None
    assert (await desk.renew(held)).expires_at == MONDAY + CALL_LASTS
    clock.at = MONDAY + timedelta(minutes=55)
    assert await desk.claim_next("bob") is None


@pytest.mark.parametrize(("slot", "by"), [("any", "17:00"), ("morning", "12:00")])
async def test_a_parent_who_rings_meanwhile_is_told_by_when_and_not_from_when(
    slot: str, by: str, desk: Desk, database: Database, clock: SetClock
) -> None:
    """They are rung from eleven on: "by eleven" would be a promise that nobody keeps."""
    await wished(database, wish(1, slot=slot))
    await desk.finish(await claimed(desk), "no answer", again_at=MONDAY + timedelta(hours=1))
    look = OpenCallBack(Ledger(database, KEYS), lambda: HOURS, clock)
    facts = {"phone": "own", "number": wish(1).number}
    clock.at = MONDAY + timedelta(minutes=90)
    told = await look(Ask("open-call-back", facts, "callback/look", 4), Call("CA" + "1" * 32, ""))
    assert told.outcome == "found"
    assert (told.facts["due_day"], told.facts["due_time"]) == ("2026-11-23", by)
