"""Closed days and the notice: what a supervisor changes on the page is heard by the next call."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from databases import KINDS, PostgreSQL, new_url

from ivr.config import load_settings
from ivr.database import upgrade
from ivr.house import build, now
from tests.browsers import CHROMIUM, PASSWORD, Desk, add_person, chromium
from tests.helplines import (
    PATIENCE,
    Helpline,
    SetClock,
    done,
    helpline,
    process,
    rows,
    settings_of,
    wait_for,
)
from tests.notices import HELLO, MENU, TEXT

MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
TO_THE_PROMISE = ("0", "1", "1", "1")


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


class Browser:
    """Somebody who is signed in, over HTTP."""

    def __init__(self, port: int, name: str) -> None:
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/staff", follow_redirects=True, timeout=PATIENCE
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
