"""Ringing a caller back from the page: whoever holds the request is rung first, then the caller."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ivr.handset.webhook import new_sid
from tests.browsers import CHROMIUM, WINDOW, Desk, add_person, chromium
from tests.helplines import NUMBER, Answer, Helpline, SetClock, helpline, rows
from tests.standins import Twilio, twilio

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
ASKED = ("0", "1", "1", "1", "1")  # my number, any time, save
MINE, OURS = "+447400123999", "+441134960000"


@dataclass
class Office:
    """Somebody at their page, the line, and the stand-in for Twilio."""

    desk: Desk
    line: Helpline
    twilio: Twilio
    var: Path

    def call(self, phone: str = MINE) -> None:
        """Press "Call"."""
        self.desk.page.get_by_label("Your own phone").fill(phone)
        self.desk.press("Call")

    def picked_up(self) -> "Leg":
        """The phone of whoever holds the request is answered."""
        return Leg(self.line, self.twilio.asked[-1], new_sid("CA"))

    def attempts(self) -> int:
        """How often the caller was tried, as the queue counts."""
        return rows(self.var, "callback_request")[0]["attempts"]


@dataclass
class Leg:
    """The call to whoever holds the request, as Twilio makes it."""

    line: Helpline
    asked: dict[str, str]
    sid: str

    def post(self, address: str, **fields: str) -> Answer:
        """A signed webhook of this call."""
        form = {"CallSid": self.sid, "Direction": "outbound-api", "From": OURS, "To": MINE}
        return self.line.signed("POST", urlsplit(address).path, {**form, **fields})

    def hello(self) -> Answer:
        """What they hear first."""
        return self.post(self.asked["Url"])

    def press(self, key: str) -> Answer:
        """The answer to a key."""
        return self.post(self.hello().page.action, Digits=key)

    def told(self, dial: Answer, status: str, **fields: str) -> Answer:
        """The caller's own leg has ended: told beside the call."""
        address = re.search(r'statusCallback="([^"]+)"', dial.body.decode())
        assert address
        leg = {"CallSid": new_sid("CA"), "ParentCallSid": self.sid, "Direction": "outbound-dial"}
        return self.post(address[1], **{**leg, "CallStatus": status, **fields})

    def hangs_up(self) -> Answer:
        """The call is over."""
        return self.post(self.asked["StatusCallback"], CallStatus="completed")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with twilio() as standin, chromium() as browser:
        settings = {
            "IVR_TWILIO_API_URL": standin.address,
            "IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
            "IVR_TWILIO_NUMBER": OURS,
        }
        with helpline(tmp_path, SetClock(TUESDAY), **settings) as line:
            add_person(tmp_path, "Amina", "adviser")
            assert "Saved" in line.play(*ASKED).words
            desk = Desk(browser.new_context(**WINDOW).new_page(), line)
            desk.sign_in("Amina")
            desk.press("Take the next one")
            yield Office(desk, line, standin, tmp_path)


def test_from_the_button_to_the_outcome(office: Office) -> None:
    """Nobody's own number is shown to the other; the page learns how it ended by itself."""
    office.call()
    assert "Your phone is being rung." in office.desk.words
    asked = office.twilio.asked[-1]
    assert (asked["To"], asked["From"]) == (MINE, OURS)
    assert NUMBER not in str(asked)
    leg = office.picked_up()
    assert "Press 1 to ring the caller" in leg.hello().page.words
    dial = leg.press("1")
    assert f'callerId="{OURS}"' in dial.body.decode()
    assert f">{NUMBER}</Number>" in dial.body.decode()
    over = re.search(r' action="([^"]+)"', dial.body.decode())
    assert over
    ended = leg.post(over[1], DialCallStatus="no-answer").page
    assert "Please say on the page how it went." in ended.words
    news = office.desk.page.locator("#news")
    news.get_by_text("There is news of this call.").wait_for()
    news.get_by_role("link", name="Show").click()
    assert "Last call: no answer" in office.desk.words
    office.desk.page.get_by_label("No answer").check()
    office.desk.press("Save and let go")
    assert "Saved. Thank you." in office.desk.words
    assert office.attempts() == 1


def test_webhooks_may_come_twice_late_and_in_any_order(office: Office) -> None:
    """What was told first stands; each is answered, and the caller is rung for one press of 1."""
    office.call()
    leg = office.picked_up()
    dial = leg.press("1")
    assert leg.press("1").body.count(b"<Number") == 1
    for status in ("busy", "busy", "completed", "nonsense"):
        assert leg.told(dial, status).status == 204
    assert leg.hangs_up().status == leg.hangs_up().status == 204
    over = re.search(r' action="([^"]+)"', dial.body.decode())
    assert over
    assert leg.post(over[1], DialCallStatus="completed").status == 200
    assert "is over" in leg.press("1").page.words
    office.desk.go("/requests/1")
    assert "Last call: engaged" in office.desk.words
    assert office.attempts() == 1
    assert b"<Number" not in leg.press("1").body


@pytest.mark.parametrize("key", ["", "2", "*"])
def test_a_voicemail_of_our_own_rings_no_parent(office: Office, key: str) -> None:
    """Whoever does not press 1 is not there."""
    office.call()
    leg = office.picked_up()
    assert leg.press(key).page.verbs == ["Hangup"]
    leg.hangs_up()
    office.desk.go("/requests/1")
    assert "Last call: not taken" in office.desk.words
    assert office.attempts() == 0


def test_an_address_of_one_call_is_good_for_no_other(office: Office) -> None:
    """Nor one of one kind for another: nobody hears a parent's number by it."""
    office.call()
    leg = office.picked_up()
    key = leg.hello().page.action
    foreign = Leg(office.line, leg.asked, new_sid("CA"))
    assert b"<Number" not in foreign.post(key, Digits="1").body
    assert NUMBER.encode() not in foreign.post(key, Digits="1").body
    assert b"<Number" not in leg.post(leg.asked["StatusCallback"], Digits="1").body
    assert office.line.send("POST", urlsplit(leg.asked["Url"]).path).status == 403


def test_when_twilio_refuses_nobody_is_rung_and_it_can_be_tried_again(office: Office) -> None:
    office.twilio.status, office.twilio.code = 400, 21211
    office.call()
    assert "Twilio refused to ring (error 21211)." in office.desk.words
    assert len(office.twilio.asked) == 1
    office.twilio.status = 201
    office.call()
    assert "Your phone is being rung." in office.desk.words


def test_when_nobody_can_say_whether_it_rings_it_is_not_tried_again_by_itself(
    office: Office,
) -> None:
    """Whoever holds the request says that it is over, and can call again."""
    office.twilio.status = 503
    office.call()
    assert "It may ring all the same" in office.desk.words
    (where,) = office.desk.page.locator("#summary a").all()
    assert office.desk.page.locator(where.get_attribute("href") or "").count() == 1
    assert len(office.twilio.asked) == 1
    office.desk.press("It is over")
    office.twilio.status = 201
    office.call()
    assert "Your phone is being rung." in office.desk.words


def test_who_rang_another_way_says_how_and_why(office: Office) -> None:
    """It counts as an attempt, with its reason in the history."""
    office.desk.page.get_by_label("No answer").check()
    office.desk.press("Save and let go")
    assert "Say how you rang, and why." in office.desk.words
    office.desk.page.get_by_label("I rang another way").fill("By the desk phone: no signal here.")
    office.desk.press("Save and let go")
    assert "Saved. Thank you." in office.desk.words
    assert office.attempts() == 1
    office.desk.go("/requests/1")
    assert "rang another way" in office.desk.words


def test_a_number_that_is_not_rung_is_refused(office: Office) -> None:
    office.call("0906 123 4567")
    assert "Give your own UK number" in office.desk.words
    assert office.twilio.asked == []


def test_the_page_of_a_call_has_no_barrier(office: Office) -> None:
    assert office.desk.faults() == []
    office.call()
    assert office.desk.faults() == []
    leg = office.picked_up()
    leg.told(leg.press("1"), "completed")
    office.desk.go("/requests/1")
    assert "Last call: spoke" in office.desk.words
    assert office.desk.faults() == []
