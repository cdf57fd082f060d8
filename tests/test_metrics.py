"""What whoever runs the helpline watches: `GET /metrics`, read as Prometheus reads it."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml
from databases import KINDS, PostgreSQL, new_url
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from ivr.config import load_settings
from ivr.core.call import Answered, Heard
from ivr.database import upgrade
from ivr.house import build
from tests.helplines import (
    NUMBER,
    Answer,
    Helpline,
    SetClock,
    done,
    helpline,
    process,
    rows,
    settings_of,
    wait_for,
)

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
SAVING = ("0", "1", "1", "1")  # asks for a call-back; 1 then saves it
OF_DATABASE = {
    "helpline_callbacks_open",
    "helpline_callbacks_late",
    "helpline_callbacks_safety",
    "helpline_callbacks_urgent",
    "helpline_on_duty",
    "helpline_texts_in_doubt",
}
SECRET = "a token for whoever watches"
TOKEN = {"IVR_METRICS_TOKEN": SECRET}
DOCS = Path(__file__).parent.parent / "docs" / "metrics.md"

Figures = dict[str, float]


def asked(line: Helpline, authorization: str = f"Bearer {SECRET}") -> Answer:
    headers = {"Authorization": authorization} if authorization else {}
    return line.send("GET", "/metrics", headers=headers)


def figures(line: Helpline) -> Figures:
    """Every sample, by its name with its labels."""
    answer = asked(line)
    assert answer.status == 200
    return {
        one.name + "".join(f" {name}={value}" for name, value in sorted(one.labels.items())): (
            one.value
        )
        for family in text_string_to_metric_families(answer.body.decode())
        for one in family.samples
    }


def degraded(found: Figures) -> set[str]:
    """The parts that do not work, as the figures have it."""
    return {
        name.partition("part=")[2]
        for name, value in found.items()
        if name.startswith("helpline_degraded") and value
    }


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Helpline]:
    with helpline(tmp_path, SetClock(TUESDAY), **TOKEN) as made:
        yield made


# --- what is counted --------------------------------------------------------------------------


def test_turns_are_counted_by_what_was_heard_and_by_what_they_took(line: Helpline) -> None:
    """A call's first request is a start; a request that is no turn counts as none."""
    before = figures(line)
    assert {name for name in before if name.startswith("helpline_turns_total")} == {
        f"helpline_turns_total heard={kind.__name__.lower()}"
        for kind in get_args(Heard)
        if kind is not Answered
    }
    assert before["helpline_turn_seconds_count"] == 0
    menu = line.play("1", "")
    line.post(menu.action, DialCallStatus="busy")
    line.post(menu.action, SpeechResult="Leeds")
    line.post(f"{menu.action}?again=1")
    line.post("/voice/unreadable", "1")
    line.post("/voice/status")
    found = figures(line)
    turns = {
        name.partition("heard=")[2]: value
        for name, value in found.items()
        if name.startswith("helpline_turns_total")
    }
    assert turns == dict.fromkeys(turns, 1)
    assert found["helpline_turn_seconds_count"] == len(turns)
    assert found["helpline_turn_seconds_bucket le=+Inf"] == len(turns)
    within = [value for name, value in found.items() if "_bucket" in name]
    assert within == sorted(within)
    assert found["helpline_turn_seconds_sum"] > 0
    assert found["helpline_last_resorts_total"] == 0


def test_a_wrong_signature_is_told_from_none(line: Helpline) -> None:
    """Who brings none is a stranger; a wrong one may be Twilio, with another token than ours."""
    for path in ("/voice", "/voice/x", "/sms"):
        assert line.send("POST", path).status == 403
    for path in ("/voice", "/sms/x"):
        assert line.send("POST", path, headers={"X-Twilio-Signature": "x"}).status == 403
    found = figures(line)
    assert found["helpline_requests_refused_total signature=none"] == 3
    assert found["helpline_requests_refused_total signature=wrong"] == 2
    assert found["helpline_turn_seconds_count"] == 0


def test_a_call_that_had_to_hear_the_last_resort_is_counted(
    line: Helpline, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.post("/voice/fallback", ErrorUrl=f"{line.public}/voice/x")
    assert figures(line)["helpline_last_resorts_total"] == 1

    def fault(*ignored: object) -> None:
        raise ValueError(NUMBER)

    monkeypatch.setattr("ivr.conversation.advance", fault)
    assert "Something went wrong" in line.post("/voice/x", "1").page.words
    found = figures(line)
    assert found["helpline_last_resorts_total"] == 2
    assert found["helpline_turn_seconds_count"] == 0


def test_nothing_of_a_caller_is_told_and_labels_are_a_few_words_of_ours(
    line: Helpline, tmp_path: Path
) -> None:
    """Whatever a caller typed, said or was told, and whatever a stranger makes up."""
    line.play(*SAVING, "1")
    (kept,) = rows(tmp_path, "callback_request")
    line.post("/voice/07400900123", "07400900123", SpeechResult="Leeds", DialCallStatus="odd")
    line.signed("BREW", "/voice/coffee", {})
    page = asked(line).body.decode()
    named = re.sub(r" \S+$", "", page, flags=re.MULTILINE)  # all but the numbers
    for secret in (NUMBER[3:], "900123", "Leeds", "coffee", kept["reference"]):
        assert secret not in named
    labels = set(re.findall(r'(\w+)="', named))
    assert labels == {"heard", "le", "signature", "part", "spool"}
    for value in re.findall(r'="([^"]*)"', named):
        assert re.fullmatch(r"[a-z -]{1,16}|[0-9.]+|\+Inf", value)


# --- how the helpline is ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_open_late_urgent_and_in_doubt_is_told(kind: str, tmp_path: Path) -> None:
    """And who is on duty, in staffed hours; of the directory how much can be answered today."""
    url, clock = new_url(kind, tmp_path), SetClock(TUESDAY)
    done(upgrade(url))
    with helpline(tmp_path, clock, IVR_DATABASE_URL=url, **TOKEN) as line:
        before = figures(line)
        assert [before[name] for name in sorted(OF_DATABASE)] == [0] * len(OF_DATABASE)
        assert degraded(before) == {"alarm"}  # no safeguarding phone is set
        assert 0 < before["helpline_councils_answered"] < before["helpline_councils"] == 153
        assert before["helpline_staffed"] == 1
        line.play(*SAVING, "1")
        line.another_caller().play(*SAVING, "1")
        done(_busy_day(tmp_path, line, url, clock))
        found = figures(line)
        assert found["helpline_callbacks_open"] == 2
        assert found["helpline_callbacks_late"] == 0
        assert found["helpline_callbacks_urgent"] == 1
        assert found["helpline_texts_in_doubt"] == 1
        assert degraded(found) == {"alarm", "texts unknown"}
        assert found["helpline_on_duty"] == 1
        clock.at += timedelta(days=400)
        late = figures(line)
        assert late["helpline_callbacks_late"] == 2
        assert late["helpline_councils_answered"] == 0  # nobody has looked for so long
        assert late["helpline_on_duty"] == 0


async def _busy_day(var: Path, line: Helpline, url: str, clock: SetClock) -> None:
    """One of two requests is urgent, somebody is on duty, of one text nobody can say."""
    extra = {"IVR_DATABASE_URL": url}
    house = build(load_settings(settings_of(var, line.public, **extra)), clock)
    try:
        await house.roster.on("Ada Hill", NUMBER, clock() + timedelta(hours=2))
        async with house.database.writing() as session:
            connection = await session.connection()
            await connection.execute(
                text(
                    "insert into text_message (effect, kind, who, number, number_hash, body, sid,"
                    " state, error, tries, made_at, next_at)"
                    " values ('x', 'answer', 'caller', '', '', '', '', 'unknown', 0, 0, :at, :at)"
                ),
                {"at": clock()},
            )
            await connection.execute(
                text("update callback_request set urgent = true where id = 1"),
            )
    finally:
        await house.database.close()


def test_without_its_database_all_else_is_told(tmp_path: Path) -> None:
    """What only the database knows is left out, not 0; what waits for it is counted."""
    with helpline(tmp_path, SetClock(TUESDAY), **TOKEN) as line:
        assert figures(line).keys() >= OF_DATABASE
        saving = line.play(*SAVING)
        (tmp_path / "helpline.db").rename(tmp_path / "away.db")
        assert line.post(saving.action, "1").page.words.startswith("Saved.")
        (tmp_path / "spool" / "1-odd.aside").write_text("unreadable")
        found = figures(line)
        assert not found.keys() & OF_DATABASE
        assert degraded(found) == {"database", "spool", "aside"}
        assert found["helpline_spool_waiting spool=callbacks"] == 1
        assert found["helpline_spool_waiting spool=texts"] == 0
        assert found["helpline_spool_aside spool=callbacks"] == 1
        assert found["helpline_turns_total heard=keys"] == len(SAVING) + 1
        assert found["helpline_councils"] == 153
        assert found["helpline_ready"] == 1


def test_a_database_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    """PostgreSQL is there and silent; its figures come back when it does."""
    server = PostgreSQL()
    try:
        done(upgrade(server.url))
        with process(tmp_path, IVR_DATABASE_URL=server.url, **TOKEN) as line:
            wait_for(lambda: figures(line).keys() >= OF_DATABASE)
            with server.frozen():
                found = figures(line)
                assert not found.keys() & OF_DATABASE
                assert "database" in degraded(found)
            wait_for(lambda: figures(line).keys() >= OF_DATABASE)
    finally:
        server.stop()


def test_what_readyz_names_is_what_is_degraded(line: Helpline, tmp_path: Path) -> None:
    """The same parts, by the same names."""
    with closing(sqlite3.connect(tmp_path / "helpline.db")) as database:
        database.execute("drop table text_message")
    named = json.loads(line.send("GET", "/readyz").body)["degraded"]
    assert degraded(figures(line)) == set(named) == {"texts", "alarm"}


def test_without_a_book_the_figures_say_so(tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    flows.mkdir()
    with helpline(tmp_path, IVR_FLOWS=str(flows), **TOKEN) as line:
        assert line.play().words
        line.send("POST", "/voice")
        found = figures(line)
        assert found["helpline_ready"] == 0
        assert degraded(found) == {"book"}
        assert found["helpline_last_resorts_total"] == 1
        assert found["helpline_requests_refused_total signature=none"] == 1
        assert asked(line, "").status == 401


# --- who may read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Bearer {SECRET}x", f"Basic {SECRET}", SECRET, "Bearer \xe9\xff"],
)
def test_whoever_has_not_the_token_reads_nothing(line: Helpline, authorization: str) -> None:
    answer = asked(line, authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert b"helpline_" not in answer.body


def test_the_token_is_sent_as_prometheus_sends_it(line: Helpline) -> None:
    answer = asked(line, f"bearer {SECRET}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_without_a_token_nobody_reads_and_is_told_what_to_set(tmp_path: Path) -> None:
    """Not even from this machine: a proxy on it asks for everybody."""
    with helpline(tmp_path) as line:
        for authorization in ("", "Bearer ", f"Bearer {SECRET}"):
            answer = asked(line, authorization)
            assert answer.status == 401
            assert b"IVR_METRICS_TOKEN" in answer.body


def test_in_demo_mode_this_machine_reads_them_unless_a_token_is_set(tmp_path: Path) -> None:
    with helpline(tmp_path, IVR_DEMO="yes") as line:
        assert asked(line, "").status == 200
    with helpline(tmp_path, IVR_DEMO="yes", **TOKEN) as line:
        assert asked(line, "").status == 401
        assert asked(line).status == 200


# --- the document -----------------------------------------------------------------------------


def test_the_document_tells_of_every_figure_and_of_no_other(line: Helpline) -> None:
    """By the names under which they are asked for."""
    page = asked(line).body.decode()
    served = set(re.findall(r"^# TYPE (helpline_\w+) ", page, re.MULTILINE))
    listed = set(re.findall(r"^\| `(helpline_\w+)", DOCS.read_text(), re.MULTILINE))
    assert served == listed
    assert len(re.findall(r"^# HELP helpline_\w+ [A-Z].+\.$", page, re.MULTILINE)) == len(served)


def test_every_alert_of_the_document_asks_for_what_is_there(line: Helpline) -> None:
    found = {name.partition(" ")[0] for name in figures(line)}
    blocks = re.findall(r"^```yaml\n(.+?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    (rules,) = (
        group["rules"] for block in blocks for group in yaml.safe_load(block).get("groups", ())
    )
    named = {name for rule in rules for name in re.findall(r"helpline_\w+", rule["expr"])}
    assert named
    assert named <= found
