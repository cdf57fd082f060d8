"""Reading the directory's files: ``councils.csv``, and ``council-names.csv`` beside it.

Every bad row is named, all of them at once, with its line and column.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from ivr.directory.entries import Council, Entry, Vouching, may_be_spoken
from ivr.errors import BookError

COLUMNS = tuple(field.name for field in fields(Entry))
NAME_COLUMNS = ("gss_code", "kind", "name", "source")
NAME_KINDS = ("spoken", "listed", "also")

Row = dict[str, str]

_CODE = re.compile(r"E(?:06|08|09|10)\d{6}")
_NUMBER = re.compile(r"\+44(?:[123]\d{8,9}|7[1-9]\d{8}|80[08]\d{6,7})")  # at no unusual cost


def load_councils(folder: Path) -> tuple[Council, ...]:
    """Read all councils from the two files in this folder, in the order of the first.

    Raises BookError with one line for each mistake: file, line, column, what is wrong.
    """
    mistakes: list[str] = []
    entries: dict[str, Entry] = {}
    for place, row in _rows(folder / "councils.csv", COLUMNS, mistakes):
        wrong = list(_faults(row, entries))
        mistakes += [_at(place, COLUMNS, column, what) for column, what in wrong]
        if not wrong:
            entries[row["gss_code"]] = Entry(**row)
    names: dict[str, list[Row]] = {}
    for place, row in _rows(folder / "council-names.csv", NAME_COLUMNS, mistakes):
        wrong = [] if mistakes else list(_name_faults(row, entries))
        mistakes += [_at(place, NAME_COLUMNS, column, what) for column, what in wrong]
        names.setdefault(row["gss_code"], []).append(row)
    if not entries and not mistakes:
        mistakes.append(f"{folder / 'councils.csv'}:1: there are no councils in it")
    if mistakes:
        raise BookError("\n".join(mistakes))
    return tuple(_council(entry, names.get(code, [])) for code, entry in entries.items())


def _council(entry: Entry, names: list[Row]) -> Council:
    given = {row["kind"]: row["name"] for row in names}
    spoken = given.get("spoken", entry.council)
    also = tuple(row["name"] for row in names if row["kind"] == "also")
    return Council(entry, spoken=spoken, listed=given.get("listed", spoken), also=also)


def _rows(path: Path, columns: tuple[str, ...], mistakes: list[str]) -> Iterator[tuple[str, Row]]:
    """Give each row with its place; note what is wrong with the file or a row's length."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if tuple(header) != columns:
                mistakes.append(f"{path}:1: the columns must be {','.join(columns)}")
                return
            for values in reader:
                place = f"{path}:{reader.line_num}"
                if len(values) == len(columns):
                    stripped = (value.strip() for value in values)
                    yield place, dict(zip(columns, stripped, strict=True))
                elif values:
                    mistakes.append(f"{place}: {len(values)} columns instead of {len(columns)}")
    except OSError as problem:
        mistakes.append(f"{path}: it cannot be read ({problem.strerror})")
    except (UnicodeDecodeError, csv.Error) as problem:
        mistakes.append(f"{path}: it is not CSV in UTF-8 ({problem})")


def _at(place: str, columns: tuple[str, ...], column: str, what: str) -> str:
    return f"{place}: column {columns.index(column) + 1} ({column}): {what}"


def _faults(row: Row, known: dict[str, Entry]) -> Iterator[tuple[str, str]]:
    """Give (column, what is wrong) for a row of ``councils.csv``."""
    if not _CODE.fullmatch(row["gss_code"]):
        yield "gss_code", f"{row['gss_code']!r} is not a council's code in England"
    if row["gss_code"] in known:
        yield "gss_code", f"{row['gss_code']} is there twice"
    if not row["council"]:
        yield "council", "the council has no name"
    if row["state"] not in {state.value for state in Vouching}:
        yield "state", f"{row['state']!r} is not one of {', '.join(Vouching)}"
        return
    if row["phone"] and not _NUMBER.fullmatch(row["phone"]):
        yield "phone", f"{row['phone']!r} is not a UK number at usual cost, like +441632960123"
    if re.sub(r"\D", "", row["phone_printed"]) != row["phone"].replace("+44", "0"):
        yield "phone_printed", f"{row['phone_printed']!r} is not {row['phone']!r} as printed"
    if may_be_spoken(Entry(**row)):
        for column in ("service_name", "phone", "source_url"):
            if not row[column]:
                yield column, f"a {row['state']} contact must have one"


def _name_faults(row: Row, known: dict[str, Entry]) -> Iterator[tuple[str, str]]:
    """Give (column, what is wrong) for a row of ``council-names.csv``."""
    if row["gss_code"] not in known:
        yield "gss_code", f"{row['gss_code']!r} is not in councils.csv"
    if row["kind"] not in NAME_KINDS:
        yield "kind", f"{row['kind']!r} is not one of {', '.join(NAME_KINDS)}"
    if not row["name"]:
        yield "name", "it is empty"
