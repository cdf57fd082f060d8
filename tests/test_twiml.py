"""Our TwiML is what Twilio's own library would build, and is always XML with a way on."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import Dial as LibraryDial
from twilio.twiml.voice_response import Gather, Say, VoiceResponse

from ivr.book import Loaded, load_book
from ivr.core.call import Ask, Dial, HangUp, Listen, Position, Resumed, Said
from ivr.core.engine import advance
from ivr.core.saying import Line, Pause, Phrase, Words
from ivr.handset.twiml import MAX_BYTES, MAX_SAY, read
from ivr.phone.twiml import Leg, Writer

ROOT = Path(__file__).parent.parent
SEALED = "gAAA-_" * 160
ACTION = f"/voice/{SEALED}"
VOICE = {"voice": "Polly.Amy-Neural", "language": "en-GB"}
LEXICON = {
    "SENCO": "senko",
    "SENCOs": "senkos",
    "SEN": "S E N",
    "GOV.UK": "gov dot U K",
    "Q&A": 'questions "and" <answers>',
    "amp": "never",  # would match inside an escaped ampersand
}

words = st.builds(Words, st.text(max_size=30), st.booleans(), st.sampled_from(["", ".", "?"]))
pauses = st.builds(Pause, st.sampled_from([0.3, 0.5, 1.0]))
lines = st.builds(
    lambda pieces: Line((Phrase(tuple(pieces)),)), st.lists(words | pauses, max_size=4)
)
endings = st.one_of(
    st.builds(Listen, st.integers(1, 11), st.integers(2, 40), st.booleans()),
    st.builds(Dial, st.text(max_size=15)),
    st.just(HangUp()),
    st.builds(Ask, st.just("a-service"), st.just({}), st.just("a/b"), st.just(1)),
)


def say(*pieces: Words | Pause) -> Line:
    return Line((Phrase(pieces),))


def by_twilio(line: Line, slow: bool) -> str:
    return ""


def written(
    said: Said, caller_id: str = "", clip: Any = by_twilio, path: str = "/voice"
) -> ElementTree.Element:
    writer = Writer(path, LEXICON, caller_id)
    document = writer.write(said, said.lines, said.held, SEALED, clip)
    read(document.encode(), "http://helpline.test/voice")  # the handset is strict about it, too
    return ElementTree.fromstring(document.encode())


def alike(document: ElementTree.Element) -> str:
    """A document without what makes no difference: the order of attributes, spaces at the ends."""
    return ElementTree.canonicalize(ElementTree.tostring(document), strip_text=True)


def library(response: VoiceResponse) -> str:
    return alike(ElementTree.fromstring(str(response)))


HELLO = say(Words("Hello <you> & “me”."), Pause(0.5), Words("Press 1."))


def speak(into: VoiceResponse | Gather) -> None:
    """What twilio's library makes of HELLO."""
    said = Say(**VOICE)
    said.append("Hello <you> & “me”.")
    said.break_(time="500ms")
    said.append("Press 1.")
    into.append(said)


# --- as the library would build it -----------------------------------------------------------


@pytest.mark.parametrize(("entry", "finish"), [(False, ""), (True, "*")])
def test_a_wait_for_keys_is_the_library_s(entry: bool, finish: str) -> None:
    """Held words stand before the Gather, a Redirect behind it; no default is relied upon."""
    said = Said((HELLO, HELLO), Listen(11, 20, entry), held=1)
    response = VoiceResponse()
    speak(response)
    gather = Gather(
        input="dtmf",
        action=ACTION,
        method="POST",
        num_digits=11,
        timeout=20,
        finish_on_key=finish,
        action_on_empty_result=True,
    )
    speak(gather)
    response.append(gather)
    response.redirect(ACTION, method="POST")
    assert alike(written(said)) == library(response)


@pytest.mark.parametrize("caller_id", ["", "+441134960000"])
def test_a_connection_is_the_library_s(caller_id: str) -> None:
    """The helpline's own number is shown, if it has one; afterwards the call comes back to us."""
    said = Said((HELLO,), Dial("+441134960001"))
    response = VoiceResponse()
    speak(response)
    dial = LibraryDial(
        action=ACTION, method="POST", timeout=30, time_limit=3600, caller_id=caller_id or None
    )
    dial.number("+441134960001")
    response.append(dial)
    assert alike(written(said, caller_id)) == library(response)


def test_a_ring_to_our_own_people_is_the_library_s() -> None:
    """The helpline's number is shown, the caller hears it ring, and whoever answers is asked."""
    said = Said((HELLO,), Dial("+441134960001", "17"))
    leg = Leg(
        "+441134960000", "https://line.example.org/voice/w?", "https://line.example.org/voice/s"
    )
    document = Writer("/voice", LEXICON).ring(said, said.lines, SEALED, by_twilio, leg)
    response = VoiceResponse()
    speak(response)
    dial = LibraryDial(
        action=ACTION,
        method="POST",
        timeout=15,
        time_limit=3600,
        caller_id=leg.caller_id,
        answer_on_bridge=True,
    )
    dial.number(
        "+441134960001",
        url=leg.whisper,
        status_callback=leg.status,
        status_callback_event="answered completed",
    )
    response.append(dial)
    assert alike(ElementTree.fromstring(document)) == library(response)


def test_without_a_number_of_ours_to_show_nobody_is_rung() -> None:
    """The call goes on as if nobody had heard anything."""
    said = Said((HELLO,), Dial("+441134960001", "17"))
    document = Writer("/voice", LEXICON).ring(said, said.lines, SEALED, by_twilio, None)
    response = VoiceResponse()
    speak(response)
    response.redirect(ACTION, method="POST")
    assert alike(ElementTree.fromstring(document)) == library(response)


def test_a_goodbye_is_the_library_s() -> None:
    response = VoiceResponse()
    speak(response)
    response.hangup()
    assert alike(written(Said((HELLO,), HangUp()))) == library(response)


def test_clips_are_played_and_what_has_none_is_said() -> None:
    """The address of a clip is escaped like any other text."""
    other = say(Words("Not made yet"))
    said = Said((HELLO, other), Listen(1, 10))
    found = written(said, clip=lambda line, slow: "/audio/a?b&c.wav" if line is HELLO else "")
    assert [verb.tag for verb in found[0]] == ["Play", "Say"]
    assert found[0][0].text == "/audio/a?b&c.wav"


def test_behind_a_prefix_every_address_keeps_it() -> None:
    """A proxy may serve the helpline below a path of its own."""
    found = written(Said((HELLO,), Listen(1, 10)), path="/line/voice")
    assert found[0].attrib["action"] == found[1].text == f"/line/voice/{SEALED}"


def test_without_a_lexicon_words_are_said_as_they_stand() -> None:
    said = Said((say(Words("Ask the SENCO & us")),), Listen(1, 10))
    document = Writer("/voice", {}).write(said, said.lines, 0, SEALED, by_twilio)
    assert "Ask the SENCO &amp; us</Say>" in document


# --- the voice -------------------------------------------------------------------------------


def terms(text: str) -> list[tuple[str, str]]:
    found = written(Said((say(Words(text)),), Listen(1, 10)))
    assert "".join(found[0].itertext()) == text
    return [(sub.text or "", sub.attrib["alias"]) for sub in found.iter("sub")]


def test_terms_of_the_lexicon_are_said_as_they_are_spoken() -> None:
    """Whole words only, the longest first, each with its own alias; the text stays as it is."""
    assert terms("Ask the SENCO, or SENCOs.") == [("SENCO", "senko"), ("SENCOs", "senkos")]
    assert terms("SEN is not SENSE, nor sen; see GOV.UK.") == [
        ("SEN", "S E N"),
        ("GOV.UK", "gov dot U K"),
    ]
    assert terms("A Q&A & more <b>") == [("Q&A", 'questions "and" <answers>')]


def test_at_the_slow_pace_words_are_slower_and_pauses_twice_as_long() -> None:
    found = written(Said((HELLO,), Listen(1, 20), slow=True))[0][0]
    assert [tag.tag for tag in found] == ["prosody"]
    assert found[0].attrib == {"rate": "85%"}
    assert [tag.attrib for tag in found.iter("break")] == [{"time": "1000ms"}]


# --- always ----------------------------------------------------------------------------------


def what_xml_may_hold(text: str) -> str:
    """XML 1.0, production 2; its parsers turn every kind of line end into one."""
    kept = (
        character
        for character in text
        if character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character >= "\U00010000"
    )
    return "".join(kept).replace("\r\n", "\n").replace("\r", "\n")


@given(st.lists(lines, max_size=4), endings, st.integers(0, 4), st.booleans())
def test_whatever_is_said_is_xml_with_a_way_on(
    spoken: list[Line], then: Any, held: int, slow: bool
) -> None:
    """Control characters and halves of characters, which XML forbids, are left out; every other
    word is there, and the document ends in a wait, a connection, a way back or a goodbye."""
    said = Said(tuple(spoken), then, held, slow)
    document = Writer("/voice", LEXICON).write(said, said.lines, held, SEALED, by_twilio)
    found = ElementTree.fromstring(document.encode())
    for line, element in zip(spoken, found.iter("Say"), strict=True):
        expected = [
            what_xml_may_hold(piece.text + piece.mark)
            for piece in line.pieces
            if isinstance(piece, Words)
        ]
        assert "".join("".join(element.itertext()).split()) == "".join("".join(expected).split())
    verbs = [verb.tag for verb in found if verb.tag != "Say"]
    assert (
        verbs
        == {
            Listen: ["Gather", "Redirect"],
            Dial: ["Dial"],
            HangUp: ["Hangup"],
            Ask: ["Redirect"],
        }[type(then)]
    )


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_book(ROOT / "flows", ROOT / "prompts")


def test_every_step_of_the_book_keeps_within_twilio_s_limits(loaded: Loaded) -> None:
    """A document has at most 64 kB and a Say at most 3,000 characters, even at the slow pace
    with an address of full length; and each document has a way on."""
    book = loaded.book
    facts = {"caller_number": "+447700900123", "number_printed": "07700 900 123"}
    writer = Writer("/voice", {term: entry.say for term, entry in loaded.lexicon.items()})
    largest = 0
    for place in book.steps:
        at = Position(at=place, book=book.digest, facts=facts, slow=True, answer="school/rights")
        _, said = advance(book, at, Resumed())
        document = writer.write(said, said.lines, said.held, "x" * 1000, by_twilio).encode()
        read(document, "http://helpline.test/voice")
        largest = max(largest, len(document))
        for spoken in ElementTree.fromstring(document).iter("Say"):
            assert len("".join(spoken.itertext())) <= MAX_SAY
    assert largest <= MAX_BYTES / 4  # far from the limit: there is room for an editor


def test_the_real_lexicon_s_terms_are_all_found(loaded: Loaded) -> None:
    """Each term alone is replaced by what is spoken for it, and by nothing else."""
    lexicon = {term: entry.say for term, entry in loaded.lexicon.items()}
    writer = Writer("/voice", lexicon)
    for term, spoken in lexicon.items():
        said = Said((say(Words(f"The {term}, you know")),), Listen(1, 10))
        document = writer.write(said, said.lines, 0, SEALED, by_twilio)
        found = re.findall(r'<sub alias="([^"]*)">([^<]*)</sub>', document)
        assert found == [(spoken, term)]
