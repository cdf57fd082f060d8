"""The handset does what Twilio's documentation says a phone does, and forgives us nothing."""

import asyncio
import io
import os
import pty
import shutil
import socket
import struct
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response, request
from twilio.request_validator import RequestValidator

from ivr.core.saying import Pause
from ivr.errors import UsageError
from ivr.handset import (
    Caller,
    HandsetError,
    Phone,
    Script,
    Speech,
    Terminal,
    Turn,
    Webhook,
    parse,
    scripted,
    signature,
    transcript,
)
from ivr.handset import sound as sounds
from ivr.handset.keyboard import Keyboard
from ivr.handset.phone import MAX_REDIRECTS
from ivr.handset.script import offered
from ivr.handset.twiml import MAX_SAY, read
from ivr.handset.verbs import Gather, entered

TOKEN = "the-token-of-the-test"
ONE_KEY = 'numDigits="1" finishOnKey="" actionOnEmptyResult="true"'
SPEECH_ALONE = '<Gather input="speech"/>'


# --- a helpline of hand-written pages ----------------------------------------------------------


@dataclass
class Asked:
    """One request, as the helpline saw it."""

    method: str
    target: str  # raw path and query
    form: dict[str, str]
    signature: str


@dataclass
class Helpline:
    """Pages by path, and what was asked of it."""

    url: str
    pages: dict[str, str | bytes] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def says(self, verbs: str, at: str = "/voice") -> None:
        """Put a document there."""
        self.pages[at] = f"<?xml version='1.0' encoding='UTF-8'?><Response>{verbs}</Response>"

    @property
    def paths(self) -> list[str]:
        """Where requests went, in order."""
        return [asked.target for asked in self.asked]

    @property
    def form(self) -> dict[str, str]:
        """The form of the last request."""
        return self.asked[-1].form

    def phone(self, **settings: Any) -> Phone:
        """A phone that rings it."""
        return Phone(self.url, TOKEN, **settings)

    def app(self) -> Quart:
        """The server."""
        app = Quart("helpline")

        @app.route("/<path:path>", methods=["GET", "POST"])
        async def page(path: str) -> Response:
            form = await request.form
            query = request.query_string.decode()
            target = request.scope["raw_path"].decode() + (f"?{query}" if query else "")
            signed = request.headers.get("X-Twilio-Signature", "")
            self.asked.append(Asked(request.method, target, dict(form), signed))
            at = f"/{path}"
            kind = self.kinds.get(at, "text/xml")
            known = at in self.pages
            status = self.statuses.get(at, 200 if known else 404)
            return Response(self.pages.get(at, b""), status, content_type=kind)

        return app


@pytest.fixture
async def helpline() -> AsyncIterator[Helpline]:
    """A real server on a port of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    line = Helpline(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.accesslog = config.errorlog = None
    closing = asyncio.Event()
    server = asyncio.create_task(serve(line.app(), config, shutdown_trigger=closing.wait))
    yield line
    closing.set()
    await server


async def play(line: Helpline, script: str, **settings: Any) -> Script:
    """A scripted call."""
    async with line.phone(**settings) as phone:
        return await scripted(phone, parse(script))


# --- signed requests ---------------------------------------------------------------------------


async def test_every_request_carries_the_signature_that_twilio_would_make(
    helpline: Helpline,
) -> None:
    """Twilio's own validator accepts each, GET and POST, blank and odd fields included."""
    helpline.says('<Gather numDigits="4" action="/a?x=%C3%A9%7E&amp;y=a%20b"/>')
    helpline.says('<Gather method="GET" action="/b?z=1" input="dtmf speech"/>', at="/a")
    helpline.says("<Hangup/>", at="/b")
    await play(helpline, '12# "Stoke-on-Trent & Köln"')
    assert len(helpline.asked) == 3
    for asked in helpline.asked:
        url = helpline.url + asked.target
        assert RequestValidator(TOKEN).validate(url, asked.form, asked.signature)


def test_the_signature_is_the_library_s() -> None:
    """Known addresses and forms give what twilio's library computes."""
    for url in ("https://example.org/voice", "https://example.org:8443/voice?a=b%2F&c="):
        for form in ({}, {"Digits": "", "Aé": "ü €", "B": "1"}):
            expected = RequestValidator(TOKEN).compute_signature(url, form)
            assert signature(TOKEN, url, form) == expected


async def test_the_public_address_is_signed_and_ours_is_dialled(helpline: Helpline) -> None:
    """Behind a proxy, Twilio signs the address that it knows; its links lead through us too."""
    public = "https://helpline.example:443/line"
    helpline.says('<Gather action="https://helpline.example:443/line/next"/>')
    helpline.says("<Redirect>last</Redirect>", at="/next")
    helpline.says("<Hangup/>", at="/last")
    await play(helpline, "5", public_url=public)
    assert helpline.paths == ["/voice", "/next", "/last"]
    for asked in helpline.asked:
        url = public + asked.target
        assert asked.signature == RequestValidator(TOKEN).compute_signature(url, asked.form)


async def test_the_form_has_twilio_s_usual_fields(helpline: Helpline) -> None:
    """A turn with a key is Twilio's 28 fields; blank places are sent, not dropped."""
    helpline.says(f"<Gather {ONE_KEY}/>")
    await play(helpline, "7", caller=Caller("+441632960111", call_sid="CA" + "1" * 32))
    assert len(helpline.form) == 28
    expected = {
        "AccountSid": "AC" + "0" * 32,
        "CallSid": "CA" + "1" * 32,
        "CallStatus": "in-progress",
        "Caller": "+441632960111",
        "CallerCity": "",
        "CallerCountry": "GB",
        "Digits": "7",
        "Direction": "inbound",
        "From": "+441632960111",
        "To": "+441632960000",
    }
    assert expected.items() <= helpline.form.items()
    assert helpline.asked[0].form["CallStatus"] == "ringing"


async def test_a_withheld_number_arrives_as_twilio_sends_it(helpline: Helpline) -> None:
    """ANONYMOUS in telephone letters, from Lesotho; any other odd number can be given."""
    helpline.says("<Hangup/>")
    await play(helpline, "", caller=Caller.withheld())
    assert (helpline.form["From"], helpline.form["CallerCountry"]) == ("+266696687", "LS")
    await play(helpline, "", caller=Caller("anonymous", country=""))
    assert (helpline.form["From"], helpline.form["FromCountry"]) == ("anonymous", "")


async def test_a_request_can_be_sent_again_without_moving_the_call(helpline: Helpline) -> None:
    """Twilio may deliver twice, and late; both arrive signed and the same."""
    helpline.says("<Gather/>")
    async with helpline.phone() as phone:
        with pytest.raises(HandsetError, match="dial first"):
            await phone.again()
        await phone.dial()
        first = phone.last
        await phone.press("1")
        assert await phone.again() == await phone.deliver(first or Webhook("", {}))
        assert isinstance(phone.waits, Gather)
    dialled, pressed, again, late = helpline.asked
    assert (again, late) == (pressed, dialled)


# --- verbs -------------------------------------------------------------------------------------


async def test_words_are_spoken_in_order_and_the_end_of_the_document_ends_the_call(
    helpline: Helpline,
) -> None:
    """Nothing after the last verb: the line closes."""
    helpline.says("<Say>One.</Say><Pause/><Say>Two.</Say>")
    async with helpline.phone() as phone:
        moment = await phone.dial()
    assert moment.before == (Speech("One."), Pause(1), Speech("Two."))
    assert moment.waits is None


async def test_ssml_is_for_the_ear_and_its_words_for_the_eye(helpline: Helpline) -> None:
    """A break of half a second in a sentence reads as a comma; how words are said is not shown."""
    helpline.says(
        '<Say voice="Polly.Amy-Neural" language="en-GB"><prosody rate="80%">For a person'
        '<break time="500ms"/> press 0.<break time="1s"/>\n An <sub alias="e h c">EHC</sub>, plan'
        '<break time="0.3s"/>here</prosody></Say><Hangup/>'
    )
    script = await play(helpline, "")
    assert script.turns[0].said == ("For a person, press 0. An EHC, plan here",)
    helpline.says("<Say><p><s>One.</s><s>Two.</s></p>Three.</Say>")
    assert (await play(helpline, "")).turns[0].said == ("One. Two. Three.",)


async def test_a_clip_shows_the_words_beside_it(helpline: Helpline) -> None:
    """`.txt` for `.wav`, the query kept; the sound can be had too."""
    helpline.says("<Play>/audio/hello.wav?v=1</Play>")
    helpline.pages |= {"/audio/hello.txt": "Hello, Köln.\n", "/audio/hello.wav": b"RIFF"}
    async with helpline.phone() as phone:
        moment = await phone.dial()
        assert moment.said == ("Hello, Köln.",)
        assert helpline.paths[-1] == "/audio/hello.txt?v=1"
        (hello,) = moment.before
        assert isinstance(hello, Speech)
        assert await phone.clip(hello.clip) == b"RIFF"


async def test_a_key_goes_to_the_action_and_what_follows_is_not_reached(
    helpline: Helpline,
) -> None:
    """Addresses are relative to the document's own."""
    helpline.says('<Gather numDigits="1" action="a/key"/><Say>Unheard.</Say>')
    helpline.says("<Say>Heard.</Say><Redirect>../last</Redirect><Say>Unheard.</Say>", at="/a/key")
    helpline.says("<Hangup/><Say>Unheard.</Say>", at="/last")
    script = await play(helpline, "1")
    assert helpline.paths == ["/voice", "/a/key", "/last"]
    assert helpline.asked[1].form["Digits"] == "1"
    assert script.turns[-1].said == ("Heard.",)


async def test_without_an_action_a_key_goes_to_the_document_s_own_address(
    helpline: Helpline,
) -> None:
    """Twilio's default, and its risk of a loop."""
    helpline.says("<Redirect>/start?x=1</Redirect>")
    helpline.says("<Gather/>", at="/start")
    await play(helpline, "1#")
    assert helpline.paths == ["/voice", "/start?x=1", "/start?x=1"]
    assert (helpline.form["Digits"], helpline.form["FinishedOnKey"]) == ("1", "#")


async def test_silence_falls_through_to_the_next_verb(helpline: Helpline) -> None:
    """No request is made for it."""
    helpline.says('<Gather action="/key"/><Say>Still there?</Say><Hangup/>')
    script = await play(helpline, "-")
    assert script.turns[-1].said == ("Still there?",)
    assert helpline.paths == ["/voice"]


async def test_silence_is_reported_where_empty_results_are_wanted(helpline: Helpline) -> None:
    """With actionOnEmptyResult the action gets blank digits."""
    helpline.says(f'<Gather {ONE_KEY} action="/key"/>')
    helpline.says("<Hangup/>", at="/key")
    await play(helpline, "-")
    assert helpline.form["Digits"] == ""


@pytest.mark.parametrize(("posts", "path"), [(False, "/after"), (True, "/key")])
async def test_a_bare_finish_key_falls_through_or_posts_nothing(
    helpline: Helpline, posts: bool, path: str
) -> None:
    """Twilio does not say which, together with actionOnEmptyResult; a helpline can be tried both
    ways."""
    helpline.says('<Gather actionOnEmptyResult="true" action="/key"/><Redirect>/after</Redirect>')
    helpline.says("<Hangup/>", at="/key")
    helpline.says("<Hangup/>", at="/after")
    await play(helpline, "#", bare_finish_key_posts=posts)
    assert helpline.paths == ["/voice", path]
    assert helpline.form.get("Digits", "") == ""


@pytest.mark.parametrize(
    ("attributes", "keys", "digits", "finished_on", "complete"),
    [
        ({"num_digits": 1, "finish_on_key": ""}, "#", "#", "", True),
        ({"num_digits": 1}, "23", "2", "", True),
        ({"num_digits": 3}, "12", "12", "", False),
        ({}, "123", "123", "", False),
        ({}, "12#3", "12", "#", True),
        ({"finish_on_key": "*"}, "1#*", "1#", "*", True),
        ({}, "#1", "", "#", True),
        ({"takes": frozenset({"speech"})}, "1", "", "", False),
    ],
)
def test_a_gather_takes_what_it_asked_for_and_the_rest_is_lost(
    attributes: dict[str, Any], keys: str, digits: str, finished_on: str, complete: bool
) -> None:
    """By number of digits, by finish key, or by neither."""
    entry = entered(Gather("/", **attributes), keys)
    assert (entry.digits, entry.finished_on, entry.complete) == (digits, finished_on, complete)


async def test_words_are_heard_only_where_the_line_listens_for_them(helpline: Helpline) -> None:
    """Elsewhere the caller has said nothing."""
    helpline.says('<Gather input="dtmf speech" action="/next"/>')
    helpline.says('<Gather action="/unheard"/><Hangup/>', at="/next")
    script = await play(helpline, '"West Sussex" "West Sussex"')
    assert helpline.form["SpeechResult"] == "West Sussex"
    assert helpline.paths == ["/voice", "/next"]
    assert [turn.heard for turn in script.turns] == [None, '"West Sussex"', '"West Sussex"']


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("@busy", "busy"),
        ("@no-answer", "no-answer"),
        ("@completed", "completed"),
        ("@refused", "failed"),
        ("-", "no-answer"),
    ],
)
async def test_how_a_dial_ends_goes_to_its_action(
    helpline: Helpline, token: str, status: str
) -> None:
    """Twilio's word for each; silence is nobody answering."""
    helpline.says('<Dial action="/after" timeout="20"><Number>+441632960001</Number></Dial>')
    helpline.says("<Hangup/>", at="/after")
    script = await play(helpline, token)
    assert helpline.form["DialCallStatus"] == status
    assert script.turns[0].rings == ("+441632960001",)


WHISPER = f'<Gather {ONE_KEY} action="/taken"><Say>Press 1.</Say></Gather><Hangup/>'
RINGS = (
    '<Dial action="/after"><Number url="/whisper" statusCallback="/status"'
    ' statusCallbackEvent="answered completed">+441632960001</Number></Dial>'
)


@pytest.mark.parametrize(
    ("token", "asked", "fields"),
    [
        ("@completed", "/status /whisper /taken /status /after", ("completed", "true")),
        ("@refused", "/status /whisper /status /after", ("completed", "false")),
        ("@busy", "/status /after", ("busy", None)),
        ("-", "/status /after", ("no-answer", None)),
    ],
)
async def test_whoever_answers_hears_what_the_line_asks_them_first(
    helpline: Helpline, token: str, asked: str, fields: tuple[str, str | None]
) -> None:
    """On a leg of its own, which names the caller's; a voicemail ends like one who refuses."""
    helpline.says(RINGS)
    helpline.says(WHISPER, at="/whisper")
    helpline.says("", at="/taken")
    helpline.says("<Say>Welcome back.</Say>", at="/after")
    helpline.pages["/status"], helpline.statuses["/status"] = b"", 204
    caller = Caller()
    script = await play(helpline, token, caller=caller)
    assert " ".join(helpline.paths[1:]) == asked
    assert (helpline.form["DialCallStatus"], helpline.form.get("DialBridged")) == fields
    leg = [one.form for one in helpline.asked if one.target in ("/whisper", "/taken", "/status")]
    assert {one["ParentCallSid"] for one in leg} == {caller.call_sid}
    assert {one["CallSid"] for one in leg} == {helpline.form["DialCallSid"]}
    assert {(one["From"], one["To"]) for one in leg} == {(caller.to, "+441632960001")}
    answered = token in ("@completed", "@refused")
    assert script.turns[-1].whispered == (("Press 1.",) if answered else ())
    assert [one.form.get("Digits") for one in helpline.asked if one.target == "/taken"] == (
        ["1"] if token == "@completed" else []
    )


@pytest.mark.parametrize("taken", ["<Hangup/>", "<Redirect>/elsewhere</Redirect>", WHISPER])
async def test_nobody_is_joined_to_a_leg_that_does_not_end_well(
    helpline: Helpline, taken: str
) -> None:
    """It hangs up, leads elsewhere, or asks for ever."""
    helpline.says(RINGS)
    helpline.says(WHISPER, at="/whisper")
    helpline.says(taken, at="/taken")
    helpline.says("<Hangup/>", at="/after")
    helpline.pages["/status"], helpline.statuses["/status"] = b"", 204
    await play(helpline, "@completed")
    assert helpline.form["DialBridged"] == "false"


async def test_a_dial_without_action_goes_on_with_the_next_verb(helpline: Helpline) -> None:
    """And makes no request."""
    helpline.says("<Dial>+441632960001</Dial><Say>Welcome back.</Say>")
    script = await play(helpline, "@completed")
    assert script.turns[-1].said == ("Welcome back.",)
    assert helpline.paths == ["/voice"]


async def test_a_recording_is_posted_and_silence_is_none(helpline: Helpline) -> None:
    """Words or a key end it; if nothing was said, the next verb follows."""
    record = '<Record action="/kept" finishOnKey="#"/>'
    helpline.says(record + "<Redirect>/voice2</Redirect>")
    helpline.says(record, at="/voice2")
    helpline.says(record, at="/kept")
    await play(helpline, '- "My name is" 5#')
    assert helpline.paths == ["/voice", "/voice2", "/kept", "/kept"]
    said, pressed = helpline.asked[2:]
    assert said.form["RecordingUrl"].startswith("https://")
    assert (said.form["Digits"], pressed.form["Digits"]) == ("", "#")


# --- a lost caller -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verbs", "complaint"),
    [
        ("<Say>Hello.</Say><Sya>Hello.</Sya>", "<Response> 2: <Sya>: there is no such verb"),
        ('<Gather numDigts="1"/>', "<Response> 1: <Gather>: has no attribute numDigts"),
        ("<Gather><Hangup/></Gather>", "<Gather> 1: <Hangup>: cannot stand in a <Gather>"),
        ("<Number>1</Number>", "<Number>: cannot stand here"),
        ("<Say>Hello.<Play/></Say>", "<Say> 1: <Play>: cannot stand in a <Say>"),
        ("<Play>a<s/></Play>", "<s> cannot stand in here"),
        ("<Play/>", "<Play>: is empty"),
        ("<Dial/>", "<Dial>: is empty"),
        ("Hello.", "<Response>: loose words: 'Hello.'"),
        ("<Say> </Say>", "<Say>: is empty"),
        ("<Dial><Say>1</Say></Dial>", "<Dial> 1: <Say>: cannot stand in a <Dial>"),
        ('<Dial><Number method="GET">1</Number></Dial>', 'method="GET" is none of POST'),
        ('<Dial><Number statusCallbackEvent="done">1</Number></Dial>', '"done" is no event'),
        ("<Hangup>Goodbye.</Hangup>", "<Hangup>: loose words: 'Goodbye.'"),
        ("<Pause>a</Pause>", "<Pause>: loose words"),
        ("<Record>a</Record>", "<Record>: loose words"),
        ('<Say>a<break time="1s">b</break></Say>', "<break>: loose words"),
        ('<Say>a<break time="long"/></Say>', 'time="long" is not a time'),
        ('<Say>a<break time="١s"/></Say>', "is not a time"),
        ('<Pause length="0"/>', 'length="0" is not a whole number from 1 up'),
        ('<Gather timeout="auto"/>', 'timeout="auto" is not a whole number'),
        ('<Gather finishOnKey="12"/>', "more than one key"),
        ('<Record finishOnKey="a"/>', "is not made of keys"),
        ('<Gather language="en"/>', 'language="en" is none; write it like en-GB'),
        (f'<Gather hints="{"a, " * 500}a"/>', "more than 500 hints, or one of more than 100"),
        (f'<Gather hints="Leeds, {"a" * 101}"/>', "more than 500 hints, or one of more than 100"),
        ('<Gather speechTimeout="soon"/>', 'speechTimeout="soon" is not a whole number'),
        ('<Gather speechModel="phone_call" speechTimeout="auto"/>', "is not a whole number"),
        ('<Gather profanityFilter="no"/>', 'profanityFilter="no" is none of true, false'),
        ('<Redirect method="PUT"/>', 'method="PUT" is none of POST, GET'),
        (f"<Say>{'a' * (MAX_SAY + 1)}</Say>", "3,001 characters; 3,000 is the limit"),
        ("<Say>&nbsp;</Say>", "this is not XML"),
        (" " * 65536, "65,557 bytes"),
    ],
)
def test_a_mistake_in_twiml_is_named_with_its_place(verbs: str, complaint: str) -> None:
    """We must never send one, so each is an error."""
    with pytest.raises(HandsetError) as error:
        read(f"<Response>{verbs}</Response>".encode(), "http://x/voice")
    assert str(error.value).startswith("http://x/voice: ")
    assert complaint in str(error.value)


def test_only_a_response_is_twiml() -> None:
    """A web page is not."""
    with pytest.raises(HandsetError, match="there is no such verb"):
        read(b"<html/>", "http://x/voice")
    with pytest.raises(HandsetError, match="TwiML is a <Response>"):
        read(b"<Say>Hello.</Say>", "http://x/voice")


@pytest.mark.parametrize(("status", "kind"), [(500, "text/xml"), (302, "text/xml"), (204, "")])
async def test_any_status_but_200_loses_the_caller(
    helpline: Helpline, status: int, kind: str
) -> None:
    """Also a redirect by HTTP: Twilio follows it without the digits."""
    helpline.says("<Hangup/>")
    helpline.statuses["/voice"], helpline.kinds["/voice"] = status, kind
    with pytest.raises(HandsetError, match=f"answered {status}; the caller is lost"):
        await play(helpline, "")


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", ""])
async def test_an_answer_that_is_not_xml_loses_the_caller(helpline: Helpline, kind: str) -> None:
    """Twilio reports a missing type as a 502."""
    helpline.says("<Hangup/>")
    helpline.kinds["/voice"] = kind
    with pytest.raises(HandsetError, match="must be text/xml"):
        await play(helpline, "")


async def test_application_xml_will_do(helpline: Helpline) -> None:
    """The other type that Twilio reads."""
    helpline.says("<Hangup/>")
    helpline.kinds["/voice"] = "application/xml; charset=utf-8"
    assert (await play(helpline, "")).turns[0].ended == "hangup"


async def test_a_helpline_that_is_not_there_is_a_plain_error() -> None:
    """No traceback of another library's."""
    async with Phone("http://127.0.0.1:1", TOKEN) as phone:
        with pytest.raises(HandsetError, match="nobody answers"):
            await phone.dial()


async def test_a_clip_without_words_is_an_error(helpline: Helpline) -> None:
    """Missing, or of a kind that has none."""
    helpline.says("<Play>/audio/gone.wav</Play>")
    with pytest.raises(HandsetError, match=r"gone\.txt: answered 404"):
        await play(helpline, "")
    helpline.says("<Play>/audio/music.mp3</Play>")
    with pytest.raises(HandsetError, match="words beside it"):
        await play(helpline, "")


async def test_redirects_without_a_key_have_a_limit(helpline: Helpline) -> None:
    """A loop is found, not followed."""
    helpline.says("<Redirect/>")
    with pytest.raises(HandsetError, match="redirects without a key"):
        await play(helpline, "")
    assert len(helpline.asked) == 1 + MAX_REDIRECTS


async def test_nothing_can_be_done_on_a_closed_line(helpline: Helpline) -> None:
    """The error says why."""
    helpline.says("<Hangup/>")
    async with helpline.phone() as phone:
        await phone.dial()
        for deed in (phone.press("1"), phone.say("a"), phone.silence(), phone.dial_result("busy")):
            with pytest.raises(HandsetError, match="the line is closed"):
                await deed


# --- scripted calls ----------------------------------------------------------------------------


def test_tokens_are_separated_by_spaces_and_quotes_hold_words_together() -> None:
    """As they will be reported in `heard`."""
    assert parse(' 1  - 07700900123 "West  Sussex" * # @no-answer ') == (
        *("1", "-", "07700900123", '"West  Sussex"', "*", "#", "@no-answer"),
    )
    assert parse("") == ()


@pytest.mark.parametrize("token", ["help", "1a", "@gone", '"West', '"a"1', "--", "@"])
def test_a_token_that_nobody_could_do_is_wrong_use(token: str) -> None:
    """The message says what can be done."""
    with pytest.raises(UsageError, match=r"is nothing that a caller can do\. Give a key"):
        parse(f"1 {token} 2")


async def test_an_answer_fits_only_while_a_phone_rings(helpline: Helpline) -> None:
    """And only an answer fits then."""
    helpline.says('<Gather action="/ring"/>')
    helpline.says("<Dial>+441632960001</Dial>", at="/ring")
    with pytest.raises(UsageError, match="@busy does not fit: no phone is ringing"):
        await play(helpline, "@busy")
    with pytest.raises(UsageError, match="1 does not fit: a phone is ringing"):
        await play(helpline, "1 1")


async def test_a_turn_s_record_is_what_the_command_prints(helpline: Helpline) -> None:
    """The greeting first; the last says how the call ended."""
    helpline.says(
        f'<Say>Hello.</Say><Gather {ONE_KEY} action="/one" timeout="10"><Say>For a person, press 0.'
        "</Say><Pause/><Say>To go back, press star.</Say></Gather>"
    )
    helpline.says("<Say>Goodbye.</Say><Hangup/>", at="/one")
    script = await play(helpline, "1")
    assert script.records() == [
        {
            "heard": None,
            "said": ["Hello.", "For a person, press 0.", "To go back, press star."],
            "keys": ["0", "*"],
            "digits": 1,
            "wait_s": 10,
            "ended": None,
        },
        {
            "heard": "1",
            "said": ["Goodbye."],
            "keys": [],
            "digits": 0,
            "wait_s": 0,
            "ended": "hangup",
        },
    ]


async def test_tokens_left_when_the_line_closes_remain(helpline: Helpline) -> None:
    """And if they run out first, the script has ended, not the call."""
    helpline.says('<Gather action="/one"/>')
    helpline.says("<Hangup/>", at="/one")
    closed = await play(helpline, "1 2 #")
    assert (closed.turns[-1].ended, closed.remaining) == ("hangup", ("2", "#"))
    open_still = await play(helpline, "")
    assert (open_still.turns[-1].ended, open_still.remaining) == ("script", ())


@pytest.mark.parametrize(
    ("verb", "digits"),
    [
        ('<Gather numDigits="11"/>', 11),
        ("<Gather/>", None),
        ('<Gather input="speech"/>', 0),
        ("<Record/>", 0),
    ],
)
async def test_how_many_keys_the_line_takes(
    helpline: Helpline, verb: str, digits: int | None
) -> None:
    """None is no limit; 0 is no keys."""
    helpline.says(verb)
    assert (await play(helpline, "")).turns[0].digits == digits


def test_the_keys_on_offer_are_found_in_the_words() -> None:
    """In figures, in words and by name; each once, in the order spoken."""
    said = ("For a person, press 0.", "Yes, press one. No, press 2.", "Again: press hash, or the")
    more = ("press, 9. Back, press star. Press zero again. Compress 5, press 12, press ninety.",)
    assert offered(said + more) == ("0", "1", "2", "#", "9", "*")


def test_a_number_that_counts_keys_is_none() -> None:
    """The step that spells a council says "press one key for each letter", and has no key 1."""
    counts = ("Press one key for each letter.", "Press 3 digits.", "Press one or two keys.")
    others = ("Press one of these.", "Press one at a time.", "Press the one that fits.")
    assert offered(counts + others) == ()
    said = ("Press 1 or press two to go on.", "Press the 3 key.", "Press 0 at any time.")
    assert offered((*said, "Press star twice.", "press the hash button")) == (*"1230*#",)


@pytest.mark.parametrize("then", ["<Hangup/>", "<Dial>+441632960001</Dial>", SPEECH_ALONE])
async def test_where_the_line_takes_no_keys_none_is_offered(helpline: Helpline, then: str) -> None:
    """Whatever its words say."""
    helpline.says(f"<Say>To go back, press 1.</Say>{then}")
    assert (await play(helpline, "")).turns[0].keys == ()


async def test_a_transcript_can_be_read_by_anybody(helpline: Helpline) -> None:
    """Who said and pressed what, how long the line waits, and how it ended."""
    helpline.says(
        f"<Say>Hello. This is a line for families, and {'it is kind, ' * 6}calm and slow.</Say>"
        f'<Gather {ONE_KEY} action="/number" timeout="10">'
        "<Say>To be rung, press star.</Say></Gather>"
    )
    helpline.says('<Gather numDigits="11" action="/name"/>', at="/number")
    helpline.says('<Gather input="speech" action="/ring"/><Redirect>/ring</Redirect>', at="/name")
    helpline.says('<Say>Ringing.</Say><Dial action="/end">+441632960001</Dial>', at="/ring")
    helpline.says("<Gather/><Say>Goodbye.</Say>", at="/end")
    script = await play(helpline, '* 07700900123 "Leeds" @busy -')
    assert transcript(script.turns) == (
        """\
HELPLINE  Hello. This is a line for families, and it is kind, it is kind, it is kind, it
            is kind, it is kind, it is kind, calm and slow.
          To be rung, press star.
          (waits 10 seconds for a key)

CALLER    presses star

HELPLINE  (waits 5 seconds for up to 11 keys)

CALLER    types 07700900123

HELPLINE  (waits 5 seconds for words)

CALLER    says "Leeds"

HELPLINE  Ringing.
          (rings +441632960001)

CALLED    is engaged

HELPLINE  (waits 5 seconds for keys)

CALLER    waits

HELPLINE  Goodbye.
          (the line closes)
"""
    )
    cut_off = Turn(None, (), (), 1, 10, ended="script")
    assert transcript([cut_off]).endswith(
        "(waits 10 seconds for a key)\n          (the script ends here)\n"
    )


# --- a person at a terminal --------------------------------------------------------------------


class Screen:
    """The other side of a pseudo-terminal or pipe: what is shown, and where keys are pressed."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.shown = ""
        self._more = asyncio.Event()
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    def _read(self) -> None:
        try:
            read = os.read(self.fd, 4096)
        except OSError:  # the other side is closed
            read = b""
        if not read:
            asyncio.get_running_loop().remove_reader(self.fd)
        self.shown += read.decode().replace("\r\n", "\n")
        self._more.set()

    async def until(self, words: str) -> None:
        """Wait until these words are shown."""
        async with asyncio.timeout(20):
            while words not in self.shown:
                self._more.clear()
                await self._more.wait()

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self.fd, keys.encode())

    def close(self) -> None:
        """Close this side."""
        if self.fd >= 0:
            asyncio.get_running_loop().remove_reader(self.fd)
            os.close(self.fd)
        self.fd = -1


@dataclass
class Desk:
    """A screen, and the terminal behind it."""

    screen: Screen
    tty: TextIO

    @asynccontextmanager
    async def calling(self, line: Helpline, **settings: Any) -> AsyncIterator[asyncio.Task[None]]:
        """A call under way at this desk; it must be over by the end of the block, or soon."""
        async with line.phone() as phone:
            terminal = Terminal(phone, source=self.tty, out=self.tty, **settings)
            call = asyncio.create_task(terminal.call())
            try:
                yield call
                async with asyncio.timeout(20):
                    await call
            finally:
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)

    def is_as_before(self) -> bool:
        """Whether the terminal echoes and gathers lines, as it did at first."""
        local = termios.tcgetattr(self.tty.fileno())[3]
        return bool(local & termios.ECHO and local & termios.ICANON)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A pseudo-terminal."""
    master, slave = pty.openpty()
    screen = Screen(master)
    tty = io.TextIOWrapper(io.FileIO(slave, "r+"), write_through=True, newline="\n")
    yield Desk(screen, tty)
    with suppress(OSError):  # a closed window takes no more words
        tty.close()
    screen.close()


ENDLESS = 'timeout="3600"'
LONG = "So many words that they take a long time to say. " * 50


async def test_a_key_cuts_the_words_short(helpline: Helpline, desk: Desk) -> None:
    """What has not been said yet is not shown, and no Enter is needed."""
    helpline.says(
        f'<Gather {ONE_KEY} {ENDLESS} action="/one"><Say>{LONG}</Say><Say>Unsaid.</Say></Gather>'
    )
    helpline.says("<Hangup/>", at="/one")
    async with desk.calling(helpline):
        await desk.screen.until("long time")
        desk.screen.press("4")
        await desk.screen.until("The helpline has hung up.")
    assert helpline.form["Digits"] == "4"
    assert "Unsaid." not in desk.screen.shown
    assert "> 4\n" in desk.screen.shown
    assert desk.is_as_before()


async def test_a_number_is_typed_digit_by_digit(helpline: Helpline, desk: Desk) -> None:
    """Each is echoed; the entry ends when it is complete, or on the finish key; letters are
    passed over."""
    helpline.says(f'<Gather numDigits="4" {ENDLESS} action="/two"/>')
    helpline.says(f'<Gather {ENDLESS} action="/end"/>', at="/two")
    helpline.says("<Hangup/>", at="/end")
    async with desk.calling(helpline):
        await desk.screen.until("(up to 4 keys, 3600 seconds)")
        desk.screen.press("12")
        await desk.screen.until("> 12")
        desk.screen.press("x34")
        await desk.screen.until("(any number of keys, 3600 seconds)")
        desk.screen.press("56#")
    assert [asked.form["Digits"] for asked in helpline.asked[1:]] == ["1234", "56"]
    assert "> 1234\n" in desk.screen.shown


async def test_silence_is_waited_out_and_pauses_too(helpline: Helpline, desk: Desk) -> None:
    """With no time at all between, a silent caller hears everything."""
    helpline.says("<Say>Hello.</Say><Pause/><Gather><Say>Press 1.</Say></Gather><Say>Bye.</Say>")
    async with desk.calling(helpline, pace=0):
        await desk.screen.until("The helpline has hung up.")
    words = "Hello.\nPress 1.\n(any number of keys, 5 seconds)\nBye.\nThe helpline has hung up.\n"
    assert desk.screen.shown.endswith(words)


async def test_words_are_typed_behind_a_quotation_mark(helpline: Helpline, desk: Desk) -> None:
    """No letter among them hangs up; it cuts the words short, like a key; where the line does not
    listen for words nothing is heard."""
    listening = f'<Gather input="dtmf speech" numDigits="3" {ENDLESS} action="/two">'
    helpline.says(f"{listening}<Say>{LONG}</Say><Say>Unsaid.</Say></Gather>")
    helpline.says(f"{listening}<Say>Again.</Say></Gather>", at="/two")
    async with desk.calling(helpline):
        await desk.screen.until("long time")
        desk.screen.press('"north hulx\x7fl\n')
        await desk.screen.until('(up to 3 keys, or words: type " and them, then Enter, 3600')
        assert helpline.form["SpeechResult"] == "north hull"
        assert '> "north hull"\n' in desk.screen.shown
        helpline.says(f'<Gather {ONE_KEY} {ENDLESS} action="/end"/>', at="/two")
        helpline.says("<Hangup/>", at="/end")
        desk.screen.press('5"leeds"')
        await desk.screen.until("(one key, 3600 seconds)")
        assert helpline.form["SpeechResult"] == "leeds"
        assert "Digits" not in helpline.form
        desk.screen.press('"oh hello\n7')
    assert helpline.form["Digits"] == "7"
    assert "Unsaid." not in desk.screen.shown


async def test_words_that_began_while_nobody_listened_are_lost() -> None:
    """However late they end; and then keys are keys again."""
    keys = Keyboard()
    keys.takes_words = True
    keys.type('"hel')
    keys.forget()
    keys.type("lo\n4")
    assert [await keys.key(0), await keys.key(0)] == ["4", ""]
    assert not keys.hung_up.is_set()
    keys.type('"hull\n')
    assert (await keys.key(0), await keys.words()) == ('"', "hull")
    keys.type('"hull\x03')
    assert keys.hung_up.is_set()


async def test_a_number_left_unfinished_is_sent_after_a_while(
    helpline: Helpline, desk: Desk
) -> None:
    """The wait between keys is the Gather's."""
    helpline.says(f'<Gather numDigits="3" timeout="1" action="/two"><Say>{LONG}</Say></Gather>')
    helpline.says("<Hangup/>", at="/two")
    async with desk.calling(helpline, pace=0.2):
        await desk.screen.until("long time")
        desk.screen.press("12")
    assert helpline.form["Digits"] == "12"


async def test_keys_pressed_while_nobody_listens_are_lost() -> None:
    """So a key meant for one menu never answers the next."""
    keys = Keyboard()
    keys.type("1 x2")
    keys.forget()
    assert await keys.key(0) == ""
    keys.type("*")
    assert await keys.key(0) == "*"


@pytest.mark.parametrize("typed", ["h", "\x04"])
async def test_hanging_up_is_polite_and_leaves_the_terminal_as_it_was(
    helpline: Helpline, desk: Desk, typed: str
) -> None:
    """In the middle of the words, by h or Ctrl-D."""
    helpline.says(f"<Say>{LONG}</Say>")
    async with desk.calling(helpline):
        await desk.screen.until("long time")
        assert not desk.is_as_before()
        desk.screen.press(typed)
        await desk.screen.until("You have hung up.")
    assert desk.is_as_before()


async def test_ctrl_c_hangs_up_and_leaves_the_terminal_as_it_was(
    helpline: Helpline, desk: Desk
) -> None:
    """A real one: a signal to a process whose terminal this is."""
    helpline.says(f"<Say>{LONG}</Say>")
    program = f"""
import asyncio, fcntl, termios
from ivr.handset import Phone, Terminal
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
async def call():
    async with Phone({helpline.url!r}, {TOKEN!r}) as phone:
        await Terminal(phone).call()
asyncio.run(call())
"""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        stdin=desk.tty,
        stdout=desk.tty,
        stderr=desk.tty,
        start_new_session=True,
    )
    await desk.screen.until("long time")
    assert not desk.is_as_before()
    desk.screen.press("\x03")
    await desk.screen.until("You have hung up.")
    assert await process.wait() == 0
    assert "Traceback" not in desk.screen.shown
    assert desk.is_as_before()


async def test_a_lost_caller_leaves_the_terminal_as_it_was(helpline: Helpline, desk: Desk) -> None:
    """The error is raised after it is put back."""
    helpline.statuses["/voice"] = 500
    with pytest.raises(HandsetError, match="answered 500"):
        async with desk.calling(helpline):
            pass
    assert desk.is_as_before()


async def test_a_closed_window_hangs_up(helpline: Helpline, desk: Desk) -> None:
    """There is nobody left to talk to, and nobody to tell so."""
    helpline.says(f"<Gather {ENDLESS}/>")
    async with desk.calling(helpline):
        await desk.screen.until("any number of keys")
        desk.screen.close()


async def test_a_reader_who_has_gone_hangs_up(helpline: Helpline) -> None:
    """As with `ivr call | head -1`."""
    helpline.says(f"<Gather {ENDLESS}/>")
    source, typing = os.pipe()
    seen, showing = os.pipe()
    os.close(seen)
    with os.fdopen(source) as lines, os.fdopen(typing, "w"):
        out = io.TextIOWrapper(io.FileIO(showing, "w"), write_through=True)
        async with helpline.phone() as phone, asyncio.timeout(20):
            await Terminal(phone, source=lines, out=out).call()
    with suppress(OSError):  # there is still no reader
        out.close()


async def test_the_person_at_the_terminal_says_how_a_dial_ends(
    helpline: Helpline, desk: Desk
) -> None:
    """There is nobody else to ask."""
    helpline.says(f'<Dial {ENDLESS} action="/after">+441632960001</Dial>')
    helpline.says(f'<Record {ENDLESS} action="/end"/>', at="/after")
    helpline.says("<Hangup/>", at="/end")
    async with desk.calling(helpline):
        await desk.screen.until("4 the call fails.)")
        desk.screen.press("2")
        await desk.screen.until("Any key ends it.")
        desk.screen.press("#")
    assert helpline.asked[1].form["DialCallStatus"] == "busy"
    assert helpline.asked[2].form["Digits"] == "#"


async def test_without_a_terminal_keys_count_when_enter_is_pressed(helpline: Helpline) -> None:
    """As on Windows; the end of the input hangs up."""
    helpline.says(f'<Gather numDigits="2" {ENDLESS} action="/two"/>')
    helpline.says(f"<Gather input='speech' {ENDLESS}/>", at="/two")
    (source, typing), (seen, showing) = os.pipe(), os.pipe()
    screen = Screen(seen)
    with os.fdopen(source) as lines, os.fdopen(showing, "w") as out:
        async with helpline.phone() as phone:
            call = asyncio.create_task(Terminal(phone, source=lines, out=out).call())
            await screen.until("(up to 2 keys")
            os.write(typing, b"42\n")
            await screen.until("(listening for words")
            os.close(typing)
            async with asyncio.timeout(20):
                await call
    assert helpline.form["Digits"] == "42"
    await screen.until("You have hung up.")
    screen.close()


# --- sound -------------------------------------------------------------------------------------


def mu_law(seconds: float) -> bytes:
    """A clip as ours are: 8 kHz, mono, mu-law; with a chunk that nobody needs before the sound."""
    sound = b"\xff" * int(8000 * seconds)
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, 8000, 8000, 1, 8, 0)
    chunks = form + struct.pack("<4sI3sx", b"note", 3, b"odd")
    chunks += struct.pack("<4sI", b"data", len(sound)) + sound
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def test_a_clip_s_length_is_read_from_its_header() -> None:
    """Mu-law included, which the standard library cannot read."""
    assert sounds.seconds(mu_law(2.5)) == 2.5
    for wrong in (b"", b"RIFF0000WAVE", b"ID3"):
        with pytest.raises(HandsetError):
            sounds.seconds(wrong)


@pytest.fixture
def players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A computer whose only player, aplay, tells a pipe its process id and plays for ever."""
    heard = tmp_path / "heard"
    os.mkfifo(heard)
    sleep = shutil.which("sleep")
    player = tmp_path / "aplay"
    player.write_text(f'#!/bin/sh\necho "$$ $*" > {heard}\nexec {sleep} 3600\n')
    player.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    yield heard


async def test_a_clip_is_played_and_a_key_stops_it(
    helpline: Helpline, desk: Desk, players: Path
) -> None:
    """By the first player found; it has ended before the call goes on."""
    helpline.says(f'<Gather {ONE_KEY} action="/one"><Play>/hello.wav</Play></Gather>')
    helpline.pages |= {"/hello.txt": "Hello.", "/hello.wav": mu_law(3600)}
    helpline.says("<Hangup/>", at="/one")
    pipe = Screen(os.open(players, os.O_RDWR))
    async with desk.calling(helpline, aloud=True):
        await pipe.until("\n")
        desk.screen.press("1")
    process, option, clip = pipe.shown.split()
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)
    assert (option, Path(clip).suffix, Path(clip).exists()) == ("-q", ".wav", False)
    pipe.close()


async def test_without_a_player_the_words_must_do(
    helpline: Helpline, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And it is said why there is no sound."""
    monkeypatch.setenv("PATH", str(tmp_path))
    helpline.says("<Play>/hello.wav</Play>")
    helpline.pages |= {"/hello.txt": "Hello."}
    async with desk.calling(helpline, aloud=True, pace=0):
        await desk.screen.until("Hello.")
    assert "(No sound: none of paplay, aplay, afplay, ffplay is installed.)" in desk.screen.shown
