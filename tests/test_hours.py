"""Staffed hours and promises: London's clock, England's bank holidays, and the files' mistakes."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.callbacks.planning import Load, plan
from ivr.errors import BookError
from ivr.hours import SLOTS, Hours, is_bank_holiday, load_hours

LONDON = ZoneInfo("Europe/London")
HOURS = load_hours(Path(__file__).parent.parent / "flows" / "data" / "hours.yaml")


def promised(hours: Hours, asked: datetime, slot: str) -> datetime:
    """By when we would ring, with nobody else waiting."""
    return plan(hours, asked, slot, Load()).due_at


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-24T08:59:59", False),
        ("2026-11-24T09:00", True),
        ("2026-11-24T16:59:59", True),
        ("2026-11-24T17:00", False),
        ("2026-11-28T12:00", False),  # a Saturday
        ("2026-12-25T12:00", False),  # Christmas Day
        ("2026-12-28T12:00", False),  # in place of Boxing Day, a Saturday
        ("2026-12-29T12:00", True),
        ("2026-07-01T09:30", True),  # summer time
    ],
)
def test_somebody_is_at_the_phones(at: str, expected: bool) -> None:
    """Monday to Friday, nine to five by London's clock, and never on a bank holiday."""
    assert HOURS.is_open(london(at)) is expected
    assert HOURS.is_open(london(at).astimezone(UTC)) is expected


@pytest.mark.parametrize(
    ("asked", "slot", "due"),
    [
        ("2026-11-24T10:00", "any", "2026-11-25T17:00"),
        ("2026-11-24T10:00", "morning", "2026-11-25T12:00"),
        ("2026-11-24T10:00", "afternoon", "2026-11-25T17:00"),
        ("2026-11-24T03:00", "morning", "2026-11-25T12:00"),  # at night: still a day to do it
        ("2026-11-24T23:59", "any", "2026-11-25T17:00"),
        ("2026-11-27T10:00", "morning", "2026-11-30T12:00"),  # Friday to Monday
        ("2026-12-24T10:00", "any", "2026-12-29T17:00"),  # over Christmas, a weekend, and Monday
        ("2026-04-02T10:00", "any", "2026-04-07T17:00"),  # Maundy Thursday to Easter Tuesday
        ("2026-03-27T10:00", "any", "2026-03-30T17:00"),  # the clocks go forward in between
        ("2026-10-23T10:00", "any", "2026-10-26T17:00"),  # the clocks go back in between
    ],
)
def test_the_promise_is_the_end_of_the_slot_on_the_next_working_day(
    asked: str, slot: str, due: str
) -> None:
    """What we say on the phone is kept by London's clock, whatever the season."""
    assert promised(HOURS, london(asked), slot) == london(due)


def test_what_is_late_evening_in_summer_is_still_that_day_in_london() -> None:
    """23:30 UTC on Monday is half past midnight on Tuesday in London, so Wednesday is next."""
    asked = datetime(2026, 6, 15, 23, 30, tzinfo=UTC)
    assert promised(HOURS, asked, "any") == london("2026-06-17T17:00")


@given(st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1)), st.sampled_from(SLOTS))
def test_every_promise_lies_ahead_and_within_staffed_hours(asked: datetime, slot: str) -> None:
    """Whenever a caller asks, somebody is there in the minute before we promised to have rung."""
    moment = asked.replace(tzinfo=UTC)
    due = promised(HOURS, moment, slot)
    assert due > moment
    assert due.tzinfo is UTC
    assert HOURS.is_open(due.replace(minute=59, hour=due.hour - 1))


def test_there_are_three_slots() -> None:
    """Another one is a mistake in a flow, not a reason to guess."""
    with pytest.raises(ValueError, match="no slot 'evening'"):
        promised(HOURS, london("2026-11-24T10:00"), "evening")


def test_bank_holidays_are_those_of_england() -> None:
    """2 January and St Andrew's Day are Scotland's."""
    assert is_bank_holiday(datetime(2026, 8, 31).date())
    assert not is_bank_holiday(datetime(2026, 1, 2).date())
    assert not is_bank_holiday(datetime(2026, 11, 30).date())


def hours_of(folder: Path, text: str) -> Hours:
    path = folder / "hours.yaml"
    path.write_text(text)
    return load_hours(path)


def test_a_day_may_be_short_or_missing(tmp_path: Path) -> None:
    """A slot is promised only on a day that has it."""
    hours = hours_of(tmp_path, "tuesday: 09:30-11:00\nthursday: 13:00-15:30\n")
    assert promised(hours, london("2026-11-23T10:00"), "morning") == london("2026-11-24T11:00")
    assert promised(hours, london("2026-11-23T10:00"), "afternoon") == london("2026-11-26T15:30")
    assert promised(hours, london("2026-11-24T10:00"), "any") == london("2026-11-26T15:30")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "mon: 09:00-17:00",
            'hours.yaml:1:1: error F002: unknown field "mon" (did you mean "monday"?)',
        ),
        ("monday: 9-17", 'hours.yaml:1:9: error F007: "9-17" is not like 09:00-17:00'),
        ("monday: 17:00-09:00", "hours.yaml:1:9: error F007: 17:00-09:00 ends before it begins"),
        (
            "monday: 09:00-17:00\nmonday: 09:00-17:00",
            'hours.yaml:2:1: error F004: "monday" is written twice',
        ),
        ("monday: [9]", "hours.yaml:1:9: error F002: a text belongs here"),
        ("- monday", "hours.yaml:1:1: error F002: a mapping"),
        ("", "hours.yaml:1:1: error F001: the file is empty"),
        (
            "monday: 09:00-11:00",
            'hours.yaml:1:1: error F007: no day of the week has the slot "afternoon"',
        ),
        (
            "monday: '09:00",
            "hours.yaml:1:15: error F001: this is not a YAML file that can be read: found",
        ),
        ("room: 12", "hours.yaml:1:7: error F002: a mapping"),
        ("room: {morning: 12}", 'hours.yaml:1:7: error F006: "afternoon" is missing'),
        ("room: {morning: 12, afternoon: 0}", 'hours.yaml:1:32: error F002: "0" is not a whole'),
        (
            "room: {morning: 12, afternoon: 9, night: 1}",
            'hours.yaml:1:35: error F002: unknown field "night"',
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    """An editor can find it without asking anyone."""
    with pytest.raises(BookError) as caught:
        hours_of(tmp_path, text)
    assert message in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """Not one a day."""
    with pytest.raises(BookError) as caught:
        hours_of(tmp_path, "monday: 9-17\ntuesday: 12:00-12:00\nmay: 09:00-17:00\nroom: {}\n")
    lines = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert [line.split(" error ")[0] for line in lines] == [
        "hours.yaml:1:9:",
        "hours.yaml:2:10:",
        "hours.yaml:3:1:",
        "hours.yaml:4:7:",
        "hours.yaml:4:7:",
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Rather than a traceback."""
    with pytest.raises(BookError, match="cannot be read"):
        load_hours(tmp_path / "hours.yaml")
