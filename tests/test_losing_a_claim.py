"""A page that is left open: whoever works there is told when the request is theirs no longer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.browsers import CHROMIUM, WINDOW, Desk, add_person, chromium
from tests.helplines import SetClock, helpline

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
ASKED = ("0", "1", "1", "1", "1")  # my number, any time, save


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    """Amina, whose page has a clock of its own and a request, and Bea."""
    with helpline(tmp_path, SetClock(TUESDAY)) as line, chromium() as browser:
        desks = []
        for name in ("Amina", "Bea"):
            add_person(tmp_path, name, "adviser")
            desk = Desk(browser.new_context(**WINDOW).new_page(), line)
            desk.page.clock.install()
            desk.sign_in(name)
            desks.append(desk)
        assert "Saved" in line.play(*ASKED).words
        amina, bea = desks
        amina.press("Take the next one")
        yield amina, bea


def test_whoever_lost_a_request_is_told_aloud_and_keeps_what_they_wrote(
    two: tuple[Desk, Desk],
) -> None:
    """As an alert, which screen readers say at once; nothing else on the page changes."""
    amina, bea = two
    amina.page.get_by_label("Note for the next person").fill("Rings from four o'clock.")
    assert amina.page.get_by_role("alert").inner_text() == ""
    bea.go("/requests/1")
    bea.press("Take it over from Amina")
    with amina.page.expect_response("**/longer"):
        amina.page.clock.run_for("05:30")
    amina.page.get_by_role("alert").get_by_text("It is not yours any longer.").wait_for()
    assert "Yours" not in amina.words
    note = amina.page.get_by_label("Note for the next person")
    assert note.input_value() == "Rings from four o'clock."
    assert amina.faults() == []


def test_a_page_that_was_open_for_an_hour_asks_whether_they_go_on(two: tuple[Desk, Desk]) -> None:
    """It does not say "yours" when it renews the claim no longer."""
    amina, _ = two
    for _ in range(12):
        with amina.page.expect_response("**/longer"):
            amina.page.clock.run_for("05:00")
    amina.page.get_by_text("This page has been open for an hour.").wait_for()
    assert "Yours while" not in amina.words
    amina.press("Keep it for longer")
    assert "It is yours for 15 minutes more." in amina.words
