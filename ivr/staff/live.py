"""What is new, while a page is open: server-sent events."""

from collections.abc import AsyncIterator

from quart import Response, g, request

from ivr.callbacks.bell import Bell
from ivr.people.tables import Role
from ivr.staff.door import Door, number

LASTS_S = 10.0  # seconds; browsers come back by themselves, and a server that stops waits for none


def add_pages(door: Door, bell: Bell) -> None:
    """Give the door the stream of news."""

    @door.page("/events", Role.ADVISER)
    async def events() -> Response:
        """How many requests others have changed since the page was made; of one request, whether
        anything happened to it."""
        after, of = number(request.args, "after"), number(request.args, "of")
        news = _news(bell, after, "" if of else g.member.name, of)
        stream = Response(news, content_type="text/event-stream")
        stream.timeout = None
        return stream


async def _news(bell: Bell, after: int, but_by: str, of: int) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    told = await bell.changed(after, but_by, of)
    if told:
        yield _news_of(told)
    await bell.wait(LASTS_S)
    changed = await bell.changed(after, but_by, of)
    if changed != told:
        yield _news_of(changed)


def _news_of(count: int) -> bytes:
    return f"event: news\ndata: {count}\n\n".encode()
