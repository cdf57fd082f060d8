"""The handset does what Twilio's documentation says a phone does, and forgives us nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from ivr.core.saying import Pause
from ivr.handset import Caller, HandsetError, Speech, Webhook, signature
from ivr.handset.verbs import Gather, entered
from tests.handwritten import ONE_KEY, TOKEN, Helpline, handwritten, play


@pytest.fixture
async def helpline() -> AsyncIterator[Helpline]:
    async with handwritten() as line:
        yield line


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


# --- the end of the call -------------------------------------------------------------------------


async def test_hanging_up_while_a_phone_rings_ends_the_leg_the_dial_and_the_call(
    helpline: Helpline,
) -> None:
    """As Twilio reports it, once; what the action answers is followed no further."""
    helpline.says(RINGS)
    helpline.says("<Redirect>/elsewhere</Redirect>", at="/after")
    for status in ("/status", "/voice/status"):
        helpline.pages[status], helpline.statuses[status] = b"", 204
    async with helpline.phone() as phone:
        await phone.dial()
        for _ in range(2):
            await phone.hang_up()
    reported = [(one.target, one.form["CallStatus"]) for one in helpline.asked[1:]]
    assert reported == [
        ("/status", "canceled"),
        ("/after", "completed"),
        ("/voice/status", "completed"),
    ]
    assert helpline.asked[2].form["DialCallStatus"] == "canceled"
    assert phone.waits is None


@pytest.mark.parametrize("verbs", ["<Hangup/>", f'<Gather {ONE_KEY} action="/next"/>'])
async def test_the_end_of_any_other_call_is_its_status_alone(
    helpline: Helpline, verbs: str
) -> None:
    """Whichever side hangs up; a helpline that does not know the route loses no caller by it."""
    helpline.says(verbs)
    async with helpline.phone() as phone:
        await phone.dial()
        await phone.hang_up()
    assert helpline.paths == ["/voice", "/voice/status"]


async def test_a_call_that_was_never_answered_has_no_end(helpline: Helpline) -> None:
    async with helpline.phone() as phone:
        await phone.hang_up()
    assert helpline.asked == []
