"""Texts that we write: automatic answers, and what staff write. Pure functions.

Phones are shared and show a text to others. An automatic answer names neither the helpline, its
number, the subject nor a reference, with which another person could act.
"""

from datetime import datetime

from ivr.hours import LONDON, clock

DANGER = "In danger now? Ring 999."


def taken(due_at: datetime | None) -> str:
    """Return the answer to a text: we have it, and answer by then."""
    by = f"We will answer by {_by(due_at)}." if due_at else "We will answer as soon as we can."
    return f"We have your text. {by}\n{DANGER}"


def help_() -> str:
    """Return the answer to HELP."""
    return f"Text us a few words, and a person will answer.\n{DANGER}"


def from_staff(words: str) -> str:
    """Return what an adviser wrote, behind a first line that says nothing."""
    return f"A message for you:\n{words}"


def _by(moment: datetime) -> str:
    local = moment.astimezone(LONDON)
    return f"{clock(moment)} on {local:%A} {local.day} {local:%B}"
