"""Spans of days by London's clock: which days a report counts, and when they begin. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ivr.callbacks.erasing import months_before
from ivr.errors import HelplineError
from ivr.hours import LONDON

LONGEST = 92  # days: no three months are longer
A_DAY = timedelta(days=1)


class NoSuchSpanError(HelplineError):
    """A report counts 1 to 92 days, none of them after today."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of London, from the first to the last of them."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not timedelta() <= self.last - self.first < LONGEST * A_DAY:
            raise NoSuchSpanError

    def __len__(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1

    @property
    def days(self) -> list[date]:
        """Every day of it, in order."""
        return [self.first + number * A_DAY for number in range(len(self))]

    @property
    def begin(self) -> datetime:
        """The moment at which it begins."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The moment at which it is over, which belongs to the next day."""
        return _midnight(self.last + A_DAY)

    @property
    def clocks(self) -> list[tuple[datetime, int]]:
        """How many seconds London's clock is ahead of UTC, and until when.

        When the clocks change, that is until noon of the day: whichever of the two is used for a
        moment of that day, it is found in that day.
        """
        ends = [
            (datetime.combine(day, time(12), UTC), _ahead(day))
            for day in self.days
            if _ahead(day) != _ahead(day + A_DAY)
        ]
        return [*ends, (self.end, _ahead(self.last + A_DAY))]


def last_days(now: datetime, count: int) -> Span:
    """The last days up to this moment's own. Raises NoSuchSpanError."""
    today = now.astimezone(LONDON).date()
    try:
        return Span(today - (count - 1) * A_DAY, today)
    except OverflowError:
        raise NoSuchSpanError from None


def last_months(now: datetime, count: int) -> Span:
    """The last months up to this moment's own day. Raises NoSuchSpanError."""
    local = now.astimezone(LONDON)
    return Span(months_before(local, count).date() + A_DAY, local.date())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def _ahead(day: date) -> int:
    """Seconds that London's clock is ahead of UTC as this day begins."""
    offset = datetime.combine(day, time(), LONDON).utcoffset()
    return int(offset.total_seconds()) if offset else 0
