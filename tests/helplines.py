"""Real helplines for the tests: in a thread or in a process of their own, rung over HTTP.

Requests are written byte by byte (``http.client``), so that an address or a body arrives exactly as
a test wants it, and are signed by Twilio's own library.
"""

import asyncio
import itertools
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from argon2 import PasswordHasher
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr import background
from ivr.app import create_app
from ivr.config import Settings, load_settings
from ivr.handset import Caller, Phone
from ivr.handset.twiml import read
from ivr.handset.webhook import new_sid
from ivr.house import Clock, now
from ivr.people import passwords
from tests.databases import make_ready

ROOT = Path(__file__).parent.parent
TOKEN = "the-token-of-these-tests"
KEY = "c2VjcmV0LWtleS1vZi10aGVzZS10ZXN0cy0wMTIzNDU="  # 32 bytes, as Fernet wants them
NUMBER = "+447400123456"  # the example in Google's library of numbers: usable, and nobody's
CALL = "CA" + "7" * 32
FORM = "application/x-www-form-urlencoded"
STRANGERS = itertools.count(200_000)
# Loops that have ended, the last few still open: a thread of SQLite may have something to tell its
# loop when the helpline was stopped in the middle of a statement.
ENDED: deque[asyncio.AbstractEventLoop] = deque()
PATIENCE = 60  # seconds for a process to start and answer, however busy the machine is

Fields = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def page(self) -> "Page":
        """The answer as TwiML; fails unless it is what every signed request must get."""
        assert self.status == 200, (self.status, self.body[:200])
        assert self.headers["content-type"] == "text/xml; charset=utf-8"
        read(self.body, "http://helpline.test/voice")  # our strict handset takes it
        return Page(ElementTree.fromstring(self.body))


@dataclass(frozen=True)
class Page:
    """One document of TwiML."""

    xml: ElementTree.Element

    @property
    def words(self) -> str:
        """All that is said, in one text."""
        spoken = (text for say in self.xml.iter("Say") for text in say.itertext())
        return " ".join(" ".join(spoken).split())

    @property
    def verbs(self) -> list[str]:
        """The names of the verbs, in order."""
        return [verb.tag for verb in self.xml]

    @property
    def action(self) -> str:
        """Where the call goes on; fails if it does not."""
        for verb in self.xml:
            if verb.tag in ("Gather", "Dial"):
                return verb.attrib["action"]
            if verb.tag == "Redirect":
                return verb.text or ""
        raise AssertionError(f"no way on: {self.verbs}")

    @property
    def goes_on(self) -> bool:
        """Whether the document ends in a way on: nothing falls off its end, nobody hangs up."""
        return self.verbs[-1] in ("Redirect", "Dial") and "Hangup" not in self.verbs


@dataclass
class Helpline:
    """A helpline that is up: where it listens, and the address that Twilio knows it by."""

    port: int
    public: str
    token: str = TOKEN
    call: Mapping[str, str] = field(
        default_factory=lambda: {"CallSid": CALL, "From": NUMBER, "To": "+441134960000"}
    )

    def another_caller(self, number: str = "") -> "Helpline":
        """The same helpline, rung by somebody else: a call and a number of their own."""
        number = number or f"+447400{next(STRANGERS):06d}"
        return replace(self, call={**self.call, "CallSid": new_sid("CA"), "From": number})

    def post(self, path: str = "/voice", keys: str = "", **fields: str) -> Answer:
        """A signed turn, as Twilio sends it; ``keys`` are ``Digits``."""
        form = {**self.call, **({"Digits": keys} if keys else {}), **fields}
        return self.signed("POST", path, form)

    def get(self, path: str = "/voice", **fields: str) -> Answer:
        """The same by GET: the parameters stand in the address."""
        query = urlencode({**self.call, **fields})
        return self.signed("GET", f"{path}{'&' if '?' in path else '?'}{query}")

    def signed(
        self,
        method: str,
        target: str,
        fields: Fields = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A request with form fields, signed by Twilio's library."""
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        signature = RequestValidator(self.token).compute_signature(
            self.public + target, MultiDict(pairs)
        )
        kind = {"Content-Type": FORM} if method == "POST" else {}
        signed = {**kind, "X-Twilio-Signature": signature, **(headers or {})}
        return self.send(method, target, urlencode(pairs).encode(), signed)

    def signed_body(self, target: str, body: bytes, kind: str | None) -> Answer:
        """A POST with any body, signed as Twilio signs what is not a form: by its hash."""
        joint = "&" if "?" in target else "?"
        target = f"{target}{joint}bodySHA256={sha256(body).hexdigest()}"
        signature = RequestValidator(self.token).compute_signature(self.public + target, {})
        headers = {"X-Twilio-Signature": signature}
        return self.send(
            "POST", target, body, headers | ({"Content-Type": kind} if kind is not None else {})
        )

    def send(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A request exactly as given; ``headers`` may replace Host."""
        given = dict(headers or {})
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as wire:
            wire.putrequest(method, target, skip_host="Host" in given, skip_accept_encoding=True)
            for name, value in given.items():
                wire.putheader(name, value)
            if body:
                wire.putheader("Content-Length", str(len(body)))
            wire.endheaders(body or None)
            answer = wire.getresponse()
            heads = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, heads, answer.read())

    def play(self, *keys: str, start: str = "/voice") -> Page:
        """Ring, press these keys one after another ("" is silence), and return the last page."""
        page = self.post(start).page
        for each in keys:
            page = self.post(page.action, each).page
        return page

    def phone(self, caller: Caller | None = None, **settings: Any) -> Phone:
        """Our own handset, about to ring it."""
        base = f"http://127.0.0.1:{self.port}"
        return Phone(base, self.token, caller, public_url=self.public, **settings)


# --- helplines -------------------------------------------------------------------------------


def settings_of(var: Path, public: str, **settings: str) -> dict[str, str]:
    """The settings of a helpline that is no rehearsal: a token, an address, keys of its own."""
    return {
        "IVR_VAR": str(var),
        "IVR_PUBLIC_URL": public,
        "IVR_TWILIO_AUTH_TOKEN": TOKEN,
        "IVR_SECRET_KEYS": KEY,
        "IVR_SEARCH_KEY": KEY,
        "IVR_SPEECH": "say",
        **settings,
    }


@contextmanager
def quick_hashes() -> Iterator[None]:
    """Hashes of passwords of the same kind, that take no time: in use, each takes a tenth of a
    second."""
    with pytest.MonkeyPatch.context() as patch:
        quicker = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(passwords, "_hasher", quicker)
        passwords._nobodys.cache_clear()
        yield
    passwords._nobodys.cache_clear()


@dataclass
class HeldHashes:
    """The hasher in use, whose checks of passwords wait until they are let go."""

    real: PasswordHasher
    held: Callable[[str], bool]  # which passwords it holds
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    released: threading.Event = field(default_factory=threading.Event)
    running: int = 0
    most: int = 0  # checks that ran at the same moment
    counting: threading.Lock = field(default_factory=threading.Lock)

    async def one_begun(self) -> None:
        """Wait until one more check has begun."""
        assert await asyncio.to_thread(self.begun.acquire, timeout=PATIENCE), "no check began"

    def hash(self, password: str) -> str:
        """Hash a password, at once."""
        return self.real.hash(password)

    def verify(self, kept: str, password: str) -> bool:
        """Check a password, once it is let go."""
        with self.counting:
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.release()
        try:
            assert not self.held(password) or self.released.wait(PATIENCE)
            return self.real.verify(kept, password)
        finally:
            with self.counting:
                self.running -= 1


@contextmanager
def held_hashes(held: Callable[[str], bool] = lambda password: True) -> Iterator[HeldHashes]:
    """Checks of these passwords that begin while the block lasts wait until ``released`` is set."""
    with pytest.MonkeyPatch.context() as patch:
        holding = HeldHashes(passwords._hasher, held)
        patch.setattr(passwords, "_hasher", holding)
        try:
            yield holding
        finally:
            holding.released.set()


@contextmanager
def made_ready_once() -> Iterator[None]:
    """The database is ready before the helpline starts; a later look could make it anew when a test
    has just taken it away."""

    async def nothing_to_do(settings: Settings) -> None:
        """It is ready."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "_upgrade_own_database", nothing_to_do)
        yield


@contextmanager
def helpline(
    var: Path, clock: Clock = now, public: str = "", **settings: str
) -> Iterator[Helpline]:
    """A helpline in a thread of this process, on a port of its own; its database is ready."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        public = public or f"http://127.0.0.1:{port}"
        chosen = load_settings(settings_of(var, public, **settings))
        make_ready(chosen.database_url)
        with quick_hashes(), made_ready_once(), served(create_app(chosen, clock), listening):
            yield Helpline(port, public)


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of this work, done in a loop of its own, whatever runs in this thread."""
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(asyncio.run, work).result()


@contextmanager
def served(app: Quart, listening: socket.socket) -> Iterator[None]:
    """Serve this app on this socket, in a thread, while the block lasts."""
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = None
    config.h11_max_incomplete_size = 65536  # as in hypercorn.toml
    config.graceful_timeout = 1
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    task = serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    thread = threading.Thread(target=loop.run_until_complete, args=(task,))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        ENDED.append(loop)
        if len(ENDED) > 9:
            ENDED.popleft().close()


@dataclass
class Process(Helpline):
    """A helpline in a process of its own, as it is deployed."""

    running: subprocess.Popen[str] = field(kw_only=True)

    def kill(self) -> None:
        """Let it die where it stands (SIGKILL)."""
        self.running.kill()
        self.running.wait()

    def stop(self) -> str:
        """Stop it as one would, and return all that it wrote."""
        with suppress(ProcessLookupError):
            self.running.send_signal(signal.SIGTERM)
        return self.running.communicate(timeout=PATIENCE)[0]


@contextmanager
def process(
    var: Path, public: str = "", cwd: Path = ROOT, wrapper: Sequence[str] = (), **settings: str
) -> Iterator[Process]:
    """Start a helpline with ``hypercorn.toml``; who rings before it is up waits. A ``wrapper`` is a
    command that runs the command given to it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, handle = listening.getsockname()[1], listening.fileno()
        public = public or f"http://127.0.0.1:{port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
        command = ["-c", ROOT / "hypercorn.toml", "--bind", f"fd://{handle}"]
        started = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "hypercorn", *command, "ivr.app:create_app()"],
            env=kept | settings_of(var, public, **settings),
            cwd=cwd,
            pass_fds=[handle],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        line = Process(port, public, running=started)
        try:
            yield line
        finally:
            if started.poll() is None:
                line.stop()
            if started.stdout:
                started.stdout.close()


def wait_for(reached: Callable[[], bool]) -> None:
    """Until what happens in the background has happened; a slow machine is given a minute."""
    for _ in range(1200):
        if reached():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not happen")


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """As if so many seconds had passed for all who wait in this loop."""
    loop = asyncio.get_running_loop()
    before = loop.time
    monkeypatch.setattr(loop, "time", lambda: before() + seconds)


# --- what it keeps ---------------------------------------------------------------------------


def rows(var: Path, table: str) -> list[dict[str, Any]]:
    """What a table of the helpline's own database holds."""
    with closing(sqlite3.connect(f"file:{var / 'helpline.db'}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f'select * from "{table}"')]


@dataclass
class SetClock:
    """A clock that stands until a test sets it."""

    at: datetime

    def __call__(self) -> datetime:
        """The time that it shows."""
        return self.at
