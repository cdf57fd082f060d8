"""The directory is kept true: numbers lapse, people change and check them, every worker hears."""

import asyncio
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from databases import KINDS, PostgreSQL, new_url
from sqlmodel import select

from ivr.config import load_settings
from ivr.conversation import Call
from ivr.core.call import Ask
from ivr.database import Database, upgrade
from ivr.directory.asking import Asked
from ivr.directory.checking import faults
from ivr.directory.current import Current
from ivr.directory.editing import (
    Editor,
    FaultyError,
    NoSuchChangeError,
    NoSuchCouncilError,
    QuickerError,
    Wanted,
    Why,
)
from ivr.directory.entries import Council, Periods, lapses_on, may_be_spoken
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.service import AdviceService
from ivr.directory.snapshot import DamagedError, Snapshot, packed, unpacked
from ivr.directory.spelling import keypad
from ivr.directory.tables import DirectoryChange
from ivr.house import build, now
from tests.helplines import Helpline, SetClock, done, helpline, process, rows, settings_of, wait_for

DATA = Path(__file__).parent.parent / "flows" / "data"
COUNCILS = load_councils(DATA)
LEEDS, MANCHESTER, WIRRAL = "E08000035", "E08000003", "E08000015"
KINGSTON, RICHMOND = "E09000021", "E09000027"
HEREFORD, WORCESTER = "E06000019", "E10000034"
TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
TODAY = TUESDAY.date()
CHECKED = {"checked_on": "2026-11-24", "checked_by": "Bea"}
# A number for drama: Leeds, and nobody's. Accepted where a directory is that of demo mode.
NEW = {"phone_printed": "0113 496 0123", "state": "verified", **CHECKED}
# Somebody rang the number that the file has for Leeds.
RUNG = {"state": "verified", **CHECKED}
HEARD = "zero one one three"
NUMBER_OF_MANCHESTER = "zero one six one"
CALL = Call("CA" + "0" * 32)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(TUESDAY)


def demo_directory(councils: Iterable[Council]) -> Directory:
    return Directory(councils, periods=Periods(drama=True))


def current_of(database: Database, folder: Path) -> Current:
    return Current(database, folder / "directory.json", COUNCILS, demo_directory)


def editor_of(database: Database, folder: Path, clock: SetClock) -> Editor:
    return Editor(database, current_of(database, folder), clock)


def spoken(editor: Editor, code: str) -> str:
    """The number that callers hear of a council; "" for none."""
    directory = editor.current.now()
    council = directory.council(code)
    is_spoken = directory.may_be_spoken(council, editor.day())
    return council.entry.phone_printed if is_spoken else ""


# --- how long a number is spoken -----------------------------------------------------------------


def test_a_number_lapses_so_many_days_after_it_was_checked_whatever_its_source_says() -> None:
    directory = Directory(COUNCILS)
    entry = directory.council(WIRRAL).entry
    assert entry.checked_on == "2026-11-23"
    published, verified = date(2027, 5, 22), date(2027, 11, 23)
    assert lapses_on(entry, Periods()) == published
    assert may_be_spoken(entry, published - timedelta(days=1), Periods())
    assert not may_be_spoken(entry, published, Periods())
    assert lapses_on(entry.changed({"state": "verified"}), Periods()) == verified
    assert lapses_on(entry.changed({"source_date": "2010-01-01"}), Periods()) == published
    assert lapses_on(entry, Periods(published=1)) == date(2026, 11, 24)


@pytest.mark.parametrize(
    "values", [{"checked_on": ""}, {"state": "unconfirmed"}, {"state": "missing"}]
)
def test_what_nobody_checked_or_vouches_for_is_never_spoken(values: dict[str, str]) -> None:
    entry = Directory(COUNCILS).council(WIRRAL).entry.changed(values)
    assert lapses_on(entry, Periods()) is None
    assert not may_be_spoken(entry, date(2026, 11, 23), Periods())


def test_a_number_that_lapses_is_not_heard_in_the_next_call_nor_rung(tmp_path: Path) -> None:
    """The caller then hears the good answer of a council without one. A day is London's."""
    clock = SetClock(datetime(2027, 5, 21, 22, 59, tzinfo=UTC))
    with helpline(tmp_path, clock) as line:
        assert NUMBER_OF_MANCHESTER in number_of(line, MANCHESTER)
        clock.at += timedelta(minutes=1)
        assert number_of(line, MANCHESTER) == ""
    house = build(load_settings(settings_of(tmp_path, "http://127.0.0.1")), clock)
    assert not house.may_ring("+441612098356")
    clock.at -= timedelta(minutes=1)
    assert house.may_ring("+441612098356")
    done(house.database.close())


def test_a_number_that_lapses_while_a_caller_hears_of_it_is_not_read_out(tmp_path: Path) -> None:
    """They heard the menu before midnight, and press the key after it."""
    clock = SetClock(datetime(2027, 5, 21, 22, 59, tzinfo=UTC))
    with helpline(tmp_path, clock) as line:
        menu = line.play("3", "626", "1")
        assert "To hear its number press 1." in menu.words
        clock.at += timedelta(minutes=1)
        page = line.post(menu.action, "1").page
        assert "We have not checked its number yet" in page.words


def test_a_number_that_lapses_after_it_was_heard_is_not_repeated(tmp_path: Path) -> None:
    """Hash reads the answer again; until midnight it does."""
    clock = SetClock(datetime(2027, 5, 21, 22, 59, tzinfo=UTC))
    with helpline(tmp_path, clock) as line:
        heard = line.play("3", "626", "1", "1", "")
        assert NUMBER_OF_MANCHESTER in heard.words
        repeated = line.post(line.post(heard.action, "#").page.action).page
        assert NUMBER_OF_MANCHESTER in repeated.words
        assert "To hear the answer again press hash." in repeated.words
        clock.at += timedelta(minutes=1)
        for before in (heard, line.post(heard.action, "9").page):
            repeated = line.post(before.action, "#").page
            assert "We have not checked its number yet" in repeated.words
            assert NUMBER_OF_MANCHESTER not in repeated.words


def test_how_long_is_a_setting(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "http://127.0.0.1", IVR_PUBLISHED_DAYS="1")
    house = build(load_settings(settings), lambda: TUESDAY)
    assert not house.may_ring("+441612098356")
    done(house.database.close())


# --- changes -------------------------------------------------------------------------------------


async def test_a_change_holds_at_once_here_and_at_the_next_look_elsewhere(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    here, there = (editor_of(database, tmp_path / name, clock) for name in "ab")
    await here.change(LEEDS, NEW, 0, "Bea")
    assert spoken(here, LEEDS) == "0113 496 0123"
    assert here.entry(LEEDS).phone == "+441134960123"
    assert here.entry(LEEDS).service_name == "Leeds SENDIASS", "the rest is as it was"
    assert spoken(there, LEEDS) == ""
    await there.current.look()
    assert spoken(there, LEEDS) == "0113 496 0123"
    assert here.current.changed.is_set(), "clips of new names are to be made"


async def test_what_was_changed_can_be_undone_and_nothing_is_forgotten(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """Undoing is a change like any other, and can be undone."""
    editor = editor_of(database, tmp_path, clock)
    before = editor.entry(LEEDS)
    await editor.change(LEEDS, NEW, 0, "Bea")
    first = editor.last_change(LEEDS)
    await editor.undo(LEEDS, first, "Cy")
    assert editor.entry(LEEDS) == before
    await editor.undo(LEEDS, editor.last_change(LEEDS), "Bea")
    assert spoken(editor, LEEDS) == "0113 496 0123"
    history = await editor.history(LEEDS)
    assert [(one.who, one.why) for one in history] == [
        ("Bea", "undo"),
        ("Cy", "undo"),
        ("Bea", "edit"),
    ]
    assert history[-1].old == before.values == history[1].new
    assert history[-1].new["phone"] == "+441134960123"
    assert [one.follows for one in history] == [history[1].id, first, 0]
    with pytest.raises(QuickerError):
        await editor.undo(LEEDS, first, "Cy")
    with pytest.raises(NoSuchChangeError):
        await editor.undo(LEEDS, 9_999, "Cy")


async def test_a_number_checked_on_the_same_day_as_the_one_before_can_be_undone_later(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """The same person looked at both, and wrote a wrong one down."""
    editor = editor_of(database, tmp_path, clock)
    await editor.change(LEEDS, NEW, 0, "Bea")
    await editor.change(LEEDS, {"phone_printed": "0113 496 0456"}, editor.last_change(LEEDS), "Bea")
    clock.at += timedelta(days=3)
    await editor.undo(LEEDS, editor.last_change(LEEDS), "Cy")
    assert spoken(editor, LEEDS) == "0113 496 0123"
    await editor.undo(LEEDS, editor.last_change(LEEDS), "Cy")
    assert spoken(editor, LEEDS) == "0113 496 0456"


async def test_what_no_record_may_have_is_not_brought_back(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """An older helpline may have let it pass."""
    editor = editor_of(database, tmp_path, clock)
    await editor.change(LEEDS, NEW, 0, "Bea")
    async with database.writing() as session:
        change = (await session.exec(select(DirectoryChange))).one()
        change.old = {**change.old, "service_name": "<b>"}
        session.add(change)
    with pytest.raises(FaultyError) as caught:
        await editor.undo(LEEDS, editor.last_change(LEEDS), "Cy")
    assert list(caught.value.fields) == ["service_name"]
    assert spoken(editor, LEEDS) == "0113 496 0123"


async def test_of_two_colleagues_who_change_the_same_the_later_one_is_told(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """Whether they come one after another, with a page that is older, or at the same moment."""
    here, there = (editor_of(database, tmp_path / name, clock) for name in "ab")
    await here.change(LEEDS, {"note": "first"}, 0, "Bea")
    with pytest.raises(QuickerError):
        await there.change(LEEDS, {"note": "second"}, 0, "Cy")
    assert there.entry(LEEDS).note == "first", "what the colleague did can be seen at once"
    seen = here.last_change(LEEDS)
    both = [
        editor.change(LEEDS, {"note": who}, seen, who)
        for editor, who in ((here, "Bea"), (there, "Cy"))
    ]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ended) == ["NoneType", "QuickerError"]
    assert len(await here.history(LEEDS)) == 2
    await there.change(MANCHESTER, {"note": "another record"}, 0, "Cy")


async def test_councils_with_one_service_are_changed_together(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """Whichever of them is edited. Herefordshire has no page that vouches for the number of
    Worcestershire, and shares nothing."""
    editor = editor_of(database, tmp_path, clock)
    await editor.change(
        RICHMOND, {"phone_printed": "020 7946 0123", "phone": "", **CHECKED}, 0, "B"
    )
    for code in (KINGSTON, RICHMOND):
        assert spoken(editor, code) == "020 7946 0123"
        assert len(await editor.history(code)) == 1
    with pytest.raises(QuickerError):
        await editor.change(KINGSTON, {"note": "I did not see that"}, 0, "Cy")
    await editor.undo(RICHMOND, editor.last_change(KINGSTON), "B")
    assert spoken(editor, RICHMOND) == "0808 164 5527"
    assert spoken(editor, WORCESTER) == "01905 768153"
    assert spoken(editor, HEREFORD) == ""


async def test_several_records_are_changed_all_or_none(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    editor = editor_of(database, tmp_path, clock)
    good, late = Wanted(LEEDS, NEW, 0), Wanted(WIRRAL, {"note": "x"}, 7)
    faulty = Wanted(WIRRAL, {"phone": ""}, 0)
    for wrong, error in ((late, QuickerError), (faulty, FaultyError)):
        with pytest.raises(error):
            await editor.change_all([good, wrong], "Bea", Why.IMPORT)
        assert spoken(editor, LEEDS) == ""
        assert await editor.history(LEEDS) == []


async def test_what_changes_nothing_is_not_noted(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    editor = editor_of(database, tmp_path, clock)
    await editor.change(LEEDS, editor.entry(LEEDS).values, 0, "Bea")
    assert await editor.history(LEEDS) == []


async def test_a_service_that_was_rung_is_verified_today(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    """The page on which another number was printed vouches for the new one no longer."""
    editor = editor_of(database, tmp_path, clock)
    await editor.verify(MANCHESTER, "Bea")
    entry = editor.entry(MANCHESTER)
    assert (entry.state, entry.checked_on, entry.checked_by) == ("verified", "2026-11-24", "Bea")
    assert entry.phone_printed == "0161 209 8356"
    assert entry.source_url
    await editor.verify(LEEDS, "Bea", "0113 4960123", by="Ada Bell")
    entry = editor.entry(LEEDS)
    assert (entry.phone, entry.phone_printed) == ("+441134960123", "0113 4960123")
    assert (entry.checked_by, entry.source_url, entry.source_date) == ("Ada Bell", "", "")
    assert {one.why for one in await editor.history(LEEDS)} == {"verify"}
    with pytest.raises(FaultyError) as caught:
        await editor.verify("E09000002", "Bea", "020 7946 0123")
    assert caught.value.fields == {
        "service_name": "a verified contact must have one (fill it in, or let the state be missing)"
    }
    await editor.verify("E09000002", "Bea", "02079460123", service_name="Barking SENDIASS")
    assert spoken(editor, "E09000002") == "020 7946 0123"
    with pytest.raises(NoSuchCouncilError):
        await editor.verify("E09999999", "Bea")


WRONG = {
    "another number unchecked": ({"phone_printed": "0161 496 0123"}, "checked_on", "another"),
    "a day to come": ({"checked_on": "2026-11-25"}, "checked_on", "has not come"),
    "no day": ({"checked_on": "23/11/2026"}, "checked_on", "not a day"),
    "no such day": ({"checked_on": "2026-02-30"}, "checked_on", "not a day"),
    "checked on no day": (
        {"state": "verified", "checked_on": "", "checked_by": "Bea"},
        "checked_on",
        "without the day",
    ),
    "checked by nobody": ({"checked_by": ""}, "checked_by", "nobody is named"),
    "a dear number": ({"phone_printed": "0906 600 1234", **CHECKED}, "phone", "usual cost"),
    "an island's number": ({"phone_printed": "07624 123456", **CHECKED}, "phone", "in use"),
    "a range that is none": ({"phone_printed": "0111 111 1111", **CHECKED}, "phone", "in use"),
    "another printed": ({"phone": "+441614960123", **CHECKED}, "phone_printed", "as printed"),
    "no number": ({"phone": "", "phone_printed": ""}, "phone", "must have one"),
    "words for a number": ({"phone_printed": "ask us"}, "phone_printed", "not a UK number"),
    "digits of another script": ({"phone_printed": "0161 ٢٠٩ ٨٣٥٦"}, "phone_printed", "not a UK"),
    "two scripts": ({"phone_printed": "0161 209 835٦"}, "phone_printed", "not a UK number"),
    "one that is rung": ({"phone": "+44161209835٦", **CHECKED}, "phone", "not a UK number"),
    "one that is printed": (
        {"phone": "+441612098356", "phone_printed": "0161 209 8356 ٦"},
        "phone_printed",
        "cannot be read out",
    ),
    "a day in another script": ({"checked_on": "٢٠٢٦-11-23"}, "checked_on", "not a day"),
    "abroad": ({"phone_printed": "+33 1 23 45 67 89"}, "phone_printed", "not a UK number"),
    "no source": ({"source_url": "", "checked_by": "Bea"}, "source_url", "must have one"),
    "no such state": ({"state": "sure"}, "state", "not a state"),
    "a number in the name": ({"service_name": "Ring 01632 960123"}, "service_name", "read out"),
    "a number among the hours": ({"hours": "Or ring 0113 999 9999"}, "hours", "phone number"),
    "markup in the name": ({"service_name": "A <b>"}, "service_name", "read out"),
    "a fact in the name": ({"service_name": "A {caller_number}"}, "service_name", "read out"),
    "no name": ({"service_name": "..."}, "service_name", "no word"),
    "another script": ({"service_name": "Служба"}, "service_name", "read out"),
    "a long name": ({"service_name": "word " * 30}, "service_name", "too long"),
    "a script for a website": ({"website": "javascript:alert(1)"}, "website", "no web address"),
    "a script with a host": (
        {"website": "javascript://example.org/%0aalert(1)"},
        "website",
        "no web address",
    ),
    "a file for a website": ({"website": "file:///etc/hosts"}, "website", "no web address"),
    "no host": ({"website": "https://"}, "website", "no web address"),
    "words for a website": ({"website": "see our page"}, "website", "no web address"),
    "a letter for an email": ({"email": "x"}, "email", "no email address"),
    "nobody's email": ({"email": "@example.org"}, "email", "no email address"),
    "two emails": ({"email": "a@example.org b@example.org"}, "email", "no email address"),
    "a null": ({"note": "a\0b"}, "note", "invisible"),
    "half a character": ({"note": "\ud800"}, "note", "invisible"),
    "a book for a note": ({"note": "n" * 1_001}, "note", "1001 characters"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_values_that_make_no_sense_are_refused_by_field(
    name: str, tmp_path: Path, clock: SetClock
) -> None:
    values, column, why = WRONG[name]
    url = new_url("sqlite", tmp_path)
    await upgrade(url)
    database = Database(url)
    editor = editor_of(database, tmp_path, clock)
    with pytest.raises(FaultyError) as caught:
        await editor.change(MANCHESTER, values, 0, "Bea")
    assert why in caught.value.fields[column]
    assert next(fault[0] for fault in editor.faults(MANCHESTER, values)) == column
    assert await editor.history(MANCHESTER) == []
    await database.close()


@pytest.mark.parametrize(
    "website",
    ["example.org.uk", "www.example.org", "HTTP://Example.org:8080/a?b=c#d", "https://a-b.org/é"],
)
def test_web_addresses_are_taken_as_people_write_them(website: str) -> None:
    entry = Directory(COUNCILS).council(MANCHESTER).entry
    assert list(faults(entry.changed({"website": website, "email": "A.b@c.org"}).values)) == []


# --- without the database ------------------------------------------------------------------------


def snapshot() -> Snapshot:
    values = Directory(COUNCILS).council(MANCHESTER).entry.values
    return Snapshot({MANCHESTER: 3}, {MANCHESTER: {**values, **CHECKED}})


def test_what_was_changed_is_the_same_after_the_disk() -> None:
    for kept in (snapshot(), Snapshot()):
        assert unpacked(packed(kept)) == (kept, ())


DAMAGED = {
    "empty": "",
    "rubbish": "rubbish\0",
    "cut short": packed(snapshot())[:90],
    "a list": "[]",
    "another version": "{}",
    "records in a list": '{"records": [1]}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGED)
async def test_a_damaged_file_is_ignored_and_named(name: str, tmp_path: Path) -> None:
    """No number is spoken that nobody vouched for, whatever is on the disk."""
    with pytest.raises(DamagedError):
        unpacked(DAMAGED[name])
    (tmp_path / "directory.json").write_text(DAMAGED[name])
    current = current_of(Database(new_url("sqlite", tmp_path)), tmp_path)
    assert current.now().councils == Directory(COUNCILS).councils
    assert "directory.json" in current.fault


RECORD = json.dumps(json.loads(packed(snapshot()))["records"][MANCHESTER])
BAD_RECORDS = {
    "nothing": "null",
    "a number": "1",
    "no values": '{"change": 1}',
    "an endless number": RECORD.replace("3,", "Infinity,", 1),
    "values in a list": '{"change": 1, "values": []}',
    "no number of the change": RECORD.replace("3,", '"x",', 1),
    "a missing column": RECORD.replace('"checked_on"', '"checked"'),
    "a number for a text": RECORD.replace('"2026-11-24"', "7"),
    "another number": RECORD.replace("0161 209", "0161 208"),
    "no day": RECORD.replace("2026-11-24", "someday"),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
async def test_of_a_damaged_record_nothing_is_used_and_of_all_others_everything(
    name: str, tmp_path: Path
) -> None:
    good = json.loads(packed(snapshot()))["records"][MANCHESTER]
    leeds = Directory(COUNCILS).council(LEEDS).entry
    records = {LEEDS: json.loads(BAD_RECORDS[name]), MANCHESTER: good}
    (tmp_path / "directory.json").write_text(json.dumps({"records": records}))
    current = current_of(Database(new_url("sqlite", tmp_path)), tmp_path)
    assert current.now().council(LEEDS).entry == leeds
    assert current.last_change(LEEDS) == 0
    assert current.now().council(MANCHESTER).entry.checked_by == "Bea"
    assert current.last_change(MANCHESTER) == 3
    assert current.fault == (
        f"directory.json is damaged: changes of {LEEDS} are unknown without the database"
    )


async def test_a_damaged_file_is_written_anew_from_the_database(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    await editor_of(database, tmp_path, clock).change(LEEDS, NEW, 0, "Bea")
    (tmp_path / "directory.json").write_bytes(b"\xff")
    again = editor_of(database, tmp_path, clock)
    assert again.current.fault
    await again.current.look()
    assert again.current.fault == ""
    assert spoken(again, LEEDS) == spoken(editor_of(database, tmp_path, clock), LEEDS) != ""


async def test_without_the_database_what_was_changed_still_holds(
    tmp_path: Path, clock: SetClock
) -> None:
    """For those who run on, and for one that is started without it; and so does the rule."""
    url = new_url("sqlite", tmp_path)
    await upgrade(url)
    database = Database(url)
    running = editor_of(database, tmp_path, clock)
    await running.change(LEEDS, NEW, 0, "Bea")
    await database.close()
    for file in tmp_path.glob("helpline.db*"):
        file.unlink()
    for editor in (running, editor_of(Database(url), tmp_path, clock)):
        await editor.current.look()
        assert spoken(editor, LEEDS) == "0113 496 0123"
    clock.at += timedelta(days=365)
    assert spoken(editor, LEEDS) == ""


async def test_a_disk_that_takes_nothing_is_no_reason_not_to_know(
    database: Database, tmp_path: Path, clock: SetClock
) -> None:
    (tmp_path / "a file").touch()
    editor = editor_of(database, tmp_path / "a file", clock)
    await editor.change(LEEDS, NEW, 0, "Bea")
    assert spoken(editor, LEEDS) == "0113 496 0123"


# --- how often callers asked ---------------------------------------------------------------------


def test_a_caller_who_hears_a_number_several_times_is_counted_once(tmp_path: Path) -> None:
    """So a council that is answered does not count for more than one that is not."""
    with helpline(tmp_path, SetClock(TUESDAY)) as line:
        page = line.play("3", "626", "1", "1", "")
        for key in ("#", "", "*", "1", ""):
            page = line.post(page.action, key).page
        assert NUMBER_OF_MANCHESTER in page.words
    (asked,) = rows(tmp_path, "directory_asked")
    assert (asked["council"], asked["times"]) == (MANCHESTER, 1)


async def test_it_is_counted_which_councils_callers_ask_for(
    database: Database, clock: SetClock
) -> None:
    """By each worker, by London's days; and while there is no database the counts wait."""
    asked, elsewhere = Asked(database, clock), Asked(database, clock)
    service = AdviceService(lambda: Directory(COUNCILS), clock, asked.note)
    for code in (LEEDS, WIRRAL, LEEDS):
        await service(Ask("advice-service", {"council": code}, "council/contact", 4), CALL)
    elsewhere.note(LEEDS)
    for one in (asked, elsewhere, asked):
        await one.flush()
    assert await asked.most_asked(TODAY) == [(LEEDS, 3), (WIRRAL, 1)]
    clock.at = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
    asked.note(WIRRAL)
    await asked.flush()
    assert await asked.most_asked(TODAY) == [(LEEDS, 3), (WIRRAL, 2)]
    assert await asked.most_asked(clock.at.date()) == [(WIRRAL, 1)]


async def test_counts_wait_for_the_database(tmp_path: Path, clock: SetClock) -> None:
    url = new_url("sqlite", tmp_path)
    database = Database(url)
    asked = Asked(database, clock)
    asked.note(LEEDS)
    await asked.flush()
    await upgrade(url)
    asked.note(LEEDS)
    await asked.flush()
    assert await asked.most_asked(TODAY) == [(LEEDS, 2)]
    await database.close()


# --- in calls, on several workers ----------------------------------------------------------------


def number_of(line: Helpline, code: str) -> str:
    """What a caller hears who spells this council and wants its number; "" if none is offered."""
    council, another = Directory(COUNCILS).council(code), line.another_caller()
    page = another.play("3", keypad(council.spoken)[:3])
    if key := re.search(rf"{council.listed},? press (\d)", page.words):
        page = another.post(page.action, key[1]).page
    assert f"{council.spoken} has a free advice service" in page.words
    if "To hear its number press 1" not in page.words:
        assert "We have not checked its number yet" in page.words
        return ""
    return another.post(another.post(page.action, "1").page.action, "1").page.words


def edited(url: str, folder: Path, code: str, values: dict[str, str]) -> None:
    """Somebody changes a record, in a process that answers no calls."""

    async def doing() -> None:
        database = Database(url)
        editor = Editor(database, current_of(database, folder), now)
        await editor.current.look()
        await editor.change(code, values, editor.last_change(code), "Bea")
        await database.close()

    done(doing())


@pytest.mark.parametrize("kind", KINDS)
def test_every_worker_hears_of_it_within_ten_seconds(kind: str, tmp_path: Path) -> None:
    """Two processes, neither of which made the change; and none is started anew."""
    url = new_url(kind, tmp_path)
    done(upgrade(url))
    checked = {"checked_on": now().date().isoformat(), "checked_by": "Bea"}
    with (
        process(tmp_path / "first", IVR_DATABASE_URL=url) as first,
        process(tmp_path / "second", IVR_DATABASE_URL=url) as second,
    ):
        for line in (first, second):
            assert number_of(line, LEEDS) == ""
        edited(url, tmp_path, LEEDS, {**RUNG, **checked})
        for line in (first, second):
            wait_for(lambda line=line: HEARD in number_of(line, LEEDS))


def test_a_server_that_dies_takes_no_change_with_it(tmp_path: Path) -> None:
    """What was changed is heard on, also after a start without a database; a file that is damaged
    meanwhile is named."""
    server = PostgreSQL()
    checked = {"checked_on": now().date().isoformat(), "checked_by": "Bea"}
    try:
        done(upgrade(server.url))
        settings = {"IVR_DATABASE_URL": server.url}
        with process(tmp_path, **settings) as line:
            line.play()
            edited(server.url, tmp_path / "another", LEEDS, {**RUNG, **checked})
            wait_for(lambda: HEARD in number_of(line, LEEDS))
            wait_for((tmp_path / "directory.json").exists)
            server.kill()
            assert HEARD in number_of(line, LEEDS)
        with process(tmp_path, **settings) as line:
            assert HEARD in number_of(line, LEEDS)
            (tmp_path / "directory.json").write_text("damaged")
        with process(tmp_path, **settings) as line:
            assert number_of(line, LEEDS) == ""
            degraded = json.loads(line.send("GET", "/readyz").body)["degraded"]
            assert "directory.json is damaged" in degraded["kept-directory"]
            server.start()
            wait_for(lambda: HEARD in number_of(line, LEEDS))
    finally:
        server.stop()
