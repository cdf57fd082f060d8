"""A bound on the header lines of a request, before Hypercorn parses them.

h11 parses in Python, 4 µs a line, before anything is known of a request. 64 kB hold 12,000 lines,
and 60 connections that send such requests stop every call. Hypercorn bounds only bytes, and only
those of a header that does not come in one piece; a proxy passes on what fits into its own buffers.
"""

import re
from typing import Any

import h11
import hypercorn.protocol
from hypercorn.protocol.h11 import H11Protocol

MOST = 100  # as Apache and gunicorn have it; Twilio sends some 15, browsers 20, proxies a few more
BLANK_LINE = re.compile(rb"\n\r?\n")


class _Connection(h11.Connection):
    """One connection, which refuses a request of too many header lines unparsed."""

    def next_event(self) -> Any:
        """Return what came next, as h11 does.

        Raises:
            h11.RemoteProtocolError: it is no HTTP, or it has too many header lines.
        """
        if self.their_state is h11.IDLE and _header_lines(self.trailing_data[0]) > MOST:
            raise h11.RemoteProtocolError("too many header lines", error_status_hint=431)
        return super().next_event()


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


def bound_header_lines() -> None:
    """Have Hypercorn answer 431 to more than 100 header lines, and close the connection.

    It has no setting for that, so its class is replaced. Other servers are left as they are.
    """
    hypercorn.protocol.H11Protocol = _Protocol  # type: ignore[attr-defined]
