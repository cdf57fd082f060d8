"""The audit: who did what and when, the newest first. Notes are not shown."""

import csv
import heapq
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate, islice
from operator import attrgetter, itemgetter
from typing import TypeAlias

from quart import Response, g, request

from ivr.callbacks.audit import Span
from ivr.hours import LONDON
from ivr.people.tables import Role
from ivr.staff.door import Door, field
from ivr.staff.office import Office

AT_ONCE = 100  # on a page
EXPORTED = 5_000  # in a spreadsheet: more at once would keep callers waiting
NEWEST = 2**31 - 1  # no id is greater

_BEFORE = re.compile(r"([0-9]{1,10})\.([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that somebody did."""

    at: datetime
    who: str
    what: str
    about: str
    request_id: int  # 0: it is not about one request
    reference: str


Line: TypeAlias = tuple[Row, int, int]  # with the id of the event or of the deed, the other 0


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the audit somebody wants to see."""

    before: tuple[int, int]  # ids: of what happened to requests, and of what else people did
    who: str  # "": everybody
    day: str  # as it was typed
    span: Span | None
    error: str


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the audit."""

    rows: list[Row]
    older: str  # what "before" says for the next part; "": there is none


def add_pages(door: Door, office: Office) -> None:
    """Give the door the pages of the audit."""

    @door.page("/audit", Role.SUPERVISOR)
    async def audit() -> Response:
        """A hundred things that people did."""
        asked = _asked()
        found = Found([], "") if asked.error else await _found(office, asked, AT_ONCE)
        names = await office.events.names() | await office.deeds.names()
        return await door.show(
            "audit.html",
            422 if asked.error else 200,
            found=found,
            asked=asked,
            names=sorted(names, key=str.casefold),
            is_first=asked.before == (NEWEST, NEWEST),
            exported=EXPORTED,
            errors={"day": asked.error} if asked.error else {},
        )

    @door.page("/audit.csv", Role.SUPERVISOR)
    async def export_audit() -> Response:
        """The same as a spreadsheet, from here on."""
        found = await _found(office, _asked(), EXPORTED)
        await office.register.note(g.member.name, "exported", f"{len(found.rows)} lines of audit")
        answer = Response(_as_csv(found.rows), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = "attachment; filename=audit.csv"
        return answer


async def _found(office: Office, asked: Asked, most: int) -> Found:
    """What was written down before, of both kinds, merged by time.

    One more of each kind than is wanted is read, so that it is known whether there is more.
    """
    last_event, last_deed = asked.before
    events = await office.events.older(last_event, most + 1, asked.who, asked.span)
    deeds = await office.deeds.older(last_deed, most + 1, asked.who, asked.span)
    of_events = [
        (Row(one.at, one.who, one.what, "", one.request_id, one.reference), one.id, 0)
        for one in events
    ]
    of_deeds = [(Row(one.at, one.who, one.what, one.about, 0, ""), 0, one.id or 0) for one in deeds]
    merged = heapq.merge(_timed(of_events), _timed(of_deeds), key=itemgetter(0), reverse=True)
    shown = [one for _, one in islice(merged, most)]
    for _, event_id, deed_id in shown:
        last_event, last_deed = event_id or last_event, deed_id or last_deed
    more = len(events) + len(deeds) > len(shown)
    return Found([row for row, _, _ in shown], f"{last_event}.{last_deed}" if more else "")


def _timed(rows: list[Line]) -> Iterator[tuple[datetime, Line]]:
    """Each with a time by which it was written down: a wish that waited for the database is older
    than what was written before it, and must not hold that back."""
    times = list(accumulate((row.at for row, _, _ in reversed(rows)), max))
    return zip(reversed(times), rows, strict=True)


def _asked() -> Asked:
    given = request.args
    before = _BEFORE.fullmatch(given.get("before", f"{NEWEST}.{NEWEST}"))
    last_event, last_deed = map(int, before.groups() if before else (NEWEST, NEWEST))
    day, span, error = field(given, "day"), None, ""
    try:
        span = _span(date.fromisoformat(day)) if day else None
    except (ValueError, OverflowError):
        error = "Give the day as year, month and day: 2026-11-24."
    return Asked(
        before=(min(last_event, NEWEST), min(last_deed, NEWEST)),
        who=field(given, "who"),
        day=day,
        span=span,
        error=error,
    )


def _span(day: date) -> Span:
    """A day of London's: on two days of the year it is not 24 hours long."""
    next_day = day + timedelta(days=1)
    return datetime.combine(day, time(), LONDON), datetime.combine(next_day, time(), LONDON)


def _as_csv(rows: list[Row]) -> str:
    written = io.StringIO()
    writer = csv.writer(written)
    columns = ("at", "who", "what", "reference", "about")
    writer.writerow(columns)
    get = attrgetter(*columns[1:])
    writer.writerows((row.at.isoformat(), *map(_harmless, get(row))) for row in rows)
    return written.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
