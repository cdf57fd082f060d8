"""A real Chromium for the tests of the staff pages, and somebody signed in.

Debian's ``chromium`` is driven by Playwright. Where there is none, these tests are skipped, and say
so.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from ivr.config import load_settings
from ivr.database import Database
from ivr.house import now
from ivr.people.register import Register
from tests.helplines import Helpline, done, settings_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
PASSWORD = "a few words in a row"
WINDOW: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
AXE = Axe().axe_script
# What is well is not listed, and not brought back: it would take half of the time.
LOOK = (
    "rules => axe.run({runOnly: rules, resultTypes: ['violations']})"
    ".then(found => found.violations)"
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for as long as the block lasts."""
    with sync_playwright() as playwright:
        # Without its sandbox, which containers do not allow; it only sees pages of our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def add_person(var: Any, name: str, role: str, **settings: str) -> None:
    """Add somebody who need not choose another password first."""
    chosen = load_settings(settings_of(var, "http://127.0.0.1", **settings))

    async def added() -> None:
        database = Database(chosen.database_url)
        try:
            await Register(database, now).add(name, role, by="tests", password=PASSWORD)
        finally:
            await database.close()

    done(added())


def in_each(page: Page, windows: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Show this page in each of these windows; the last is the first one again, without a name."""
    first = next(iter(windows.values()))
    for name, window in (*windows.items(), ("", first)):
        page.set_viewport_size(window["viewport"])
        page.emulate_media(
            color_scheme=window.get("color_scheme", "light"),
            forced_colors=window.get("forced_colors", "none"),
        )
        if name:
            yield name


@dataclass
class Desk:
    """A browser window in which somebody works."""

    page: Page
    line: Helpline

    def go(self, path: str = "/") -> None:
        """Open a staff page."""
        self.page.goto(f"http://127.0.0.1:{self.line.port}/staff{path}")

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Come in by the front door."""
        self.go("/sign-in")
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")

    def press(self, name: str) -> None:
        """Press a button, by its words."""
        self.page.get_by_role("button", name=name).click()

    @property
    def words(self) -> str:
        """All that can be read in the main part."""
        return " ".join(self.page.locator("main").inner_text().split())

    @property
    def heading(self) -> str:
        """The page's first heading."""
        return " ".join(self.page.locator("h1").inner_text().split())

    def faults(self) -> list[str]:
        """What axe finds wrong on this page, and whether it is wider than the window."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate(LOOK, RULES)
        faults = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
        wide, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return faults + ([f"{wide} wide in a window of {window}"] if wide > window else [])
