"""How a call goes: the same keys everywhere, silence that never hurts, and effects that stay.

Every turn starts from a sealed position: see ``books.Caller``.
"""

from dataclasses import replace

import pytest
from books import FACTS, FOUND, OWN, Caller, prompts, sample, text

from ivr.core.call import (
    Answered,
    Dial,
    Dialled,
    HangUp,
    Keys,
    Listen,
    Lost,
    Position,
    Resumed,
    Silence,
    Stop,
)
from ivr.core.engine import MAX_CANDIDATES
from ivr.core.flow import FAILED, Book, Menu, Read, Return, Speak, Step, Way
from ivr.core.walk import MAX_STEPS_IN_ONE_TURN, MAX_SUB_FLOWS, MAX_TRAIL

BOOK = sample().book
TO_SPELL, TO_CARD, TO_RULES = "2", "3", "1"
SEVERAL = {"find-branch": Answered("several", candidates=FOUND[:3])}


def call(*presses: str, number: str = "", **answers: Answered) -> Caller:
    """A call to the library in which these were pressed."""
    known = {name.replace("_", "-"): answer for name, answer in answers.items()}
    caller = Caller(BOOK, number, known)
    caller.press(*presses)
    return caller


def with_steps(*steps: Step) -> Book:
    """The library's book, with some steps more or other than it has."""
    return replace(BOOK, steps={**BOOK.steps, **{step.place: step for step in steps}})


def changed(book: Book) -> Book:
    """The same book, as if it had been edited meanwhile."""
    return replace(book, digest="edited")


# --- what is heard -------------------------------------------------------------------------------


def test_a_call_begins_with_hello_and_a_menu_that_speaks_itself() -> None:
    caller = call()
    assert text(caller.said) == (
        "Hello. This is the library. For a person, press 0. Three choices. The rules, press 1."
        " Your branch, press 2. Keep a book, press 3. Take your time."
    )
    assert caller.then == Listen(1, 10)
    assert caller.said.visited == ("hello/opening", "hello/menu")


def test_words_that_may_not_be_interrupted_are_held_and_only_those() -> None:
    assert call().said.held == 1  # the hello, not the menu
    assert call("1").said.held == 0


def test_a_choice_with_a_condition_is_spoken_and_accepted_or_neither() -> None:
    assert "For members" not in text(call().said)
    assert "does nothing" in call().press("4")
    member = call(number=OWN)
    assert "Four choices" in text(member.said)
    assert "ten books" in member.press("4")


def test_an_answer_is_read_in_parts_and_silence_carries_on() -> None:
    caller = call()
    assert caller.press("1") == "Books are free."
    assert caller.then == Listen(1, 2)
    assert caller.press("-") == "You may keep them for three weeks."
    assert caller.press("-").startswith("Please bring them back. Anything else?")
    assert caller.at == "hello/after"


def test_a_key_carries_on_with_an_answer_without_waiting() -> None:
    assert call(TO_RULES).press("1") == "You may keep them for three weeks."


def test_hash_after_an_answer_repeats_the_answer_and_not_the_menu() -> None:
    assert call(TO_RULES, "-", "-").press("#") == "Books are free."
    assert call("4", number=OWN).press("#").startswith("Members may borrow ten books.")


def test_half_a_second_passes_after_a_key_before_anything_is_spoken() -> None:
    """The phone has to come back to the ear (accessibility rule R25)."""
    assert call("1").said.lines[0].text == ""
    assert call("1", "-").said.lines[0].text != ""


def test_a_step_may_wait_longer_than_others() -> None:
    assert call(TO_RULES, "-", "-").wait == 15
    assert call(TO_SPELL).wait == 20


# --- silence -------------------------------------------------------------------------------------


def test_silence_goes_from_patience_to_a_person_to_quiet_to_a_kind_goodbye() -> None:
    caller = call()
    heard = [(caller.press("-"), caller.wait) for _ in range(12)]
    assert heard == [
        ("Take your time.", 20),
        ("For a person, press 0.", 20),
        *[("I am still here.", 20)] * 10,
    ]
    assert caller.press("-") == "I cannot hear any keys. Goodbye."
    assert caller.then == HangUp()


def test_silence_never_reads_a_menu_again_and_never_does_anything() -> None:
    caller = call(TO_CARD, "123456", "1")
    assert caller.at == "keeping/confirm"
    caller.press("-")
    assert (text(caller.said), caller.wait) == ("Nothing is kept yet.", 25)
    heard = {caller.press("-") for _ in range(11)}
    assert heard == {"For a person, press 0.", "I am still here."}
    assert caller.press("-") == "Nothing is kept. Goodbye."
    assert caller.then == HangUp()
    assert not caller.effects


@pytest.mark.parametrize("key", ["#", "9", "7"])
def test_any_key_ends_a_silence(key: str) -> None:
    caller = call(*["-"] * 12, key)
    assert caller.position.silences == 0
    assert caller.press("-") == "Take your time."


def test_a_silence_may_lead_elsewhere_where_the_flow_says_so() -> None:
    caller = call(TO_SPELL, "627")
    caller.hear(Dialled("busy"))
    assert (caller.at, caller.press("-"), caller.press("-")) == (
        "branch/engaged",
        "Take your time.",
        "For a person, press 0.",
    )
    assert "We can keep a book" in caller.press("-")
    assert caller.at == "person/start"
    caller.press("*")
    assert caller.at == "branch/engaged"


def test_an_empty_key_is_silence() -> None:
    assert call().hear(Keys("")) == "Take your time."


# --- wrong keys ----------------------------------------------------------------------------------


def test_a_wrong_key_is_told_then_helped_and_costs_nothing() -> None:
    caller = call()
    assert caller.press("7").startswith("That key does nothing here. For a person, press 0.")
    for _ in range(20):
        assert caller.press("8") == "To hear that again, press hash."
        assert caller.wait == 10


def test_wrong_keys_and_silences_are_counted_apart() -> None:
    caller = call("7", "-")
    assert text(caller.said) == "Take your time."
    assert caller.press("8") == "To hear that again, press hash."
    assert caller.press("-") == "Take your time."
    assert (caller.position.wrong_keys, caller.position.silences) == (2, 1)


def test_a_right_answer_begins_the_count_anew() -> None:
    assert call("7", "1", "*", "7").position.wrong_keys == 1


def test_what_a_wrong_key_does_may_be_said_for_a_whole_file() -> None:
    caller = call(TO_SPELL, "*")
    assert caller.at == "branch/spell-help"
    assert caller.press("5").startswith("That key does nothing here.")
    caller.press("5")
    assert caller.at == "person/start"


def test_a_wrong_key_in_an_answer_reads_that_part_again() -> None:
    heard = call(TO_RULES, "-").press("5")
    assert heard == "That key does nothing here. You may keep them for three weeks."


# --- the same keys everywhere --------------------------------------------------------------------

ONE_KEY_STEPS = {
    "hello/menu": (),
    "hello/rules": (TO_RULES,),
    "hello/after": (TO_RULES, "-", "-"),
    "branch/spell-help": (TO_SPELL, "-"),
    "card/help": (TO_CARD, "-"),
    "keeping/shelf": (TO_CARD, "123456"),
    "keeping/confirm": (TO_CARD, "123456", "1"),
    "keeping/kept": (TO_CARD, "123456", "1", "1"),
}


@pytest.mark.parametrize(("place", "presses"), ONE_KEY_STEPS.items())
def test_0_leads_to_a_person_from_every_one_key_step(place: str, presses: tuple[str, ...]) -> None:
    caller = call(*presses)
    assert caller.at == place
    assert "We can keep a book for you." in caller.press("0")
    assert caller.at == "person/start"


def test_0_leads_to_a_person_while_names_are_offered() -> None:
    caller = Caller(BOOK, answers=SEVERAL)
    caller.press(TO_SPELL, "667")
    assert caller.at == "branch/which"
    assert "We can keep a book for you." in caller.press("0")


def test_0_once_more_is_the_first_choice_of_the_persons_own_menu() -> None:
    caller = call("0")
    assert "press 0" not in text(caller.said)
    caller.press("0")
    assert caller.at == "card/type"


@pytest.mark.parametrize(("place", "presses"), ONE_KEY_STEPS.items())
def test_hash_says_a_step_again(place: str, presses: tuple[str, ...]) -> None:
    caller = call(*presses)
    place = {"hello/after": "hello/rules"}.get(place, place)  # after an answer: the answer
    again = caller.press("#")
    assert caller.at == place
    assert again == caller.press("#")


def test_9_doubles_the_waits_for_the_rest_of_the_call() -> None:
    caller = call()
    assert caller.press("9").startswith("Slower now. For a person")
    assert (caller.wait, caller.said.slow) == (20, True)
    assert caller.press("9").startswith("Slower now.")  # said again, and no slower
    assert caller.wait == 20
    caller.press("-")
    assert caller.wait == 40
    caller.press(TO_SPELL)
    assert (caller.wait, caller.said.slow) == (40, True)
    caller.press("*", "2")
    assert (caller.at, caller.said.slow) == ("hello/menu", True)


def test_only_the_first_of_several_keys_counts_in_a_one_key_step() -> None:
    assert call().press("1#0") == "Books are free."


# --- star: one step back -------------------------------------------------------------------------


def test_star_goes_back_one_step_at_a_time_into_and_out_of_a_sub_flow() -> None:
    caller = call(TO_CARD, "12", "1", "123456", "2")
    went = [caller.at]
    for _ in range(4):
        caller.press("*")
        went.append(caller.at)
    assert went == [
        "keeping/confirm",
        "keeping/shelf",
        "card/type",  # in the sub-flow again: an entry, where star leads to its help
        "card/help",  # and from there before the entry
        "hello/menu",
    ]


def test_a_sub_flow_that_star_came_back_into_still_returns_to_its_caller() -> None:
    caller = call(TO_CARD, "123456", "*", "654321")
    assert caller.at == "keeping/shelf"
    assert (caller.position.facts["card"], caller.position.stack) == ("654321", ())


def test_star_in_a_sub_flow_goes_back_out_of_it() -> None:
    caller = call(TO_CARD, "123456", "1", "2")  # another card: the known one is offered
    assert caller.at == "card/same"
    assert caller.position.stack == ("keeping/start",)
    caller.press("*")
    assert (caller.at, caller.position.stack) == ("keeping/confirm", ())


def test_star_goes_back_from_an_answer_to_the_menu_it_was_chosen_from() -> None:
    assert call(TO_RULES, "-", "*").at == "hello/menu"
    assert call(TO_RULES, "-", "-", "*").at == "hello/menu"


def test_star_after_a_person_goes_back_to_where_0_was_pressed() -> None:
    assert call(TO_SPELL, "-", "0", "*").at == "branch/spell-help"
    assert call(TO_RULES, "-", "0", "*").at == "hello/menu"  # answers are chosen anew
    caller = call(TO_CARD, "-", "0")
    assert (caller.at, caller.position.stack) == ("person/start", ())
    caller.press("*")
    assert (caller.at, caller.position.stack) == ("card/help", ("keeping/start",))


def test_star_at_the_beginning_says_hello_again() -> None:
    assert call().press("*").startswith("Hello.")


def test_going_round_in_circles_makes_no_longer_way_back() -> None:
    caller = call(*[TO_RULES, "-", "-", "1"] * 10)
    assert (caller.at, caller.position.trail) == ("hello/menu", ())


def test_the_way_back_has_an_end() -> None:
    caller = call()
    trail = tuple(Stop(f"far/{number}") for number in range(MAX_TRAIL))
    caller.position = replace(caller.position, trail=trail)
    caller.press("2")
    assert caller.position.trail == (*trail[1:], Stop("hello/menu"))


def test_sub_flows_in_sub_flows_have_an_end() -> None:
    caller = call()
    under_way = tuple(f"far/{number}" for number in range(MAX_SUB_FLOWS))
    caller.position = replace(caller.position, stack=under_way)
    caller.press(TO_CARD)
    assert caller.position.stack == (*under_way[1:], "keeping/start")


# --- entries -------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["*", "-", "12", "0123456", "12*", "12345*", "٣٣٣٣٣٣", "*0"])
def test_an_entry_that_cannot_be_used_leads_to_one_key_help(entry: str) -> None:
    caller = call(TO_CARD, entry)
    assert (caller.at, caller.then) == ("card/help", Listen(1, 10))
    assert "For a person, press 0." in text(caller.said)
    assert "card" not in caller.position.facts


@pytest.mark.parametrize(
    ("entry", "card"),
    [
        ("123456", "123456"),
        ("12345", "12345"),
        ("12345#", "12345"),
        ("123456#", "123456"),
        ("123456789", "123456"),
        ("123456*0#", "123456"),
        ("102030", "102030"),
    ],
)
def test_digits_beyond_the_length_are_lost_and_a_hash_at_the_end_is_ignored(
    entry: str, card: str
) -> None:
    assert call(TO_CARD, entry).position.facts["card"] == card


def test_only_the_digits_of_a_telephone_are_digits() -> None:
    """Whatever an editor writes as the pattern of a valid entry."""
    caller = call(TO_CARD)
    caller.book = with_steps(replace(BOOK.steps["card/type"], valid=r"\d+"))
    caller.press("٣٣٣")
    assert caller.at == "card/help"


def test_an_entry_is_asked_for_as_data_with_time_to_type() -> None:
    assert call(TO_CARD).then == Listen(6, 20, entry=True)
    assert call(TO_SPELL).then == Listen(3, 20, entry=True)


@pytest.mark.parametrize("entry", ["0", "50", "560", "0##"])
def test_letters_with_a_0_in_them_lead_to_a_person(entry: str) -> None:
    caller = call(TO_SPELL, entry)
    assert caller.at == "person/start"
    caller.press("*")
    assert caller.at == "branch/spell"


def test_a_person_asked_for_while_spelling_in_a_sub_flow_is_out_of_it() -> None:
    caller = call(TO_SPELL)
    caller.position = replace(caller.position, stack=("keeping/start",))
    caller.press("0")
    assert caller.position.stack == ()
    caller.press("*")
    assert (caller.at, caller.position.stack) == ("branch/spell", ("keeping/start",))


@pytest.mark.parametrize("entry", ["*", "-", "1", "51", "#", "*0"])
def test_letters_that_are_none_lead_to_one_key_help(entry: str) -> None:
    assert call(TO_SPELL, entry).at == "branch/spell-help"


@pytest.mark.parametrize("entry", ["*", "-", "1"])
def test_star_does_not_go_to_and_fro_between_an_entry_and_its_help(entry: str) -> None:
    caller = call(TO_SPELL, entry)
    assert caller.at == "branch/spell-help"
    caller.press("*")
    assert caller.at == "hello/menu"


# --- services ------------------------------------------------------------------------------------


def test_a_service_is_asked_with_the_facts_it_needs_and_no_others() -> None:
    (ask,) = call(TO_CARD, "123456", number=OWN).asked
    assert ask.facts == {"card": "123456", "caller_number": OWN}
    (ask,) = call(TO_CARD, "123456").asked
    assert ask.facts == {"card": "123456", "caller_number": ""}


def test_the_topic_is_the_answer_that_was_read_last() -> None:
    caller = call(TO_RULES, "-", "-", "1", TO_CARD, "123456", "1", "1")
    assert caller.asked[-1].facts == {"card": "123456", "shelf": "children", "topic": "hello/rules"}


@pytest.mark.parametrize(
    ("outcome", "place"),
    [
        ("staffed", "branch/ring"),
        ("unstaffed", "hello/menu"),
        ("failed", "hello/menu"),
        ("nonsense", "hello/menu"),  # what the book does not know of is a failure
    ],
)
def test_a_call_goes_on_by_the_outcome_of_a_service(outcome: str, place: str) -> None:
    facts = FACTS if outcome == "staffed" else {}
    caller = call(TO_SPELL, "627", branch_desk=Answered(outcome, facts))
    assert caller.at == place


def test_a_failed_service_leads_to_trouble_where_its_step_knows_nothing_better() -> None:
    caller = call(TO_SPELL, "627", find_branch=Answered(FAILED))
    assert caller.at == "hello/trouble"
    assert "The fault is ours, not yours." in text(caller.said)
    assert call(TO_SPELL, "627", find_branch=Answered("odd")).at == "hello/trouble"


def test_an_effect_is_asked_for_under_its_own_turn_and_step() -> None:
    caller = call(TO_CARD, "123456", "1", "1")
    (effect,) = caller.effects
    assert (effect.step, effect.turn) == ("keeping/keep", caller.position.turn)


def test_star_does_not_lead_back_before_an_effect() -> None:
    caller = call(TO_CARD, "123456", "1", "1")
    assert text(caller.said).startswith("It is kept for you. Your ticket is one seven.")
    assert caller.position.trail == ()
    caller.press("*")
    assert caller.at == "hello/menu"
    assert len(caller.effects) == 1


def test_hash_after_an_effect_only_says_it_again() -> None:
    caller = call(TO_CARD, "123456", "1", "1")
    assert caller.press("#").startswith("It is kept for you. Your ticket is one seven.")
    assert len(caller.effects) == 1


def test_after_an_effect_that_failed_star_leads_back_and_it_can_be_tried_again() -> None:
    caller = call(TO_CARD, "123456", "1", "1", keep_book=Answered(FAILED))
    assert caller.at == "hello/trouble"
    del caller.answers["keep-book"]
    caller.press("*", "1")
    assert caller.at == "keeping/kept"
    first, second = caller.effects
    assert first.turn < second.turn


def test_an_answer_that_nobody_asked_for_changes_nothing() -> None:
    caller = call()
    caller.hear(Answered("kept", {"ticket": "99"}))
    assert caller.at == "hello/menu"
    assert caller.position.facts == {}


# --- choosing among what was found ---------------------------------------------------------------


def which(found: int) -> Caller:
    several = Answered("several", candidates=FOUND[:found])
    return call(TO_SPELL, "667", find_branch=several)


def test_up_to_four_names_are_offered_at_once() -> None:
    caller = which(4)
    assert text(caller.said).endswith(
        "Is it one of these? For a person, press 0. Four choices."
        f" {FOUND[0].words}, press 1. {FOUND[1].words}, press 2."
        f" {FOUND[2].words}, press 3. {FOUND[3].words}, press 4. To go back, press star."
    )
    caller.press("4")
    assert caller.position.facts["branch"] == FOUND[3].value


def test_more_names_than_four_are_offered_three_at_a_time() -> None:
    caller = which(8)
    assert f"{FOUND[2].words}, press 3. More names, press 4." in text(caller.said)
    second = caller.press("4")
    assert f"{FOUND[3].words}, press 1." in second
    assert second == caller.press("#")
    third = caller.press("4")
    assert FOUND[7].words in third
    assert "More names" not in third
    assert "does nothing here" in caller.press("4")  # nor is a 4 accepted
    caller.press("2")
    assert caller.position.facts["branch"] == FOUND[7].value


@pytest.mark.parametrize("found", [5, 6, 7, 9, 12])
def test_more_names_are_offered_only_while_there_are_more(found: int) -> None:
    caller = which(found)
    heard = [text(caller.said)]
    while "More names" in heard[-1]:
        heard.append(caller.press("4"))
    assert len(heard) == -(-found // 3)
    assert all(candidate.words in " ".join(heard) for candidate in FOUND[:found])
    assert FOUND[found - 1].words in heard[-1]


def test_nine_and_wrong_keys_stay_on_the_same_page_of_names() -> None:
    caller = which(8)
    caller.press("4")
    assert FOUND[3].words in caller.press("9")
    assert FOUND[3].words in caller.press("8")


def test_a_key_beside_the_names_is_a_wrong_key() -> None:
    assert "does nothing here" in which(2).press("3")
    assert "does nothing here" in which(2).press("²")


def test_a_service_that_finds_hundreds_does_not_make_the_call_heavier() -> None:
    assert len(which(12).position.candidates) == MAX_CANDIDATES
    caller = call(TO_SPELL, "667", find_branch=Answered("several", candidates=FOUND * 50))
    assert len(caller.position.candidates) == MAX_CANDIDATES


# --- putting through -----------------------------------------------------------------------------


def test_a_caller_is_put_through_to_the_number_that_a_service_gave() -> None:
    caller = call(TO_SPELL, "627")
    assert text(caller.said) == "We put you through to North Street."
    assert caller.then == Dial(FACTS["desk_number"])


@pytest.mark.parametrize(
    ("outcome", "place"),
    [
        ("completed", "hello/goodbye"),
        ("busy", "branch/engaged"),
        ("no-answer", "branch/engaged"),
        ("failed", "hello/trouble"),
        ("what", "hello/trouble"),
    ],
)
def test_a_call_goes_on_by_how_the_connection_ended(outcome: str, place: str) -> None:
    caller = call(TO_SPELL, "627")
    caller.hear(Dialled(outcome))
    assert caller.at == place


def test_the_end_of_a_connection_that_is_not_under_way_says_the_step_again() -> None:
    caller = call()
    assert "Three choices" in caller.hear(Dialled("busy"))


def test_silence_never_rings_anybody() -> None:
    caller = call(TO_SPELL, "627")
    caller.hear(Silence())
    assert caller.at == "hello/trouble"


def test_star_after_a_connection_does_not_ring_again() -> None:
    caller = call(TO_SPELL, "627")
    caller.hear(Dialled("busy"))
    caller.press("*")
    assert caller.at == "branch/spell"


def test_a_number_that_nobody_knows_is_a_connection_that_failed() -> None:
    staffed = Answered("staffed", {"branch_name": "North Street"})
    assert call(TO_SPELL, "627", branch_desk=staffed).at == "hello/trouble"


# --- whatever happens, the call goes on ----------------------------------------------------------


def test_the_turn_never_goes_back() -> None:
    caller, turns = call(), [1]
    for keys in ("2", "*", "*", "-", "9", "#", "0", "*", "8", "1"):
        caller.press(keys)
        turns.append(caller.position.turn)
    assert turns == list(range(1, 12))


def test_a_call_that_comes_back_after_a_fault_of_ours_hears_its_step_again() -> None:
    caller = call(TO_RULES, "-")
    assert caller.hear(Resumed()) == "You may keep them for three weeks."
    caller = call("-", "7")
    silences, wrong_keys = caller.position.silences, caller.position.wrong_keys
    caller.hear(Resumed())
    assert (caller.position.silences, caller.position.wrong_keys) == (silences, wrong_keys)


def test_a_call_that_lost_its_place_starts_again_with_an_apology_and_a_later_turn() -> None:
    caller = call(TO_CARD, "123456")
    caller.position = Position(turn=1_000_007, journey="k")
    heard = caller.hear(Lost({"caller_number": OWN, "ticket": "1"}))
    assert heard.startswith("Sorry. I lost my place. Hello.")
    assert caller.position.turn == 1_000_008
    assert caller.position.facts == {"caller_number": OWN}  # no fact that the book does not give


def test_when_the_book_changed_meanwhile_the_step_of_that_name_is_said_again() -> None:
    """The key may mean something else now, so it is not taken."""
    caller = call()
    caller.book = changed(BOOK)
    assert "Three choices" in caller.press("1")
    assert (caller.at, caller.position.book) == ("hello/menu", "edited")
    assert caller.press("1") == "Books are free."


@pytest.mark.parametrize("keys", ["-", "1", "0"])
def test_when_the_step_is_gone_the_main_menu_is_heard_with_an_apology(keys: str) -> None:
    caller = call(TO_RULES)
    steps = {place: step for place, step in BOOK.steps.items() if place != "hello/rules"}
    caller.book = changed(replace(BOOK, steps=steps))
    caller.position = replace(caller.position, trail=(Stop("hello/after"),), stack=("card/x",))
    assert caller.press(keys).startswith("Sorry. I lost my place. Hello.")
    assert (caller.at, caller.position.trail, caller.position.stack) == ("hello/menu", (), ())


@pytest.mark.parametrize("keys", ["-", "1"])
@pytest.mark.parametrize("place", ["keeping/keep", "branch/ring"])
def test_a_step_that_now_does_something_is_not_done_unasked(place: str, keys: str) -> None:
    """What was a menu when the caller heard it may save something in the changed book."""
    caller = call()
    caller.position = replace(caller.position, at=place, book="older")
    assert caller.press(keys).startswith("Sorry. I lost my place. Hello.")
    assert not caller.effects


def test_answers_that_led_to_steps_gone_since_are_passed_over_by_star() -> None:
    caller = call(TO_SPELL, "-")
    trail = (Stop("hello/menu"), Stop("gone/away"))
    caller.position = replace(caller.position, trail=trail)
    caller.press("*")
    assert caller.at == "hello/menu"


def test_a_return_from_nowhere_is_a_lost_place() -> None:
    caller = call()
    caller.position = replace(caller.position, at="card/help")
    assert caller.press("2").startswith("Sorry. I lost my place. Hello.")
    caller = call(TO_CARD, "-")
    caller.book = replace(
        BOOK, steps={**BOOK.steps, "card/stopped": Return("card/stopped", outcome="odd")}
    )
    assert "I lost my place" in caller.press("2")


def test_a_turn_that_goes_round_for_ever_is_ended_by_a_cap_on_steps() -> None:
    """The checks find such loops; should one slip through, the caller still hears a menu."""
    round_ = Speak("hello/round", say=("hello/hello",), then=(Way("hello/round"),), interrupt=False)
    caller = call()
    caller.book = with_steps(
        round_,
        replace(BOOK.steps["hello/opening"], interrupt=True),
        Read("hello/rules", parts=("hello/rules-1",), then=(Way("hello/round"),)),
    )
    heard = caller.press("1")
    assert heard.startswith("Sorry. Something went wrong. Hello.")
    assert caller.at == "hello/menu"
    assert len(caller.said.visited) < MAX_STEPS_IN_ONE_TURN + 5
    assert caller.said.held == 0  # what was held is not said any more


def test_where_no_condition_holds_the_call_starts_again() -> None:
    menu = BOOK.steps["hello/menu"]
    assert isinstance(menu, Menu)
    nowhere = replace(menu.options[0], then=())
    caller = call()
    caller.book = with_steps(replace(menu, options=(nowhere,)))
    assert caller.press("1").startswith("Sorry. I lost my place.")


def test_without_any_handler_a_step_is_simply_said_again() -> None:
    """The checks ask for handlers; the engine does without."""
    caller = call()
    caller.book = with_steps(replace(BOOK.steps["hello/menu"], silence={}, wrong_key={}))
    assert "Three choices" in caller.press("-")
    assert "Three choices" in caller.press("7")


def test_a_goodbye_that_is_asked_for_twice_is_said_twice() -> None:
    caller = call(TO_RULES, "-", "-", "2")
    assert (text(caller.said), caller.then) == ("Thank you. Goodbye.", HangUp())
    for late in (Resumed(), Silence(), Keys("#")):
        assert caller.hear(late) == "Thank you. Goodbye."
        assert caller.then == HangUp()


def test_every_word_comes_from_a_prompt_of_the_book() -> None:
    assert set(prompts(call().said)) <= set(BOOK.prompts)
