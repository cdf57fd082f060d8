"""The `ivr` command as people and scripts use it: what it says, and its exit status."""

import json
import re
import shutil
import signal
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from commands import Command

from ivr.cli.staff import ROLES
from ivr.hours import LONDON
from ivr.people.tables import Role

ROOT = Path(__file__).parent.parent


@pytest.fixture
def ivr(tmp_path: Path) -> Command:
    """The command, in a folder of its own. It runs in this process, but for ``ivr.alone``."""
    return Command(tmp_path, {"IVR_VAR": str(tmp_path / "var"), "IVR_SPEECH": "say"})


# --- call ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("call", "--keys", "4 3"), 0),
        (("callbacks", "list"), 1),
        (("call", "--keys", "hello"), 2),
        (("call", "--loud"), 2),
        (("db", "--help"), 0),
    ],
)
def test_a_process_of_its_own_says_the_same_with_the_same_exit_status(ivr, arguments, status):
    """So that all else can be asked of the command without starting one."""
    alone = ivr.alone(*arguments)
    assert alone.returncode == status
    assert "Traceback" not in alone.stderr
    here = ivr(*arguments)
    assert alone.stdout.replace("Usage: -c", "Usage: ivr") == here.stdout
    assert alone.stderr.replace("-c ", "ivr ") == here.stderr


def test_a_scripted_call_as_json_has_the_promised_shape(ivr) -> None:
    done = ivr.alone("call", "--keys", "1 2 #", "--json")
    turns = json.loads(done.stdout)
    assert done.returncode == 0
    assert [turn["heard"] for turn in turns] == [None, "1", "2", "#"]
    assert all(
        set(turn) == {"heard", "said", "keys", "digits", "wait_s", "ended"} for turn in turns
    )
    assert [turn["ended"] for turn in turns] == [None, None, None, "script"]
    assert turns[0]["keys"][:5] == ["0", "1", "2", "3", "4"]
    assert turns[0]["digits"] == 1
    assert turns[0]["wait_s"] == 10


def test_the_keys_of_a_step_are_those_that_it_offers_and_takes(ivr) -> None:
    """Where letters are spelt, one key "for each letter" is not the key 1."""
    spell, ways, again = json.loads(ivr("call", "--keys", "3 - 2", "--json").stdout)[1:]
    assert "press one key for each letter" in " ".join(spell["said"])
    assert (spell["keys"], spell["digits"]) == (["*"], 3)
    assert ways["keys"] == ["0", "1", "2", "3", "4", "*"]
    assert again["keys"] == ["0", "*"]


def test_without_a_terminal_the_script_comes_from_standard_input(ivr) -> None:
    done = ivr("call", stdin="4 3")
    assert done.returncode == 0
    assert "ring 9 9 9" in done.stdout


def test_a_line_that_closes_before_the_script_is_done_is_a_problem(ivr) -> None:
    done = ivr("call", "--keys", " ".join(["-"] * 14))
    assert done.returncode == 1
    assert "The line closed before: -" in done.stderr


def test_a_call_back_is_saved_listed_shown_and_revealed(ivr) -> None:
    asked = ivr("call", "--keys", "0 1 1 1 1", "--from", "+447700900456", "--json")
    assert "Saved." in json.loads(asked.stdout)[-1]["said"][0]
    (one,) = json.loads(ivr("callbacks", "list", "--json").stdout)
    assert set(one) == {
        *("reference", "state", "number", "requested_at", "due_at", "topic"),
        *("council", "access", "urgent", "safety", "repeats", "attempts", "holder"),
    }
    assert one["state"] == "waiting"
    assert one["number"].endswith("456")
    assert "900" not in one["number"], "masked"
    assert one["reference"] in ivr("callbacks", "list").stdout
    shown = ivr("callbacks", "show", one["reference"]).stdout
    assert "900" not in shown.replace(one["reference"], "")  # a reference may hold any digits
    assert "07700 900 456" in ivr("callbacks", "show", one["reference"], "--reveal").stdout


def test_how_best_to_ring_is_kept_with_the_call_back(ivr) -> None:
    """Only what staff can do is asked; where that is nothing, no key is there for it."""
    ivr("call", "--keys", "0 1 1 1 1 3 1 2 1")
    (one,) = json.loads(ivr("callbacks", "list", "--json").stdout)
    assert one["access"] == ["message", "slower"]
    settings = {"IVR_ACCESS_NEEDS": "interpreter"}
    asked = ivr("call", "--keys", "0 1 1 1 3 1 1 3 1", **settings)
    assert "Shall we bring an interpreter" in " ".join(asked.stdout.split())
    (one,) = json.loads(ivr("callbacks", "list", "--json").stdout)
    assert one["access"] == ["message", "slower", "interpreter"]
    none = ivr("call", "--keys", "0 1 1 1", IVR_ACCESS_NEEDS="none")
    assert "how best to ring you" not in " ".join(none.stdout.split())
    wrong = ivr("serve", IVR_ACCESS_NEEDS="braille")
    assert wrong.returncode == 2
    assert "IVR_ACCESS_NEEDS is 'braille'. It must be none, or any of message" in wrong.stderr


@pytest.fixture
def reference(ivr) -> str:
    """Somebody waits to be rung."""
    ivr("call", "--keys", "0 1 2 07700900456 1 1 1")
    (one,) = json.loads(ivr("callbacks", "list", "--json").stdout)
    return one["reference"]


def test_a_call_back_is_worked_from_claim_to_outcome(ivr, reference: str) -> None:
    """The number is seen by whoever claims it; when nobody answers it is due again."""
    claimed = ivr("callbacks", "claim", "--as", "alice", "--json")
    assert claimed.returncode == 0
    (one,) = json.loads(claimed.stdout)
    assert (one["state"], one["holder"], one["number"]) == ("claimed", "alice", "07700 900 456")
    (tried,) = json.loads(
        ivr("callbacks", "outcome", reference, "no answer", "--as", "alice", "--json").stdout
    )
    assert (tried["state"], tried["attempts"], tried["holder"]) == ("due again", 1, "")
    assert "900" not in tried["number"]
    assert ivr("callbacks", "claim", reference, "--as", "bob").returncode == 0
    assert "back in the queue" in ivr("callbacks", "release", reference, "--as", "bob").stdout
    assert ivr("callbacks", "claim", reference).returncode == 0
    done = ivr("callbacks", "outcome", reference, "wrong number", "--note", "a shop")
    assert "closed" in done.stdout
    assert "a shop" not in done.stdout
    shown = ivr("callbacks", "show", reference, "--reveal").stdout
    for line in ("07700 900 456", "alice: no answer", "bob: released", "a shop"):
        assert line in shown
    assert json.loads(ivr("callbacks", "list", "--json").stdout) == []


REFUSED = {
    ("claim", "{}", "--as", "bob"): "it is claimed, by alice; --take-over takes it",
    ("claim", "000000"): "No request has the reference 000000",
    ("claim", "--as", "bob"): "Nobody is to be rung just now",
    ("outcome", "{}", "spoke", "--as", "bob"): "You hold no request {}. Claim it first.",
    ("outcome", "{}", "spoken", "--as", "alice"): 'There is no outcome "spoken"; there are',
    ("outcome", "{}", "abusive", "--as", "alice"): '"abusive" needs a note',
    (
        *("outcome", "{}", "wrong number", "--note", "a shop", "--as", "alice"),
        *("--again", "2026-12-08T13:00"),
    ): '"wrong number" ends the request: it is not rung again.',
    ("release", "{}", "--as", "bob"): "You hold no request {}.",
}


def test_an_urgent_mark_that_texts_nobody_says_whom_to_ring(ivr, reference: str) -> None:
    """And both ways of reading the queue show it."""
    done = ivr("callbacks", "urgent", reference, "--note", "He says that he will hurt himself")
    assert done.returncode == 0
    assert "Nobody can be texted about it: ring your safeguarding lead now." in done.stderr
    (one,) = json.loads(ivr("callbacks", "list", "--json").stdout)
    assert (one["urgent"], one["safety"]) == (True, "")
    assert re.search(r"\burgent\b", ivr("callbacks", "list").stdout)
    assert "Leave no message" in ivr("callbacks", "show", reference).stdout


def test_what_cannot_be_done_is_said_with_its_reason(ivr, reference: str) -> None:
    """Exit status 1, no traceback, and nothing is changed."""
    ivr("callbacks", "claim", "--as", "alice")
    for arguments, said in REFUSED.items():
        done = ivr("callbacks", *(each.format(reference) for each in arguments))
        assert done.returncode == 1
        assert said.format(reference) in done.stderr
        assert "Traceback" not in done.stderr
    (one,) = json.loads(ivr("callbacks", "list", "--json").stdout)
    assert (one["state"], one["holder"]) == ("claimed", "alice")


def test_a_worry_about_safety_is_marked_and_said_why(ivr, reference: str) -> None:
    """Whoever claims it next reads it."""
    marked = ivr("callbacks", "urgent", reference, "--note", "alone at home", "--as", "alice")
    assert "alice: marked urgent" in marked.stdout
    assert "alone at home" not in marked.stdout
    assert "alone at home" in ivr("callbacks", "claim", "--as", "bob").stdout
    back = ivr("callbacks", "urgent", reference, "--not", "--note", "safe", "--json")
    (one,) = json.loads(back.stdout)
    assert one["history"][-1]["what"] == "not urgent"
    assert ivr("callbacks", "urgent", "000000", "--note", "x").returncode == 1


def test_a_claim_is_taken_over_by_its_reference_only(ivr, reference: str) -> None:
    ivr("callbacks", "claim", "--as", "alice")
    assert ivr("callbacks", "claim", "--take-over", "--as", "bob").returncode == 2
    taken = ivr("callbacks", "claim", reference, "--take-over", "--as", "bob")
    assert "bob" in taken.stdout


def test_the_requests_are_exported_as_a_table_without_numbers(
    ivr, reference: str, tmp_path: Path
) -> None:
    """To a file, or to another program."""
    assert "1 request" in ivr("callbacks", "export", "all.csv").stderr
    exported = (tmp_path / "all.csv").read_text()
    assert exported == ivr("callbacks", "export").stdout
    as_data = json.loads(ivr("callbacks", "export", "--json").stdout)
    assert as_data == json.loads(ivr("callbacks", "list", "--all", "--json").stdout)
    head, row = exported.splitlines()
    assert head.startswith("reference,state,number,requested_at,due_at,topic,council,access")
    assert row.startswith(f"{reference},waiting,… 456,")


def test_the_promise_keeps_to_working_days(ivr) -> None:
    """Christmas 2026 is on a Friday; the next working day is Tuesday the twenty-ninth."""
    asked = ivr("call", "--keys", "0 1 1 1 1", "--at", "2026-12-25T03:00", "--json")
    assert "Tuesday the twenty-ninth of December" in json.loads(asked.stdout)[-1]["said"][0]


def test_a_withheld_number_is_asked_for(ivr) -> None:
    done = ivr("call", "--keys", "0 1", "--withheld", "--json")
    assert json.loads(done.stdout)[-1]["digits"] == 11


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keys", "hello"), "hello is nothing that a caller can do"),
        (("--url", "http://127.0.0.1:1", "--at", "2026-12-25T03:00"), "--at sets the clock"),
        (("--keys", "1", "--at", "teatime"), '"teatime" is not a time'),
        (("--keys", "1", "--withheld", "--from", "+447700900123"), "either --withheld or --from"),
        (("--keys", "@busy"), "no phone is ringing"),
        (("--keys", "1", "--withheld", "--from", ""), "either --withheld or --from"),
        (("--loud",), "No such option"),
    ],
)
def test_wrong_use_exits_2_and_says_what_is_wrong(ivr, arguments, said) -> None:
    done = ivr("call", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "number", ["banana", "", "+12", "+4477009001234567", "077009", "anonymous"]
)
def test_what_is_no_number_cannot_be_rung_from(ivr, number: str) -> None:
    """It is named, and shown how it could be written."""
    done = ivr("call", "--keys", "1", "--from", number)
    assert done.returncode == 2
    assert f'"{number}" is not a number to ring from; write it as +447700900123' in done.stderr


def test_a_number_may_be_given_as_it_is_dialled(ivr) -> None:
    """Twilio would give it with +44."""
    ivr("call", "--keys", "0 1 1 1 1", "--from", "07700 900 456")
    (one,) = json.loads(ivr("callbacks", "claim", "--as", "alice", "--json").stdout)
    assert one["number"] == "07700 900 456"


@pytest.mark.parametrize(
    "url",
    [
        *("", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"),
        *("http://[::1", "http://a b/", "http://a@b/", "http://127.0.0.1/voice?a=b", "http://b/#c"),
    ],
)
def test_what_is_no_address_cannot_be_rung(ivr, url: str) -> None:
    done = ivr("call", "--keys", "1", "--url", url)
    assert done.returncode == 2
    assert f'"{url}" is no address of a helpline; try http://127.0.0.1:8000' in done.stderr


def test_guidance_is_heard_though_the_database_is_damaged(ivr, tmp_path: Path) -> None:
    """And it is said in a line what is wrong, where, and what would mend it; the file is left."""
    damaged = tmp_path / "var" / "helpline.db"
    damaged.parent.mkdir()
    damaged.write_text("nonsense")
    done = ivr("call", "--keys", "1 4", "--json")
    assert done.returncode == 0
    assert "right to help in school" in json.loads(done.stdout)[-1]["said"][0]
    said = done.stderr.splitlines()[0]
    assert said.startswith(f"The database {damaged} cannot be used (file is not a database);")
    assert said.endswith("move it away and run `ivr db upgrade`.")
    assert "Traceback" not in done.stderr
    assert damaged.read_text() == "nonsense"


def test_guidance_is_heard_where_no_database_can_be_kept(ivr, tmp_path: Path) -> None:
    (tmp_path / "var" / "helpline.db").mkdir(parents=True)
    done = ivr("call", "--keys", "1 4")
    assert done.returncode == 0
    assert "right to help in school" in done.stdout
    said = done.stderr.splitlines()[0]
    assert f"The database cannot be kept in {tmp_path}/var/helpline.db (Is a directory)." in said


def test_nobody_answering_is_told_in_a_line(ivr) -> None:
    done = ivr("call", "--url", "http://127.0.0.1:1", "--keys", "1")
    assert done.returncode == 1
    assert "nobody answers" in done.stderr
    assert "Traceback" not in done.stderr


# --- duty --------------------------------------------------------------------------------------


def test_people_go_on_duty_and_off_again(ivr) -> None:
    """Numbers are masked; what is no number that we ring, or no time, is refused."""
    ivr("db", "upgrade")
    assert "Nobody is on duty" in ivr("duty", "list").stdout
    until = f"{datetime.now(LONDON) + timedelta(hours=6):%H:%M}"
    on = ivr("duty", "on", "Ada Bell", "--phone", "07700 900456", "--until", until)
    assert on.stdout == f"Ada Bell is on duty until {until}.\n"
    shown = ivr("duty", "list", "--json")
    (one,) = json.loads(shown.stdout)
    assert (one["name"], one["number"], one["state"]) == ("Ada Bell", "… 456", "free")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["until"])
    assert "… 456" in ivr("duty", "list").stdout
    assert "900456" not in shown.stdout
    for phone in ("070 1234 5678", "0900 1234567", "999", "+15005550006"):
        refused = ivr("duty", "on", "Ben", "--phone", phone)
        assert refused.returncode == 2
        assert "no UK number that we ring" in refused.stderr
    assert ivr("duty", "on", "Ben", "--phone", "07700900457", "--until", "5pm").returncode == 2
    taken = ivr("duty", "on", "Ben", "--phone", "07700 900456")
    assert (taken.returncode, "Somebody else" in taken.stderr) == (1, True)
    assert ivr("duty", "off", "ada bell").stdout == "ada bell is off duty.\n"
    again = ivr("duty", "off", "Ada Bell")
    assert (again.returncode, "Nobody of this name" in again.stderr) == (1, True)


# --- check -----------------------------------------------------------------------------------


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    shutil.copytree(ROOT / "prompts", tmp_path / "prompts")
    return tmp_path / "flows"


def folders(flows: Path) -> dict[str, str]:
    return {"IVR_FLOWS": str(flows), "IVR_PROMPTS": str(flows.parent / "prompts")}


def test_a_good_book_has_no_mistakes(ivr, flows: Path) -> None:
    for path in (flows.parent / "prompts" / "en-GB").glob("*.yaml"):  # this test does not age
        path.write_text(path.read_text().replace("review_by: 20", "review_by: 30"))
    done = ivr("check", "--strict", **folders(flows))
    assert done.returncode == 0
    assert done.stdout.startswith("No mistakes in")


def test_mistakes_in_the_data_and_services_that_nothing_answers_are_told_too(
    ivr, flows: Path
) -> None:
    hours, councils, book = (
        flows / "data/hours.yaml",
        flows / "data/councils.csv",
        flows / "book.yaml",
    )
    hours.write_text(hours.read_text().replace("monday: 09:00-17:00", "monday: 9-5"))
    councils.write_text(councils.read_text() + "E06000001,Nowhere\n")
    declared = "  note-feedback:\n", "  send-a-pigeon: {outcomes: {sent: []}}\n  note-feedback:\n"
    book.write_text(book.read_text().replace(*declared))
    first, *rest = councils.read_text().splitlines()
    columns = first.count(",") + 1
    at = book.read_text().partition("  send-a-pigeon")[0].count("\n") + 1
    done = ivr("check", **folders(flows))
    assert done.returncode == 1
    errors = [line for line in done.stdout.splitlines() if " error " in line]
    assert [line.split(" (")[0] for line in errors] == [
        f'flows/book.yaml:{at}:3: error F008: nothing answers the service "send-a-pigeon"',
        f"flows/data/councils.csv:{len(rest) + 1}:2: error F002: 2 columns instead of {columns}",
        'flows/data/hours.yaml:5:9: error F007: "9-5" is not like 09:00-17:00',
    ]


def test_prompts_that_should_have_been_read_again_are_a_warning(ivr, flows: Path) -> None:
    main = flows.parent / "prompts" / "en-GB" / "main.yaml"
    main.write_text(main.read_text().replace("2027-05-31", "2020-05-31", 1))
    told = 'prompts/en-GB/main.yaml:1:12: warning F024: "main" was to be read again by 2020-05-31'
    done = ivr("check", **folders(flows))
    assert done.returncode == 0
    assert told in done.stdout
    assert ivr("check", "--strict", **folders(flows)).returncode == 1


def test_a_misspelt_step_is_named_with_its_place_and_the_nearest_name(ivr, flows: Path) -> None:
    main = flows / "main.yaml"
    main.write_text(main.read_text().replace("go: school/menu", "go: school/mneu"))
    folders = {"IVR_FLOWS": str(flows), "IVR_PROMPTS": str(flows.parent / "prompts")}
    done = ivr("check", **folders)
    assert done.returncode == 1
    assert 'error F003: unknown step "school/mneu" (did you mean "school/menu"?)' in done.stdout
    (found, *_) = json.loads(ivr("check", "--format", "json", **folders).stdout)["findings"]
    assert set(found) == {"file", "line", "column", "severity", "code", "message", "remedy"}
    assert (found["file"], found["code"]) == ("flows/main.yaml", "F003")
    refused = ivr("serve", "--bind", "127.0.0.1:0", **folders)
    assert refused.returncode == 1
    assert "F003" in refused.stderr


# --- staff -----------------------------------------------------------------------------------


def test_people_are_added_listed_changed_and_removed(ivr) -> None:
    """A password stands alone on standard output, so that a script can read it."""
    ivr("db", "upgrade")
    added = ivr("staff", "add", "Ann Smith", "--role", "administrator", "--as", "root")
    assert re.fullmatch(r"(\w{5}-){2}\w{5}\n", added.stdout)
    assert "in person or by phone" in added.stderr
    ivr("staff", "add", "Bob")
    ivr("staff", "role", "bob", "supervisor")
    people = json.loads(ivr("staff", "list", "--json").stdout)
    assert [(one["name"], one["role"], one["must_change"]) for one in people] == [
        ("Ann Smith", "administrator", True),
        ("Bob", "supervisor", True),
    ]
    again = json.loads(ivr("staff", "reset", "BOB", "--json").stdout)
    assert re.fullmatch(r"(\w{5}-){2}\w{5}", again["password"])
    assert ivr("staff", "remove", "Bob").returncode == 0
    listed = ivr("staff", "list").stdout
    assert "Ann Smith" in listed
    assert "Bob" not in listed
    refused = ivr("staff", "remove", "Ann Smith")
    assert refused.returncode == 1
    assert "Nobody else could manage people" in refused.stderr


def test_there_are_as_many_roles_at_the_prompt_as_there_are() -> None:
    assert tuple(Role) == ROLES


# --- the rest --------------------------------------------------------------------------------


def test_a_council_is_shown_with_the_columns_of_the_directory(ivr) -> None:
    shown = json.loads(ivr("directory", "show", "manchester", "--json").stdout)
    assert shown["gss_code"] == "E08000003"
    assert shown["phone_printed"] == "0161 209 8356"
    assert json.loads(ivr("directory", "show", "E08000003", "--json").stdout) == shown


def test_an_ambiguous_council_names_the_candidates(ivr) -> None:
    done = ivr("directory", "show", "Kingston")
    assert done.returncode == 1
    assert "Kingston upon Hull, Kingston upon Thames" in done.stderr


def test_a_place_shows_the_council_that_it_is_in_and_why(ivr) -> None:
    done = ivr("directory", "show", "Guildford")
    assert done.stdout.startswith("Guildford is in Surrey.\n")
    assert "E10000030" in done.stdout
    assert json.loads(ivr("directory", "show", "Guildford", "--json").stdout)["council"] == "Surrey"
    assert "Cardiff is in Wales." in ivr("directory", "show", "Cardiff").stderr


def test_the_table_of_presses_has_every_council_and_on_request_every_place(ivr) -> None:
    done = ivr("directory", "presses", "--json")
    assert done.returncode == 0
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["Leeds"] == {
        "name": "Leeds",
        "council": "E08000035",
        "letters": "533",
        "fits": 3,
        "entries": 2,
        "most": 3,
    }
    assert len({row["council"] for row in rows.values()}) == 153
    table = ivr("directory", "presses", "--places").stdout
    assert "Guildford" in table
    assert "entries on average" in table.splitlines()[-1]


def test_a_name_that_takes_too_many_presses_is_told(ivr, flows: Path) -> None:
    """Eight councils that share a town: nobody should have to listen to three pages."""
    places = flows / "data" / "places.csv"
    codes = [f"E0600000{number}" for number in range(1, 9)]
    places.write_text(
        "name,kind,council,source\n" + "".join(f"Xyston,place,{code},x\n" for code in codes)
    )
    done = ivr("directory", "presses", "--places", **folders(flows))
    assert done.returncode == 1
    assert "more than 4, or in vain" in done.stdout


def test_the_database_is_made_and_then_is_up_to_date(ivr) -> None:
    assert "is now at migration" in ivr("db", "upgrade").stdout
    assert "is up to date" in ivr("db", "upgrade").stdout


def test_call_backs_without_a_database_say_what_to_do(ivr) -> None:
    done = ivr("callbacks", "list")
    assert done.returncode == 1
    assert "ivr db upgrade" in done.stderr


def test_all_clips_are_made_once(ivr, flows: Path) -> None:
    """Here, with a few of the thousand places, whose names are spoken like the others."""
    places = flows / "data" / "places.csv"
    head, *rows = places.read_text().splitlines(keepends=True)
    places.write_text("".join([head, *rows[::50]]))
    first = ivr("speak", **folders(flows))
    assert first.returncode == 0
    assert "and 0 kept" in first.stdout
    assert "words a minute" in first.stdout
    assert ivr("speak", "--no-table", **folders(flows)).stdout.startswith("0 clips made")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"IVR_SPEECH": "shout"}, "IVR_SPEECH is 'shout'. It must be clips or say."),
        ({"IVR_TWILIO_AUTH_TOKEN": "t" * 32}, "IVR_PUBLIC_URL is not set"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(ivr, settings, said) -> None:
    done = ivr("check", **settings)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("file", ["hours.yaml", "councils.csv", "places.csv"])
def test_a_book_whose_data_are_broken_is_not_served(ivr, tmp_path: Path, file: str) -> None:
    """Every caller would hear the last resort, and nobody would know why."""
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    (tmp_path / "flows" / "data" / file).write_text("nonsense")
    done = ivr("serve", IVR_FLOWS=str(tmp_path / "flows"))
    assert done.returncode == 1
    assert file in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_cannot_be_is_wrong_use(ivr) -> None:
    """One line that says what would do."""
    for arguments in (("serve", "--bind", "127.0.0.1:99999"), ("call", "--url", "127.0.0.1:8000")):
        done = ivr(*arguments)
        assert done.returncode == 2
        assert "try" in done.stderr
        assert "Traceback" not in done.stderr


def test_demo_mode_listens_on_this_machine_only(ivr) -> None:
    done = ivr("serve", "--bind", "0.0.0.0:8000")
    assert done.returncode == 2
    assert "this machine only" in done.stderr


def test_serve_says_that_it_is_a_demo_answers_and_stops_when_told(ivr) -> None:
    """On whatever port is free, if asked so; and it names the one that it took."""
    served = ivr.started("serve", "--bind", "127.0.0.1:0")
    try:
        assert served.stdout is not None
        assert "Demo mode" in served.stdout.readline()
        assert "demo-token" in served.stdout.readline()
        at = re.search(r"on (127\.0\.0\.1:\d+)\. Stop with Ctrl-C", served.stdout.readline())
        assert at
        assert served.stdout.readline().endswith(f"make call URL=http://{at[1]}\n")
        assert served.stderr is not None
        while f"Running on http://{at[1]}" not in served.stderr.readline():
            assert served.poll() is None, "it stopped instead of serving"
        assert httpx.get(f"http://{at[1]}/healthz").text == "ok\n"
        assert httpx.post(f"http://{at[1]}/voice").status_code == 403
        for url in (f"http://{at[1]}", f" HTTP://{at[1]}/", f"http://{at[1]}/voice/"):
            rung = ivr("call", "--url", url, "--keys", "1 4", "--json")
            assert "right to help in school" in json.loads(rung.stdout)[-1]["said"][0]
        served.send_signal(signal.SIGTERM)
        assert served.wait(30) == 0
    finally:
        served.kill()
        served.communicate()
