"""Where a text message can stand, and what may follow on what.

News of a message may come twice, late and in any order. Each state has a rank, and only a higher
one follows: what is final stays.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a text message stands."""

    WAITING = "waiting"  # in the outbox
    SENDING = "sending"  # a sender has it, and asks Twilio
    UNKNOWN = "unknown"  # Twilio was asked, and nobody can say whether it took it
    REPEATED = "repeated"  # as unknown; somebody has sent it again since
    QUEUED = "queued"  # Twilio has taken it
    SENT = "sent"  # Twilio has given it to the network
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"  # the network could not deliver it
    FAILED = "failed"  # it was not sent
    STOPPED = "stopped"  # not sent: that number wants no texts
    RECEIVED = "received"  # it came in


FINAL = 9
RANKS = {
    State.WAITING: 0,
    State.SENDING: 1,
    State.UNKNOWN: 2,
    State.REPEATED: 2,
    State.QUEUED: 3,
    State.SENT: 4,
}

# Twilio's words for how a message fares.
# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
TOLD = {
    "accepted": State.QUEUED,
    "scheduled": State.QUEUED,
    "queued": State.QUEUED,
    "sending": State.QUEUED,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.UNDELIVERED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}


def before(state: State) -> list[str]:
    """The states on which this one may follow."""
    rank = RANKS.get(state, FINAL)
    return [one.value for one in State if RANKS.get(one, FINAL) < rank]
