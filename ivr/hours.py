"""Staffed hours: when somebody sits at the phones, and by when a call-back can be promised.

Hours are London's wall clock, whatever the season; moments that come in and go out are aware. Bank
holidays are England's, from the ``holidays`` library.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from ivr.errors import BookError
from ivr.yamlfile import Report, Value, read

LONDON = ZoneInfo("Europe/London")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HALVES = ("morning", "afternoon")
SLOTS = ("any", *HALVES)
ROOM = "room"  # the one line of the file that is no day
NOON = time(12)
FURTHEST = 60  # days: with any opening day in the week, the next one is much nearer than this

_OPENING = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def clock(moment: datetime) -> str:
    """The time of day: "9:30 am", "noon", "5 pm"."""
    local = moment.astimezone(LONDON)
    if (local.hour, local.minute) == (12, 0):
        return "noon"
    minutes = f":{local:%M}" if local.minute else ""
    return f"{(local.hour - 1) % 12 + 1}{minutes} {'am' if local.hour < 12 else 'pm'}"


@dataclass(frozen=True, slots=True)
class Opening:
    """The hours of one day, by London's clock."""

    opens: time
    closes: time

    def end(self, slot: str) -> time | None:
        """Return when this slot ends on such a day, or None if the day has no such slot."""
        if slot == "morning":
            return min(NOON, self.closes) if self.opens < NOON else None
        if slot == "afternoon":
            return self.closes if self.closes > NOON else None
        return self.closes


@dataclass(frozen=True, slots=True)
class Hours:
    """The week's staffed hours, by day of the week (0 is Monday). A day without any is closed; a
    week without any means that nobody knows the hours.

    ``room`` says how many call-backs can be promised in each half of a day; empty, any number.
    ``exceptions`` are days with other hours than their day of the week, or with none; they come
    before bank holidays too.
    """

    week: Mapping[int, Opening]
    room: Mapping[str, int] = field(default_factory=dict)  # call-backs in a morning, an afternoon
    zone: ZoneInfo = LONDON
    exceptions: Mapping[date, Opening | None] = field(default_factory=dict)  # None: closed

    def is_open(self, at: datetime) -> bool:
        """Whether somebody sits at the phones at this moment (aware)."""
        local = at.astimezone(self.zone)
        opening = self.opening(local.date())
        return opening is not None and opening.opens <= local.time() < opening.closes

    def half(self, at: datetime) -> str:
        """Which half of the day this moment lies in: morning or afternoon."""
        return HALVES[at.astimezone(self.zone).time() >= NOON]

    def within(self, moment: datetime, slot: str) -> datetime:
        """Return the first moment from this one on that lies in staffed hours and in the slot, in
        UTC; this one itself if nobody knows the hours. Raises ValueError for another slot."""
        if not self.week and slot in SLOTS:
            return moment.astimezone(UTC)
        today = moment.astimezone(self.zone).date()
        for begin, end in self.windows(today, slot):
            if moment < end:
                return max(moment, begin).astimezone(UTC)
        raise ValueError(f"no day of the week has the slot {slot!r}")

    def windows(self, first: date, slot: str) -> Iterator[tuple[datetime, datetime]]:
        """When each slot of this name (any, morning, afternoon) begins and ends, in UTC, from this
        day on, for two months and as many days more as there are exceptions. Raises ValueError for
        another name."""
        if slot not in SLOTS:
            raise ValueError(f"there is no slot {slot!r}; there are {', '.join(SLOTS)}")
        for ahead in range(FURTHEST + len(self.exceptions)):
            day = first + timedelta(days=ahead)
            opening = self.opening(day)
            end = opening.end(slot) if opening else None
            if opening and end:
                begin = max(opening.opens, NOON) if slot == "afternoon" else opening.opens
                yield self._at(day, begin), self._at(day, end)

    def opening(self, day: date) -> Opening | None:
        """The hours of this day, or None when nobody sits at the phones."""
        if day in self.exceptions:
            return self.exceptions[day]
        return None if is_bank_holiday(day) else self.week.get(day.weekday())

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


#: Gives the hours that hold now: staff may close a day while we run.
HoursNow: TypeAlias = Callable[[], Hours]


def is_bank_holiday(day: date) -> bool:
    """Whether this is a bank holiday in England."""
    return bool(bank_holiday(day))


def bank_holiday(day: date) -> str:
    """The name of the bank holiday that England has on this day; "" if it has none."""
    return _holidays_of(day.year).get(day, "")


@lru_cache(maxsize=16)
def _holidays_of(year: int) -> Mapping[date, str]:
    from holidays import country_holidays  # nothing needs it at the start

    return dict(country_holidays("GB", subdiv="ENG", years=year))


# --- the file --------------------------------------------------------------------------------


def load_hours(path: Path) -> Hours:
    """Read the hours from a YAML file of ``monday: 09:00-17:00`` lines.

    Raises BookError with one line for each mistake: file, line, column, what is wrong, the remedy.
    """
    report = Report()
    hours = read_hours(path, str(path), report)
    if hours is None:
        raise BookError("\n".join(str(finding) for finding in sorted(report.findings)))
    return hours


def read_hours(path: Path, name: str, report: Report) -> Hours | None:
    """The hours, or None (reported, under this name of the file) when it has mistakes."""
    found = Report()
    content = read(path, name, found)
    hours = _hours(content, found) if content else None
    report.findings.extend(found.findings)
    return None if found.errors else hours


def _hours(content: Value, report: Report) -> Hours:
    fields = content.fields((*DAYS, ROOM))
    read_days = {day: _opening_of(fields[day]) for day in DAYS if day in fields}
    week = {DAYS.index(day): opening for day, opening in read_days.items() if opening}
    room = _room_of(fields[ROOM]) if ROOM in fields else {}
    for slot in () if report.errors else SLOTS:  # callers are offered each of them
        if not any(opening.end(slot) for opening in week.values()):
            content.error(
                "F007",
                f'no day of the week has the slot "{slot}"',
                "let the hours of a day reach into it",
            )
    return Hours(week, room)


def _room_of(value: Value) -> dict[str, int]:
    """How many call-backs fit into each half of a day."""
    return {half: number.number() for half, number in value.fields(HALVES, needed=HALVES).items()}


def _opening_of(value: Value) -> Opening | None:
    """The hours of one day, or None (reported) when they cannot be."""
    text = value.text()
    found = _OPENING.fullmatch(text)
    if not found:
        if not (value.is_list or value.is_mapping):
            value.error("F007", f'"{text}" is not like 09:00-17:00', "write opening-closing")
        return None
    opens, closes = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if opens >= closes:
        value.error("F007", f"{text} ends before it begins", "write the earlier time first")
        return None
    return Opening(opens, closes)
