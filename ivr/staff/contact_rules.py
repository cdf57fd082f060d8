"""How staff may contact a caller: each consent, granted or not, and each access need. Pure.

A consent that is missing counts as refused, and is printed as such beside everything else: an
adviser who sees only "Speak slowly" cannot tell that no message may be left.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consent:
    """What staff read when a caller granted a consent, and when they did not."""

    key: str  # as in ``callback_request.access``
    granted: str
    refused: str


#: Each key belongs to the wording of one question in ``prompts/*/needs.yaml``. A question that asks
#: for more needs a key of its own: a yes to "Is it all right if someone else answers?" never
#: permits saying who rings.
CONSENTS = (
    Consent(
        "message",
        "You may leave a message: say only your first name",
        "Leave no message",
    ),
    Consent(
        "someone-else",
        "Someone else may answer: say only your first name",
        "If someone else answers, end the call: say only your first name",
    ),
)

#: What each access need means for the adviser who rings.
NEEDS = {
    "slower": "Speak slowly, and leave pauses",
    "interpreter": "Have an interpreter on the call",
    "relay": "Ring through Relay UK (18001 before the number), or text",
}


def contact_rules(access: Collection[str]) -> list[str]:
    """Return all that an adviser must know before they dial, the consents first.

    ``access`` holds what the caller said yes to. An unknown entry is shown as it is stored.
    """
    consents = [one.granted if one.key in access else one.refused for one in CONSENTS]
    known = {one.key for one in CONSENTS}
    return [*consents, *(NEEDS.get(need, need) for need in access if need not in known)]
