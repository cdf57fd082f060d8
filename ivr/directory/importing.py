"""Reading a sheet of councils that people changed elsewhere, and what it would change here.

It is the file that ``ivr directory export`` writes, whole or in part, with or without the last
columns, as a spreadsheet leaves it. Every bad row is named; what is not in it stays as it is.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ivr.directory.checking import Fault
from ivr.directory.editing import Editor, Wanted, completed
from ivr.directory.entries import COLUMNS, FIXED, Entry
from ivr.directory.loading import NEEDED, Row, Table
from ivr.yamlfile import Report, did_you_mean

# What a spreadsheet makes of a number and of a day.
_WITHOUT_PLUS = re.compile(r"44[1-9][0-9]{8,9}")
_WITHOUT_ZERO = re.compile(r"[1-9][0-9]{8,9}")
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_BRITISH_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
DAYS = ("source_date", "checked_on")  # columns


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that would be another."""

    gss_code: str
    council: str
    column: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sheet would change."""

    wanted: tuple[Wanted, ...]  # each record once
    differences: tuple[Difference, ...]
    rows: int  # that were read


def planned(path: Path, name: str, editor: Editor, report: Report) -> Plan:
    """Compare a sheet with what is known now. Its mistakes are reported, under this name."""
    table = Table(path, name, COLUMNS, report, NEEDED)
    rows: dict[str, Row] = {}
    wanted: dict[str, Wanted] = {}  # by record
    for line, given in table.rows():
        row = _mended(given)
        if not any(row.values()):  # spreadsheets leave such behind
            continue
        wrong = [*_faults(row, rows, editor)]
        for fault in wrong:
            table.error(line, fault)
        code = row["gss_code"]
        if not wrong:
            record = editor.entry(code).recorded
            wanted[record] = Wanted(record, completed(row), editor.last_change(code))
        rows.setdefault(code, row)
    if not rows and table.whole:
        table.error(1, ("gss_code", "F006", "there are no councils in it", "enter some"))
    changed = {record: [*_differences(one, editor)] for record, one in wanted.items()}
    return Plan(
        wanted=tuple(one for record, one in wanted.items() if changed[record]),
        differences=tuple(each for found in changed.values() for each in found),
        rows=len(rows),
    )


def exported(entries: Iterable[Entry]) -> str:
    """Return these entries as a sheet: one row for each, in the order and the columns of
    ``councils.csv``."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS)
    writer.writeheader()
    writer.writerows(entry.as_dict() for entry in entries)
    return written.getvalue()


def _faults(row: Row, before: dict[str, Row], editor: Editor) -> Iterator[Fault]:
    code = row["gss_code"]
    known = {one.entry.gss_code: one.entry for one in editor.current.now().councils}
    if code not in known:
        message = f'"{code}" is no council in the directory'
        yield "gss_code", "F007", message, did_you_mean(code, known) or "E06, E08, E09 or E10 ..."
        return
    if code in before:
        yield "gss_code", "F004", f"{code} is there twice", "take one of the rows out"
        return
    entry = known[code]
    for column in FIXED:
        held = getattr(entry, column)
        if row.get(column, held) != held:
            message = f'"{row[column]}" is not "{held}", as we have it for {code}'
            yield column, "F007", message, "an import does not change it: see that no rows slipped"
    yield from editor.faults(code, row)
    values = completed(row)
    for other, theirs in before.items():
        shares = other in known and known[other].recorded == entry.recorded
        for column, value in completed(theirs).items() if shares else ():
            if values.get(column, value) != value:
                message = f"it is not the same as that of {known[other].council}"
                yield column, "F007", message, "they share the service: write the same in both rows"


def _differences(wanted: Wanted, editor: Editor) -> Iterator[Difference]:
    entry = editor.entry(wanted.record)
    for column, new in wanted.values.items():
        old = entry.values[column]
        if new != old:
            yield Difference(entry.gss_code, entry.council, column, old, new)


def _mended(row: Row) -> Row:
    """The row as it was before a spreadsheet took texts for numbers and days. Days are read as
    British ones. A number that was rounded is left out: it is made from what is printed."""
    mended = {column: _as_day(value) if column in DAYS else value for column, value in row.items()}
    if _WITHOUT_ZERO.fullmatch(mended["phone_printed"]):
        mended["phone_printed"] = f"0{mended['phone_printed']}"
    if _WITHOUT_PLUS.fullmatch(mended["phone"]):
        mended["phone"] = f"+{mended['phone']}"
    elif mended["phone_printed"] and _ROUNDED.fullmatch(mended["phone"]):
        mended["phone"] = ""
    return mended


def _as_day(value: str) -> str:
    day = _BRITISH_DAY.fullmatch(value)
    try:
        return date(int(day[3]), int(day[2]), int(day[1])).isoformat() if day else value
    except ValueError:  # it is told as it stands
        return value
