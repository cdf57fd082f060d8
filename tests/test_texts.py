"""Texts through the front door: what Twilio tells of ours, and what comes in."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ivr.config import load_settings
from ivr.database import Database
from ivr.house import build
from ivr.messages.keys import Keys
from ivr.messages.outbox import Draft, Kind, Outbox
from ivr.sealing import Sealer
from tests.helplines import CALL, KEY, NUMBER, Answer, Helpline, SetClock, done, helpline, rows
from tests.standins import Twilio, twilio

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
OURS = "+447400999000"


def texting(address: str) -> dict[str, str]:
    """The settings of a helpline that can send texts."""
    return {
        "IVR_TWILIO_API_URL": address,
        "IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "IVR_TEXT_FROM": OURS,
    }


@dataclass
class Post:
    """A helpline that sends and takes texts, and the stand-in for Twilio."""

    line: Helpline
    twilio: Twilio
    var: Path
    clock: SetClock

    def put(self, effect: str, number: str = NUMBER) -> None:
        """Write a text for somebody."""

        async def putting() -> None:
            database = Database(f"sqlite+aiosqlite:///{self.var / 'helpline.db'}")
            keys = Keys((KEY.encode(),), KEY.encode())
            try:
                outbox = Outbox(database, keys, self.clock)
                await outbox.put(Draft(effect, Kind.ANSWER, number, f"Hello {effect}", "caller"))
            finally:
                await database.close()

        done(putting())

    def sent(self) -> dict[str, str]:
        """What Twilio is asked to send next."""
        assert self.twilio.came.wait(20)
        self.twilio.came.clear()
        return self.twilio.asked[-1]

    def told(self, asked: dict[str, str], status: str, **fields: str) -> Answer:
        """Twilio tells how a text fares."""
        form = {"MessageSid": "SM1", "MessageStatus": status, "To": asked["To"], **fields}
        return self.line.signed("POST", urlsplit(asked["StatusCallback"]).path, form)

    def states(self) -> list[tuple[str, int]]:
        return [(row["state"], row["error"]) for row in rows(self.var, "text_message")]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    clock = SetClock(TUESDAY)
    with twilio() as standin, helpline(tmp_path, clock, **texting(standin.address)) as line:
        yield Post(line, standin, tmp_path, clock)


def test_a_text_goes_out_and_its_news_come_back(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """Repeated and out of order; what is no news of ours changes nothing; nothing private is
    logged, nor stands in an address."""
    caplog.set_level(logging.INFO)
    post.put("one")
    asked = post.sent()
    assert (asked["To"], asked["From"], asked["Body"]) == (NUMBER, OURS, "Hello one")
    assert NUMBER[1:] not in asked["StatusCallback"]
    for status in ("sent", "undelivered", "sent", "delivered", "undelivered", "", "\0"):
        told = post.told(asked, status, ErrorCode="30005")
        assert (told.status, told.body) == (204, b"")
    assert post.states() == [("undelivered", 30005)]
    path = urlsplit(asked["StatusCallback"]).path
    assert post.line.send("POST", path, b"MessageStatus=failed").status == 403
    for other in ("/sms/status/", "/sms/status/nonsense", f"{path}x", "/sms/status"):
        assert post.line.signed("POST", other, {"MessageStatus": "failed"}).status == 204
    turn = post.line.play().action
    position = turn.rpartition("/")[2]
    assert post.line.signed("POST", f"/sms/status/{position}").status == 204
    assert post.states() == [("undelivered", 30005)]
    assert all(secret not in caplog.text for secret in (NUMBER[3:], "Hello"))


def test_news_without_a_database_are_taken_all_the_same(post: Post) -> None:
    post.put("one")
    asked = post.sent()
    file = post.var / "helpline.db"
    file.rename(post.var / "away.db")
    assert post.told(asked, "delivered").status == 204
    (post.var / "away.db").rename(file)
    assert post.told(asked, "delivered").status == 204
    assert post.states() == [("delivered", 0)]


def test_a_call_knows_whether_texts_can_be_sent(post: Post, tmp_path: Path) -> None:
    """Also one that lost its place and starts again."""
    sealer = Sealer((KEY.encode(),), post.clock)

    def known(path: str) -> str:
        sealed = post.line.post(path).page.action.rpartition("/")[2]
        return str(sealer.unseal_position(CALL, sealed).facts.get("texts"))

    assert (known("/voice"), known("/voice/nonsense")) == ("yes", "yes")
    with helpline(tmp_path / "other", post.clock) as without:
        post.line = without
        assert (known("/voice"), known("/voice/nonsense")) == ("None", "None")


def test_texts_are_offered_only_where_they_are_set_up(tmp_path: Path) -> None:
    """The setting, the account, and an address for their news: all of them."""
    whole = {
        **texting("https://api.twilio.com"),
        "IVR_VAR": str(tmp_path),
        "IVR_PUBLIC_URL": "https://line.example.org",
        "IVR_TWILIO_AUTH_TOKEN": "a token",
    }
    assert build(load_settings(whole)).can_text
    for missing in ("IVR_TEXT_FROM", "IVR_TWILIO_ACCOUNT_SID", "IVR_TWILIO_AUTH_TOKEN"):
        some = {name: value for name, value in whole.items() if name != missing}
        assert not build(load_settings(some)).can_text
    assert not build(load_settings({**whole, "IVR_DEMO": "yes"})).can_text
