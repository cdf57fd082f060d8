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
from urllib.parse import parse_qsl, unquote

USUAL_PORTS = {"https": 443, "http": 80}


def parameters(body: bytes) -> list[tuple[str, str]]:
    """Names and values of a form body (or a query), in order, blank values kept.

    The same as ``parse_qsl``, which a test holds it to, in less time: all values are decoded at
    once, unless one of them holds what tells them apart.
    """
    text = body.decode("utf-8", "replace")
    if "%26" in text:
        return parse_qsl(text, keep_blank_values=True)
    fields = [field.partition("=") for field in text.split("&") if field]
    values = _decoded("&".join([value for _, _, value in fields])).split("&")
    names = [name if name.isalnum() else _decoded(name) for name, _, _ in fields]
    return list(zip(names, values, strict=False))  # of no fields, one empty value is left


def _decoded(text: str) -> str:
    return unquote(text.replace("+", " "), errors="replace")


def compute(token: str, url: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """The signature of a request to ``url`` with these POST parameters."""
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    return _digest(token, signed).decode()


def _digest(token: str, signed: str) -> bytes:
    return base64.b64encode(hmac.digest(token.encode(), signed.encode("utf-8", "replace"), "sha1"))


def is_signed(
    tokens: Sequence[str],
    url: str,
    params: Iterable[tuple[str, str]],
    signature: str | None,
) -> bool:
    """Whether Twilio, or our own handset, signed a request to ``url`` with these POST parameters.

    ``url`` is the public address, raw path and raw query. It is also tried with and without its
    port, as Twilio signs some addresses the one way and some the other; and with a bare ``?`` at
    its end, which a web server does not tell us of.
    """
    if not signature:
        return False
    given = signature.encode("utf-8", "replace")
    signed = "".join(name + value for name, value in sorted(set(params)))
    return any(
        hmac.compare_digest(_digest(token, address + signed), given)
        for address in _spellings(url)
        for token in tokens
    )


def posted(url: str, body: bytes, is_form: bool) -> list[tuple[str, str]] | None:
    """The parameters that a body adds to what is signed.

    A body that is no form adds none, but the address, which is signed, must name its digest: None
    if it does not. (The digest is no secret, so it is compared plainly.)
    """
    if is_form or not body:
        return parameters(body) if body else []
    query = dict(parse_qsl(url.partition("?")[2]))
    return [] if query.get("bodySHA256", "").lower() == sha256(body).hexdigest() else None


def _spellings(url: str) -> Iterable[str]:
    yield url
    if "?" not in url:
        yield f"{url}?"
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal():
        yield f"{scheme}://{name}{slash}{path}"
    elif scheme in USUAL_PORTS:
        yield f"{scheme}://{host}:{USUAL_PORTS[scheme]}{slash}{path}"
