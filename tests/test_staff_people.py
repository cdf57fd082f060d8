"""Managing people in a browser, and reading who did what."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from ivr.callbacks.tables import CallBackEvent
from ivr.database import Database
from ivr.people.register import Colleague, Register
from ivr.people.tables import Deed
from tests.colleagues import NAMES, Browser, Place, place
from tests.helplines import SetClock

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ANN, ADA, SUE = NAMES["administrator"], NAMES["adviser"], NAMES["supervisor"]
FIRST = re.compile(r'<code class="secret">(\w{5}-\w{5}-\w{5})</code>')


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path, SetClock(MONDAY)) as made:
        yield made


def people(here: Place) -> dict[str, Colleague]:
    def read(database: Database) -> object:
        return Register(database, lambda: MONDAY).everybody()

    return {one.name: one for one in here.do(read)}


# --- people --------------------------------------------------------------------------------------


def test_a_colleague_is_added_and_comes_in_with_the_password_that_is_shown_once(
    here: Place,
) -> None:
    ann = here.browser(ANN)
    added = ann.post("/people/add", name="Bob O'Hara", role="supervisor")
    assert added.status_code == 200
    found = FIRST.search(added.text)
    assert found
    assert added.headers["cache-control"] == "no-store"
    assert "at their first sign-in they must choose" in added.text
    page = ann.get("/people").text
    assert "Bob O&#39;Hara" in page
    assert found[1] not in page
    bob = here.browser("bob o'hara", found[1])
    assert bob.get("/").headers["location"] == "/staff/account/password"
    again = ann.post("/people/add", name="Bob O'Hara", role="adviser")
    assert again.status_code == 422
    assert "has an account already" in again.text
    assert '<a href="#name">' in again.text


def test_a_new_password_puts_a_colleague_out_until_they_have_it(here: Place) -> None:
    ann, ada = here.browser(ANN), here.browser(ADA)
    found = FIRST.search(ann.post("/people/reset", name=ADA).text)
    assert found
    assert ada.get("/").status_code == 303
    assert here.browser(ADA, found[1]).get("/account/password").status_code == 200


def test_removing_asks_first_and_then_puts_out_at_once(here: Place) -> None:
    ann, ada = here.browser(ANN), here.browser(ADA)
    asked = ann.post("/people/remove", name=ADA)
    assert "Remove Ada Hill?" in asked.text
    assert ada.get("/").status_code == 200
    assert ann.post("/people/remove", name=ADA, sure="1").status_code == 303
    assert ada.get("/").status_code == 303
    assert ADA not in people(here)
    gone = ann.post("/people/remove", name=ADA, sure="1")
    assert (gone.status_code, "There is a problem" in gone.text) == (409, True)
    assert ann.post("/people/reset", name=ADA).status_code == 409


def test_nobody_removes_themselves_or_the_last_administrator(here: Place) -> None:
    ann = here.browser(ANN)
    for path, said in (
        ("/people/remove", "You cannot remove yourself"),
        ("/people/reset", "Change your own"),
        ("/people/role", "Nobody else could manage people"),
    ):
        refused = ann.post(path, name="ann  SMITH", role="adviser", sure="1")
        assert refused.status_code == 422
        assert said in refused.text
    assert people(here)[ANN].role == "administrator"
    assert ann.get("/people").status_code == 200


def test_a_role_is_changed_and_counts_at_once(here: Place) -> None:
    ann, sue = here.browser(ANN), here.browser(SUE)
    changed = ann.post("/people/role", name=SUE, role="administrator")
    assert changed.headers["location"] == "/staff/people?done=role"
    assert sue.get("/people").status_code == 200
    assert ann.post("/people/role", name=ADA, role="boss").status_code == 422
    down = ann.post("/people/role", name=ANN, role="adviser")
    assert down.headers["location"] == "/staff/?done=role"
    assert ann.get("/people").status_code == 403


# --- the audit -----------------------------------------------------------------------------------


def fill(here: Place, events: int, deeds: int) -> None:
    """Let people do much: from Tuesday on, one thing a minute with requests, another elsewhere."""
    begin = MONDAY + timedelta(days=1)

    async def filling(database: Database) -> None:
        async with database.writing() as session:
            for table, count, more in (
                (CallBackEvent, events, {"request_id": 1, "note": "c2VjcmV0"}),
                (Deed, deeds, {"about": "=HYPERLINK()"}),
            ):
                rows = [
                    {
                        "at": begin + timedelta(minutes=number, seconds=len(more)),
                        "who": "rare" if number == 0 else "common",
                        "what": f"{table.__tablename__} {number}",
                        **more,
                    }
                    for number in range(count)
                ]
                await (await session.connection()).execute(insert(table), rows)

    here.do(filling)


def done(page: str) -> list[str]:
    """What a page of the audit shows, in order."""
    return re.findall(r"<td[^>]*>((?:callback|staff)_event \d+)</td>", page)


def pages(browser: Browser, path: str) -> list[list[str]]:
    """All pages from this one on, going to the older one each time."""
    found = []
    while path and len(found) < 9:
        page = browser.get(path).text
        found.append(done(page))
        onward = re.search(r'<a href="/staff([^"]+)">Older</a>', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    return found


def test_the_audit_shows_everything_once_the_newest_first(here: Place) -> None:
    """What was written down late (here a sign-in on Monday) holds back nothing."""
    fill(here, 150, 100)
    found = pages(here.browser(SUE), "/audit")
    every = [each for page in found for each in page]
    assert len(every) == len(set(every)) == 250
    assert len(found) == 3
    assert every[0] == "callback_event 149"
    assert every[-4:] == ["callback_event 1", "staff_event 1", "callback_event 0", "staff_event 0"]
    numbers = [int(each.split()[1]) for each in every]
    assert numbers == sorted(numbers, reverse=True)


def test_the_audit_is_narrowed_to_a_person_and_a_day_of_londons(here: Place) -> None:
    """In summer a day of London's begins an hour before that of UTC."""
    sue = here.browser(SUE)
    fill(here, 5, 5)
    assert set(done(sue.get("/audit?who=rare").text)) == {"callback_event 0", "staff_event 0"}
    assert len(done(sue.get("/audit?who=common&day=2026-11-24").text)) == 8
    assert done(sue.get("/audit?day=2026-11-25").text) == []
    assert "Nothing was done" in sue.get("/audit?day=2026-11-25").text
    assert "<option selected>rare</option>" in sue.get("/audit?who=rare").text

    async def in_summer(database: Database) -> None:
        at = datetime(2026, 6, 9, 23, 30, tzinfo=UTC)
        async with database.writing() as session:
            session.add(Deed(at=at, who=SUE, what="staff_event 77"))

    here.do(in_summer)
    assert done(sue.get("/audit?day=2026-06-10").text) == ["staff_event 77"]
    assert "10 June 2026, 12:30 am" in sue.get("/audit?day=2026-06-10").text
    for day in ("yesterday", "2026-02-30", "9999-12-31"):
        wrong = sue.get(f"/audit?day={day}")
        assert wrong.status_code == 422
        assert "Give the day as" in wrong.text


def test_the_audit_leads_to_requests_and_shows_no_note(here: Place) -> None:
    sue = here.browser(SUE)
    sue.post("/requests/1/urgent", why="the child is not safe")
    page = sue.get("/audit").text
    assert '<a href="/staff/requests/1">482 195</a>' in page
    assert "not safe" not in page
    assert "signed in" in page


def test_the_audit_is_exported_as_shown_and_that_is_recorded(here: Place) -> None:
    """A cell that a spreadsheet would take for a formula is none."""
    fill(here, 3, 3)
    sue = here.browser(SUE)
    answer = sue.get("/audit.csv?who=rare")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {(row["what"], row["reference"], row["about"]) for row in rows} == {
        ("callback_event 0", "482195", ""),
        ("staff_event 0", "", "'=HYPERLINK()"),
    }
    assert rows[0]["at"].startswith("2026-11-24T10:00:0")
    assert ">exported</td>" in sue.get(f"/audit?who={SUE}").text
