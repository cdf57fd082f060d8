"""What TwiML can ask of a phone, as plain data; and what keys mean to a Gather.

Defaults are Twilio's. Every address is absolute: it has been resolved against the document's own.
"""

from dataclasses import dataclass
from typing import TypeAlias

from ivr.core.saying import Line, Pause
from ivr.errors import HelplineError


class HandsetError(HelplineError):
    """A phone could not have gone on from here: the caller would have been lost."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak words with Twilio's own voice."""

    line: Line


@dataclass(frozen=True, slots=True)
class Play:
    """Play a clip."""

    url: str


Spoken: TypeAlias = Say | Play | Pause


@dataclass(frozen=True, slots=True)
class Gather:
    """Speak, and listen for keys or words. A key cuts the speaking short."""

    action: str
    spoken: tuple[Spoken, ...] = ()
    method: str = "POST"
    takes: frozenset[str] = frozenset({"dtmf"})  # "dtmf", "speech" or both
    num_digits: int | None = None  # None: as many as the caller likes
    finish_on_key: str = "#"  # empty: no key finishes the entry
    timeout: int = 5  # seconds, for the first key and between keys
    action_on_empty_result: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document. What follows in this one is never reached."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What Twilio asks for on the other leg of a Dial."""

    url: str = ""  # whoever answers hears this document, before the caller is joined to them
    status_callback: str = ""
    events: frozenset[str] = frozenset({"completed"})  # of which the status callback is told


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring somebody, and join the caller to them."""

    numbers: tuple[str, ...]  # all ring at once
    action: str = ""  # empty: afterwards, go on with the next verb
    method: str = "POST"
    timeout: int = 30  # seconds of ringing
    leg: Leg = Leg()  # to the first of the numbers


@dataclass(frozen=True, slots=True)
class Record:
    """Record the caller until they fall silent or press a key."""

    action: str
    method: str = "POST"
    timeout: int = 5  # seconds of silence that end it
    finish_on_key: str = "1234567890*#"


Verb: TypeAlias = Spoken | Gather | Redirect | Hangup | Dial | Record
Waits: TypeAlias = Gather | Dial | Record  # the verbs during which something can happen


@dataclass(frozen=True, slots=True)
class Entry:
    """What a Gather made of the keys pressed so far."""

    digits: str
    finished_on: str = ""  # the finish key, if that ended the entry
    complete: bool = False  # no further key will be heard


def entered(gather: Gather, keys: str) -> Entry:
    """What this Gather takes from these keys: those after the entry is complete are lost."""
    if "dtmf" not in gather.takes:
        return Entry("")
    digits = ""
    for key in keys:
        if gather.finish_on_key and key == gather.finish_on_key:
            return Entry(digits, finished_on=key, complete=True)
        digits += key
        if len(digits) == gather.num_digits:
            return Entry(digits, complete=True)
    return Entry(digits)
