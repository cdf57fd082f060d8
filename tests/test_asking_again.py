"""One open request for each number: who asks again, keeps it or cancels it, in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import KINDS, ROOT, new_url
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ivr.callbacks.ledger import Ledger, join
from ivr.callbacks.queue import Queue
from ivr.callbacks.service import OpenCallBack
from ivr.callbacks.tables import CallBackRequest
from ivr.callbacks.wishes import Kind, Wish
from ivr.core.call import Answered, Ask
from ivr.database import Database, upgrade
from ivr.hours import load_hours
from tests.wishes import (
    AGAIN,
    CALL,
    CANCEL,
    FERNET_KEY,
    HASH_KEY,
    KEEP,
    KEYS,
    NOW,
    NUMBER,
    WISH,
    clock,
    enter,
    set_state,
    stored,
)
from tests.workers import run_at_once

HOURS = load_hours(ROOT / "flows" / "data" / "hours.yaml")


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
        "found", {"open_request": "1", **by("due", "24", "14:45"), **by("seen", "24", "14:45")}
    )
    late = replace(look, clock=lambda: due + timedelta(seconds=1))
    assert await late(ask, CALL) == Answered(
        "late", {"open_request": "1", **by("due", "24", "14:45"), **by("seen", "24", "17:00")}
    )
    night = replace(look, clock=lambda: datetime(2026, 11, 24, 23, tzinfo=UTC))
    seen = {"seen_day": "2026-11-25", "seen_time": "09:00"}
    assert (await night(ask, CALL)).facts.items() >= seen.items(), "not before we open"
    for other in ({"phone": "typed", "number": NUMBER}, {**facts, "number": "+447700900124"}):
        assert await look(replace(ask, facts=other), CALL) == Answered("none")


def by(name: str, day: str, clock: str) -> dict[str, str]:
    return {f"{name}_day": f"2026-11-{day}", f"{name}_time": clock}


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
