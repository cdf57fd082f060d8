"""Texts that come in while the flows are broken: nothing is lost, and nothing is sent."""

import json
import logging
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.helplines import NUMBER, SetClock, helpline, rows, wait_for
from tests.standins import twilio
from tests.test_texts import OURS, TUESDAY, Post, texting

STRANGER = "+447400900456"


def test_a_text_that_comes_in_without_a_book_waits_for_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its words are sealed on the disk; told of twice, it is one; STOP is obeyed too."""
    clock, flows = SetClock(TUESDAY), tmp_path / "flows"
    flows.mkdir()
    with (
        twilio() as standin,
        helpline(tmp_path, clock, **texting(standin.address), IVR_FLOWS=str(flows)) as line,
    ):
        post = Post(line, standin, tmp_path, clock)
        assert json.loads(line.send("GET", "/readyz").body)["ready"] is False
        for _ in range(2):
            answer = post.text("I cannot speak. Please help.", MessageSid="SM1")
            assert (answer.status, answer.page.verbs) == (200, [])
        assert post.text("Stop", STRANGER).status == 200
        assert line.send("POST", "/sms", b"Body=unsigned").status == 403
    kept = [path.read_bytes() for path in (tmp_path / "texts").glob("*.wish")]
    assert len(kept) == 2
    assert all(b"speak" not in one and NUMBER.encode() not in one for one in kept)
    assert NUMBER[3:] not in caplog.text
    with twilio() as standin, helpline(tmp_path, clock, **texting(standin.address)) as line:
        post = Post(line, standin, tmp_path, clock)
        assert post.sent()["To"] == NUMBER
        wait_for(lambda: bool(rows(tmp_path, "text_opt_out")))
        assert len(post.requests()) == 1
        wait_for(lambda: not [*(tmp_path / "texts").glob("*.wish")])


def test_stop_that_came_in_meanwhile_is_obeyed_before_anything_is_sent(tmp_path: Path) -> None:
    clock, flows = SetClock(TUESDAY), tmp_path / "flows"
    flows.mkdir()
    with (
        twilio() as standin,
        helpline(tmp_path, clock, **texting(standin.address), IVR_FLOWS=str(flows)) as line,
    ):
        post = Post(line, standin, tmp_path, clock)
        post.put("one")
        assert post.text("Stop").status == 200
    with twilio() as standin, helpline(tmp_path, clock, **texting(standin.address)) as line:
        post = Post(line, standin, tmp_path, clock)
        wait_for(lambda: post.states() == [("stopped", 0)])
        assert not standin.asked


def test_how_a_text_of_ours_fares_is_noted_without_a_book(tmp_path: Path) -> None:
    clock, flows = SetClock(TUESDAY), tmp_path / "flows"
    flows.mkdir()
    with twilio() as standin, helpline(tmp_path, clock, **texting(standin.address)) as line:
        post = Post(line, standin, tmp_path, clock)
        post.put("one")
        path = urlsplit(post.sent()["StatusCallback"]).path
        wait_for(lambda: post.states() == [("queued", 0)])
    with helpline(tmp_path, clock, **texting(""), IVR_FLOWS=str(flows)) as line:
        told = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": NUMBER, "From": OURS}
        assert line.signed("POST", path, told).status == 204
    assert rows(tmp_path, "text_message")[0]["state"] == "delivered"


def test_where_nothing_can_be_kept_the_call_is_answered_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The folder of texts cannot be written: it is told, without the number."""
    caplog.set_level(logging.ERROR)
    (tmp_path / "texts").write_text("in the way")
    flows = tmp_path / "flows"
    flows.mkdir()
    with helpline(tmp_path, IVR_FLOWS=str(flows)) as line:
        form = {"MessageSid": "SM1", "From": NUMBER, "To": OURS, "Body": "Please ring"}
        assert line.signed("POST", "/sms", form).status == 200
        assert "not working" in line.post().page.words
    assert "a text is lost" in caplog.text
    assert NUMBER[3:] not in caplog.text
