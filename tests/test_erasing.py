"""Months after a request has ended nobody can tell whose it was."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from ivr.callbacks.erasing import Eraser, months_before
from ivr.callbacks.queue import Queue
from ivr.callbacks.tables import CallBackRequest
from ivr.database import Database
from tests.wishes import AGAIN, KEYS, NOW, WISH, clock, enter, stored


async def ended(database: Database, at: datetime) -> None:
    async with database.writing() as session:
        for request in (await session.exec(select(CallBackRequest))).all():
            request.state, request.ended_at = "done", at


async def test_months_after_a_request_has_ended_nobody_can_tell_whose_it_was(
    database: Database,
) -> None:
    """What counts in reports stays: when, which topic, how often."""
    await enter(database, WISH, AGAIN)
    await ended(database, NOW)
    early = Eraser(database, lambda: datetime(2027, 2, 24, 10, 29, tzinfo=UTC), months=3)
    assert await early.erase() == 0
    in_time = Eraser(database, lambda: datetime(2027, 2, 24, 10, 30, tzinfo=UTC), months=3)
    assert (await in_time.erase(), await in_time.erase()) == (1, 0)
    (kept,) = await stored(database, "callback_request")
    assert (kept["number"], kept["number_hash"], kept["reference"]) == ("", "", "")
    assert (kept["topic"], kept["repeats"]) == ("school/rights", 1)
    assert await stored(database, "callback_effect") == []
    (shown,) = await Queue(database, KEYS, clock).all()
    assert shown.number == "erased"


async def test_what_is_still_open_is_never_erased(database: Database) -> None:
    """However old it is: somebody waits."""
    await enter(database, WISH)
    later = Eraser(database, lambda: NOW + timedelta(days=5000), months=1)
    assert await later.erase() == 0


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        ("2026-11-24", 3, "2026-08-24"),
        ("2027-01-31", 2, "2026-11-30"),
        ("2027-03-31", 1, "2027-02-28"),
        ("2026-12-01", 12, "2025-12-01"),
    ],
)
def test_months_are_those_of_the_calendar(day: str, months: int, before: str) -> None:
    moment = datetime.fromisoformat(f"{day}T10:30+00:00")
    assert months_before(moment, months) == datetime.fromisoformat(f"{before}T10:30+00:00")
