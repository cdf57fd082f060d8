"""The reports page over 28 busy days, with nothing before them and with two years, in both
databases.

It must count what happened in its days, and so takes longer the busier they were; what it must not
do is to read through all that came before.
"""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from secrets import choice, randbelow, token_hex
from statistics import median
from typing import Any

from quart.typing import TestClientProtocol as QuartClient
from sqlmodel import insert

from ivr.callbacks.states import State
from ivr.callbacks.tables import CallBackEvent, CallBackRequest
from ivr.database import Database, upgrade
from ivr.house import now
from tests.bench.report import Row
from tests.bench.saving import AT_ONCE, NAMES, browser_of, compared, fields_of
from tests.databases import KINDS, new_url

RECENT, ALL = 3_000, 100_000  # requests: of the days that are counted, and with all before them
DAYS, YEARS = 28, 730  # days ago
A_DAY = 24 * 60  # minutes
TIMES = 3  # the page, in each round


def reporting(folder: Path, rounds: int) -> list[Row]:
    """How long the page takes with and without a past, in rounds that alternate."""
    return [asyncio.run(_beside(kind, folder, rounds)) for kind in KINDS]


async def _beside(kind: str, folder: Path, rounds: int) -> Row:
    browsers = {size: await _browser(kind, folder, size) for size in (RECENT, ALL)}
    took: dict[int, list[float]] = {size: [] for size in browsers}
    for number in range(rounds + 1):
        for size, browser in browsers.items():
            seconds = median([await _page(browser) for _ in range(TIMES)])
            if number:  # the first round warms up
                took[size].append(seconds)
    return compared(f"the reports page over {RECENT:,} in {NAMES[kind]}", took)


async def _browser(kind: str, folder: Path, size: int) -> QuartClient:
    """A supervisor of a helpline with this many requests, the last of them in the last days."""
    place = folder / f"reports-{kind}-{size}"
    place.mkdir()
    url = new_url(kind, place)
    await upgrade(url)
    database = Database(url)
    try:
        for first in range(1, size + 1, AT_ONCE):
            await _add(database, range(first, min(first + AT_ONCE, size + 1)), size - RECENT)
    finally:
        await database.close()
    return await browser_of(url, place)


async def _page(browser: QuartClient) -> float:
    """Seconds for the page of the last 28 days, as a browser gets it."""
    begun = time.perf_counter()
    answer = await browser.get("/staff/reports", headers={"Host": "127.0.0.1"})
    page = await answer.get_data(as_text=True)
    took = time.perf_counter() - begun
    if "All 28 days together" not in page:
        raise SystemExit(f"The reports page was answered {answer.status_code}.")
    return took


async def _add(database: Database, numbers: range, before: int) -> None:
    """Add requests of these ids: those up to ``before`` are of earlier years."""
    requests, events = [], []
    for number in numbers:
        request = _request(number <= before)
        happened = [(request["requested_at"], "caller", "saved")]
        if request["state"] == State.DONE.value:
            happened += [(request["ended_at"], "bench", what) for what in ("claimed", "spoke")]
        requests.append(request)
        events += [
            fields_of(CallBackEvent(request_id=number, at=at, who=who, what=what))
            for at, who, what in happened
        ]
    async with database.writing() as session:
        connection = await session.connection()
        await connection.execute(insert(CallBackRequest), requests)
        await connection.execute(insert(CallBackEvent), events)


def _request(is_old: bool) -> dict[str, Any]:
    """Somebody who asked, and was spoken with the day after, if that has come."""
    days = randbelow(YEARS - DAYS) + DAYS if is_old else randbelow(DAYS)
    asked = now() - timedelta(minutes=days * A_DAY + randbelow(A_DAY))
    spoken = asked + timedelta(minutes=60 + randbelow(A_DAY))
    made = fields_of(
        CallBackRequest(
            reference="",
            number="sealed",
            number_hash=token_hex(32),
            requested_at=asked,
            due_at=asked + timedelta(days=1),
            slot="any",
            topic=choice(("", "school/rights", "plans/refused")),
            council=choice(("", "E10000030", "E08000003")),
        )
    )
    if spoken > now():
        return made
    done = {"state": State.DONE.value, "outcome": "spoke", "ended_at": spoken, "attempts": 1}
    return made | done
