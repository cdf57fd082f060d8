"""What parents hear: the whole guide, in words that can be followed by ear, and nothing unsafe.

The calls are really made: every key at every place, with every outcome of every service. See
``books.Walk``.
"""

import re
from collections import deque
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import product

import pytest
from books import ROOT, Caller, prompts, real, walk

from ivr.callbacks.states import OUTCOMES, State
from ivr.core import wording
from ivr.core.call import HangUp
from ivr.core.check.dictated import numbers
from ivr.core.check.ears import plain
from ivr.core.check.numbers import EVERYBODYS
from ivr.core.engine import MAX_CANDIDATES
from ivr.core.flow import Choose, Enter, Gap, Menu, Place, Read, Slot, Speak
from ivr.core.graph import anyhow
from ivr.core.saying import Line, Phrase, Words, seconds
from ivr.core.speaking import vocabulary
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.places import load_whereabouts

LOADED = real()
BOOK = LOADED.book
DATA = ROOT / "flows" / "data"
NOW = date(2026, 11, 23)

# Every sentence of the guide "SEN Support" that must be heard. Headings (H) and reading times (M)
# are not sentences of their own.
GUIDE = (
    "T1",
    *(f"S{number:02}" for number in range(1, 43)),
    *(f"Q{number}" for number in range(1, 5)),
    *(f"N{number}" for number in range(1, 5)),
    *("B1", "B2", "P1", "G1a", "G1b", "G2a", "G2b", "G3a", "G3b", "D1"),
)

# Said when something of ours is broken that no key press can break.
NEVER_BY_KEYS = {"main/our-fault", "shared/sorry-lost", "shared/sorry-stuck"}

TEXTED = set(BOOK.texted())


@cache
def spoken() -> frozenset[str]:
    """The ids of all prompts that are really spoken in some call."""
    phrases = (phrase for line in walk().lines() for phrase in line.phrases)
    return frozenset(phrase.prompt for phrase in phrases if phrase.prompt)


MENUS = {place: step for place, step in BOOK.steps.items() if isinstance(step, Menu)}
READS = {place: step for place, step in BOOK.steps.items() if isinstance(step, Read)}


# --- everything is heard -------------------------------------------------------------------------


@pytest.mark.parametrize("sentence", GUIDE)
def test_this_sentence_of_the_guide_is_heard_by_keypad(sentence: str) -> None:
    covering = {prompt.id for prompt in BOOK.prompts.values() if sentence in prompt.covers}
    assert covering & spoken()


def test_no_prompt_covers_a_sentence_that_the_guide_does_not_have() -> None:
    covered = {sentence for prompt in BOOK.prompts.values() for sentence in prompt.covers}
    assert covered == set(GUIDE)


def test_every_prompt_is_heard_in_some_call() -> None:
    assert set(BOOK.prompts) - spoken() - TEXTED == NEVER_BY_KEYS


def test_every_step_is_come_to_in_some_call() -> None:
    come_to = {place for _, said in walk().turns for place in said.visited}
    assert set(BOOK.steps) - come_to == {"main/trouble"}  # every step has its own answer to failure


def test_the_four_questions_are_answered_and_not_only_asked() -> None:
    for question in ("Q1", "Q2", "Q3", "Q4"):
        answers = {prompt.id for prompt in BOOK.prompts.values() if question in prompt.covers}
        assert answers & {part for step in READS.values() for part in step.parts}


def test_a_call_back_that_was_missed_is_tried_again_as_the_caller_was_told() -> None:
    assert "If you miss our call, we will try again." in BOOK.prompts["callback/reference"].text
    for missed in ("no answer", "engaged", "left message"):
        assert OUTCOMES[missed].leads is State.DUE_AGAIN


def test_after_every_answer_the_caller_is_asked_whether_it_helped() -> None:
    """But for the safety numbers: there, no "did that help?", only ways on."""
    for place in READS:
        if place.startswith("safety/") or place == "council/which-council":
            continue
        assert {"after/helped", "after/contact-helped"} & _ahead(place), place


def _ahead(place: Place) -> set[Place]:
    """Where an answer leads, through other answers and the offer of a number."""
    seen, waiting = set[Place](), deque([place])
    while waiting:
        here = waiting.popleft()
        step = BOOK.steps[here]
        if here not in seen and (here == place or isinstance(step, Read) or "offer" in here):
            seen.add(here)
            waiting.extend(anyhow(BOOK, step))
        seen.add(here)
    return seen


def test_every_fact_is_known_before_it_is_spoken_whatever_way_a_call_went() -> None:
    for position, said in walk().turns:
        passed = [BOOK.steps[place] for place in said.visited]
        forgotten = {fact for step in passed if isinstance(step, Speak) for fact in step.sets}
        for prompt in prompts(said):
            for part in BOOK.prompts[prompt].parts:
                if isinstance(part, Slot) and part.name not in ("key", "count", *forgotten):
                    assert position.facts.get(part.name), f"{prompt} speaks of {part.name}"


def test_whatever_a_call_says_has_its_clip_made_beforehand() -> None:
    made = {line for line in wording.every_line(BOOK) if not line.private}
    fragments = set(vocabulary())
    for line in walk().lines():
        if line.text and not line.private:
            assert line in made, line.text
        for way, piece in _private(line):
            assert way == "name" or piece.text in fragments, piece.text


def _private(line: Line) -> Iterator[tuple[str, Words]]:
    """The words of a line that are known only in the call, and how they are spoken."""
    for phrase in line.phrases:
        ways = {part.way for part in _slots(phrase.prompt)} or {"name"}
        for piece in phrase.pieces:
            if isinstance(piece, Words) and piece.private:
                yield "name" if "name" in ways else "other", piece


def _slots(prompt: str) -> list[Slot]:
    return [part for part in BOOK.prompts[prompt].parts if isinstance(part, Slot)] if prompt else []


# --- only safe numbers ---------------------------------------------------------------------------


def test_every_number_that_is_vouched_for_is_given_somewhere() -> None:
    """That no other is given is told by ``ivr check``."""
    given = {number for name in spoken() for number in numbers(BOOK.prompts[name].text)}
    assert given == BOOK.numbers | EVERYBODYS - {"18001"}


def test_a_short_form_gives_only_numbers_that_its_answer_gives() -> None:
    """But for the emergency number."""
    for step in READS.values():
        if step.text:
            said = {number for part in step.parts for number in numbers(BOOK.prompts[part].text)}
            text = BOOK.prompts[step.text].text
            assert set(numbers(text)) <= {"999", *said}, step.text


def test_a_number_to_write_down_is_said_twice_and_after_time_to_find_a_pen() -> None:
    for place, step in READS.items():
        for part in step.parts:
            found = list(numbers(BOOK.prompts[part].text))
            long = [number for number in found if len(number) > 7]
            if long:
                assert len(long) == 2, part
                assert len(set(long)) == 1, part
                assert step.parts[0] == "shared/find-a-pen", place
                assert step.wait == 20, place


def test_the_numbers_for_danger_are_within_two_keys_of_hello() -> None:
    near = {"main/menu", *anyhow(BOOK, BOOK.steps["main/menu"])}
    assert "999" in list(numbers(BOOK.prompts["main/menu-closing"].text))
    assert any("safety/start" in anyhow(BOOK, BOOK.steps[place]) for place in near)
    for place in BOOK.person_menus:
        assert "safety/start" in anyhow(BOOK, BOOK.steps[place])


# --- words for the ear ---------------------------------------------------------------------------


def test_every_prompt_has_a_source_and_is_due_for_review_in_time() -> None:
    for prompt in BOOK.prompts.values():
        assert prompt.source, prompt.id
        assert date.fromisoformat(prompt.review_by) >= NOW, prompt.id


# --- menus for the memory ------------------------------------------------------------------------


def test_names_to_choose_from_are_heard_in_twenty_seconds_whatever_was_spelled() -> None:
    """Menus and pages alike, for any three letters."""
    directory = Directory(load_councils(DATA), load_whereabouts(DATA).places)
    zero = wording.zero(BOOK, BOOK.steps["council/which"])
    more = wording.labelled(BOOK, BOOK.frame.more, "4")
    for three in product("23456789", repeat=3):
        found = directory.spelling.matches("".join(three))[:MAX_CANDIDATES]
        size = len(found) if len(found) <= 4 else 3
        for start in range(0, len(found), size or 1):
            names = [one.words for one in found[start : start + size]]
            choices = [wording.choice(BOOK, Phrase((Words(name),)), "1") for name in names]
            choices += [more] if size < len(found) else []
            lines = list(wording.menu(BOOK, (), choices, (), {}, zero))
            assert seconds(lines) - wording.AFTER_A_CHOICE.seconds <= 20, names


def test_the_opening_takes_at_most_twenty_five_seconds_to_its_last_key() -> None:
    lines = list(Caller(BOOK).said.lines)
    closing = len(MENUS["main/menu"].closing)
    assert seconds(lines[:-closing]) - wording.AFTER_A_CHOICE.seconds <= 25
    assert seconds(lines[:2]) <= 10  # and 0 has been named long before


def test_labels_have_four_words_on_average() -> None:
    labels = [plain(BOOK.prompts[label]).split() for label in set(BOOK.labels())]
    assert sum(map(len, labels)) / len(labels) <= 4
    assert max(map(len, labels)) <= 7


def test_a_label_has_no_full_stop_and_names_no_key() -> None:
    for label in {*BOOK.labels(), BOOK.frame.person, BOOK.frame.more}:
        assert not re.search(r"[.!/]$|\bpress\b", BOOK.prompts[label].text), label


def test_every_menu_and_every_list_of_names_begins_with_a_person() -> None:
    for position, said in walk().turns:
        step = BOOK.steps[position.at]
        again = isinstance(step, Menu | Choose) and position.at in said.visited
        if again and position.at not in BOOK.person_menus and not isinstance(said.then, HangUp):
            found = [phrase for line in said.lines for phrase in line.phrases]
            assert any(phrase.prompt == BOOK.frame.person for phrase in found)


def test_typing_is_never_the_only_way() -> None:
    """Where letters or numbers are too hard, silence leads to keys that can be pressed singly."""
    for step in BOOK.steps.values():
        if isinstance(step, Enter):
            assert isinstance(BOOK.steps[step.otherwise], Menu)


def test_a_pause_is_never_longer_than_a_second_where_nobody_asked_for_one() -> None:
    for prompt in BOOK.prompts.values():
        for one, next_ in zip(prompt.parts, prompt.parts[1:], strict=False):
            assert not (isinstance(one, Gap) and isinstance(next_, Gap)), prompt.id
