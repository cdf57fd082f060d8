"""Texting a caller from the page of their request, and reading what they wrote."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from ivr.database import Database
from tests.browsers import CHROMIUM, WINDOW, Desk, add_person, chromium
from tests.colleagues import NAMES, Browser, Place, place
from tests.forms import Page
from tests.helplines import PATIENCE, Helpline, SetClock, helpline, rows, wait_for
from tests.standins import Twilio, twilio
from tests.test_texts import texting

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
MOBILE, LANDLINE = "+447400123456", "+441133785020"
BY_TEXT, OF_LANDLINE = "/requests/2", "/requests/3"  # the first is that of every ``Place``


class Office:
    """Somebody at their page, three requests, and the stand-in for Twilio."""

    def __init__(self, here: Place, standin: Twilio, clock: SetClock) -> None:
        self.here, self.twilio, self.clock = here, standin, clock
        self.line = Helpline(here.port, here.settings.public_url)
        self.text("I cannot speak. Please write.")
        self.sent()
        assert "Saved" in self.line.another_caller(LANDLINE).play("0", "1", "1", "1", "1").words
        self.browser = here.browser(NAMES["adviser"])

    def text(self, words: str) -> None:
        form = {"From": MOBILE, "Body": words, "MessageSid": f"SM{words}"}
        assert self.line.signed("POST", "/sms", form).status == 200

    def sent(self) -> dict[str, str]:
        """What Twilio is asked to send next, once it is noted what Twilio said."""
        assert self.twilio.came.wait(PATIENCE)
        self.twilio.came.clear()
        noted = "select id from text_message where state in ('waiting', 'sending')"
        wait_for(lambda: not self.do(noted))
        return self.twilio.asked[-1]

    def do(self, sql: str) -> list[Any]:
        async def doing(database: Database) -> list[Any]:
            async with database.writing() as session:
                found = await (await session.connection()).execute(text(sql))
                return list(found) if found.returns_rows else []

        return list(self.here.do(doing))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = SetClock(TUESDAY)
    with twilio() as standin, place(tmp_path, clock, **texting(standin.address)) as here:
        yield Office(here, standin, clock)


def hidden(page: httpx.Response) -> dict[str, str]:
    """What is sent by the button that sends what was shown."""
    shown = Page(page)
    sent = shown.sent(shown.button("Send this text"), {})
    return {name: values[-1] for name, values in sent.items() if name != "form_token"}


def sends(browser: Browser, path: str, **fields: str) -> httpx.Response:
    """See it first, and send it."""
    seen = browser.post(f"{path}/text", **fields)
    assert "This is what they get" in seen.text, seen.text
    return browser.post(f"{path}/text", **hidden(seen))


def test_what_they_wrote_is_shown_to_whoever_claims_it(office: Office) -> None:
    """And on the queue that it came by text."""
    browser = office.browser
    assert "By text" in browser.get("/").text
    before = browser.get(BY_TEXT).text
    assert "I cannot speak" not in before
    assert "They wrote" in before
    assert "What they say is shown with the number." in before
    browser.post(f"{BY_TEXT}/claim")
    page = browser.get(BY_TEXT).text
    assert page.count("I cannot speak. Please write.") == 2  # the text, and in what happened
    assert "They asked by text." in page
    assert "Ring through Relay UK (18001 before the number), or text" in page
    assert "We have your text." in page


def test_from_their_words_to_their_phone(office: Office) -> None:
    """Seen first, with the number of parts; sent once, however often the button is pressed."""
    browser = office.browser
    browser.post(f"{BY_TEXT}/claim")
    seen = browser.post(f"{BY_TEXT}/text", which="own", text_words="We’ll write at 5 – is that OK?")
    assert "It goes out as 1 text." in seen.text
    body = "A message for you:\nWe'll write at 5 - is that OK?\nReply STOP to end"
    for _ in range(3):
        done = browser.post(f"{BY_TEXT}/text", **hidden(seen))
        assert done.headers["location"] == f"/staff{BY_TEXT}?done=text"
    asked = office.sent()
    assert (asked["To"], asked["Body"]) == (MOBILE, body)
    page = browser.get(BY_TEXT).text
    assert page.count("Ada Hill: sent a text") == 1
    assert "Ada Hill wrote. It is on its way" in page
    assert len(office.twilio.asked) == 2
    assert "It goes out as 2 texts." in browser.post(f"{BY_TEXT}/text", text_words="a" * 200).text


def test_the_councils_contact_is_sent_where_it_is_vouched_for(office: Office) -> None:
    office.do("update callback_request set council = 'E06000011' where id = 2")
    browser = office.browser
    browser.post(f"{BY_TEXT}/claim")
    choices = re.findall(r'name="which" id="which-(\w+)"', browser.get(BY_TEXT).text)
    assert choices == ["contact", "own"]
    sends(browser, BY_TEXT, which="contact")
    assert "01482 396469" in office.sent()["Body"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [("", "There is nothing in it."), ("a" * 290, "too long by about"), ("😀", "cannot have 😀")],
)
def test_what_cannot_be_sent_is_said_and_given_back(
    office: Office, words: str, complaint: str
) -> None:
    office.browser.post(f"{BY_TEXT}/claim")
    answer = office.browser.post(f"{BY_TEXT}/text", do="send", once="1", text_words=words)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert f">{words}</textarea>" in answer.text
    assert len(office.twilio.asked) == 1


def test_only_who_holds_a_request_writes_to_its_caller(office: Office) -> None:
    """What they wrote is given back to them."""
    office.here.browser(NAMES["supervisor"]).post(f"{BY_TEXT}/claim")
    for what in ("text", "text-again", "no-texts"):
        answer = office.browser.post(f"{BY_TEXT}/{what}", text_words="Hello", text="1")
        assert answer.status_code == 409
    assert "Your note was not saved" in office.browser.post(f"{BY_TEXT}/text", text_words="Hi").text
    assert len(office.twilio.asked) == 1


def test_a_landline_gets_no_text(office: Office) -> None:
    browser = office.browser
    browser.post(f"{OF_LANDLINE}/claim")
    page = browser.get(OF_LANDLINE).text
    assert "Their number is no UK mobile" in page
    assert "See it first" not in page
    assert browser.post(f"{OF_LANDLINE}/text", text_words="Hello").status_code == 422
    assert browser.post(f"{OF_LANDLINE}/no-texts").status_code == 303


def test_who_wants_no_texts_gets_none_until_they_want_them_again(office: Office) -> None:
    """They say so on the phone."""
    browser = office.browser
    browser.post(f"{BY_TEXT}/claim")
    seen = browser.post(f"{BY_TEXT}/text", text_words="Hello")
    assert browser.post(f"{BY_TEXT}/no-texts").headers["location"].endswith("done=no-texts")
    page = browser.get(BY_TEXT).text
    assert "They want no texts." in page
    assert "See it first" not in page
    assert "Ada Hill: wants no texts" in page
    late = browser.post(f"{BY_TEXT}/text", **hidden(seen)).headers["location"]
    assert late.endswith("done=texts-stopped")
    office.clock.at += timedelta(minutes=1)
    browser.post(f"{BY_TEXT}/no-texts", again="1")
    sends(browser, BY_TEXT, text_words="Hello again")
    assert "Hello again" in office.sent()["Body"]
    assert len(office.twilio.asked) == 2


def test_a_text_of_unknown_fate_is_sent_again_by_a_person_alone(office: Office) -> None:
    """Once; and /readyz names it."""
    browser = office.browser
    browser.post(f"{BY_TEXT}/claim")
    office.do("update text_message set state = 'unknown' where kind = 'reply'")
    assert "Nobody can say whether it was sent" in browser.get(BY_TEXT).text
    assert (
        b"1 texts of the last day may not have been sent" in office.line.send("GET", "/readyz").body
    )
    (text_id,) = re.findall(r'name="text" value="(\d+)"', browser.get(BY_TEXT).text)
    first, second = (browser.post(f"{BY_TEXT}/text-again", text=text_id) for _ in range(2))
    assert "The text is on its way" in browser.get(first.headers["location"]).text
    late = browser.get(second.headers["location"]).text
    assert "It was not sent again." in late
    assert "The text is on its way" not in late
    assert "We have your text" in office.sent()["Body"]
    page = browser.get(BY_TEXT).text
    assert "it was sent again" in page
    assert page.count("Ada Hill wrote") == 1
    assert len(office.twilio.asked) == 2


def test_a_text_of_no_request_that_may_not_have_been_sent_is_shown_and_sent_again_once(
    office: Office,
) -> None:
    """A caller had an answer by text, and Twilio did not say whether it took it."""
    browser, caller = office.browser, office.line.another_caller("+447400654321")
    assert "may not have been sent" not in browser.get("/").text
    assert "It is on its way" in caller.play("1", "1", "1", "", "", "4", "1").words
    body = office.sent()["Body"]
    office.do("update text_message set state = 'unknown' where kind in ('answer', 'reply')")
    assert "2 texts may not have been sent" in browser.get("/").text
    page = browser.get("/texts").text
    assert page.count("What a caller had heard") == page.count("… 321") == 1
    assert "/staff/requests/2#texts" in page, "that of a request is its holder's"
    assert "654321" not in page
    (text_id,) = re.findall(r'name="text" value="(\d+)"', page)
    (of_request,) = office.do("select id from text_message where kind = 'reply'")
    wrong = ("", "x", "0", "999", str(of_request[0]))
    for which, end in [(text_id, "text-again"), *[(one, "text-not-again") for one in wrong]]:
        answer = browser.post("/texts/again", text=which)
        assert answer.headers["location"] == f"/staff/texts?done={end}"
    assert browser.post("/texts/again", text=text_id).headers["location"].endswith("not-again")
    asked = office.sent()
    assert (asked["To"], asked["Body"]) == ("+447400654321", body)
    assert len(office.twilio.asked) == 3
    assert "1 text may not have been sent" in browser.get("/").text
    audit = office.here.browser(NAMES["supervisor"]).get("/audit").text
    assert "sent a text again" in audit
    office.clock.at += timedelta(days=1, minutes=1)
    later = office.here.browser(NAMES["adviser"])
    assert "Queue</h1>" in later.get("/").text
    assert "may not have been sent" not in later.get("/").text
    assert "None in the last day." in later.get("/texts").text


def test_where_no_texts_are_set_up_none_is_offered(tmp_path: Path) -> None:
    with place(tmp_path, SetClock(TUESDAY)) as here:
        browser = here.browser(NAMES["adviser"])
        browser.post("/requests/1/claim")
        assert "Text" not in browser.get("/requests/1").text
        assert browser.post("/requests/1/text", text_words="Hello").status_code == 422


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_the_texts_of_a_request_have_no_barrier(tmp_path: Path) -> None:
    """On a wide screen and at 320 px: with a preview, with a mistake, and when they want none."""
    with (
        twilio() as standin,
        helpline(tmp_path, SetClock(TUESDAY), **texting(standin.address)) as line,
        chromium() as browser,
    ):
        form = {"From": MOBILE, "Body": "Please write", "MessageSid": "SM1"}
        assert line.signed("POST", "/sms", form).status == 200
        add_person(tmp_path, "Amina", "adviser")
        desk = Desk(browser.new_context(**WINDOW).new_page(), line)

        def faults() -> list[str]:
            found = desk.faults()
            desk.page.set_viewport_size({"width": 320, "height": 800})
            found += desk.faults()
            desk.page.set_viewport_size(WINDOW["viewport"])
            return found

        desk.sign_in("Amina")
        desk.press("Take the next one")
        desk.press("See it first")
        assert "Write a few words" in desk.words
        assert faults() == []
        desk.page.get_by_label("Your words").fill("Hello " + "abcdefghij" * 20)
        desk.press("See it first")
        assert "It goes out as 2 texts." in desk.words
        assert faults() == []
        desk.press("Send this text")
        assert "The text is on its way." in desk.words
        desk.press("They want no texts")
        assert "They will get no texts from us." in desk.words
        assert faults() == []
        assert len(rows(tmp_path, "text_opt_out")) == 1
        under_way = {"waiting", "sending"}  # what Twilio said then is noted after it
        wait_for(lambda: not under_way & {one["state"] for one in rows(tmp_path, "text_message")})
        with closing(sqlite3.connect(tmp_path / "helpline.db")) as kept, kept:
            kept.execute("update text_message set state = 'unknown' where kind != 'inbound'")
            kept.execute("update text_message set request_id = null where kind = 'staff'")
        desk.go("/texts")
        assert "Send it again" in desk.words
        assert faults() == []
