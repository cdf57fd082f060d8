"""A stand-in for Twilio's REST API, over HTTP: it remembers whom to ring or text, and does not."""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from ivr.handset.webhook import new_sid
from tests.helplines import PATIENCE


@dataclass
class Twilio:
    """What was asked of it, and how it answers next."""

    address: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 201
    code: int = 0  # Twilio's error number, when it refuses
    silent: threading.Event = field(default_factory=threading.Event)  # set: it answers

    came: threading.Event = field(default_factory=threading.Event)  # set: it was asked something

    def __post_init__(self) -> None:
        self.silent.set()


@contextmanager
def twilio() -> Iterator[Twilio]:
    """A stand-in that listens on this machine while the block lasts."""
    standin = Twilio()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            who = b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
            standin.asked.append({**dict(parse_qsl(body)), "path": self.path, "who": who})
            standin.came.set()
            standin.silent.wait(PATIENCE)
            kind = "SM" if self.path.endswith("/Messages.json") else "CA"
            told = {"sid": new_sid(kind)} if standin.status == 201 else {"code": standin.code}
            content = json.dumps(told).encode()
            self.send_response(standin.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """It says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    standin.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield standin
    finally:
        standin.silent.set()
        server.shutdown()
        thread.join()
        server.server_close()
