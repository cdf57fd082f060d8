"""Who is on duty: whose phone is rung when a caller asks for our team."""

from collections.abc import Mapping

from quart import Response, g, request

from ivr.duty.roster import NotOnDutyError, PhoneTakenError
from ivr.duty.shift import WrongTimeError, ends_at
from ivr.names import name_key
from ivr.numbers import usable
from ivr.people.tables import Role
from ivr.staff.door import Door, field
from ivr.staff.office import Office


def add_pages(door: Door, office: Office) -> None:
    """Give the door the page of who is on duty."""

    @door.page("/duty", Role.ADVISER)
    async def duty() -> Response:
        """The page."""
        return await _page()

    @door.page("/duty/on", Role.ADVISER, "POST")
    async def on_duty() -> Response:
        """Ring me from now on, at this number and until then."""
        form = await request.form
        number, errors = usable(field(form, "phone"), office.demo), {}
        if not number:
            errors["phone"] = "Give a UK number that begins with 01, 02, 03 or 07."
        try:
            until = ends_at(field(form, "until"), office.clock())
            if not errors:
                await office.roster.on(g.member.name, number, until)
        except WrongTimeError as wrong:
            errors["until"] = str(wrong)
        except PhoneTakenError as taken:
            errors["phone"] = str(taken)
        if errors:
            return await _page(422, form, errors)
        await office.register.note(g.member.name, "went on duty")
        return door.go("/duty", done="on-duty")

    @door.page("/duty/off", Role.ADVISER, "POST")
    async def off_duty() -> Response:
        """Ring me no more; a supervisor can say so for a colleague who forgot."""
        name = field(await request.form, "name") or g.member.name
        if name_key(name) != name_key(g.member.name) and not g.member.role.includes(
            Role.SUPERVISOR
        ):
            return await _page(403)
        try:
            await office.roster.off(name)
        except NotOnDutyError:  # they are off already
            return door.go("/duty", done="off-duty")
        await office.register.note(g.member.name, "took off duty", name)
        return door.go("/duty", done="off-duty")

    async def _page(
        status: int = 200,
        form: Mapping[str, str] | None = None,
        errors: dict[str, str] | None = None,
    ) -> Response:
        everybody = await office.roster.listed()
        mine = name_key(g.member.name)
        return await door.show(
            "duty.html",
            status,
            everybody=everybody,
            is_on=any(name_key(one.name) == mine for one in everybody),
            is_open=office.hours().is_open(office.clock()),
            form=form or {},
            errors=errors or {},
        )
