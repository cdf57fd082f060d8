"""Reading the directory's files: ``councils.csv``, and ``council-names.csv`` beside it.

Every bad row is named, all of them at once, with its line and column.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ivr.directory.checking import Fault, faults
from ivr.directory.entries import COLUMNS, Council, Entry
from ivr.errors import BookError
from ivr.yamlfile import Report, Where, did_you_mean

FILE, NAMES_FILE = "councils.csv", "council-names.csv"
NEEDED = COLUMNS.index("checked_on")  # columns; the later ones may be missing
NAME_COLUMNS = ("gss_code", "kind", "name", "source")
NAME_KINDS = ("spoken", "listed", "also")

SEPARATORS = {";": "semicolons", "\t": "tabs"}  # that spreadsheets write in place of commas
COMMAS = 'save it as "CSV UTF-8 (comma delimited)"'
WORKBOOK = b"PK\x03\x04"  # how an .xlsx or .ods file begins
LONGEST = 200  # characters of a message

Row = dict[str, str]

_CODE = re.compile(r"E(?:06|08|09|10)[0-9]{6}")


def load_councils(folder: Path) -> tuple[Council, ...]:
    """Read all councils from the two files in this folder, in the order of the first.

    Raises BookError with one line for each mistake: file, line, column, what is wrong, the remedy.
    """
    report = Report()
    councils = read_councils(folder, folder.as_posix(), report)
    if report.errors:
        raise BookError("\n".join(str(finding) for finding in report.findings))
    return councils


def read_councils(folder: Path, name: str, report: Report) -> tuple[Council, ...]:
    """All councils without mistakes; every mistake is reported, under this name of the folder."""
    councils = Table(folder / FILE, f"{name}/{FILE}", COLUMNS, report, NEEDED)
    entries: dict[str, Entry] = {}
    codes: dict[str, int] = {}  # and their lines
    for line, row in councils.rows():
        wrong = [*_faults(row, codes)]
        for fault in wrong:
            councils.error(line, fault)
        codes.setdefault(row["gss_code"], line)
        if not wrong:
            entries[row["gss_code"]] = Entry(**row)
    whole = councils.whole and len(entries) == len(codes)
    for entry in entries.values() if whole else ():
        for fault in _sharing_faults(entry, entries):
            councils.error(codes[entry.gss_code], fault)
    if not codes and councils.whole:
        report.error(Where(councils.name), "F006", "there are no councils in it", "enter them")
    table = Table(folder / NAMES_FILE, f"{name}/{NAMES_FILE}", NAME_COLUMNS, report)
    names: dict[str, list[Row]] = {}
    for line, row in table.rows():
        for fault in _name_faults(row, codes if councils.whole else None):
            table.error(line, fault)
        names.setdefault(row["gss_code"], []).append(row)
    return tuple(_council(entry, names.get(code, [])) for code, entry in entries.items())


def _council(entry: Entry, names: list[Row]) -> Council:
    given = {row["kind"]: row["name"] for row in names}
    spoken = given.get("spoken", entry.council)
    also = tuple(row["name"] for row in names if row["kind"] == "also")
    return Council(entry, spoken=spoken, listed=given.get("listed", spoken), also=also)


class Table:
    """A CSV file, read row by row; its mistakes are reported. A column is told by its number, as a
    spreadsheet shows it."""

    def __init__(
        self,
        path: Path,
        name: str,
        columns: tuple[str, ...],
        report: Report,
        needed: int | None = None,
    ) -> None:
        """Take which columns the file may have, in any order, and how many of them, the first ones,
        it must have (None: all)."""
        self.name, self.whole = name, False  # whole: could every row be read?
        self._path, self._columns, self._report = path, columns, report
        self._needed = columns[:needed]
        self._header = columns

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row of the right length, with its line: the columns that the file has."""
        text = self._text()
        if text is None:
            return
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        line = 1
        try:
            header = _without_end([name.strip() for name in next(reader, ())])
            if not set(self._needed) <= set(header) <= set(self._columns) or _twice(header):
                self._note(line, "F002", *self._other_columns(header))
                return
            self._header, self.whole = header, True
            line = reader.line_num + 1
            for values in reader:
                row = [value.strip() for value in values]
                if len(_without_end(row, len(header))) == len(header):
                    yield line, dict(zip(header, row, strict=False))
                elif values:
                    self._short(line, values, len(header))
                line = reader.line_num + 1
        except csv.Error as problem:
            self._note(line, "F001", f"this is not CSV: {problem}", "look at the quotation marks")
            self.whole = False

    def error(self, line: int, fault: Fault) -> None:
        """Report what is wrong with one value."""
        column, code, message, remedy = fault
        where = Where(self.name, line, self._place(column))
        self._report.error(where, code, _printable(f"{column}: {message}"), remedy)

    def _place(self, column: str) -> int:
        """In which column of the file it stands; the last one, where the file does not have it."""
        return self._header.index(column) + 1 if column in self._header else len(self._header)

    def _other_columns(self, header: tuple[str, ...]) -> tuple[str, str]:
        """What is said of a first line that is not the columns, and the remedy."""
        message = "these are not the columns"
        for sign, name in SEPARATORS.items():
            if len(header) == 1 and sign in header[0]:
                return f"{message}: {name} stand between them", COMMAS
        odd = [name for name in header if name not in self._columns]
        absent = [name for name in self._needed if name not in header]
        if odd and len(odd) < len(header):
            message = f'"{odd[0]}" is not a column'
        elif header and not odd and absent:
            message = f'the column "{absent[0]}" is missing'
        return message, f"let the first line be {','.join(self._columns)}"

    def _text(self) -> str | None:
        """The file's text, or None (reported) when it cannot be read or is not UTF-8."""
        try:
            content = self._path.read_bytes()
            if content.startswith(WORKBOOK):
                self._note(1, "F001", "this is a spreadsheet's own file, not CSV", COMMAS)
                return None
            return content.decode("utf-8-sig")
        except OSError as problem:
            message = f"the file cannot be read: {problem.strerror}"
            self._note(1, "F001", message, "see that it is there, and may be read")
        except UnicodeDecodeError as problem:
            line = content.count(b"\n", 0, problem.start) + 1
            self._note(line, "F001", "this is not UTF-8", 'save it as "CSV UTF-8"')
        return None

    def _short(self, line: int, values: list[str], wanted: int) -> None:
        """A row of another length: told at its last column, which is missing or too much."""
        self.whole = False
        message = f"{len(values)} columns instead of {wanted}"
        remedy = "a value with a comma in it belongs in quotation marks"
        where = Where(self.name, line, min(len(values), wanted))
        self._report.error(where, "F002", message, remedy)

    def _note(self, line: int, code: str, message: str, remedy: str) -> None:
        self._report.error(Where(self.name, line), code, message, remedy)


def _without_end(values: Sequence[str], least: int = 0) -> tuple[str, ...]:
    """The values without empty ones at the end, which spreadsheets leave; at least so many."""
    count = max((at for at, value in enumerate(values, 1) if value), default=0)
    return tuple(values[: max(count, least)])


def _twice(names: Sequence[str]) -> bool:
    return len(set(names)) < len(names)


def _printable(message: str) -> str:
    """The message in one line that harms no terminal, whatever it quotes."""
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in message)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ..."


def _faults(row: Row, known: Collection[str]) -> Iterator[Fault]:
    """What is wrong with a row of ``councils.csv``."""
    code = row["gss_code"]
    if not _CODE.fullmatch(code):
        message = f'"{code}" is not a council\'s code in England'
        yield "gss_code", "F007", message, "E06, E08, E09 or E10, and six digits"
    if code in known:
        yield "gss_code", "F004", f"{code} is there twice", "take one of the rows out"
    if not row["council"]:
        yield "council", "F006", "the council has no name", "write it"
    yield from faults(Entry(**row).values)


def _sharing_faults(entry: Entry, entries: Mapping[str, Entry]) -> Iterator[Fault]:
    """What is wrong with sharing a service: another council holds the record, and says the same."""
    if not entry.record:
        return
    holder = entries.get(entry.record)
    if holder is None or holder.record or holder is entry:
        message = f'"{entry.record}" is not a council with a record of its own'
        remedy = did_you_mean(entry.record, entries)
        yield "record", "F007", message, remedy or "take it out, or name the council that holds it"
        return
    for column, value in entry.values.items():
        if value != holder.values[column]:
            message = f"it is not the same as that of {holder.council}, who share the service"
            yield column, "F007", message, "let both be the same, or leave the record empty"


def _name_faults(row: Row, known: Collection[str] | None) -> Iterator[Fault]:
    """What is wrong with a row of ``council-names.csv``. ``known`` are the codes of all councils,
    or None where some of them could not be read."""
    if known is not None and row["gss_code"] not in known:
        message = f'"{row["gss_code"]}" is not in {FILE}'
        yield "gss_code", "F007", message, did_you_mean(row["gss_code"], known) or "take it out"
    if row["kind"] not in NAME_KINDS:
        message = f'"{row["kind"]}" is not a kind of name'
        yield "kind", "F007", message, f"kinds: {', '.join(NAME_KINDS)}"
    if not row["name"]:
        yield "name", "F006", "it is empty", "write the name, or take the row out"
