"""What the phone asks of the directory: which council is meant, and whom to ring there."""

from dataclasses import dataclass

from ivr.conversation import Call
from ivr.core.call import Answered, Ask, Candidate
from ivr.directory.entries import Council, may_be_spoken, speakable
from ivr.directory.lookup import Directory


@dataclass(frozen=True)
class FindCouncil:
    """Which council was spelled? ``found`` one, ``several`` to choose from, or ``none``."""

    directory: Directory

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``letters``, the keypad digits that were pressed.

        Raises LookupError when there is no directory: "none" would be untrue.
        """
        if not self.directory.councils:
            raise LookupError("the directory holds no councils")
        spelled = self.directory.spelled(ask.facts["letters"])
        if not spelled:
            return Answered("none")
        if len(spelled) == 1:
            return Answered("found", _chosen(spelled[0]))
        return Answered(
            "several",
            candidates=tuple(Candidate(one.entry.gss_code, one.listed) for one in spelled),
        )


@dataclass(frozen=True)
class AdviceService:
    """Whom can the caller ring? ``vouched`` with name and number, or ``unvouched``."""

    directory: Directory

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``council``, a GSS code. Raises KeyError if there is no such council."""
        council = self.directory.council(ask.facts["council"])
        name = {"council_name": council.spoken}
        if not may_be_spoken(council.entry):
            return Answered("unvouched", name)
        contact = {
            "service_name": speakable(council.entry.service_name),
            "service_number": council.entry.phone_printed,
        }
        return Answered("vouched", name | contact)


def _chosen(council: Council) -> dict[str, str]:
    return {"council": council.entry.gss_code, "council_name": council.spoken}
