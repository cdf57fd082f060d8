"""What the phone asks of the directory when the name of a council is spoken."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ivr.conversation import Call
from ivr.core.call import Answered, Ask, Candidate
from ivr.directory.entries import Council
from ivr.directory.hearing import Hearing, hints
from ivr.directory.lookup import Directory

MOST = 6  # that are offered: Berkshire is six councils
LISTENS = "listens"  # the fact that a name may be spoken in this call
SPOKEN_NAME = "spoken_name"  # the fact that holds what was spoken, for one turn


@dataclass(frozen=True)
class HearCouncil:
    """Which council was spoken of? ``several`` to choose from, though it be one, or ``none``."""

    directory: Callable[[], Directory]  # the one that holds now

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``spoken_name``, the words that the network heard.

        Raises LookupError when there is no directory: "none" would be untrue.
        """
        directory = self.directory()
        if not directory.councils:
            raise LookupError("the directory holds no councils")
        meant = _listening(directory).meant(ask.facts[SPOKEN_NAME])
        found = tuple(Candidate(one.entry.gss_code, one.listed) for one in meant[:MOST])
        return Answered("several", candidates=found) if found else Answered("none")


@lru_cache(maxsize=1)  # until another directory holds
def expected(directory: Directory) -> tuple[str, ...]:
    """The names that the telephone network should expect to hear."""
    return hints(name for council in directory.councils for name in council.names)


@lru_cache(maxsize=1)
def _listening(directory: Directory) -> Hearing[Council]:
    return Hearing((name, council) for council in directory.councils for name in council.names)
