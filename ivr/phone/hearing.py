"""Twilio's parameters into what was heard."""

from collections.abc import Mapping

from ivr.core.call import Dialled, Heard, Keys, Resumed, Silence

AGAIN = "again"  # in the query: the call comes back after a fault of ours
MOST_KEYS = 64
DIAL_OUTCOMES = {
    "completed": "completed",
    "answered": "completed",
    "busy": "busy",
    "no-answer": "no-answer",
    "canceled": "no-answer",
}


def hear(form: Mapping[str, str], query: Mapping[str, str]) -> Heard:
    """What the caller did, whatever Twilio sent: absent and empty ``Digits`` are both silence."""
    digits = form.get("Digits", "")
    status = form.get("DialCallStatus", "")
    if digits:
        return Keys(digits[:MOST_KEYS])
    if status:
        return Dialled(DIAL_OUTCOMES.get(status, "failed"))
    return Resumed() if AGAIN in query else Silence()
