"""A save, a claim and the queue's page beside 100 and 100,000 requests, in both databases."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import randbelow, token_hex
from statistics import median
from typing import Any

from cryptography.fernet import Fernet
from quart.typing import TestClientProtocol as QuartClient
from sqlmodel import SQLModel, insert

from ivr.app import create_app
from ivr.callbacks.desk import Desk
from ivr.callbacks.keeping import Keeper
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.service import Wishing
from ivr.callbacks.spool import Spool
from ivr.callbacks.tables import CallBackEffect, CallBackEvent, CallBackRequest
from ivr.callbacks.wishes import Kind
from ivr.config import load_settings
from ivr.conversation import Call
from ivr.core.call import Ask
from ivr.database import Database, upgrade
from ivr.hours import load_hours
from ivr.house import build, now
from ivr.people.sign_in import Attempt
from ivr.staff.door import SESSION
from ivr.staff.queue import AT_ONCE as AT_ONCE_ON_A_PAGE
from tests.bench.report import Row
from tests.bench.servers import ROOT
from tests.databases import KINDS, new_url
from tests.helplines import settings_of

FEW, MANY = 100, 100_000
AT_ONCE = 5_000
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
FACTS = {
    "slot": "any",
    "due_at": "2026-11-24T17:00:00Z",
    "council": "E10000030",
    "topic": "school/rights",
}
PASSWORD = "a few words in a row"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def saving(folder: Path, rounds: int, times: int) -> list[Row]:
    """How long a save and a claim take beside few and many, in rounds that alternate."""
    return [row for kind in KINDS for row in asyncio.run(_beside(kind, folder, rounds, times))]


@dataclass(frozen=True)
class Office:
    """One database with this many open requests, and what works on it."""

    database: Database
    save: Wishing
    desk: Desk
    browser: QuartClient  # somebody is signed in


async def _beside(kind: str, folder: Path, rounds: int, times: int) -> list[Row]:
    keys = Keys((Fernet.generate_key(),), b"a key of this measurement alone")
    offices = {size: await _office(kind, folder, size, keys) for size in (FEW, MANY)}
    works: dict[str, Callable[[Office], Awaitable[float]]] = {
        "a save": _save,
        "a claim": _claim,
        "the queue's page": _page,
    }
    rows = []
    try:
        for what, work in works.items():
            took: dict[int, list[float]] = {FEW: [], MANY: []}
            for number in range(rounds + 1):
                for size, office in offices.items():
                    seconds = median([await work(office) for _ in range(times)])
                    if number:  # the first round warms up
                        took[size].append(seconds)
            rows.append(compared(f"{what} in {NAMES[kind]}", took))
    finally:
        for office in offices.values():
            await office.database.close()
    return rows


async def _office(kind: str, folder: Path, size: int, keys: Keys) -> Office:
    place = folder / f"{kind}-{size}"
    place.mkdir()
    url = new_url(kind, place)
    await upgrade(url)
    database = Database(url)
    await _fill(database, size, keys.seal("+447400123456"))
    keeper = Keeper(Ledger(database, keys), Spool(place / "spool", keys))
    hours = load_hours(ROOT / "flows" / "data" / "hours.yaml")
    return Office(
        database,
        Wishing(Kind.SAVE, keeper, keys, now, demo=False),
        Desk(database, keys, lambda: hours, now),
        await browser_of(url, place),
    )


async def browser_of(url: str, place: Path) -> QuartClient:
    """A supervisor of the helpline on this database, with a session."""
    settings = load_settings(settings_of(place, "http://127.0.0.1") | {"IVR_DATABASE_URL": url})
    house = build(settings)
    await house.register.add("Bench", "supervisor", by="bench", password=PASSWORD)
    signed = await house.entrance.sign_in(Attempt("Bench", PASSWORD))
    await house.database.close()
    browser = create_app(settings).test_client()
    browser.set_cookie("127.0.0.1", SESSION, signed.token, path="/staff")
    return browser


def compared(what: str, took: Mapping[int, Sequence[float]]) -> Row:
    """The row of one kind of work beside few and many requests, by how many there were."""
    (few, seconds_few), (many, seconds_many) = sorted(took.items())
    ratio = median(more / less for less, more in zip(seconds_few, seconds_many, strict=True))
    few_ms, many_ms = median(seconds_few) * 1000, median(seconds_many) * 1000
    return Row(
        f"{what}, beside {few:,} and {many:,} requests",
        f"{few_ms:.1f} and {many_ms:.1f} ms, {ratio:.2f} x",
        "<= 2 x",
        ratio <= 2,
    )


async def _save(office: Office) -> float:
    """Seconds for one save of somebody who has not asked before."""
    number = f"+447400{randbelow(1_000_000):06d}"
    ask = Ask("save-call-back", {**FACTS, "number": number}, "callback/save", 7)
    begun = time.perf_counter()
    answer = await office.save(ask, Call(f"CA{token_hex(16)}"))
    took = time.perf_counter() - begun
    if answer.outcome not in ("saved", "already"):
        raise SystemExit(f"A save ended with {answer.outcome}.")
    return took


async def _claim(office: Office) -> float:
    """Seconds until the next due is claimed; it is given back then."""
    begun = time.perf_counter()
    claim = await office.desk.claim_next("bench")
    took = time.perf_counter() - begun
    if claim is None:
        raise SystemExit("There was nothing to claim.")
    await office.desk.release(claim)
    return took


async def _page(office: Office) -> float:
    """Seconds for the queue's first page, as a browser gets it."""
    begun = time.perf_counter()
    answer = await office.browser.get("/staff/", headers={"Host": "127.0.0.1"})
    page = await answer.get_data(as_text=True)
    took = time.perf_counter() - begun
    if page.count('class="card') != AT_ONCE_ON_A_PAGE:
        raise SystemExit(f"The queue's page was answered {answer.status_code}.")
    return took


async def _fill(database: Database, size: int, sealed: str) -> None:
    """Put this many requests into the empty tables, each with its effect and its event."""
    request = fields_of(
        CallBackRequest(
            reference="",
            number=sealed,
            number_hash="",
            requested_at=NOW,
            due_at=NOW,
            slot=FACTS["slot"],
            topic=FACTS["topic"],
            council=FACTS["council"],
        )
    )
    effect = fields_of(
        CallBackEffect(effect="", outcome="saved", reference="", request_id=0, at=NOW)
    )
    event = fields_of(CallBackEvent(request_id=0, at=NOW, who="caller", what="saved"))
    for first in range(1, size + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, size + 1))  # the ids that they will get
        async with database.writing() as session:
            connection = await session.connection()
            rows = [request | _varied() for _ in numbers]
            await connection.execute(insert(CallBackRequest), rows)
            told = [
                {"effect": token_hex(32), "reference": row["reference"], "request_id": number}
                for number, row in zip(numbers, rows, strict=True)
            ]
            await connection.execute(insert(CallBackEffect), [effect | row for row in told])
            happened = [event | {"request_id": number} for number in numbers]
            await connection.execute(insert(CallBackEvent), happened)


def fields_of(row: SQLModel) -> dict[str, Any]:
    """The columns of a row that is not kept yet, with their defaults."""
    return row.model_dump(exclude={"id"})


def _varied() -> dict[str, Any]:
    """What differs from request to request: one of the last weeks, still open."""
    return {
        "reference": f"{randbelow(1_000_000):06d}",
        "number_hash": token_hex(32),
        "requested_at": NOW - timedelta(minutes=randbelow(30_000)),
        "due_at": NOW + timedelta(minutes=randbelow(3_000)),
    }
