"""Texts of which nobody can say whether they were sent: whoever is at work can send them again.

A text of a call-back request is sent again on the page of that request, by whoever holds it.
"""

from quart import Response, g, request

from ivr.people.tables import Role
from ivr.staff import words
from ivr.staff.door import Door, field
from ivr.staff.office import Office

AT_ONCE = 50  # texts on the page


def add_pages(door: Door, office: Office) -> None:
    """Give the door the page of these texts."""

    @door.page("/texts", Role.ADVISER)
    async def doubtful_texts() -> Response:
        """Those of the last day."""
        return await door.show(
            "doubtful.html",
            found=await office.post.thread.doubtful(AT_ONCE),
            many=AT_ONCE,
            kinds=words.TEXT_KINDS,
            can_text=office.post.can_text,
        )

    @door.page("/texts/again", Role.ADVISER, "POST")
    async def text_of_none_again() -> Response:
        """Send one again that belongs to no request."""
        which = field(await request.form, "text")
        message = int(which) if which.isascii() and which.isdecimal() and len(which) < 10 else 0
        again = office.post.can_text and await office.post.thread.again(
            message, None, g.member.name
        )
        if again:
            await office.register.note(g.member.name, "sent a text again", f"text {message}")
        return door.go("/texts", done="text-again" if again else "text-not-again")
