"""Sheets that were through many hands: what an import takes for numbers and days."""

from pathlib import Path

import pytest

from ivr.database import Database
from ivr.directory.current import Current
from ivr.directory.editing import Editor
from ivr.directory.entries import Entry
from ivr.directory.importing import Plan, exported, planned
from ivr.directory.loading import load_councils
from ivr.house import now
from ivr.yamlfile import Report
from tests.databases import new_url

COUNCILS = load_councils(Path(__file__).parent.parent / "flows" / "data")
WIRRAL = next(one.entry for one in COUNCILS if one.entry.council == "Wirral")
LEEDS = next(one.entry for one in COUNCILS if one.entry.council == "Leeds")


def read(folder: Path, *entries: Entry) -> tuple[Plan, list[str]]:
    """What a sheet of these entries would change, and what is wrong with it."""
    path, report = folder / "sheet.csv", Report()
    path.write_text(exported(entries), "utf-8", newline="")
    database = Database(new_url("sqlite", folder))
    editor = Editor(database, Current(database, folder / "directory.json", COUNCILS), now)
    plan = planned(path, path.name, editor, report)
    return plan, [str(finding) for finding in sorted(report.findings)]


@pytest.mark.parametrize("day", ["٢٣/١١/٢٠٢٦", "2３/11/2026", "23/11/202६"])
def test_a_day_in_digits_of_another_script_is_told_and_not_guessed(
    tmp_path: Path, day: str
) -> None:
    plan, (said,) = read(tmp_path, WIRRAL.changed({"checked_on": day}))
    assert not plan.wanted
    assert said.startswith("sheet.csv:2:14: error F007: checked_on: ")
    assert "is not a day" in said


def test_a_contact_is_not_vouched_for_on_no_day(tmp_path: Path) -> None:
    """It would never be read out, though it says that somebody verified it."""
    vouched = {"state": "verified", "checked_by": "Bea"}
    _, (said,) = read(tmp_path, LEEDS.changed(vouched))
    assert said.startswith("sheet.csv:2:14: error F006: checked_on: a verified contact is not")
    _, told = read(tmp_path, WIRRAL.changed({"checked_on": ""}))
    assert [one.split(": ")[1] for one in told] == ["error F006"]


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2009"])
def test_a_number_with_the_fixed_spaces_of_a_web_page_is_read(tmp_path: Path, space: str) -> None:
    printed = "0113 378 5021".replace(" ", space)
    new = {"phone": "", "phone_printed": printed, "state": "verified"}
    checked = {"checked_on": now().date().isoformat(), "checked_by": "Bea"}
    plan, said = read(tmp_path, LEEDS.changed(new | checked))
    assert said == []
    assert plan.wanted[0].values["phone"] == "+441133785021"
    assert plan.wanted[0].values["phone_printed"] == "0113 378 5021"


def test_a_number_in_digits_of_another_script_is_told(tmp_path: Path) -> None:
    printed = "151522799٠"
    _, said = read(tmp_path, WIRRAL.changed({"phone": "", "phone_printed": printed}))
    assert any("phone_printed: " in one and "is not a UK number" in one for one in said)
