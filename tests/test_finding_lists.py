"""Lists of names: a caller who hears one to its end has heard all that their letters lead to."""

from itertools import product
from pathlib import Path

import pytest

from ivr.conversation import Call
from ivr.core.call import Answered, Ask
from ivr.directory.finding import FindCouncil, NarrowCouncil
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.places import load_whereabouts
from ivr.directory.spelling import MOST

DATA = Path(__file__).parent.parent / "flows" / "data"
DIRECTORY = Directory(load_councils(DATA), load_whereabouts(DATA).places)
THREE = ["".join(keys) for keys in product("23456789", repeat=3)]
CROWDED = [letters for letters in THREE if len(DIRECTORY.spelling.matches(letters)) > MOST]
CALL = Call("CA" + "0" * 32)


async def narrowed(letters: str, more: str) -> Answered:
    facts = {"letters": letters, "more_letters": more}
    return await NarrowCouncil(lambda: DIRECTORY)(Ask("x", facts, "council/narrow", 4), CALL)


@pytest.mark.parametrize("letters", CROWDED)
async def test_no_list_leaves_a_name_out_whatever_is_spelled_after_three_letters(
    letters: str,
) -> None:
    """Where more names fit than a caller is to hear, the next letters are asked for (again)."""
    for more in THREE:
        answer = await narrowed(letters, more)
        if answer.outcome == "several":
            _, fits = DIRECTORY.spelling.nearest(letters + more)
            assert [one.value for one in answer.candidates] == [one.area for one in fits]


async def test_wrong_letters_after_three_of_many_names_lead_back_to_those_three() -> None:
    """The letters that follow are asked for once more, and the names can be heard instead."""
    crowded = max(CROWDED, key=lambda letters: len(DIRECTORY.spelling.matches(letters)))
    wrong = next(more for more in THREE if not DIRECTORY.spelling.matches(crowded + more[0]))
    answer = await narrowed(crowded, wrong)
    assert (answer.outcome, answer.facts) == ("more", {"letters": crowded})
    first = await FindCouncil(lambda: DIRECTORY)(
        Ask("x", {"letters": crowded}, "council/look-up", 3), CALL
    )
    assert answer.candidates == first.candidates
