"""What follows from what happened to a request. Pure."""

from collections.abc import Sequence

from ivr.callbacks import states
from ivr.callbacks.records import Happening
from ivr.callbacks.states import OUTCOMES

CLAIMS = (states.CLAIM.name, states.TAKE_OVER.name)
ENDINGS = (states.RELEASE.name, *OUTCOMES)  # of a claim


def unfinished(history: Sequence[Happening], who: str) -> Happening | None:
    """The claim before one's own, of somebody who did not say how it went: they may be talking to
    the caller at this moment."""
    claims = [at for at, one in enumerate(history) if one.what in CLAIMS and one.who == who]
    for one in reversed(history[: max(claims, default=0)]):
        if one.what in CLAIMS:
            return one if one.who != who else None
        if one.what in ENDINGS:
            return None
    return None
