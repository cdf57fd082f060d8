"""The notice of the day is fit for the ear, and is heard after hello."""

import re

import pytest
from books import Caller, real

from ivr.core.call import Answered
from ivr.core.flow import FAILED
from ivr.today.ear import LONGEST, NotForTheEarError, fit
from tests.notices import HELLO, MENU, TEXT

# --- a text for the ear --------------------------------------------------------------------------

REFUSED = {
    "nothing": ("", "Write what"),
    "only marks": (" ... ", "Write what"),
    "no end": ("We are closed today", "full stop"),
    "too long": ("a" * LONGEST + ".", "161 characters"),
    "a phone number": ("Ring 01632 960123.", "phone number"),
    "one in brackets": ("Ring (0800) 11-11.", "phone number"),
    "one with a plus": ("Ring +44 1632 960 123 now.", "“+” cannot be read out"),
    "one by digits": ("Ring 0 1 6 3 2 today.", "phone number"),
    "one with commas": ("Ring 0, 8, 0, 0, 1, 1, 1, 1.", "phone number"),
    "one in words": ("Ring oh one six double three two.", "phone number"),
    "one in full width": ("Ring ０８００ １１１１.", "phone number"),
    "digits of another script": ("Ring ٠١٦٣٢ now.", "cannot be read out"),
    "a web address": ("See example.org for more.", "the web"),
    "www": ("See www for more.", "the web"),
    "markup": ('Closed.<break time="9s"/>.', "“<” cannot be read out"),
    "a fact": ("Hello {caller_number:digits}.", "“{” cannot be read out"),
    "a pause": ("Closed // today.", "“/” cannot be read out"),
    "another script": ("Мы закрыты.", "cannot be read out"),
    "an emoji": ("Closed 🎉.", "cannot be read out"),
    "a bell": ("Closed\x07 today.", "invisible"),
    "a null": ("Closed\0 today.", "invisible"),
    "turned round": ("Closed \u202etoday.", "invisible"),
    "no width": ("Clo\u200bsed today.", "invisible"),
    "half a character": ("Closed \ud800.", "invisible"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_text_that_is_not_for_the_ear_is_refused_with_the_reason(name: str) -> None:
    text, why = REFUSED[name]
    with pytest.raises(NotForTheEarError, match=re.escape(why)):
        fit(text)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "From 9.30 to 12:30 today, two of us are here.",
        "We are closed on Thursday, 24 December 2026, and open again on 4 January.",
        "Is Siân's clinic on? Yes!",
        "£5 & 10% are only numbers – really.",
        "a" * (LONGEST - 1) + ".",
    ],
)
def test_plain_words_days_and_times_are_taken_as_they_are(text: str) -> None:
    assert fit(text) == text


def test_lines_and_spaces_of_a_form_are_one_line_for_the_ear() -> None:
    assert fit("  We are\r\n closed.\tCome again! ") == "We are closed. Come again!"


# --- in a call -----------------------------------------------------------------------------------


def test_the_notice_is_said_after_hello_and_before_the_menu_and_then_let_go_of() -> None:
    """The rest of the call does not carry it. Star at the menu leads back to hello: whoever missed
    it hears it once more."""
    some = Answered("some", {"notice": TEXT})
    caller = Caller(real().book, answers={"notice-of-the-day": some})
    words = " ".join(line.text for line in caller.said.lines)
    assert words.startswith(f"{HELLO} {TEXT} {MENU}")
    assert TEXT not in str(caller.position)
    assert TEXT not in caller.press("#")
    assert TEXT not in caller.press("1")
    assert TEXT in caller.press("*", "*")


@pytest.mark.parametrize("outcome", ["none", FAILED, "surprise"])
def test_without_a_notice_nothing_of_it_is_in_the_turn(outcome: str) -> None:
    """Not even a pause; the same when its service fails."""
    caller = Caller(real().book, answers={"notice-of-the-day": Answered(outcome)})
    hello, first = caller.said.lines[:2]
    assert (hello.text, first.text[: len(MENU)]) == (HELLO, MENU)
