"""Journeys and feedback: cheap to take in, written in the background, never a reason to fail."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from databases import new_url
from sqlalchemy import text
from sqlmodel import select

from ivr import notebook
from ivr.conversation import Call, Visit
from ivr.core.call import Answered, Ask
from ivr.database import Database, upgrade
from ivr.journeys.batch import Journeys
from ivr.journeys.service import NoteFeedback
from ivr.journeys.tables import JourneyStep

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
VISIT = Visit("3f9a", 2, "keys", ("main/menu", "school/menu"))


def clock() -> datetime:
    return NOW


@pytest.fixture
async def missing(tmp_path: Path) -> AsyncIterator[tuple[Database, str]]:
    """A database that is not there yet, and where it will be."""
    url = new_url("sqlite", tmp_path)
    made = Database(url)
    yield made, url
    await made.close()


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    async with database.reading() as session:
        return [tuple(row) for row in await (await session.connection()).execute(text(query))]


STEPS = "select journey, turn, part, place, heard from journey_step order by journey, turn, part"


async def test_each_step_of_a_turn_is_a_row(database: Database) -> None:
    """In the order in which the call went through them."""
    journeys = Journeys(database, clock)
    journeys.record(VISIT)
    await journeys.flush()
    assert await rows(database, STEPS) == [
        ("3f9a", 2, 0, "main/menu", "keys"),
        ("3f9a", 2, 1, "school/menu", "keys"),
    ]


async def test_a_step_is_kept_with_its_time(database: Database) -> None:
    """The moment itself, whatever zone the database's machine is in."""
    journeys = Journeys(database, lambda: NOW.astimezone(timezone(timedelta(hours=5))))
    journeys.record(VISIT)
    await journeys.flush()
    async with database.reading() as session:
        assert {step.at for step in await session.exec(select(JourneyStep))} == {NOW}


async def test_a_repeated_turn_is_recorded_once(database: Database) -> None:
    """In one batch or in two."""
    journeys = Journeys(database, clock)
    journeys.record(VISIT)
    journeys.record(VISIT)
    await journeys.flush()
    journeys.record(VISIT)
    await journeys.flush()
    assert len(await rows(database, STEPS)) == 2


async def test_feedback_is_noted_once_for_each_answer(database: Database) -> None:
    """Under a keyed hash: the call cannot be told from it."""
    journeys = Journeys(database, clock)
    note = NoteFeedback(journeys, b"a key for hashes, in tests")
    call = Call("CA" + "1" * 32, "+447700900123")
    yes = Ask("note-feedback", {"helped": "yes", "topic": "school/rights"}, "after/yes", 4)
    no = Ask("note-feedback", {"helped": "no"}, "after/no", 9)
    for ask in (yes, yes, no):
        assert await note(ask, call) == Answered("noted")
    await journeys.flush()
    found = await rows(database, "select helped, topic from journey_feedback order by topic")
    assert [(bool(helped), topic) for helped, topic in found] == [
        (False, ""),
        (True, "school/rights"),
    ]
    everything = str(await rows(database, "select * from journey_feedback"))
    assert call.sid not in everything
    assert "900123" not in everything


async def test_more_than_one_batch_is_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it, in one flush."""
    monkeypatch.setattr(notebook, "AT_ONCE", 2)
    journeys = Journeys(database, clock)
    for turn in range(5):
        journeys.record(Visit("3f9a", turn, "keys", ("main/menu",)))
    await journeys.flush()
    assert len(await rows(database, STEPS)) == 5


async def test_while_the_database_is_gone_journeys_wait(
    missing: tuple[Database, str], caplog: pytest.LogCaptureFixture
) -> None:
    """They are written when it is back; the log says so once, not every two seconds."""
    database, url = missing
    journeys = Journeys(database, clock)
    journeys.record(VISIT)
    for _ in range(3):
        await journeys.flush()
    assert [record.getMessage() for record in caplog.records] == [
        "journeys wait in memory: FileNotFoundError"
    ]
    await upgrade(url)
    await journeys.flush()
    assert len(await rows(database, STEPS)) == 2
    assert journeys.dropped == 0
    assert caplog.records[-1].getMessage() == "journeys are written again; 0 were dropped"


async def test_a_database_that_does_not_answer_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for ever, and nothing is lost."""
    journeys = Journeys(database, clock)
    journeys.record(VISIT)
    monkeypatch.setattr(notebook, "PATIENCE_S", 0)
    await journeys.flush()
    monkeypatch.setattr(notebook, "PATIENCE_S", 60)
    await journeys.flush()
    assert journeys.dropped == 0
    assert len(await rows(database, STEPS)) == 2


async def test_when_too_many_wait_the_oldest_are_dropped_and_counted(
    missing: tuple[Database, str],
) -> None:
    """Memory is bounded however long the database is gone."""
    database, url = missing
    journeys = Journeys(database, clock, most=3)
    for turn in range(5):
        journeys.record(Visit("3f9a", turn, "silence", ("main/menu",)))
    assert journeys.dropped == 2
    await upgrade(url)
    await journeys.flush()
    assert [row[1] for row in await rows(database, STEPS)] == [2, 3, 4]


async def test_what_can_never_be_written_does_not_hold_up_the_rest(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """It is dropped, counted and logged."""
    journeys = Journeys(database, clock)
    journeys.record(Visit("3f9a", None, "keys", ("main/menu",)))  # type: ignore[arg-type]
    await journeys.flush()
    assert journeys.dropped == 1
    assert caplog.records[0].levelno == logging.ERROR
    journeys.record(VISIT)
    await journeys.flush()
    assert len(await rows(database, STEPS)) == 2


async def test_names_that_are_too_long_are_cut(database: Database) -> None:
    """PostgreSQL would refuse them."""
    journeys = Journeys(database, clock)
    journeys.record(Visit("j" * 100, 1, "h" * 100, ("p" * 300,)))
    journeys.feedback("effect", True, "t" * 300)
    await journeys.flush()
    assert journeys.dropped == 0
    assert len(await rows(database, STEPS)) == 1


async def test_the_background_task_writes_and_writes_once_more_when_it_is_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graceful stop loses nothing."""
    monkeypatch.setattr(notebook, "EVERY_S", 0)
    journeys = Journeys(database, clock)
    task = asyncio.create_task(journeys.run())
    journeys.record(VISIT)
    while not await rows(database, STEPS):
        await asyncio.sleep(0)
    monkeypatch.setattr(notebook, "EVERY_S", 3600)
    await asyncio.sleep(0)
    journeys.record(Visit("3f9a", 3, "keys", ("school/rights",)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await rows(database, STEPS)) == 3
