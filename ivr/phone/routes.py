"""The routes that Twilio calls: every signed request is answered 200 with a way on.

    POST|GET /voice            a call comes in
    POST|GET /voice/<sealed>   the next turn of a call; anything else there is a damaged position
    POST|GET /voice/fallback   Twilio's fallback URL, when we failed
    POST|GET /voice/status     a call's status: noted, 204

Unsigned or forged requests get 403 and nothing else.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from traceback import format_tb
from urllib.parse import urlsplit

from quart import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from ivr.conversation import Call, Conversation
from ivr.phone.fallback import last_resort
from ivr.phone.hearing import hear
from ivr.phone.signature import is_signed, parameters, posted
from ivr.phone.twiml import Clip, Writer

FORM = b"application/x-www-form-urlencoded"
SIGNATURE = b"x-twilio-signature"
METHODS = ["GET", "POST"]

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


@dataclass(frozen=True, slots=True)
class Hook:
    """A signed request, as received."""

    url: str  # as it was signed
    form: Mapping[str, str]
    query: Mapping[str, str]


class Anything(BaseConverter):
    """The rest of a path: slashes, line ends, nothing at all."""

    regex = "(?s:.*)"
    part_isolating = False


def voice_path(public_url: str) -> str:
    """The path of the voice routes as Twilio sees it: a proxy may put a prefix before it."""
    return f"{urlsplit(public_url).path.rstrip('/')}/voice"


def voice_routes(telephone: Telephone) -> Blueprint:
    """The voice routes."""
    routes = Blueprint("voice", __name__)
    routes.record_once(lambda made: made.app.url_map.converters.update(anything=Anything))

    @routes.route("/voice", methods=METHODS)
    @routes.route("/voice/<sealed>", methods=METHODS)
    @routes.route("/voice/<anything:sealed>", methods=METHODS)
    async def voice(sealed: str = "") -> Response:
        hook = await _received(telephone)
        return _forbidden() if hook is None else _twiml(await _turn(telephone, sealed, hook))

    @routes.route("/voice/fallback", methods=METHODS)
    async def fallback() -> Response:
        hook = await _received(telephone)
        if hook is None:
            return _forbidden()
        return _twiml(_last_resort(telephone, hook.form.get("ErrorUrl", "")))

    @routes.route("/voice/status", methods=METHODS)
    async def status() -> Response:
        hook = await _received(telephone)
        return _forbidden() if hook is None else Response(b"", 204)

    return routes


async def _turn(telephone: Telephone, sealed: str, hook: Hook) -> str:
    """The answer to one turn, whatever happens."""
    if telephone.conversation is None:
        return _last_resort(telephone)
    try:
        call = Call(hook.form.get("CallSid", ""), hook.form.get("From", ""))
        heard = hear(hook.form, hook.query)
        turn = await telephone.conversation.take_turn(call, sealed, heard)
        return telephone.writer.write(turn.said, turn.lines, turn.held, turn.sealed, telephone.clip)
    except Exception as fault:  # our own fault is no reason for a dead line
        # Where it failed, but not its message: that may hold a number.
        log.error(
            "a turn failed: %s\n%s", type(fault).__name__, "".join(format_tb(fault.__traceback__))
        )
        return _last_resort(telephone, hook.url)


def _last_resort(telephone: Telephone, failed: str = "") -> str:
    base = _base(telephone)
    path = voice_path(base)
    return last_resort(failed, base.removesuffix(urlsplit(base).path), path, telephone.other_number)


async def _received(telephone: Telephone) -> Hook | None:
    """The request, if it is signed."""
    body = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    raw_path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    url = _base(telephone) + raw_path.partition(b"?")[0].decode("ascii", "replace")
    if query:
        url += "?" + query.decode("ascii", "replace")
    headers: dict[bytes, bytes] = dict(request.scope["headers"])  # names are in small letters
    kind = headers.get(b"content-type", FORM).partition(b";")[0].strip().lower()
    params = posted(url, body, is_form=kind == FORM)
    signature = headers.get(SIGNATURE, b"").decode("latin-1")
    if params is None or not is_signed(telephone.tokens, url, params, signature):
        return None
    asked = dict(parameters(query)) if query else {}
    form = asked if request.method == "GET" else dict(params)
    return Hook(url, form, asked)


def _base(telephone: Telephone) -> str:
    """Where the helpline is reached; in demo mode, on loopback, wherever it was asked for."""
    return telephone.public_url or f"http://{request.headers.get('Host', 'localhost')}"


def _twiml(document: str) -> Response:
    return Response(document, 200, content_type="text/xml; charset=utf-8")


def _forbidden() -> Response:
    return Response(b"", 403)
