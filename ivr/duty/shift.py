"""When somebody's duty ends."""

from datetime import datetime, time, timedelta

from ivr.errors import HelplineError
from ivr.hours import LONDON

LASTS = timedelta(hours=12)  # so that nobody who forgot to go off is rung for ever


class WrongTimeError(HelplineError):
    """This is no time of day; write it as 17:00."""


def ends_at(text: str, now: datetime) -> datetime:
    """Return the next time that London's clock shows this ("17:00"); twelve hours from now if it is
    empty. Raises WrongTimeError."""
    if not text:
        return now + LASTS
    try:
        shown = time.fromisoformat(text.zfill(5))
    except ValueError:
        shown = None
    if shown is None or shown.tzinfo:
        raise WrongTimeError(f'"{text}" is no time of day; write it as 17:00.')
    here = now.astimezone(LONDON)
    ends = datetime.combine(here.date(), shown, LONDON)
    return ends if ends > here else ends + timedelta(days=1)
