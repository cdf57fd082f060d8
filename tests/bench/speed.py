"""Turns a second: ours beside a bare Quart route and beside Flask, and 10,000 calls at once."""

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from ivr.house import House
from tests.bench import turns
from tests.bench.load import Job, Outcome
from tests.bench.report import Row
from tests.bench.servers import ROOT, Server, gunicorn, hypercorn, running

OURS, BARE, FLASK = "our turn", "a bare Quart route", "Flask and gunicorn"
APPLICATIONS = {
    OURS: hypercorn("ivr.app:create_app()"),
    BARE: hypercorn("tests.bench.bare:create_app()"),
    FLASK: gunicorn("tests.bench.flask_line:create_app()"),
}
CONNECTIONS = 16  # enough to keep one worker busy
MANY_CONNECTIONS = 64
CALLS, FEW_CALLS = 10_000, 1_000
KEY_EVERY = 8  # seconds between two keys of one call
TURN_LIMIT_MS = 1_000  # a caller takes a second of silence for a line that did not hear the key
GROWTH = 1.05  # of memory, from few calls to many
FORGERS = 60  # connections that send forged requests
TURNS_A_SECOND = 20  # of those who are heard meanwhile
SLOWER_BY_MS = 100  # at most, in the middle
BUSIEST = 0.8  # of one processor: a load generator that needs more may be what is measured


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure; times in seconds."""

    rounds: int
    each: float
    few_calls: float
    many_calls: float
    saves: int  # in each round


THOROUGH = Effort(rounds=5, each=2.5, few_calls=5, many_calls=15, saves=40)
QUICK = Effort(rounds=3, each=1, few_calls=3, many_calls=5, saves=15)


def side_by_side(parts: House, var: Path, effort: Effort) -> list[Row]:
    """Ours, the bare route and Flask, all up at once, loaded in turns."""
    requests = _kept(var / "turns", turns.requests(parts, calls=FEW_CALLS, turns_each=8))
    found: dict[str, list[Outcome]] = {name: [] for name in APPLICATIONS}
    with ExitStack() as stack:
        up = {
            name: stack.enter_context(_served(command, var))
            for name, command in APPLICATIONS.items()
        }
        _check_clips(up[OURS], turns.requests(parts, calls=20, turns_each=1))
        for number in range(effort.rounds + 1):
            for name in _rotated(list(up), number):
                outcome = _load(Job(up[name].port, requests, CONNECTIONS, effort.each))
                if number:  # the first round warms up
                    found[name].append(outcome)
    return _compared(found)


def _compared(found: Mapping[str, Sequence[Outcome]]) -> list[Row]:
    beside_bare = _ratio(found[OURS], found[BARE], "rate")
    beside_flask = _ratio(found[OURS], found[FLASK], "rate")
    slowest = _ratio(found[OURS], found[BARE], "p99_ms")
    busy = max(outcome.busy for outcomes in found.values() for outcome in outcomes)
    rates = [
        Row(
            f"{name}, one worker",
            f"{median(one.rate for one in outcomes):,.0f} turns/s,"
            f" p99 {median(one.p99_ms for one in outcomes):.0f} ms",
        )
        for name, outcomes in found.items()
    ]
    return [
        *rates,
        Row(
            "our turn beside the bare route",
            f"{beside_bare:.2f} x",
            ">= 0.75 x",
            beside_bare >= 0.75,
        ),
        Row("  its p99 beside the bare route's", f"{slowest:.2f} x", "<= 2 x", slowest <= 2),
        Row("our turn beside Flask", f"{beside_flask:.2f} x", "> 1 x", beside_flask > 1),
        Row("processor that the load needed", f"{busy:.0%}", f"< {BUSIEST:.0%}", busy < BUSIEST),
    ]


def _ratio(ours: Sequence[Outcome], theirs: Sequence[Outcome], figure: str) -> float:
    """Ours divided by theirs: round by round, then the median."""
    pairs = zip(ours, theirs, strict=True)
    return float(median(getattr(one, figure) / getattr(other, figure) for one, other in pairs))


def many_calls(parts: House, var: Path, effort: Effort) -> list[Row]:
    """10,000 calls in progress, each with a key every 8 s, on one worker; and what they weigh."""
    rate = CALLS / KEY_EVERY
    few = _kept(var / "few", turns.requests(parts, FEW_CALLS, turns_each=8))
    many = _kept(var / "many", turns.requests(parts, CALLS, turns_each=2))
    with _served(APPLICATIONS[OURS], var) as server:
        _load(Job(server.port, few, MANY_CONNECTIONS, effort.few_calls, rate))
        light = server.memory
        outcome = _load(Job(server.port, many, MANY_CONNECTIONS, effort.many_calls, rate))
        heavy = server.memory
    kept_up = outcome.rate >= 0.99 * rate and outcome.p99_ms <= TURN_LIMIT_MS
    rows = [
        Row(
            f"{CALLS:,} calls, a key every {KEY_EVERY} s, one worker",
            f"{outcome.rate:,.0f} turns/s, p99 {outcome.p99_ms:.0f} ms",
            f"{rate:,.0f} turns/s, p99 <= {TURN_LIMIT_MS / 1000:.0f} s",
            kept_up,
        )
    ]
    if light:
        rows.append(
            Row(
                f"  memory after {FEW_CALLS:,} and {CALLS:,} calls",
                f"{light / 1e6:.0f} and {heavy / 1e6:.0f} MB",
                f"<= {GROWTH:.2f} x",
                heavy <= GROWTH * light,
            )
        )
    return rows


def forged() -> dict[str, bytes]:
    """Requests with made-up signatures, as costly as a stranger can make them, by their kind."""
    large = "&".join(f"field{number}=%26" for number in range(7_000))
    below = "&".join(f"f{number}={'%26' * 100}" for number in range(100))
    head = (
        "POST /voice HTTP/1.1\r\nHost: line.example.org\r\n"
        f"X-Twilio-Signature: {'A' * 27}=\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    )
    made = {
        "forms of 100 kB and 7,000 fields": f"{head}Content-Length: {len(large)}\r\n\r\n{large}",
        "forms just below the limits": f"{head}Content-Length: {len(below)}\r\n\r\n{below}",
        "12,000 header lines": head + "a:b\r\n" * 12_000 + "\r\n",
    }
    return {name: request.encode() for name, request in made.items()}


def floods(parts: House, var: Path, effort: Effort) -> list[Row]:
    """A signed turn, alone and while many connections send forged requests."""
    signed = _kept(var / "signed", turns.requests(parts, FEW_CALLS, turns_each=1))
    with _served(APPLICATIONS[OURS], var) as server:
        turn = Job(server.port, signed, 1, effort.few_calls, TURNS_A_SECOND)
        _load(turn)  # warms up
        alone = _load(turn)
        rows = [Row("a signed turn alone", f"{alone.p50_ms:.0f} ms, p99 {alone.p99_ms:.0f} ms")]
        for number, (name, request) in enumerate(forged().items()):
            forging = _kept(var / f"forged{number}", [request])
            flood = subprocess.Popen(
                _program(Job(server.port, forging, FORGERS, effort.few_calls + 1)),
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
            )
            amid = _load(turn)
            flood.wait()
            rows.append(
                Row(
                    f"  amid {FORGERS} connections of {name}",
                    f"{amid.p50_ms:.0f} ms, p99 {amid.p99_ms:.0f} ms",
                    f"{SLOWER_BY_MS} ms slower at most",
                    amid.p50_ms - alone.p50_ms <= SLOWER_BY_MS,
                )
            )
    return rows


def _kept(path: Path, requests: list[bytes]) -> str:
    path.write_bytes(pickle.dumps(requests))
    return str(path)


@contextmanager
def _served(command: Sequence[str], var: Path) -> Iterator[Server]:
    log = var / f"{len(list(var.glob('*.log')))}.log"
    with running(command, turns.environment(var), log) as server:
        yield server


def _load(job: Job) -> Outcome:
    done = subprocess.run(_program(job), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The load generator failed:\n{done.stderr}")
    outcome = Outcome(**json.loads(done.stdout))
    if outcome.failed or not outcome.answered:
        raise SystemExit(f"{outcome.failed} of the requests were not answered with 200.")
    return outcome


def _program(job: Job) -> list[str]:
    return [sys.executable, "-m", "tests.bench.load", json.dumps(asdict(job))]


def _check_clips(server: Server, requests: Sequence[bytes]) -> None:
    """A turn plays clips when they are there; a <Say> would be another piece of work."""
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        wire = HTTPConnection("127.0.0.1", server.port, timeout=20)
        wire.request("POST", first.split()[1], body, headers)
        answer = wire.getresponse()
        said = answer.read()
        wire.close()
        if answer.status != 200 or b"<Play>" not in said or b"<Say" in said:
            raise SystemExit(f"Our own answer is not as expected: {answer.status} {said!r}")


def _rotated(names: list[str], number: int) -> list[str]:
    """Another one goes first in each round."""
    first = number % len(names)
    return names[first:] + names[:first]
