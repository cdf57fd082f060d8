"""One's own account: password and one-time codes."""

import segno
from markupsafe import Markup
from quart import Response, g, request

from ivr.people.passwords import SHORTEST, BusyError, WeakPasswordError
from ivr.people.sign_in import WrongCodeError, WrongPasswordError
from ivr.people.tables import Role
from ivr.staff.door import Door, field
from ivr.staff.office import Office
from ivr.vault import UnreadableError


def add_pages(door: Door, office: Office) -> None:
    """Give the door the pages of one's own account."""

    @door.page("/account", Role.ADVISER)
    async def account() -> Response:
        """Who am I here?"""
        return await door.show("account.html")

    @door.page("/account/password", Role.ADVISER, "GET", "POST")
    async def password() -> Response:
        """Choose another password."""
        if request.method == "GET":
            return await door.show("password.html", shortest=SHORTEST)
        form = await request.form
        old, new = form.get("old", ""), form.get("new", "")
        try:
            token = await office.entrance.change_password(g.member, old, new)
        except (WrongPasswordError, WeakPasswordError, BusyError) as refused:
            wrong = "new" if isinstance(refused, WeakPasswordError) else "old"
            errors, status = {wrong: str(refused)}, _status(refused)
            return await door.show("password.html", status, shortest=SHORTEST, errors=errors)
        answer = door.go(done="password")
        door.keep_session(answer, token)
        return answer

    @door.page("/account/codes", Role.ADVISER, "GET", "POST")
    async def codes() -> Response:
        """Sign in with one-time codes too."""
        if request.method == "GET":
            return await _codes(office.entrance.new_code_secret())
        form = await request.form
        try:
            secret = office.entrance.unsealed_secret(g.member, field(form, "secret"))
            await office.entrance.use_codes(g.member, secret, field(form, "code"))
        except UnreadableError:
            return door.go("/account/codes")  # the page was left open too long: a new secret
        except WrongCodeError as wrong:
            return await _codes(secret, 422, errors={"code": str(wrong)})
        return door.go("/account", done="codes")

    @door.page("/account/codes/stop", Role.ADVISER, "POST")
    async def stop_codes() -> Response:
        """Sign in without codes."""
        form = await request.form
        try:
            await office.entrance.stop_codes(g.member, form.get("present", ""))
        except (WrongPasswordError, BusyError) as refused:
            errors = {"present": str(refused)}
            return await door.show("account.html", _status(refused), errors=errors)
        return door.go("/account", done="no-codes")

    async def _codes(secret: str, status: int = 200, **context: object) -> Response:
        picture = segno.make(office.entrance.code_address(g.member, secret))
        drawn = picture.svg_inline(
            scale=5, light="white", title="The secret, as a picture for your app"
        )
        return await door.show(
            "codes.html",
            status,
            picture=Markup(drawn),  # noqa: S704 - our own drawing
            secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
            sealed=office.entrance.sealed_secret(g.member, secret),
            **context,
        )


def _status(refused: Exception) -> int:
    """The status of a form that was not taken: wrong (422), or too many at this moment (429)."""
    return 429 if isinstance(refused, BusyError) else 422
