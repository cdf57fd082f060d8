"""The load: a process of its own, so that it takes nothing from the server that is measured.

``python -m tests.bench.load JOB`` (JSON) sends the requests of a file over kept connections and
prints what came of it, as JSON. Without a rate every connection sends its next request as soon as
it is answered. With one, requests are sent when they are due, and how long each takes is counted
from when it was due: waiting for a free connection is waiting too.
"""

import asyncio
import itertools
import json
import pickle
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import uvloop

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Job:
    """What to send: where, from which file (a pickled list of bytes), how long, how fast."""

    port: int
    requests: str
    connections: int
    seconds: float
    rate: float = 0.0  # requests a second; 0 is as many as are answered


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    answered: int  # with 200
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    busy: float  # share of one processor that this process needed: near 1 it was the bottleneck

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return self.answered / self.seconds


class Connection:
    """One kept connection; it is opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: Streams | None = None

    async def send(self, request: bytes) -> bool:
        """Send, read the whole answer; whether it was a 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(None, 1)[0]))
        if b"connection: close" in head:
            self.close()
        return head.startswith(b"http/1.1 200")

    def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Load:
    """One job under way."""

    def __init__(self, job: Job, requests: list[bytes]) -> None:
        self._job = job
        self._requests = itertools.cycle(requests)
        self._numbers = itertools.count()
        self._took: list[float] = []
        self._failed = 0

    async def run(self) -> Outcome:
        used, self._start = time.process_time(), time.perf_counter()
        self._end = self._start + self._job.seconds
        await asyncio.gather(*(self._line() for _ in range(self._job.connections)))
        seconds, used = time.perf_counter() - self._start, time.process_time() - used
        took = sorted(self._took) or [0.0]
        p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
        return Outcome(len(self._took), self._failed, seconds, p50, p99, used / seconds)

    async def _line(self) -> None:
        connection = Connection(self._job.port)
        try:
            while (due := await self._due()) < self._end:
                await self._turn(connection, due)
        finally:
            connection.close()

    async def _due(self) -> float:
        """When the next request is due, after waiting for that moment."""
        if not self._job.rate:
            return time.perf_counter()
        due = self._start + next(self._numbers) / self._job.rate
        if due < self._end and (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        return due

    async def _turn(self, connection: Connection, due: float) -> None:
        try:
            answered = await connection.send(next(self._requests))
        except (OSError, asyncio.IncompleteReadError):
            connection.close()
            answered = False
        if answered:
            self._took.append(time.perf_counter() - due)
        else:
            self._failed += 1


def main() -> None:
    """Carry out the job that is named on the command line."""
    job = Job(**json.loads(sys.argv[1]))
    requests = pickle.loads(Path(job.requests).read_bytes())
    print(json.dumps(asdict(uvloop.run(Load(job, requests).run()))))


if __name__ == "__main__":
    main()
