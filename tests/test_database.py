"""The database: what is committed stays, what is gone is noticed, upgrades queue up."""

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from databases import KINDS, new_url
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import SQLModel

import ivr.callbacks.tables
import ivr.directory.tables
import ivr.duty.tables
import ivr.journeys.tables
import ivr.messages.tables
import ivr.people.tables
import ivr.today.tables
from ivr import database as under_test
from ivr.database import (
    BUSY_MS,
    DamagedDatabaseError,
    Database,
    NoDatabaseError,
    current,
    head,
    upgrade,
)
from ivr.errors import SettingsError
from ivr.journeys.tables import JourneyFeedback
from tests.workers import run_at_once

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_url(request.param, tmp_path)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    await upgrade(url)
    made = Database(url)
    yield made
    await made.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[tuple[Database, Path]]:
    url = new_url("sqlite", tmp_path)
    await upgrade(url)
    made = Database(url)
    yield made, tmp_path / "helpline.db"
    await made.close()


def feedback(effect: str = "an effect", at: datetime = NOON) -> JourneyFeedback:
    return JourneyFeedback(effect=effect, helped=True, topic="school/rights", at=at)


async def test_an_upgrade_makes_the_database_and_is_done_once(url: str) -> None:
    """The second one finds nothing to do."""
    assert await current(url) == ""
    assert await upgrade(url) == head()
    assert await current(url) == head()
    assert await upgrade(url) == head()


async def test_the_migrations_make_just_what_the_tables_say(url: str) -> None:
    """Columns, types, indexes and keys."""
    await upgrade(url)
    made = Database(url)
    async with made.reading() as session:
        connection = await session.connection()
        difference = await connection.run_sync(
            lambda plain: compare_metadata(MigrationContext.configure(plain), SQLModel.metadata)
        )
    await made.close()
    assert difference == []
    assert {"callback_request", "journey_step", "person"} <= set(SQLModel.metadata.tables)


async def test_databases_that_are_made_at_once_in_one_process_do_not_mix(tmp_path: Path) -> None:
    """What makes one of them knows nothing of the others."""
    urls = [new_url("sqlite", tmp_path / str(number)) for number in range(6)]
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(upgrade(url) for url in urls)) == [head()] * 6
    assert {await current(url) for url in urls} == {head()}


async def test_processes_that_upgrade_at_once_wait_for_each_other(url: str) -> None:
    """Several workers start together."""
    script = (
        "import asyncio, sys\nfrom ivr.database import upgrade\nimport alembic.command\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(asyncio.run(upgrade(sys.argv[1])))"
    )
    assert run_at_once(script, [[url]] * 4) == [head()] * 4


async def test_an_upgrade_that_fails_half_way_changes_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its steps are one transaction, on SQLite too."""
    migrations = shutil.copytree(under_test.MIGRATIONS, tmp_path / "100% new" / "migrations")
    (migrations / "versions" / "9999_half.py").write_text(
        "from alembic import op\nrevision, down_revision = '9999', '0002'\n"
        "def upgrade():\n"
        "    op.execute('create table half (id integer)')\n"
        "    op.execute('create nonsense')\n"
    )
    monkeypatch.setattr(under_test, "MIGRATIONS", migrations)
    with pytest.raises(Exception, match="nonsense"):
        await upgrade(url)
    assert await current(url) == ""
    made = Database(url)
    with pytest.raises(NoDatabaseError):
        async with made.reading() as session:
            await (await session.connection()).execute(text("select * from half"))
    await made.close()


async def test_a_newer_database_is_left_as_it_is(database: Database, url: str) -> None:
    """After going back to an older program, calls are still answered."""
    async with database.writing() as session:
        await (await session.connection()).execute(
            text("update alembic_version set version_num = '9999'")
        )
    assert await upgrade(url) == "9999"


async def test_what_was_written_is_there_and_what_failed_is_not(database: Database) -> None:
    """A block that raises leaves nothing behind."""
    async with database.writing() as session:
        session.add(feedback("kept"))
    with pytest.raises(RuntimeError):
        async with database.writing() as session:
            session.add(feedback("not kept"))
            await session.flush()
            raise RuntimeError
    async with database.reading() as session:
        assert await session.get(JourneyFeedback, "kept") is not None
        assert await session.get(JourneyFeedback, "not kept") is None


async def test_a_moment_comes_back_as_the_same_moment_in_utc(database: Database) -> None:
    """Whatever zone it was given in."""
    given = NOON.astimezone(timezone(timedelta(hours=1)))
    async with database.writing() as session:
        session.add(feedback(at=given))
    async with database.reading() as session:
        kept = await session.get(JourneyFeedback, "an effect")
    assert kept is not None
    assert kept.at == NOON
    assert kept.at.utcoffset() == timedelta(0)


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    """It would be wrong for half the year."""
    with pytest.raises(StatementError, match="without a zone"):
        async with database.writing() as session:
            session.add(feedback(at=NOON.replace(tzinfo=None)))


async def test_sqlite_survives_a_power_cut(sqlite: tuple[Database, Path]) -> None:
    """Write-ahead log, full synchronisation, and references that hold."""
    async with sqlite[0].reading() as session:
        connection = await session.connection()
        pragmas = {
            name: (await connection.execute(text(f"pragma {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_only_its_owner_may_read_the_sqlite_file(sqlite: tuple[Database, Path]) -> None:
    """It holds callers' numbers, though encrypted."""
    assert stat.S_IMODE(sqlite[1].stat().st_mode) == 0o600


async def test_readers_of_sqlite_do_not_wait_for_a_writer(sqlite: tuple[Database, Path]) -> None:
    """The list of call-backs opens while one is being saved."""
    async with sqlite[0].writing() as writer:
        writer.add(feedback())
        await writer.flush()
        async with sqlite[0].reading() as reader:
            assert await reader.get(JourneyFeedback, "an effect") is None


async def test_a_writer_does_not_wait_for_ever(sqlite: tuple[Database, Path]) -> None:
    """A service has three seconds, so the database must give up before."""
    assert BUSY_MS < 3_000
    impatient = Database(f"sqlite+aiosqlite:///{sqlite[1]}", busy_ms=10)
    async with sqlite[0].writing() as first:
        await first.connection()
        with pytest.raises(NoDatabaseError):
            async with impatient.writing() as second:
                await second.connection()
    await impatient.close()


async def test_a_deleted_sqlite_file_is_noticed(sqlite: tuple[Database, Path]) -> None:
    """An open file can still be written to after it is deleted; nothing is "saved" into it."""
    async with sqlite[0].writing() as session:
        session.add(feedback())
    sqlite[1].unlink()
    with pytest.raises(NoDatabaseError):
        async with sqlite[0].writing() as session:
            session.add(feedback("lost"))
    assert not sqlite[1].exists()


async def test_a_replaced_sqlite_file_is_used(sqlite: tuple[Database, Path]) -> None:
    """After a restore from a copy nobody needs to restart the helpline."""
    copy = sqlite[1].with_name("copy.db")
    async with sqlite[0].writing() as session:
        session.add(feedback("before"))
    await sqlite[0].close()  # the log is merged into the file
    shutil.copy(sqlite[1], copy)
    async with sqlite[0].writing() as session:
        session.add(feedback("after"))
    for suffix in ("-wal", "-shm"):
        sqlite[1].with_name(sqlite[1].name + suffix).unlink(missing_ok=True)
    copy.replace(sqlite[1])
    async with sqlite[0].reading() as session:
        assert await session.get(JourneyFeedback, "before") is not None
        assert await session.get(JourneyFeedback, "after") is None


async def test_a_database_that_was_never_made_is_said_so(url: str) -> None:
    """With the command that makes it."""
    made = Database(url)
    with pytest.raises(NoDatabaseError, match="ivr db upgrade"):
        async with made.reading() as session:
            await session.get(JourneyFeedback, "an effect")
    await made.close()


async def test_a_file_that_is_damaged_is_said_so(tmp_path: Path) -> None:
    """Also by the command that would make one: it is not made over what may still be saved."""
    file = tmp_path / "helpline.db"
    file.write_bytes(b"no database" * 100)
    url = f"sqlite+aiosqlite:///{file}"
    for ask in (current, upgrade):
        with pytest.raises(DamagedDatabaseError, match="good copy"):
            await ask(url)
    assert file.read_bytes() == b"no database" * 100


async def test_a_server_that_is_not_there_is_said_so() -> None:
    """Without its password."""
    url = "postgresql+asyncpg://user:hunter2@127.0.0.1:1/helpline"
    for ask in (current, upgrade):
        with pytest.raises(NoDatabaseError):
            await ask(url)
    made = Database(url)
    with pytest.raises(NoDatabaseError) as caught:
        async with made.writing() as session:
            session.add(feedback())
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"
    await made.close()


async def test_a_connection_that_breaks_in_the_middle_is_said_so(tmp_path: Path) -> None:
    """And the next session has a new one."""
    url = new_url("postgresql", tmp_path)
    await upgrade(url)
    made = Database(url)
    with pytest.raises(NoDatabaseError):
        async with made.writing() as session:
            session.add(feedback())
            await session.flush()
            await (await session.connection()).execute(
                text("select pg_terminate_backend(pg_backend_pid())")
            )
    async with made.writing() as session:
        assert await session.get(JourneyFeedback, "an effect") is None
    await made.close()


async def test_refused_data_is_not_taken_for_a_database_that_is_gone(database: Database) -> None:
    """A double key says that the database works."""
    async with database.writing() as session:
        session.add(feedback())
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            session.add(feedback())


async def test_a_database_in_memory_is_refused() -> None:
    """Every connection would have one of its own."""
    with pytest.raises(SettingsError, match="names no file"):
        Database("sqlite+aiosqlite://")


async def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """With the settings that choose it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="IVR_VAR or IVR_DATABASE_URL"):
        await upgrade(f"sqlite+aiosqlite:///{tmp_path}/file/helpline.db")


TABLES = (ivr.callbacks, ivr.duty, ivr.journeys, ivr.messages, ivr.people, ivr.today)
assert all(room.tables for room in TABLES)  # imported for their tables
