"""A helpline of hand-written pages, and what was asked of it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response, request

from ivr.handset import (
    Phone,
    Script,
    parse,
    scripted,
)

TOKEN = "the-token-of-the-test"
ONE_KEY = 'numDigits="1" finishOnKey="" actionOnEmptyResult="true"'


@dataclass
class Asked:
    """One request, as the helpline saw it."""

    method: str
    target: str  # raw path and query
    form: dict[str, str]
    signature: str


@dataclass
class Helpline:
    """Pages by path, and what was asked of it."""

    url: str
    pages: dict[str, str | bytes] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def says(self, verbs: str, at: str = "/voice") -> None:
        """Put a document there."""
        self.pages[at] = f"<?xml version='1.0' encoding='UTF-8'?><Response>{verbs}</Response>"

    @property
    def paths(self) -> list[str]:
        """Where requests went, in order."""
        return [asked.target for asked in self.asked]

    @property
    def form(self) -> dict[str, str]:
        """The form of the last request."""
        return self.asked[-1].form

    def phone(self, **settings: Any) -> Phone:
        """A phone that rings it."""
        return Phone(self.url, TOKEN, **settings)

    def app(self) -> Quart:
        """The server."""
        app = Quart("helpline")

        @app.route("/<path:path>", methods=["GET", "POST"])
        async def page(path: str) -> Response:
            form = await request.form
            query = request.query_string.decode()
            target = request.scope["raw_path"].decode() + (f"?{query}" if query else "")
            signed = request.headers.get("X-Twilio-Signature", "")
            self.asked.append(Asked(request.method, target, dict(form), signed))
            at = f"/{path}"
            kind = self.kinds.get(at, "text/xml")
            known = at in self.pages
            status = self.statuses.get(at, 200 if known else 404)
            return Response(self.pages.get(at, b""), status, content_type=kind)

        return app


@asynccontextmanager
async def handwritten() -> AsyncIterator[Helpline]:
    """A real server on a port of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    line = Helpline(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.accesslog = config.errorlog = None
    closing = asyncio.Event()
    server = asyncio.create_task(serve(line.app(), config, shutdown_trigger=closing.wait))
    try:
        yield line
    finally:
        closing.set()
        await server


async def play(line: Helpline, script: str, **settings: Any) -> Script:
    """A scripted call."""
    async with line.phone(**settings) as phone:
        return await scripted(phone, parse(script))
