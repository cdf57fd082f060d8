"""What is texted of an advice service: its contact, or the ways to one that nobody vouched for.

Only the body of a text: the first line and the end are the same in every text.
"""

from collections.abc import Iterable
from datetime import date

from ivr.directory.entries import Council, speakable
from ivr.directory.lookup import Directory
from ivr.directory.opening import in_short
from ivr.gsm import septets, unsendable

ROOM = 220  # septets, of two segments; the rest is the first line and the end
FINDER = "The national list: search the web for Council for Disabled Children, find your local IAS."
PRINTED = str.maketrans("’‘“”–—", "''\"\"--")


def contact(directory: Directory, code: str, day: date) -> str:
    """Return the name, number, hours, website and email address of a council's service, as many of
    them as there is room for, in this order. Raises LookupError if there is no such council, or
    nobody vouches for its service on this day."""
    council = directory.council(code)
    entry = council.entry
    if not directory.may_be_spoken(council, day):
        raise LookupError(f"nobody vouches for a contact of {entry.gss_code}")
    name = f"{speakable(entry.service_name)}: {entry.phone_printed}"
    return _fitting(name, (in_short(entry.hours), entry.website, entry.email))


def way(council: Council) -> str:
    """Return how to come to the service of a council without a contact that somebody vouches for:
    its website where we know one, the council itself, the national list."""
    entry = council.entry
    first = f"{council.spoken} council has a free advice service for parents, SENDIASS."
    ask = "Ring the council and ask for it."
    return _fitting(first, (entry.website, ask, FINDER))


def _fitting(first: str, others: Iterable[str]) -> str:
    """One line for each, without those for which there is no room."""
    text = _sendable(first)
    for other in filter(None, others):
        longer = f"{text}\n{_sendable(other)}"
        text = longer if septets(longer) <= ROOM else text
    return text


def _sendable(text: str) -> str:
    """The text in the characters that travel: printed ones such as ’ and – as plain ones."""
    plain = text.translate(PRINTED)
    return plain.translate(dict.fromkeys(map(ord, unsendable(plain))))
