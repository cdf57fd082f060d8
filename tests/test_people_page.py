"""The page of people in a real browser, at any width."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsers import CHROMIUM, WINDOW, Desk, add_person, chromium, in_each
from tests.helplines import helpline

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")

LONG_NAME = "Amina Begum-Featherstonehaugh"
WINDOWS = {
    "a desktop": WINDOW,
    "320 px": {"viewport": {"width": 320, "height": 640}},
    "400 % zoom": {"viewport": {"width": 320, "height": 256}},
    "forced colours": {**WINDOW, "forced_colors": "active"},
}
# Whatever is wider than the place that it has, so that it is cut off or scrolls sideways.
HIDDEN = """() => [...document.querySelectorAll('main, main *:not(.unseen)')]
  .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
  .map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture
def cy(tmp_path: Path) -> Iterator[Desk]:
    with helpline(tmp_path) as line, chromium() as browser:
        for name, role in (("Cy", "administrator"), (LONG_NAME, "adviser")):
            add_person(tmp_path, name, role)
        desk = Desk(browser.new_context(**WINDOW).new_page(), line)
        desk.sign_in("Cy")
        desk.go("/people")
        yield desk


def test_all_that_can_be_done_is_in_sight_at_every_width(cy: Desk) -> None:
    """No button hides beside the window, and each says whom it is about."""
    seen = {}
    for window in in_each(cy.page, WINDOWS):
        seen[window] = cy.faults() + cy.page.evaluate(HIDDEN)
        for button in (f"Change the role of {LONG_NAME}", f"Remove the account of {LONG_NAME}"):
            box = cy.page.get_by_role("button", name=button).bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= cy.page.evaluate("innerWidth"), (window, button)
    assert seen == {window: [] for window in WINDOWS}


def test_a_role_is_changed_where_the_person_stands(cy: Desk) -> None:
    cy.page.get_by_label(f"Role of {LONG_NAME}").select_option("supervisor")
    cy.press(f"Change the role of {LONG_NAME}")
    assert "Their role is changed." in cy.words
    chosen = cy.page.get_by_label(f"Role of {LONG_NAME}").input_value()
    assert chosen == "supervisor"
