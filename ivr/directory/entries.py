"""What is known of a council's advice service, and the rule by which it may be read out."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from enum import StrEnum

from ivr.numbers import is_drama


class Vouching(StrEnum):
    """Who vouches for a contact: the state of an entry."""

    VERIFIED = "verified"  # a named person rang or wrote and asked
    PUBLISHED = "published"  # printed on the service's or the council's own page
    UNCONFIRMED = "unconfirmed"  # printed elsewhere, or too old
    MISSING = "missing"


SPOKEN_STATES = frozenset({Vouching.VERIFIED, Vouching.PUBLISHED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One council and its advice service; the fields are the columns of ``councils.csv``."""

    gss_code: str
    council: str
    region: str
    service_name: str
    phone: str  # E.164
    phone_printed: str  # in the grouping in which it is printed, and read out
    hours: str
    email: str
    website: str
    state: str
    source_url: str
    source_date: str  # when the source was written, as far as it says: for people, no rule uses it
    note: str
    checked_on: str = ""  # the day on which somebody looked or asked, in ISO; ages run from it
    checked_by: str = ""  # who did
    record: str = ""  # the code of the council that this one shares a service with, and whose is it

    def as_dict(self) -> dict[str, str]:
        """Return the entry as ``ivr directory show --json`` prints it."""
        return asdict(self)

    @property
    def recorded(self) -> str:
        """The code under which changes of the entry are kept: councils that share a service have
        one record."""
        return self.record or self.gss_code

    @property
    def values(self) -> dict[str, str]:
        """What may change of the entry, by column: its record."""
        return {name: getattr(self, name) for name in CHANGEABLE}

    def changed(self, values: Mapping[str, str]) -> "Entry":
        """Return the entry with these values in place of its own; other columns are passed over."""
        return replace(self, **{name: values[name] for name in CHANGEABLE if name in values})


COLUMNS = tuple(field.name for field in fields(Entry))
FIXED = ("gss_code", "council", "region", "record")  # which councils there are: no matter of a day
#: The columns of a record: what people change, and what councils with one service share.
CHANGEABLE = tuple(name for name in COLUMNS if name not in FIXED)


@dataclass(frozen=True, slots=True)
class Periods:
    """How long a contact may be read out after it was checked, in days; and whether Ofcom's drama
    numbers, which reach no service, count as real."""

    verified: int = 365
    published: int = 180
    drama: bool = False  # True in demo mode alone

    def refuse(self, phone: str) -> bool:
        """Whether a number (E.164) is refused whatever is known of it: outside demo mode, one of
        Ofcom's for drama."""
        return is_drama(phone) and not self.drama


USUAL = Periods()


@dataclass(frozen=True, slots=True)
class Council:
    """An entry with the names by which its council goes."""

    entry: Entry
    spoken: str  # how it is said by itself: "Bristol"
    listed: str  # how it is said among others: "Derby city"
    also: tuple[str, ...] = ()  # further names that it is spelled by

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that the council is spelled by."""
        return (self.entry.council, self.spoken, *self.also)


def lapses_on(entry: Entry, periods: Periods) -> date | None:
    """Return the first day on which the entry's number is not read out any longer, or None if
    nobody vouches for it, or nobody knows when it was checked. A drama number that is refused
    counts as not vouched for."""
    days = {Vouching.VERIFIED: periods.verified, Vouching.PUBLISHED: periods.published}
    if entry.state not in SPOKEN_STATES or not entry.checked_on or periods.refuse(entry.phone):
        return None
    return date.fromisoformat(entry.checked_on) + timedelta(days=days[Vouching(entry.state)])


def may_be_spoken(entry: Entry, day: date, periods: Periods) -> bool:
    """Whether the entry's number may be read out on this day, by London's calendar: somebody
    vouches for it, and checked it not too long ago. The one rule about it."""
    lapses = lapses_on(entry, periods)
    return lapses is not None and day < lapses


def speakable(service_name: str) -> str:
    """Return a printed service name as it is best said: without brackets, "&" and dashes.

    "Kirklees Information, Advice and Support (KIAS)" -> "Kirklees Information, Advice and Support".
    """
    said = re.sub(r"\s*\([^)]*\)", "", service_name)
    said = said.replace("&", "and").replace(" - ", ", ")
    return " ".join(said.split()) or service_name
