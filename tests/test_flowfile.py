"""Whatever is in the files of a book, what is wrong is told with its place and remedy."""

import random
from datetime import date
from pathlib import Path

import pytest
from books import ROOT, SAMPLE, Caller, edited, findings, mangled, unwatched
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.book import load_book, read_book
from ivr.errors import BookError


def test_the_sample_book_and_the_real_one_have_no_mistakes() -> None:
    assert findings(SAMPLE) == []
    assert findings(ROOT) == []


def test_several_mistakes_at_once_are_all_told(tmp_path: Path) -> None:
    """In several files, of several kinds, by place; and each of them only once."""
    assert edited(
        tmp_path,
        ("flows/hello.yaml", "go: rules}", "go: rulse}"),
        ("flows/hello.yaml", "wait: 15", "wait: soon"),
        ("flows/hello.yaml", "2: {label: finish", "3: {label: finish"),
        ("flows/card.yaml", "ask: check-card", "ask: chek-card"),
        ("flows/person.yaml", "    menu: [we-can-help]\n", "    menu: [we-can-help]\n" * 2),
        ("prompts/en-GB/card.yaml", "{card:last-three}", "{card:last-tree}"),
    ) == [
        'flows/card.yaml:30:10: error F008: unknown service "chek-card"'
        ' (did you mean "check-card"?)',
        'flows/hello.yaml:11:29: error F003: unknown step "rulse" (did you mean "rules"?)',
        "flows/hello.yaml:29:7: error F016: the keys are 1, 3, not 1, 2, 3 ... without a gap"
        " (number the options in the order they are said)",
        'flows/hello.yaml:31:11: error F002: "soon" is not a whole number from 1 to 999'
        " (write it in digits, such as 20)",
        'flows/person.yaml:5:5: error F004: "menu" is written twice'
        " (give one of them another name)",
        'prompts/en-GB/card.yaml:5:15: error F014: unknown way of speaking "{card:last-tree}"'
        ' (did you mean "last-three"?)',
    ]


FILES = {
    "empty": ("flows/card.yaml", "", "1:1: error F001: the file is empty"),
    "only a remark": ("flows/card.yaml", "# later\n", "1:1: error F001: the file is empty"),
    "a list": ("flows/card.yaml", "- steps", 'F002: a mapping ("name: value") belongs here'),
    "no steps": ("flows/card.yaml", "steps: {}", "1:8: error F006: this flow has no steps"),
    "steps in a list": ("flows/card.yaml", "steps: [start]", "1:8: error F002: a mapping"),
    "steps left out": ("flows/card.yaml", "about: Cards.", '1:1: error F006: "steps" is missing'),
    "two documents": ("flows/card.yaml", "a: 1\n---\nb: 2\n", "2:1: error F001"),
    "a control character": ("flows/card.yaml", "a: \x00", "1:1: error F001"),
    "endless brackets": ("flows/card.yaml", "[" * 5000, "1:1: error F001"),
    "a bad tag": ("flows/card.yaml", "a: !!x", 'F002: unknown field "a"'),
    "an anchor in itself": ("flows/card.yaml", "steps: &a [*a]", "1:8: error F002"),
    "keys that are lists": ("flows/card.yaml", "steps: {? [a] : b}", "1:11: error F002: a text"),
    "prompts in a list": ("prompts/en-GB/card.yaml", "prompts: []", "1:10: error F002: a mapping"),
    "no prompts": ("prompts/en-GB/card.yaml", "prompts: {}", "1:10: error F006: this file has no"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_quite_another_thing_is_told_where_it_is(name: str, tmp_path: Path) -> None:
    file, content, told = FILES[name]
    found = edited(tmp_path, (file, None, content))
    assert all(one.startswith(f"{file}:") for one in found[:1])
    assert any(told in one for one in found)


@pytest.mark.parametrize("file", ["flows/hello.yaml", "prompts/en-GB/shared.yaml"])
def test_a_file_that_cannot_be_read_draws_no_other_mistakes_after_it(
    file: str, tmp_path: Path
) -> None:
    """Half the book refers to these files; the editor made one mistake."""
    assert len(edited(tmp_path, (file, None, "a: [b"))) == 1


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    edited(tmp_path)
    (tmp_path / "flows" / "card.yaml").write_bytes(b"\xff\xfe")
    assert findings(tmp_path) == [
        "flows/card.yaml:1:1: error F001: this is not a YAML file that can be read:"
        " UnicodeDecodeError (save it as UTF-8 text)"
    ]


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    edited(tmp_path)
    (tmp_path / "flows" / "odd.yaml").mkdir()
    (told,) = findings(tmp_path)
    assert told.startswith("flows/odd.yaml:1:1: error F001:")


def test_without_a_book_there_is_one_mistake(tmp_path: Path) -> None:
    edited(tmp_path)
    (tmp_path / "flows" / "book.yaml").unlink()
    assert findings(tmp_path) == [
        "flows/book.yaml:1:1: error F001: there is no book (IVR_FLOWS names the folder of flows)"
    ]


def test_a_folder_that_is_not_there_is_named_as_it_was_given(tmp_path: Path) -> None:
    edited(tmp_path)
    (told,) = read_book(Path("/no-such-flows"), tmp_path / "prompts").findings
    assert str(told) == (
        "/no-such-flows/book.yaml:1:1: error F001: there is no book"
        " (IVR_FLOWS names the folder of flows)"
    )


def test_what_is_passed_over_is_a_warning(tmp_path: Path) -> None:
    edited(tmp_path)
    for name in ("flows/data", "flows/old", "flows/.git", "prompts/en-GB/recordings"):
        (tmp_path / name).mkdir()
    for name in ("flows/more.yml", "flows/README.md", "prompts/en-GB/more.YAML"):
        (tmp_path / name).touch()
    assert findings(tmp_path) == [
        "flows/more.yml:1:1: warning F019: this is not read (name it more.yaml)",
        "flows/old:1:1: warning F019: this folder is not read (move its files, or delete it)",
        "prompts/en-GB/more.YAML:1:1: warning F019: this is not read (name it more.yaml)",
        "prompts/en-GB/recordings:1:1: warning F019: this folder is not read"
        " (move its files, or delete it)",
    ]


def test_what_should_have_been_read_again_is_told_on_the_day_after(tmp_path: Path) -> None:
    """A whole file once, at its line; a prompt that has a day of its own, at the prompt."""
    own = "type-card: {text: Type the number on your card., review_by: 2026-12-31}"
    edited(
        tmp_path,
        ("prompts/en-GB/card.yaml", "type-card: Type the number on your card.", own),
        ("prompts/en-GB/hello.yaml", "2027-05-31", "2026-11-30"),
    )

    def told(today: date | None) -> list[str]:
        reading = read_book(tmp_path / "flows", tmp_path / "prompts", today)
        assert reading.loaded is not None
        return [str(finding).split(" (")[0] for finding in reading.findings]

    hello = (
        'prompts/en-GB/hello.yaml:1:12: warning F024: "hello" was to be read again by 2026-11-30'
    )
    card = (
        'prompts/en-GB/card.yaml:8:3: warning F024: "card/type-card" was to be read again by'
        " 2026-12-31"
    )
    assert told(None) == told(date(2026, 11, 30)) == []
    assert told(date(2026, 12, 1)) == [hello]
    assert told(date(2027, 1, 1)) == [card, hello]


def test_without_prompts_there_is_one_mistake(tmp_path: Path) -> None:
    edited(tmp_path)
    for path in (tmp_path / "prompts" / "en-GB").iterdir():
        path.unlink()
    assert findings(tmp_path) == [
        "prompts/en-GB:1:1: error F001: there are no prompt files here"
        " (IVR_PROMPTS names the folder of prompts)"
    ]


def test_a_broken_book_is_refused_with_every_mistake_in_the_message(tmp_path: Path) -> None:
    told = edited(
        tmp_path,
        ("flows/hello.yaml", "go: rules}", "go: rulse}"),
        ("flows/hello.yaml", "wait: 15", "wait: soon"),
    )
    with pytest.raises(BookError) as refused:
        load_book(tmp_path / "flows", tmp_path / "prompts")
    assert str(refused.value).splitlines() == told


def test_a_warning_does_not_keep_a_book_from_being_served(tmp_path: Path) -> None:
    edited(tmp_path, ("prompts/en-GB/card.yaml", "  stop:", "  halt: Stop here\n  stop:"))
    reading = read_book(tmp_path / "flows", tmp_path / "prompts")
    assert [finding.severity for finding in reading.findings] == ["warning"]
    assert reading.loaded is not None


def test_a_finding_is_data_for_other_programs_too(tmp_path: Path) -> None:
    edited(tmp_path, ("flows/hello.yaml", "go: rules}", "go: rulse}"))
    (finding,) = read_book(tmp_path / "flows", tmp_path / "prompts").findings
    assert finding.as_dict() == {
        "file": "flows/hello.yaml",
        "line": 11,
        "column": 29,
        "severity": "error",
        "code": "F003",
        "message": 'unknown step "rulse"',
        "remedy": 'did you mean "rules"?',
    }


def test_a_book_is_known_by_a_digest_of_its_files(tmp_path: Path) -> None:
    edited(tmp_path)
    flows, prompts = tmp_path / "flows", tmp_path / "prompts"
    first = load_book(flows, prompts).book.digest
    assert load_book(flows, prompts).book.digest == first
    edited(tmp_path, ("prompts/en-GB/card.yaml", "First, your card.", "Your card, first."))
    assert load_book(flows, prompts).book.digest != first


# --- whatever is in the files --------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32), edits=st.integers(1, 6))
def test_no_mangled_book_makes_the_loader_raise(
    seed: int, edits: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Lines of the real book are lost, doubled, moved and cut: either it is still a good book, or
    every error has a place, a code and words."""
    folder = mangled(tmp_path_factory.getbasetemp() / "mangled", random.Random(seed), edits)
    with unwatched():
        reading = read_book(folder / "flows", folder / "prompts")
    errors = [finding for finding in reading.findings if finding.severity == "error"]
    assert (reading.loaded is None) == bool(errors)
    for finding in reading.findings:
        assert finding.file.startswith(("flows/", "prompts/en-GB"))
        assert finding.line >= 1
        assert finding.column >= 1
        assert finding.code[0] in "AF"
        assert finding.message
        assert finding.remedy
    if reading.loaded:  # then a call can be made, whatever was meant by it
        caller = Caller(reading.loaded.book)
        caller.press(*random.Random(seed).choices("0123456789*#-", k=30))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    file=st.sampled_from(["flows/book.yaml", "flows/card.yaml", "prompts/en-GB/card.yaml"]),
    text=st.text(st.characters(codec="utf-8"), max_size=200),
)
def test_no_text_at_all_makes_the_loader_raise(
    file: str, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with unwatched():
        assert edited(tmp_path_factory.getbasetemp() / "any", (file, None, text))
