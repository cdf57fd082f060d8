"""The directory: which councils can be answered today, and one council's contact to check, change
and undo."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quart import Response, g, request

from ivr.core.saying import Words
from ivr.core.speaking import WAYS
from ivr.directory.editing import FaultyError, NoSuchChangeError, QuickerError, merged
from ivr.directory.entries import CHANGEABLE, Council, Vouching, speakable
from ivr.directory.opening import understood
from ivr.directory.standing import RECENT, SOON, Standing, ring_first, standings
from ivr.directory.tables import DirectoryChange
from ivr.people.tables import Role
from ivr.staff.door import Door, field
from ivr.staff.office import Office

FIRST = 10  # councils to ring that are listed above all others
FIELDS = tuple(name for name in CHANGEABLE if name != "phone")  # it is made from the printed number
ONLY = {
    "": "All councils",
    "unanswered": "No number to give",
    "soon": f"Lapses within {SOON.days} days",
    "lapsed": "Lapsed",
    "answered": "Can be answered",
}
# Which field of the form by which a number is verified stands for a column; "number" for others.
VERIFYING = {"service_name": "called"}
LARGEST = 2**31 - 1  # of the numbers of requests and of changes

Errors = dict[str, str]


@dataclass(frozen=True, slots=True)
class Past:
    """A change as the page shows it."""

    change: DirectoryChange
    values: list[tuple[str, str, str]]  # column, old, new


class DirectoryPages:
    """The list of councils, and the page of one."""

    def __init__(self, door: Door, office: Office) -> None:
        self._door, self._office = door, office
        door.page("/directory", Role.ADVISER)(self.directory)
        door.page("/directory/<code>", Role.ADVISER)(self.council)
        door.page("/directory/<code>/verify", Role.ADVISER, "POST")(self.verify_number)
        door.page("/directory/<code>/edit", Role.SUPERVISOR, "POST")(self.edit_council)
        door.page("/directory/<code>/undo", Role.SUPERVISOR, "POST")(self.undo_change)

    async def directory(self) -> Response:
        """The list."""
        found = await self._standings()
        search, only = field(request.args, "search"), field(request.args, "only")
        first = [one for one in ring_first(found) if one.asked]
        return await self._door.show(
            "directory.html",
            answered=sum(one.is_answered for one in found),
            everybody=len(found),
            found=[one for one in self._named(found, search) if _fits(one, only)],
            first=first[:FIRST],
            soon=sum(one.lapses_soon for one in found),
            lapsed=sum(one.is_lapsed for one in found),
            recent=RECENT.days,
            choices=ONLY,
            search=search,
            only=only,
        )

    async def council(self, code: str) -> Response:
        """One council's page."""
        return await self._page(code)

    async def verify_number(self, code: str) -> Response:
        """I rang it, and it is right. Another number is for supervisors to enter."""
        form, editor = await request.form, self._office.editor
        number, called = field(form, "number"), field(form, "called")
        if not g.member.role.includes(Role.SUPERVISOR):
            number = called = ""
        if self._entry(code) is None:
            return self._door.go("/directory", done="no-council")
        try:
            await editor.verify(
                code, g.member.name, number, service_name=called, follows=_number(form, "follows")
            )
        except FaultyError as faulty:
            return await self._page(code, 422, form, _of_verifying(faulty.fields))
        except QuickerError as quicker:
            typed = {"phone_printed": number} if number else {}
            values, told = await self._merged(code, form, typed)
            return await self._page(
                code,
                409,
                {**form, **_of_verifying(values)},
                {"verify": str(quicker), **_of_verifying(told)},
            )
        await self._note("verified the number of", code)
        return self._back(code, form, "verified")

    async def edit_council(self, code: str) -> Response:
        """What is known of this council is this."""
        form = await request.form
        if self._entry(code) is None:
            return self._door.go("/directory", done="no-council")
        values = {name: field(form, name) for name in FIELDS if name in form}
        try:
            await self._office.editor.change(code, values, _number(form, "follows"), g.member.name)
        except FaultyError as faulty:
            errors = {
                "phone_printed" if name == "phone" else name: said
                for name, said in faulty.fields.items()
            }
            return await self._page(code, 422, form, errors)
        except QuickerError as quicker:
            values, told = await self._merged(code, form, values)
            return await self._page(code, 409, {**form, **values}, {"edit": str(quicker), **told})
        await self._note("changed what is known of", code)
        return self._back(code, form, "directory")

    async def undo_change(self, code: str) -> Response:
        """What was known before the last change is right."""
        form = await request.form
        if self._entry(code) is None:
            return self._door.go("/directory", done="no-council")
        try:
            await self._office.editor.undo(code, _number(form, "change"), g.member.name)
        except (FaultyError, NoSuchChangeError, QuickerError) as refused:
            return await self._page(code, 409, errors={"history": str(refused)})
        await self._note("undid a change of", code)
        return self._back(code, form, "undone")

    # --- what the pages show -------------------------------------------------------------------

    async def _page(
        self,
        code: str,
        status: int = 200,
        form: Mapping[str, str] | None = None,
        errors: Errors | None = None,
    ) -> Response:
        editor = self._office.editor
        found = next(
            (one for one in await self._standings() if one.council.entry.gss_code == code), None
        )
        if found is None:
            return self._door.go("/directory", done="no-council")
        entry, typed = found.council.entry, form or {}
        # Of the same moment as the entry; what was typed anew into a faulty form follows what that
        # form followed.
        last = _number(typed, "follows") if status == 422 else editor.last_change(code)
        return await self._door.show(
            "council.html",
            status,
            standing=found,
            council=found.council,
            entry=entry,
            called=speakable(entry.service_name),
            digits=_in_words(entry.phone_printed),
            hours=understood(entry.hours) is not None,
            sharing=self._sharing(found.council),
            past=[_past(one) for one in await editor.history(code)],
            last=last,
            states=[state.value for state in Vouching],
            values={name: typed.get(name, getattr(entry, name)) for name in FIELDS},
            typed=typed,
            request_id=_request(typed if form is not None else request.args),
            errors=errors or {},
        )

    async def _merged(
        self, code: str, form: Mapping[str, str], typed: Mapping[str, str]
    ) -> tuple[dict[str, str], Errors]:
        """What was typed into a form that is older than a colleague's change, over what is known
        now: what they did stays, but for what was typed. And what to tell beside which field."""
        editor = self._office.editor
        base = await editor.values_after(code, _number(form, "follows"))
        return merged(typed, base, editor.entry(code).values)

    async def _standings(self) -> list[Standing]:
        day = self._office.editor.day()
        asked = dict(await self._office.asked.most_asked(day - RECENT))
        return standings(self._office.directory(), day, asked)

    def _entry(self, code: str) -> Council | None:
        try:
            return self._office.directory().council(code)
        except KeyError:
            return None

    def _named(self, found: list[Standing], search: str) -> list[Standing]:
        """Those with a name that holds what was searched for, or with a place of that name."""
        if not search:
            return found
        shown = self._office.directory().show(search)
        meant = {shown.council} if shown.council else set(shown.candidates)
        wanted = search.casefold()
        held = [
            one
            for one in found
            if any(
                wanted in name.casefold()
                for name in (*one.council.names, one.council.entry.service_name)
            )
        ]
        return held or [one for one in found if one.council in meant]

    def _sharing(self, council: Council) -> list[str]:
        """The other councils with the same record."""
        return [
            one.entry.council
            for one in self._office.directory().councils
            if one.entry.recorded == council.entry.recorded and one is not council
        ]

    async def _note(self, what: str, code: str) -> None:
        about = f"{code} {self._office.editor.entry(code).council}"
        await self._office.register.note(g.member.name, what, about[:128])

    def _back(self, code: str, form: Mapping[str, str], done: str) -> Response:
        """To the request from which they came, or to the council's page."""
        number = _request(form)
        return self._door.go(f"/requests/{number}" if number else f"/directory/{code}", done=done)


def _of_verifying(columns: Mapping[str, str]) -> dict[str, str]:
    """Values, or what is told of them, by the fields of the form by which a number is verified."""
    return {VERIFYING.get(name, "number"): text for name, text in columns.items()}


def _fits(standing: Standing, only: str) -> bool:
    return {
        "unanswered": not standing.is_answered,
        "soon": standing.lapses_soon,
        "lapsed": standing.is_lapsed,
        "answered": standing.is_answered,
    }.get(only, True)


def _in_words(number: str) -> str:
    """How callers hear a number: "zero one one three, four nine six, ..."."""
    groups = (list(WAYS["digits"](group)) for group in number.split())
    return ", ".join(
        " ".join(one.text for one in group if isinstance(one, Words)) for group in groups
    )


def _past(change: DirectoryChange) -> Past:
    return Past(change, list(_changed(change)))


def _changed(change: DirectoryChange) -> Iterator[tuple[str, str, str]]:
    for column in CHANGEABLE:
        old, new = change.old.get(column, ""), change.new.get(column, "")
        if old != new:
            yield column, old, new


def _number(form: Mapping[str, str], name: str) -> int:
    """A number that the page gave itself; -1, which there never is, for anything else."""
    text = field(form, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _request(form: Mapping[str, str]) -> int:
    """The request from which somebody came; 0 for none."""
    return max(_number(form, "request"), 0)
