"""What the phone asks of the directory once the council is known: whom to ring there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.directory.addresses import email_to_say, website_to_say
from ivr.directory.entries import Entry, speakable
from ivr.directory.lookup import DirectoryNow
from ivr.directory.opening import day_in_words, next_opening, understood
from ivr.hours import LONDON


@dataclass(frozen=True)
class AdviceService:
    """Whom can the caller ring? ``unvouched`` if nobody vouches for a number; else ``open`` until
    a time, ``closed`` with the day and time when it opens, or ``hours-unknown``."""

    directory: DirectoryNow
    clock: Callable[[], datetime]  # gives the time now, aware
    note: Callable[[str], None]  # this council was asked for

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``council``, a GSS code. Raises KeyError if there is no such council."""
        directory, now = self.directory(), self.clock()
        council = directory.council(ask.facts["council"])
        entry, name = council.entry, {"council_name": council.spoken}
        self.note(entry.gss_code)
        if not directory.may_be_spoken(council, now.astimezone(LONDON).date()):
            return Answered("unvouched", name)
        outcome, when = _hours(entry, now)
        return Answered(outcome, name | _contact(entry) | when)


@dataclass(frozen=True)
class AdviceNumber:
    """May the number still be read out? ``vouched`` or ``unvouched``; whoever heard of it before is
    not counted once more."""

    directory: DirectoryNow
    clock: Callable[[], datetime]  # gives the time now, aware

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``council``, a GSS code. Raises KeyError if there is no such council."""
        directory = self.directory()
        council = directory.council(ask.facts["council"])
        name = {"council_name": council.spoken}
        if not directory.may_be_spoken(council, self.clock().astimezone(LONDON).date()):
            return Answered("unvouched", name)
        return Answered("vouched", name | _contact(council.entry))


@dataclass(frozen=True)
class WebAddress:
    """Where is the service on the web? ``both``, ``website``, ``email``, or ``none`` that can be
    said; an address with a path is not, for nobody can note it down."""

    directory: DirectoryNow

    async def __call__(self, ask: Ask, call: Call) -> Answered:
        """Answer for ``council``, a GSS code. Raises KeyError if there is no such council."""
        entry = self.directory().council(ask.facts["council"]).entry
        website, email = website_to_say(entry.website), email_to_say(entry.email)
        outcome = {(True, True): "both", (True, False): "website", (False, True): "email"}
        found = {"website": website, "email": email}
        return Answered(outcome.get((bool(website), bool(email)), "none"), found)


def _contact(entry: Entry) -> dict[str, str]:
    return {
        "service_name": speakable(entry.service_name),
        "service_number": entry.phone_printed,
        "service_rings": entry.phone,
    }


def _hours(entry: Entry, now: datetime) -> tuple[str, dict[str, str]]:
    """Whether the service is open, and what is said of when."""
    hours = understood(entry.hours)
    if hours is None:
        return "hours-unknown", {}
    today = hours.opening(now.astimezone(hours.zone).date())
    if today and hours.is_open(now):
        return "open", {"until": f"{today.closes:%H:%M}"}
    opens = next_opening(hours, now)
    if opens is None:
        return "hours-unknown", {}
    return "closed", {"opens": day_in_words(opens, now), "opens_time": f"{opens:%H:%M}"}
