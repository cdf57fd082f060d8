"""The queue: who waits to be rung, the next due first."""

import csv
import io
from typing import Any

from quart import Response, g, request

from ivr.callbacks.queue import MANY
from ivr.callbacks.records import Looking, Shown, View
from ivr.people.tables import Role
from ivr.staff.contact_rules import contact_rules
from ivr.staff.door import Door, field, number
from ivr.staff.office import Office
from ivr.staff.topics import Topics

AT_ONCE = 50  # requests on a page
LONGEST_SEARCH = 40  # characters

COLUMNS = (  # of the spreadsheet
    *("reference", "state", "requested", "due", "topic", "council", "attempts"),
    *("urgent", "safety"),
)
VIEWS = {
    View.OPEN: "All open",
    View.TODAY: "Due today",
    View.MISSED: "Late",
    View.URGENT: "Urgent",
    View.SAFETY: "Pressed “not safe”",
    View.MINE: "Mine",
    View.ENDED: "Ended",
}


def add_pages(door: Door, office: Office) -> None:
    """Give the door the pages of the queue."""

    @door.page("/", Role.ADVISER)
    async def queue() -> Response:
        """The queue, or a part of it."""
        looking, at_page = _looking(), _page_number()
        total = await office.queue.count(looking)
        found = await office.queue.page(looking, (at_page - 1) * AT_ONCE, AT_ONCE + 1)
        late = await office.queue.count(Looking(View.MISSED))
        urgent = await office.queue.count(Looking(View.URGENT))
        pressed = await office.queue.count(Looking(View.SAFETY))
        return await door.show(
            "queue.html",
            **_common(),
            found=found[:AT_ONCE],
            total=total,
            looking=looking,
            number=at_page,
            is_last=len(found) <= AT_ONCE,
            late=late,
            urgent=urgent,
            pressed=pressed,
            alarm_fault="" if office.demo else await office.alarm.fault(),
            doubts=await office.post.thread.doubts(),
            last_event=await office.queue.last_event(),
        )

    @door.page("/search", Role.ADVISER, "POST")
    async def search() -> Response:
        """What was looked for. By POST: a number does not belong into an address."""
        text = field(await request.form, "search")[:LONGEST_SEARCH]
        found = await office.queue.search(text)
        context: dict[str, Any] = {"found": found, "search": text, "total": len(found)}
        return await door.show("queue.html", **_common(), **context)

    @door.page("/next", Role.ADVISER, "POST")
    async def take_next() -> Response:
        """Claim the request that is due next: one, though the button be pressed twice."""
        after = number(await request.form, "after")
        if after and (mine := await office.queue.claimed_after(after, g.member.name)):
            return door.go(f"/requests/{mine}")
        claim = await office.desk.claim_next(g.member.name)
        if claim is None:
            return door.go(done="nothing")
        await office.queue.saw(claim.request_id, g.member.name)
        return door.go(f"/requests/{claim.request_id}")

    @door.page("/requests.csv", Role.SUPERVISOR)
    async def export() -> Response:
        """The requests of this view as a spreadsheet; numbers masked."""
        found, looking = list[Shown](), _looking()
        while more := await office.queue.page(looking, len(found), MANY):
            found += more
        await office.register.note(g.member.name, "exported", f"{len(found)} requests")
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow(COLUMNS)
        for one in found:
            record = one.record
            due, asked = one.record.due_at, one.record.requested_at
            row = (record.reference, record.state, asked, due, record.topic, record.council)
            writer.writerow((*row, record.attempts, record.urgent, record.safety))
        answer = Response(written.getvalue(), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = "attachment; filename=call-backs.csv"
        return answer

    def _looking() -> Looking:
        view = request.args.get("view", "")
        return Looking(
            view=View(view) if view in list(View) else View.OPEN,
            who=g.member.name,
            flow=field(request.args, "about"),
            council=field(request.args, "council"),
        )

    def _common() -> dict[str, Any]:
        names = {one.entry.gss_code: one.spoken for one in office.directory().councils}
        return {
            "views": VIEWS,
            "topics": Topics(office.book()),
            "councils": names,
            "many": MANY,
            "contact_rules": contact_rules,
        }


def _page_number() -> int:
    given = request.args.get("page", "1")
    return max(1, min(int(given), MANY)) if given.isdecimal() and len(given) < 6 else 1
