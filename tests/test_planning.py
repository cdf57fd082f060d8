"""By when we promise to ring: what has room, how fast we were of late, and the truth about it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.fernet import Fernet
from databases import ROOT, new_url
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.planning import LOOK_BACK, Backlog, Load, plan
from ivr.callbacks.tables import CallBackRequest
from ivr.callbacks.wishes import Kind, Wish
from ivr.database import Database
from ivr.hours import SLOTS, load_hours
from tests.helplines import SetClock, helpline

HOURS = replace(
    load_hours(ROOT / "flows" / "data" / "hours.yaml"), room={"morning": 2, "afternoon": 3}
)
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)
KEYS = Keys((Fernet.generate_key(),), b"a key for hashes, in tests")


def planned(slot: str, **load: object) -> tuple[str, int]:
    """The day and the time of the promise in London, and how many working days away it is."""
    found = plan(HOURS, MONDAY, slot, Load(**load))  # type: ignore[arg-type]
    return f"{found.due_at.astimezone(HOURS.zone):%A %H:%M}", found.working_days


def test_with_nobody_waiting_it_is_the_next_working_day() -> None:
    assert planned("any") == ("Tuesday 17:00", 1)
    assert planned("morning") == ("Tuesday 12:00", 1)


def test_a_half_of_a_day_that_is_full_is_not_promised() -> None:
    """The other half still is, and so is the day for whoever does not mind."""
    full = {(TUESDAY, "morning"): 2}
    assert planned("morning", taken=full) == ("Wednesday 12:00", 2)
    assert planned("afternoon", taken=full) == ("Tuesday 17:00", 1)
    assert planned("any", taken=full) == ("Tuesday 17:00", 1)


def test_a_day_that_is_full_is_promised_to_nobody() -> None:
    """Those who said "any time" take up room too."""
    full = {(TUESDAY, "any"): 4, (TUESDAY, "morning"): 1, (WEDNESDAY, "any"): 1}
    assert [planned(slot, taken=full)[0] for slot in SLOTS] == [
        "Wednesday 17:00",
        "Wednesday 12:00",
        "Wednesday 17:00",
    ]


def test_those_who_wait_are_rung_first_at_the_pace_of_late() -> None:
    """Twenty finished in two weeks are two a day; seven who wait need three days."""
    waiting = {(date(2026, 11, 20), "any"): 7}
    assert planned("any", taken=waiting, finished=20) == ("Friday 17:00", 4)
    assert planned("any", taken=waiting, finished=100) == ("Tuesday 17:00", 1)


def test_a_new_helpline_has_no_pace_yet() -> None:
    """A handful of calls says nothing about it."""
    assert planned("any", taken={(date(2026, 11, 20), "any"): 7}, finished=2)[1] == 1


loads = st.builds(
    Load,
    taken=st.dictionaries(
        st.tuples(st.dates(date(2026, 11, 1), date(2027, 1, 31)), st.sampled_from(SLOTS)),
        st.integers(1, 9),
        max_size=60,
    ),
    finished=st.integers(0, 500),
)


@given(loads, st.sampled_from(SLOTS))
def test_whatever_the_load_something_is_promised_within_staffed_hours(
    load: Load, slot: str
) -> None:
    """Nobody is told that there is no time for them."""
    found = plan(HOURS, MONDAY, slot, load)
    assert found.due_at > MONDAY
    assert HOURS.is_open(found.due_at - timedelta(seconds=1))
    assert found.is_soon == (found.working_days <= 2)


# --- counting ----------------------------------------------------------------------------------


async def test_open_requests_are_counted_by_day_and_slot_and_finished_ones_of_late(
    database: Database,
) -> None:
    """By London's day; what ended long ago, or was only closed, says nothing about our pace."""
    ledger = Ledger(database, KEYS)
    for number in range(7):
        due = datetime(2026, 11, 24, 12 if number % 2 else 17, tzinfo=UTC)
        slot = "morning" if number % 2 else "any"
        await ledger.enter(
            Wish(
                *(Kind.SAVE, f"effect {number}", "000000", f"+44770090012{number}"),
                *(MONDAY, slot, due),
            )
        )
    ends = [("done", 1), ("done", LOOK_BACK - 1), ("done", LOOK_BACK + 1), ("closed", 1)]
    async with database.writing() as session:
        requests = (await session.exec(select(CallBackRequest))).all()
        for request, (state, days) in zip(requests, ends, strict=False):
            request.state, request.ended_at = state, MONDAY - timedelta(days=days)
    load = await Backlog(database, lambda: HOURS).load(MONDAY)
    assert dict(load.taken) == {(TUESDAY, "any"): 2, (TUESDAY, "morning"): 1}
    assert load.finished == 2


async def test_without_a_database_the_hours_alone_decide(tmp_path: Path) -> None:
    database = Database(new_url("sqlite", tmp_path))
    assert await Backlog(database, lambda: HOURS).load(MONDAY) == Load()
    await database.close()


# --- on the phone ------------------------------------------------------------------------------


def test_a_caller_is_told_of_a_long_wait_before_anything_is_promised(tmp_path: Path) -> None:
    """Room for 28 on a working day: the 57th caller hears that it is a long wait, and may still
    be rung, or take the local service."""
    with helpline(tmp_path, SetClock(MONDAY)) as line:
        for _ in range(56):
            assert line.another_caller().play("0", "1", "1", "1", "1").words.startswith("Saved.")
        late = line.another_caller()
        busy = late.play("0", "1", "1", "1")
        assert "We can only ring you by Thursday the twenty-sixth of November." in busy.words
        assert "more than two working days" in busy.words
        assert "Spell" in late.post(busy.action, "2").page.words
        saving = late.post(busy.action, "1").page
        assert "If you hang up now, this call-back is not saved." in saving.words
        assert late.post(saving.action, "1").page.words.startswith("Saved.")
