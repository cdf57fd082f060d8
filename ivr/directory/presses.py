"""How many entries it takes to reach a council by each of its names. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from ivr.core.flow import MAX_CHOICES
from ivr.directory.lookup import Directory
from ivr.directory.places import WIDE
from ivr.directory.spelling import FEW, LETTERS, Match, Spelling, keypad

PAGE = MAX_CHOICES - 1  # names on a page, where a key for more of them is needed
IN_VAIN = 0  # entries to a council that was not reached


@dataclass(frozen=True, slots=True)
class Reaching:
    """A name, its letters as a caller presses them, and what it takes to be at its council.

    An entry is one time that the caller is waited for: three letters, a choice, more names, or the
    silence of whoever has no letters left.
    """

    name: str
    area: str  # a GSS code, or another country
    letters: str
    fits: int  # how many areas the first three letters fit
    entries: int

    @property
    def most(self) -> int:
        """How many entries it may take: three where one menu holds what fits, else four."""
        return 3 if self.fits <= FEW else 4


def of_councils(directory: Directory) -> Iterator[Reaching]:
    """Give every name of every council of England."""
    for council in directory.councils:
        for name in dict.fromkeys(council.names):
            yield _reaching(directory.spelling, name, council.entry.gss_code)


def of_places(directory: Directory) -> Iterator[Reaching]:
    """Give every place, those apart that are larger than a council."""
    for place in directory.places:
        if place.kind not in WIDE:
            yield _reaching(directory.spelling, place.name, place.council)


def _reaching(spelling: Spelling, name: str, area: str) -> Reaching:
    keys = keypad(name)
    letters, so_far = keys[:LETTERS], 1
    fits = found = spelling.matches(letters)
    while len(found) > FEW and len(letters) < len(keys):
        letters, so_far = keys[: len(letters) + LETTERS], so_far + 1
        found = spelling.matches(letters)
        if len(found) <= 2 * PAGE:
            break
    if len(found) > FEW and so_far == 1:
        so_far = 3  # the silence instead of more letters, and the key to hear the names
    entries = so_far + _choosing(found, area) if any(one.area == area for one in found) else IN_VAIN
    return Reaching(name, area, letters, len(fits), entries)


def _choosing(found: tuple[Match, ...], area: str) -> int:
    """How many keys choose this area among those found."""
    if len(found) == 1:
        return 0
    at = next(number for number, one in enumerate(found) if one.area == area)
    return 1 if len(found) <= MAX_CHOICES else at // PAGE + 1
