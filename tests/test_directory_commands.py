"""`ivr directory`: councils are listed, checked, exported, imported and verified at the prompt."""

import csv
import io
import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.database import Database, upgrade
from ivr.directory.current import Current
from ivr.directory.editing import Editor
from ivr.directory.importing import planned
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.standing import ring_first, standings, troubles
from ivr.yamlfile import Report
from tests.commands import IVR, Command
from tests.databases import new_url
from tests.helplines import SetClock, done, settings_of

COUNCILS = load_councils(Path(__file__).parent.parent / "flows" / "data")
LEEDS, MANCHESTER, WIRRAL = "E08000035", "E08000003", "E08000015"
KINGSTON, RICHMOND = "E09000021", "E09000027"
CHECKED = date(2026, 11, 23)  # when the published numbers were looked at
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # the day after: nothing has lapsed yet
TODAY = NOON.date().isoformat()


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.house.now", SetClock(NOON))


@pytest.fixture
def var(tmp_path: Path) -> Path:
    done(upgrade(f"sqlite+aiosqlite:///{tmp_path}/helpline.db"))
    return tmp_path


def ivr(var: Path, *arguments: str, **settings: str) -> Result:
    environment: Mapping[str, str] = settings_of(var, "https://line.example", **settings)
    return CliRunner().invoke(main, ["directory", *arguments], env=environment)


def told(var: Path, *arguments: str, **settings: str):
    return json.loads(ivr(var, *arguments, "--json", **settings).stdout)


def sheet(var: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ivr(var, "export").stdout)))


def write(path: Path, rows: list[dict[str, str]], **style: str) -> Path:
    written = io.StringIO()
    writer = csv.DictWriter(written, [*rows[0]], **style)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(written.getvalue().encode())
    return path


# --- looking -------------------------------------------------------------------------------------


def test_the_list_says_who_can_be_answered_and_until_when(var: Path) -> None:
    answered = told(var, "list", "--answerable")
    assert len(answered) == 15
    assert {one["lapses_on"] for one in answered} == {"2027-05-22"}
    assert len(told(var, "list", "--unanswerable")) == 138
    assert len(told(var, "list", "--state", "unconfirmed")) == 13
    assert told(var, "list", "--lapsing") == told(var, "list", "--lapsed") == []
    days = (NOON.date() - CHECKED).days
    assert len(told(var, "list", "--lapsing", IVR_PUBLISHED_DAYS=f"{days + 30}")) == 15
    assert len(told(var, "list", "--lapsed", IVR_PUBLISHED_DAYS=f"{days}")) == 15
    said = ivr(var, "list", "--state", "published").stdout
    assert "15 of 153 councils can be answered today." in said
    assert "0161 209 8356" in said


def test_what_will_lapse_is_a_warning_and_what_has_lapsed_is_wrong(var: Path) -> None:
    """Kingston and Richmond have one record, which is told of once."""
    assert ivr(var, "check").exit_code == 0
    days = (NOON.date() - CHECKED).days
    soon = f"{days + 30}"
    found = told(var, "check", IVR_PUBLISHED_DAYS=soon)["findings"]
    assert len(found) == 14
    assert {one["severity"] for one in found} == {"warning"}
    assert ivr(var, "check", IVR_PUBLISHED_DAYS=soon).exit_code == 0
    assert ivr(var, "check", "--strict", IVR_PUBLISHED_DAYS=soon).exit_code == 1


def test_a_number_is_warned_of_thirty_days_before_it_lapses() -> None:
    directory = Directory(COUNCILS)
    lapses = CHECKED + timedelta(days=180)
    for before, warned, wrong in ((31, 0, 0), (30, 14, 0), (1, 14, 0), (0, 0, 14)):
        found = list(troubles(standings(directory, lapses - timedelta(days=before))))
        assert sum(not one.is_wrong for one in found) == warned
        assert sum(one.is_wrong for one in found) == wrong


def test_those_whom_callers_ask_for_most_are_rung_first() -> None:
    """Not those that can be answered, until their number is about to lapse; and councils with one
    service are rung once, for both."""
    asked = {WIRRAL: 9, LEEDS: 2, KINGSTON: 1, RICHMOND: 3, "E09000002": 1}
    directory = Directory(COUNCILS)
    first = ring_first(standings(directory, CHECKED, asked))
    assert [one.council.entry.gss_code for one in first][:2] == [LEEDS, "E09000002"]
    assert len(first) == 138
    later = ring_first(standings(directory, CHECKED + timedelta(days=170), asked))
    assert [one.council.entry.gss_code for one in later][:3] == [WIRRAL, KINGSTON, LEEDS]
    assert len(later) == 152


def test_a_council_is_shown_as_callers_hear_of_it_now(var: Path) -> None:
    assert "hear the number until 2027-05-22" in ivr(var, "show", "Wirral").stdout
    assert "do not hear a number" in ivr(var, "show", "Leeds").stdout
    shown = told(var, "show", MANCHESTER)
    assert list(shown)[:13] == list(COUNCILS[0].entry.as_dict())[:13]
    assert (shown["checked_on"], shown["checked_by"]) == (
        "2026-11-23",
        "fact sheet of 23 November 2026",
    )


def test_without_a_database_what_is_in_the_file_is_told(tmp_path: Path) -> None:
    answer = ivr(tmp_path, "show", "Wirral")
    assert answer.exit_code == 0
    assert "hear the number" in answer.stdout
    assert "The database cannot be read" in answer.stderr
    refused = ivr(tmp_path, "verify", "Wirral")
    assert (refused.exit_code, refused.stdout) == (1, "")


# --- changing ------------------------------------------------------------------------------------


def test_a_number_that_somebody_rang_is_verified_and_that_can_be_undone(var: Path) -> None:
    answer = ivr(var, "verify", "leeds", "--number", "0113 378 5020", "--by", "Ada Bell")
    assert answer.stdout == "Leeds: 0113 378 5020, verified today by Ada Bell.\n"
    shown = told(var, "show", "Leeds")
    assert (shown["state"], shown["checked_on"], shown["checked_by"]) == (
        "verified",
        TODAY,
        "Ada Bell",
    )
    assert len(told(var, "list", "--answerable")) == 16
    assert ivr(var, "undo", "Leeds", "--as", "Bea").stdout == "Leeds is as it was before.\n"
    assert told(var, "show", "Leeds")["state"] == "unconfirmed"
    history = told(var, "history", "Leeds")
    assert [(one["why"], one["new"]["state"]) for one in history] == [
        ("undo", "unconfirmed"),
        ("verify", "verified"),
    ]
    assert "verified  ->  unconfirmed" in ivr(var, "history", "Leeds").stdout
    assert "nobody has changed it" in ivr(var, "history", "Wirral").stdout
    assert ivr(var, "undo", "Wirral").exit_code == 1


@pytest.mark.parametrize(("typed", "state"), [("n", "published"), ("y", "verified")])
def test_at_a_terminal_the_number_that_is_there_is_asked_about_first(
    var: Path, typed: str, state: str
) -> None:
    """Whoever rang may have rung another one."""
    keyboard, terminal = os.openpty()
    os.write(keyboard, f"{typed}\n".encode())
    ours = Command(var, settings_of(var, "https://line.example"))
    ran = subprocess.run(
        [*IVR, "directory", "verify", "Wirral", "--by", "Ada Bell"],
        env=ours.environment,
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for end in (keyboard, terminal):
        os.close(end)
    assert "Wirral: was 0151 522 7990 rung, and is it right? [y/N]" in ran.stdout
    assert (ran.returncode == 0) is (state == "verified")
    assert told(var, "show", "Wirral")["state"] == state


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Kingston",), "Did you mean: Kingston upon Hull, Kingston upon Thames?"),
        (("Leeds", "--number", "0906 600 1234"), "not a UK number at usual cost"),
        (("Leeds", "--number", "ask for Ann"), "not a UK number"),
        (("Barking and Dagenham", "--number", "020 8227 2636"), "service_name"),
        (("Barking and Dagenham",), "must have one"),
    ],
)
def test_what_cannot_be_verified_is_said_and_nothing_is_changed(
    var: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = ivr(var, "verify", *arguments)
    assert answer.exit_code == 1
    assert said in answer.stderr
    assert len(told(var, "list", "--answerable")) == 15


# --- a sheet there and back ----------------------------------------------------------------------


def test_what_was_exported_changes_nothing_and_is_the_file(var: Path) -> None:
    path = var / "sheet.csv"
    assert ivr(var, "export", str(path)).exit_code == 0
    own = Path(__file__).parent.parent / "flows" / "data" / "councils.csv"
    assert path.read_bytes() == own.read_bytes()
    for name in (str(path), str(own)):
        answer = ivr(var, "import", name, "--apply")
        assert (answer.exit_code, answer.stdout) == (
            0,
            "153 rows, and nothing in them is different.\n",
        )
    assert told(var, "history", "Leeds") == []


def test_an_import_is_shown_first_and_done_when_told_to(var: Path) -> None:
    """The number is given as printed only; a few rows are enough; spreadsheets add their own."""
    rows = [row for row in sheet(var) if row["gss_code"] in (LEEDS, WIRRAL)]
    rows[0] |= {
        "phone": "",
        "phone_printed": "0113 378 5021",
        "state": "verified",
        "checked_on": NOON.strftime("%d/%m/%Y"),
        "checked_by": "Bea",
    }
    rows[1]["phone"] = "4.41515E+11"
    path = write(var / "sheet.csv", [*rows, dict.fromkeys(rows[0], "")], lineterminator="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    dry = told(var, "import", str(path))
    changes = {one["column"]: (one["old"], one["new"]) for one in dry["differences"]}
    assert changes == {
        "phone": ("+441133785020", "+441133785021"),
        "phone_printed": ("0113 378 5020", "0113 378 5021"),
        "state": ("unconfirmed", "verified"),
        "checked_on": ("", TODAY),
        "checked_by": ("", "Bea"),
    }
    assert dry["applied"] is False
    said = ivr(var, "import", str(path)).stdout
    assert "0113 378 5020  ->  0113 378 5021" in said
    assert "Callers hear 16 numbers then; before, 15." in said
    assert "Nothing is changed yet" in said
    assert told(var, "show", "Leeds")["state"] == "unconfirmed"
    assert told(var, "import", str(path), "--apply", "--as", "Cy")["applied"] is True
    assert told(var, "show", "Leeds")["phone"] == "+441133785021"
    (change,) = told(var, "history", "Leeds")
    assert (change["who"], change["why"]) == ("Cy", "import")
    assert told(var, "history", "Wirral") == []


def test_a_sheet_in_the_older_form_leaves_who_checked_as_it_is(var: Path) -> None:
    rows = [{name: row[name] for name in [*row][:13]} for row in sheet(var)]
    rows[0]["note"] = "ask again in spring"
    path = write(var / "sheet.csv", rows)
    (one,) = told(var, "import", str(path), "--apply")["differences"]
    assert one["new"] == "ask again in spring"
    assert len(told(var, "list", "--answerable")) == 15


def test_councils_with_one_service_are_changed_in_both_rows_or_in_one_alone(var: Path) -> None:
    rows = [row for row in sheet(var) if row["gss_code"] in (KINGSTON, RICHMOND)]
    rows[1]["note"] = "they moved"
    both = write(var / "both.csv", rows)
    (finding,) = told(var, "import", str(both))["findings"]
    assert (finding["line"], finding["column"]) == (3, 13)
    assert "it is not the same as that of Kingston upon Thames" in finding["message"]
    alone = write(var / "alone.csv", rows[1:])
    assert told(var, "import", str(alone), "--apply")["applied"] is True
    assert {told(var, "show", code)["note"] for code in (KINGSTON, RICHMOND)} == {"they moved"}


# --- a filthy sheet ------------------------------------------------------------------------------


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    database = Database(new_url("sqlite", tmp_path))
    return Editor(
        database, Current(database, tmp_path / "directory.json", COUNCILS), SetClock(NOON)
    )


def findings(editor: Editor, path: Path) -> list[str]:
    report = Report()
    planned(path, path.name, editor, report)
    return [str(finding) for finding in sorted(report.findings)]


def as_row(code: str, **values: str) -> dict[str, str]:
    (entry,) = (one.entry for one in COUNCILS if one.entry.gss_code == code)
    return entry.as_dict() | values


def test_every_bad_row_of_a_filthy_sheet_is_named_at_once(editor: Editor, tmp_path: Path) -> None:
    """With line, column, what is wrong and what to do."""
    tomorrow = (NOON.date() + timedelta(days=2)).isoformat()
    codes = [one.entry.gss_code for one in COUNCILS if one.entry.state == "published"]
    bad = [
        {"gss_code": "E08000099"},
        {"phone": "+449066001234", "phone_printed": "0906 600 1234", "checked_on": TODAY},
        {"phone": "", "phone_printed": "see the website", "checked_on": TODAY},
        {"phone_printed": "0161 209 8357"},
        {"state": "probably"},
        {"checked_on": tomorrow},
        {"checked_by": ""},
        {"source_url": ""},
        {"service_name": "Ring <b>0800</b>"},
        {"note": "a\0b"},
        {"source_date": "x" * 400},
        {"region": "Atlantis"},
        {"record": LEEDS},
    ]
    rows = [as_row(code, **values) for code, values in zip(codes, bad, strict=False)]
    rows.append(dict(rows[3]))
    path = write(tmp_path / "sheet.csv", rows)
    said = findings(editor, path)
    columns = (1, 5, 6, 6, 10, 14, 15, 11, 4, 13, 12, 3, 16)
    for line, column in enumerate(columns, 2):
        assert any(one.startswith(f"sheet.csv:{line}:{column}: error ") for one in said), line
    assert "sheet.csv:15:1: error F004: gss_code: E10000018 is there twice" in "\n".join(said)
    assert all("\0" not in one and len(one) < 400 and one.endswith(")") for one in said)


def test_nothing_of_a_sheet_with_one_bad_row_is_taken_over(var: Path) -> None:
    rows = [as_row(WIRRAL, note="good"), as_row(LEEDS, state="sure")]
    answer = ivr(var, "import", str(write(var / "sheet.csv", rows)), "--apply")
    assert answer.exit_code == 1
    assert 'sheet.csv:3:10: error F007: state: "sure" is not a state' in answer.stdout
    assert "Nothing was changed" in answer.stdout
    assert told(var, "history", "Wirral") == []


HEADER = ",".join(as_row(LEEDS))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "sheet.csv:1:1: error F002: these are not the columns"),
        (b"name,number\nLeeds,1\n", "sheet.csv:1:1: error F002: these are not the columns"),
        (HEADER.replace(",", ";").encode(), "semicolons stand between them (save it as"),
        (HEADER.replace(",", "\t").encode(), "tabs stand between them (save it as"),
        (HEADER.encode() + b"\nE08000035,L\xe9eds", "sheet.csv:2:1: error F001: this is not UTF-8"),
        (HEADER.encode("utf-16"), "sheet.csv:1:1: error F001: this is not UTF-8"),
        (b"PK\x03\x04rubbish", "a spreadsheet's own file, not CSV"),
        (HEADER.encode() + b"\nE08000035,Leeds\n", "sheet.csv:2:2: error F002: 2 columns instead"),
        (HEADER.encode() + b'\nE08000035,"Leeds\n', "this is not CSV"),
        (HEADER.encode() + b"\n" + b"x" * 200_000, "this is not CSV: field larger"),
        (HEADER.encode() + b"\n", "there are no councils in it"),
    ],
)
def test_a_sheet_that_is_none_is_told_as_such(
    editor: Editor, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "sheet.csv").write_bytes(content)
    found = findings(editor, tmp_path / "sheet.csv")
    assert said in "\n".join(found)
