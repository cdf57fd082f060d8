"""Twilio's request signature, checked over exactly what was received.

HMAC-SHA1, keyed with an auth token, over the public address, the raw path and query, and every POST
parameter (names sorted; a repeated name's distinct values sorted), in base64. A JSON body is signed
by its SHA-256 in the query instead. Source: Twilio, "Validating requests are coming from Twilio",
and its library, to whose answers ``tests/test_signature.py`` holds this module.

The library itself is not used here because it raises on a missing header, and because its answer
for a URL that has been decoded and encoded again is wrong.
"""

import base64
import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from urllib.parse import parse_qsl

USUAL_PORTS = {"https": 443, "http": 80}


def parameters(body: bytes) -> list[tuple[str, str]]:
    """Names and values of a form body (or a query), in order, blank values kept."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")


def compute(token: str, url: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """The signature of a request to ``url`` with these POST parameters."""
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    digest = hmac.digest(token.encode(), signed.encode("utf-8", "replace"), "sha1")
    return base64.b64encode(digest).decode()


def is_signed(
    tokens: Sequence[str], url: str, body: bytes, is_form: bool, signature: str | None
) -> bool:
    """Whether Twilio, or our own handset, signed a request to ``url`` with this body.

    ``url`` is the public address, raw path and raw query. It is also tried with and without its
    port, as Twilio signs some addresses the one way and some the other.
    """
    if not signature:
        return False
    given = signature.encode("utf-8", "replace")
    params = parameters(body) if is_form and body else []
    if body and not is_form and not _has_digest_of(url, body):
        return False
    return any(
        hmac.compare_digest(compute(token, address, params).encode(), given)
        for address in _spellings(url)
        for token in tokens
    )


def _has_digest_of(url: str, body: bytes) -> bool:
    """Whether the address, which is signed, names this body: no secret, so compared plainly."""
    query = dict(parse_qsl(url.partition("?")[2]))
    return query.get("bodySHA256", "").lower() == sha256(body).hexdigest()


def _spellings(url: str) -> Iterable[str]:
    yield url
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal():
        yield f"{scheme}://{name}{slash}{path}"
    elif scheme in USUAL_PORTS:
        yield f"{scheme}://{host}:{USUAL_PORTS[scheme]}{slash}{path}"
