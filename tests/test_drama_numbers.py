"""Ofcom's numbers for drama reach no service: outside demo mode the directory takes none, and what
is there already is neither spoken nor rung, wherever it came from."""

import csv
import io
import json
import logging
import re
import shlex
import shutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import click
import pytest
from databases import ROOT, ready_url

from ivr.cli import main
from ivr.config import load_settings
from ivr.database import Database
from ivr.directory.current import Current
from ivr.directory.editing import Editor, FaultyError, Wanted, Why
from ivr.directory.entries import Council, Periods, lapses_on, may_be_spoken
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.texting import contact
from ivr.house import build
from ivr.numbers import is_drama
from tests.colleagues import NAMES, place
from tests.commands import Command, Done
from tests.helplines import Helpline, SetClock, done, helpline, settings_of, wait_for

COUNCILS = load_councils(ROOT / "flows" / "data")
LEEDS, MANCHESTER = "E08000035", "E08000003"
TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
DRAMA, OWN = "0113 496 0123", "0113 378 5020"
CHECKED = {"state": "verified", "checked_on": "2026-11-23", "checked_by": "Bea"}
REFUSED = "one of Ofcom's numbers for drama"
OFFERED = "To hear its number press 1."
VALUES = {"phone_printed": DRAMA, **CHECKED}


# --- the rule ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+441134960000", True),
        ("+441184960999", True),
        ("+441614960123", True),
        ("+441914980123", True),
        ("+442079460123", True),
        ("+442896496123", True),
        ("+442920180123", True),
        ("+441632960123", True),
        ("+447700900123", True),
        ("+443069990123", True),
        ("+448081570123", True),
        ("+441133785020", False),
        ("+441134970000", False),
        ("+441914960123", False),
        ("+448081571000", False),
        ("+448081645527", False),
        ("", False),
    ],
)
def test_drama_numbers_are_those_of_ofcoms_list(number: str, expected: bool) -> None:
    assert is_drama(number) == expected


@pytest.mark.parametrize("state", ["verified", "published"])
@pytest.mark.parametrize("phone", ["+441134960123", "+448081570123"])
def test_only_demo_mode_speaks_one(phone: str, state: str) -> None:
    entry = (
        Directory(COUNCILS)
        .council(MANCHESTER)
        .entry.changed({"phone": phone, "state": state, "checked_on": "2026-11-23"})
    )
    today, demo = date(2026, 11, 24), Periods(drama=True)
    assert lapses_on(entry, Periods()) is None
    assert not may_be_spoken(entry, today, Periods())
    assert may_be_spoken(entry, today, demo)
    for periods, used in ((Periods(), False), (demo, True)):
        directory = Directory([Council(entry, "Manchester", "Manchester")], periods=periods)
        assert directory.may_ring(phone, today) == used


# --- changes -------------------------------------------------------------------------------------


def editor_of(database: Database, folder: Path, demo: bool = False) -> Editor:
    def make(councils: Iterable[Council]) -> Directory:
        return Directory(councils, periods=Periods(drama=demo))

    current = Current(database, folder / "directory.json", COUNCILS, make)
    return Editor(database, current, SetClock(TUESDAY))


async def refused(change: Awaitable[None]) -> None:
    """This raises, and names the number."""
    with pytest.raises(FaultyError) as caught:
        await change
    assert REFUSED in caught.value.fields["phone"]


async def test_no_change_brings_one_in(database: Database, tmp_path: Path) -> None:
    editor = editor_of(database, tmp_path)
    before = editor.entry(LEEDS)
    await refused(editor.change(LEEDS, VALUES, 0, "Bea"))
    await refused(editor.change(LEEDS, {"phone_printed": "0808 157 0123", **CHECKED}, 0, "Bea"))
    await refused(editor.change(LEEDS, {**VALUES, "state": "unconfirmed"}, 0, "Bea"))
    await refused(editor.verify(LEEDS, "Bea", DRAMA))
    await refused(editor.verify(LEEDS, "Bea", "+441134960123"))
    sheet = [Wanted(MANCHESTER, {"note": "x"}, 0), Wanted(LEEDS, VALUES, 0)]
    await refused(editor.change_all(sheet, "Bea", Why.IMPORT))
    assert editor.entry(LEEDS) == before
    assert await editor.history(LEEDS) == await editor.history(MANCHESTER) == []


async def test_one_that_demo_mode_left_is_replaced_and_not_brought_back(
    database: Database, tmp_path: Path
) -> None:
    """Undo goes back to the number before it, and never to it."""
    demo = editor_of(database, tmp_path, demo=True)
    await demo.verify(LEEDS, "Bea", DRAMA)
    editor = editor_of(database, tmp_path)
    await editor.current.look()
    now = editor.current.now()
    assert not now.may_be_spoken(now.council(LEEDS), editor.day())
    assert not now.may_ring("+441134960123", editor.day())
    last = editor.last_change(LEEDS)
    await refused(editor.verify(LEEDS, "Cy"))
    await refused(editor.change(LEEDS, {"note": "a note"}, last, "Cy"))
    await editor.verify(LEEDS, "Cy", OWN)
    await refused(editor.undo(LEEDS, editor.last_change(LEEDS), "Cy"))
    assert editor.entry(LEEDS).phone_printed == OWN
    await demo.current.look()
    await demo.undo(LEEDS, demo.last_change(LEEDS), "Bea")
    assert demo.entry(LEEDS).phone_printed == DRAMA
    await editor.current.look()
    with_none = {"phone": "", "phone_printed": "", "state": "missing"}
    await editor.change(LEEDS, with_none, editor.last_change(LEEDS), "Cy")


async def test_undo_goes_back_to_the_number_before_it(database: Database, tmp_path: Path) -> None:
    await editor_of(database, tmp_path, demo=True).verify(LEEDS, "Bea", DRAMA)
    editor = editor_of(database, tmp_path)
    await editor.current.look()
    await editor.undo(LEEDS, editor.last_change(LEEDS), "Cy")
    assert editor.entry(LEEDS).phone_printed == OWN


# --- at the prompt -------------------------------------------------------------------------------


@pytest.fixture
def var(tmp_path: Path) -> Path:
    ready_url("sqlite", tmp_path)
    return tmp_path


@pytest.fixture
def ivr(var: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    monkeypatch.setattr("ivr.house.now", SetClock(TUESDAY))
    return Command(var, settings_of(var, "https://line.example"))


def test_the_commands_refuse_one_and_say_what_to_write(ivr: Callable[..., Done], var: Path) -> None:
    verify = ("directory", "verify", "Leeds", "--number", DRAMA, "--by", "Ada Bell")
    told = ivr(*verify)
    assert (told.returncode, told.stdout) == (1, "")
    assert f'phone: "{DRAMA}" is {REFUSED}: it reaches nobody' in told.stderr
    assert "(write the service's own number, or none)" in told.stderr
    rows = list(csv.DictReader(io.StringIO(ivr("directory", "export").stdout)))
    row = next(one for one in rows if one["gss_code"] == LEEDS) | VALUES | {"phone": ""}
    with (var / "sheet.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*row])
        writer.writeheader()
        writer.writerow(row)
    imported = ("directory", "import", "sheet.csv", "--apply")
    told = ivr(*imported)
    assert told.returncode == 1
    assert f'sheet.csv:2:5: error F007: phone: "{DRAMA}" is {REFUSED}' in told.stdout
    assert json.loads(ivr("directory", "history", "Leeds", "--json").stdout) == []
    assert ivr(*imported, IVR_DEMO="yes").returncode == 0
    assert ivr(*verify, IVR_DEMO="yes").returncode == 0


def test_check_doctor_and_show_tell_of_one_that_is_there(ivr: Callable[..., Done]) -> None:
    ivr("directory", "verify", "Leeds", "--number", DRAMA, IVR_DEMO="yes")
    told = ivr("directory", "check")
    assert told.returncode == 1
    assert f"Leeds: error: {DRAMA} is a number for drama (Ofcom): it is not read out" in told.stdout
    assert f'ivr directory verify {LEEDS} --by NAME --number "ITS OWN"' in told.stdout
    assert "numbers for drama are not read out: Leeds (ivr directory check)" in ivr("doctor").stdout
    assert "do not hear a number" in ivr("directory", "show", "Leeds").stdout
    assert ivr("directory", "check", IVR_DEMO="yes").returncode == 0
    assert "drama" not in ivr("doctor", IVR_DEMO="yes").stdout
    assert "hear the number until" in ivr("directory", "show", "Leeds", IVR_DEMO="yes").stdout


# --- on the pages --------------------------------------------------------------------------------


def test_the_pages_refuse_one_beside_its_field_and_lose_nothing(tmp_path: Path) -> None:
    with place(tmp_path, SetClock(TUESDAY)) as here:
        here.do(lambda database: editor_of(database, tmp_path, demo=True).verify(LEEDS, "B", DRAMA))
        here.do(lambda database: changed_to_own(editor_of(database, tmp_path)))
        sue, path = here.browser(NAMES["supervisor"]), f"/directory/{LEEDS}"
        page = sue.get(path).text
        last = re.findall(r'name="change" value="(\d+)"', page)[0]
        edited = sue.post(f"{path}/edit", follows=last, note="my note", **VALUES)
        verified = sue.post(f"{path}/verify", follows=last, number=DRAMA)
        undone = sue.post(f"{path}/undo", change=last)
        found = [
            (edited, "phone_printed", 422),
            (verified, "number", 422),
            (undone, "history", 409),
        ]
        for answer, field, status in found:
            assert answer.status_code == status
            beside = re.findall(rf'id="{field}-wrong">.*?</span>(.*?)</p>', answer.text)
            assert "numbers for drama: it reaches nobody" in beside[0]
        assert 'value="my note"' in edited.text
        assert f'value="{DRAMA}"' in verified.text
        assert sue.get(path).text.count("Undo this change") == 1


async def changed_to_own(editor: Editor) -> None:
    await editor.current.look()
    await editor.verify(LEEDS, "Bea", OWN)


def test_the_page_of_a_council_says_why_its_number_is_not_read_out(tmp_path: Path) -> None:
    with place(tmp_path, SetClock(TUESDAY)) as here:
        here.do(lambda database: editor_of(database, tmp_path, demo=True).verify(LEEDS, "B", DRAMA))
        ada = here.browser(NAMES["adviser"])
        said = "Its number is one of those that Ofcom keeps for drama"
        wait_for(lambda: said in ada.get(f"/directory/{LEEDS}").text)
        page = ada.get(f"/directory/{LEEDS}").text
        assert "tel:+441134960123" not in page
        assert "There is no number yet." in page
        answer = ada.post(f"/directory/{LEEDS}/verify", follows="1")
        assert answer.status_code == 422
        assert "numbers for drama: it reaches nobody" in answer.text


# --- what is there at the start ------------------------------------------------------------------


def in_the_file(var: Path) -> dict[str, str]:
    flows = var / "flows"
    shutil.copytree(ROOT / "flows", flows)
    path = flows / "data" / "councils.csv"
    entry = next(one.entry for one in COUNCILS if one.entry.gss_code == LEEDS)
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        values = {**VALUES, "phone": "+441134960123"}
        writer.writerows(row | values if row["gss_code"] == entry.gss_code else row for row in rows)
    return {"IVR_FLOWS": str(flows)}


def in_the_database(var: Path) -> dict[str, str]:
    demo_mode_verifies(var, var / "another machine")
    return {}


def demo_mode_verifies(var: Path, folder: Path) -> None:
    async def verifying() -> None:
        database = Database(f"sqlite+aiosqlite:///{var}/helpline.db")
        await editor_of(database, folder, demo=True).verify(LEEDS, "Bea", DRAMA)
        await database.close()

    folder.mkdir(exist_ok=True)
    done(verifying())


WHERE = {"the file": in_the_file, "the database": in_the_database}


@pytest.mark.parametrize("where", WHERE)
def test_one_that_is_there_at_the_start_is_named_once_and_not_used(
    var: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    """A caller hears the good answer of a council without a number, and is put through to none."""
    settings, said = WHERE[where](var), "numbers for drama (Ofcom) are not read out, nor rung"
    clock = SetClock(TUESDAY)
    with caplog.at_level(logging.WARNING), helpline(var, clock, **settings) as line:
        wait_for(lambda: said in caplog.text)
        assert f"{said}: Leeds; see ivr directory check" in caplog.text
        heard = line.play("3", "533", "1").words
        assert "Leeds has a free advice service" in heard
        assert OFFERED not in heard
    assert caplog.text.count(said) == 1
    house = build(load_settings(settings_of(var, "http://127.0.0.1", **settings)), clock)
    done(house.directory.look())
    assert house.directory.now().council(LEEDS).entry.phone_printed == DRAMA
    assert not house.may_ring("+441134960123")
    with pytest.raises(LookupError):  # so that no text gives it either
        contact(house.directory.now(), LEEDS, TUESDAY.date())
    done(house.database.close())


@pytest.mark.parametrize("where", WHERE)
def test_in_demo_mode_it_is_heard_and_nothing_is_said_of_it(
    var: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    settings = {**WHERE[where](var), "IVR_DEMO": "yes"}
    with caplog.at_level(logging.WARNING), helpline(var, SetClock(TUESDAY), **settings) as line:
        wait_for(lambda: OFFERED in as_demo(line, var).play("3", "533", "1").words)
    assert "drama" not in caplog.text


def as_demo(line: Helpline, var: Path) -> Helpline:
    """The same helpline, rung with the token of demo mode."""
    return replace(line, token=(var / "demo-token").read_text().strip())


def test_one_that_is_only_kept_on_disk_is_not_used(var: Path) -> None:
    """The database that it came from is gone."""
    demo_mode_verifies(var, var)
    assert DRAMA in (var / "directory.json").read_text("utf-8")
    (var / "helpline.db").unlink()
    for demo, used in (("no", False), ("yes", True)):
        settings = settings_of(var, "http://127.0.0.1", IVR_DEMO=demo)
        house = build(load_settings(settings), SetClock(TUESDAY))
        assert house.directory.now().council(LEEDS).entry.phone_printed == DRAMA
        assert house.may_ring("+441134960123") == used
        done(house.database.close())


# --- in the documents ----------------------------------------------------------------------------

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLE = re.compile(r"^(?: {4}(?:\.venv/bin/)?|Example: )(ivr directory [^#\n]+)", re.MULTILINE)


def examples() -> list[str]:
    """The commands of the directory, as the documents and their own help texts show them."""
    group = main.commands["directory"]
    assert isinstance(group, click.Group)
    helps = [f"{command.epilog}" for command in group.commands.values()]
    texts = [*(path.read_text("utf-8") for path in DOCUMENTS), *helps]
    return list(dict.fromkeys(one.strip() for text in texts for one in EXAMPLE.findall(text)))


@pytest.mark.parametrize("demo", ["no", "yes"])
def test_the_examples_of_the_documents_work_with_a_token_and_in_demo_mode(
    ivr: Callable[..., Done], var: Path, demo: str
) -> None:
    """In their order, but that what is shown is made first."""
    shown = examples()
    assert sum("directory verify" in one for one in shown) >= 1
    first = [f"ivr directory {one}" for one in ("verify Leeds", "verify Manchester")]
    first.append("ivr directory export councils.csv")
    for example in [*first, *shown]:
        answer = ivr(*shlex.split(example)[1:], IVR_DEMO=demo)
        assert (answer.returncode, answer.stderr) == (0, ""), example


def test_no_help_text_or_remedy_of_the_directory_shows_a_drama_number(
    ivr: Callable[..., Done],
) -> None:
    group = main.commands["directory"]
    assert isinstance(group, click.Group)
    texts = [ivr("directory", name, "--help").stdout for name in group.commands]
    for number in ("0845 123 4567", "ask us", "0113"):
        texts.append(ivr("directory", "verify", "Leeds", "--number", number).stderr)
    texts += examples()
    numbers = re.findall(r"(?:\+44 ?|\b0)[0-9 ]{8,}[0-9]", "\n".join(texts))
    digits = [re.sub("[^0-9]", "", one).removeprefix("44").removeprefix("0") for one in numbers]
    assert [one for one in digits if is_drama(f"+44{one}")] == []
