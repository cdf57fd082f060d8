"""Signing in and out."""

from quart import Response, g, request

from ivr.people.passwords import BusyError
from ivr.people.sign_in import Attempt, RefusedError, WaitError
from ivr.people.tables import Role
from ivr.staff.door import DEVICE, Door, field, is_ours
from ivr.staff.office import Office


def add_pages(door: Door, office: Office) -> None:
    """Give the door its sign-in pages."""

    @door.page("/sign-in", None, "GET", "POST")
    async def sign_in() -> Response:
        """Who are you?"""
        if request.method == "GET":
            return await door.show("sign_in.html", onward=_onward(request.args.get("next", "")))
        form = await request.form
        attempt = Attempt(
            name=field(form, "name"),
            password=form.get("password", ""),
            code=field(form, "code"),
            device=request.cookies.get(DEVICE, ""),
            address=_address(office.proxies),
        )
        onward = _onward(field(form, "next"))
        try:
            signed = await office.entrance.sign_in(attempt)
        except (RefusedError, WaitError, BusyError) as refused:
            status = 422 if isinstance(refused, RefusedError) else 429
            errors = {"name": str(refused)}
            return await door.show(
                "sign_in.html", status, name=attempt.name, onward=onward, errors=errors
            )
        return door.let_in(door.go(onward), signed)

    @door.page("/sign-out", Role.ADVISER, "POST")
    async def sign_out() -> Response:
        """End this session."""
        await office.entrance.sign_out(g.token)
        return door.let_out(door.go("/sign-in", done="signed-out"))

    @door.page("", None)
    async def bare() -> Response:
        """The address as people type it."""
        return door.go("/")

    @door.page("/<path:rest>", None, "GET", "POST", "PUT", "PATCH", "DELETE")
    async def nothing_here(rest: str) -> Response:
        """There is no such page."""
        return await door.show("problem.html", 404, problem="missing")


def _address(proxies: int) -> str:
    """Where the browser is: what the outermost of our own proxies saw, or else the peer address.

    A proxy may append to the header's line or add a line of its own; both mean the same list (RFC
    9110, 5.3).
    """
    seen = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    if proxies and len(seen) >= proxies:
        return seen[-proxies].strip()
    return str(request.remote_addr or "")


def _onward(path: str) -> str:
    """Where to go after signing in: only to a page of ours."""
    return path if is_ours(path) and not path.startswith("/sign") else "/"
