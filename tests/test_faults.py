"""Whatever breaks in mid-call, the call goes on: a worker, the database, the disk, the flows."""

import asyncio
import itertools
import json
import re
import resource
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from databases import PostgreSQL, ready_url

from ivr import background as under_test
from ivr.callbacks.keys import Keys
from ivr.callbacks.queue import Queue
from ivr.callbacks.spool import Spool
from ivr.core.speaking import DIGITS
from ivr.database import Database, upgrade
from ivr.house import now
from tests.helplines import (
    KEY,
    NUMBER,
    PATIENCE,
    ROOT,
    Helpline,
    Page,
    SetClock,
    helpline,
    process,
    rows,
    wait_for,
)

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)  # when the numbers may be read out
SAVING = ("0", "1", "1", "1")  # to the step where 1 saves
KEYS = Keys((KEY.encode(),), KEY.encode())
LOST = "Sorry. I lost my place in this call. We will start again."
BROKEN = "Our helpline is not working just now."


# --- workers ---------------------------------------------------------------------------------


def test_a_call_goes_on_with_a_worker_that_was_not_there_when_it_began(tmp_path: Path) -> None:
    """The first process is killed between two keys (SIGKILL); the second has never seen the call,
    and gives the same reference for the same key press."""
    ready_url("sqlite", tmp_path)
    with process(tmp_path) as first:
        saving = first.play("9", *SAVING)
        saved = first.post(saving.action, "1").page
        assert saved.words.startswith("Saved.")
        first.kill()
        with process(tmp_path, first.public) as second:
            assert second.post(saved.action, "#").page.words == saved.words
            assert second.post(saving.action, "1").page.words == saved.words
            assert second.post(saved.action, "*").page.goes_on
    assert len(rows(tmp_path, "callback_request")) == 1


def test_two_workers_answer_one_call_in_turns(tmp_path: Path) -> None:
    """Every other key press reaches the other worker, and each knows all that went before; a
    repeat of the save that reaches both is saved once."""
    ready_url("sqlite", tmp_path)
    with process(tmp_path) as first, process(tmp_path, first.public) as second:
        alone, page = first.post().page, second.post().page
        keys = ("9", "0", "1", "2", "07400654321", "1", "3", "*", "2", "1")
        for number, key in enumerate(keys):
            alone = first.post(alone.action, key).page
            before, page = page, (first, second)[number % 2].post(page.action, key).page
            assert page.words == alone.words or key == "1"
        assert "Saved." in page.words
        assert first.post(before.action, "1").page.words == page.words
        assert second.post(before.action, "1").page.words == page.words
    assert len(rows(tmp_path, "callback_request")) == 1


# --- the database ----------------------------------------------------------------------------


def deleted(var: Path) -> None:
    for file in var.glob("helpline.db*"):
        file.unlink(missing_ok=True)  # SQLite tidies up after itself meanwhile


def replaced_by_a_folder(var: Path) -> None:
    deleted(var)
    (var / "helpline.db").mkdir()


def replaced_by_rubbish(var: Path) -> None:
    deleted(var)
    (var / "helpline.db").write_bytes(b"rubbish" * 1000)


def emptied(var: Path) -> None:
    deleted(var)
    sqlite3.connect(var / "helpline.db").close()
    (var / "helpline.db").touch()


def replaced_by_a_new_one(var: Path) -> None:
    deleted(var)
    database = sqlite3.connect(var / "helpline.db")
    database.execute("create table callback_request (id integer primary key)")
    database.commit()
    database.close()


FAULTS = [
    deleted,
    replaced_by_a_folder,
    replaced_by_rubbish,
    emptied,
    replaced_by_a_new_one,
]


def opened(var: Path) -> int:
    """How many requests are open in the database, and that none is there twice."""
    kept = rows(var, "callback_request")
    assert len({row["number_hash"] for row in kept}) == len(kept)
    return len(kept)


def degraded(line: Helpline) -> dict[str, str]:
    found = json.loads(line.send("GET", "/readyz").body)["degraded"]
    # No safeguarding phone is set for these tests, and it says so.
    return {part: said for part, said in found.items() if part != "alarm"}


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A helpline of this process looks into its spool all the time."""
    monkeypatch.setattr("ivr.spool.EVERY_S", 0.02)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_without_its_database_a_call_still_hears_guidance_and_contacts_and_is_saved(
    tmp_path: Path, fault: Callable[[Path], None]
) -> None:
    """It was there when the call began, and had been used; the wish is kept on disk."""
    with helpline(tmp_path, SetClock(TUESDAY)) as line:
        assert line.play(*SAVING, "1").words.startswith("Saved.")
        other = line.another_caller()
        page, saving = other.play("9"), other.play(*SAVING)
        fault(tmp_path)
        saved = other.post(saving.action, "1").page
        assert saved.words.startswith("Saved. We will ring you")
        assert other.post(saving.action, "1").page.words == saved.words
        assert len(Spool(tmp_path / "spool", KEYS).waiting()) == 1
        service = other.play("3")
        assert "Spell" in service.words
        for key in ("626", "1", "1", "1"):
            service = other.post(service.action, key).page
        assert "zero" in service.words  # a number, digit by digit
        helped = other.post(other.post(page.action, "1").page.action, "4").page
        assert helped.words
        assert degraded(line).keys() == {"database", "spool"}


def test_what_was_saved_on_disk_is_delivered_once_the_database_is_back(
    tmp_path: Path, often: None
) -> None:
    """Once, whatever webhook is repeated meanwhile; and `/readyz` is content again."""
    disk, away = tmp_path / "disk", tmp_path / "away"
    database = f"sqlite+aiosqlite:///{disk / 'helpline.db'}"
    with helpline(tmp_path, IVR_DATABASE_URL=database) as line:
        saving = line.play(*SAVING)
        disk.rename(away)
        saved = line.post(saving.action, "1").page
        assert saved.words.startswith("Saved.")
        assert "spool" in degraded(line)
        away.rename(disk)
        wait_for(lambda: not degraded(line))
        assert line.post(saving.action, "1").page.words == saved.words
    assert opened(disk) == 1


def test_a_database_that_somebody_else_holds_is_not_waited_for(tmp_path: Path, often: None) -> None:
    """Twilio's patience is 15 s for everything; the caller's is shorter."""
    with helpline(tmp_path) as line:
        saving = line.play(*SAVING)
        other = sqlite3.connect(tmp_path / "helpline.db", isolation_level=None)
        other.execute("begin exclusive")
        try:
            assert line.post(saving.action, "1").page.words.startswith("Saved.")
        finally:
            other.close()
        wait_for(lambda: not degraded(line))
        assert opened(tmp_path) == 1
        assert line.post(saving.action, "1").page.words.startswith("Saved.")
        assert opened(tmp_path) == 1


def test_what_was_saved_on_disk_survives_the_process_that_saved_it(tmp_path: Path) -> None:
    """Killed after "Saved"; the next one delivers it, before anybody rings."""
    ready_url("sqlite", tmp_path)
    with process(tmp_path) as first:
        saving = first.play(*SAVING)
        deleted(tmp_path)
        saved = first.post(saving.action, "1").page
        assert saved.words.startswith("Saved.")
        first.kill()
        with process(tmp_path, first.public) as second:  # it makes its database anew
            wait_for(lambda: not degraded(second))
            assert second.post(saving.action, "1").page.words == saved.words
    assert opened(tmp_path) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits: Linux only")
def test_on_a_full_disk_nothing_is_said_to_be_saved(tmp_path: Path) -> None:
    """The server may write no further byte; once it may again, it saves."""
    ready_url("sqlite", tmp_path)
    with process(tmp_path) as server:
        assert server.play(*SAVING, "1").words.startswith("Saved.")
        other = server.another_caller()
        saving = other.play(*SAVING)
        before = resource.prlimit(server.running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.running.pid, resource.RLIMIT_FSIZE, (1, before[1]))
        told = other.post(saving.action, "1").page
        assert "Sorry. I could not save a call-back just now. Nothing is saved." in told.words
        assert "Saved" not in told.words
        assert "Your local advice service press 3." in told.words
        assert told.goes_on
        assert "Is someone there" not in other.post(told.action).page.words
        assert "Help in school" in server.play().words
        resource.prlimit(server.running.pid, resource.RLIMIT_FSIZE, before)
        assert opened(tmp_path) == 1
        assert other.post(saving.action, "1").page.words.startswith("Saved.")
    assert opened(tmp_path) == 2


def test_a_database_that_does_not_answer_keeps_no_caller_waiting(tmp_path: Path) -> None:
    """PostgreSQL is there and silent (SIGSTOP). Twilio gives up after 15 s; we do after three, for
    the look at what was asked before and for the save. Once it answers again, it has the wish once.
    """
    database = PostgreSQL()
    try:
        asyncio.run(upgrade(database.url))
        with process(tmp_path, IVR_DATABASE_URL=database.url) as server:
            assert server.play(*SAVING, "1").words.startswith("Saved.")
            other = server.another_caller()
            phone = other.play("0", "1")
            with database.frozen():
                when = other.post(phone.action, "1").page
                assert "When is a good time" in when.words
                saving = other.post(when.action, "1").page
                saved = other.post(saving.action, "1").page
                assert saved.words.startswith("Saved.")
            wait_for(lambda: not degraded(server))
            assert other.post(saving.action, "1").page.words == saved.words
            assert len(asyncio.run(_references(database.url))) == 2
    finally:
        database.stop()


CALLERS, WORKERS = 500, 2


def test_every_saved_is_in_the_queue_once_though_postgresql_is_killed_amid_500_calls(
    tmp_path: Path,
) -> None:
    """Two workers take 500 requests; the database dies (SIGKILL) amid them and comes back."""
    database = PostgreSQL()
    try:
        asyncio.run(upgrade(database.url))
        settings = {"IVR_DATABASE_URL": database.url}
        with (
            process(tmp_path, **settings) as first,
            process(tmp_path, first.public, **settings) as second,
        ):
            told = _taken(database, (first, second))
            wait_for(lambda: not degraded(first))
            references = asyncio.run(_references(database.url))
    finally:
        database.stop()
    assert len(told) == CALLERS
    assert sorted(references) == sorted(told)


def _taken(database: PostgreSQL, workers: tuple[Helpline, ...]) -> list[str]:
    """Let 500 callers save at once, most of them while there is no database; what they are told."""
    done = itertools.count()

    def save(number: int) -> str:
        line = workers[number % WORKERS].another_caller()
        page = line.play(*SAVING)
        if "more than two working days" in page.words:
            page = line.post(page.action, "1").page
        page = line.post(page.action, "1").page
        assert page.words.startswith("Saved."), page.words
        match next(done):
            case 100:
                database.kill()
            case 350:
                database.start()
        return spoken_reference(page)

    with ThreadPoolExecutor(8) as callers:
        return list(callers.map(save, range(CALLERS)))


def spoken_reference(page: Page) -> str:
    """The six digits that were read out."""
    found = re.search(r"Your reference is ((?:\w+ ?){6})\.", page.words)
    assert found, page.words
    return "".join(str(DIGITS.index(word)) for word in found[1].split())


async def _references(url: str) -> list[str]:
    made = Database(url)
    try:
        return [one.reference for one in await Queue(made, KEYS, now).open()]
    finally:
        await made.close()


# --- the flows -------------------------------------------------------------------------------


def files_of(folder: Path) -> tuple[Path, Path]:
    """A copy of flows and prompts to edit."""
    shutil.copytree(ROOT / "flows", folder / "flows")
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    return folder / "flows", folder / "prompts"


@contextmanager
def edited(
    folder: Path, var: Path, edit: Callable[[Path, Path], None], public: str = ""
) -> Iterator[Helpline]:
    """A helpline with flows and prompts that somebody has edited."""
    flows, prompts = files_of(folder)
    edit(flows, prompts)
    files = {"IVR_FLOWS": str(flows), "IVR_PROMPTS": str(prompts)}
    with helpline(var, public=public, **files) as line:
        yield line


def new_order(flows: Path, prompts: Path) -> None:
    """School's menu, with its first two choices the other way round."""
    text = (flows / "school.yaml").read_text()
    first, second = (
        "{label: not-enough-help, go: not-enough}",
        "{label: diagnosis-psychologist, go: experts}",
    )
    assert f"1: {first}\n      2: {second}" in text
    text = text.replace(f"1: {first}\n      2: {second}", f"1: {second}\n      2: {first}")
    (flows / "school.yaml").write_text(text)


def renamed(flows: Path, prompts: Path) -> None:
    """School's flow, under another name."""
    for folder, name in ((flows, "school"), (prompts / "en-GB", "school")):
        (folder / f"{name}.yaml").rename(folder / "lessons.yaml")
    for file in flows.glob("*.yaml"):
        text = file.read_text()
        file.write_text(text.replace("school/", "lessons/"))


def test_a_key_pressed_to_words_that_have_changed_is_not_obeyed(tmp_path: Path) -> None:
    """A worker that lacks the call's book says the step of that name again: 1 may mean something
    else now. Then it goes on."""
    with (
        helpline(tmp_path / "a") as old,
        edited(tmp_path, tmp_path / "b", new_order, old.public) as new,
    ):
        menu = old.play("1")
        assert "Not enough help press 1." in menu.words
        again = new.post(menu.action, "1").page
        assert "Not enough help press 2." in again.words
        assert LOST not in again.words
        assert new.post(again.action, "2").page.words == old.post(menu.action, "1").page.words


def test_a_step_that_is_gone_leads_to_the_main_menu_with_an_apology(tmp_path: Path) -> None:
    with (
        helpline(tmp_path / "a") as old,
        edited(tmp_path, tmp_path / "b", renamed, old.public) as new,
    ):
        lost = new.post(old.play("1").action, "1").page
        assert LOST in lost.words
        assert "Help in school" in lost.words
        assert "Not enough help" in new.post(lost.action, "1").page.words


def test_where_the_old_book_is_kept_a_call_ends_as_it_began(tmp_path: Path) -> None:
    """After an update on the same machine calls under way do not notice; a new call does."""
    var = tmp_path / "var"
    with helpline(var) as old:
        menu = old.play("1")
        expected = old.post(menu.action, "1").page.words
    with edited(tmp_path, var, new_order, old.public) as new:
        assert new.post(menu.action, "1").page.words == expected
        assert "Not enough help press 2." in new.play("1").words


def test_a_kept_book_that_was_damaged_costs_a_call_no_more_than_its_place(tmp_path: Path) -> None:
    """It then goes on with the book that is served."""
    var = tmp_path / "var"
    with helpline(var) as old:
        menu = old.play("1")
    next((var / "books").glob("*/flows/main.yaml")).write_text("steps: [")
    with edited(tmp_path, var, new_order, old.public) as new:
        assert "Not enough help press 2." in new.post(menu.action, "1").page.words


# --- no flows at all -------------------------------------------------------------------------


def yaml_that_is_none(flows: Path, prompts: Path) -> None:
    (flows / "main.yaml").write_text("steps: [")


def an_unknown_step(flows: Path, prompts: Path) -> None:
    text = (flows / "main.yaml").read_text()
    (flows / "main.yaml").write_text(text.replace("go: school/menu", "go: school/manu"))


def no_prompts(flows: Path, prompts: Path) -> None:
    shutil.rmtree(prompts)


def no_flows(flows: Path, prompts: Path) -> None:
    shutil.rmtree(flows)


def no_book(flows: Path, prompts: Path) -> None:
    (flows / "book.yaml").unlink()


def an_empty_flow(flows: Path, prompts: Path) -> None:
    (flows / "school.yaml").write_text("")


def bytes_for_text(flows: Path, prompts: Path) -> None:
    (prompts / "en-GB" / "main.yaml").write_bytes(b"\xff\xfe\x00")


def a_folder_for_a_file(flows: Path, prompts: Path) -> None:
    (flows / "main.yaml").unlink()
    (flows / "main.yaml").mkdir()


def no_councils(flows: Path, prompts: Path) -> None:
    (flows / "data" / "councils.csv").unlink()


def no_places(flows: Path, prompts: Path) -> None:
    (flows / "data" / "places.csv").unlink()


def no_hours(flows: Path, prompts: Path) -> None:
    (flows / "data" / "hours.yaml").unlink()


def odd_hours(flows: Path, prompts: Path) -> None:
    (flows / "data" / "hours.yaml").write_text("monday: [")


def a_folder_for_a_recording(flows: Path, prompts: Path) -> None:
    (prompts / "recordings" / "main" / "hello.wav").mkdir(parents=True)


DATA = [no_councils, no_places, no_hours, odd_hours]

BREAKING = [
    yaml_that_is_none,
    an_unknown_step,
    no_prompts,
    no_flows,
    no_book,
    an_empty_flow,
    bytes_for_text,
    a_folder_for_a_file,
]


@pytest.mark.parametrize("breaking", DATA, ids=lambda breaking: breaking.__name__)
def test_with_broken_data_all_that_does_not_need_them_goes_on(
    tmp_path: Path, breaking: Callable[[Path, Path], None]
) -> None:
    """Guidance is heard, and who needs what is broken hears the truth and another way."""
    with edited(tmp_path, tmp_path / "var", breaking) as line:
        answer = line.send("GET", "/readyz")
        assert answer.status == 200
        degraded = json.loads(answer.body)["degraded"]
        about = {"hours": "hours.yaml", "directory": "councils.csv", "places": "places.csv"}
        assert any(about.get(name, "?") in why for name, why in degraded.items())
        assert "book" not in degraded
        council, call_back = line.play("3", "533").words, line.play("0", "1", "1", "1").words
        councils_are_there = breaking is not no_councils
        alone = "Leeds has a free advice service"  # without the places nothing else begins so
        offered = alone if breaking is no_places else "Leeds press 1"
        assert (offered in council) == councils_are_there
        assert ("I cannot open the list of councils just now" in council) != councils_are_there
        hours_are_there = breaking in (no_councils, no_places)
        assert ("We can ring you by" in call_back) == hours_are_there
        assert ("Nothing is saved" in call_back) != hours_are_there


@pytest.mark.parametrize("breaking", BREAKING, ids=lambda breaking: breaking.__name__)
def test_with_broken_files_every_call_still_hears_a_voice(
    tmp_path: Path, breaking: Callable[[Path, Path], None]
) -> None:
    """The fixed message, on every path, and a way to try again; `/readyz` says what is wrong."""
    with edited(tmp_path, tmp_path / "var", breaking) as line:
        answer = line.send("GET", "/readyz")
        ready = json.loads(answer.body)
        assert (answer.status, ready["ready"]) == (503, False)  # balancers go by the status
        assert line.send("GET", "/healthz").status == 200
        assert ready["degraded"]["book"]
        for path in ("/voice", "/voice/x", "/voice/x?again=1", "/voice//%0A"):
            for page in (line.post(path, "1").page, line.get(path).page):
                assert BROKEN in page.words
                assert page.goes_on
                assert re.fullmatch("/voice(/[0-9a-f]{8})?", page.action)
        resumed = line.post("/voice/fallback", ErrorUrl=f"{line.public}/voice/x").page
        assert BROKEN in line.post(resumed.action).page.words
        assert line.send("POST", "/voice").status == 403
        assert NUMBER not in json.dumps(ready)


def test_a_recording_that_cannot_be_read_is_only_not_used(tmp_path: Path) -> None:
    with edited(tmp_path, tmp_path / "var", a_folder_for_a_recording) as line:
        assert "Hello." in line.play().words


@pytest.mark.parametrize(
    ("breaking", "why"), [(an_unknown_step, "school/manu"), (no_flows, "flows"), (no_prompts, "")]
)
def test_files_that_break_after_they_were_good_are_not_used(
    tmp_path: Path, breaking: Callable[[Path, Path], None], why: str
) -> None:
    """The last good book is served from the shelf, and `/readyz` says so."""
    with helpline(tmp_path / "var") as line:
        words = line.play().words
    with edited(tmp_path, tmp_path / "var", breaking) as line:
        assert line.play().words == words
        answer = line.send("GET", "/readyz")
        assert answer.status == 200
        assert why in json.loads(answer.body)["degraded"]["book"]


async def test_a_task_in_the_background_that_fails_begins_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it failed at; and what that said, which may hold a number, stands in no log."""
    monkeypatch.setattr(under_test, "BREATH_S", 0)
    begun, again = 0, asyncio.Event()

    async def erasing() -> None:
        nonlocal begun
        begun += 1
        if begun > 1:
            again.set()
            await asyncio.Event().wait()
        raise ValueError(NUMBER)

    task = asyncio.create_task(under_test.kept_running(erasing))
    async with asyncio.timeout(PATIENCE):
        await again.wait()
    task.cancel()
    assert "erasing failed, and begins again: ValueError" in caplog.text
    assert NUMBER not in caplog.text
