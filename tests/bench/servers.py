"""Servers to be measured: started on loopback, and ended with everything that they started."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 10  # seconds that a server may take to end by itself
SOCKET = "{socket}"  # in a command: the number of the listening socket


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs: where it listens, and its first process."""

    port: int
    process: int

    @property
    def memory(self) -> int:
        """Bytes of real memory of its worker, the largest of its processes; 0 where the system
        has no /proc."""
        return max(map(_memory, _family(self.process)), default=0)


def hypercorn(application: str) -> list[str]:
    """One worker with uvloop, with the settings that the helpline itself is served with."""
    program = [sys.executable, "-m", "hypercorn", "--config", "hypercorn.toml"]
    return [*program, "--bind", f"fd://{SOCKET}", application]


def gunicorn(application: str) -> list[str]:
    """One worker of gunicorn's usual kind."""
    program = [sys.executable, "-m", "gunicorn", "--worker-class", "sync", "--workers", "1"]
    return [*program, "--bind", f"fd://{SOCKET}", "--log-level", "error", application]


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """A server for as long as the block lasts; what it prints goes to ``log``."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening, log.open("wb") as out:
        number = str(listening.fileno())
        process = subprocess.Popen(
            [part.replace(SOCKET, number) for part in command],
            env=dict(environment),
            cwd=ROOT,
            stdout=out,
            stderr=out,
            pass_fds=(listening.fileno(),),
            start_new_session=True,  # a group of its own, so that all of it can be ended
        )
        try:
            yield Server(listening.getsockname()[1], process.pid)
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, wait for it, and end whatever is left of its group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _family(process: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{process}/task/{process}/children")
    if not children.exists():
        return []
    below = [one for child in children.read_text().split() for one in _family(int(child))]
    return [process, *below]


def _memory(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
