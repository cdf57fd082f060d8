"""Reports: how many asked, how long they waited, how it ended, on which days."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup
from quart import Response, g, request

from ivr.callbacks.figures import FEWEST, OTHERS, Counted, Report, Share
from ivr.callbacks.spans import LONGEST, NoSuchSpanError, Span, last_days, last_months
from ivr.hours import LONDON
from ivr.people.tables import Role
from ivr.staff import plots, words
from ivr.staff.door import Door
from ivr.staff.office import Office
from ivr.staff.plots import Panel, Words
from ivr.staff.topics import Topics

SPANS = {"7": "Last 7 days", "28": "Last 28 days", "months": "Last 3 months"}
USUAL = "28"

COLUMNS = (
    *("day", "asked", "spoken with", "ended", "promise kept", "promise late"),
    *("first tried", "hours to the first try: half", "hours to the first try: 9 of 10"),
    *("hours to being spoken with: half", "hours to being spoken with: 9 of 10"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The days that somebody wants to see, or what is wrong with them."""

    span: Span | None
    chosen: str  # one of SPANS, or ""
    first: str  # as it was typed
    last: str
    errors: Mapping[str, str]


def add_pages(door: Door, office: Office) -> None:
    """Give the door the reports."""

    @door.page("/reports", Role.SUPERVISOR)
    async def reports() -> Response:
        """The figures of some days, as plots and as tables."""
        asked = _asked()
        context: dict[str, Any] = {
            "asked": asked,
            "spans": SPANS,
            "longest": LONGEST,
            "errors": asked.errors,
        }
        if asked.span is None:
            return await door.show("reports.html", 422, **context)
        told = await office.counting.report(asked.span)
        topics, councils = _named(told.topics, _flows()), _named(told.councils, _councils())
        return await door.show(
            "reports.html",
            **context,
            told=told,
            topics=topics,
            councils=councils,
            fewest=FEWEST,
            # What is marked is our own drawing: its words are escaped where it is drawn.
            plots={name: Markup(drawn) for name, drawn in _drawn(told, topics, councils).items()},  # noqa: S704
            hours=_hours,
            in_words=words.span_of(asked.span.first, asked.span.last),
        )

    @door.page("/reports.csv", Role.SUPERVISOR)
    async def export_report() -> Response:
        """The days as a spreadsheet."""
        asked = _asked()
        if asked.span is None:
            return door.go("/reports", **{"from": asked.first, "to": asked.last})
        told = await office.counting.report(asked.span)
        about = f"report of {asked.span.first} to {asked.span.last}"
        await office.register.note(g.member.name, "exported", about)
        answer = Response(_table(told), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = "attachment; filename=report.csv"
        return answer

    def _asked() -> Asked:
        now = office.clock()
        first, last = request.args.get("from", ""), request.args.get("to", "")
        if first or last:
            return _between(first.strip(), last.strip(), now.astimezone(LONDON).date())
        chosen = request.args.get("span", "")
        chosen = chosen if chosen in SPANS else USUAL
        span = last_months(now, 3) if chosen == "months" else last_days(now, int(chosen))
        return Asked(span, chosen, str(span.first), str(span.last), {})

    def _flows() -> dict[str, str]:
        others = f"Others (fewer than {FEWEST} requests each)"
        return {"": "No topic", OTHERS: others, **Topics(office.book()).flows()}

    def _councils() -> dict[str, str]:
        names = {one.entry.gss_code: one.spoken for one in office.directory().councils}
        return {"": "No council", OTHERS: "All others", **names}


def _between(first: str, last: str, today: date) -> Asked:
    """The span from one day to another, as they were typed."""
    days: dict[str, date] = {}
    errors: dict[str, str] = {}
    for name, text in (("from", first), ("to", last)):
        try:
            days[name] = date.fromisoformat(text)
        except ValueError:
            errors[name] = "Give a day, such as 2026-11-24."
        else:
            if days[name] > today:
                errors[name] = "Choose a day that is not after today."
    span = None
    if not errors and days["from"] > days["to"]:
        errors["to"] = "Choose a last day that is not before the first."
    elif not errors:
        try:
            span = Span(days["from"], days["to"])
        except NoSuchSpanError:
            errors["from"] = f"Choose at most {LONGEST} days."
    return Asked(span, "", first, last, errors)


def _named(shares: list[Share], names: Mapping[str, str]) -> list[tuple[str, Share]]:
    return [(names.get(share.key, share.key), share) for share in shares]


def _drawn(
    told: Report, topics: list[tuple[str, Share]], councils: list[tuple[str, Share]]
) -> dict[str, str]:
    """Every plot of which there is something to draw, by its name."""
    days, each, whole = list(told.days), list(told.days.values()), told.whole
    asked = [Panel("Asked", [day.asked for day in each])]
    spoken = [Panel("Spoken with", [day.spoke for day in each])]
    waits = [
        Panel("Until we first tried", [day.first_tried.half_h for day in each], is_line=True),
        Panel("Until we spoke", [day.spoken_with.half_h for day in each], is_line=True),
    ]
    many = f"{words.numbered(whole.asked, 'request')}, {whole.spoke:,} spoken with"
    hours = f"Half waited at most {_hours(whole.first_tried.half_h)} hours for the first try"
    drawn = {}
    if whole.asked or whole.spoke:
        said = Words("by-day", "Requests by day", f"{many}.")
        drawn["by-day"] = plots.by_day(said, days, asked + spoken)
    if whole.first_tried.count or whole.spoken_with.count:
        said = Words("waits", "Hours that half of the callers waited, by day", f"{hours}.")
        drawn["waits"] = plots.by_day(said, days, waits, whole=False)
    rows = {
        "outcomes": [(name.capitalize(), count) for name, count in told.outcomes.items() if count],
        "topics": [(name, share.asked) for name, share in topics],
        "councils": [(name, share.asked) for name, share in councils],
    }
    titles = {"outcomes": "How it went", "topics": "Topics", "councils": "Councils"}
    for name, bars in rows.items():
        if bars:
            most, count = max(bars, key=lambda bar: bar[1])
            said = Words(name, titles[name], f"Most: {most}, {count:,}.")
            drawn[name] = plots.across(said, bars)
    return drawn


def _hours(hours: float | None) -> str:
    return "–" if hours is None else f"{hours:,.1f}"


def _table(told: Report) -> str:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for day, one in told.days.items():
        writer.writerow((day, *_cells(one)))
    return written.getvalue()


def _cells(one: Counted) -> tuple[int | float | None, ...]:
    first, spoken = one.first_tried, one.spoken_with
    counts = (one.asked, one.spoke, one.ended, one.kept, one.late, first.count)
    return (*counts, first.half_h, first.nine_of_ten_h, spoken.half_h, spoken.nine_of_ten_h)
