"""An answer by text: only for whoever asked for it, by a key; short, and telling nobody else."""

from dataclasses import replace
from pathlib import Path

import pytest
from books import OWN, Caller, edited, real, text

from ivr.core.call import Answered, Started
from tests.helplines import PATIENCE, helpline
from tests.standins import twilio

BOOK = real().book
TO_THE_ANSWER = ("1", "4", "-", "-", "-")  # the child's rights
TEXTS = {"IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "IVR_TEXT_FROM": "+447400123499"}


def caller(*presses: str, number: str = OWN, **answers: Answered) -> Caller:
    """Somebody who has heard an answer where texts can be sent, and pressed these."""
    services = {name.replace("_", "-"): answer for name, answer in answers.items()}
    made = Caller(BOOK, number, answers=services)
    made.hear(Started({"caller_number": number, "texts": "yes"} if number else {"texts": "yes"}))
    made.press(*TO_THE_ANSWER, *presses)
    return made


# --- the call ------------------------------------------------------------------------------------


def test_a_key_asks_for_it_and_another_sends_it() -> None:
    mother = caller("4")
    assert not mother.effects
    assert "ending one two three" in text(mother.said)
    assert "Others who see that phone may read it" in text(mother.said)
    mother.press("1")
    (sent,) = mother.effects
    assert sent.service == "send-text"
    assert sent.facts == {
        "text_number": OWN,
        "text_kind": "answer",
        "topic": "school/rights",
        "council": "",
    }
    assert "It is on its way" in text(mother.said)
    assert mother.at == "after/what-next"


def test_silence_sends_nothing() -> None:
    mother = caller("4", *["-"] * 13)
    assert not mother.effects
    assert "That text was not sent" in text(mother.said)


def test_star_after_a_text_does_not_come_by_the_sending_again() -> None:
    mother = caller("4", "1", "*", "*", "*")
    assert len(mother.effects) == 1


def test_hash_afterwards_repeats_the_answer() -> None:
    assert "right to help in school" in caller("4", "1").press("#")


@pytest.mark.parametrize("number", ["", OWN])
def test_a_mobile_is_typed_where_the_own_number_takes_no_texts(number: str) -> None:
    """A landline, or a number that is withheld."""
    landline = {"check_mobile": Answered("unusable")} if number else {}
    father = caller("4", number=number, **landline)
    assert father.at == "text/type"
    father.answers = {}
    assert "seven seven zero zero" in father.press("07700900123")
    assert not father.effects
    father.press("1")
    assert [ask.service for ask in father.effects] == ["send-text"]


def test_a_number_that_takes_no_texts_is_told_and_another_can_be_typed() -> None:
    father = caller("4", "01134960123", check_mobile=Answered("unusable"))
    assert "I only text mobiles in the UK" in text(father.said)
    assert father.press("1").startswith("Type the mobile number")


def test_who_changes_their_mind_hears_that_nothing_was_sent() -> None:
    mother = caller("4", "2", "-", "2")
    assert "No text was sent" in text(mother.said)
    assert "Did that help?" not in text(mother.said)
    assert not mother.effects


def test_no_refusal_tells_what_the_owner_of_a_number_did_before() -> None:
    """On the caller's own phone a STOP, too many texts and a fault sound alike; another mobile can
    be typed."""
    said = set()
    for outcome in ("stopped", "enough", "failed"):
        mother = caller("4", "1", send_text=Answered(outcome))
        said.add(text(mother.said))
        mother.answers = {}
        assert mother.press("2").startswith("Type the mobile number")
    (words,) = said
    assert words.startswith("Sorry. I could not send it. Nothing was sent.")


def test_a_typed_number_sounds_the_same_whether_it_takes_texts_or_not() -> None:
    """Anybody can type the number of somebody else."""
    said = set()
    for outcome in ("queued", "stopped", "enough"):
        mother = caller("4", "2", "07400123456", "1", send_text=Answered(outcome))
        said.add(text(mother.said))
    (words,) = said
    assert words.startswith("If that phone takes our texts, it comes within a minute.")


def test_what_could_not_be_sent_is_told_and_tried_again_by_a_key() -> None:
    mother = caller("4", "1", send_text=Answered("failed"))
    assert "I could not send it" in text(mother.said)
    mother.answers = {}
    assert "It is on its way" in mother.press("1")
    assert len({ask.step for ask in mother.effects}) == 1
    assert len({ask.turn for ask in mother.effects}) == 2


def test_the_topic_is_the_answer_that_was_read_last() -> None:
    """Also where a flow has set another one before."""
    mother = caller()
    facts = {**mother.position.facts, "topic": "council/not-checked"}
    mother.position = replace(mother.position, facts=facts)
    mother.press("*", *TO_THE_ANSWER[1:], "4", "1")
    assert mother.effects[-1].facts["topic"] == "school/rights"


def test_the_text_is_the_short_form_with_the_address_of_the_page(tmp_path: Path) -> None:
    """Through the front door, to a stand-in for Twilio."""
    public = "https://helpline.example.org"
    with (
        twilio() as standin,
        helpline(tmp_path, public=public, IVR_TWILIO_API_URL=standin.address, **TEXTS) as line,
    ):
        page = line.play("1", "4", "", "", "", "4", "1")
        assert "It is on its way." in page.words
        assert standin.came.wait(PATIENCE)
    (asked,) = standin.asked
    assert asked["To"] == "+447400123456"
    assert asked["Body"].splitlines() == [
        "You asked for this by phone:",
        BOOK.prompts["texts/school-rights"].text,
        "More: https://helpline.example.org/#school-rights",
        "Reply STOP to end",
    ]


# --- what is wrong with a text -------------------------------------------------------------------

TEXTED = (
    ("flows/book.yaml", "trouble: hello/trouble\n", "trouble: hello/trouble\ntexts:"
     " {first_line: shared/first, more: shared/more-to-read}\n"),
    ("prompts/en-GB/shared.yaml", "prompts:\n", "prompts:\n  first: 'You asked for this.'\n"
     "  more-to-read: 'More:'\n"),
    ("flows/hello.yaml", "    read: [rules-1, rules-2, rules-3]\n",
     "    read: [rules-1, rules-2, rules-3]\n    text: rules-text\n"),
)  # fmt: skip
MEMBER = (
    "flows/hello.yaml:23:11: warning F025: this answer has no short form, so it cannot be had by"
    " text (add `text: <prompt>`)"
)


def told(folder: Path, words: str, first: str = "You asked for this.") -> list[str]:
    """What is told of a book whose rules have this short form."""
    prompts = ("prompts/en-GB/hello.yaml", "  rules-1:", f"  rules-text: {words}\n  rules-1:")
    book, shared, flow = TEXTED
    line = (shared[0], shared[1], shared[2].replace("You asked for this.", first))
    return edited(folder, book, line, flow, prompts)


def test_an_answer_without_a_short_form_is_told_where_others_have_one(tmp_path: Path) -> None:
    assert told(tmp_path, "Books are free.") == [MEMBER]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (
            "It’s free – “really”",
            'no text can hold "’–“”" (use plain characters, such as \' and -)',
        ),
        ("Free. / Really.", "a text has a pause in it (take the / out)"),
        (
            "Free for {card:name}.",
            "a text speaks of a fact (write what is the same for everybody)",
        ),
        (
            "x" * 220,
            "this text takes 220 characters, and has room for 201"
            " (say less: the public page has the rest)",
        ),
    ],
)
def test_a_short_form_that_cannot_be_sent_is_told(words: str, fault: str, tmp_path: Path) -> None:
    assert told(tmp_path, f'"{words}"') == [
        MEMBER,
        f"prompts/en-GB/hello.yaml:10:3: error F026: {fault}",
    ]


def test_a_first_line_that_tells_what_texts_are_about_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "Books are free.", "About your child:") == [
        MEMBER,
        'prompts/en-GB/shared.yaml:4:3: error F026: the first line of every text says "child", and'
        " phones are shared (say nothing of what it is about)",
    ]
