"""The advice service of a council: who it is, when it is open, its number, being put through."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.core.saying import Words
from ivr.core.speaking import WAYS, vocabulary
from ivr.directory.addresses import email_to_say, website_to_say
from ivr.directory.entries import Council
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.opening import OPENS, day_in_words, next_opening, understood
from ivr.directory.service import AdviceService, WebAddress
from ivr.directory.spelling import keypad
from ivr.directory.texting import ROOM, contact, way
from ivr.gsm import septets
from ivr.hours import LONDON, Opening
from tests.helplines import Helpline, SetClock, helpline

DATA = Path(__file__).parent.parent / "flows" / "data"
DIRECTORY = Directory(load_councils(DATA))
DAY = date(2026, 11, 24)
VOUCHED = [one for one in DIRECTORY.councils if DIRECTORY.may_be_spoken(one, DAY)]
CALL = Call("CA" + "0" * 32)
KIRKLEES, LEEDS, MANCHESTER = "E08000034", "E08000035", "E08000003"
TUESDAY = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)


async def advice(code: str, at: datetime = TUESDAY) -> Answered:
    ask = Ask("advice-service", {"council": code}, "council/contact", 4)
    return await AdviceService(lambda: DIRECTORY, lambda: at, lambda code: None)(ask, CALL)


# --- who it is, and its number ---------------------------------------------------------------


async def test_a_number_on_the_services_own_page_is_given_as_it_is_printed() -> None:
    """Brackets are not read out."""
    assert await advice(KIRKLEES) == Answered(
        "hours-unknown",
        {
            "council_name": "Kirklees",
            "service_name": "Kirklees Information, Advice and Support",
            "service_number": "01422 266141",
            "service_rings": "+441422266141",
        },
    )


async def test_no_number_is_given_that_nobody_vouched_for() -> None:
    """Leeds has a number in the data, from somebody else's page."""
    assert DIRECTORY.council(LEEDS).entry.phone
    assert await advice(LEEDS) == Answered("unvouched", {"council_name": "Leeds"})


async def test_across_all_councils_only_vouched_numbers_come_out() -> None:
    """Whatever is asked."""
    for council in DIRECTORY.councils:
        answer = await advice(council.entry.gss_code)
        assert (answer.outcome == "unvouched") is (council not in VOUCHED)
        assert ("service_number" in answer.facts) is (council in VOUCHED)
        assert ("service_rings" in answer.facts) is (council in VOUCHED)


# Every printed grouping in the data, as it must be heard: groups, a second apart.
HEARD = {
    "01482 396469": "zero one four eight two | three nine six four six nine",
    "0808 164 5527": "zero eight zero eight | one six four | five five two seven",
    "01422 266141": "zero one four two two | two six six one four one",
    "0116 305 5614": "zero one one six | three zero five | five six one four",
    "0800 195 1635": "zero eight zero zero | one nine five | one six three five",
    "0161 209 8356": "zero one six one | two zero nine | eight three five six",
    "01908 254518": "zero one nine zero eight | two five four five one eight",
    "0300 365 1020": "zero three zero zero | three six five | one zero two zero",
    "023 9323 3656": "zero two three | nine three two three | three six five six",
    "01782 234 701": "zero one seven eight two | two three four | seven zero one",
    "01803 207884": "zero one eight zero three | two zero seven eight eight four",
    "0151 522 7990": "zero one five one | five two two | seven nine nine zero",
    "0118 908 8233": "zero one one eight | nine zero eight | eight two three three",
    "01905 768153": "zero one nine zero five | seven six eight one five three",
}


@pytest.mark.parametrize("council", VOUCHED, ids=lambda one: one.entry.council)
def test_a_number_is_heard_digit_by_digit_as_it_is_printed(council: Council) -> None:
    """Nobody hears "oh", "double" or a number run together; a second parts the groups."""
    pieces = list(WAYS["digits"](council.entry.phone_printed))
    words = [
        piece.text if isinstance(piece, Words) else "|" if piece.seconds == 1 else ""
        for piece in pieces
    ]
    assert " ".join(filter(None, words)) == HEARD[council.entry.phone_printed]
    assert all(isinstance(one, Words) or one.seconds in (0.3, 1) for one in pieces)


# --- when it is open -------------------------------------------------------------------------

NINE_TO_FIVE = {day: ("09:00", "17:00") for day in range(5)}


@pytest.mark.parametrize(
    ("printed", "week"),
    [
        ("Mon-Fri 9am-5pm", NINE_TO_FIVE),
        ("9am to 5pm, Mon-Fri", NINE_TO_FIVE),
        ("Monday to Friday 09:00-17:00", NINE_TO_FIVE),
        ("Advice line Mon-Fri 9am-5pm; aim to contact within 2 working days", NINE_TO_FIVE),
        ("Mon-Thu 9am-5pm; Fri 9am-5pm", NINE_TO_FIVE),
        ("Tue, Thu 10am-noon", {1: ("10:00", "12:00"), 3: ("10:00", "12:00")}),
        ("Mon 8:30am-3:30pm, Sat 10am-12pm", {0: ("08:30", "15:30"), 5: ("10:00", "12:00")}),
    ],
)
def test_plain_hours_are_understood(printed: str, week: dict[int, tuple[str, str]]) -> None:
    hours = understood(printed)
    assert hours
    assert hours.week == {
        day: Opening(*(datetime.strptime(at, "%H:%M").time() for at in times))
        for day, times in week.items()
    }


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "Office hours Mon-Fri all year; 24-hour answering service",
        "Mon-Fri 9-5",  # in the morning, or in the afternoon?
        "Mon-Fri 9am-5pm, term time only",
        "Mon-Fri 9am-5pm; closed in August",
        "Mon-Fri 9am-5pm and Mon 10am-2pm",
        "Mon-Fri 5pm-9am",
        "Mon-Fri 9:10am-5pm",  # which the voice does not say
        "Mon-Fri 13pm-2pm",
        "months 9am-5pm",
        "9am-5pm",
        "Mon-Fri",
        "Mon-Fri 9am-5pm; voicemail Sat 9am-noon",
        "Mon-Fri 9am-5pm; 1pm-2pm answerphone",
        "Mon-Thu 12am-5pm",
        "Mon-Fri ٩am-٥pm",
        "Mon-Fri ０9:00-17:00",
    ],
)
def test_of_hours_that_are_not_plain_nothing_is_said(printed: str) -> None:
    """Better not to know than to send somebody to a phone that nobody answers."""
    assert understood(printed) is None


async def test_a_service_is_open_until_or_opens_then() -> None:
    """Manchester: Monday to Friday, half past eight to half past three, by London's clock."""
    when = {
        TUESDAY: ("open", {"until": "15:30"}),
        datetime(2026, 11, 24, 7, 0, tzinfo=UTC): ("closed", "today 08:30"),
        datetime(2026, 11, 24, 15, 30, tzinfo=UTC): ("closed", "tomorrow 08:30"),
        SATURDAY: ("closed", "on Monday 08:30"),
        datetime(2026, 12, 24, 16, 0, tzinfo=UTC): ("closed", "on Tuesday 08:30"),  # Christmas
        datetime(2026, 7, 7, 14, 45, tzinfo=UTC): ("closed", "tomorrow 08:30"),  # summer time
    }
    for at, (outcome, told) in when.items():
        answer = await advice(MANCHESTER, at)
        assert answer.outcome == outcome
        facts = answer.facts
        heard = f"{facts.get('opens')} {facts.get('opens_time')}"
        assert told in (heard, {"until": facts.get("until")})


def test_every_day_on_which_a_service_opens_has_its_clip() -> None:
    hours = understood("Mon-Fri 9am-5pm")
    assert hours
    for day in range(1, 29):
        now = datetime(2026, 12, day, 18, 0, tzinfo=UTC)
        opens = next_opening(hours, now)
        assert opens is None or day_in_words(opens, now) in OPENS
    assert set(OPENS) <= set(DIRECTORY.vocabulary())


def test_a_service_that_opens_in_more_than_a_week_is_said_to_open_never() -> None:
    """A weekday's name would mean another day."""
    hours = understood("Mon 9am-10am")
    assert hours
    christmas = datetime(2027, 12, 20, 12, 0, tzinfo=LONDON)  # the Monday after it is a holiday
    assert next_opening(hours, christmas) is None


# --- web and email ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://www.rksendiass.co.uk", "rksendiass.co.uk"),
        ("http://iasmanchester.org/", "iasmanchester.org"),
        ("https://www.barnardossendiass.org.uk/portsmouth-sendiass/", ""),  # nobody could note it
        ("https://example.org/?page=2", ""),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_a_website_is_said_only_if_it_is_short_and_whole(address: str, said: str) -> None:
    assert website_to_say(address) == said


def test_an_email_address_is_said_only_if_it_is_one() -> None:
    assert email_to_say("IAS@Wired.me.uk") == "ias@wired.me.uk"
    assert email_to_say("ring us") == email_to_say("") == email_to_say(f"{'a' * 40}@x.org") == ""


def spelled(address: str) -> list[str]:
    return [piece.text for piece in WAYS["spelled"](address) if isinstance(piece, Words)]


def test_an_address_is_spelled_in_words_that_have_clips() -> None:
    assert spelled("ias@wired.me.uk") == "I A S at W I R E D dot M E dot U K".split()
    assert spelled("coco-9.gov.uk") == "C O C O dash nine dot gov dot U K".split()
    assert set(spelled("abcdefghijklmnopqrstuvwxyz.co.org-com_net@/0123456789")) <= {*vocabulary()}


async def test_of_every_vouched_service_a_caller_can_ask_for_its_address() -> None:
    for council in VOUCHED:
        ask = Ask("web-address", {"council": council.entry.gss_code}, "council/address", 5)
        answer = await WebAddress(lambda: DIRECTORY)(ask, CALL)
        known = {name for name in ("website", "email") if answer.facts[name]}
        assert known == {"both": {"website", "email"}, "none": set()}.get(
            answer.outcome, {answer.outcome}
        )


# --- a call ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clock() -> SetClock:
    return SetClock(TUESDAY)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, clock: SetClock) -> Iterator[Helpline]:
    with helpline(tmp_path_factory.mktemp("var"), clock, IVR_TWILIO_NUMBER="+441134960000") as line:
        yield line


def letters(name: str) -> str:
    return keypad(name)[:3]


def test_a_caller_is_put_through_while_they_are_open(line: Helpline, clock: SetClock) -> None:
    """Told before and after; the service sees our number, and an hour ends it."""
    clock.at = TUESDAY
    menu = line.play("3", letters("Manchester"), "1")
    assert "It is open now, until half past three in the afternoon." in menu.words
    page = line.post(menu.action, "2").page
    assert "I am putting you through now." in page.words
    (dial,) = page.xml.iter("Dial")
    assert dial.attrib["callerId"] == "+441134960000"
    assert dial.attrib["timeLimit"] == "3600"
    assert [number.text for number in dial] == ["+441612098356"]
    after = {
        "completed": "You are back on the helpline.",
        "busy": "Their line is busy just now.",
        "no-answer": "Nobody answered there.",
        "failed": "Sorry. I could not put you through.",
    }
    for status, words in after.items():
        back = line.post(page.action, DialCallStatus=status).page
        assert back.words.startswith(words)
        assert "main menu" in back.words or "For us to ring you" in back.words
        assert back.goes_on


def test_a_closed_service_is_not_rung(line: Helpline, clock: SetClock) -> None:
    clock.at = SATURDAY
    menu = line.play("3", letters("Manchester"), "1")
    assert "It is closed now. It opens on Monday, at half past eight in the morning." in menu.words
    assert "put through" not in menu.words
    clock.at = TUESDAY


def test_nobody_is_put_through_to_a_number_that_is_not_vouched_for() -> None:
    """Leeds has a number in the data that nobody vouches for; nor is any other number rung."""
    assert DIRECTORY.may_ring("+441612098356", DAY)
    for number in (DIRECTORY.council(LEEDS).entry.phone, "+449012345678", "+447400123456", ""):
        assert not DIRECTORY.may_ring(number, DAY)


# --- a text ----------------------------------------------------------------------------------


def test_the_text_of_a_contact_has_what_was_vouched_for() -> None:
    assert contact(DIRECTORY, MANCHESTER, DAY).splitlines() == [
        "IAS Manchester: 0161 209 8356",
        "Mon-Fri 8:30am-3:30pm",
        "https://iasmanchester.org",
        "sendiass@manchester.gov.uk",
    ]
    with pytest.raises(LookupError):
        contact(DIRECTORY, LEEDS, DAY)


def test_the_text_of_a_contact_leaves_no_day_out() -> None:
    """What follows a semicolon is mostly of answerphones, and then is left out."""
    council = DIRECTORY.council(MANCHESTER)
    for printed, told in (
        ("Mon-Thu 9am-5pm; Fri 9am-4pm", "Mon-Thu 9am-5pm; Fri 9am-4pm"),
        ("Mon-Fri 9am-4pm; 24-hour answerphone", "Mon-Fri 9am-4pm"),
    ):
        entry = replace(council.entry, hours=printed)
        text = contact(Directory([replace(council, entry=entry)]), MANCHESTER, DAY)
        assert text.splitlines()[1] == told


def test_the_text_of_a_way_gives_no_number_and_never_too_much() -> None:
    """Whichever council it is; and each says at least whom to ask."""
    for council in DIRECTORY.councils:
        text = way(council)
        assert council.spoken in text
        assert "Ring the council" in text
        assert not re.search(r"\d{3}", re.sub(r"https?://\S+", "", text))
        assert septets(text) <= ROOM
    for council in VOUCHED:
        assert septets(contact(DIRECTORY, council.entry.gss_code, DAY)) <= ROOM


def test_a_name_as_it_is_printed_can_be_texted() -> None:
    council = DIRECTORY.council(KIRKLEES)
    entry = replace(council.entry, service_name="Children’s Advice – Leeds ☎")
    assert contact(Directory([replace(council, entry=entry)]), KIRKLEES, DAY).startswith(
        "Children's Advice - Leeds : 01422"
    )
