"""What is refused is refused at once, and holds neither its connection nor those who share it."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded
from twilio.request_validator import RequestValidator

from ivr.app import create_app
from ivr.config import load_settings
from tests.helplines import PATIENCE, TOKEN, Helpline, helpline, served

MANY = 40  # parts of a body: more than the server queues for an application
CHUNKS = b"1\r\nx\r\n" * MANY  # and no end


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    with helpline(tmp_path_factory.mktemp("var")) as made:
        yield made


def read_to_its_end(wire: socket.socket) -> bytes:
    """All that the other side sends before it closes the connection."""
    wire.settimeout(PATIENCE)
    return b"".join(iter(lambda: wire.recv(65_536), b""))


def begun(method: str, path: str) -> bytes:
    """A request whose body has come in part."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + CHUNKS


@pytest.mark.parametrize("path", ["/voice", "/voice/x", "/voice/fallback", "/sms", "/sms/x"])
@pytest.mark.parametrize("method", ["POST", "GET", "CONNECT"])
def test_a_body_that_is_not_read_does_not_keep_its_connection_open(
    line: Helpline, method: str, path: str
) -> None:
    """It came in many parts, and more could come for ever."""
    with socket.create_connection(("127.0.0.1", line.port)) as wire:
        wire.sendall(begun(method, path))
        answer = read_to_its_end(wire)
    assert answer.startswith(b"HTTP/1.1 403")
    assert answer.endswith(b"\r\n\r\n")


def test_nor_does_demo_mode_keep_the_connections_of_strangers(tmp_path: Path) -> None:
    """A socket file stands for a stranger: it need not lead to this machine."""
    settings = load_settings({"IVR_VAR": str(tmp_path / "var"), "IVR_SPEECH": "say"})
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    listening.listen()
    with served(create_app(settings), listening), closing(socket.socket(socket.AF_UNIX)) as wire:
        wire.connect(str(tmp_path / "socket"))
        wire.sendall(begun("POST", "/staff/sign-in"))
        assert read_to_its_end(wire).startswith(b"HTTP/1.1 403")


# --- HTTP/2: requests share a connection ---------------------------------------------------------


class Shared:
    """A connection of HTTP/2, as a proxy may keep one for all requests."""

    def __init__(self, line: Helpline) -> None:
        self.line, self.events = line, list[Event]()
        self._wire = socket.create_connection(("127.0.0.1", line.port), timeout=PATIENCE)
        self.side = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.side.initiate_connection()

    def ask(self, stream: int, *headers: tuple[str, str], ends: bool = False) -> None:
        asked = (":method", "POST"), (":path", "/voice"), (":scheme", "http"), (":authority", "x")
        self.side.send_headers(stream, [*asked, *headers], end_stream=ends)

    def until(self, kind: type[Event], stream: int) -> Event:
        """Send what is to be sent, and read until an event of this kind; it is returned."""
        self._wire.sendall(self.side.data_to_send())
        while True:
            for event in self.events:
                if isinstance(event, kind) and getattr(event, "stream_id", None) == stream:
                    self.events.remove(event)
                    return event
            got = self._wire.recv(65_536)
            assert got, "the connection was closed"
            self.events += self.side.receive_data(got)
            self._wire.sendall(self.side.data_to_send())

    def close(self) -> None:
        self._wire.close()


def test_a_refused_body_does_not_end_the_requests_that_share_its_connection(
    line: Helpline,
) -> None:
    """A stranger's request is answered while its body still comes, and a caller's key after it."""
    signature = RequestValidator(TOKEN).compute_signature(f"{line.public}/voice", {})
    with closing(Shared(line)) as shared:
        shared.ask(1, ("content-length", f"{2 * MANY}"))
        for _ in range(MANY):
            shared.side.send_data(1, b"x")
        refused = shared.until(ResponseReceived, 1)
        assert (":status", "403") in refused.headers
        shared.ask(3, ("x-twilio-signature", signature), ends=True)
        answered = shared.until(ResponseReceived, 3)
        assert (":status", "200") in answered.headers
        assert b"<Response>" in shared.until(DataReceived, 3).data
        for _ in range(MANY):
            shared.side.send_data(1, b"x")
        shared.side.end_stream(1)
        shared.until(StreamEnded, 1)
