"""A call by a script: what a caller can do in it, what is recorded of it, and how it reads."""

from collections.abc import AsyncIterator

import pytest

from ivr.errors import UsageError
from ivr.handset import Turn, parse, transcript
from ivr.handset.script import offered
from tests.handwritten import ONE_KEY, Helpline, handwritten, play

SPEECH_ALONE = '<Gather input="speech"/>'


@pytest.fixture
async def helpline() -> AsyncIterator[Helpline]:
    async with handwritten() as line:
        yield line


def test_tokens_are_separated_by_spaces_and_quotes_hold_words_together() -> None:
    """As they will be reported in `heard`."""
    assert parse(' 1  - 07700900123 "West  Sussex" * # @no-answer ') == (
        *("1", "-", "07700900123", '"West  Sussex"', "*", "#", "@no-answer"),
    )
    assert parse("") == ()


@pytest.mark.parametrize("token", ["help", "1a", "@gone", '"West', '"a"1', "--", "@"])
def test_a_token_that_nobody_could_do_is_wrong_use(token: str) -> None:
    """The message says what can be done."""
    with pytest.raises(UsageError, match=r"is nothing that a caller can do\. Give a key"):
        parse(f"1 {token} 2")


async def test_an_answer_fits_only_while_a_phone_rings(helpline: Helpline) -> None:
    """And only an answer fits then."""
    helpline.says('<Gather action="/ring"/>')
    helpline.says("<Dial>+441632960001</Dial>", at="/ring")
    with pytest.raises(UsageError, match="@busy does not fit: no phone is ringing"):
        await play(helpline, "@busy")
    with pytest.raises(UsageError, match="1 does not fit: a phone is ringing"):
        await play(helpline, "1 1")


async def test_a_turn_s_record_is_what_the_command_prints(helpline: Helpline) -> None:
    """The greeting first; the last says how the call ended."""
    helpline.says(
        f'<Say>Hello.</Say><Gather {ONE_KEY} action="/one" timeout="10"><Say>For a person, press 0.'
        "</Say><Pause/><Say>To go back, press star.</Say></Gather>"
    )
    helpline.says("<Say>Goodbye.</Say><Hangup/>", at="/one")
    script = await play(helpline, "1")
    assert script.records() == [
        {
            "heard": None,
            "said": ["Hello.", "For a person, press 0.", "To go back, press star."],
            "keys": ["0", "*"],
            "digits": 1,
            "wait_s": 10,
            "ended": None,
        },
        {
            "heard": "1",
            "said": ["Goodbye."],
            "keys": [],
            "digits": 0,
            "wait_s": 0,
            "ended": "hangup",
        },
    ]


async def test_tokens_left_when_the_line_closes_remain(helpline: Helpline) -> None:
    """And if they run out first, the script has ended, not the call."""
    helpline.says('<Gather action="/one"/>')
    helpline.says("<Hangup/>", at="/one")
    closed = await play(helpline, "1 2 #")
    assert (closed.turns[-1].ended, closed.remaining) == ("hangup", ("2", "#"))
    open_still = await play(helpline, "")
    assert (open_still.turns[-1].ended, open_still.remaining) == ("script", ())


@pytest.mark.parametrize(
    ("verb", "digits"),
    [
        ('<Gather numDigits="11"/>', 11),
        ("<Gather/>", None),
        ('<Gather input="speech"/>', 0),
        ("<Record/>", 0),
    ],
)
async def test_how_many_keys_the_line_takes(
    helpline: Helpline, verb: str, digits: int | None
) -> None:
    """None is no limit; 0 is no keys."""
    helpline.says(verb)
    assert (await play(helpline, "")).turns[0].digits == digits


def test_the_keys_on_offer_are_found_in_the_words() -> None:
    """In figures, in words and by name; each once, in the order spoken."""
    said = ("For a person, press 0.", "Yes, press one. No, press 2.", "Again: press hash, or the")
    more = ("press, 9. Back, press star. Press zero again. Compress 5, press 12, press ninety.",)
    assert offered(said + more) == ("0", "1", "2", "#", "9", "*")


def test_a_number_that_counts_keys_is_none() -> None:
    """The step that spells a council says "press one key for each letter", and has no key 1."""
    counts = ("Press one key for each letter.", "Press 3 digits.", "Press one or two keys.")
    others = ("Press one of these.", "Press one at a time.", "Press the one that fits.")
    assert offered(counts + others) == ()
    said = ("Press 1 or press two to go on.", "Press the 3 key.", "Press 0 at any time.")
    assert offered((*said, "Press star twice.", "press the hash button")) == (*"1230*#",)


@pytest.mark.parametrize("then", ["<Hangup/>", "<Dial>+441632960001</Dial>", SPEECH_ALONE])
async def test_where_the_line_takes_no_keys_none_is_offered(helpline: Helpline, then: str) -> None:
    """Whatever its words say."""
    helpline.says(f"<Say>To go back, press 1.</Say>{then}")
    assert (await play(helpline, "")).turns[0].keys == ()


async def test_a_transcript_can_be_read_by_anybody(helpline: Helpline) -> None:
    """Who said and pressed what, how long the line waits, and how it ended."""
    helpline.says(
        f"<Say>Hello. This is a line for families, and {'it is kind, ' * 6}calm and slow.</Say>"
        f'<Gather {ONE_KEY} action="/number" timeout="10">'
        "<Say>To be rung, press star.</Say></Gather>"
    )
    helpline.says('<Gather numDigits="11" action="/name"/>', at="/number")
    helpline.says('<Gather input="speech" action="/ring"/><Redirect>/ring</Redirect>', at="/name")
    helpline.says('<Say>Ringing.</Say><Dial action="/end">+441632960001</Dial>', at="/ring")
    helpline.says("<Gather/><Say>Goodbye.</Say>", at="/end")
    script = await play(helpline, '* 07700900123 "Leeds" @busy -')
    assert transcript(script.turns) == (
        """\
HELPLINE  Hello. This is a line for families, and it is kind, it is kind, it is kind, it
            is kind, it is kind, it is kind, calm and slow.
          To be rung, press star.
          (waits 10 seconds for a key)

CALLER    presses star

HELPLINE  (waits 5 seconds for up to 11 keys)

CALLER    types 07700900123

HELPLINE  (waits 5 seconds for words)

CALLER    says "Leeds"

HELPLINE  Ringing.
          (rings +441632960001)

CALLED    is engaged

HELPLINE  (waits 5 seconds for keys)

CALLER    waits

HELPLINE  Goodbye.
          (the line closes)
"""
    )
    cut_off = Turn(None, (), (), 1, 10, ended="script")
    assert transcript([cut_off]).endswith(
        "(waits 10 seconds for a key)\n          (the script ends here)\n"
    )
