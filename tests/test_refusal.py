"""What is refused is refused at once, and holds neither its connection nor those who share it."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded
from twilio.request_validator import RequestValidator

from ivr.app import create_app
from ivr.config import load_settings
from tests.helplines import (
    FORM,
    NUMBER,
    PATIENCE,
    TOKEN,
    Helpline,
    helpline,
    served,
    settings_of,
)

MANY = 40  # parts of a body: more than the server queues for an application
FORGED = "A" * 27 + "="  # as long as a signature is
JSON = "application/json"
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


# --- header lines and parts of bodies: parsed before anything is known of a request ---------------


def lines(number: int) -> bytes:
    return b"".join(b"X-%d: 1\r\n" % each for each in range(number))


@pytest.mark.parametrize("path", ["/voice", "/", "/healthz"])
def test_a_header_of_hundreds_of_lines_is_not_parsed(line: Helpline, path: str) -> None:
    """On any page; whether it comes in one piece or has no end yet; and as a second request."""
    first = f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode()
    for sent in (
        first + lines(200) + b"\r\n",
        first + lines(200),
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + first + lines(200) + b"\r\n",
    ):
        with socket.create_connection(("127.0.0.1", line.port)) as wire:
            wire.sendall(sent)
            assert b"HTTP/1.1 431" in read_to_its_end(wire)


def test_the_lines_of_a_proxy_and_of_a_body_do_not_count_as_too_many(line: Helpline) -> None:
    headers = {f"X-{number}": "1" for number in range(60)}
    assert line.signed("POST", "/voice", line.call, headers).page.goes_on
    assert line.signed_body("/voice", b"\n" * 1_000, "text/plain").page.goes_on


def in_parts(line: Helpline, path: str, signature: str, parts: list[bytes], end: bytes) -> bytes:
    """The answer to a form that comes in these parts."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {signature}\r\nConnection: close"
    )
    chunked = f"{head}\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    with socket.create_connection(("127.0.0.1", line.port)) as wire:
        wire.sendall(chunked + body + end)
        return read_to_its_end(wire)


@pytest.mark.parametrize(("path", "status"), [("/voice", 403), ("/staff/sign-in", 413)])
def test_a_body_in_hundreds_of_parts_is_not_read_to_its_end(
    line: Helpline, path: str, status: int
) -> None:
    """Each part takes as long as a whole body: 10,000 of them fit into one read."""
    answer = in_parts(line, path, FORGED, [b"x"] * 1_000, b"")
    assert answer.startswith(f"HTTP/1.1 {status}".encode())


def test_a_body_in_as_many_parts_as_a_network_makes_is_read(line: Helpline) -> None:
    form = {"MessageSid": "SM1", "From": NUMBER, "Body": "🙂" * 1_600}
    signature = RequestValidator(TOKEN).compute_signature(f"{line.public}/sms", form)
    body = urlencode(form).encode()
    parts = [body[start : start + 512] for start in range(0, len(body), 512)]
    answer = in_parts(line, "/sms", signature, parts, b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


# --- forged requests: larger than any of Twilio's -------------------------------------------------


def begins(line: Helpline, path: str, *headers: str, body: bytes = b"") -> bytes:
    """The answer to a request of which only this has been sent."""
    head = "\r\n".join(
        [f"POST {path} HTTP/1.1", f"Host: x\r\nX-Twilio-Signature: {FORGED}", *headers]
    )
    with socket.create_connection(("127.0.0.1", line.port)) as wire:
        wire.sendall(f"{head}\r\n\r\n".encode() + body)
        return read_to_its_end(wire)


@pytest.mark.parametrize("path", ["/voice", "/voice/x", "/voice/status", "/sms", "/sms/x"])
@pytest.mark.parametrize(
    ("kind", "length"),
    [
        (FORM, "32001"),
        (FORM, "97000"),
        (FORM, "9" * 20),
        (JSON, "8001"),
        (JSON, "15000000"),
        ("multipart/form-data; boundary=x", "15000000"),
    ],
)
def test_a_body_that_is_declared_too_long_is_not_awaited(
    line: Helpline, path: str, kind: str, length: str
) -> None:
    """The answer comes after the headers alone."""
    answer = begins(line, path, f"Content-Type: {kind}", f"Content-Length: {length}")
    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(("kind", "length"), [(FORM, 32_001), (JSON, 8_001)])
def test_a_body_that_becomes_too_long_is_not_awaited_to_its_end(
    line: Helpline, kind: str, length: int
) -> None:
    """Without a declared length it is counted as it comes."""
    body = b"%x\r\n%s\r\n" % (length, b"x" * length)
    answer = begins(
        line, "/voice", f"Content-Type: {kind}", "Transfer-Encoding: chunked", body=body
    )
    assert answer.startswith(b"HTTP/1.1 403")


def fields(number: int) -> dict[str, str]:
    return {f"field{each}": "&" for each in range(number)}


@pytest.mark.parametrize("path", ["/voice", "/sms"])
@pytest.mark.parametrize(("in_address", "in_body"), [(0, 250), (250, 0), (150, 150)])
def test_more_fields_than_twilio_sends_are_not_taken_apart(
    line: Helpline, path: str, in_address: int, in_body: int
) -> None:
    """Though they are signed: finding that out is what takes long."""
    target = f"{path}?{urlencode(fields(in_address))}" if in_address else path
    answer = line.signed("POST" if in_body else "GET", target, fields(in_body))
    assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize("path", ["/voice", "/sms"])
def test_an_address_longer_than_any_form_is_not_taken_apart(line: Helpline, path: str) -> None:
    """Alone, with a form, and with a body that is none."""
    target = f"{path}?a={'%26' * 10_000}"
    assert line.signed("GET", f"{target}{'x' * 2_000}").status == 403
    assert line.signed("POST", target, {"b": "x" * 2_000}).status == 403
    assert line.signed_body(f"{target}{'x' * 2_000}", b"{}", JSON).status == 403


def of_a_call(line: Helpline) -> dict[str, str]:
    """A form of a call with as much as Twilio adds to some."""
    return {
        **line.call,
        **{f"Called{part}": "SHEFFIELD AND DISTRICT" for part in ("City", "State", "Zip")},
        **{f"Caller{part}": "SHEFFIELD AND DISTRICT" for part in ("City", "State", "Zip")},
        **{f"SipHeader_X-Header-{number}": "value" * 20 for number in range(30)},
        "AddOns": json.dumps({"status": "successful", "results": {"a": "é" * 500}}),
        "StirVerstat": "TN-Validation-Passed-A",
        "SpeechResult": "Kingston upon Hull " * 10,
    }


def of_a_text(line: Helpline) -> dict[str, str]:
    """The longest text that Twilio takes, with the most pictures."""
    pictures = {f"MediaUrl{one}": f"https://api.twilio.com/{'x' * 120}/{one}" for one in range(10)}
    kinds = {f"MediaContentType{one}": "image/jpeg" for one in range(10)}
    sid = "SM" + "1" * 32
    return {"MessageSid": sid, "From": NUMBER, "Body": "🙂" * 1_600, **pictures, **kinds}


def test_the_largest_of_what_twilio_sends_is_answered(line: Helpline) -> None:
    """By POST, and by GET, whose address holds the whole form."""
    call, text = of_a_call(line), of_a_text(line)
    assert line.signed("POST", "/voice", call).page.goes_on
    assert line.signed("GET", f"/voice?{urlencode(call)}").page.goes_on
    assert len(urlencode(text)) > 20_000
    assert line.signed("POST", "/sms", text).status == 200
    assert line.signed("GET", f"/sms?{urlencode(text)}").status == 200


def test_what_is_refused_for_its_size_is_counted(tmp_path: Path) -> None:
    """As a wrong signature: it may be Twilio, after all."""
    settings = {"IVR_METRICS_TOKEN": "a token of sixteen letters"}
    with helpline(tmp_path, **settings) as line:
        begins(line, "/voice", f"Content-Type: {FORM}", "Content-Length: 97000")
        line.signed("POST", "/sms", fields(201))
        headers = {"Authorization": f"Bearer {settings['IVR_METRICS_TOKEN']}"}
        figures = line.send("GET", "/metrics", headers=headers).body
    assert b'helpline_requests_refused_total{signature="wrong"} 2.0' in figures


async def test_a_turn_does_not_wait_for_large_forms_that_came_before_it(tmp_path: Path) -> None:
    """They are checked one at a time, and a short request goes between them."""
    app = create_app(load_settings(settings_of(tmp_path, "https://line.example")))
    done: list[str] = []

    async def ask(name: str, signature: str, body: bytes) -> None:
        headers = [(b"x-twilio-signature", signature.encode()), (b"content-type", FORM.encode())]
        scope = {"path": "/voice/status", "raw_path": b"/voice/status", "query_string": b""}
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Any:
            return next(parts, {"type": "http.disconnect"})

        async def send(event: Any) -> None:
            if event["type"] == "http.response.start":
                done.append(f"{name} {event['status']}")

        asked: Any = {"type": "http", "http_version": "1.1", "method": "POST", "headers": headers}
        # Hypercorn's type of a scope wants keys that nothing here reads.
        await app.asgi_app(asked | scope, receive, send)  # type: ignore[arg-type]

    signature = RequestValidator(TOKEN).compute_signature("https://line.example/voice/status", {})
    large = [ask("large", FORGED, b"x" * 31_000) for _ in range(10)]
    await asyncio.gather(*large, ask("short", signature, b""))
    assert done == ["short 204", *["large 403"] * 10]
