"""Speech, where it is switched on: what is said is offered for choosing, and kept nowhere."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from books import SID, Caller, edited, real, sealer, text
from helplines import done, helpline, rows
from twilio.twiml.voice_response import Gather, VoiceResponse

from ivr.conversation import Call
from ivr.core.call import (
    Answered,
    Ask,
    Candidate,
    Dialled,
    Heard,
    Keys,
    Listen,
    Resumed,
    Said,
    Silence,
    Spoken,
    Started,
)
from ivr.core.engine import advance
from ivr.directory.hearing import Hearing, hints, plain, sound
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.places import load_whereabouts
from ivr.directory.spoken import MOST, HearCouncil, expected
from ivr.handset import scripted
from ivr.phone.hearing import hear
from ivr.phone.twiml import Writer

DATA = Path(__file__).parent.parent / "flows" / "data"
DIRECTORY = Directory(load_councils(DATA), load_whereabouts(DATA).places)
CALL = Call("CA" + "0" * 32)
LEEDS = "Leeds has a free advice service"
WORDS = "my son Harry is not safe, in Leeds"
KINGSTONS = (Candidate("E06000010", "Hull"), Candidate("E09000021", "Kingston upon Thames"))


# --- a call --------------------------------------------------------------------------------------


def listening(*heard: Heard) -> Caller:
    """Somebody whose helpline listens, at the step where a name may be spoken."""
    caller = Caller(real().book, answers={"guess-council": Answered("none")})
    caller.hear(Started({"listens": "yes"}))
    caller.answers["hear-council"] = Answered("several", candidates=KINGSTONS)
    caller.press("3")
    for each in heard:
        caller.hear(each)
    return caller


def test_where_a_name_may_be_spoken_the_keys_are_open_too() -> None:
    """The same entry, with the same time for it, and words that say so."""
    caller = listening()
    assert caller.then == Listen(3, 20, entry=True, spoken="spoken_name")
    assert "Say the name" in text(caller.said)
    assert "spell its first three letters" in text(caller.said)
    caller.press("533")
    assert [ask.service for ask in caller.asked][-2:] == ["find-council", "advice-service"]


def test_where_nobody_listens_nothing_is_said_of_speaking() -> None:
    """The call is as it always was."""
    caller = Caller(real().book, answers={"guess-council": Answered("none")})
    caller.press("3")
    assert caller.then == Listen(3, 20, entry=True)
    assert "Say the name" not in text(caller.said)


def test_what_is_spoken_goes_to_one_service_and_is_then_forgotten() -> None:
    """Nothing of it is in the position that the call goes on with."""
    caller = listening(Spoken(WORDS))
    assert caller.asked[-1] == Ask("hear-council", {"spoken_name": WORDS}, "spoken/match", 4)
    assert caller.at == "spoken/which"
    assert "Harry" not in repr(caller.position)
    assert "Harry" not in text(caller.said)


def test_what_was_heard_is_confirmed_by_a_key_though_it_be_one_name() -> None:
    caller = listening()
    caller.answers["hear-council"] = Answered("several", candidates=KINGSTONS[:1])
    assert "Hull, press 1." in caller.hear(Spoken("Hull"))
    caller.press("1")
    assert Ask("settle-council", {"chosen": "E06000010"}, "council/settle", 5) in caller.asked


def test_a_name_that_was_misheard_can_be_said_again_or_spelled() -> None:
    """Star leads back to where both are open."""
    caller = listening(Spoken("Hull"), Keys("*"))
    assert caller.at == "spoken/start"


def test_where_nothing_was_caught_the_keys_are_asked_for() -> None:
    """Kindly, and words there are silence: that leads to other ways."""
    caller = listening()
    caller.answers["hear-council"] = Answered("none")
    assert "That is fine." in caller.hear(Spoken("lovely weather"))
    assert caller.then == Listen(3, 20, entry=True)
    caller.hear(Spoken("Leeds"))
    assert caller.at == "council/spell-help"


def test_a_service_that_fails_has_forgotten_the_words_too() -> None:
    caller = listening()
    caller.answers["hear-council"] = Answered("failed")
    caller.hear(Spoken(WORDS))
    assert caller.at == "council/cannot-look"
    assert "Harry" not in repr(caller.position)


def test_words_at_any_other_step_are_silence() -> None:
    """No wrong key, which would be unfair: nobody asked for words there."""
    silent, spoke = Caller(real().book), Caller(real().book)
    silent.hear(Silence())
    spoke.hear(Spoken("help"))
    assert spoke.said == silent.said
    assert spoke.position == silent.position
    assert spoke.position.wrong_keys == 0


def test_words_for_a_step_that_has_changed_meanwhile_are_not_acted_on() -> None:
    """The step is said again: it may mean something else now."""
    caller = listening()
    before = replace(caller.position, book="another")
    position, said = advance(real().book, before, Spoken("Leeds"))
    assert position.at == "spoken/start"
    assert isinstance(said.then, Listen)


def test_a_position_after_speaking_is_sealed_without_the_words() -> None:
    caller = listening(Spoken(WORDS))
    found = sealer().unseal_position(SID, sealer().seal_position(SID, caller.position))
    assert found.facts == {"listens": "yes"}


# --- the files -----------------------------------------------------------------------------------

SPELL = "  spell:\n    letters: [spell]\n"


def test_listening_needs_a_way_on_and_a_way_on_needs_listening(tmp_path: Path) -> None:
    flow = "flows/branch.yaml"
    for field, other in (("listen: heard_name", "heard"), ("heard: look-up", "listen")):
        told = edited(tmp_path / other, (flow, SPELL, f"{SPELL}    {field}\n"))
        assert f'error F006: "{field.split(":")[0]}" needs "{other}" beside it' in told[0]


def test_what_was_spoken_cannot_be_said_back(tmp_path: Path) -> None:
    """It is known to services alone, so that a prompt that speaks it is a mistake."""
    told = edited(
        tmp_path,
        ("flows/branch.yaml", SPELL, f"{SPELL}    listen: heard_name\n    heard: spell-help\n"),
        ("prompts/en-GB/branch.yaml", "hard: That is fine.", "hard: You said {heard_name:name}."),
    )
    assert [finding for finding in told if "F023" in finding and "heard_name" in finding]


# --- Twilio --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "heard"),
    [
        ({"SpeechResult": " North  Yorkshire. ", "Confidence": "0.1"}, Spoken("North Yorkshire.")),
        ({"SpeechResult": "Leeds", "Digits": ""}, Spoken("Leeds")),
        ({"SpeechResult": "Leeds", "Digits": "533"}, Keys("533")),
        ({"SpeechResult": ""}, Silence()),
        ({"SpeechResult": " \t "}, Silence()),
        ({"SpeechResult": "Leeds", "DialCallStatus": "busy"}, Dialled("busy")),
        ({"SpeechResult": "la " * 10_000}, Spoken(("la " * 67)[:200].strip())),
    ],
)
def test_keys_go_before_words_and_words_before_silence(
    form: Mapping[str, str], heard: Heard
) -> None:
    assert hear(form, {}) == heard


def test_a_call_that_comes_back_after_a_fault_has_nothing_spoken() -> None:
    assert hear({"SpeechResult": "Leeds"}, {"again": "1"}) == Resumed()


@pytest.mark.parametrize(("slow", "pause"), [(False, "2"), (True, "4")])
def test_a_wait_for_words_and_keys_is_the_library_s(slow: bool, pause: str) -> None:
    """The keys are those of any entry; a thinking pause does not end what is said."""
    said = Said((), Listen(3, 20, entry=True, spoken="name"), slow=slow)
    writer = Writer("/voice", {}, hints={"name": lambda: ("Leeds", "Stoke & Trent")})
    response = VoiceResponse()
    gather = Gather(
        input="dtmf speech",
        language="en-GB",
        hints="Leeds, Stoke & Trent",
        speech_timeout=pause,
        profanity_filter=False,
        action="/voice/sealed",
        method="POST",
        num_digits=3,
        timeout=20,
        finish_on_key="*",
        action_on_empty_result=True,
    )
    response.append(gather)
    response.redirect("/voice/sealed", method="POST")
    written = writer.write(said, (), 0, "sealed", lambda line, slow: "")
    assert ElementTree.canonicalize(written) == ElementTree.canonicalize(str(response))


# --- what was meant ------------------------------------------------------------------------------

COUNCILS = Hearing(
    (name, council.entry.council) for council in DIRECTORY.councils for name in council.names
)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("Leeds", ["Leeds"]),
        ("north yorkshire council", ["North Yorkshire"]),
        ("um I think it's Dorset County Council", ["Dorset"]),
        ("Hull", ["Kingston upon Hull"]),
        ("saint helens", ["St Helens"]),
        ("St. Helens", ["St Helens"]),
        ("Brighton.", ["Brighton and Hove"]),
        ("Hove, actually", ["Brighton and Hove"]),
        ("south end", ["Southend-on-Sea"]),
        ("the London Borough of Camden", ["Camden"]),
        ("City of London", ["City of London"]),
        ("Bath & North East Somerset", ["Bath and North East Somerset"]),
        ("Poole", ["Bournemouth, Christchurch and Poole"]),
        ("County Durham", ["County Durham"]),
        ("Bedford", ["Bedford"]),
        # Similar names are told apart, or both are offered.
        ("the royal borough of kingston", ["Kingston upon Hull", "Kingston upon Thames"]),
        ("Northamptonshire", ["North Northamptonshire", "West Northamptonshire"]),
        ("West Northamptonshire", ["West Northamptonshire"]),
        ("Cheshire", ["Cheshire East", "Cheshire West and Chester"]),
        ("Bedfordshire", ["Bedford", "Central Bedfordshire"]),
        ("Sussex", ["East Sussex", "West Sussex"]),
        ("South Tyne Side", ["South Tyneside"]),
        ("hereford", ["Herefordshire"]),
        ("West Yorkshire", []),  # North Yorkshire and York are others
        # Nothing that is a name.
        ("", []),
        ("north", []),
        ("i don't know", []),
        ("lovely weather", []),
        ("I want to speak to somebody please", []),
        ("five three three", []),
        ("日本語 ♥ 123", []),
    ],
)
def test_a_name_is_known_among_the_words_around_it(heard: str, meant: list[str]) -> None:
    assert list(COUNCILS.meant(heard)) == meant


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("leads", "Leeds"),
        ("redding", "Reading"),
        ("wurrall", "Wirral"),
        ("darby", "Derby"),
        ("norfork", "Norfolk"),
        ("suffock", "Suffolk"),
        ("essecks", "Essex"),
        ("rotheram", "Rotherham"),
        ("donkaster", "Doncaster"),
        ("glosstershire", "Gloucestershire"),
        ("lester", "Leicester"),
        ("grennich", "Greenwich"),
        ("suthuk", "Southwark"),
        ("luisham", "Lewisham"),
        ("hartle pool", "Hartlepool"),
        ("milton keens", "Milton Keynes"),
        ("the isle of white", "Isle of Wight"),
        ("new castle", "Newcastle upon Tyne"),
        ("middles bro", "Middlesbrough"),
        ("walls all", "Walsall"),
        ("plimouth", "Plymouth"),
        ("wokeing ham", "Wokingham"),
        ("thurock", "Thurrock"),
    ],
)
def test_a_name_that_was_misheard_is_offered_all_the_same(heard: str, meant: str) -> None:
    found = COUNCILS.meant(f"erm {heard} please")
    assert meant in found
    assert len(found) <= 3


@pytest.mark.parametrize("name", [name for one in DIRECTORY.councils for name in one.names])
def test_every_name_means_its_council(name: str) -> None:
    """As it stands, and without capitals among other words."""
    for heard in (name, f"we live in {name.lower()}, near the river"):
        councils = COUNCILS.meant(heard)
        assert any(name in one.names for one in DIRECTORY.councils if one.entry.council in councils)


@pytest.mark.parametrize(
    ("heard", "offered"),
    [
        ("erm Guildford please", ["Guildford, in Surrey"]),
        ("tivertun", ["Tiverton, in Devon"]),
        ("guildford in surrey", ["Surrey"]),
        ("Bedford", ["Bedford borough"]),
        ("Richmond", ["Richmond upon Thames", "Richmond, in North Yorkshire"]),
        ("Ashford", ["Ashford, in Kent", "Ashford, in Surrey"]),
        ("Newcastle", ["Newcastle upon Tyne", "Newcastle-under-Lyme, in Staffordshire"]),
        ("West Yorkshire", ["Bradford", "Calderdale", "Kirklees", "Leeds", "Wakefield"]),
        ("London", ["City of London", "A London borough"]),
        ("Cardiff", ["Cardiff, in Wales"]),
        ("I live in Scotland", ["Scotland"]),
        ("Northern Ireland", ["Northern Ireland"]),
    ],
)
def test_a_place_is_offered_with_the_council_whose_area_it_is_in(
    heard: str, offered: list[str]
) -> None:
    """Other countries too: they have an answer of their own."""
    answer = heard_as(heard)
    assert answer.outcome == "several"
    assert [one.words for one in answer.candidates] == offered


def test_every_district_and_place_is_known_when_it_is_spoken() -> None:
    """It is offered with its area, alone or among others of its name."""
    hearing = Hearing(DIRECTORY.spelling.named())
    lost = [
        place.name
        for place in DIRECTORY.places
        if place.council not in {one.area for one in hearing.meant(f"er {place.name}, please")}
    ]
    assert lost == []


def test_whatever_is_offered_has_a_clip() -> None:
    """Its words are among those that the voice knows beforehand."""
    assert {one.words for _, one in DIRECTORY.spelling.named()} <= set(DIRECTORY.vocabulary())


def test_a_place_may_lie_in_two_areas_and_the_longer_name_goes_first() -> None:
    """Names are given with what they mean: districts and places as well as councils."""
    names = Hearing([("Newport", 1), ("Newport", 2), ("Newport Pagnell", 3), ("Sale", 4)])
    assert names.meant("newport") == (1, 2)
    assert names.meant("newport pagnell please") == (3,)
    assert names.meant("sale or newport pagnell") == (3, 4)


def test_however_much_is_said_it_is_listened_to_for_a_while_only() -> None:
    """The first words count: nobody names their council after a speech."""
    assert COUNCILS.meant("blah " * 100 + "leeds") == ()


def test_sounds_that_are_mixed_up_are_the_same() -> None:
    for one, other in (("leads", "leeds"), ("redding", "reading"), ("wurrall", "wirral")):
        assert sound(one) == sound(other)
    assert sound("leeds") != sound("luton")


def test_fillers_are_passed_over_but_no_name_is_lost() -> None:
    assert plain("erm, the Borough of St Helens please") == ("saint", "helens")
    assert [name for one in DIRECTORY.councils for name in one.names if not plain(name)] == []


def test_hints_keep_to_twilio_s_limits() -> None:
    """A comma would make two of one."""
    assert hints(["Poole, Hove", "Hove", "", "a" * 200]) == ("Poole", "Hove", "a" * 100)
    assert len(hints(str(number) for number in range(1000))) == 500
    assert {"Leeds", "Bournemouth", "Christchurch and Poole"} <= set(expected(DIRECTORY))


# --- the service ---------------------------------------------------------------------------------


def heard_as(words: str, directory: Directory = DIRECTORY) -> Answered:
    ask = Ask("hear-council", {"spoken_name": words}, "spoken/match", 3)
    answer: Answered = done(HearCouncil(lambda: directory)(ask, CALL))
    return answer


def test_what_may_have_been_meant_is_offered_in_words_that_tell_it_apart() -> None:
    assert heard_as("derby") == Answered(
        "several", candidates=(Candidate("E06000015", "Derby city"),)
    )
    assert heard_as("lovely weather") == Answered("none")
    assert len(heard_as("north south east west borough forest").candidates) <= MOST


def test_without_a_directory_nobody_is_told_that_there_is_no_such_name() -> None:
    with pytest.raises(LookupError):
        heard_as("Leeds", Directory(()))


# --- through the front door ----------------------------------------------------------------------


async def test_a_name_is_spoken_over_the_telephone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A repeat hears the same again; what was spoken is in no log and no journey; the keys are
    open all along."""
    caplog.set_level(logging.INFO)
    with helpline(tmp_path, IVR_LISTEN="yes") as line:
        phone = line.another_caller()
        asked = phone.play("3")
        gather = asked.xml.find("Gather")
        assert gather is not None
        assert gather.attrib["input"] == "dtmf speech"
        assert len(gather.attrib["hints"].split(", ")) > 150
        spoken = phone.post(asked.action, SpeechResult=WORDS, Confidence="0.4").page
        again = phone.post(asked.action, SpeechResult=WORDS, Confidence="0.4").page
        assert "Leeds press 1." in spoken.words
        assert again.words == spoken.words
        assert LEEDS in phone.post(spoken.action, "1").page.words
        for also in ({}, {"SpeechResult": "Surrey"}):
            spelled = phone.post(asked.action, "533", **also).page
            assert "Leeds press 1. Ledbury, in Herefordshire press 2." in spelled.words
        async with line.phone() as handset:  # as `ivr call --keys` does
            played = await scripted(handset, ("3", '"erm Redding please"', "1"))
        assert LEEDS.replace("Leeds", "Reading") in " ".join(played.turns[-1].said)
    journeys = rows(tmp_path, "journey_step")
    told = {row["place"] for row in journeys if row["heard"] == "spoken"}
    assert told >= {"spoken/match", "spoken/which"}
    assert "Harry" not in str(journeys) + caplog.text


def test_switched_off_nothing_listens(tmp_path: Path) -> None:
    """Which is how every helpline begins; and what is spoken all the same is silence."""
    with helpline(tmp_path) as line:
        asked = line.play("3")
        gather = asked.xml.find("Gather")
        assert gather is not None
        assert gather.attrib["input"] == "dtmf"
        assert "hints" not in gather.attrib
        silence, words = line.post(asked.action), line.post(asked.action, SpeechResult="Leeds")
        assert silence.page.words == words.page.words
