"""What a caller agreed to is what staff do: the question, the tag and the script agree."""

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml
from sqlalchemy import text

from ivr.config.values import NEEDS
from ivr.database import Database
from tests.colleagues import NAMES, Place, place
from tests.helplines import ROOT, SetClock

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
ONE = "/requests/1"
LEAVE_NO_MESSAGE = "Leave no message"
MAY_LEAVE_ONE = "You may leave a message: say only your first name"
SOMEONE_ELSE_MAY = "Someone else may answer: say only your first name"
SOMEONE_ELSE_MAY_NOT = "If someone else answers, end the call: say only your first name"
# What would tell another person in the house that the caller asked for help.
REVEALS = re.compile(
    r"helpline|school|advice|support|asked us|you asked|rang us|call you asked", re.I
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path, SetClock(TUESDAY)) as made:
        yield made


def agreed(here: Place, *needs: str) -> None:
    """The caller said yes to these."""

    async def change(database: Database) -> None:
        async with database.writing() as session:
            statement = text("update callback_request set access = :access")
            await (await session.connection()).execute(statement, {"access": json.dumps(needs)})

    here.do(change)


def tags(page: httpx.Response) -> list[str]:
    listed = re.search(r'aria-label="How to ring">(.*?)</ul>', page.text, re.S)
    assert listed
    return re.findall(r"<li>(.*?)</li>", listed[1])


def passage(page: httpx.Response, title: str) -> str:
    """What a box or a script of the page says, from its title to its end."""
    ends = r"</details>|</section>|<details"
    found = re.search(rf"{title}(?:</h2>|[^<]*</summary>)(.*?)(?:{ends})", page.text, re.S)
    assert found, title
    return found[1]


def scripts(passage: str) -> list[str]:
    return re.findall(r'class="script">(.*?)</p>', passage, re.S)


def all_answers() -> Iterator[tuple[str, ...]]:
    return itertools.chain.from_iterable(
        itertools.combinations(NEEDS, size) for size in range(len(NEEDS) + 1)
    )


def test_each_consent_is_printed_granted_or_refused_beside_every_other_need(here: Place) -> None:
    """An adviser who reads only "Speak slowly" cannot tell that no message may be left."""
    ada = here.browser(NAMES["adviser"])
    for needs in all_answers():
        agreed(here, *needs)
        for page in (ada.get("/"), ada.get(ONE)):
            message, other, *others = tags(page)
            assert message == (MAY_LEAVE_ONE if "message" in needs else LEAVE_NO_MESSAGE), needs
            wanted = SOMEONE_ELSE_MAY if "someone-else" in needs else SOMEONE_ELSE_MAY_NOT
            assert other == wanted, needs
            assert len(others) == len(set(needs) - {"message", "someone-else"}), needs


def test_no_script_for_another_listener_says_who_rings_whatever_was_agreed(here: Place) -> None:
    """A yes to "Is it all right if someone else answers?" never permits naming the line."""
    ada = here.browser(NAMES["adviser"])
    ada.post("/next")
    for needs in all_answers():
        agreed(here, *needs)
        page = ada.get(ONE)
        opening, _, _ = passage(page, "Words to open with").partition("Once they have said it")
        heard_by_others = [
            *scripts(opening),
            *scripts(passage(page, "If you reach voicemail")),
            *scripts(passage(page, "If someone else answers")),
        ]
        assert len(heard_by_others) == 5 + ("message" in needs), needs
        assert [one for one in heard_by_others if REVEALS.search(one)] == [], needs
        assert heard_by_others[0] == "“Hello, it's Ada. Is this a good time?”"


def test_the_voicemail_script_is_there_only_with_consent(here: Place) -> None:
    ada = here.browser(NAMES["adviser"])
    ada.post("/next")
    page = ada.get(ONE)
    assert scripts(passage(page, "If you reach voicemail")) == []
    assert "Leave no message" in passage(page, "If you reach voicemail")
    agreed(here, "message")
    (script,) = scripts(passage(ada.get(ONE), "If you reach voicemail"))
    assert script == "“Hello, it's Ada. I will try you again. Goodbye.”"


def test_callers_are_asked_what_staff_read_as_agreed() -> None:
    """The questions as they stand: one that asks for more needs a consent of its own."""
    asked = yaml.safe_load((ROOT / "prompts/en-GB/needs.yaml").read_text())["prompts"]
    assert asked["leave-a-message"] == "If you do not answer, may we leave a message?"
    wording = "Is it all right if someone else answers the phone?"
    assert asked["someone-else-may-answer"] == wording
