"""What is known of a council's advice service, and the rule by which it may be read out."""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum


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

    def as_dict(self) -> dict[str, str]:
        """Return the entry as ``ivr directory show --json`` prints it."""
        return asdict(self)


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


def may_be_spoken(entry: Entry) -> bool:
    """Whether the entry's number may be read out: somebody vouched for it.

    The one rule about it. An undated page cannot age; entries that carry the day on which they were
    checked will lapse here.
    """
    return entry.state in SPOKEN_STATES


def speakable(service_name: str) -> str:
    """Return a printed service name as it is best said: without brackets, "&" and dashes.

    "Kirklees Information, Advice and Support (KIAS)" -> "Kirklees Information, Advice and Support".
    """
    said = re.sub(r"\s*\([^)]*\)", "", service_name)
    said = said.replace("&", "and").replace(" - ", ", ")
    return " ".join(said.split()) or service_name
