"""Texts through the front door: what Twilio tells of ours, and what comes in."""

import json
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ivr.config import load_settings
from ivr.database import Database
from ivr.handset.webhook import new_sid
from ivr.house import build
from ivr.messages.keys import Keys
from ivr.messages.outbox import Draft, Kind, Outbox
from ivr.sealing import Sealer
from tests.helplines import (
    CALL,
    KEY,
    NUMBER,
    PATIENCE,
    ROOT,
    Answer,
    Helpline,
    SetClock,
    done,
    helpline,
    rows,
    wait_for,
)
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
        assert self.twilio.came.wait(PATIENCE)
        self.twilio.came.clear()
        return self.twilio.asked[-1]

    def told(self, asked: dict[str, str], status: str, **fields: str) -> Answer:
        """Twilio tells how a text fares."""
        form = {"MessageSid": "SM1", "MessageStatus": status, "To": asked["To"], **fields}
        return self.line.signed("POST", urlsplit(asked["StatusCallback"]).path, form)

    def text(self, words: str, sender: str = NUMBER, **fields: str) -> Answer:
        """Somebody sends us a text."""
        form = {"MessageSid": new_sid("SM"), "From": sender, "To": OURS, "Body": words}
        return self.line.signed("POST", "/sms", {**form, "NumMedia": "0", **fields})

    def requests(self) -> list[dict[str, Any]]:
        return rows(self.var, "callback_request")

    def events(self) -> list[str]:
        return [row["what"] for row in rows(self.var, "callback_event")]

    def texts(self) -> list[dict[str, Any]]:
        return rows(self.var, "text_message")

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


# --- what comes in --------------------------------------------------------------------------------


def test_a_text_opens_a_request_and_is_answered(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """By when, and how to get help now; its words are kept sealed. The answer names neither the
    helpline nor a reference: another person may read it."""
    caplog.set_level(logging.INFO)
    answer = post.text("I cannot speak on the phone. My son is not in school.")
    assert answer.page.verbs == []
    (request,) = post.requests()
    assert (request["topic"], request["slot"], request["access"]) == ("text", "any", '["relay"]')
    body = post.sent()["Body"]
    assert body.startswith("We have your text. We will answer by ")
    assert "elpline" not in body
    assert str(request["reference"])[:3] not in body
    assert "In danger now? Ring 999." in body
    assert body.endswith("Reply STOP to end")
    assert post.events() == ["asked by text"]
    kept = str([rows(post.var, name) for name in ("callback_event", "text_message")])
    assert all(secret not in kept + caplog.text for secret in ("cannot speak", NUMBER[3:]))


def test_the_same_text_comes_in_once(post: Post) -> None:
    """Twilio may tell of it again."""
    for _ in range(3):
        assert post.text("Please ring", MessageSid="SM7").status == 200
    assert post.events() == ["asked by text"]
    assert [row["kind"] for row in post.texts()] == ["inbound", "reply"]


def test_further_texts_join_and_are_not_answered_again_that_day(post: Post) -> None:
    """So two machines do not talk to each other for ever. The request keeps its place."""
    saved = post.line.play("0", "1", "1", "2", "1").words  # in the morning
    assert "Saved" in saved
    first = post.requests()[0]
    assert first["slot"] == "morning"
    for number in range(4):
        post.text(f"More, {number}")
    (request,) = post.requests()
    assert request["repeats"] == 4
    assert [request[name] for name in ("slot", "due_at", "reference")] == [
        first[name] for name in ("slot", "due_at", "reference")
    ]
    assert request["access"] == '["relay"]'
    kinds = [row["kind"] for row in post.texts()]
    assert kinds.count("reply") == 1
    post.clock.at += timedelta(days=1)
    post.text("And today?")
    assert [row["kind"] for row in post.texts()].count("reply") == 2


def test_the_answer_does_not_tell_whether_that_number_asked_before(post: Post) -> None:
    """Another person may have the phone now. Nor is a time promised that is past."""
    post.text("Please write")
    assert "We will answer by " in post.sent()["Body"]
    post.clock.at += timedelta(days=30)
    post.text("I am still waiting")
    (request,) = post.requests()
    assert datetime.fromisoformat(request["due_at"]).replace(tzinfo=UTC) < post.clock.at
    told = post.sent()["Body"]
    post.text("Hello", f"{NUMBER[:-2]}99")
    assert post.sent()["Body"] == told
    assert "We will answer by 5 pm on Tuesday 29 December." in told


def test_a_machine_that_answers_all_that_it_gets_is_answered_a_few_times(post: Post) -> None:
    """Even if its requests are closed each time."""
    for number in range(9):
        post.text(f"I am away {number}")
        with closing(sqlite3.connect(post.var / "helpline.db")) as database:
            database.execute("update callback_request set state = 'closed'")
            database.commit()
    assert [row["kind"] for row in post.texts()].count("reply") == 5


@pytest.mark.parametrize("word", ["STOP", "stop.", " Unsubscribe ", "END", "Cancel", "Opt-out"])
def test_stop_is_obeyed_and_start_takes_it_back(post: Post, word: str) -> None:
    """Neither opens a request nor is answered: Twilio does that."""
    post.text(word)
    post.put("one")
    assert post.requests() == []
    assert post.states() == [("stopped", 0)]
    post.clock.at += timedelta(minutes=1)
    post.text("Start")
    post.put("two")
    assert post.sent()["Body"] == "Hello two"
    assert len(post.twilio.asked) == 1


def test_what_twilio_takes_for_stop_or_start_is_so_here_too(post: Post) -> None:
    """Whatever the words are: it sends nothing more to that phone, or does again."""
    post.text("Leave me alone, will you", OptOutType="STOP")
    post.put("one")
    assert post.states() == [("stopped", 0)]
    post.clock.at += timedelta(minutes=1)
    post.text("Stop", OptOutType="START")
    post.put("two")
    assert post.sent()["Body"] == "Hello two"
    assert post.requests() == []


def test_help_is_answered_once_a_day(post: Post) -> None:
    """Unless Twilio has answered it. The next one may be a frightened parent: it is entered."""
    post.text("HELP", OptOutType="HELP")
    assert post.texts() == []
    for _ in range(2):
        post.text("Help?", MessageSid="SM1")
    body = post.sent()["Body"]
    assert body.startswith("Text us a few words, and a person will answer.")
    assert "elpline" not in body
    assert [row["kind"] for row in post.texts()] == ["help"]
    assert post.requests() == []
    for _ in range(2):
        post.text("Help!", MessageSid="SM2")
    assert [row["kind"] for row in post.texts()] == ["help", "inbound", "reply"]
    assert post.events() == ["asked by text"]


def test_help_that_nobody_can_answer_is_a_request(post: Post, tmp_path: Path) -> None:
    """They want no texts; or none can be sent from here."""
    post.text("STOP")
    post.clock.at += timedelta(minutes=1)
    post.text("Help")
    assert post.events() == ["asked by text"]
    with helpline(tmp_path / "other", SetClock(TUESDAY)) as line:
        line.signed("POST", "/sms", {"From": NUMBER, "Body": "Help!"})
        assert len(rows(tmp_path / "other", "callback_request")) == 1


def test_who_wants_no_texts_can_still_ask_by_text(post: Post) -> None:
    post.text("STOP")
    post.text("Please ring me")
    assert len(post.requests()) == 1
    assert post.twilio.asked == []


@pytest.mark.parametrize(
    "sender", ["+441134960000", "+33612345678", "85000", "anonymous", "", "whatsapp:+447400123456"]
)
def test_a_text_that_nobody_can_answer_is_dropped(
    post: Post, sender: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert post.text("Hello", sender).page.verbs == []
    assert post.requests() == []
    assert "a text was dropped" in caplog.text
    assert not sender or sender not in caplog.text


HOSTILE = ("x" * 10_000, "\0\0", "Привет 😀", "", "<Response><Say>", "a\r\n\tb\u2028", "\ud800")


def test_whatever_a_text_holds_it_is_taken(post: Post) -> None:
    """And by whatever method; unsigned, it is not."""
    for number, words in enumerate(HOSTILE):
        body = words.encode("utf-8", "replace").decode()
        assert post.text(body, f"+4474001234{number:02d}").page.verbs == []
    assert len(post.requests()) == len(HOSTILE)
    assert post.text("", f"{NUMBER[:-2]}98", NumMedia="2").page.verbs == []
    assert post.line.get("/sms", From=f"{NUMBER[:-2]}99", Body="Hello").page.verbs == []
    assert len(post.requests()) == len(HOSTILE) + 2
    assert post.line.signed("POST", "/sms/other", {"From": NUMBER}).page.verbs == []
    assert post.line.signed("POST", "/sms").page.verbs == []
    assert post.line.send("POST", "/sms", b"From=%2B447400123456&Body=Hello").status == 403
    assert len(post.requests()) == len(HOSTILE) + 2


def test_a_text_without_a_database_is_kept_and_entered_once(post: Post) -> None:
    """STOP too. The spool tells nobody what is in it, and /readyz says that something waits."""
    post.put("the database has been made ready")
    post.sent()
    file = post.var / "helpline.db"
    file.rename(post.var / "away.db")
    for _ in range(2):
        assert post.text("I cannot speak", MessageSid="SM1").page.verbs == []
    assert post.text("STOP", f"{NUMBER[:-2]}99").page.verbs == []
    spooled = [path.read_bytes() for path in (post.var / "texts").glob("*.wish")]
    assert len(spooled) == 2
    assert b"cannot" not in b"".join(spooled)
    degraded = json.loads(post.line.send("GET", "/readyz").body)["degraded"]
    assert degraded["texts spool"] == "2 texts wait for the database"
    (post.var / "away.db").rename(file)
    assert "We have your text" in post.sent()["Body"]
    assert post.events() == ["asked by text"]
    wait_for(lambda: not [*(post.var / "texts").glob("*.wish")])
    post.put("one", f"{NUMBER[:-2]}99")
    assert ("stopped", 0) in post.states()


def test_what_a_safety_phone_answers_is_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers an alarm, and is staff's. STOP is obeyed all the same."""
    clock = SetClock(TUESDAY)
    with twilio() as standin:
        settings = {**texting(standin.address), "IVR_SAFETY_PHONES": NUMBER}
        with helpline(tmp_path, clock, **settings) as line:
            post = Post(line, standin, tmp_path, clock)
            for words in ("On my way", "Help?"):
                assert post.text(words).page.verbs == []
            assert post.requests() == post.texts() == []
            assert caplog.text.count("IVR_SAFETY_PHONES was dropped") == 2
            assert NUMBER[3:] not in caplog.text
            post.text("Stop")
            post.put("one")
            assert post.states() == [("stopped", 0)]


def test_texts_are_taken_where_none_can_be_sent(tmp_path: Path) -> None:
    """The request is there; nobody is told that we answered."""
    with helpline(tmp_path, SetClock(TUESDAY)) as line:
        assert line.signed("POST", "/sms", {"From": NUMBER, "Body": "Hi"}).page.verbs == []
        assert len(rows(tmp_path, "callback_request")) == 1
        assert [row["kind"] for row in rows(tmp_path, "text_message")] == ["inbound"]


def test_a_text_is_kept_though_nobody_knows_the_hours(tmp_path: Path) -> None:
    """It promises no time then."""
    flows = shutil.copytree(ROOT / "flows", tmp_path / "flows")
    (flows / "data" / "hours.yaml").write_text("monday: nonsense\n")
    var, clock = tmp_path / "var", SetClock(TUESDAY)
    with twilio() as standin:
        settings = {**texting(standin.address), "IVR_FLOWS": str(flows)}
        with helpline(var, clock, **settings) as line:
            post = Post(line, standin, var, clock)
            post.text("Hello")
            assert "We will answer as soon as we can." in post.sent()["Body"]
            assert len(post.requests()) == 1


# --- what is offered ------------------------------------------------------------------------------


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
    assert build(load_settings(whole)).post.can_text
    for missing in ("IVR_TEXT_FROM", "IVR_TWILIO_ACCOUNT_SID", "IVR_TWILIO_AUTH_TOKEN"):
        some = {name: value for name, value in whole.items() if name != missing}
        assert not build(load_settings(some)).post.can_text
    assert not build(load_settings({**whole, "IVR_DEMO": "yes"})).post.can_text
