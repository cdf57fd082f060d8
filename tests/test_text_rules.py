"""What a text message may be: letters, length, first line, the way out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.gsm import BASIC, EXTENDED, UnsendableError, septets
from ivr.messages.rules import Word, check, finished, plain, word_of

NUMBER, NAME = "+447700900999", "Helpline"


def complaint(text: str) -> str:
    with pytest.raises(UnsendableError) as caught:
        check(text)
    return str(caught.value)


@given(st.text(st.sampled_from(sorted(BASIC | EXTENDED)), min_size=1, max_size=400))
def test_what_is_checked_fits(text: str) -> None:
    """Or is refused, for a reason that can be read."""
    try:
        assert check(text) <= 2
        assert septets(text) <= 306
    except UnsendableError as refused:
        assert str(refused).endswith(".")


def test_what_a_text_cannot_have_is_named() -> None:
    assert "cannot have 😀 in it" in complaint("Hello 😀")
    assert "too long by about 94 letters" in complaint("a" * 400)
    assert "nothing in it" in complaint(" \n")
    assert "cannot have \0 in it" in complaint("a\0")


@pytest.mark.parametrize(
    "line", ["Your child's school", "SEND advice", "SENDIASS Leeds", "Leeds City Council", "EHCP"]
)
def test_the_first_line_tells_nobody_what_it_is_about(line: str) -> None:
    """Phones are shared. Further down it may."""
    assert "Its first line says" in complaint(f"{line}\nRing us.")
    assert check(f"What you asked us for:\n{line}") == 1


def test_what_writing_programs_put_in_is_written_plainly() -> None:
    assert plain(" “It’s 9–10…”  \r\nBye\t") == '"It\'s 9-10..."\nBye'


def test_a_text_from_a_number_says_how_to_stop_them_where_it_fits() -> None:
    """STOP works without the line, so what was asked for comes first."""
    assert finished("Hello", NUMBER, "") == "Hello\nReply STOP to end"
    long = "a" * 300
    assert finished(long, NUMBER, "") == long


def test_a_text_from_a_name_always_says_how_to_stop_them() -> None:
    """Nobody can answer it."""
    assert finished("Hello", NAME, "+441134960000") == ("Hello\nTo stop texts, ring 0113 496 0000")
    assert finished("Hello", NAME, "") == "Hello\nTo stop texts, ring us"
    with pytest.raises(UnsendableError, match="too long"):
        finished("a" * 300, NAME, "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", Word.STOP),
        (" stop. ", Word.STOP),
        ("Stop!!", Word.STOP),
        ("opt-out", Word.STOP),
        ("Stop all", Word.STOP),
        ("unsubscribe", Word.STOP),
        ("END", Word.STOP),
        ("quit", Word.STOP),
        ("Revoke", Word.STOP),
        ("cancel", Word.STOP),
        ("Stop please", Word.STOP),
        ("STOP, texting me now!", Word.STOP),
        ("Stop sending me these messages please", Word.STOP),
        ("Please stop texting me", Word.STOP),
        ("please, STOP sending me texts", Word.STOP),
        ("Unsubscribe me please", Word.STOP),
        ("Please unsubscribe me", Word.STOP),
        ("Please stop", None),  # what?
        ("Please stop it", None),
        ("Please stop him texting me", None),
        ("Please text me", None),
        ("Unsubscribe my son from school", None),
        ("Stop him hurting me", None),
        ("Stop. Help me", None),
        ("Stopping by", None),
        ("start", Word.START),
        ("UNSTOP", Word.START),
        ("help?", Word.HELP),
        ("Info", Word.HELP),
        ("Please stop by", None),
        ("Help me", None),
        ("", None),
        ("😀", None),
    ],
)
def test_words_are_known_however_they_are_written(text: str, word: Word | None) -> None:
    """Only alone, or STOP and words about texts: a sentence is a sentence."""
    assert word_of(text) is word
