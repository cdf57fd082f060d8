"""Texts of our own: answers to what came in, and what staff write. Pure functions.

The first line tells nobody what it is about.
"""

from datetime import datetime

from ivr.hours import LONDON, clock
from ivr.numbers import printed

DANGER = "In danger now? Ring 999."


def taken(reference: str, due_at: datetime | None) -> str:
    """We have their text, and answer by then."""
    return "\n".join(
        (
            "Helpline: we have your text.",
            f"We will answer by {_by(due_at)}." if due_at else "We will answer as soon as we can.",
            f"Your reference is {reference[:3]} {reference[3:]}.",
            DANGER,
        )
    )


def help_(number: str) -> str:
    """What this is, for whoever answers HELP. ``number`` is the helpline's own (E.164), or ""."""
    ring = f"or ring {printed(number)}" if number else "or ring us"
    return f"Helpline: text us a few words and we will answer, {ring}.\n{DANGER}"


def from_staff(words: str) -> str:
    """What somebody of the staff wrote."""
    return f"A message from the helpline:\n{words}"


def _by(moment: datetime) -> str:
    local = moment.astimezone(LONDON)
    return f"{clock(moment)} on {local:%A} {local.day} {local:%B}"
