"""The routes that Twilio calls: every signed request is answered 200 with a way on.

    /voice            a call comes in
    /voice/<sealed>   the next turn of a call; anything else there is a damaged position
                      (or, of the leg to somebody of ours, what they hear and press: ``legs``;
                      of a call that staff make, what they hear and press: ``calling``)
    /voice/fallback   Twilio's fallback URL, when we failed
    /voice/status     a call's status: one that is over frees the people who were rung for it, 204
    /sms              a text comes in, and how texts of ours fare: ``texts``

Unsigned or forged requests get 403 and nothing else; so does whoever asks for a tunnel (CONNECT)
or a websocket, which no telephone does.

They stand before Quart, as an ASGI application of their own. Twilio signs an address exactly as it
travels; routing would only tidy, decode and redirect it, and takes as long as the turn itself.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from traceback import format_tb
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from ivr.conversation import Call, Conversation, Turn
from ivr.core.call import Dial
from ivr.phone.calling import Calling
from ivr.phone.fallback import MARK, last_resort
from ivr.phone.hearing import hear, is_over
from ivr.phone.legs import NOTHING_TO_SAY, Legs
from ivr.phone.signature import is_signed, parameters, posted
from ivr.phone.tally import NONE, WRONG, Tally
from ivr.phone.texts import Texts
from ivr.phone.twiml import Clip, Writer, document
from ivr.refusal import refuse

FORM = b"application/x-www-form-urlencoded"
SIGNATURE = b"x-twilio-signature"
PARENT = "ParentCallSid"  # on the leg to somebody of ours: the caller's call
OURS = ("outbound-api", "outbound-dial")  # Twilio's Direction of calls that we make
Headers: TypeAlias = Mapping[bytes, bytes]
XML = [(b"content-type", b"text/xml; charset=utf-8")]
# Twilio's form of a call has 1 to 3 kB and 25 to 40 fields, and a few more of each with SIP headers
# or add-ons; that of a text with ten pictures some 50 fields. The longest text, 1,600 emoji, makes
# some 20 kB. By GET the form is the query.
LONGEST = 32_000  # bytes of query and body together
ORDINARY = 4_000  # bytes of query and body together: what is longer is checked one at a time
LONGEST_OTHER = 8_000  # bytes of a body that is no form, which these webhooks never have
MOST_FIELDS = 200  # of query and body together
MOST_PARTS = 64  # in which a body comes: TCP cuts the longest into some 25, and each takes 30 µs
BODY_SECONDS = 15  # for a whole request to arrive: Twilio would have given up by then

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Telephone:
    """What the voice routes need of the rest of the house."""

    tokens: Sequence[str]
    public_url: str  # empty in demo mode: the address that was asked for
    other_number: str
    conversation: Conversation | None  # None while there is no usable book
    writer: Writer
    clip: Clip
    may_dial: Callable[[str], bool]  # may a caller be put through to this number (E.164)?
    legs: Legs | None = None  # None while nobody of ours can be rung
    calling: Calling | None = None  # None while staff cannot ring callers from their page
    texts: Texts | None = None  # None while there is neither a usable book nor a place to keep them
    tally: Tally = field(default_factory=Tally)
    large: asyncio.Lock = field(default_factory=asyncio.Lock)  # held while a large form is checked


@dataclass(frozen=True, slots=True)
class Hook:
    """A signed request, as received."""

    base: str  # where the helpline is reached
    url: str  # as it was signed
    form: Mapping[str, str]
    query: Mapping[str, str]
    arrived: float  # all of it, by ``perf_counter``


class _RefusedError(Exception):
    """The request is not one that Twilio signed."""


class _HungUpError(Exception):
    """Whoever asked has gone before the whole request was here."""


def voice_path(public_url: str) -> str:
    """The path of the voice routes as Twilio sees it: a proxy may put a prefix before it."""
    return f"{urlsplit(public_url).path.rstrip('/')}/voice"


class VoiceRoutes:
    """Answers everything under ``/voice`` and ``/sms``, and passes all else on to the next
    application."""

    def __init__(self, telephone: Telephone, onward: ASGIFramework) -> None:
        self._telephone, self._onward = telephone, onward

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request."""
        path = "" if scope["type"] == "lifespan" else scope["path"].lstrip("/")
        first, _, rest = path.partition("/")
        if scope["type"] == "lifespan" or first not in ("voice", "sms"):
            return await self._onward(scope, receive, send)
        if scope["type"] == "websocket":  # closed before it is open: 403
            return await send({"type": "websocket.close", "code": 1000, "reason": None})
        try:
            answer = _answer if first == "voice" else _text
            status, page = await answer(self._telephone, rest, scope, receive)
        except _HungUpError:  # over HTTP/2, an answer to nobody is never sent, nor given up
            return None
        except _RefusedError:
            return await refuse(scope, receive, send)
        length = (b"content-length", b"%d" % len(page))
        headers = [*XML, length] if page else [] if status == NOTHING_TO_SAY else [length]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        return await send({"type": "http.response.body", "body": page, "more_body": False})


async def _answer(
    telephone: Telephone, rest: str, scope: HTTPScope, receive: ASGIReceiveCallable
) -> tuple[int, bytes]:
    """The status and the body of the answer to a request for ``/voice/<rest>``."""
    hook = await _hook(telephone, scope, receive)
    if rest == "status":
        if telephone.legs is not None:
            await telephone.legs.call_ended(hook.form)
        return NOTHING_TO_SAY, b""
    if rest == "fallback":
        return 200, _last_resort(telephone, hook, hook.form.get("ErrorUrl", "")).encode()
    if rest and hook.form.get("Direction") in OURS and telephone.calling is not None:
        answered = await telephone.calling.answer(rest, hook.form, voice_path(telephone.public_url))
        if answered is not None:
            return answered[0], answered[1].encode("utf-8", "replace")
    if rest and hook.form.get(PARENT):
        status, page = await _leg(telephone, rest, hook)
        return status, page.encode("utf-8", "replace")
    return 200, (await _turn(telephone, rest, hook)).encode("utf-8", "replace")


async def _text(
    telephone: Telephone, rest: str, scope: HTTPScope, receive: ASGIReceiveCallable
) -> tuple[int, bytes]:
    """The status and the body of the answer to a request for ``/sms/<rest>``."""
    hook = await _hook(telephone, scope, receive)
    if telephone.texts is None:
        log.error("a text is lost: the helpline only has its last resort")
        return 200, document("").encode()
    status, page = await telephone.texts.answer(rest, hook.form)
    return status, page.encode()


async def _hook(telephone: Telephone, scope: HTTPScope, receive: ASGIReceiveCallable) -> Hook:
    """The request, which is signed.

    Raises:
        _RefusedError: it is not.
    """
    if scope["method"] == "CONNECT":  # after a 200 the server would hold the line open as a tunnel
        raise _RefusedError
    headers = dict(scope["headers"])  # names are in small letters
    # Who sends no signature is not listened to any further: reading takes time from the calls.
    if SIGNATURE not in headers:
        telephone.tally.refused[NONE] += 1
        raise _RefusedError
    body = await _body(scope, headers, receive)
    hook = None if body is None else await _in_turn(telephone, scope, headers, body)
    if hook is None:
        telephone.tally.refused[WRONG] += 1
        raise _RefusedError
    return hook


async def _leg(telephone: Telephone, sealed: str, hook: Hook) -> tuple[int, str]:
    """The answer to a request from the leg to somebody of ours."""
    if telephone.legs is not None:
        answered = await telephone.legs.answer(sealed, hook.form, voice_path(telephone.public_url))
        if answered is not None:
            return answered
        if telephone.legs.is_turn(sealed, hook.form):
            return 200, await _turn(telephone, sealed, hook)
    # Whoever that is, they must not be joined to a caller.
    return 200, _last_resort(telephone, hook, f"{hook.url.partition('?')[0]}?{MARK}")


async def _turn(telephone: Telephone, sealed: str, hook: Hook) -> str:
    """The answer to one turn, whatever happens."""
    if telephone.conversation is None:  # to where it was, should a worker with a book answer next
        return _last_resort(telephone, hook, f"{hook.url.partition('?')[0]}?{MARK}")
    try:
        call = Call(hook.form.get("CallSid", ""), hook.form.get("From", ""), is_over(hook.form))
        heard = hear(hook.form, hook.query)
        taking = telephone.conversation.take_turn(call, sealed, heard)
        if call.is_over and telephone.legs is not None:
            turn, _ = await asyncio.gather(taking, telephone.legs.call_ended(hook.form))
        else:
            turn = await taking
        page = _written(telephone, turn, hook)
        telephone.tally.turn(turn.heard, perf_counter() - hook.arrived)
        return page
    except Exception as fault:  # our own fault is no reason for a dead line
        # Where it failed, but not its message: that may hold a number.
        log.error(
            "a turn failed: %s\n%s", type(fault).__name__, "".join(format_tb(fault.__traceback__))
        )
        return _last_resort(telephone, hook, hook.url)


def _written(telephone: Telephone, turn: Turn, hook: Hook) -> str:
    writer, said, clip = telephone.writer, turn.said, telephone.clip
    if (
        isinstance(said.then, Dial)
        and not said.then.ring
        and not telephone.may_dial(said.then.number)
    ):
        # It lapsed or was changed meanwhile, or a flow means another: as if it had failed.
        log.warning("nobody is put through to a number that is not in the directory")
        return writer.ring(said, turn.lines, turn.sealed, clip, None)
    if isinstance(said.then, Dial) and said.then.ring:
        voice = f"{hook.base}/voice"
        legs = telephone.legs
        leg = legs.leg(said.then.ring, hook.form, voice) if legs else None
        return writer.ring(said, turn.lines, turn.sealed, clip, leg)
    return writer.write(said, turn.lines, turn.held, turn.sealed, clip)


def _last_resort(telephone: Telephone, hook: Hook, failed: str = "") -> str:
    telephone.tally.last_resorts += 1
    path = voice_path(telephone.public_url)
    ours = hook.base.removesuffix(path.removesuffix("/voice"))
    return last_resort(failed, ours, path, telephone.other_number)


async def _body(scope: HTTPScope, headers: Headers, receive: ASGIReceiveCallable) -> bytes | None:
    """The whole body, or None if it does not come in time or the request is larger than Twilio's.

    Anyone can make a signature up. Finding that out means taking the form apart, decoding and
    sorting it, 30 ms for 9,000 fields, while calls wait. So size comes first, and before the body
    is read where the request declares it.
    """
    longest = LONGEST if _is_form(headers) else LONGEST_OTHER
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared[:10]) > longest:
        return None
    body, more, parts = bytearray(), True, 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more and len(body) <= longest and parts < MOST_PARTS:
                event = await receive()
                if event["type"] != "http.request":
                    raise _HungUpError
                body += event.get("body", b"")
                more, parts = event.get("more_body", False), parts + 1
    except TimeoutError:
        return None
    query = scope["query_string"]
    fields = query.count(b"&") + body.count(b"&")
    too_large = len(body) > longest or len(query) + len(body) > LONGEST or fields >= MOST_FIELDS
    return None if more or too_large else bytes(body)


def _is_form(headers: Headers) -> bool:
    return headers.get(b"content-type", FORM).partition(b";")[0].strip().lower() == FORM


async def _in_turn(
    telephone: Telephone, scope: HTTPScope, headers: Headers, body: bytes
) -> Hook | None:
    """The request, if it is signed; of large ones one at a time, with others in between.

    A large form takes 2 ms. Many of them at once, made up by anyone, would keep calls waiting.
    """
    if len(scope["query_string"]) + len(body) <= ORDINARY:
        return _signed(telephone, scope, headers, body)
    async with telephone.large:
        await asyncio.sleep(0)
        return _signed(telephone, scope, headers, body)


def _signed(telephone: Telephone, scope: HTTPScope, headers: Headers, body: bytes) -> Hook | None:
    """The request, if it is signed."""
    arrived = perf_counter()
    base = telephone.public_url or f"http://{headers.get(b'host', b'localhost').decode('latin-1')}"
    query = scope["query_string"]
    raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
    url = base + raw_path.partition(b"?")[0].decode("ascii", "replace")
    if query:
        url += "?" + query.decode("ascii", "replace")
    params = posted(url, body, _is_form(headers))
    signature = headers.get(SIGNATURE, b"").decode("latin-1")
    if params is None or not is_signed(telephone.tokens, url, params, signature):
        return None
    asked = dict(parameters(query)) if query else {}
    form = asked if scope["method"] == "GET" else dict(params)
    return Hook(base, url, form, asked, arrived)
