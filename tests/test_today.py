"""Closed days, other hours and the notice: what holds today, in memory and on disk."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from databases import ROOT, new_url

from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.planning import Backlog, Load, plan
from ivr.callbacks.wishes import Kind, Wish
from ivr.database import Database, upgrade
from ivr.hours import SLOTS, Hours, Opening, bank_holiday, load_hours
from ivr.today.diary import (
    Diary,
    NoReasonError,
    QuickerError,
    WrongDayError,
    WrongEndError,
    WrongTimesError,
)
from ivr.today.snapshot import DamagedError, Snapshot, packed, unpacked
from ivr.today.today import Today
from tests.helplines import SetClock
from tests.notices import TEXT

WEEK = load_hours(ROOT / "flows" / "data" / "hours.yaml")
MORNING = Opening(time(9), time(12))
MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)
SUNDAY, CHRISTMAS = date(2026, 11, 29), date(2026, 12, 25)
KEYS = Keys((Fernet.generate_key(),), b"a key for hashes, in tests")


def with_exceptions(exceptions: dict[date, Opening | None]) -> Hours:
    return replace(WEEK, exceptions=exceptions)


def promised(hours: Hours, slot: str, load: Load | None = None) -> str:
    due = plan(hours, MONDAY, slot, load or Load()).due_at
    return f"{due.astimezone(hours.zone):%A %H:%M}"


# --- hours with exceptions -----------------------------------------------------------------------


def test_nothing_is_promised_into_a_closed_day() -> None:
    """And a closed day is no working day that a caller would have to wait for."""
    hours = with_exceptions({TUESDAY: None})
    assert {promised(hours, slot)[:9] for slot in SLOTS} == {"Wednesday"}
    assert plan(hours, MONDAY, "any", Load()).working_days == 1
    assert not hours.is_open(datetime(2026, 11, 24, 10, tzinfo=UTC))


def test_other_hours_are_promised_as_they_are() -> None:
    """A day that ends at noon has no afternoon, and only its morning has room."""
    hours = with_exceptions({TUESDAY: MORNING})
    assert promised(hours, "any") == "Tuesday 12:00"
    assert promised(hours, "afternoon") == "Wednesday 17:00"
    assert promised(hours, "any", Load({(TUESDAY, "any"): 12})) == "Wednesday 17:00"
    assert promised(WEEK, "any", Load({(TUESDAY, "any"): 12})) == "Tuesday 17:00"


def test_a_sunday_or_a_bank_holiday_can_be_opened() -> None:
    hours = with_exceptions({SUNDAY: MORNING, CHRISTMAS: MORNING})
    for day in (SUNDAY, CHRISTMAS):
        assert WEEK.opening(day) is None
        assert hours.opening(day) == MORNING
    assert bank_holiday(CHRISTMAS) == "Christmas Day"
    assert bank_holiday(SUNDAY) == ""


def test_however_long_the_helpline_is_closed_something_is_promised() -> None:
    """A whole season; attempts that failed are tried again after it, too."""
    hours = with_exceptions({TUESDAY + timedelta(days=day): None for day in range(90)})
    for slot in SLOTS:
        assert plan(hours, MONDAY, slot, Load()).due_at.date() == date(2027, 2, 22)
        tried = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
        assert hours.within(tried, slot).date() == date(2027, 2, 22)
    assert len(list(islice(hours.windows(TUESDAY, "any"), 20))) == 20


# --- what holds, in memory and on disk -----------------------------------------------------------

HOLDS = Snapshot({TUESDAY: None, SUNDAY: MORNING}, TEXT, datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


def today_of(database: Database, folder: Path, clock: SetClock) -> Today:
    return Today(database, folder / "today.json", WEEK, clock)


def test_what_holds_is_the_same_after_the_disk() -> None:
    assert unpacked(packed(HOLDS)) == HOLDS
    assert unpacked(packed(Snapshot())) == Snapshot()


DAMAGED = {
    "empty": "",
    "rubbish": "rubbish\0",
    "cut short": packed(HOLDS)[:60],
    "a list": "[]",
    "another version": "{}",
    "no day": '{"exceptions": {"someday": null}, "notice": "", "until": null}',
    "days in a list": '{"exceptions": [1], "notice": "", "until": null}',
    "hours backwards": packed(HOLDS).replace("09:00", "13:00"),
    "one time": packed(HOLDS).replace('"12:00:00"', "12"),
    "a number for a text": '{"exceptions": {}, "notice": 7, "until": null}',
    "a list for a text": '{"exceptions": {}, "notice": [], "until": null}',
    "an end without a zone": packed(HOLDS).replace("+00:00", ""),
    "words that nobody checked": packed(HOLDS).replace(TEXT, "Ring 01632 960123."),
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGED)
async def test_a_damaged_file_is_ignored(name: str, tmp_path: Path, clock: SetClock) -> None:
    """The helpline then has its usual hours until it hears from the database."""
    with pytest.raises(DamagedError):
        unpacked(DAMAGED[name])
    (tmp_path / "today.json").write_text(DAMAGED[name])
    today = today_of(Database(new_url("sqlite", tmp_path)), tmp_path, clock)
    assert today.notice() == ""
    assert today.hours() == WEEK


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
async def test_a_file_that_is_no_text_or_a_folder_is_ignored(
    content: bytes | None, tmp_path: Path, clock: SetClock
) -> None:
    path = tmp_path / "today.json"
    path.mkdir() if content is None else path.write_bytes(content)
    today = today_of(Database(new_url("sqlite", tmp_path)), tmp_path, clock)
    assert today.hours() == WEEK


async def test_a_change_is_known_at_once_here_and_at_the_next_look_elsewhere(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    here, there = (today_of(database, tmp_path / name, clock) for name in ("a", "b"))
    diary = Diary(database, here, clock)
    await diary.change(WEDNESDAY, None, "Training", "Bea")
    await diary.change(SUNDAY, MORNING, "Catching up", "Bea")
    await diary.put_up(TEXT, MONDAY.date(), "Bea")
    assert here.hours().exceptions == {WEDNESDAY: None, SUNDAY: MORNING}
    assert here.notice() == TEXT
    assert (there.hours(), there.notice()) == (WEEK, "")
    await there.look()
    assert (there.hours(), there.notice()) == (here.hours(), TEXT)
    await diary.undo(WEDNESDAY)
    await diary.take_down()
    await there.look()
    for today in (here, there):
        assert today.hours().exceptions == {SUNDAY: MORNING}
        assert today.notice() == ""


async def test_a_notice_ends_by_itself_at_the_end_of_londons_day(
    database: Database, tmp_path: Path
) -> None:
    """In summer that is 23:00 in UTC. Nobody has to look for it."""
    clock = SetClock(datetime(2026, 7, 1, 22, 59, tzinfo=UTC))
    today = today_of(database, tmp_path, clock)
    diary = Diary(database, today, clock)
    await diary.put_up(TEXT, date(2026, 7, 1), "Bea")
    assert today.notice() == TEXT
    clock.at += timedelta(minutes=1)
    assert today.notice() == ""
    assert await diary.notice() is None


async def test_a_new_notice_takes_the_place_of_the_one_before(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """What callers heard, and from whom, is kept."""
    today = today_of(database, tmp_path, clock)
    diary = Diary(database, today, clock)
    await diary.put_up(TEXT, WEDNESDAY, "Bea")
    await diary.put_up("Something else.", TUESDAY, "Cy")
    assert today.notice() == "Something else."
    found = await diary.notice()
    assert found is not None
    assert (found.text, found.who) == ("Something else.", "Cy")
    await diary.take_down()
    assert await diary.notice() is None


async def test_a_day_can_be_changed_again_and_by_two_at_once(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """The last word holds; of two at the same moment one may be told that a colleague was
    quicker, and the day is as one of them said."""
    today = today_of(database, tmp_path, clock)
    diary = Diary(database, today, clock)
    await diary.change(TUESDAY, None, "Training", "Bea")
    await diary.change(TUESDAY, MORNING, "Half a day of training", "Cy")
    (one,) = await diary.closures()
    assert (one.who, one.opens, one.closes) == ("Cy", time(9), time(12))
    both = [
        diary.change(WEDNESDAY, opening, "Training", who)
        for opening, who in ((None, "Bea"), (MORNING, "Cy"))
    ]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert all(end is None or isinstance(end, QuickerError) for end in ended)
    assert None in ended
    assert WEDNESDAY in today.hours().exceptions


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ((MONDAY.date() - timedelta(days=1), None, "Why"), WrongDayError),
        ((MONDAY.date() + timedelta(days=400), None, "Why"), WrongDayError),
        ((SUNDAY, None, "Why"), WrongDayError),
        ((CHRISTMAS, None, "Why"), WrongDayError),
        ((TUESDAY, Opening(time(12), time(12)), "Why"), WrongTimesError),
        ((TUESDAY, None, ""), NoReasonError),
        ((TUESDAY, None, "w" * 121), NoReasonError),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(
    change: tuple[date, Opening | None, str], refused: type[Exception], tmp_path: Path
) -> None:
    database = Database(new_url("sqlite", tmp_path))
    clock = SetClock(MONDAY)
    diary = Diary(database, today_of(database, tmp_path, clock), clock)
    with pytest.raises(refused):
        await diary.change(*change, "Bea")
    for last in (MONDAY.date() - timedelta(days=1), MONDAY.date() + timedelta(days=32)):
        with pytest.raises(WrongEndError):
            await diary.put_up(TEXT, last, "Bea")


async def test_promises_for_a_day_that_is_closed_afterwards_are_found(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """They are not moved. Of a day with other hours, those in a slot that it does not have."""
    ledger = Ledger(database, KEYS)
    dues = [("any", TUESDAY, 17), ("afternoon", TUESDAY, 17), ("morning", TUESDAY, 12)]
    for number, (slot, day, hour) in enumerate([*dues, ("any", WEDNESDAY, 17)]):
        due = datetime.combine(day, time(hour), UTC)
        wish = (Kind.SAVE, f"effect {number}", f"00000{number}", f"+44770090012{number}")
        await ledger.enter(Wish(*wish, MONDAY, slot, due))
    today = today_of(database, tmp_path, clock)
    diary, backlog = Diary(database, today, clock), Backlog(database, today.hours)
    assert await backlog.unkept(TUESDAY) == []
    await diary.change(TUESDAY, MORNING, "Training", "Bea")
    assert [one.slot for one in await backlog.unkept(TUESDAY)] == ["afternoon"]
    await diary.change(TUESDAY, None, "Training", "Bea")
    found = await backlog.unkept(TUESDAY)
    assert [one.reference for one in found] == ["000002", "000000", "000001"]
    assert {one.due_at.date() for one in found} == {TUESDAY}


async def test_without_the_database_what_held_last_still_does(
    tmp_path: Path, clock: SetClock
) -> None:
    """For those who run on, and for one that is started without it."""
    url = new_url("sqlite", tmp_path)
    await upgrade(url)
    database = Database(url)
    today = today_of(database, tmp_path, clock)
    await Diary(database, today, clock).change(TUESDAY, None, "Training", "Bea")
    await Diary(database, today, clock).put_up(TEXT, MONDAY.date(), "Bea")
    await database.close()
    for file in tmp_path.glob("helpline.db*"):
        file.unlink()
    for running in (today, today_of(Database(url), tmp_path, clock)):
        await running.look()
        assert running.hours().exceptions == {TUESDAY: None}
        assert running.notice() == TEXT
    clock.at += timedelta(days=1)
    assert running.notice() == ""


async def test_a_disk_that_takes_nothing_is_no_reason_not_to_know(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    (tmp_path / "a file").touch()
    today = today_of(database, tmp_path / "a file", clock)
    await Diary(database, today, clock).put_up(TEXT, TUESDAY, "Bea")
    assert today.notice() == TEXT
