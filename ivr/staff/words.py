"""Times, states and needs as people say them. London's clock throughout. Pure functions."""

from datetime import date, datetime, timedelta

from ivr import hours
from ivr.callbacks.ledger import CALLER, NOT_SAFE
from ivr.callbacks.states import State
from ivr.directory.editing import Why
from ivr.directory.entries import Vouching
from ivr.hours import LONDON
from ivr.messages.outbox import Kind as TextKind
from ivr.messages.states import State as TextState

STATES = {
    State.WAITING: "Waiting",
    State.CLAIMED: "Claimed",
    State.CALLING: "Being rung",
    State.DUE_AGAIN: "To be tried again",
    State.DONE: "Done",
    State.CLOSED: "Closed",
}

# What a caller did, and what they were asked: in the words of the records, and in ours.
BY_CALLER = {
    "saved": "asked to be rung",
    "already": "asked again",
    "kept": "asked again, and kept it as it was",
    "cancelled": "called it off",
    NOT_SAFE: "pressed “someone is not safe”",
}
ASKED = {
    "message": "May we leave a message?",
    "someone-else": "May someone else answer?",
    "slower": "Slower speech?",
    "interpreter": "An interpreter?",
    "relay": "By Relay UK, or texts?",
}

SLOTS = {"any": "any time", "morning": "in the morning", "afternoon": "in the afternoon"}

# What follows on each outcome, for whoever chooses one.
OUTCOME_HINTS = {
    "spoke": "That ends this request, unless you choose a time to ring again.",
    "no answer": "It is due again in two hours.",
    "engaged": "It is due again in 20 minutes.",
    "left message": "It is due again tomorrow. Only if they said that you may.",
    "wrong number": "That ends this request. Say in a note how you know.",
    "asked not to be called": "That ends this request.",
    "abusive": "That ends this request. Say in a note what happened.",
    "other": "It is due again tomorrow. Say in a note what happened.",
}

# How a text of ours fares.
TEXT_STATES = {
    TextState.WAITING: "It waits to be sent",
    TextState.SENDING: "It is being sent",
    TextState.UNKNOWN: "Nobody can say whether it was sent",
    TextState.REPEATED: "Nobody could say whether it was sent; it was sent again",
    TextState.QUEUED: "It is on its way",
    TextState.SENT: "It is on its way",
    TextState.DELIVERED: "Their phone has it",
    TextState.UNDELIVERED: "It did not reach their phone",
    TextState.FAILED: "It was not sent",
    TextState.STOPPED: "It was not sent: they want no texts",
    TextState.RECEIVED: "It came in",
}

# What a text of ours is, by why it was written.
TEXT_KINDS = {
    TextKind.ANSWER: "What a caller had heard",
    TextKind.CONTACT: "How to reach an advice service",
    TextKind.WAY: "How to find an advice service",
    TextKind.REPLY: "Our answer to a text",
    TextKind.HELP: "Our answer to the word HELP",
    TextKind.ALARM: "The alarm of an urgent request",
    TextKind.STAFF: "What a colleague wrote",
}

URGENT = "It is marked urgent: everybody is shown it above the queue. It will not be erased."
URGENT_ENDED = (
    "It is marked urgent, and will not be erased. Nobody rings it: it has ended. "
    "Open it again if somebody is to ring."
)
ALARMED = "Your safeguarding lead is being texted."
UNHEARD = "Nobody can be texted about it: ring your safeguarding lead now."

# What a page says after something was done. Pages name these in their address.
DONE = {
    "released": "It is back in the queue, at its place.",
    "finished": "Saved. Thank you.",
    "handed-over": "It is your colleague's now.",
    "urgent": f"{URGENT} {ALARMED}",
    "urgent-unheard": f"{URGENT} {UNHEARD}",
    "urgent-ended": f"{URGENT_ENDED} {ALARMED}",
    "urgent-ended-unheard": f"{URGENT_ENDED} {UNHEARD}",
    "not-urgent": "It is not marked urgent any more.",
    "ringing": "Your phone is being rung. Pick up, and press 1 to ring the caller.",
    "longer": "It is yours for 15 minutes more.",
    "reopened": "It is open again.",
    "kept": "What you typed is kept. Nothing was rung, sent or saved.",
    "discarded": "It is thrown away.",
    "nothing": "Nobody is to be rung just now. Well done.",
    "signed-out": "You are signed out.",
    "password": "Your password is changed. You are signed out everywhere else.",
    "codes": "From now on you sign in with a code too.",
    "no-codes": "From now on you sign in without a code.",
    "role": "Their role is changed.",
    "on-duty": "You are on duty, and will be rung in your turn.",
    "off-duty": "They are off duty, and their number is forgotten.",
    "removed": "They are removed, and signed out.",
    "day-changed": "That day is changed. The next call goes by it.",
    "day-usual": "That day has its usual hours again.",
    "text": "The text is on its way. How it fares is shown under “Texts”.",
    "text-edited": "The text that you saw is on its way. What you changed since is not in it, and "
    "stands below.",
    "text-settled": "It was not sent again. What is known of it now is shown under “Texts”.",
    "text-again": "The text is sent again.",
    "text-not-again": "It was not sent again: a colleague did, or it is known by now how it fared.",
    "texts-stopped": "It was not sent: they want no texts.",
    "no-texts": "They will get no texts from us.",
    "texts": "They can get texts again.",
    "notice-up": "The next caller hears it.",
    "notice-down": "Callers do not hear it any more.",
    "verified": "Thank you. The next caller hears the number.",
    "directory": "It is changed. The next caller hears it so.",
    "undone": "It is as it was before.",
    "no-council": "There is no such council.",
}

# Who vouches for a number, the columns of a record, and what a change was for.
VOUCHING = {
    Vouching.VERIFIED: "Somebody rang it",
    Vouching.PUBLISHED: "Printed on the service’s or the council’s own page",
    Vouching.UNCONFIRMED: "Nobody: printed elsewhere, or too old",
    Vouching.MISSING: "Nobody: there is none",
}
COLUMNS = {
    "service_name": "Service",
    "phone": "Number, as it is rung",
    "phone_printed": "Number",
    "hours": "Hours",
    "email": "Email",
    "website": "Website",
    "state": "Who vouches",
    "source_url": "Where it is printed",
    "source_date": "Date of that page",
    "note": "Note",
    "checked_on": "Checked on",
    "checked_by": "Checked by",
}
WHY = {
    Why.EDIT: "changed",
    Why.VERIFY: "rang it, and it is right",
    Why.IMPORT: "imported from a sheet",
    Why.UNDO: "undid a change",
}


clock = hours.clock  # "9:30 am", "noon": pages and texts say times alike


def day(moment: datetime, now: datetime) -> str:
    """The day: "today", "tomorrow", "yesterday", "on Thursday 26 November"."""
    local = moment.astimezone(LONDON)
    ahead = (local.date() - now.astimezone(LONDON).date()).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(ahead) or f"on {local:%A} {local.day} {local:%B}"


def date_of(one: date) -> str:
    """A day in a table: "Thu 26 Nov"."""
    return f"{one:%a} {one.day} {one:%b}"


def whole_day(one: date | str) -> str:
    """A day of any year: "22 May 2027"; "" for none. One that is text is in ISO."""
    if not one:
        return ""
    whole = date.fromisoformat(one) if isinstance(one, str) else one
    return span_of(whole, whole)


def span_of(first: date, last: date) -> str:
    """From one day to another: "30 October to 26 November 2026"."""
    day_of = f"{first.day} {first:%B}" if first.year == last.year else f"{first.day} {first:%B %Y}"
    return f"{day_of} to {last.day} {last:%B %Y}" if first != last else f"{last.day} {last:%B %Y}"


def by_when(due: datetime, now: datetime) -> str:
    """A promise: "today by 5 pm", "on Thursday 26 November by noon"."""
    return f"{day(due, now)} by {clock(due)}"


def at(moment: datetime, now: datetime) -> str:
    """A moment: "today at 9:30 am"."""
    return f"{day(moment, now)} at {clock(moment)}"


def exactly(moment: datetime) -> str:
    """A moment of any year: "24 November 2026, 9:30 am"."""
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%B %Y}, {clock(moment)}"


def lasting(span: timedelta) -> str:
    """A length of time, roughly: "a moment", "12 minutes", "3 hours", "2 days"."""
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return "a moment"
    if minutes < 60:
        return _some(minutes, "minute")
    return _some(minutes // 60, "hour") if minutes < 48 * 60 else _some(minutes // 1440, "day")


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was: "3 hours ago"."""
    return f"{lasting(now - moment)} ago"


def happened(who: str, what: str) -> str:
    """One line of a request's history: "Cy: claimed", "The caller: asked to be rung"."""
    if who != CALLER:
        return f"{who}: {what}"
    asked, _, answer = what.partition(": ")
    if asked in ASKED:
        return f"{ASKED[asked]} The caller said {answer}"
    return f"The caller: {BY_CALLER.get(what, what)}"


def spaced(reference: str) -> str:
    """A reference as it was spoken: "482 195"."""
    return f"{reference[:3]} {reference[3:]}" if len(reference) == 6 else reference or "none"


def ending(masked: str) -> str:
    """A masked number: "ends 123"; or why there is none, such as "erased"."""
    return f"ends {masked[-3:]}" if masked[-3:].isdecimal() else masked


def numbered(count: int, what: str) -> str:
    """So many of something: "1 request", "3 requests"."""
    return _some(count, what)


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
