"""How each council stands on a day: can callers be answered, until when, and whom to ring first.
Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ivr.directory.entries import SPOKEN_STATES, Council, lapses_on
from ivr.directory.lookup import Directory

SOON = timedelta(days=30)  # before a number lapses: time to ring
RECENT = timedelta(days=90)  # for which it counts how often callers asked


@dataclass(frozen=True, slots=True)
class Standing:
    """One council on one day."""

    council: Council
    is_answered: bool  # callers hear its number
    lapses: date | None  # the first day on which they do not; None: nobody vouches for a number
    lapses_soon: bool
    asked: int  # how often callers came to its service of late
    is_drama: bool = False  # its number is one of Ofcom's for drama, which is refused

    @property
    def is_lapsed(self) -> bool:
        """Whether somebody vouched for its number, and that is too long ago."""
        return self.lapses is not None and not self.is_answered


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a record, or will be."""

    council: Council
    is_wrong: bool  # False: a warning before
    message: str
    remedy: str


def standings(
    directory: Directory, day: date, asked: Mapping[str, int] | None = None
) -> list[Standing]:
    """Return every council by its name; ``asked`` says how often callers came to each code."""
    return [_standing(directory, council, day, asked or {}) for council in directory.councils]


def ring_first(found: Iterable[Standing]) -> list[Standing]:
    """Return whom to ring, the most asked for first: those that cannot be answered, and those whose
    number soon lapses. Councils with one service are there once, and count together."""
    every = list(found)
    times: dict[str, int] = {}
    for one in every:
        times[one.council.entry.recorded] = times.get(one.council.entry.recorded, 0) + one.asked
    due = [
        one
        for one in every
        if not one.council.entry.record and (not one.is_answered or one.lapses_soon)
    ]
    return sorted(due, key=lambda one: -times[one.council.entry.gss_code])


def troubles(found: Iterable[Standing]) -> Iterator[Trouble]:
    """What is wrong with the records, or will be within thirty days; of each record once."""
    for one in found:
        entry = one.council.entry
        if entry.record:
            continue
        remedy = f"ring it, then: ivr directory verify {entry.gss_code} --by NAME"
        checked = f"checked on {entry.checked_on}"
        if one.is_drama:
            message = f"{entry.phone_printed} is a number for drama (Ofcom): it is not read out"
            yield Trouble(one.council, True, message, f'{remedy} --number "ITS OWN"')
        elif one.is_lapsed:
            message = f"its number is not read out since {one.lapses}: {checked}"
            yield Trouble(one.council, True, message, remedy)
        elif entry.state in SPOKEN_STATES and one.lapses is None:
            message = "its number is not read out: nobody says when it was checked"
            yield Trouble(one.council, True, message, remedy)
        elif one.lapses_soon:
            message = f"its number is read out until {one.lapses}: {checked}"
            yield Trouble(one.council, False, message, remedy)
        if entry.phone and not entry.source_url and not entry.checked_by:
            message = "nobody knows where its number is from"
            yield Trouble(one.council, False, message, "fill in source_url, or ring it")


def _standing(
    directory: Directory, council: Council, day: date, asked: Mapping[str, int]
) -> Standing:
    lapses = lapses_on(council.entry, directory.periods)
    is_answered = directory.may_be_spoken(council, day)
    return Standing(
        council=council,
        is_answered=is_answered,
        lapses=lapses,
        lapses_soon=is_answered and lapses is not None and lapses - day <= SOON,
        asked=asked.get(council.entry.gss_code, 0),
        is_drama=directory.periods.refuse(council.entry.phone),
    )
