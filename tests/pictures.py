"""``python -m tests.pictures``: screenshots of every page, into ``docs/pictures``.

A helpline of its own with made-up requests is served for it, at a fixed time: the same pictures
each time, unless a page has changed.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browsers import CHROMIUM, Desk, add_person, chromium
from tests.helplines import ROOT, Helpline, SetClock, helpline

FOLDER = ROOT / "docs" / "pictures"
MORNING = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
WIDE = {"viewport": {"width": 1100, "height": 700}}
LONG = ("directory", "public")  # of these, what is seen before anybody scrolls
NARROW = {"viewport": {"width": 320, "height": 640}}
SETTINGS = {
    "IVR_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "IVR_TWILIO_NUMBER": "+441134960000",
    "IVR_TEXT_FROM": "+447400123499",
    "IVR_TWILIO_API_URL": "http://127.0.0.1:9",  # nobody is there: nothing is sent
    "IVR_ACCESS_NEEDS": "message,someone-else,slower,interpreter,relay",
    "IVR_SAFETY_LEAD": "Sam, extension 5",
    "IVR_SAFETY_STEPS": "Keep talking, calmly; Write down the words that were said",
}


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.parse_args()
    if not CHROMIUM:
        raise SystemExit("There is no Chromium on this machine: apt-get install chromium")
    FOLDER.mkdir(parents=True, exist_ok=True)
    clock = SetClock(MORNING)
    with TemporaryDirectory() as var, helpline(Path(var), clock, **SETTINGS) as line:
        for name, role in (("Cy", "administrator"), ("Amina", "adviser")):
            add_person(var, name, role)
        _story(line, clock)
        with chromium() as browser:
            desk = Desk(browser.new_context(**WIDE).new_page(), line)
            for name in pages(desk):
                _take(desk, name)


def _take(desk: Desk, name: str) -> None:
    for suffix, window in (("", WIDE), ("-320", NARROW)):
        desk.page.set_viewport_size(window["viewport"])  # type: ignore[arg-type]
        whole = name not in LONG
        desk.page.screenshot(path=FOLDER / f"{name}{suffix}.png", full_page=whole)
    desk.page.set_viewport_size(WIDE["viewport"])  # type: ignore[arg-type]
    print(f"{name}, {name}-320")


def pages(desk: Desk) -> Iterator[str]:
    """Every page, one after another: the browser shows it while it is named."""
    desk.go("/sign-in")
    yield "sign-in"
    desk.sign_in("Cy")
    yield "queue"
    desk.press("Take the next one")
    yield "request"
    desk.page.get_by_label("Wrong number").check()
    desk.press("Save and let go")
    yield "request-error"
    desk.page.get_by_text("Worried about safety?", exact=True).click()
    desk.page.get_by_label("What worries you?").fill("Alone with a small child, and no food.")
    desk.press("Mark it urgent")
    yield "request-urgent"
    desk.go("/directory")
    yield "directory"
    desk.go("/directory/E08000003")
    yield "council"
    for path in ("duty", "today", "reports", "people", "audit"):
        desk.go(f"/{path}")
        yield path
    for path in ("account", "account/password", "account/codes"):
        desk.go(f"/{path}")
        yield path.replace("/", "-")
    desk.page.goto(f"http://127.0.0.1:{desk.line.port}/")
    yield "public"


def _story(line: Helpline, clock: SetClock) -> None:
    """A few parents ask to be rung, in the hours before."""
    for hours, keys in (
        (50, "1 1 1 - 0 1 1 1 1 3 1 1"),
        (20, "2 2 1 - - 0 1 1 2 1 3 2 2"),
        (2, "3 626 1 0 1 1 3 1"),
        (1, "0 1 1 1 1 3 1 2 1"),
    ):
        clock.at = MORNING - timedelta(hours=hours)
        line.another_caller().play(*("" if key == "-" else key for key in keys.split()))
    clock.at = MORNING


if __name__ == "__main__":
    main()
