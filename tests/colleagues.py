"""Browsers without JavaScript, and helplines with three colleagues and one request to look at."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.wishes import Kind, Wish
from ivr.config import Settings, load_settings
from ivr.database import Database
from ivr.house import Clock, now
from ivr.people.register import Register
from tests.helplines import FORM, PATIENCE, helpline, settings_of

PASSWORD = "plum tower quiet river"
NUMBER = "+447700900123"
NAMES = {"adviser": "Ada Hill", "supervisor": "Sue Marsh", "administrator": "Ann Smith"}


@dataclass
class Browser:
    """Somebody's browser, without JavaScript."""

    wire: httpx.Client

    def get(self, path: str) -> httpx.Response:
        return self.wire.get(f"/staff{path}")

    def token(self) -> str:
        """What forms bring back: it stands in every page that has a form."""
        found = re.search(r'name="form_token" value="(\w+)"', self.get("/sign-in").text)
        assert found
        return found[1]

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.wire.post(f"/staff{path}", data={"form_token": self.token(), **fields})

    def send(self, path: str, body: bytes, kind: str = "") -> httpx.Response:
        """A body exactly as given."""
        headers = {"Content-Type": kind or FORM, "Connection": "close"}
        return self.wire.post(f"/staff{path}", content=body, headers=headers)

    def status(self, method: str, path: str) -> int:
        """How a form or a page is answered, without waiting for all of it."""
        data = {"form_token": self.token()} if method == "POST" else None
        with self.wire.stream(method, f"/staff{path}", data=data) as answer:
            return answer.status_code


@dataclass
class Place:
    """A helpline with three colleagues and one request."""

    settings: Settings
    port: int
    wires: list[httpx.Client] = field(default_factory=list)

    def browser(self, name: str = "", password: str = PASSWORD) -> Browser:
        """A browser, in which this person is signed in."""
        # Certificates are not needed, and loading them takes a while.
        wire = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", verify=False, timeout=PATIENCE
        )
        self.wires.append(wire)
        made = Browser(wire)
        if name:
            assert made.post("/sign-in", name=name, password=password).status_code == 303
        return made

    def do(self, what: Callable[[Database], Any]) -> Any:
        """Do something with its database."""

        async def doing() -> Any:
            database = Database(self.settings.database_url)
            try:
                return await what(database)
            finally:
                await database.close()

        return asyncio.run(doing())

    def kept(self) -> str:
        """All that a form could change, as one text."""

        async def all_rows(database: Database) -> str:
            async with database.reading() as session:
                connection = await session.connection()
                tables = ("callback_request", "callback_event", "person", "staff_event")
                found = [await connection.execute(text(f"select * from {t}")) for t in tables]
                return "\n".join(str(row) for result in found for row in result)

        return str(self.do(all_rows))


@contextmanager
def place(var: Path, clock: Clock = now, **settings: str) -> Iterator[Place]:
    """A helpline with one colleague of each role, and one request, which has the id 1."""
    with helpline(var, clock, **settings) as line:
        extra = {name: value for name, value in settings.items() if name.startswith("IVR_")}
        made = Place(load_settings(settings_of(var, line.public, **extra)), line.port)

        async def furnish(database: Database) -> None:
            for role, name in NAMES.items():
                await Register(database, clock).add(name, role, "root", PASSWORD)
            keys = Keys(made.settings.fernet_keys, made.settings.hash_key)
            wish = Wish(Kind.SAVE, keys.effect_hash("1"), "482195", NUMBER, clock(), "any", clock())
            await Ledger(database, keys).enter(wish)

        made.do(furnish)
        try:
            yield made
        finally:
            for wire in made.wires:
                wire.close()
