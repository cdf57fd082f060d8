"""Colleagues: adding them, what they may do, a new password, removing them."""

from quart import Response, g, request

from ivr.errors import HelplineError
from ivr.names import name_key
from ivr.people.register import BarredNameError, NoSuchPersonError
from ivr.people.tables import Role
from ivr.staff.door import Door, field
from ivr.staff.office import Office


def add_pages(door: Door, office: Office) -> None:
    """Give the door the pages of people. Names travel in forms, never in addresses."""

    @door.page("/people", Role.ADMINISTRATOR)
    async def people() -> Response:
        """Everybody."""
        return await _people()

    @door.page("/people/add", Role.ADMINISTRATOR, "POST")
    async def add_person() -> Response:
        """A new colleague: here is their first password, this once."""
        form = await request.form
        name, role = field(form, "name"), field(form, "role")
        try:
            password = await office.register.add(name, role, g.member.name)
        except HelplineError as refused:
            wrong = {"name": str(refused)}
            return await _people(422, errors=wrong, name=name, role=role)
        return await door.show("first_password.html", name=name, password=password, is_new=True)

    @door.page("/people/role", Role.ADMINISTRATOR, "POST")
    async def give_role() -> Response:
        """They may do this from now on."""
        form = await request.form
        name, role = field(form, "name"), field(form, "role")
        try:
            await office.register.give_role(name, role, g.member.name)
        except HelplineError as refused:
            return await _people(422, errors={"everybody": str(refused)})
        still_here = role == Role.ADMINISTRATOR or not _is_me(name)
        return door.go("/people" if still_here else "/", done="role")

    @door.page("/people/reset", Role.ADMINISTRATOR, "POST")
    async def reset_password() -> Response:
        """They cannot get in: here is a new password, this once."""
        name = field(await request.form, "name")
        if _is_me(name):
            return await _people(422, errors={"everybody": "Change your own under Your account."})
        try:
            password = await office.register.reset(name, g.member.name)
        except NoSuchPersonError:
            return await _gone()
        except BarredNameError as refused:
            return await _people(422, errors={"everybody": str(refused)})
        return await door.show("first_password.html", name=name, password=password, is_new=False)

    @door.page("/people/remove", Role.ADMINISTRATOR, "POST")
    async def remove_person() -> Response:
        """They may not come in any more, once that is confirmed."""
        form = await request.form
        name = field(form, "name")
        if _is_me(name):
            error = "You cannot remove yourself; another administrator can."
            return await _people(422, errors={"everybody": error})
        if name_key(name) not in [name_key(one.name) for one in await office.register.everybody()]:
            return await _gone()
        if "sure" not in form:
            return await door.show("remove.html", name=name)
        try:
            await office.register.remove(name, g.member.name)
        except HelplineError as refused:
            return await _people(422, errors={"everybody": str(refused)})
        return door.go("/people", done="removed")

    async def _gone() -> Response:
        return await _people(409, errors={"everybody": "They were removed, or renamed, meanwhile."})

    async def _people(status: int = 200, **context: object) -> Response:
        found = await office.register.everybody()
        return await door.show("people.html", status, found=found, roles=list(Role), **context)


def _is_me(name: str) -> bool:
    return name_key(name) == name_key(g.member.name)
