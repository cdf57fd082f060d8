"""The directory: every council is found by its letters, and only vouched numbers are given."""

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from ivr.directory.entries import Council, speakable
from ivr.directory.loading import load_councils
from ivr.directory.lookup import Directory
from ivr.directory.spelling import keypad
from ivr.errors import BookError

DATA = Path(__file__).parent.parent / "flows" / "data"
DIRECTORY = Directory(load_councils(DATA))
TODAY = date(2026, 11, 24)


def spelled(letters: str) -> list[str]:
    """The councils by their own names alone; test_finding.py has the places in them."""
    matches = DIRECTORY.spelling.matches(keypad(letters))
    return [DIRECTORY.council(one.area).entry.council for one in matches if one.area != "london"]


# --- the facts -------------------------------------------------------------------------------


def test_all_153_councils_are_there() -> None:
    """Every council in England that has duties for children with SEN."""
    assert len(DIRECTORY.councils) == 153
    assert len({one.entry.gss_code for one in DIRECTORY.councils}) == 153


def test_whoever_is_vouched_for_says_where_it_was_read() -> None:
    """Fifteen today, each with a source."""
    vouched = [one.entry for one in DIRECTORY.councils if DIRECTORY.may_be_spoken(one, TODAY)]
    assert len(vouched) == 15
    assert all(entry.source_url and entry.service_name for entry in vouched)


def test_no_two_councils_sound_the_same_in_a_list() -> None:
    """Derby and Derbyshire, Herefordshire and Hertfordshire are told apart in their words."""
    listed = [one.listed for one in DIRECTORY.councils]
    assert len(set(listed)) == len(listed)
    assert {"Derby city", "Derbyshire county", "Herefordshire, near Wales"} <= set(listed)


# --- letters ---------------------------------------------------------------------------------


def test_letters_are_those_on_a_telephone() -> None:
    """E.161: 2 is ABC, 7 is PQRS, 9 is WXYZ; spaces and dashes are not typed."""
    assert keypad("ABC def ghi-jkl MNO pqrs tuv wxyz") == "22233344455566677778889999"


@pytest.mark.parametrize("council", DIRECTORY.councils, ids=lambda one: one.entry.gss_code)
def test_every_council_is_found_by_the_beginning_of_each_of_its_names(
    council: Council,
) -> None:
    """Three letters are enough to be offered it."""
    for name in council.names:
        assert council.entry.council in spelled(re.sub(r"\W", "", name)[:3])


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("LEE", ["Leeds"]),
        ("HUL", ["Kingston upon Hull"]),
        ("DUR", ["County Durham"]),
        ("SAI", ["St Helens"]),
        ("STH", ["St Helens"]),
        ("WIG", ["Isle of Wight", "Wigan"]),
        ("TRE", ["Stoke-on-Trent"]),
        ("BCP", ["Bournemouth, Christchurch and Poole"]),
        ("LON", ["City of London"]),
        ("MAI", ["Windsor and Maidenhead"]),
    ],
)
def test_a_council_is_found_by_its_everyday_name_or_a_later_word(
    letters: str, expected: list[str]
) -> None:
    """Parents say Hull and Durham."""
    assert set(expected) <= set(spelled(letters))


def test_whole_names_come_before_later_words() -> None:
    """Who spells NOR means Norfolk rather than West Northamptonshire."""
    names = spelled("NOR")
    assert names.index("Norfolk") < names.index("West Northamptonshire")
    assert names[:8] == sorted(names[:8])


def test_small_words_are_not_spelled_by() -> None:
    """Nobody looks for AND or UPO."""
    assert "Brighton and Hove" not in spelled("AND")
    assert "Kingston upon Thames" not in spelled("UPO")


# --- whom to ring ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Telford & Wrekin IASS (SENDIASS)", "Telford and Wrekin IASS"),
        ("PATT - Parent Advisory Team Thurrock (SENDIASS)", "PATT, Parent Advisory Team Thurrock"),
        (
            "Information, Advice and Support (IAS) Service for Windsor and Maidenhead",
            "Information, Advice and Support Service for Windsor and Maidenhead",
        ),
        ("Leeds SENDIASS", "Leeds SENDIASS"),
        ("(SENDIASS)", "(SENDIASS)"),  # in doubt, as printed
    ],
)
def test_a_service_name_is_said_without_brackets(name: str, said: str) -> None:
    """What stands in them is for the eye."""
    assert speakable(name) == said


def test_the_vocabulary_holds_every_name_that_can_be_said() -> None:
    """So every clip can be made beforehand."""
    vocabulary = set(DIRECTORY.vocabulary())
    for council in DIRECTORY.councils:
        assert {council.listed, council.spoken} <= vocabulary
    assert not any(re.search(r"[()&]", name) for name in vocabulary)


# --- the command's look-up -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("E06000023", "E06000023"),
        (" e06000023 ", "E06000023"),
        ("bristol", "E06000023"),
        ("Bristol, City of", "E06000023"),
        ("Bedford", "E06000055"),  # not Central Bedfordshire
        ("wolverh", "E08000031"),
        ("maidenhead", "E06000040"),
        ("Surrey County Council", "E10000030"),
        ("London Borough of Camden", "E09000007"),
        ("the Royal Borough of Kensington & Chelsea", "E09000020"),
        ("City of York Council", "E06000014"),
        ("City of London Council", "E09000001"),
        ("Bradford Metropolitan District Council", "E08000032"),
        ("Telford & Wrekin", "E06000020"),
    ],
)
def test_a_council_is_shown_by_code_name_or_a_part_only_it_has(text: str, code: str) -> None:
    """Whatever of it is at hand."""
    found = DIRECTORY.show(text)
    assert found.council is not None
    assert found.council.entry.gss_code == code


@pytest.mark.parametrize(
    "written",
    [
        "{} Council",
        "{} County Council",
        "{} City Council",
        "London Borough of {}",
        "THE {} COUNCIL",
    ],
)
def test_each_council_is_shown_as_it_is_written_on_a_letter(written: str) -> None:
    for council in DIRECTORY.councils:
        assert DIRECTORY.show(written.format(council.entry.council)).council == council


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("kingston council", ["Kingston upon Hull", "Kingston upon Thames"]),
        ("kingston", ["Kingston upon Hull", "Kingston upon Thames"]),
        ("Leedz", ["Leeds"]),
        ("Xyzzy", []),
        ("", []),
    ],
)
def test_otherwise_those_that_may_be_meant_are_named(text: str, candidates: list[str]) -> None:
    """Never one at random."""
    found = DIRECTORY.show(text)
    assert found.council is None
    assert [one.entry.council for one in found.candidates] == candidates


def test_an_entry_prints_with_the_columns_of_the_file() -> None:
    """What a command prints can be put back into the file."""
    with (DATA / "councils.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["gss_code"]: row for row in csv.DictReader(file)}
    assert {one.entry.gss_code: one.entry.as_dict() for one in DIRECTORY.councils} == rows


# --- mistakes in the files -------------------------------------------------------------------

HEADER = (
    "gss_code,council,region,service_name,phone,phone_printed,"
    "hours,email,website,state,source_url,source_date,note\n"
)
GOOD = "E08000035,Leeds,North,Leeds SENDIASS,+441133785020,0113 378 5020,,,,published,https://a,,\n"
NAMES = "gss_code,kind,name,source\n"


def complaint(folder: Path, councils: str, names: str = NAMES) -> list[str]:
    (folder / "councils.csv").write_text(councils, encoding="utf-8")
    (folder / "council-names.csv").write_text(names, encoding="utf-8")
    with pytest.raises(BookError) as caught:
        load_councils(folder)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("E08000035", "W06000001", '2:1: error F007: gss_code: "W06000001" is not a council'),
        (",Leeds,", ",,", "2:2: error F006: council: the council has no name"),
        ("Leeds SENDIASS", "", "2:4: error F006: service_name: a published contact must have"),
        (
            "+441133785020",
            "01133785020",
            '2:5: error F007: phone: "01133785020" is not a UK number',
        ),
        ("+441133785020", "+449098790123", '2:5: error F007: phone: "+449098790123" is not'),
        (
            "0113 378 5020",
            "0113 378 5021",
            '2:6: error F007: phone_printed: "0113 378 5021" is not',
        ),
        (
            "published",
            "rumoured",
            '2:10: error F007: state: "rumoured" is not a state (states: ver',
        ),
        ("https://a", "", "2:11: error F006: source_url: a published contact must have"),
    ],
)
def test_a_bad_row_is_named_with_line_and_column(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """So a spreadsheet's owner can mend it."""
    said = complaint(tmp_path, HEADER + GOOD.replace(old, new))
    assert any(line.startswith(f"councils.csv:{message}") for line in said)


def test_all_bad_rows_are_named_at_once(tmp_path: Path) -> None:
    """Not one a day."""
    said = complaint(
        tmp_path,
        HEADER + GOOD + GOOD + "E08000036,Wakefield\n",
        NAMES + "E08000035,nickname,Loiners,x\n",
    )
    assert said == [
        "councils.csv:3:1: error F004: gss_code: E08000035 is there twice"
        " (take one of the rows out)",
        "councils.csv:4:2: error F002: 2 columns instead of 13"
        " (a value with a comma in it belongs in quotation marks)",
        'council-names.csv:2:2: error F007: kind: "nickname" is not a kind of name'
        " (kinds: spoken, listed, also)",
    ]


WITH_CHECK = HEADER.strip() + ",checked_on,checked_by,record\n"
CHECKED = GOOD.strip() + ",2026-11-23,Bea,\n"
SHARING = CHECKED.replace("E08000035,Leeds", "E08000036,Wakefield").replace("Bea,", "Bea,E08000035")


def test_councils_that_share_a_service_have_one_record(tmp_path: Path) -> None:
    """The rows say the same, so that no edit can make them differ."""
    (tmp_path / "councils.csv").write_text(WITH_CHECK + SHARING + CHECKED, encoding="utf-8")
    (tmp_path / "council-names.csv").write_text(NAMES, encoding="utf-8")
    shared, holder = (one.entry for one in load_councils(tmp_path))
    assert shared.recorded == holder.recorded == "E08000035"
    assert shared.values == holder.values


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (CHECKED.replace("2026-11-23", "23/11/2026"), '3:14: error F007: checked_on: "23/11'),
        (SHARING.replace("Leeds SEND", "SEND"), "3:4: error F007: service_name: it is not"),
        (SHARING.replace("2026-11-23", "2026-11-22"), "3:14: error F007: checked_on: it is not"),
        (SHARING.replace("Bea,E08000035", "Bea,E08000036"), '3:16: error F007: record: "E0800'),
        (SHARING.replace("Bea,E08000035", "Bea,E08000099"), '3:16: error F007: record: "E0800'),
    ],
)
def test_a_check_or_a_shared_record_that_cannot_be_is_named(
    tmp_path: Path, row: str, message: str
) -> None:
    (said,) = complaint(tmp_path, WITH_CHECK + CHECKED + row.replace("E08000035,L", "E08000077,L"))
    assert said.startswith(f"councils.csv:{message}")


def test_in_the_data_only_one_service_is_shared() -> None:
    """Kingston and Richmond say so themselves. No page of Herefordshire has the number that
    Worcestershire prints."""
    shared = {one.entry.council: one.entry.record for one in DIRECTORY.councils if one.entry.record}
    assert shared == {"Richmond upon Thames": "E09000021"}


def test_a_file_with_other_columns_empty_or_gone_is_named(tmp_path: Path) -> None:
    """A wrong file is not an empty directory."""
    assert complaint(tmp_path, "code,name\n")[0].startswith(
        "councils.csv:1:1: error F002: these are"
    )
    assert complaint(tmp_path, HEADER) == [
        "councils.csv:1:1: error F006: there are no councils in it (enter them)"
    ]
    (tmp_path / "councils.csv").unlink()
    with pytest.raises(BookError, match="cannot be read"):
        load_councils(tmp_path)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    """As some spreadsheets save it."""
    (tmp_path / "councils.csv").write_bytes(HEADER.encode() + b"E08000035,L\xe9eds")
    with pytest.raises(BookError, match=r"councils.csv:2:1: error F001: this is not UTF-8"):
        load_councils(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("E08000099,also,Loiners,x\n", '2:1: error F007: gss_code: "E08000099" is not in'),
        ("E08000035,nickname,Loiners,x\n", '2:2: error F007: kind: "nickname" is not a kind'),
        ("E08000035,also,,x\n", "2:3: error F006: name: it is empty"),
    ],
)
def test_a_bad_name_is_named_too(tmp_path: Path, row: str, message: str) -> None:
    """The second file is held to the first."""
    said = complaint(tmp_path, HEADER + GOOD, NAMES + row)
    assert said[0].startswith(f"council-names.csv:{message}")
