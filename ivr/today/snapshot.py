"""What holds, as a value, and as the text of a file: read anew, it is checked like any other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from ivr.errors import HelplineError
from ivr.hours import Opening
from ivr.today.ear import NotForTheEarError, fit


class DamagedError(HelplineError):
    """The file of what held last is damaged, or was written by another version."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The days with other hours (None: closed), and the notice of the day until its end."""

    exceptions: Mapping[date, Opening | None] = field(default_factory=dict)
    notice: str = ""
    until: datetime | None = None  # aware

    def notice_at(self, now: datetime) -> str:
        """The notice that holds at this moment; "" for none."""
        return self.notice if self.until and now < self.until else ""


def packed(snapshot: Snapshot) -> str:
    """The snapshot as text."""
    days = {
        day.isoformat(): opening and [opening.opens.isoformat(), opening.closes.isoformat()]
        for day, opening in snapshot.exceptions.items()
    }
    until = snapshot.until and snapshot.until.isoformat()
    return json.dumps({"exceptions": days, "notice": snapshot.notice, "until": until}, indent=1)


def unpacked(text: str) -> Snapshot:
    """The snapshot of this text. Raises DamagedError."""
    try:
        read = json.loads(text)
        days = {
            date.fromisoformat(day): None if opening is None else _opening(*opening)
            for day, opening in read["exceptions"].items()
        }
        notice = read["notice"] and fit(read["notice"])
        until = None if read["until"] is None else datetime.fromisoformat(read["until"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, NotForTheEarError):
        raise DamagedError from None
    if not isinstance(notice, str) or (until is not None and until.tzinfo is None):
        raise DamagedError
    return Snapshot(days, notice, until)


def _opening(opens: str, closes: str) -> Opening:
    opening = Opening(time.fromisoformat(opens), time.fromisoformat(closes))
    if opening.opens >= opening.closes:
        raise ValueError("it ends before it begins")
    return opening
