"""Who is rung when a caller asks for our team: never two callers at once, never without a rest."""

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from databases import KINDS, ROOT, new_url
from sqlalchemy import text

from ivr.callbacks.desk import Desk
from ivr.callbacks.keys import Keys as CallBackKeys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.returned import Returned
from ivr.callbacks.wishes import Kind, Wish
from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.database import Database, upgrade
from ivr.duty.keys import Keys
from ivr.duty.roster import (
    RINGS_FOR,
    TALKS_FOR,
    BadNameError,
    Called,
    NotOnDutyError,
    PhoneTakenError,
    Roster,
)
from ivr.duty.service import RingNext, TeamOpen, WasTaken
from ivr.hours import Hours, Opening, load_hours
from tests.helplines import SetClock
from tests.workers import run_at_once

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FERNET_KEY = Fernet.generate_key()
HASH_KEY = b"a key for hashes, in tests"
KEYS = Keys((FERNET_KEY,), HASH_KEY)
HOURS = load_hours(ROOT / "flows" / "data" / "hours.yaml")
PHONES = {name: f"+44770090045{number}" for number, name in enumerate(("Ada", "Ben", "Cat"))}
PARENT = "+447700900123"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def roster(database: Database, clock: SetClock) -> Roster:
    return Roster(database, KEYS, clock)


async def on_duty(roster: Roster, *names: str) -> None:
    for name in names:
        await roster.on(name, PHONES[name], roster.clock() + timedelta(hours=8))


async def rung(
    roster: Roster, effect: str, *tried: Called, first: str = "", call: str = ""
) -> Called:
    called = await roster.reserve(effect, [one.person for one in tried], first, call)
    assert called is not None
    return called


def name_of(called: Called) -> str:
    return next(name for name, phone in PHONES.items() if phone == called.number)


async def state_of(roster: Roster, name: str) -> str:
    return next(one.state for one in await roster.listed() if one.name == name)


# --- on and off duty -----------------------------------------------------------------------------


async def test_who_is_on_duty_is_listed_with_a_masked_number(roster: Roster) -> None:
    await on_duty(roster, "Ada")
    (shown,) = await roster.listed()
    assert (shown.name, shown.number, shown.state) == ("Ada", "… 450", "free")
    assert (shown.since, shown.until) == (MONDAY, MONDAY + timedelta(hours=8))


async def test_numbers_are_sealed_and_erased_when_somebody_goes_off(
    roster: Roster, database: Database, clock: SetClock
) -> None:
    """Those of people who forgot to go off, too: hourly, and when the next one comes on."""
    await on_duty(roster, "Ada", "Ben")
    assert PHONES["Ada"][3:] not in str(await kept(database))
    await roster.off("  ada ")
    assert [row["number"] == "" for row in await kept(database)] == [True, False]
    await roster.forget()
    assert [row["number"] == "" for row in await kept(database)] == [True, False]
    clock.at = MONDAY + timedelta(hours=8)
    await on_duty(roster, "Cat")
    assert [row["number"] == "" for row in await kept(database)] == [True, True, False]
    clock.at += timedelta(hours=8)
    hourly = asyncio.create_task(roster.run())
    while not all(row["number"] == row["number_hash"] == "" for row in await kept(database)):
        await asyncio.sleep(0)
    hourly.cancel()
    clock.at -= timedelta(hours=8)
    await on_duty(roster, "Cat")
    assert [one.name for one in await roster.listed()] == ["Cat"]


async def kept(database: Database) -> list[dict[str, object]]:
    async with database.reading() as session:
        query = text("select number, number_hash from duty order by id")
        rows = await (await session.connection()).execute(query)
        return [dict(row) for row in rows.mappings()]


async def test_going_on_duty_again_changes_the_phone_and_the_end(roster: Roster) -> None:
    await on_duty(roster, "Ada")
    await roster.on("ADA", PHONES["Ben"], MONDAY + timedelta(hours=1))
    (shown,) = await roster.listed()
    assert (shown.name, shown.number, shown.since) == ("ADA", "… 451", MONDAY)


async def test_a_phone_rings_for_one_person_alone(roster: Roster) -> None:
    await on_duty(roster, "Ada")
    with pytest.raises(PhoneTakenError):
        await roster.on("Ben", PHONES["Ada"], MONDAY + timedelta(hours=1))
    await roster.off("Ada")
    await roster.on("Ben", PHONES["Ada"], MONDAY + timedelta(hours=1))


async def test_a_mistake_at_the_prompt_is_told(roster: Roster) -> None:
    with pytest.raises(NotOnDutyError):
        await roster.off("Nobody")
    with pytest.raises(BadNameError):
        await roster.on(" ", PHONES["Ada"], MONDAY + timedelta(hours=1))


# --- whose turn it is ----------------------------------------------------------------------------


async def test_whoever_was_rung_longest_ago_is_rung_next(roster: Roster, clock: SetClock) -> None:
    await on_duty(roster, "Ada", "Ben", "Cat")
    order = []
    for number in range(6):
        clock.at += timedelta(minutes=1)
        called = await rung(roster, f"call:{number}")
        order.append(name_of(called))
        await roster.end(called.ring)
    assert order == ["Ada", "Ben", "Cat"] * 2


async def test_nobody_is_rung_twice_for_one_caller(roster: Roster) -> None:
    await on_duty(roster, "Ada", "Ben")
    ada = await rung(roster, "call:1")
    await roster.end(ada.ring)
    ben = await rung(roster, "call:2", ada)
    assert name_of(ben) == "Ben"
    await roster.end(ben.ring)
    assert await roster.reserve("call:3", [ada.person, ben.person]) is None


async def test_who_is_rung_or_on_a_call_is_not_rung(roster: Roster, clock: SetClock) -> None:
    await on_duty(roster, "Ada")
    ada = await rung(roster, "call:1")
    assert await state_of(roster, "Ada") == "being rung"
    assert await roster.reserve("other:1") is None
    assert await roster.take(ada.ring)
    assert await state_of(roster, "Ada") == "on a call"
    clock.at += timedelta(hours=1)  # after which Twilio ends it
    assert await roster.reserve("other:2") is None
    assert not await roster.anybody_free()


async def test_after_a_call_there_are_ten_minutes_of_rest(roster: Roster, clock: SetClock) -> None:
    """But none after a phone that only rang."""
    await on_duty(roster, "Ada")
    ada = await rung(roster, "call:1")
    assert not await roster.end(ada.ring)
    ada = await rung(roster, "call:2")
    await roster.take(ada.ring)
    assert await roster.end(ada.ring)
    assert await state_of(roster, "Ada") == "resting"
    clock.at += timedelta(minutes=9, seconds=59)
    assert await roster.reserve("other:1") is None
    clock.at += timedelta(seconds=1)
    assert await roster.anybody_free()
    assert await roster.reserve("other:2") is not None


async def test_who_went_off_duty_is_not_rung_and_a_call_goes_on(roster: Roster) -> None:
    await on_duty(roster, "Ada")
    ada = await rung(roster, "call:1")
    await roster.off("Ada")
    assert await roster.reserve("other:1") is None
    assert await roster.take(ada.ring)
    assert await roster.end(ada.ring)


async def test_a_number_whose_key_is_lost_keeps_nobody_from_the_others(roster: Roster) -> None:
    lost = Roster(roster.database, Keys((Fernet.generate_key(),), HASH_KEY), roster.clock)
    await lost.on("Ada", PHONES["Ada"], MONDAY + timedelta(hours=8))
    await on_duty(roster, "Ben")
    assert [one.number for one in await roster.listed()] == ["unreadable", "… 451"]
    assert name_of(await rung(roster, "call:1")) == "Ben"


# --- repeats, late news, killed workers ----------------------------------------------------------


async def test_a_repeated_request_rings_nobody_else(roster: Roster) -> None:
    """One after another, and at the same moment."""
    await on_duty(roster, "Ada", "Ben")
    first = await rung(roster, "call:1")
    again = await asyncio.gather(*(rung(roster, "call:1") for _ in range(5)))
    assert again == [first] * 5
    at_once = await asyncio.gather(*(rung(roster, "call:2") for _ in range(5)))
    assert len(set(at_once)) == 1
    assert await roster.reserve("call:3") is None
    await roster.end(first.ring)
    assert await roster.reserve("call:3") is None  # what was told then is told again


async def test_a_late_end_of_an_old_ring_frees_nobody_from_a_new_one(
    roster: Roster, clock: SetClock
) -> None:
    await on_duty(roster, "Ada")
    old = await rung(roster, "call:1")
    clock.at += RINGS_FOR
    new = await rung(roster, "other:1")
    await roster.end(old.ring)
    assert await state_of(roster, "Ada") == "being rung"
    assert await roster.take(new.ring)
    assert not await roster.end(old.ring)
    assert await state_of(roster, "Ada") == "on a call"


async def test_a_press_of_1_counts_once_and_not_after_the_end(roster: Roster) -> None:
    await on_duty(roster, "Ada", "Ben")
    ada, ben = await rung(roster, "call:1"), await rung(roster, "other:1")
    assert [await roster.take(ada.ring) for _ in range(2)] == [True, True]
    assert [await roster.end(ada.ring) for _ in range(2)] == [True, True]
    assert await roster.take(ada.ring)  # a repeat of the press, late
    assert not await roster.end(ben.ring)
    assert not await roster.take(ben.ring)
    assert not await roster.take(4711)
    assert await state_of(roster, "Ada") == "resting"


async def test_who_is_never_freed_is_free_when_the_lease_runs_out(
    roster: Roster, clock: SetClock
) -> None:
    """Two minutes while it rings, an hour and a quarter on a call."""
    await roster.on("Ada", PHONES["Ada"], MONDAY + timedelta(days=1))
    await rung(roster, "call:1")
    clock.at += RINGS_FOR - timedelta(seconds=1)
    assert not await roster.anybody_free()
    clock.at += timedelta(seconds=1)
    ada = await rung(roster, "call:2")
    await roster.take(ada.ring)
    clock.at += TALKS_FOR - timedelta(seconds=1)
    assert not await roster.anybody_free()
    clock.at += timedelta(seconds=1)
    assert await roster.anybody_free()


RING = """
import asyncio, sys
from datetime import datetime
from ivr.database import Database
from ivr.duty.keys import Keys
from ivr.duty.roster import Roster

async def work(url, key, who):
    database = Database(url, busy_ms=60_000)  # a slow machine is not what is tested
    roster = Roster(database, Keys((key.encode(),), b"a key"), lambda: NOW)
    print("ready", flush=True)
    sys.stdin.readline()
    called = await roster.reserve(who + ":1:person/ring")
    print(called.number if called else "nobody", flush=True)
    if who == "killed":
        await asyncio.sleep(60)
    await roster.database.close()

NOW = datetime.fromisoformat(sys.argv[4])
asyncio.run(work(*sys.argv[1:4]))
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_eight_callers_at_once_ring_three_people_once_each(kind: str, tmp_path: Path) -> None:
    """In eight processes, and each of those who rings has somebody to themselves."""
    url = new_url(kind, tmp_path)
    await upgrade(url)
    database = Database(url)
    try:
        await on_duty(Roster(database, Keys((FERNET_KEY,), b"a key"), lambda: MONDAY), *PHONES)
    finally:
        await database.close()
    callers = [[url, FERNET_KEY.decode(), f"c{one}", MONDAY.isoformat()] for one in range(8)]
    told = await asyncio.to_thread(run_at_once, RING, callers)
    assert sorted(told) == [*sorted(PHONES.values()), *["nobody"] * 5]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_worker_keeps_nobody_for_longer_than_the_lease(
    kind: str, tmp_path: Path
) -> None:
    url = new_url(kind, tmp_path)
    await upgrade(url)
    database, clock = Database(url), SetClock(MONDAY)
    roster = Roster(database, Keys((FERNET_KEY,), b"a key"), clock)
    try:
        await on_duty(roster, "Ada")
        arguments = [url, FERNET_KEY.decode(), "killed", MONDAY.isoformat()]
        with subprocess.Popen(
            [sys.executable, "-c", RING, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
            assert [worker.stdout.readline() for _ in range(2)][1] == f"{PHONES['Ada']}\n"
            worker.send_signal(signal.SIGKILL)
        assert await roster.reserve("other:1") is None
        clock.at += RINGS_FOR
        assert await roster.reserve("other:2") is not None
    finally:
        await database.close()


# --- what the phone asks for ---------------------------------------------------------------------


FACTS = {"caller_number": "", "ring": "", "tried": "", "joined": ""}


def ask(service: str, turn: int = 1, **facts: str) -> Ask:
    return Ask(service, FACTS | facts, "person/x", turn)


CALL = Call("CA" + "1" * 32, PARENT)


async def nobody_rang(number: str) -> str:
    return ""


@pytest.mark.parametrize(
    ("hour", "people", "outcome"),
    [(10, 1, "open"), (10, 0, "closed"), (8, 1, "closed"), (17, 1, "closed")],
)
async def test_the_team_is_there_in_its_hours_when_somebody_is_free(
    roster: Roster, clock: SetClock, hour: int, people: int, outcome: str
) -> None:
    clock.at = MONDAY.replace(hour=hour)
    await on_duty(roster, *list(PHONES)[:people])
    found = await TeamOpen(roster, lambda: HOURS, clock)(ask("team-open"), CALL)
    assert found == Answered(outcome)


async def test_without_hours_or_without_a_database_nobody_knows(
    roster: Roster, clock: SetClock, tmp_path: Path
) -> None:
    gone = Database(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'where.db'}")
    nowhere = Roster(gone, KEYS, clock)
    always = Hours({day: Opening(time(0), time(23, 59)) for day in range(7)})
    try:
        unknown = TeamOpen(roster, lambda: Hours({}), clock)
        for team in (unknown, TeamOpen(nowhere, lambda: always, clock)):
            assert await team(ask("team-open"), CALL) == Answered("unknown")
    finally:
        await gone.close()


async def test_three_people_are_rung_for_a_caller_and_then_nobody(
    roster: Roster, clock: SetClock
) -> None:
    """One after another; each is free for others as soon as the next one is rung."""
    await on_duty(roster, *PHONES)
    await roster.on("Dan", "+447700900459", MONDAY + timedelta(hours=8))
    ring_next = RingNext(roster, nobody_rang, lambda: HOURS, clock)
    facts: dict[str, str] = {}
    numbers = []
    for turn in range(1, 4):
        answer = await ring_next(ask("ring-next", turn, **facts), CALL)
        assert answer.outcome == "ringing"
        facts = dict(answer.facts)
        numbers.append(facts.pop("team_number"))
    assert numbers == list(PHONES.values())
    assert await ring_next(ask("ring-next", 4, **facts), CALL) == Answered("nobody")
    assert {one.state for one in await roster.listed()} == {"free"}


async def test_once_the_hours_have_ended_nobody_is_rung(roster: Roster, clock: SetClock) -> None:
    """Though the caller heard the menu while somebody was there."""
    await on_duty(roster, "Ada")
    ring_next = RingNext(roster, nobody_rang, lambda: HOURS, clock)
    clock.at = MONDAY.replace(hour=17, minute=8)
    assert await ring_next(ask("ring-next"), CALL) == Answered("nobody")


async def test_a_talk_that_could_not_be_written_down_is_one_where_the_network_says_so(
    roster: Roster,
) -> None:
    """Nobody else is rung after it."""
    await on_duty(roster, "Ada")
    ada = await rung(roster, "call:1")
    asked = ask("was-taken", ring=str(ada.ring), joined="yes")
    assert await WasTaken(roster)(asked, CALL) == Answered("unrecorded")


async def test_only_a_press_of_1_makes_it_a_call(roster: Roster) -> None:
    await on_duty(roster, "Ada", "Ben")
    was_taken = WasTaken(roster)
    ada, ben = await rung(roster, "call:1"), await rung(roster, "other:1")
    await roster.take(ben.ring)
    for _ in range(2):
        told = [await was_taken(ask("was-taken", ring=str(one.ring)), CALL) for one in (ada, ben)]
        assert told == [Answered("not-taken"), Answered("taken")]
    assert await was_taken(ask("was-taken"), CALL) == Answered("not-taken")
    assert [await state_of(roster, name) for name in ("Ada", "Ben")] == ["free", "resting"]


async def test_a_parent_who_returns_a_missed_call_reaches_first_whoever_rang(
    roster: Roster, database: Database, clock: SetClock
) -> None:
    """Whoever holds the request now, or else had it last; then the others, fairly."""
    await on_duty(roster, *PHONES)
    keys = CallBackKeys((FERNET_KEY,), HASH_KEY)
    returned = Returned(database, keys)
    assert await returned.last_rang(PARENT) == ""
    wish = Wish(
        kind=Kind.SAVE,
        effect=keys.effect_hash("saved"),
        reference="000001",
        number=PARENT,
        at=MONDAY,
        slot="any",
        due_at=MONDAY + timedelta(hours=1),
    )
    await Ledger(database, keys).enter(wish)
    assert await returned.last_rang(PARENT) == ""
    desk = Desk(database, keys, lambda: HOURS, clock)
    claim = await desk.claim_next("cat")
    assert claim is not None
    assert await returned.last_rang(PARENT) == "cat"
    await desk.finish(claim, "no answer")
    ring_next = RingNext(roster, returned.last_rang, lambda: HOURS, clock)
    answer = await ring_next(ask("ring-next", caller_number=PARENT), CALL)
    assert answer.facts["team_number"] == PHONES["Cat"]
    stranger = Call("CA" + "2" * 32, "")
    answer = await ring_next(ask("ring-next"), stranger)
    assert answer.facts["team_number"] == PHONES["Ada"]
