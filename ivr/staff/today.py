"""Today: the hours of the coming days, closed days, and the notice that callers hear first."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from quart import Response, g, request

from ivr.callbacks.planning import Promised
from ivr.core.flow import Book
from ivr.core.saying import WORDS_A_MINUTE
from ivr.core.wording import labelled, line
from ivr.hours import LONDON, Opening, bank_holiday
from ivr.people.tables import Role
from ivr.staff import words
from ivr.staff.door import Door, field
from ivr.staff.office import Office
from ivr.today.diary import (
    NoReasonError,
    QuickerError,
    WrongDayError,
    WrongEndError,
    WrongTimesError,
)
from ivr.today.ear import LONGEST, NotForTheEarError, fit
from ivr.today.tables import Closure
from ivr.today.today import opening_of

AHEAD = 14  # days after today that are shown

# Beside which field it is told that a day cannot be changed so.
FIELDS = {
    WrongDayError: "day",
    QuickerError: "day",
    WrongTimesError: "closes",
    NoReasonError: "reason",
}

_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")

Errors = dict[str, str]


@dataclass(frozen=True, slots=True)
class Day:
    """A day as the page shows it."""

    day: date
    name: str  # "Tuesday 24 November"
    hours: str  # "9 am to 5 pm", "Closed"
    why: str  # a bank holiday's name, or what colleagues wrote
    is_changed: bool
    unkept: list[Promised]  # what was promised for it, and cannot be kept


class TodayPages:
    """The page of the day, and what supervisors can change there."""

    def __init__(self, door: Door, office: Office) -> None:
        self._door, self._office = door, office
        door.page("/today", Role.ADVISER)(self.today)
        door.page("/today/hours", Role.SUPERVISOR, "POST")(self.change_hours)
        door.page("/today/usual", Role.SUPERVISOR, "POST")(self.usual_hours)
        door.page("/today/notice", Role.SUPERVISOR, "POST")(self.put_up)
        door.page("/today/no-notice", Role.SUPERVISOR, "POST")(self.take_down)

    async def today(self) -> Response:
        """The page."""
        return await self._page()

    async def change_hours(self) -> Response:
        """This day is closed, or has other hours."""
        form, diary = await request.form, self._office.diary
        reason, errors = field(form, "reason"), Errors()
        day, opening = _day(form, "day", errors), _opening(form, errors)
        if day is None or errors:
            return await self._page(422, form, errors)
        try:
            diary.check(day, opening, reason)
            await self._note("changed the hours", f"{day}: {_hours(opening)}")
            await diary.change(day, opening, reason, g.member.name)
        except tuple(FIELDS) as refused:
            return await self._page(422, form, {FIELDS[type(refused)]: str(refused)})
        return self._door.go("/today", done="day-changed")

    async def usual_hours(self) -> Response:
        """This day has its usual hours again."""
        form = await request.form
        day = _day(form, "day", {})
        if day is not None:
            await self._note("gave back the usual hours", f"{day}")
            await self._office.diary.undo(day)
        return self._door.go("/today", done="day-usual")

    async def put_up(self) -> Response:
        """Callers hear this from now on; or, first, how would it sound?"""
        form, diary = await request.form, self._office.diary
        text, errors = field(form, "text"), Errors()
        try:
            text = fit(text)
        except NotForTheEarError as refused:
            errors["text"] = str(refused)
        last = _day(form, "last", errors)
        try:
            if last is not None:
                diary.end(last)
        except WrongEndError as refused:
            errors["last"] = str(refused)
        if last is None or errors:
            return await self._page(422, form, errors)
        if "preview" in form:
            return await self._page(form=form, preview=text)
        await self._note("put up a notice", text)
        await diary.put_up(text, last, g.member.name)
        return self._door.go("/today", done="notice-up")

    async def take_down(self) -> Response:
        """Callers hear it no longer."""
        await self._note("took down the notice")
        await self._office.diary.take_down()
        return self._door.go("/today", done="notice-down")

    async def _note(self, what: str, about: str = "") -> None:
        await self._office.register.note(g.member.name, what, about[:128])

    async def _page(
        self,
        status: int = 200,
        form: Mapping[str, str] | None = None,
        errors: Errors | None = None,
        preview: str = "",
    ) -> Response:
        diary = self._office.diary
        today, changed = diary.day(), {one.day: one for one in await diary.closures()}
        last = today + timedelta(days=AHEAD)
        near = [today + timedelta(days=ahead) for ahead in range(AHEAD + 1)]
        days = [await self._shown(day, changed.get(day)) for day in near]
        later = [await self._shown(day, one) for day, one in changed.items() if day > last]
        notice, book = await diary.notice(), self._office.book()
        return await self._door.show(
            "today.html",
            status,
            today=today,
            days=days,
            later=later,
            unkept=[one for one in (*days, *later) if one.unkept],
            heard=notice,
            heard_until=_named(_last_day(notice.until_at)) if notice else "",
            before=_before(book),
            after=labelled(book, book.frame.person, "0").text,
            preview=preview,
            seconds=math.ceil(len(preview.split()) * 60 / WORDS_A_MINUTE),
            longest=LONGEST,
            form=form or {},
            errors=errors or {},
        )

    async def _shown(self, day: date, closure: Closure | None) -> Day:
        opening = opening_of(closure) if closure else self._office.hours().opening(day)
        holiday = bank_holiday(day)
        usual = f"Bank holiday: {holiday}" if holiday else ""
        return Day(
            day=day,
            name=_named(day),
            hours=_hours(opening),
            why=f"{closure.reason} ({closure.who})" if closure else usual,
            is_changed=closure is not None,
            unkept=await self._office.backlog.unkept(day) if closure else [],
        )


def _named(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def _hours(opening: Opening | None) -> str:
    """The hours of a day in words."""
    if opening is None:
        return "Closed"
    ends = (datetime.combine(date.min, end, LONDON) for end in (opening.opens, opening.closes))
    return " to ".join(map(words.clock, ends))


def _last_day(until: datetime) -> date:
    """The day at whose end something ends."""
    return (until.astimezone(LONDON) - timedelta(seconds=1)).date()


def _before(book: Book) -> str:
    """What callers hear before the notice."""
    says = getattr(book.steps[book.start], "say", ())
    return " ".join(line(book, prompt, {}).text for prompt in says)


# --- what was typed ----------------------------------------------------------------------------


def _day(form: Mapping[str, str], name: str, errors: Errors) -> date | None:
    try:
        return date.fromisoformat(field(form, name))
    except ValueError:
        errors[name] = "Choose a day, or write it like 2026-11-25: year, month, day."
        return None


def _opening(form: Mapping[str, str], errors: Errors) -> Opening | None:
    """The other hours; None when both fields are empty."""
    typed = {name: field(form, name) for name in ("opens", "closes")}
    if not any(typed.values()):
        return None
    found: dict[str, time] = {}
    for name, text in typed.items():
        match = _CLOCK.fullmatch(text)
        if match:
            found[name] = time(int(match[1]), int(match[2]))
        else:
            errors[name] = "Write both times like 9:30 or 16:00, or leave both empty."
    return None if errors else Opening(found["opens"], found["closes"])
