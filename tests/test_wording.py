"""How numbers, days and menus are spoken: every digit a word, what it is before the key."""

from datetime import date, timedelta

import pytest
from books import sample
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.core import wording
from ivr.core.flow import Prompt
from ivr.core.saying import Line, Pause, Phrase, Words, silence
from ivr.core.speaking import WAYS, vocabulary
from ivr.prompts import parts_of

BOOK = sample().book


def spoken(text: str, **facts: str) -> str:
    """A prompt's words, as a person would read them."""
    return Line((wording.phrase(Prompt("test/test", text, parts_of(text)), facts),)).text


def pauses(text: str, **facts: str) -> list[float]:
    """The pauses in a prompt, in seconds."""
    pieces = wording.phrase(Prompt("test/test", text, parts_of(text)), facts).pieces
    return [piece.seconds for piece in pieces if isinstance(piece, Pause)]


# --- texts ---------------------------------------------------------------------------------------


def test_pauses_are_written_in_the_text() -> None:
    text = "To go back / press star. // Or wait."
    assert spoken(text) == "To go back, press star. Or wait."
    assert pauses(text) == [0.5, 1.0]


def test_a_number_that_is_written_in_a_prompt_has_the_pauses_of_one_known_only_in_a_call() -> None:
    """0.3 s between digits: whoever writes it down needs them, whichever number it is."""
    written = "Childline. / zero eight zero zero // one one one one."
    assert spoken(written) == "Childline. zero eight zero zero, one one one one."
    assert pauses(written)[1:] == pauses("{n:digits}", n="0800 1111")
    phrase = wording.phrase(Prompt("a/b", "", parts_of(written)), {})
    assert not Line((phrase,)).private


def test_a_count_is_no_number_to_write_down() -> None:
    assert pauses("One. / Through the school.") == [0.5]
    assert pauses("Within one month, or two.") == []


def test_a_slash_within_a_word_is_no_pause() -> None:
    assert spoken("Mother and/or father") == "Mother and/or father"
    assert pauses("Mother and/or father") == []


def test_a_text_may_begin_or_end_with_a_pause() -> None:
    assert pauses("// Did that help?") == [1.0]
    assert pauses("Wait. /") == [0.5]


def test_punctuation_after_a_fact_belongs_to_its_last_word() -> None:
    assert spoken("It ends in {n:last-three}.", n="07700900123") == "It ends in one two three."
    assert spoken("By {t:time}, on {d:day}?", t="12:00", d="2026-11-24") == (
        "By twelve noon, on Tuesday the twenty-fourth of November?"
    )


def test_a_fact_that_nobody_knows_is_left_out_and_nothing_breaks() -> None:
    for way in WAYS:
        assert spoken(f"It is {{x:{way}}}.") == "It is"
        assert spoken(f"It is {{x:{way}}}.", x="") == "It is"


@settings(derandomize=True, deadline=None)
@given(way=st.sampled_from(sorted(WAYS)), value=st.text(max_size=20))
def test_a_fact_that_does_not_fit_its_way_is_spoken_as_it_stands(way: str, value: str) -> None:
    assert isinstance(spoken(f"It is {{x:{way}}}.", x=value), str)
    assert spoken("{x:day}", x="soon") == "soon"
    assert spoken("{x:time}", x="at noon") == "at noon"
    assert spoken("{x:time}", x="17:07") == "17:07"


def test_what_is_known_only_in_this_call_is_marked_private() -> None:
    facts = {"digits": "12", "name": "Leeds", "day": "2026-11-24", "time": "17:00"}
    for way, value in facts.items():
        phrase = wording.phrase(Prompt("a/b", "", parts_of(f"It is {{x:{way}}}.")), {"x": value})
        assert Line((phrase,)).private
        fixed = [piece for piece in phrase.pieces if isinstance(piece, Words) and not piece.private]
        assert fixed == [Words("It is")]


# --- numbers -------------------------------------------------------------------------------------


def test_every_digit_of_a_number_is_a_word_in_its_printed_groups() -> None:
    text = "{n:digits}."
    assert spoken(text, n="0113 378 5020") == (
        "zero one one three, three seven eight, five zero two zero."
    )
    assert pauses(text, n="0113 378") == [0.3, 0.3, 0.3, 1.0, 0.3, 0.3]


def test_zero_is_never_oh_and_nothing_is_doubled() -> None:
    assert spoken("{n:digits}", n="0800 11 11") == "zero eight zero zero, one one, one one"


def test_a_reference_is_spoken_in_groups_of_three() -> None:
    assert spoken("{n:threes}", n="482195") == "four eight two, one nine five"


def test_the_callers_own_number_is_only_known_by_its_last_three_digits() -> None:
    assert spoken("{n:last-three}", n="+44 7700 900 123") == "one two three"


@pytest.mark.parametrize(("number", "word"), [("1", "One"), ("4", "Four"), ("12", "Twelve")])
def test_a_count_is_a_word(number: str, word: str) -> None:
    assert spoken("{n:number} choices.", n=number) == f"{word} choices."


@pytest.mark.parametrize(("key", "word"), [("*", "star"), ("#", "hash"), ("0", "0"), ("7", "7")])
def test_star_and_hash_are_called_so(key: str, word: str) -> None:
    assert spoken("press {k:key}.", k=key) == f"press {word}."


# --- days and times ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("09:00", "nine in the morning"),
        ("09:15", "quarter past nine in the morning"),
        ("12:05", "five past twelve in the afternoon"),
        ("16:20", "twenty past four in the afternoon"),
        ("16:35", "twenty-five to five in the afternoon"),
        ("17:50", "ten to six in the afternoon"),
        ("21:00", "nine in the evening"),
        ("09:30", "half past nine in the morning"),
        ("11:45", "quarter to twelve in the morning"),
        ("12:00", "twelve noon"),
        ("12:30", "half past twelve in the afternoon"),
        ("12:45", "quarter to one in the afternoon"),
        ("16:45", "quarter to five in the afternoon"),
        ("17:00", "five in the afternoon"),
        ("18:00", "six in the evening"),
        ("19:30", "half past seven in the evening"),
    ],
)
def test_a_time_is_said_as_people_say_it(time: str, words: str) -> None:
    assert spoken("{t:time}", t=time) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-11-24", "Tuesday the twenty-fourth of November"),
        ("2027-01-01", "Friday the first of January"),
        ("2028-02-29", "Tuesday the twenty-ninth of February"),
        ("2026-12-31", "Thursday the thirty-first of December"),
    ],
)
def test_a_day_is_said_with_its_weekday(day: str, words: str) -> None:
    assert spoken("{d:day}", d=day) == words


def test_every_word_of_a_number_day_or_time_is_known_beforehand() -> None:
    """So that its clip has been made before anybody rings."""
    known = set(vocabulary())
    days = [(date(2026, 1, 1) + timedelta(days)).isoformat() for days in range(366)]
    times = [f"{hour:02}:{minute:02}" for hour in range(6, 23) for minute in range(0, 60, 5)]
    values = {"day": days, "time": times, "digits": ["0123456789"], "last-three": ["012"]}
    for way, spoken_so in values.items():
        for value in spoken_so:
            words = {piece.text for piece in WAYS[way](value) if isinstance(piece, Words)}
            assert words <= known


# --- menus ---------------------------------------------------------------------------------------


def menu(*labels: str, person: bool = True) -> list[Line]:
    choices = [
        wording.choice(BOOK, Phrase((Words(label),)), str(number))
        for number, label in enumerate(labels, start=1)
    ]
    zero = wording.labelled(BOOK, BOOK.frame.person, "0") if person else None
    return list(wording.menu(BOOK, ("hello/hello",), choices, ("shared/go-back",), {}, zero))


def test_a_menu_says_a_person_first_then_how_many_then_each_choice_with_its_key_last() -> None:
    assert [line.text for line in menu("The rules", "Your branch")] == [
        "Hello. This is the library.",
        "For a person, press 0.",
        "Two choices.",
        "The rules, press 1.",
        "Your branch, press 2.",
        "To go back, press star.",
    ]


def test_a_single_choice_is_not_counted() -> None:
    assert "One choices." not in [line.text for line in menu("The rules")]


def test_the_persons_own_menu_does_not_offer_a_person() -> None:
    assert "For a person, press 0." not in [line.text for line in menu("Yes", person=False)]


def test_there_is_half_a_second_before_a_key_and_a_second_after_it() -> None:
    """Accessibility rule R7."""
    *_, line, _ = menu("The rules")
    assert [piece for piece in line.pieces if isinstance(piece, Pause)] == [Pause(0.5), Pause(1.0)]
    assert isinstance(line.pieces[-1], Pause)


def test_punctuation_changes_nothing_in_how_words_sound() -> None:
    """One clip serves all of them."""
    (plain,) = wording.phrase(Prompt("a/b", "", parts_of("{n:digits}")), {"n": "3"}).pieces
    (asked,) = wording.phrase(Prompt("a/b", "", parts_of("{n:digits}?")), {"n": "3"}).pieces
    assert isinstance(plain, Words)
    assert isinstance(asked, Words)
    assert (plain.text, plain.private) == (asked.text, asked.private)


def test_a_pause_in_a_line_reads_as_a_comma_and_a_short_one_as_nothing() -> None:
    pieces = (Words("One"), Pause(0.3), Words("two"), Pause(1), Words("three."), Pause(1))
    assert Line((Phrase((*pieces, Words("Four"))),)).text == "One two, three. Four"
    assert silence(2).text == ""
    assert not silence(2).private
