"""What the phone asks to find the caller's council: by the area code, and by letters."""

from dataclasses import dataclass

from ivr.conversation import Call
from ivr.core.call import Answered, Ask, Candidate
from ivr.directory.lookup import Directory, DirectoryNow
from ivr.directory.places import ANOTHER_AREA, BEYOND, ELSEWHERE, Whereabouts
from ivr.directory.spelling import FEW, MOST, Match

LONGEST = 12  # letters: what still fits then is offered, however much it is
TWO_PAGES = 6  # candidates: behind two keys at most


@dataclass(frozen=True)
class GuessCouncil:
    """Where may a landline be? ``guessed`` with one to three areas and "another area", or
    ``none``: for a mobile, a withheld number, and area codes of more councils."""

    directory: DirectoryNow
    where: Whereabouts

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``caller_number`` (E.164), which may be empty."""
        directory = self.directory()
        areas = self.where.guesses(ask.facts["caller_number"])
        if not areas or not directory.councils:
            return Answered("none")
        offered = [Candidate(area, directory.spelling.listed(area)) for area in areas]
        another = Candidate(ELSEWHERE, ANOTHER_AREA)
        return Answered("guessed", candidates=(*offered, another))


@dataclass(frozen=True)
class FindCouncil:
    """Which area was spelled? ``found`` one by its name, ``placed`` one by a place in it,
    ``several`` to choose from, ``more`` than one menu holds, a country or ``london``, or
    ``none``."""

    directory: DirectoryNow

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``letters``, the keypad digits that were pressed.

        Raises LookupError when there is no directory: "none" would be untrue.
        """
        directory = _councils(self.directory)
        matches = directory.spelling.matches(ask.facts["letters"])
        return _answered(directory, matches, FEW)


@dataclass(frozen=True)
class NarrowCouncil:
    """The same, once more letters were asked for. What fits two pages is offered page by page, and
    so is what no letters can tell apart; else more letters are asked for again."""

    directory: DirectoryNow

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``letters`` and the ``more_letters`` that follow them.

        A wrong letter leaves what the others led to; where that is more than can be offered, the
        letters after them are asked for anew. Raises LookupError as ``FindCouncil`` does.
        """
        directory = _councils(self.directory)
        spelled = (ask.facts["letters"] + ask.facts["more_letters"])[:LONGEST]
        letters, found = directory.spelling.nearest(spelled)
        most = TWO_PAGES if letters == spelled else MOST
        if len(found) > most and len(letters) < LONGEST:
            return Answered("more", {"letters": letters}, _offered(found))
        return _answered(directory, found, len(found))


@dataclass(frozen=True)
class SettleCouncil:
    """Which area was chosen among those offered? A council of ``england``, a country, ``london``,
    or ``other``: none of those that were guessed."""

    directory: DirectoryNow

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``chosen``, the value of a candidate. Raises KeyError if it is none."""
        chosen = ask.facts["chosen"]
        if chosen in BEYOND or chosen == ELSEWHERE:
            return Answered(chosen)
        return Answered("england", _council(_councils(self.directory), chosen))


def _councils(now: DirectoryNow) -> Directory:
    directory = now()
    if not directory.councils:
        raise LookupError("the directory holds no councils")
    return directory


def _answered(directory: Directory, matches: tuple[Match, ...], most: int) -> Answered:
    """What the matches come to, where so many are not too many to offer. Of those, at most
    ``MOST`` are offered."""
    if not matches:
        return Answered("none")
    if len(matches) > 1:
        return Answered("several" if len(matches) <= most else "more", {}, _offered(matches))
    only = matches[0]
    if only.area in BEYOND:
        return Answered(only.area)
    found = _council(directory, only.area)
    if only.place:
        return Answered("placed", found | {"place": only.place})
    return Answered("found", found)


def _offered(matches: tuple[Match, ...]) -> tuple[Candidate, ...]:
    return tuple(Candidate(match.area, match.words) for match in matches[:MOST])


def _council(directory: Directory, code: str) -> dict[str, str]:
    return {"council": code, "council_name": directory.council(code).spoken}
