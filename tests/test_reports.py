"""Reports: the figures are those of the story, on both databases, and everybody can read them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.callbacks.counting import Counting
from ivr.callbacks.desk import Desk
from ivr.callbacks.erasing import Eraser
from ivr.callbacks.figures import OTHERS, Counted, Share, Waits, by_flow, joined
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.spans import LONGEST, NoSuchSpanError, Span, last_days, last_months
from ivr.callbacks.wishes import Kind, Wish
from ivr.database import Database
from ivr.hours import LONDON, load_hours
from tests.databases import ROOT
from tests.helplines import KEY, SetClock

KEYS = Keys((KEY.encode(),), b"a key for hashes, in tests")
HOURS = load_hours(ROOT / "flows" / "data" / "hours.yaml")
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (23, 24, 25))
STORY = Span(MONDAY, WEDNESDAY)
LEEDS = "E08000035"


def at(day: date, clock: str) -> datetime:
    """A moment by London's clock."""
    return datetime.combine(day, datetime.strptime(clock, "%H:%M").time(), LONDON)


def wish(number: int, asked: datetime, promise: datetime, topic: str = "school/rights") -> Wish:
    return Wish(
        kind=Kind.SAVE,
        effect=KEYS.effect_hash(f"{number} {asked}"),
        reference=f"{number:06d}",
        number=f"+44770090{number:04d}",
        at=asked,
        slot="any",
        due_at=promise,
        topic=topic,
        council=LEEDS,
    )


class Helpers:
    """The people of the story, who ring when it says so."""

    def __init__(self, database: Database) -> None:
        self.clock = SetClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.ledger = Ledger(database, KEYS)
        self.desk = Desk(database, KEYS, lambda: HOURS, self.clock)

    async def asked(self, *wishes: Wish) -> None:
        for one in wishes:
            await self.ledger.enter(one)

    async def rang(self, number: int, when: datetime, outcome: str) -> None:
        self.clock.at = when
        claim = await self.desk.claim(number, "alice")
        assert claim is not None
        await self.desk.finish(claim, outcome, "a note")


async def story(database: Database) -> Helpers:
    """Six people ask; five of them are done with by Wednesday."""
    helpers = Helpers(database)
    first = wish(1, at(MONDAY, "09:00"), at(TUESDAY, "17:00"))
    third = wish(3, at(MONDAY, "11:00"), at(TUESDAY, "12:00"), "plans/late")
    fourth = wish(4, at(TUESDAY, "09:00"), at(WEDNESDAY, "17:00"), "plans/draft")
    await helpers.asked(
        first,
        wish(2, at(MONDAY, "10:00"), at(MONDAY, "17:00")),
        third,
        fourth,
        wish(5, at(TUESDAY, "10:00"), at(TUESDAY, "12:00"), ""),
        wish(6, at(TUESDAY, "09:30"), at(TUESDAY, "17:00")),
        replace(fourth, effect="again", at=at(TUESDAY, "10:00")),
        replace(third, kind=Kind.CANCEL, effect="off", at=at(MONDAY, "12:00"), request=3),
    )
    await helpers.rang(2, at(TUESDAY, "09:00"), "spoke")  # 16 hours after the promise
    await helpers.rang(1, at(TUESDAY, "10:00"), "no answer")
    await helpers.rang(6, at(TUESDAY, "10:30"), "other")  # which is no attempt
    await helpers.rang(5, at(TUESDAY, "11:00"), "spoke")
    await helpers.rang(1, at(TUESDAY, "13:00"), "spoke")
    await helpers.rang(6, at(WEDNESDAY, "09:30"), "wrong number")
    return helpers


# --- counting ----------------------------------------------------------------------------------


async def test_the_figures_are_those_of_the_story(database: Database) -> None:
    """A promise is kept when we first tried by when we had said, whatever came later. Who called
    it off before that was promised nothing more."""
    await story(database)
    told = await Counting(database).report(STORY)
    assert dict(told.days) == {
        MONDAY: Counted(asked=3, ended=1),
        TUESDAY: Counted(
            asked=3,
            ended=3,
            spoke=3,
            kept=2,
            late=1,
            first_tried=Waits(3, 23.0, 25.0),
            spoken_with=Waits(3, 23.0, 28.0),
        ),
        WEDNESDAY: Counted(ended=1, late=1, first_tried=Waits(1, 24.0, 24.0)),
    }
    assert told.whole == Counted(
        asked=6,
        ended=5,
        spoke=3,
        kept=2,
        late=2,
        first_tried=Waits(4, 23.0, 25.0),
        spoken_with=Waits(3, 23.0, 28.0),
    )
    assert (told.still_open, told.asked_again, told.repeats) == (1, 1, 1)
    assert told.attempts == {0: 1, 1: 3, 2: 1}
    assert {name: count for name, count in told.outcomes.items() if count} == {
        "spoke": 3,
        "no answer": 1,
        "wrong number": 1,
        "other": 1,
        "cancelled": 1,
    }
    assert told.topics == [Share("school", 3, 2), Share(OTHERS, 3, 1)]
    assert told.councils == [Share(LEEDS, 6, 3)]


async def test_what_is_erased_still_counts(database: Database) -> None:
    helpers = await story(database)
    before = await Counting(database).report(STORY)
    helpers.clock.at += timedelta(days=100)
    assert await Eraser(database, helpers.clock, months=1).erase() == 5
    assert await Counting(database).report(STORY) == before


async def test_what_was_ended_by_mistake_counts_when_it_ended_for_good(database: Database) -> None:
    """And against the promise that the caller had heard, not the time that it was reopened for."""
    helpers = Helpers(database)
    await helpers.asked(wish(1, at(MONDAY, "09:00"), at(MONDAY, "12:00")))
    await helpers.rang(1, at(MONDAY, "13:00"), "spoke")
    helpers.clock.at = at(TUESDAY, "09:00")
    await helpers.desk.reopen(1, "alice")
    await helpers.rang(1, at(WEDNESDAY, "09:00"), "spoke")
    told = await Counting(database).report(STORY)
    assert told.days[MONDAY] == Counted(asked=1, first_tried=Waits(1, 4.0, 4.0))
    assert told.days[WEDNESDAY] == Counted(
        ended=1, spoke=1, late=1, spoken_with=Waits(1, 48.0, 48.0)
    )


async def test_days_are_londons_also_when_the_clocks_change(database: Database) -> None:
    """25 October 2026 has 25 hours, and 28 March 2027 has 23."""
    helpers = Helpers(database)
    long, short = date(2026, 10, 25), date(2027, 3, 28)
    a_second, a_day = timedelta(seconds=1), timedelta(days=1)
    edges = [
        moment
        for day in (long, short)
        for span in (Span(day, day),)
        for moment in (span.begin - a_second, span.begin, span.end - a_second, span.end)
    ]
    assert edges[2] - edges[1] == timedelta(hours=25) - a_second
    assert edges[6] - edges[5] == timedelta(hours=23) - a_second
    await helpers.asked(*(wish(n, when, when) for n, when in enumerate(edges, start=1)))
    for day in (long, short):
        told = await Counting(database).report(Span(day - a_day, day + a_day))
        assert [one.asked for one in told.days.values()] == [1, 2, 1]
        assert (await Counting(database).report(Span(day, day))).whole.asked == 2


async def test_days_without_anything_are_zeros(database: Database) -> None:
    told = await Counting(database).report(STORY)
    assert list(told.days.values()) == [Counted()] * 3
    assert (told.whole, told.topics, told.councils) == (Counted(), [], [])


# --- spans and shares --------------------------------------------------------------------------


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))
def test_the_last_three_months_are_at_most_92_days_and_end_today(now: datetime) -> None:
    span = last_months(now, 3)
    assert 89 <= len(span) <= LONGEST
    assert span.begin < now < span.end
    assert len(span.days) == len(span)
    assert (span.days[0], span.days[-1]) == (span.first, span.last)
    assert len(last_days(now, 7)) == 7


@pytest.mark.parametrize("count", [0, -1, LONGEST + 1, 10**9])
def test_a_span_is_one_to_92_days(count: int) -> None:
    with pytest.raises(NoSuchSpanError, match="1 to 92 days"):
        last_days(at(MONDAY, "09:00"), count)


@given(
    st.dictionaries(st.text("abc", max_size=3), st.integers(0, 9)),
    st.sampled_from([None, 2, 10]),
)
def test_nothing_small_is_named_and_nothing_is_lost(counts: dict[str, int], most: int) -> None:
    shares = [Share(key, asked, asked // 2) for key, asked in counts.items()]
    found = joined(shares, most)
    assert sum(one.asked for one in found) == sum(counts.values())
    assert sum(one.spoke for one in found) == sum(one.spoke for one in shares)
    named = [one for one in found if one.key != OTHERS]
    assert all(one.asked >= 3 for one in named)
    assert most is None or len(named) <= most
    assert found[len(named) :] == [one for one in found if one.key == OTHERS]


def test_topics_are_put_together_by_their_flow() -> None:
    places = [Share("school/a", 1, 1), Share("plans/b", 2, 0), Share("school/c", 3, 1)]
    assert by_flow(places) == [Share("school", 4, 2), Share("plans", 2, 0)]
