"""How long a text message is, and what it may hold."""

import pytest

from ivr.gsm import UnsendableError, segments, septets, unsendable


def test_a_character_takes_a_septet_and_one_of_the_extension_two() -> None:
    """£ and é are plain ones; the euro and square brackets are not."""
    assert septets("£6 café") == 7
    assert septets("[€]") == 6


def test_the_whole_alphabet_is_128_characters_and_10_more() -> None:
    """127 of the table and its escape, as GSM 03.38 has them."""
    every = {chr(number) for number in range(0x3000)}
    outside = set(unsendable("".join(sorted(every))))
    assert len(every - outside) == 127 + 10


def test_what_cannot_be_sent_is_named_once_in_order() -> None:
    """Curly apostrophes, long dashes and backticks are the usual ones."""
    assert unsendable("It’s – really – `here’s") == "’–`"
    with pytest.raises(UnsendableError, match="’"):
        septets("It’s")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1)],
)
def test_a_segment_holds_160_septets_alone_and_153_among_others(text: str, expected: int) -> None:
    """The room that is lost says which part it is."""
    assert segments(text) == expected


def test_an_escape_is_not_cut_off_from_its_septet() -> None:
    """So 153 euros take three segments, though 306 septets would go into two."""
    assert septets("€" * 153) == 306
    assert segments("€" * 153) == 3
