"""Saving a call-back beside 100 and beside 100,000 requests, in both databases."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import randbelow, token_hex
from statistics import median
from typing import Any

from cryptography.fernet import Fernet
from sqlmodel import SQLModel, insert

from ivr.callbacks.keys import Keys
from ivr.callbacks.service import SaveCallBack
from ivr.callbacks.tables import CallBackEffect, CallBackEvent, CallBackRequest
from ivr.conversation import Call
from ivr.core.call import Ask
from ivr.database import Database, upgrade
from tests.bench.report import Row
from tests.databases import KINDS, new_url

FEW, MANY = 100, 100_000
AT_ONCE = 5_000
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
FACTS = {
    "number": "+447400123456",
    "slot": "any",
    "due_at": "2026-11-24T17:00:00Z",
    "council": "E10000030",
    "topic": "school/rights",
}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def saving(folder: Path, rounds: int, saves: int) -> list[Row]:
    """How long a save takes beside few and many, in rounds that alternate."""
    return [asyncio.run(_saving(kind, folder, rounds, saves)) for kind in KINDS]


async def _saving(kind: str, folder: Path, rounds: int, saves: int) -> Row:
    keys = Keys((Fernet.generate_key(),), b"a key of this measurement alone")
    took: dict[int, list[float]] = {FEW: [], MANY: []}
    databases = {}
    for size in took:
        place = folder / f"{kind}-{size}"
        place.mkdir()
        url = new_url(kind, place)
        await upgrade(url)
        databases[size] = Database(url)
        await _fill(databases[size], size, keys.seal(FACTS["number"]))
    try:
        for number in range(rounds + 1):
            for size, database in databases.items():
                save = SaveCallBack(database, keys, lambda: datetime.now(UTC), demo=False)
                seconds = await _timed(save, saves)
                if number:  # the first round warms up
                    took[size].append(seconds)
    finally:
        for database in databases.values():
            await database.close()
    ratio = median(many / few for few, many in zip(took[FEW], took[MANY], strict=True))
    few_ms, many_ms = (median(took[size]) * 1000 for size in (FEW, MANY))
    return Row(
        f"a save in {NAMES[kind]}, beside {FEW} and {MANY:,} requests",
        f"{few_ms:.1f} and {many_ms:.1f} ms, {ratio:.2f} x",
        "<= 2 x",
        ratio <= 2,
    )


async def _timed(save: SaveCallBack, saves: int) -> float:
    """Seconds for one save, the median of several."""
    took = []
    for _ in range(saves):
        call = Call(f"CA{token_hex(16)}")
        begun = time.perf_counter()
        answer = await save(Ask("save-call-back", FACTS, "callback/save", 7), call)
        took.append(time.perf_counter() - begun)
        if answer.outcome != "saved":
            raise SystemExit(f"A save ended with {answer.outcome}.")
    return median(took)


async def _fill(database: Database, size: int, sealed: str) -> None:
    """Put this many requests into the empty tables, each with its effect and its event."""
    request = _fields(
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
    effect = _fields(CallBackEffect(effect="", outcome="saved", reference="", request_id=0, at=NOW))
    event = _fields(CallBackEvent(request_id=0, at=NOW, who="caller", what="saved"))
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


def _fields(row: SQLModel) -> dict[str, Any]:
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
