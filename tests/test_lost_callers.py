"""Where a phone would lose its caller, the handset says what was wrong, and with what."""

from collections.abc import AsyncIterator

import pytest

from ivr.handset import HandsetError, Phone
from ivr.handset.phone import MAX_REDIRECTS
from ivr.handset.twiml import MAX_SAY, read
from tests.handwritten import TOKEN, Helpline, handwritten, play


@pytest.fixture
async def helpline() -> AsyncIterator[Helpline]:
    async with handwritten() as line:
        yield line


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
