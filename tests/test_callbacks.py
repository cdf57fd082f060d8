"""Call-backs: which numbers are rung, how they are kept, and that a repeat changes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import phonenumbers
import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from ivr.callbacks.keys import Keys
from ivr.callbacks.planning import Backlog
from ivr.callbacks.service import CheckNumber, PlanCallBack
from ivr.core.call import Answered, Ask
from ivr.database import Database
from ivr.hours import load_hours
from ivr.numbers import caller_number, masked, printed, usable
from ivr.vault import UnreadableError
from tests.wishes import CALL, FERNET_KEY, HASH_KEY, KEYS, NUMBER

# --- which numbers may be rung ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("07400123456", "+447400123456"),
        ("01204848722", "+441204848722"),
        ("02079460999", ""),  # a drama number is nobody's
        ("02393233656", "+442393233656"),
        ("03003651020", "+443003651020"),
        ("+447400123456", "+447400123456"),
        ("07012345678", ""),  # 070 looks like a mobile and costs like premium
        ("07624123456", ""),  # Isle of Man
        ("07911123456", ""),  # Guernsey
        ("01481710000", ""),  # Guernsey
        ("07612345678", ""),  # a pager
        ("08001951635", ""),  # a service, not a parent
        ("08456789012", ""),
        ("08712345678", ""),
        ("09098790123", ""),
        ("05511234567", ""),
        ("118118", ""),
        ("999", ""),
        ("01204", ""),
        ("074001234567", ""),
        ("", ""),
        ("+353861234567", ""),  # Ireland
    ],
)
def test_only_ordinary_uk_numbers_are_rung(typed: str, number: str) -> None:
    """Landlines, 03 and mobiles."""
    assert usable(typed, demo=False) == number


@pytest.mark.parametrize(
    "drama",
    [
        "07700900123",
        "01632960123",
        "01134960123",
        "01184960999",
        "01214960000",
        "01914980123",
        "02079460123",
        "02896496123",
        "02920180123",
        "03069990123",
    ],
)
def test_drama_numbers_are_accepted_in_demo_mode_only(drama: str) -> None:
    """Ofcom keeps them so that nobody is rung by mistake."""
    assert usable(drama, demo=True) == "+44" + drama[1:]
    assert usable(drama, demo=False) == ""


@given(st.text(st.sampled_from("0123456789+ #*-abc()"), max_size=18), st.booleans())
def test_nothing_that_is_typed_raises_or_leaves_the_allowed_ranges(typed: str, demo: bool) -> None:
    """Whatever comes out is +44 1, 2, 3 or 7, and is its own check."""
    number = usable(typed, demo)
    assert number == "" or number[:4] in ("+441", "+442", "+443", "+447")
    assert number == "" or usable(number, demo) == number
    assert not number.startswith("+4470")


@pytest.mark.parametrize(
    "withheld",
    [
        *("anonymous", "Anonymous", "RESTRICTED", "unavailable", "unknown", "private", "blocked"),
        *("+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533"),
        *("266696687", "7378742833", "86282452253", "8656696", "2562533"),
        *("", "sip:alice@example.org", "client:alice", "+", "07400123456", "+44 7400 123456"),
    ],
)
@pytest.mark.parametrize("demo", [True, False])
def test_a_withheld_or_odd_caller_id_is_no_number(withheld: str, demo: bool) -> None:
    """Twilio has many ways of saying that there is none."""
    assert caller_number(withheld, demo) == ""


def test_a_callers_own_uk_number_is_known() -> None:
    """It comes in E.164."""
    assert caller_number("+447400123456", demo=False) == "+447400123456"
    assert caller_number(NUMBER, demo=True) == NUMBER


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+447400123456", "07400 123 456"),
        ("+447700900123", "07700 900 123"),
        ("+441204848722", "01204 848 722"),
        ("+441133785020", "0113 378 5020"),
        ("+442079460123", "020 7946 0123"),
        ("+443003651020", "0300 365 1020"),
    ],
)
def test_numbers_are_printed_in_groups_short_enough_to_write_down(
    number: str, expected: str
) -> None:
    """And with all their digits."""
    assert printed(number) == expected


@given(st.integers(1_000_000_000, 9_999_999_999))
def test_printing_loses_no_digit(digits: int) -> None:
    """Of any number that may be rung."""
    number = usable(f"+44{digits}", demo=True)
    if number:
        assert printed(number).replace(" ", "") == number.replace("+44", "0")
        assert phonenumbers.parse(printed(number), "GB") == phonenumbers.parse(number)


def test_a_masked_number_shows_three_digits() -> None:
    """The same three that the caller confirms it by."""
    assert masked(NUMBER) == "… 123"


# --- hiding them -----------------------------------------------------------------------------


def test_a_sealed_number_can_be_read_with_its_key_only() -> None:
    """With any of the keys that still count."""
    other = Fernet.generate_key()
    sealed = KEYS.seal(NUMBER)
    assert NUMBER[-6:] not in sealed
    assert Keys((other, FERNET_KEY), HASH_KEY).unseal(sealed) == NUMBER
    with pytest.raises(UnreadableError):
        Keys((other,), HASH_KEY).unseal(sealed)


def test_the_same_text_hashed_for_two_purposes_is_not_the_same() -> None:
    """And none can be made without the key."""
    other = Keys((FERNET_KEY,), b"another key for hashes")
    hashes = {
        *(KEYS.number_hash("x"), KEYS.effect_hash("x")),
        *(other.number_hash("x"), other.effect_hash("x")),
    }
    assert len(hashes) == 4


@given(st.text())
def test_a_reference_is_six_digits_and_always_the_same(effect: str) -> None:
    """It needs no database."""
    reference = KEYS.reference(effect)
    assert len(reference) == 6
    assert reference.isdecimal()
    assert KEYS.reference(effect) == reference


# --- what the phone asks for -----------------------------------------------------------------


async def test_the_callers_own_number_is_checked() -> None:
    """Confirmed by its last three digits, it is used as it came."""
    facts = {"phone": "own", "caller_number": NUMBER, "typed": ""}
    ask = Ask("check-number", facts, "number/check", 2)
    assert await CheckNumber(demo=True)(ask, CALL) == Answered(
        "usable", {"number": NUMBER, "number_printed": "07700 900 123"}
    )
    assert await CheckNumber(demo=False)(ask, CALL) == Answered("unusable")


async def test_a_typed_number_is_checked() -> None:
    """Even when the caller's own is known."""
    facts = {"phone": "typed", "caller_number": NUMBER, "typed": "01204848722"}
    answer = await CheckNumber(demo=False)(Ask("check-number", facts, "number/check", 2), CALL)
    assert answer.facts == {"number": "+441204848722", "number_printed": "01204 848 722"}
    none = await CheckNumber(demo=False)(Ask("check-number", {}, "number/check", 2), CALL)
    assert none == Answered("unusable")


async def test_a_call_back_is_planned_in_london_time() -> None:
    """Due in UTC for us, day and time in London for the caller."""
    hours = load_hours(Path(__file__).parent.parent / "flows" / "data" / "hours.yaml")
    asked = datetime(2026, 7, 3, 15, 0, tzinfo=UTC)
    ask = Ask("plan-call-back", {"slot": "morning"}, "callback/plan", 3)
    database = Database("sqlite+aiosqlite:////nowhere/helpline.db")  # the hours alone decide then
    planned = PlanCallBack(
        Backlog(database, lambda: hours), lambda: hours, lambda: asked, retention=3
    )
    assert await planned(ask, CALL) == Answered(
        "planned",
        {
            "due_at": "2026-07-06T11:00:00Z",
            "due_day": "2026-07-06",
            "due_time": "12:00",
            "seen_day": "2026-07-06",
            "seen_time": "12:00",
            "retention": "3",
        },
    )
