"""Staffed hours: when somebody sits at the phones, and by when a call-back can be promised.

Hours are London's wall clock, whatever the season; moments that come in and go out are aware. Bank
holidays are England's, from the ``holidays`` library.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from ivr.errors import BookError

LONDON = ZoneInfo("Europe/London")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HALVES = ("morning", "afternoon")
SLOTS = ("any", *HALVES)
ROOM = "room"  # the one line of the file that is no day
NOON = time(12)
FURTHEST = 60  # days: with any opening day in the week, the next one is much nearer than this

_OPENING = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


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
    """

    week: Mapping[int, Opening]
    room: Mapping[str, int] = field(default_factory=dict)  # call-backs in a morning, an afternoon
    zone: ZoneInfo = LONDON

    def is_open(self, at: datetime) -> bool:
        """Whether somebody sits at the phones at this moment (aware)."""
        local = at.astimezone(self.zone)
        opening = self._opening(local.date())
        return opening is not None and opening.opens <= local.time() < opening.closes

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
        day on, for two months. Raises ValueError for another name."""
        if slot not in SLOTS:
            raise ValueError(f"there is no slot {slot!r}; there are {', '.join(SLOTS)}")
        for ahead in range(FURTHEST):
            day = first + timedelta(days=ahead)
            opening = self._opening(day)
            end = opening.end(slot) if opening else None
            if opening and end:
                begin = max(opening.opens, NOON) if slot == "afternoon" else opening.opens
                yield self._at(day, begin), self._at(day, end)

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def _opening(self, day: date) -> Opening | None:
        return None if is_bank_holiday(day) else self.week.get(day.weekday())


def is_bank_holiday(day: date) -> bool:
    """Whether this is a bank holiday in England."""
    return day in _holidays_of(day.year)


@lru_cache(maxsize=16)
def _holidays_of(year: int) -> frozenset[date]:
    from holidays import country_holidays  # nothing needs it at the start

    return frozenset(country_holidays("GB", subdiv="ENG", years=year))


# --- the file --------------------------------------------------------------------------------


def load_hours(path: Path) -> Hours:
    """Read the hours from a YAML file of ``monday: 09:00-17:00`` lines.

    Raises BookError with one line for each mistake: file, line, column, what is wrong.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as problem:
        raise BookError(f"{path}: the hours cannot be read ({problem.strerror})") from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise BookError(f"{place}: {problem.problem}") from None
    if not isinstance(root, yaml.MappingNode):
        raise BookError(f"{path}:1:1: expected days with their hours, as monday: 09:00-17:00")
    week: dict[int, Opening] = {}
    room: dict[str, int] = {}
    mistakes = [
        _read_room(path, what, room) if day.value == ROOM else _read_day(path, day, what, week)
        for day, what in root.value
    ]
    if any(mistakes):
        raise BookError("\n".join(filter(None, mistakes)))
    for slot in SLOTS:  # callers are offered each of them
        if not any(opening.end(slot) for opening in week.values()):
            raise BookError(f"{path}:1:1: no day of the week has the slot {slot!r}")
    return Hours(week, room)


def _read_room(path: Path, what: yaml.Node, room: dict[str, int]) -> str:
    """Read how many call-backs fit into each half of a day, or return what is wrong with it."""
    given = what.value if isinstance(what, yaml.MappingNode) else []
    for half, number in given:
        if half.value in HALVES and str(number.value).isdecimal() and int(number.value) > 0:
            room[half.value] = int(number.value)
    if len(room) == len(HALVES) == len(given):
        return ""
    place = f"{path}:{what.start_mark.line + 1}:{what.start_mark.column + 1}"
    return f"{place}: the room must be like {{morning: 10, afternoon: 10}}"


def _read_day(path: Path, day: yaml.Node, hours: yaml.Node, week: dict[int, Opening]) -> str:
    """Put one day into the week, or return what is wrong with it."""
    place = f"{path}:{day.start_mark.line + 1}:{day.start_mark.column + 1}"
    if day.value not in DAYS:
        return f"{place}: {day.value!r} is no day; days are {', '.join(DAYS)}"
    number = DAYS.index(day.value)
    if number in week:
        return f"{place}: {day.value} is listed twice"
    place = f"{path}:{hours.start_mark.line + 1}:{hours.start_mark.column + 1}"
    found = _OPENING.fullmatch(str(hours.value))
    if not found:
        return f"{place}: {hours.value!r} is not like 09:00-17:00"
    opens, closes = (
        time(int(found[1]), int(found[2])),
        time(int(found[3]), int(found[4])),
    )
    if opens >= closes:
        return f"{place}: {hours.value} ends before it begins"
    week[number] = Opening(opens, closes)
    return ""
