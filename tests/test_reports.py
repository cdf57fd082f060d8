"""Reports: the figures are those of the story, on both databases, and everybody can read them."""

import csv
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from commands import Command
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import insert

from ivr.callbacks.counting import Counting
from ivr.callbacks.desk import Desk as Ringing
from ivr.callbacks.erasing import Eraser
from ivr.callbacks.figures import OTHERS, Counted, Share, Waits, by_flow, joined
from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.spans import LONGEST, NoSuchSpanError, Span, last_days, last_months
from ivr.callbacks.tables import CallBackEvent, CallBackRequest
from ivr.callbacks.wishes import Kind, Wish
from ivr.database import Database
from ivr.hours import LONDON, load_hours
from ivr.people.register import Register
from ivr.staff import plots
from tests.browsers import CHROMIUM, Desk, chromium, in_each
from tests.databases import ROOT
from tests.helplines import KEY, Helpline, SetClock, done, helpline, rows
from tests.test_pages import WINDOWS

PASSWORD = "correct horse battery staple"
SVG = "{http://www.w3.org/2000/svg}"
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
        self.desk = Ringing(database, KEYS, lambda: HOURS, self.clock)

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


# --- plots -------------------------------------------------------------------------------------

heights = st.one_of(st.floats(0, 1e7), st.integers(0, 10**7).map(float))


@given(heights, st.booleans())
def test_ticks_cover_what_is_drawn_and_are_few_and_round(highest: float, whole: bool) -> None:
    found = plots.ticks(highest, whole)
    step = found[1]
    assert found[0] == 0
    assert found[-2] < highest <= found[-1] or found == [0, step]
    assert 2 <= len(found) <= 5
    assert found == pytest.approx([number * step for number in range(len(found))])
    assert f"{step:e}"[0] in "125"
    assert float(f"{step:.0e}") == step
    assert not whole or all(tick == int(tick) for tick in found)
    assert [float(plots.written(tick).replace(",", "")) for tick in found] == found


def boxes(svg: ElementTree.Element) -> list[list[tuple[float, ...]]]:
    """Of each path of bars, each bar's left, top, width and height."""
    box = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+z")
    return [
        [tuple(map(float, each)) for each in box.findall(path.attrib["d"])]
        for path in svg.iter(f"{SVG}path")
        if path.attrib["class"] == "bars"
    ]


def drawn_by_day(svg: ElementTree.Element, days: int) -> list[dict[int, float]]:
    """Of each panel with bars: the day's number and the value that its height stands for."""
    written = [(one.text or "").replace(",", "") for one in svg.iter(f"{SVG}text")]
    top = max(float(text) for text in written if text.replace(".", "").isdigit())
    slot = plots.FIELD / days
    return [
        {int((x - plots.LEFT) / slot): high / plots.PANEL * top for x, _, _, high in panel}
        for panel in boxes(svg)
    ]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=LONGEST))
def test_bars_are_as_high_as_their_numbers_and_within_the_drawing(values: list[int]) -> None:
    days = [MONDAY + timedelta(days=each) for each in range(len(values))]
    words = plots.Words("plot", "Numbers & days", "So <many>.")
    svg = ElementTree.fromstring(plots.by_day(words, days, [plots.Panel("Asked", values)]))
    assert svg.findtext(f"{SVG}desc") == "So <many>."
    *_, height = map(float, svg.attrib["viewBox"].split())
    for panel in boxes(svg):
        for x, y, wide, high in panel:
            assert plots.LEFT <= x < x + wide <= plots.WIDTH
            assert 0 <= y < y + high <= height
    wanted = {number: value for number, value in enumerate(values) if value}
    for panel in drawn_by_day(svg, len(days)) or [{}]:
        assert panel == pytest.approx(wanted, abs=0.1)


def test_a_day_without_a_wait_interrupts_the_line() -> None:
    """Nobody was rung on Tuesday: nothing is drawn there, and nothing across it."""
    days = [MONDAY, TUESDAY, WEDNESDAY]
    panel = plots.Panel("Waits", [1.5, None, 2.5], is_line=True)
    drawn = plots.by_day(plots.Words("w", "Waits", "Told."), days, [panel], whole=False)
    assert len(re.findall(r"M[\d.]+ [\d.]+h0", drawn)) == 2
    assert not re.search(r'class="line" d="[^"]*L', drawn)


# --- the page ----------------------------------------------------------------------------------

NOON = at(WEDNESDAY, "12:00")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Helpline]:
    """A helpline on the Wednesday of the story, with two people who may sign in."""
    with helpline(tmp_path, SetClock(NOON)) as made:
        done(with_database(tmp_path, people))
        yield made


async def people(database: Database) -> None:
    register = Register(database, SetClock(NOON))
    for name, role in (("sue", "supervisor"), ("ada", "adviser")):
        await register.add(name, role, by="test", password=PASSWORD)


async def with_database(var: Path, do: Callable[[Database], Awaitable[Any]]) -> Any:
    """Do something in the helpline's own database."""
    database = Database(f"sqlite+aiosqlite:///{var / 'helpline.db'}")
    try:
        return await do(database)
    finally:
        await database.close()


@contextmanager
def signed_in(line: Helpline, name: str) -> Iterator[httpx.Client]:
    """A browser in which this person is signed in."""
    with httpx.Client(base_url=f"http://127.0.0.1:{line.port}/staff") as browser:
        token = re.search(r'name="form_token" value="([^"]+)"', browser.get("/sign-in").text)
        assert token
        form = {"name": name, "password": PASSWORD, "form_token": token[1]}
        assert browser.post("/sign-in", data=form).status_code == 303
        yield browser


def part(page: str, tag: str, mark: str) -> ElementTree.Element:
    """The element of the page that begins so; fails unless it is well-formed XML."""
    found = re.search(rf"<{tag} [^>]*{mark}.*?</{tag}>", page, re.DOTALL)
    assert found, mark
    return ElementTree.fromstring(found[0])


def cells(table: ElementTree.Element) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_the_plots_show_the_numbers_of_the_tables(line: Helpline, tmp_path: Path) -> None:
    done(with_database(tmp_path, story))
    with signed_in(line, "sue") as browser:
        page = browser.get("/reports?span=7").text
    rows = cells(part(page, "table", 'id="by-day"'))
    assert rows[0] == ["Day", "Asked", "Spoken with", "Ended", "In time", "Late"]
    assert rows[-3:] == [
        ["Mon 23 Nov", "3", "0", "1", "0", "0"],
        ["Tue 24 Nov", "3", "3", "3", "2", "1"],
        ["Wed 25 Nov", "0", "0", "1", "0", "1"],
    ]
    asked, spoken = drawn_by_day(part(page, "svg", "by-day-title"), 7)
    for drawn, column in ((asked, 1), (spoken, 2)):
        told = {number: int(row[column]) for number, row in enumerate(rows[1:])}
        assert drawn == pytest.approx({day: count for day, count in told.items() if count})
    waits = cells(part(page, "table", 'id="waits"'))
    assert waits[-2] == ["Tue 24 Nov", "3", "23.0", "25.0", "3", "23.0", "28.0"]
    assert waits[-1] == ["Wed 25 Nov", "1", "24.0", "24.0", "0", "–", "–"]
    outcomes = cells(part(page, "table", 'id="outcomes"'))[1:]
    svg = part(page, "svg", "outcomes-title")
    names = [one.text for one in svg.iter(f"{SVG}text") if one.get("class") == "name"]
    assert names == [f"{name}: {count}" for name, count in outcomes if count != "0"]
    assert "half: at most 23.0; 9 of 10: at most 25.0" in page
    assert "2 of those that ended; late: 2" in page


def test_nobody_is_known_by_a_topic_or_a_council(line: Helpline, tmp_path: Path) -> None:
    """The three who asked about other things are told together."""
    done(with_database(tmp_path, story))
    with signed_in(line, "sue") as browser:
        page = browser.get("/reports").text
    assert "<td>3</td><td>2</td>" in page
    assert "Others (fewer than 3 requests each)</th><td>3</td><td>1</td>" in page
    assert "Leeds</th><td>6</td><td>3</td>" in page
    assert "No topic" not in page


def test_the_days_come_as_a_spreadsheet_and_that_is_recorded(
    line: Helpline, tmp_path: Path
) -> None:
    done(with_database(tmp_path, story))
    with signed_in(line, "sue") as browser:
        answer = browser.get("/reports.csv?from=2026-11-23&to=2026-11-25")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, *days = csv.reader(answer.text.splitlines())
    assert len(head) == 11
    assert days[1] == ["2026-11-24", *"3 3 3 2 1 3".split(), "23.0", "25.0", "23.0", "28.0"]
    assert [day[0] for day in days] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    deeds = [(one["who"], one["what"], one["about"]) for one in rows(tmp_path, "staff_event")]
    assert deeds[-1] == ("sue", "exported", "report of 2026-11-23 to 2026-11-25")


@pytest.mark.parametrize("path", ["/reports", "/reports.csv"])
def test_reports_are_for_supervisors(line: Helpline, path: str) -> None:
    with signed_in(line, "ada") as browser:
        assert browser.get(path).status_code == 403
        assert "Reports" not in browser.get("/").text


def test_days_in_which_nothing_happened_are_told_in_words(line: Helpline) -> None:
    with signed_in(line, "sue") as browser:
        page = browser.get("/reports").text
        assert '<a href="/staff/reports" aria-current="page">Reports</a>' in page
    assert "Nobody asked to be rung in these days" in page
    assert "<svg" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-11-01", "Give a day, such as 2026-11-24."),
        ("from=soon&to=2026-11-02", "Give a day, such as 2026-11-24."),
        ("from=2026-11-03&to=2026-11-02", "Choose a last day that is not before the first."),
        ("from=2026-01-01&to=2026-11-02", "Choose at most 92 days."),
        ("from=0001-01-01&to=2026-11-02", "Choose at most 92 days."),
        ("from=2026-11-03&to=2026-11-26", "Choose a day that is not after today."),
        ("from=2026-11-03&to=9999-12-31", "Choose a day that is not after today."),
    ],
)
def test_days_that_cannot_be_are_told_with_the_remedy(
    line: Helpline, query: str, said: str
) -> None:
    with signed_in(line, "sue") as browser:
        answer = browser.get(f"/reports?{query}")
        assert answer.status_code == 422
        assert said in answer.text
        assert browser.get(f"/reports.csv?{query}").status_code == 303


async def crowded(database: Database) -> None:
    """Three months in which more than a hundred ask on each day, from everywhere."""
    requests = [
        {
            **{"reference": "", "number": "", "state": "done", "slot": "any", "access": []},
            **{"number_hash": f"{day} {number}", "repeats": 1, "attempts": 1, "holder": ""},
            **{"topic": f"topic-{number % 15}/step", "council": f"E{number % 40:08d}"},
            **{"requested_at": asked, "due_at": asked, "outcome": "spoke"},
            **{"ended_at": asked + timedelta(hours=number), "claim_token": "", "urgent": False},
        }
        for day in range(LONGEST)
        for number in range(110)
        for asked in (NOON - timedelta(days=day),)
    ]
    events = [
        {"request_id": at, "at": one["ended_at"], "who": "ada", "what": "spoke", "note": ""}
        for at, one in enumerate(requests, start=1)
    ]
    async with database.writing() as session:
        connection = await session.connection()
        await connection.execute(insert(CallBackRequest), requests)
        await connection.execute(insert(CallBackEvent), events)


def test_three_busy_months_are_a_small_page(line: Helpline, tmp_path: Path) -> None:
    done(with_database(tmp_path, crowded))
    with signed_in(line, "sue") as browser:
        answer = browser.get("/reports?span=months")
    assert len(answer.content) < 50_000
    assert len(cells(part(answer.text, "table", 'id="by-day"'))) == 93
    assert len(re.findall("<svg", answer.text)) == 5
    assert "style=" not in answer.text
    for name in ("by-day", "waits", "outcomes", "topics", "councils"):
        part(answer.text, "svg", f"{name}-title")
    assert len(cells(part(answer.text, "div", 'id="councils"'))) == 12


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_reports_have_no_barrier(line: Helpline, tmp_path: Path) -> None:
    """As far as axe can tell; nothing scrolls sideways, and nothing of ours is blocked."""
    done(with_database(tmp_path, story))
    with chromium() as browser:
        desk = Desk(browser.new_page(), line)
        said: list[str] = []
        desk.page.on("console", lambda one: said.append(one.text))
        desk.sign_in("sue", PASSWORD)
        for query in ("span=7", "span=months", "from=2026-11-25&to=soon", "to=2026-01-01"):
            desk.go(f"/reports?{query}")
            for closed in desk.page.locator("details").all():
                closed.evaluate("one => one.open = true")
            for window in in_each(desk.page, WINDOWS):
                assert desk.faults() == [], (query, window)
        assert [text for text in said if "Content Security" in text] == []


# --- at the prompt -----------------------------------------------------------------------------


def test_the_same_figures_come_at_the_prompt(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ivr = Command(tmp_path, {"IVR_VAR": str(tmp_path)})
    ivr("db", "upgrade")
    done(
        with_database(
            tmp_path,
            lambda database: Helpers(database).asked(*(wish(n, now, now) for n in range(3))),
        )
    )
    told = json.loads(ivr("report", "--days", "3", "--json").stdout)
    assert [sorted(told["whole"])[0], told["whole"]["asked"], len(told["days"])] == ["asked", 3, 3]
    assert told["councils"] == [{"key": LEEDS, "asked": 3, "spoke": 0}]
    printed = ivr("report", "--days", "3").stdout
    assert re.search(r"^all +3 +0 +0 ", printed, re.MULTILINE)
    assert re.search(r"^Leeds +3 +0$", printed, re.MULTILINE)
    wrong = ivr("report", "--days", "93")
    assert wrong.returncode == 2
    assert "1 to 92 days" in wrong.stderr
