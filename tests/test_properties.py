"""Whatever a caller does, and whatever our services do: the call goes on, and can end well.

On the real book, from anywhere that a call can come to.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from books import (
    FOUND,
    OWN,
    SID,
    entries,
    outcomes,
    prompts,
    real,
    sealer,
    take,
    text,
    unwatched,
    usual,
    walk,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.core.call import (
    Answered,
    Ask,
    Candidate,
    Dial,
    Dialled,
    HangUp,
    Heard,
    Keys,
    Listen,
    Lost,
    Position,
    Resumed,
    Said,
    Silence,
    Spoken,
    Started,
)
from ivr.core.flow import DIAL_OUTCOMES, Enter, Goodbye, Place
from ivr.core.walk import MAX_STEPS_IN_ONE_TURN, MAX_TRAIL
from ivr.sealing import LONGEST

BOOK = real().book
SILENCES_TO_THE_END = 13  # two with words, ten quiet waits, and the goodbye
Call = tuple[Position, Said]

steady = settings(
    derandomize=True,
    deadline=None,
    max_examples=250,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def everywhere() -> tuple[Position, ...]:
    """Where calls can stand between two turns, patient and impatient, slow and fast."""
    return tuple(position for position, said in walk().stops if isinstance(said.then, Listen))


anything = st.one_of(
    st.sampled_from([Keys(key) for key in "0123456789*#"]),
    st.text("0123456789*#", max_size=14).map(Keys),
    st.sampled_from([Keys(entry) for entry in ("07700900123", "533", "07700900123#")]),
    st.text(max_size=5).map(Keys),
    st.text(max_size=20).map(Spoken),
    st.sampled_from([Spoken("Leeds"), Spoken("0"), Spoken("person"), Spoken("goodbye")]),
    st.just(Silence()),
    st.just(Resumed()),
    st.just(Lost({"caller_number": OWN})),
    st.just(Started({})),
    st.sampled_from([*DIAL_OUTCOMES, "", "nonsense"]).map(Dialled),
)
odd_answers = st.one_of(
    st.text(max_size=10).map(Answered),
    st.just(Answered("found", {"council": "", "nobody": "knows"})),
    st.sampled_from(["found", "several", "planned", "saved", "usable", "vouched"]).map(Answered),
    st.lists(st.sampled_from(FOUND), max_size=30).map(
        lambda found: Answered("several", candidates=tuple(found))
    ),
    st.just(Answered("several", candidates=(Candidate("", ""),))),
)


def resealed(position: Position) -> Position:
    """The position as the next turn finds it, perhaps in another process."""
    sealed = sealer().seal_position(SID, position)
    assert len(sealed) <= LONGEST
    found = sealer().unseal_position(SID, sealed)
    assert found == replace(position, hops=0)
    return found


def check_turn(before: Position, heard: Heard, call: Call) -> None:
    """What must be true of every turn."""
    position, said = call
    assert position.turn == before.turn + (0 if isinstance(heard, Resumed) else 1)
    assert isinstance(said.then, Listen | Dial | HangUp)
    assert text(said).strip()
    assert 0 <= said.held <= len(said.lines)
    assert len(said.visited) <= 2 * MAX_STEPS_IN_ONE_TURN
    assert len(position.trail) <= MAX_TRAIL
    if isinstance(said.then, Listen):
        assert 1 <= said.then.digits <= 11
        assert 2 <= said.then.wait <= 40
    if isinstance(said.then, HangUp):
        silent = heard in (Silence(), Keys("")) or isinstance(heard, Spoken)
        at_the_end = silent and position.silences >= SILENCES_TO_THE_END
        assert at_the_end or isinstance(BOOK.steps[position.at], Goodbye)


@steady
@given(
    position=st.integers(0, 10**6),
    events=st.lists(anything, max_size=12),
    data=st.data(),
)
def test_whatever_is_heard_the_call_goes_on_and_can_still_end_well(
    position: int, events: list[Heard], data: st.DataObject
) -> None:
    def answer(ask: Ask) -> Answered:
        declared = st.sampled_from(outcomes(BOOK, ask.service))
        return data.draw(st.one_of(declared, declared, odd_answers), label=ask.service)

    with unwatched():
        now = resealed(everywhere()[position % len(everywhere())])
        for heard in events:
            before = now
            now, said = take(BOOK, before, heard, answer)
            check_turn(before, heard, (now, said))
            now = resealed(now)
        assert ways_on(now) == {"saved", "goodbye"}


@steady
@given(st.lists(st.sampled_from("0123456789*#-"), min_size=20, max_size=60))
def test_a_long_call_of_single_keys_never_gets_stuck(presses: list[str]) -> None:
    with unwatched():
        start = Position(journey="j" * 16)
        now, _ = take(BOOK, start, Started({"caller_number": OWN}), usual(BOOK))
        for press in presses:
            heard: Heard = Silence() if press == "-" else Keys(press)
            before = now
            now, said = take(BOOK, before, heard, usual(BOOK))
            check_turn(before, heard, (now, said))
            now = resealed(now)


# --- a call-back can be asked for, and the call ended, from everywhere ---------------------------


_found: dict[object, set[str]] = {}


def ways_on(position: Position) -> set[str]:
    """What keys can still bring about from here: a call-back ``saved``, a ``goodbye``."""
    state = _state(position)
    if state not in _found:
        _found[state] = _search(position)
    return _found[state]


def _state(position: Position) -> object:
    known = frozenset(name for name, value in position.facts.items() if value)
    return (position.at, position.part, position.stack, known, len(position.candidates))


def _search(position: Position) -> set[str]:
    found: set[str] = set()
    seen, waiting = {_state(position)}, deque([position])
    while waiting and found != {"saved", "goodbye"}:
        now = waiting.popleft()
        for keys in _presses(now):
            then, said = take(BOOK, now, Keys(keys), usual(BOOK))
            if "callback/saved" in said.visited:
                found.add("saved")
            if isinstance(said.then, HangUp):
                found.add("goodbye")
            elif _state(then) in _found:
                found |= _found[_state(then)]
            elif _state(then) not in seen:
                seen.add(_state(then))
                waiting.append(then)
    return found


def _presses(position: Position) -> tuple[str, ...]:
    if isinstance(BOOK.steps[position.at], Enter):
        return entries(BOOK, position.at)[:1]
    return ("0", "1", "2", "3", "4")


@pytest.mark.parametrize("place", sorted({position.at for position in everywhere()}))
def test_a_call_back_and_a_goodbye_can_be_reached_by_keys_from(place: Place) -> None:
    position = next(position for position in everywhere() if position.at == place)
    with unwatched():
        assert ways_on(position) == {"saved", "goodbye"}


# --- silence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", sorted({position.at for position in everywhere()}))
def test_a_caller_who_only_keeps_silent_is_never_harmed(place: Place) -> None:
    """Nothing is saved, nobody is rung, no menu is read twice, and it ends with a kind goodbye."""
    now = next(position for position in everywhere() if position.at == place)
    assert not now.silences
    waits: list[int] = []
    places: list[Place] = []
    for _ in range(60):
        asked: list[Ask] = []

        def answer(ask: Ask, asked: list[Ask] = asked) -> Answered:
            asked.append(ask)
            return usual(BOOK)(ask)

        now, said = take(BOOK, now, Silence(), answer)
        assert not [ask for ask in asked if BOOK.services[ask.service].effect]
        places.extend(said.visited)
        if isinstance(said.then, HangUp):
            break
        assert isinstance(said.then, Listen)
        waits.append(said.then.wait)
    assert said.then == HangUp()
    goodbyes = {
        "shared/silence-goodbye",
        "callback/unsaved-goodbye",
        "callback/saved-goodbye",
        "text/unsent-goodbye",
    }
    assert goodbyes & set(prompts(said))
    assert min(waits[1 - SILENCES_TO_THE_END :]) >= 20
    assert len(waits) >= SILENCES_TO_THE_END - 1
    assert len(places) == len(set(places))


# --- ringing our team ----------------------------------------------------------------------------


def test_only_a_key_rings_somebody_and_only_in_the_menu_that_says_so() -> None:
    """Not silence, star, hash, 9 or a fault of ours, from anywhere that a call can come to."""
    rings = {(place, heard) for place, heard in walk().rings if not isinstance(heard, Dialled)}
    with unwatched():
        for position in _each_mood():
            for heard in (Silence(), Resumed(), *map(Keys, "0123456789*#")):
                if isinstance(take(BOOK, position, heard, usual(BOOK))[1].then, Dial):
                    rings.add((position.at, heard))
    assert rings == {
        ("person/team-here", Keys("0")),
        ("council/open-now", Keys("2")),
        ("council/another-way", Keys("1")),
    }


def _each_mood() -> Iterator[Position]:
    """At each place, one call of each patience and pace; the walk pressed the rest's keys."""
    seen = set()
    for now in everywhere():
        mood = (now.at, now.part, now.silences, now.wrong_keys, now.slow)
        if mood not in seen:
            seen.add(mood)
            yield now


def ringing() -> list[Position]:
    """The positions at which somebody of ours is rung."""
    return [
        position
        for position, said in walk().turns
        if isinstance(said.then, Dial) and said.then.ring
    ]


def test_ringing_goes_on_to_the_next_person_and_ends_as_the_service_says() -> None:
    """Whatever became of the phone that rang. A talk is one only if somebody took the call."""
    answers = {ask: Answered("nobody") for ask in ("ring-next",)}
    answers["was-taken"] = Answered("not-taken")
    for position in ringing():
        for outcome in DIAL_OUTCOMES:
            now, said = take(BOOK, position, Dialled(outcome), usual(BOOK))
            assert isinstance(said.then, Dial) is (outcome != "completed")
            assert (now.at == "person/talked") is (outcome == "completed")
            now, said = take(
                BOOK,
                position,
                Dialled(outcome),
                lambda ask: answers.get(ask.service) or usual(BOOK)(ask),
            )
            assert now.at == "person/nobody-answered"
            assert isinstance(said.then, Listen)


def test_nobody_is_rung_again_when_it_is_not_known_how_a_ring_ended() -> None:
    """Silence, a fault of ours, or a key there: whatever was written down of it, a menu follows."""
    for position in ringing():
        for heard in (Silence(), Resumed(), Keys("1"), Keys("9"), Keys("#")):
            now, said = take(BOOK, position, heard, usual(BOOK))
            assert now.at in ("person/talked", "person/nobody-answered", "person/perhaps-talked")
            assert isinstance(said.then, Listen)


def test_0_again_is_the_first_choice_of_the_menu_that_0_led_to() -> None:
    """It rings the team, or begins the call-back; it never says the same menu again."""
    there = {now.at: now for now in everywhere() if now.facts.get("caller_number")}
    told = {
        place: take(BOOK, there[place], Keys("0"), usual(BOOK))[0].at for place in BOOK.person_menus
    }
    assert told == {
        "person/team-here": "person/ring",
        "person/team-away": "number/own",
        "person/cannot-reach": "number/own",
    }
