"""Finding a council: by letters on a telephone's keypad, by name, or by code. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import TypeAlias

from ivr.directory.entries import SPOKEN_STATES, USUAL, Council, Periods, may_be_spoken, speakable
from ivr.directory.opening import OPENS

KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")  # E.161
PASSED_OVER = frozenset({"of", "and", "upon", "on", "the", "city"})  # words nobody spells by
MOST = 12  # candidates that a caller may have to listen to


_Spelled: TypeAlias = tuple[Council, tuple[str, ...], tuple[str, ...]]  # whole names, later words


@dataclass(frozen=True, slots=True)
class Found:
    """What a name or code led to: one council, or others that may have been meant."""

    council: Council | None
    candidates: tuple[Council, ...] = ()


class Directory:
    """All councils, as they are known at one moment. Nothing in it changes."""

    def __init__(self, councils: Iterable[Council], *, periods: Periods = USUAL) -> None:
        """Take the councils, in any order; each code once; and how long contacts may be spoken."""
        self.periods = periods
        self.councils = tuple(sorted(councils, key=lambda council: council.entry.council))
        self._by_code = {council.entry.gss_code: council for council in self.councils}
        self._spelled: dict[str, list[_Spelled]] = {}  # by the first letter of any spelling
        for council in self.councils:
            whole, words = _spellings(council)
            for initial in {spelling[0] for spelling in (*whole, *words)}:
                self._spelled.setdefault(initial, []).append((council, whole, words))

    def council(self, code: str) -> Council:
        """Return the council of this GSS code. Raises KeyError."""
        return self._by_code[code]

    def spelled(self, letters: str) -> tuple[Council, ...]:
        """Return the councils with a name, or a word of one, that begins with these keypad letters.

        ``letters`` are digits 2 to 9. Councils whose whole name begins so come first, then those
        with a later word that does; alphabetical within each; at most twelve.
        """
        if not letters:
            return ()
        near = self._spelled.get(letters[0], ())
        first = [one for one, whole, _ in near if _begins(whole, letters)]
        later = [one for one, _, words in near if _begins(words, letters)]
        return tuple(dict.fromkeys(first + later))[:MOST]

    def show(self, text: str) -> Found:
        """Find a council by its code or name, or by the beginning of a name only it has.

        When that is not one council, the candidates are those that may have been meant.
        """
        wanted = _plain(text)
        if text.strip().upper() in self._by_code:
            return Found(self._by_code[text.strip().upper()])
        exact = self._named(lambda name: name == wanted)
        begun = exact or self._named(lambda name: bool(wanted) and name.startswith(wanted))
        within = begun or self._named(lambda name: bool(wanted) and f" {wanted}" in name)
        if len(within) == 1:
            return Found(within[0])
        return Found(None, within or self._near(wanted))

    def may_be_spoken(self, council: Council, day: date) -> bool:
        """Whether the number of this council's service may be read out on this day, London's."""
        return may_be_spoken(council.entry, day, self.periods)

    def vocabulary(self) -> tuple[str, ...]:
        """Return every name that may be spoken, so that its clip can be made beforehand."""
        names = [name for one in self.councils for name in (one.spoken, one.listed)]
        vouched = [one.entry for one in self.councils if one.entry.state in SPOKEN_STATES]
        services = [speakable(entry.service_name) for entry in vouched]
        return tuple(dict.fromkeys((*names, *services, *OPENS)))

    def may_ring(self, number: str, day: date) -> bool:
        """Whether a caller may be put through to this number (E.164) on this day: somebody vouches
        for it."""
        return any(
            one.entry.phone == number and self.may_be_spoken(one, day) for one in self.councils
        )

    def _named(self, fits: Callable[[str], bool]) -> tuple[Council, ...]:
        return tuple(one for one in self.councils if any(fits(_plain(n)) for n in one.names))

    def _near(self, wanted: str) -> tuple[Council, ...]:
        names = {_plain(name): council for council in self.councils for name in council.names}
        near = get_close_matches(wanted, names, n=4, cutoff=0.6)
        return tuple(dict.fromkeys(names[name] for name in near))


DirectoryNow = Callable[[], Directory]  # gives the one that holds now


def keypad(text: str) -> str:
    """Return the keys that spell this text: "St Helens" -> "78435367"."""
    return re.sub(r"[^A-Z]", "", text.upper()).translate(KEYPAD)


def _spellings(council: Council) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys of the whole names, and those of each later word to the name's end."""
    whole, later = [], []
    for name in council.names:
        words = re.split(r"[^A-Za-z]+", name)
        whole.append(keypad(name))
        later += [
            keypad("".join(words[at:]))
            for at in range(1, len(words))
            if words[at].lower() not in PASSED_OVER
        ]
    return tuple(whole), tuple(later)


def _begins(spellings: tuple[str, ...], letters: str) -> bool:
    return any(spelling.startswith(letters) for spelling in spellings)


def _plain(name: str) -> str:
    return " ".join(re.split(r"[^a-z]+", name.lower())).strip()
