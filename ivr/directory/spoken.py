"""What the phone asks of the directory when the name of a council or place is spoken."""

from dataclasses import dataclass
from functools import lru_cache

from ivr.conversation import Call
from ivr.core.call import Answered, Ask, Candidate
from ivr.directory.hearing import Hearing, hints
from ivr.directory.lookup import Directory, DirectoryNow
from ivr.directory.spelling import Match

LISTENS = "listens"  # the fact that a name may be spoken in this call
SPOKEN_NAME = "spoken_name"  # the fact that holds what was spoken, for one turn
MOST = 6  # that are offered: Berkshire is six councils


@dataclass(frozen=True)
class HearCouncil:
    """Which council was spoken of? ``several`` to choose from, though it be one, or ``none``."""

    directory: DirectoryNow

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``spoken_name``, the words that the network heard.

        Raises LookupError when there is no directory: "none" would be untrue.
        """
        directory = self.directory()
        if not directory.councils:
            raise LookupError("the directory holds no councils")
        areas: dict[str, list[Match]] = {}
        for match in _listening(directory).meant(ask.facts[SPOKEN_NAME]):
            areas.setdefault(match.area, []).append(match)
        if not areas:
            return Answered("none")
        found = (
            Candidate(area, _words(directory, area, matches)) for area, matches in areas.items()
        )
        return Answered("several", candidates=tuple(found)[:MOST])


def _words(directory: Directory, area: str, matches: list[Match]) -> str:
    """An area as it is offered: by the one place that was meant, or else by its own name."""
    return matches[0].words if len(matches) == 1 else directory.spelling.listed(area)


@lru_cache(maxsize=1)  # until another directory holds
def expected(directory: Directory) -> tuple[str, ...]:
    """The names that the telephone network should expect to hear."""
    return hints(name for name, _ in directory.spelling.named())


@lru_cache(maxsize=1)
def _listening(directory: Directory) -> Hearing[Match]:
    return Hearing(directory.spelling.named())
