"""Twilio's parameters into what was heard."""

from collections.abc import Mapping

from ivr.core.call import Dialled, Heard, Keys, Resumed, Silence, Spoken

AGAIN = "again"  # in the query: the call comes back after a fault of ours
MOST_KEYS = 64
LONGEST_SPEECH = 200  # characters: nobody's council has a longer name
STAR = "*"  # ends an entry that the caller wants to be rid of
OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})  # of CallStatus
DIAL_OUTCOMES = {
    "completed": "completed",
    "answered": "completed",
    "busy": "busy",
    "no-answer": "no-answer",
    "canceled": "no-answer",
}


def is_over(form: Mapping[str, str]) -> bool:
    """Return whether Twilio says that the call of this form has ended (``CallStatus``)."""
    return form.get("CallStatus", "") in OVER


def hear(form: Mapping[str, str], query: Mapping[str, str]) -> Heard:
    """What the caller did, whatever Twilio sent: absent and empty ``Digits`` are both silence.

    Digits that were ended by star are no entry. Twilio says so in ``FinishedOnKey``, which it does
    not document: without it they are heard as if the caller had fallen silent after them.

    Keys go before words. How sure Twilio is of the words makes no difference to us: what they are
    taken for is always confirmed by a key.
    """
    if AGAIN in query:
        return Resumed()  # the key that failed, should it be sent along, is not pressed once more
    status = form.get("DialCallStatus", "")
    if status == "completed" and form.get("DialBridged", "").lower() == "false":
        status = "no-answer"  # it was picked up, and nobody was joined to the caller
    if status:
        joined = form.get("DialBridged", "").lower() == "true"
        return Dialled(DIAL_OUTCOMES.get(status, "failed"), joined)
    digits = form.get("Digits", "")[:MOST_KEYS]
    ended_by_star = digits and form.get("FinishedOnKey") == STAR
    if digits:
        return Keys(digits + STAR if ended_by_star else digits)
    words = " ".join(form.get("SpeechResult", "")[:LONGEST_SPEECH].split())
    return Spoken(words) if words else Silence()
