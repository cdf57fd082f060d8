"""Finding a council: by letters on a telephone's keypad, by name, or by code. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import TypeAlias

from ivr.directory.entries import SPOKEN_STATES, USUAL, Council, Periods, may_be_spoken, speakable
from ivr.directory.opening import OPENS
from ivr.directory.places import NATIONS, WIDE, Place
from ivr.directory.spelling import Spelling, within

# What stands around a council's name when it is written out, as on a letter.
_BEFORE = re.compile(
    r"^(?:the )?(?:(?:(?:london|royal|metropolitan) borough|city|council) of (?:the )?)?"
)
_BEHIND = re.compile(r"(?: metropolitan)?(?: county| city| borough| district)? council$")


@dataclass(frozen=True, slots=True)
class Found:
    """What a name or code led to: one council, or others that may have been meant; and why, where
    the name is not the council's own."""

    council: Council | None
    candidates: tuple[Council, ...] = ()
    why: str = ""


class Directory:
    """All councils, as they are known at one moment. Nothing in it changes."""

    def __init__(
        self,
        councils: Iterable[Council],
        places: Iterable[Place] = (),
        *,
        periods: Periods = USUAL,
    ) -> None:
        """Take the councils, in any order; each code once; the places in their areas; and how long
        contacts may be spoken."""
        self.periods = periods
        self.councils = tuple(sorted(councils, key=lambda council: council.entry.council))
        self.places = tuple(places)
        self.spelling = Spelling(self.councils, self.places)
        self._by_code = {council.entry.gss_code: council for council in self.councils}

    def council(self, code: str) -> Council:
        """Return the council of this GSS code. Raises KeyError."""
        return self._by_code[code]

    def show(self, text: str) -> Found:
        """Find a council by its code or name, by the name of a place in its area, or by the
        beginning of a name only it has; "Surrey County Council" is Surrey too.

        When that is not one council, the candidates are those that may have been meant.
        """
        if text.strip().upper() in self._by_code:
            return Found(self._by_code[text.strip().upper()])
        wanted = _plain(text)
        shorter = _BEHIND.sub("", wanted)
        for name in dict.fromkeys((wanted, shorter, _BEFORE.sub("", shorter))):
            if found := self._meant(name):
                return found
        return Found(None, self._near(wanted))

    def _meant(self, wanted: str) -> Found | None:
        """What this plain name leads to, if it is one that we know, or begins one."""
        exact = self._named(lambda name: name == wanted)
        at_place = None if exact else self._at_place(wanted)
        if at_place:
            return at_place
        begun = exact or self._named(lambda name: bool(wanted) and name.startswith(wanted))
        found = begun or self._named(lambda name: bool(wanted) and f" {wanted}" in name)
        if not found:
            return self._begun_place(wanted)
        return Found(found[0]) if len(found) == 1 else Found(None, found)

    def may_be_spoken(self, council: Council, day: date) -> bool:
        """Whether the number of this council's service may be read out on this day, London's."""
        return may_be_spoken(council.entry, day, self.periods)

    def refused(self) -> tuple[Council, ...]:
        """Return the councils whose number is refused: outside demo mode, one for drama."""
        return tuple(one for one in self.councils if self.periods.refuse(one.entry.phone))

    def vocabulary(self) -> tuple[str, ...]:
        """Return every name that may be spoken, so that its clip can be made beforehand."""
        names = [name for one in self.councils for name in (one.spoken, one.listed)]
        vouched = [one.entry for one in self.councils if one.entry.state in SPOKEN_STATES]
        services = [speakable(entry.service_name) for entry in vouched]
        offered = self.spelling.vocabulary()
        return tuple(dict.fromkeys((*names, *services, *OPENS, *offered)))

    def may_ring(self, number: str, day: date) -> bool:
        """Whether a caller may be put through to this number (E.164) on this day: somebody vouches
        for it."""
        return any(
            one.entry.phone == number and self.may_be_spoken(one, day) for one in self.councils
        )

    def _named(self, fits: Callable[[str], bool]) -> tuple[Council, ...]:
        return tuple(one for one in self.councils if any(fits(_plain(n)) for n in one.names))

    def _at_place(self, wanted: str) -> Found | None:
        """The council of a place with exactly this name, or those of all places so called."""
        return self._of_places([place for place in self.places if _plain(place.name) == wanted])

    def _begun_place(self, wanted: str) -> Found | None:
        """The same of a place whose name begins with these words, if there is but one such name."""
        begun = [one for one in self.places if wanted and _plain(one.name).startswith(f"{wanted} ")]
        return self._of_places(begun) if len({place.name for place in begun}) == 1 else None

    def _of_places(self, places: Sequence[Place]) -> Found | None:
        """The council of places with one name, or those of all places so called."""
        codes = dict.fromkeys(place.council for place in places)
        councils = [self._by_code[code] for code in codes if code in self._by_code]
        if not codes:
            return None
        if not councils and places[0].kind in WIDE:
            why = f"{places[0].name} is not one council of England."
        else:
            verb, joint = ("is shared by", " and ") if places[0].kind in WIDE else ("is in", " or ")
            names = [NATIONS.get(code) or within(self._by_code[code]) for code in codes]
            why = f"{places[0].name} {verb} {joint.join(names)}."
        if len(codes) == 1 and councils:
            return Found(councils[0], why=why)
        return Found(None, tuple(councils), why)

    def _near(self, wanted: str) -> tuple[Council, ...]:
        names = {_plain(name): council for council in self.councils for name in council.names}
        near = get_close_matches(wanted, names, n=4, cutoff=0.6)
        return tuple(dict.fromkeys(names[name] for name in near))


#: Gives the directory that holds now.
DirectoryNow: TypeAlias = Callable[[], Directory]


def _plain(name: str) -> str:
    """The name in small letters, word by word: "King’s Lynn" -> "kings lynn"."""
    bare = re.sub("['’]", "", name.lower()).replace("&", " and ")
    return " ".join(re.split(r"[^a-z]+", bare)).strip()
