"""Today: closed days, other hours and the notice of the day, heard by the next call."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from itertools import islice
from pathlib import Path

import httpx
import pytest
from books import Caller, real
from cryptography.fernet import Fernet
from databases import KINDS, ROOT, PostgreSQL, new_url

from ivr.callbacks.keys import Keys
from ivr.callbacks.ledger import Ledger
from ivr.callbacks.planning import Backlog, Load, plan
from ivr.callbacks.wishes import Kind, Wish
from ivr.config import load_settings
from ivr.core.call import Answered
from ivr.core.flow import FAILED
from ivr.database import Database, upgrade
from ivr.hours import SLOTS, Hours, Opening, bank_holiday, load_hours
from ivr.house import build, now
from ivr.today.diary import (
    Diary,
    NoReasonError,
    QuickerError,
    WrongDayError,
    WrongEndError,
    WrongTimesError,
)
from ivr.today.ear import LONGEST, NotForTheEarError, fit
from ivr.today.snapshot import DamagedError, Snapshot, packed, unpacked
from ivr.today.today import Today
from tests.browsers import CHROMIUM, PASSWORD, Desk, add_person, chromium
from tests.helplines import Helpline, SetClock, done, helpline, process, rows, settings_of, wait_for

WEEK = load_hours(ROOT / "flows" / "data" / "hours.yaml")
MORNING = Opening(time(9), time(12))
MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (24, 25, 26))
SUNDAY, CHRISTMAS = date(2026, 11, 29), date(2026, 12, 25)
TEXT = "We are very busy today. Ring before noon if you can."
HELLO = "Hello. Helpline for special needs in school, for England."
MENU = "For a person or call-back"
TO_THE_PROMISE = ("0", "1", "1", "1")
KEYS = Keys((Fernet.generate_key(),), b"a key for hashes, in tests")


def with_exceptions(exceptions: dict[date, Opening | None]) -> Hours:
    return replace(WEEK, exceptions=exceptions)


def promised(hours: Hours, slot: str, load: Load | None = None) -> str:
    due = plan(hours, MONDAY, slot, load or Load()).due_at
    return f"{due.astimezone(hours.zone):%A %H:%M}"


# --- hours with exceptions -----------------------------------------------------------------------


def test_nothing_is_promised_into_a_closed_day() -> None:
    """And a closed day is no working day that a caller would have to wait for."""
    hours = with_exceptions({TUESDAY: None})
    assert {promised(hours, slot)[:9] for slot in SLOTS} == {"Wednesday"}
    assert plan(hours, MONDAY, "any", Load()).working_days == 1
    assert not hours.is_open(datetime(2026, 11, 24, 10, tzinfo=UTC))


def test_other_hours_are_promised_as_they_are() -> None:
    """A day that ends at noon has no afternoon, and only its morning has room."""
    hours = with_exceptions({TUESDAY: MORNING})
    assert promised(hours, "any") == "Tuesday 12:00"
    assert promised(hours, "afternoon") == "Wednesday 17:00"
    assert promised(hours, "any", Load({(TUESDAY, "any"): 12})) == "Wednesday 17:00"
    assert promised(WEEK, "any", Load({(TUESDAY, "any"): 12})) == "Tuesday 17:00"


def test_a_sunday_or_a_bank_holiday_can_be_opened() -> None:
    hours = with_exceptions({SUNDAY: MORNING, CHRISTMAS: MORNING})
    for day in (SUNDAY, CHRISTMAS):
        assert WEEK.opening(day) is None
        assert hours.opening(day) == MORNING
    assert bank_holiday(CHRISTMAS) == "Christmas Day"
    assert bank_holiday(SUNDAY) == ""


def test_however_long_the_helpline_is_closed_something_is_promised() -> None:
    """A whole season; attempts that failed are tried again after it, too."""
    hours = with_exceptions({TUESDAY + timedelta(days=day): None for day in range(90)})
    for slot in SLOTS:
        assert plan(hours, MONDAY, slot, Load()).due_at.date() == date(2027, 2, 22)
        tried = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
        assert hours.within(tried, slot).date() == date(2027, 2, 22)
    assert len(list(islice(hours.windows(TUESDAY, "any"), 20))) == 20


# --- a text for the ear --------------------------------------------------------------------------

REFUSED = {
    "nothing": ("", "Write what"),
    "only marks": (" ... ", "Write what"),
    "no end": ("We are closed today", "full stop"),
    "too long": ("a" * LONGEST + ".", "161 characters"),
    "a phone number": ("Ring 01632 960123.", "phone number"),
    "one in brackets": ("Ring (0800) 11-11.", "phone number"),
    "one with a plus": ("Ring +44 1632 960 123 now.", "“+” cannot be read out"),
    "one by digits": ("Ring 0 1 6 3 2 today.", "phone number"),
    "one with commas": ("Ring 0, 8, 0, 0, 1, 1, 1, 1.", "phone number"),
    "one in words": ("Ring oh one six double three two.", "phone number"),
    "one in full width": ("Ring ０８００ １１１１.", "phone number"),
    "digits of another script": ("Ring ٠١٦٣٢ now.", "cannot be read out"),
    "a web address": ("See example.org for more.", "the web"),
    "www": ("See www for more.", "the web"),
    "markup": ('Closed.<break time="9s"/>.', "“<” cannot be read out"),
    "a fact": ("Hello {caller_number:digits}.", "“{” cannot be read out"),
    "a pause": ("Closed // today.", "“/” cannot be read out"),
    "another script": ("Мы закрыты.", "cannot be read out"),
    "an emoji": ("Closed 🎉.", "cannot be read out"),
    "a bell": ("Closed\x07 today.", "invisible"),
    "a null": ("Closed\0 today.", "invisible"),
    "turned round": ("Closed \u202etoday.", "invisible"),
    "no width": ("Clo\u200bsed today.", "invisible"),
    "half a character": ("Closed \ud800.", "invisible"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_text_that_is_not_for_the_ear_is_refused_with_the_reason(name: str) -> None:
    text, why = REFUSED[name]
    with pytest.raises(NotForTheEarError, match=re.escape(why)):
        fit(text)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "From 9.30 to 12:30 today, two of us are here.",
        "We are closed on Thursday, 24 December 2026, and open again on 4 January.",
        "Is Siân's clinic on? Yes!",
        "£5 & 10% are only numbers – really.",
        "a" * (LONGEST - 1) + ".",
    ],
)
def test_plain_words_days_and_times_are_taken_as_they_are(text: str) -> None:
    assert fit(text) == text


def test_lines_and_spaces_of_a_form_are_one_line_for_the_ear() -> None:
    assert fit("  We are\r\n closed.\tCome again! ") == "We are closed. Come again!"


# --- in a call -----------------------------------------------------------------------------------


def test_the_notice_is_said_after_hello_and_before_the_menu_and_then_let_go_of() -> None:
    """The rest of the call does not carry it. Star at the menu leads back to hello: whoever missed
    it hears it once more."""
    some = Answered("some", {"notice": TEXT})
    caller = Caller(real().book, answers={"notice-of-the-day": some})
    words = " ".join(line.text for line in caller.said.lines)
    assert words.startswith(f"{HELLO} {TEXT} {MENU}")
    assert TEXT not in str(caller.position)
    assert TEXT not in caller.press("#")
    assert TEXT not in caller.press("1")
    assert TEXT in caller.press("*", "*")


@pytest.mark.parametrize("outcome", ["none", FAILED, "surprise"])
def test_without_a_notice_nothing_of_it_is_in_the_turn(outcome: str) -> None:
    """Not even a pause; the same when its service fails."""
    caller = Caller(real().book, answers={"notice-of-the-day": Answered(outcome)})
    hello, first = caller.said.lines[:2]
    assert (hello.text, first.text[: len(MENU)]) == (HELLO, MENU)


# --- what holds, in memory and on disk -----------------------------------------------------------

HOLDS = Snapshot({TUESDAY: None, SUNDAY: MORNING}, TEXT, datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


def today_of(database: Database, folder: Path, clock: SetClock) -> Today:
    return Today(database, folder / "today.json", WEEK, clock)


def test_what_holds_is_the_same_after_the_disk() -> None:
    assert unpacked(packed(HOLDS)) == HOLDS
    assert unpacked(packed(Snapshot())) == Snapshot()


DAMAGED = {
    "empty": "",
    "rubbish": "rubbish\0",
    "cut short": packed(HOLDS)[:60],
    "a list": "[]",
    "another version": "{}",
    "no day": '{"exceptions": {"someday": null}, "notice": "", "until": null}',
    "days in a list": '{"exceptions": [1], "notice": "", "until": null}',
    "hours backwards": packed(HOLDS).replace("09:00", "13:00"),
    "one time": packed(HOLDS).replace('"12:00:00"', "12"),
    "a number for a text": '{"exceptions": {}, "notice": 7, "until": null}',
    "a list for a text": '{"exceptions": {}, "notice": [], "until": null}',
    "an end without a zone": packed(HOLDS).replace("+00:00", ""),
    "words that nobody checked": packed(HOLDS).replace(TEXT, "Ring 01632 960123."),
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGED)
async def test_a_damaged_file_is_ignored(name: str, tmp_path: Path, clock: SetClock) -> None:
    """The helpline then has its usual hours until it hears from the database."""
    with pytest.raises(DamagedError):
        unpacked(DAMAGED[name])
    (tmp_path / "today.json").write_text(DAMAGED[name])
    today = today_of(Database(new_url("sqlite", tmp_path)), tmp_path, clock)
    assert today.notice() == ""
    assert today.hours() == WEEK


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
async def test_a_file_that_is_no_text_or_a_folder_is_ignored(
    content: bytes | None, tmp_path: Path, clock: SetClock
) -> None:
    path = tmp_path / "today.json"
    path.mkdir() if content is None else path.write_bytes(content)
    today = today_of(Database(new_url("sqlite", tmp_path)), tmp_path, clock)
    assert today.hours() == WEEK


async def test_a_change_is_known_at_once_here_and_at_the_next_look_elsewhere(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    here, there = (today_of(database, tmp_path / name, clock) for name in ("a", "b"))
    diary = Diary(database, here, clock)
    await diary.change(WEDNESDAY, None, "Training", "Bea")
    await diary.change(SUNDAY, MORNING, "Catching up", "Bea")
    await diary.put_up(TEXT, MONDAY.date(), "Bea")
    assert here.hours().exceptions == {WEDNESDAY: None, SUNDAY: MORNING}
    assert here.notice() == TEXT
    assert (there.hours(), there.notice()) == (WEEK, "")
    await there.look()
    assert (there.hours(), there.notice()) == (here.hours(), TEXT)
    await diary.undo(WEDNESDAY)
    await diary.take_down()
    await there.look()
    for today in (here, there):
        assert today.hours().exceptions == {SUNDAY: MORNING}
        assert today.notice() == ""


async def test_a_notice_ends_by_itself_at_the_end_of_londons_day(
    database: Database, tmp_path: Path
) -> None:
    """In summer that is 23:00 in UTC. Nobody has to look for it."""
    clock = SetClock(datetime(2026, 7, 1, 22, 59, tzinfo=UTC))
    today = today_of(database, tmp_path, clock)
    diary = Diary(database, today, clock)
    await diary.put_up(TEXT, date(2026, 7, 1), "Bea")
    assert today.notice() == TEXT
    clock.at += timedelta(minutes=1)
    assert today.notice() == ""
    assert await diary.notice() is None


async def test_a_new_notice_takes_the_place_of_the_one_before(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """What callers heard, and from whom, is kept."""
    today = today_of(database, tmp_path, clock)
    diary = Diary(database, today, clock)
    await diary.put_up(TEXT, WEDNESDAY, "Bea")
    await diary.put_up("Something else.", TUESDAY, "Cy")
    assert today.notice() == "Something else."
    found = await diary.notice()
    assert found is not None
    assert (found.text, found.who) == ("Something else.", "Cy")
    await diary.take_down()
    assert await diary.notice() is None


async def test_a_day_can_be_changed_again_and_by_two_at_once(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """The last word holds; of two at the same moment one may be told that a colleague was
    quicker, and the day is as one of them said."""
    today = today_of(database, tmp_path, clock)
    diary = Diary(database, today, clock)
    await diary.change(TUESDAY, None, "Training", "Bea")
    await diary.change(TUESDAY, MORNING, "Half a day of training", "Cy")
    (one,) = await diary.closures()
    assert (one.who, one.opens, one.closes) == ("Cy", time(9), time(12))
    both = [
        diary.change(WEDNESDAY, opening, "Training", who)
        for opening, who in ((None, "Bea"), (MORNING, "Cy"))
    ]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert all(end is None or isinstance(end, QuickerError) for end in ended)
    assert None in ended
    assert WEDNESDAY in today.hours().exceptions


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ((MONDAY.date() - timedelta(days=1), None, "Why"), WrongDayError),
        ((MONDAY.date() + timedelta(days=400), None, "Why"), WrongDayError),
        ((SUNDAY, None, "Why"), WrongDayError),
        ((CHRISTMAS, None, "Why"), WrongDayError),
        ((TUESDAY, Opening(time(12), time(12)), "Why"), WrongTimesError),
        ((TUESDAY, None, ""), NoReasonError),
        ((TUESDAY, None, "w" * 121), NoReasonError),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(
    change: tuple[date, Opening | None, str], refused: type[Exception], tmp_path: Path
) -> None:
    database = Database(new_url("sqlite", tmp_path))
    clock = SetClock(MONDAY)
    diary = Diary(database, today_of(database, tmp_path, clock), clock)
    with pytest.raises(refused):
        await diary.change(*change, "Bea")
    for last in (MONDAY.date() - timedelta(days=1), MONDAY.date() + timedelta(days=32)):
        with pytest.raises(WrongEndError):
            await diary.put_up(TEXT, last, "Bea")


async def test_promises_for_a_day_that_is_closed_afterwards_are_found(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """They are not moved. Of a day with other hours, those in a slot that it does not have."""
    ledger = Ledger(database, KEYS)
    dues = [("any", TUESDAY, 17), ("afternoon", TUESDAY, 17), ("morning", TUESDAY, 12)]
    for number, (slot, day, hour) in enumerate([*dues, ("any", WEDNESDAY, 17)]):
        due = datetime.combine(day, time(hour), UTC)
        wish = (Kind.SAVE, f"effect {number}", f"00000{number}", f"+44770090012{number}")
        await ledger.enter(Wish(*wish, MONDAY, slot, due))
    today = today_of(database, tmp_path, clock)
    diary, backlog = Diary(database, today, clock), Backlog(database, today.hours)
    assert await backlog.unkept(TUESDAY) == []
    await diary.change(TUESDAY, MORNING, "Training", "Bea")
    assert [one.slot for one in await backlog.unkept(TUESDAY)] == ["afternoon"]
    await diary.change(TUESDAY, None, "Training", "Bea")
    found = await backlog.unkept(TUESDAY)
    assert [one.reference for one in found] == ["000002", "000000", "000001"]
    assert {one.due_at.date() for one in found} == {TUESDAY}


async def test_without_the_database_what_held_last_still_does(
    tmp_path: Path, clock: SetClock
) -> None:
    """For those who run on, and for one that is started without it."""
    url = new_url("sqlite", tmp_path)
    await upgrade(url)
    database = Database(url)
    today = today_of(database, tmp_path, clock)
    await Diary(database, today, clock).change(TUESDAY, None, "Training", "Bea")
    await Diary(database, today, clock).put_up(TEXT, MONDAY.date(), "Bea")
    await database.close()
    for file in tmp_path.glob("helpline.db*"):
        file.unlink()
    for running in (today, today_of(Database(url), tmp_path, clock)):
        await running.look()
        assert running.hours().exceptions == {TUESDAY: None}
        assert running.notice() == TEXT
    clock.at += timedelta(days=1)
    assert running.notice() == ""


async def test_a_disk_that_takes_nothing_is_no_reason_not_to_know(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    (tmp_path / "a file").touch()
    today = today_of(database, tmp_path / "a file", clock)
    await Diary(database, today, clock).put_up(TEXT, TUESDAY, "Bea")
    assert today.notice() == TEXT


# --- the page, and the next call -----------------------------------------------------------------


class Browser:
    """Somebody who is signed in, over HTTP."""

    def __init__(self, port: int, name: str) -> None:
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/staff", follow_redirects=True, timeout=20
        )
        self.html = self.client.get("/sign-in").text
        signed = self.send("/sign-in", name=name, password=PASSWORD)
        assert signed == 200, self.words

    def open(self, path: str = "/today") -> str:
        """Open a page, and read it."""
        self.html = self.client.get(path).text
        return self.words

    def send(self, path: str, **fields: str) -> int:
        """Send a form of the page that is open; the page that follows is open then."""
        (token, *_) = re.findall(r'name="form_token" value="([^"]+)"', self.html)
        answer = self.client.post(path, data={"form_token": token, **fields})
        self.html = answer.text
        return answer.status_code

    @property
    def words(self) -> str:
        """What can be read on the page."""
        main = self.html.partition("<main")[2].partition("</main>")[0]
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", f"<{main}")).split())


def add_people(var: Path, **settings: str) -> None:
    for name, role in (("Amina", "adviser"), ("Bea", "supervisor")):
        add_person(var, name, role, **settings)


@pytest.fixture
def line(tmp_path: Path, clock: SetClock) -> Iterator[Helpline]:
    with helpline(tmp_path, clock) as made:
        add_people(tmp_path)
        yield made


@pytest.fixture
def bea(line: Helpline) -> Iterator[Browser]:
    browser = Browser(line.port, "Bea")
    browser.open()
    yield browser
    browser.client.close()


def test_a_day_that_a_supervisor_closes_is_promised_to_nobody_from_the_next_call_on(
    line: Helpline, bea: Browser, tmp_path: Path
) -> None:
    """What was promised before is shown as a problem, with links, until the day is opened again."""
    before = line.another_caller()
    assert "Tuesday the twenty-fourth of November" in before.play(*TO_THE_PROMISE).words
    assert "Saved." in before.play(*TO_THE_PROMISE, "1").words
    closing = {"day": "2026-11-24", "opens": "", "closes": "", "reason": "Training <day>"}
    assert bea.send("/today/hours", **closing) == 200
    assert "That day is changed." in bea.words
    assert "Tuesday 24 November Closed Training <day> (Bea)" in bea.words
    assert "1 call-back was promised for Tuesday 24 November (closed)." in bea.words
    assert '/staff/requests/1">' in bea.html
    after = line.another_caller()
    assert "Wednesday the twenty-fifth of November" in after.play(*TO_THE_PROMISE).words
    assert bea.send("/today/usual", day="2026-11-24") == 200
    assert "Promises that cannot be kept" not in bea.words
    assert "Tuesday 24 November 9 am to 5 pm" in bea.words
    assert "Tuesday the twenty-fourth" in after.play(*TO_THE_PROMISE).words
    deeds = [(one["who"], one["what"], one["about"]) for one in rows(tmp_path, "staff_event")]
    assert deeds[-2:] == [
        ("Bea", "changed the hours", "2026-11-24: Closed"),
        ("Bea", "gave back the usual hours", "2026-11-24"),
    ]


def test_on_a_day_that_is_closed_nobody_is_rung(
    line: Helpline, bea: Browser, tmp_path: Path, clock: SetClock
) -> None:
    """Though somebody is on duty, and the week's hours say that they are there."""
    house = build(load_settings(settings_of(tmp_path, "http://127.0.0.1")), clock)
    done(house.roster.on("Ada Bell", "+447400123457", clock.at + timedelta(hours=8)))
    done(house.database.close())
    assert "Our team is here just now." in line.play("0").words
    bea.send("/today/hours", day="2026-11-23", opens="", closes="", reason="Training")
    assert "Our team cannot take calls just now." in line.another_caller().play("0").words


def test_a_day_with_other_hours_is_promised_as_it_is(line: Helpline, bea: Browser) -> None:
    bea.send("/today/hours", day="2026-11-24", opens="10:00", closes="13.30", reason="Half a day")
    assert "Tuesday 24 November 10 am to 1:30 pm Half a day (Bea)" in bea.words
    promise = line.play(*TO_THE_PROMISE).words
    assert "by half past one in the afternoon, on Tuesday the twenty-fourth of November" in promise


def test_the_page_names_the_days_their_hours_and_bank_holidays(
    bea: Browser, clock: SetClock
) -> None:
    clock.at = datetime(2026, 12, 16, 10, 30, tzinfo=UTC)
    later = Browser(bea.client.base_url.port or 0, "Bea")
    words = later.open()
    later.client.close()
    assert "Today, Wednesday 16 December 9 am to 5 pm" in words
    assert "Friday 25 December Closed Bank holiday: Christmas Day" in words
    assert "Monday 28 December Closed Bank holiday: Boxing Day" in words
    assert "Sunday 20 December Closed" in words
    assert "Wednesday 30 December" in words
    assert "Thursday 31 December" not in words


def test_the_reason_of_a_closed_day_can_be_corrected(bea: Browser) -> None:
    closing = {"day": "2026-11-24", "opens": "", "closes": ""}
    bea.send("/today/hours", **closing, reason="Trianing")
    assert bea.send("/today/hours", **closing, reason="Training") == 200
    assert "Tuesday 24 November Closed Training (Bea)" in bea.words
    assert "Trianing" not in bea.words


def test_a_far_closed_day_is_shown_too(bea: Browser) -> None:
    bea.send("/today/hours", day="2027-03-01", opens="", closes="", reason="Moving house")
    assert "Later" in bea.words
    assert "Monday 1 March Closed Moving house (Bea) Usual hours again" in bea.words


def test_a_notice_is_heard_by_the_next_call_and_not_after_its_end(
    line: Helpline, bea: Browser, clock: SetClock, tmp_path: Path
) -> None:
    assert line.post().page.words.startswith(f"{HELLO} {MENU}")
    assert bea.send("/today/notice", text=TEXT, last="2026-11-23") == 200
    assert "The next caller hears it." in bea.words
    assert f"{TEXT} Until the end of Monday 23 November. Put up by Bea" in bea.words
    heard = line.another_caller().post().page
    assert heard.words.startswith(f"{HELLO} {TEXT} {MENU}")
    assert heard.verbs == ["Gather", "Redirect"]
    assert rows(tmp_path, "staff_event")[-1]["what"] == "put up a notice"
    clock.at = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert line.another_caller().post().page.words.startswith(f"{HELLO} {MENU}")


def test_a_notice_that_is_taken_down_is_not_heard_by_the_next_call(
    line: Helpline, bea: Browser
) -> None:
    bea.send("/today/notice", text=TEXT, last="2026-11-25")
    assert TEXT in line.post().page.words
    assert bea.send("/today/no-notice") == 200
    assert "Callers do not hear it any more." in bea.words
    assert "None: callers come to the menu at once." in bea.words
    assert TEXT not in line.another_caller().post().page.words


def test_a_notice_is_shown_as_it_is_said_before_anybody_hears_it(
    line: Helpline, bea: Browser
) -> None:
    assert bea.send("/today/notice", text=TEXT, last="2026-11-24", preview="1") == 200
    assert f"{HELLO} {TEXT} {MENU}, press 0." in bea.words
    assert "about 5 seconds" in bea.words
    assert TEXT in bea.html.partition("<textarea")[2], "it is still there, to be put up"
    assert 'value="2026-11-24"' in bea.html
    assert TEXT not in line.post().page.words


WRONG = {
    "no day": ("hours", {"day": "", "reason": "Why"}, "day", "Choose a day"),
    "no such day": ("hours", {"day": "2026-02-30", "reason": "Why"}, "day", "Choose a day"),
    "a day that is over": ("hours", {"day": "2026-11-22", "reason": "Why"}, "day", "is over"),
    "a closed day": ("hours", {"day": "2026-11-29", "reason": "Why"}, "day", "anyway"),
    "one time": ("hours", {"day": "2026-11-24", "opens": "9:00"}, "closes", "both times"),
    "no time": (
        "hours",
        {"day": "2026-11-24", "opens": "soon", "closes": "25:00"},
        "opens",
        "both times",
    ),
    "backwards": (
        "hours",
        {"day": "2026-11-24", "opens": "12:00", "closes": "9:00", "reason": "Why"},
        "closes",
        "must end after it begins",
    ),
    "no reason": ("hours", {"day": "2026-11-24"}, "reason", "so that colleagues know"),
    "a number": ("notice", {"text": "Ring 01632 960123.", "last": "2026-11-23"}, "text", "phone"),
    "too late": ("notice", {"text": TEXT, "last": "2027-11-23"}, "last", "31 days"),
    "no end": ("notice", {"text": TEXT, "last": ""}, "last", "Choose a day"),
}


def test_what_is_wrong_is_told_beside_its_field_and_in_the_summary(
    line: Helpline, bea: Browser, tmp_path: Path
) -> None:
    """What was typed is still there, and nothing is changed."""
    for form, typed, name, why in WRONG.values():
        bea.open()
        assert bea.send(f"/today/{form}", **typed) == 422
        assert "<title>Error: Today" in bea.html
        (summary,) = re.findall(rf'<li><a href="#{name}">(.*?)</a></li>', bea.html)
        (beside,) = re.findall(rf'id="{name}-wrong">.*?</span>(.*?)</p>', bea.html)
        assert why in unescape(summary)
        assert summary == beside
        assert re.search(rf'id="{name}"[^>]*aria-invalid="true"', bea.html)
        for each in typed.values():
            assert each in unescape(bea.html)
    assert rows(tmp_path, "closure") == rows(tmp_path, "notice") == []
    assert line.post().page.words.startswith(f"{HELLO} {MENU}")


def test_hostile_texts_do_nothing_but_be_refused(line: Helpline, bea: Browser) -> None:
    for text in (
        "<script>alert(1)</script>.",
        "</textarea><b>.",
        "{{ 7*7 }}.",
        "x\x07.",
        "\u202e.",
    ):
        assert bea.send("/today/notice", text=text, last="2026-11-23") == 422
        assert "<script>alert" not in bea.html
        assert "<b>" not in bea.html
        assert "49" not in bea.words
    assert bea.send("/today/notice", text="a & b, “c”.", last="2026-11-23") == 200
    assert "a & b, “c”." in line.post().page.words


def test_an_adviser_reads_the_page_and_changes_nothing(
    line: Helpline, bea: Browser, tmp_path: Path
) -> None:
    bea.send("/today/hours", day="2026-11-24", opens="", closes="", reason="Training")
    amina = Browser(line.port, "Amina")
    assert "Tuesday 24 November Closed Training (Bea)" in amina.open()
    assert "/today/" not in amina.html
    sent = [
        amina.send("/today/hours", day="2026-11-25", opens="", closes="", reason="Why"),
        amina.send("/today/usual", day="2026-11-24"),
        amina.send("/today/notice", text=TEXT, last="2026-11-23"),
        amina.send("/today/no-notice"),
    ]
    amina.client.close()
    assert sent == [403] * 4
    assert [one["day"] for one in rows(tmp_path, "closure")] == ["2026-11-24"]
    assert rows(tmp_path, "notice") == []


def test_whoever_is_not_signed_in_sees_nothing(line: Helpline) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{line.port}/staff") as stranger:
        assert stranger.get("/today").status_code == 303
        assert stranger.post("/today/no-notice", data={}).status_code == 400


WINDOWS = {
    "a desktop": {"viewport": {"width": 1280, "height": 800}},
    "320 px": {"viewport": {"width": 320, "height": 640}},
    "the dark, no JavaScript": {"color_scheme": "dark", "java_script_enabled": False},
}


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_the_page_has_no_barrier_in_any_state(line: Helpline) -> None:
    """WCAG 2.2 AA as far as axe can tell, and no sideways scrolling; and it works by its labels
    alone, with and without JavaScript."""
    assert "Saved." in line.play(*TO_THE_PROMISE, "1").words
    with chromium() as browser:
        for name, window in WINDOWS.items():
            context = browser.new_context(**window)
            desk = Desk(context.new_page(), line)
            desk.sign_in("Bea")
            faults = {}
            for state in states(desk):
                if window.get("java_script_enabled", True) and (found := desk.faults()):
                    faults[state] = found
            context.close()
            assert faults == {}, name


def states(desk: Desk) -> Iterator[str]:
    """The page in every state, one after another."""
    desk.page.get_by_role("link", name="Today", exact=True).click()
    yield "nothing special"
    desk.press("Change this day")
    assert "Error: Choose a day" in desk.words
    desk.press("Show how it is said")
    yield "errors"
    desk.page.get_by_label("Day", exact=True).fill("2026-11-24")
    desk.page.get_by_label("Why").fill("Training")
    desk.press("Change this day")
    desk.page.get_by_label("What callers hear").fill(TEXT)
    desk.press("Show how it is said")
    assert "Callers would hear this." in desk.words
    yield "a preview, and a promise that cannot be kept"
    desk.press("Put it up")
    assert "The next caller hears it." in desk.words
    yield "a notice"
    desk.press("Take it down")
    desk.press("Usual hours again")


# --- other workers, and no database --------------------------------------------------------------


def tomorrow(after: int) -> str:
    return (now() + timedelta(days=after)).date().isoformat()


@pytest.mark.parametrize("kind", KINDS)
def test_another_worker_hears_of_it(kind: str, tmp_path: Path) -> None:
    """A process of its own, on the same database; and that it is taken down again."""
    url = new_url(kind, tmp_path)
    done(upgrade(url))
    settings = {"IVR_DATABASE_URL": url}
    add_people(tmp_path, **settings)
    with (
        process(tmp_path / "first", **settings) as first,
        process(tmp_path / "second", **settings) as second,
    ):
        bea = Browser(first.port, "Bea")
        bea.open()
        assert TEXT not in second.post().page.words
        assert bea.send("/today/notice", text=TEXT, last=tomorrow(1)) == 200
        assert TEXT in first.post().page.words
        wait_for(lambda: TEXT in second.post().page.words)
        assert bea.send("/today/no-notice") == 200
        wait_for(lambda: TEXT not in second.post().page.words)
        bea.client.close()


def test_a_database_that_is_silent_or_gone_delays_no_greeting(tmp_path: Path) -> None:
    """The notice is heard while the server does not answer, and by a helpline that is started
    when there is none."""
    server = PostgreSQL()
    try:
        done(upgrade(server.url))
        settings = {"IVR_DATABASE_URL": server.url}
        add_people(tmp_path, **settings)
        with process(tmp_path, **settings) as line:
            bea = Browser(line.port, "Bea")
            bea.open()
            assert bea.send("/today/notice", text=TEXT, last=tomorrow(1)) == 200
            bea.client.close()
            with server.frozen():
                assert line.post().page.words.startswith(f"{HELLO} {TEXT} {MENU}")
        assert json.loads((tmp_path / "today.json").read_text())["notice"] == TEXT
        server.kill()
        with process(tmp_path, **settings) as line:
            assert line.post().page.words.startswith(f"{HELLO} {TEXT} {MENU}")
            (tmp_path / "today.json").write_text("damaged")
        with process(tmp_path, **settings) as line:
            assert line.post().page.words.startswith(f"{HELLO} {MENU}")
            server.start()
            wait_for(lambda: TEXT in line.post().page.words)
    finally:
        server.stop()
