"""Names by the keys of a telephone: what letters lead to, and in which words it is offered."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ivr.directory.entries import Council
from ivr.directory.places import ANOTHER_AREA, BEYOND, NATIONS, WIDE, Place

KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")  # E.161
PASSED_OVER = frozenset({"of", "and", "upon", "on", "the", "city"})  # words nobody spells by
FEW = 4  # candidates that one menu holds
MOST = 12  # candidates that a caller may have to listen to
LETTERS = 3  # that are asked for at a time


@dataclass(frozen=True, slots=True)
class Match:
    """One area that letters led to: a council of England, or what lies beyond them."""

    area: str  # a GSS code, or one of ``BEYOND``
    words: str  # as it is offered among others: "Derby city", "Guildford, in Surrey"
    place: str = ""  # "Guildford, in Surrey" where one place led here, and not the area's own name


@dataclass(frozen=True, slots=True)
class _Name:
    """A name with its keys: whole, and from each later word by which it may be spelled."""

    name: str
    area: str
    place: bool  # of a place in the area, not of the area itself
    whole: tuple[str, ...]
    later: tuple[str, ...]


class Spelling:
    """The names of all councils and places, found by their keys. Nothing in it changes."""

    def __init__(self, councils: Iterable[Council], places: Iterable[Place]) -> None:
        """Take the councils and places, in any order."""
        self._councils = {one.entry.gss_code: one for one in councils}
        # Without the councils there is nothing for a place to lie in.
        areas = {*self._councils, *BEYOND} if self._councils else set()
        self._places = [place for place in places if place.council in areas]
        self._names: dict[str, list[_Name]] = {}  # by the first key of any spelling
        for name in (*self._of_councils(), *self._of_places()):
            for initial in {spelling[0] for spelling in (*name.whole, *name.later)}:
                self._names.setdefault(initial, []).append(name)

    def matches(self, letters: str) -> tuple[Match, ...]:
        """Return the areas with a name, or a word of one, that begins with these keypad letters.

        ``letters`` are digits 2 to 9. Each area is there once. A name that is spelled out comes
        first; then whole names of councils, whole names of places, later words; the councils of
        England before other countries; alphabetical within each.
        """
        near = self._names.get(letters[:1], ())
        ranked = [(_rank(name, letters), name) for name in near]
        found = sorted(((rank, name) for rank, name in ranked if rank), key=_order)
        areas: dict[str, list[_Name]] = {}
        for _, name in found:
            areas.setdefault(name.area, []).append(name)
        return tuple(self._match(area, names) for area, names in areas.items())

    def nearest(self, letters: str) -> tuple[str, tuple[Match, ...]]:
        """Return as many of the first letters as match anything, and the matches: so a wrong letter
        at the end leaves what the others led to."""
        for length in range(len(letters), LETTERS - 1, -1):
            found = self.matches(letters[:length])
            if found:
                return letters[:length], found
        return letters, ()

    def listed(self, area: str) -> str:
        """Return how an area is said among others. Raises KeyError if there is none such."""
        return BEYOND.get(area) or self._councils[area].listed

    def named(self) -> Iterator[tuple[str, Match]]:
        """Give every name with the area, or the place in one, that it means; councils first."""
        for area, council in self._councils.items():
            yield from ((name, Match(area, council.listed)) for name in council.names)
        for place in self._places:
            words = self.listed(place.council) if place.kind in WIDE else self._within(place)
            yield place.name, Match(place.council, words, "" if place.kind in WIDE else words)

    def vocabulary(self) -> Iterator[str]:
        """Give all words in which areas and places are offered."""
        yield from (*BEYOND.values(), ANOTHER_AREA)
        yield from (self._within(place) for place in self._places if place.kind not in WIDE)

    def _match(self, area: str, names: list[_Name]) -> Match:
        """An area as it is offered: by the one place that was meant, or else by its own name."""
        shortest = min((name.name for name in names), key=len)
        heart = shortest.partition(",")[0]  # of "Crewe and Nantwich" and "Nantwich", the latter
        if all(name.place and heart in name.name for name in names):
            return Match(area, shortest, shortest)
        return Match(area, self.listed(area))

    def _of_councils(self) -> Iterator[_Name]:
        for area, council in self._councils.items():
            for name in dict.fromkeys(council.names):
                yield _Name(council.listed, area, False, _whole(name), _later(name))

    def _of_places(self) -> Iterator[_Name]:
        for place in self._places:
            area, wide, whole = place.council, place.kind in WIDE, _whole(place.name)
            words = self.listed(area) if wide else self._within(place)
            yield _Name(words, area, not wide, whole, _second(place.name))

    def _within(self, place: Place) -> str:
        """A place with the area that it lies in: "Guildford, in Surrey"."""
        area = place.council
        return f"{spoken(place.name)}, in {NATIONS.get(area) or within(self._councils[area])}"


def within(council: Council) -> str:
    """Return how a council's area is said after "in": "the Isle of Wight". It is as short as can
    be, for four of them must be heard in twenty seconds."""
    name = council.spoken.removesuffix(" of Yorkshire").removesuffix(" and Chester")
    return f"the {name}" if name.startswith(("City of", "East Riding", "Isle")) else name


def spoken(name: str) -> str:
    """Return a place's name as it is best said: "St Albans" -> "Saint Albans"."""
    return re.sub(r"\bSt\b", "Saint", name)


def keypad(text: str) -> str:
    """Return the keys that spell this text: "St Helens" -> "78435367"."""
    return re.sub(r"[^A-Z]", "", text.upper()).translate(KEYPAD)


def _order(found: tuple[int, _Name]) -> tuple[bool, int, str]:
    rank, name = found
    return rank > 1 and name.area in NATIONS, rank, name.name


def _rank(name: _Name, letters: str) -> int:
    """How well a name fits these letters: 1 is best; 0 is not at all."""
    if letters in name.whole:
        return 1
    if any(whole.startswith(letters) for whole in name.whole):
        return 3 if name.place else 2
    return 4 if any(later.startswith(letters) for later in name.later) else 0


def _whole(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((keypad(name), keypad(spoken(name)))))


def _later(name: str) -> tuple[str, ...]:
    """The keys from each later word of a council's name to the name's end."""
    words = [word for word in re.split(r"[^A-Za-z]+", name.replace("'", "")) if word]
    return tuple(
        keypad("".join(words[at:]))
        for at in range(1, len(words))
        if words[at].lower() not in PASSED_OVER
    )


def _second(name: str) -> tuple[str, ...]:
    """The keys of a place's second name: "Epsom and Ewell" is spelled EWE as well. Other later
    words are not: many places end in Green, Hill and Valley."""
    return tuple(keypad(part) for part in name.split(" and ")[1:])
