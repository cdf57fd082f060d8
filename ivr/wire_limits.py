"""Bounds on a request while Hypercorn parses it, before anything is known of it.

h11 parses in Python: 4 µs a header line, 30 µs a part of a body, with what Hypercorn adds. 64 kB
hold 12,000 lines or 10,000 parts, and 60 connections that send such requests to any page keep every
call waiting. Hypercorn bounds only the bytes of a header, if it does not come in one piece; a proxy
passes on whatever fits into its own buffers.
"""

import re
from typing import Any

import h11
import hypercorn.protocol
from hypercorn.protocol.h11 import H11Protocol

MOST_LINES = 100  # as Apache and gunicorn have it; Twilio sends some 15, browsers 20, proxies more
MOST_PARTS = 300  # of a body: TCP cuts the longest that any page takes, 100 kB, into some 70
BLANK_LINE = re.compile(rb"\n\r?\n")


class _Connection(h11.Connection):
    """One connection, which refuses what is costly to parse."""

    _parts = 0  # of the body of the request so far

    def next_event(self) -> Any:
        """Return what came next, as h11 does.

        Raises:
            h11.RemoteProtocolError: it is no HTTP; or its header has too many lines, which are then
                not parsed; or its body has come in too many parts.
        """
        if self.their_state is h11.IDLE and _header_lines(self.trailing_data[0]) > MOST_LINES:
            raise h11.RemoteProtocolError("too many header lines", error_status_hint=431)
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._parts = 0
        elif isinstance(event, h11.Data):
            self._parts += 1
        if self._parts > MOST_PARTS:
            raise h11.RemoteProtocolError("a body in too many parts", error_status_hint=413)
        return event


def _header_lines(received: bytes) -> int:
    """How many lines of a header have come, the request line included."""
    end = BLANK_LINE.search(received)
    return received.count(b"\n", 0, end.start() + 1 if end else len(received))


class _Protocol(H11Protocol):
    """Hypercorn's side of HTTP/1, on such a connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        size = self.config.h11_max_incomplete_size
        self.connection = _Connection(h11.SERVER, max_incomplete_event_size=size)


def bound_requests() -> None:
    """Have Hypercorn answer 431 to more than 100 header lines, and 413 to a body in more than 300
    parts, and close the connection.

    It has no settings for that, so its class is replaced. Other servers are left as they are.
    """
    # It is looked up there for each connection, but not exported by name.
    hypercorn.protocol.H11Protocol = _Protocol  # type: ignore[attr-defined]
