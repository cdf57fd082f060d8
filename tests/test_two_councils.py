"""A caller who asks about one council and then about another is never told of both at once."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.helplines import Helpline, Page, SetClock, helpline

TUESDAY = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
MILTON_KEYNES = "+441908222222"  # a landline there, so that one key chooses it
NUMBER = "+441908254518"  # of its service, which is open until three


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    with helpline(tmp_path_factory.mktemp("var"), SetClock(TUESDAY)) as line:
        yield line


def pressed(line: Helpline, page: Page, *keys: str) -> Page:
    for key in keys:
        page = line.post(page.action, key).page
    return page


def test_star_does_not_lead_back_from_one_council_to_the_service_of_another(
    line: Helpline,
) -> None:
    """Leeds has no number that anybody vouched for: nobody hears that of Milton Keynes for it."""
    caller = line.another_caller(MILTON_KEYNES)
    page = caller.play("3", "1")
    assert "Milton Keynes has a free advice service" in page.words
    assert "It is open now" in page.words
    page = pressed(caller, page, "0", "3", "", "533", "1")
    assert "Leeds has a free advice service" in page.words
    for _ in range(12):
        page = pressed(caller, page, "*")
        assert "MK SENDIAS" not in page.words
    assert "Hello." in page.words


def test_who_tries_again_is_put_through_to_the_council_that_was_asked_about_last(
    line: Helpline,
) -> None:
    caller = line.another_caller(MILTON_KEYNES)
    ringing = caller.play("3", "1", "2")
    assert NUMBER in [verb.text for verb in ringing.xml.iter("Number")]
    busy = caller.post(ringing.action, DialCallStatus="busy").page
    assert "Their line is busy just now." in busy.words
    page = pressed(caller, busy, "0", "3", "", "533", "1")
    assert "Leeds has a free advice service" in page.words
    for _ in range(12):
        page = pressed(caller, page, "*")
        if "To try again press 1" in page.words:
            break
    else:
        raise AssertionError("star does not come by the menu of the line that was busy")
    again = pressed(caller, page, "1")
    assert "We have not checked its number yet" in again.words
    assert "Dial" not in again.verbs
