"""The database: one engine per process, SQLite or PostgreSQL, and the migrations of its tables.

SQLite runs with a write-ahead log and full synchronisation: what is committed survives a power
cut. Its writers queue up at the start of a transaction rather than failing in the middle of one.
A missing file is never made anew in passing: only :func:`upgrade` makes a database, so that
nothing is ever "saved" in a place where nobody will look.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import DateTime, Dialect, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.errors import HelplineError, SettingsError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MS = 2_500  # how long SQLite waits for another writer: below the 3 s that a service has
UPGRADE_BUSY_MS = 60_000  # how long an upgrade waits for another one
ANSWER_S = 30  # seconds for one statement; a server that is silent for longer has gone away
CONNECT_S = 3  # seconds that a connection may take, to open or to become free
_ONE_AT_A_TIME = Lock()  # in one process: Alembic keeps its context in a module, for all threads
UPGRADE_LOCK = 7_203_112  # any fixed number: the advisory lock that upgrades queue up at


# What comes when there is no database, no table, or no answer in time; and what is also a driver's
# error, but says that the database works and that the data is wrong.
UNUSABLE = (DBAPIError, DisconnectionError, NoConnectionFree, OSError, TimeoutError)
REFUSED = (IntegrityError, DataError)
DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


class NoDatabaseError(HelplineError):
    """The database cannot be used just now; `ivr db upgrade` makes it and brings it up to date."""


class DamagedDatabaseError(NoDatabaseError):
    """The database is damaged. Put a good copy there, or move it away and run `ivr db upgrade`."""


class Moment(TypeDecorator[datetime]):
    """A point in time: always aware, kept in UTC in both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone; turn any other into UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be kept")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's times the zone that they were kept in."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """Sessions with the database. Make one per process and close it at the end."""

    def __init__(self, url: str, busy_ms: int = BUSY_MS) -> None:
        """Take the address (IVR_DATABASE_URL), and how long a writer of SQLite waits for another.

        Nothing is opened before the first session.
        """
        self.url = url
        self._engine = _engine(make_url(url), busy_ms, ANSWER_S)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits when the block ends and rolls back if it raises.

        When the ``async with`` is left without an exception, what was written is durable.
        Raises NoDatabaseError when the database is gone, locked for too long, or not upgraded.
        """
        with _usable():
            made = AsyncSession(self._engine, expire_on_commit=False)
            async with made as session, session.begin():
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that only reads: it never waits for a writer.

        Raises NoDatabaseError as ``writing`` does.
        """
        engine = self._engine.execution_options(reading=True)
        with _usable():
            async with AsyncSession(engine, expire_on_commit=False) as session:
                yield session

    async def close(self) -> None:
        """Give back all connections."""
        await self._engine.dispose()


@contextmanager
def _usable() -> Iterator[None]:
    """Raise NoDatabaseError for whatever shows that the database cannot be used."""
    try:
        yield
    except REFUSED:
        raise
    except UNUSABLE as problem:
        code = getattr(getattr(problem, "orig", None), "sqlite_errorcode", None)
        raise (DamagedDatabaseError if code in DAMAGED else NoDatabaseError) from problem


async def current(url: str) -> str:
    """Return the number of the last migration that this database has had; "" for none yet.

    Raises NoDatabaseError when it cannot be asked.
    """
    parsed = make_url(url)
    if not parsed.get_backend_name().startswith("postgresql") and not _file(parsed).exists():
        return ""
    engine = _engine(parsed, BUSY_MS)
    try:
        return await _current_of(engine)
    finally:
        await engine.dispose()


async def _current_of(engine: AsyncEngine) -> str:
    with _usable():
        async with engine.execution_options(reading=True).connect() as connection:
            return await connection.run_sync(_current)


def head() -> str:
    """Return the number of the newest migration that this program knows."""
    return max(path.stem[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def upgrade(url: str) -> str:
    """Bring the database up to date, making it if need be, and return its migration's number.

    Safe when several processes do it at once: the later ones wait, then find nothing to do. A
    database that is newer than this program is left as it is. The work is done in a thread, so
    that calls go on meanwhile. Raises NoDatabaseError when the database cannot be reached.
    """
    return await asyncio.to_thread(lambda: asyncio.run(_upgrade(make_url(url))))


async def _upgrade(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        _make_file(_file(url))
        _switch_to_wal(_file(url))
    engine = _engine(url, busy_ms=UPGRADE_BUSY_MS)
    try:
        found = await _current_of(engine)
        if found >= head():
            return found
        async with engine.begin() as connection:
            await _queue_up(connection)
            await connection.run_sync(_migrate)
        return head()
    finally:
        await engine.dispose()


def _switch_to_wal(path: Path) -> None:
    """Set a new file's journal mode before any other work. SQLite may answer "locked" at once, and
    not wait, when two connections switch at the same moment; later connections find it switched."""
    give_up = time.monotonic() + UPGRADE_BUSY_MS / 1000
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=UPGRADE_BUSY_MS / 1000)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                return
        except sqlite3.DatabaseError as problem:
            if problem.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                return  # the upgrade finds the same, and says what it means
            time.sleep(0.05)


async def _queue_up(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite queues at BEGIN IMMEDIATE
        await connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": UPGRADE_LOCK})


def _migrate(connection: "Connection") -> None:
    from alembic import command  # a quarter of a second, and rarely needed
    from alembic.config import Config

    if _current(connection) >= head():  # another process was quicker
        return
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, head())


def _current(connection: "Connection") -> str:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    found = connection.execute(text("select version_num from alembic_version")).scalar()
    return str(found or "")


# --- engines ---------------------------------------------------------------------------------


def _engine(url: URL, busy_ms: int, answer_s: float | None = None) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(_file(url), busy_ms)
    return create_async_engine(
        url,
        pool_timeout=CONNECT_S,
        pool_pre_ping=True,  # a database that was restarted is not a reason to fail
        hide_parameters=True,  # no caller's data in an exception's message
        # In UTC, so that a time which was written without a zone is what it says.
        connect_args={
            "timeout": CONNECT_S,
            "command_timeout": answer_s,
            "server_settings": {"timezone": "UTC"},
        },
    )


def _file(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise SettingsError(
            "IVR_DATABASE_URL names no file. It must be like sqlite+aiosqlite:////var/lib/ivr.db."
        )
    return Path(url.database).absolute()


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as problem:
        raise SettingsError(
            f"The database cannot be kept in {path} ({problem.strerror})."
            " IVR_VAR or IVR_DATABASE_URL must name a place that the helpline may write to."
        ) from None


def _sqlite(path: Path, busy_ms: int) -> AsyncEngine:
    # mode=rw: opening fails if the file is gone, instead of making an empty one
    address = f"sqlite+aiosqlite:///file:{quote(str(path))}?mode=rw&uri=true"
    engine = create_async_engine(
        address,
        hide_parameters=True,  # no caller's data in an exception's message
        pool_timeout=CONNECT_S,
        connect_args={"timeout": busy_ms / 1000},
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def look_first(*connecting: Any) -> None:
        # Sooner than the driver: of a connection that does not open it forgets the thread, which
        # then reports to a loop that may have ended.
        if not path.is_file():
            raise FileNotFoundError("the database file is not there")

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                cursor.execute(f"PRAGMA {pragma}")
        except Exception:
            connection.close()  # nobody else has it yet
            raise
        cursor.close()
        record.info["inode"] = _inode(path)

    @event.listens_for(engine.sync_engine, "checkout")
    def still_there(connection: Any, record: Any, proxy: Any) -> None:
        # A file that was deleted or replaced can be written to as long as it is open, and
        # every "saved" would be lost with it.
        if _inode(path) != record.info["inode"]:
            raise DisconnectionError("the database file is gone or was replaced")

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
