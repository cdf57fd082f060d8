"""Places: the districts, towns and countries by which callers know where they live.

``places.csv`` says in which council's area each one lies, or in which other country; a place in two
areas has two rows. ``area-codes.csv`` says which councils a landline's area code mostly serves.
Every bad row is named, as ``loading`` does for the councils.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from ivr.directory.checking import Fault
from ivr.directory.loading import Row, Table, read_councils
from ivr.errors import BookError
from ivr.yamlfile import Report, did_you_mean

FILE, CODES_FILE = "places.csv", "area-codes.csv"
CODE_COLUMNS = ("area_code", "area", "council", "source")
LONDON = "london"
NATIONS = {"wales": "Wales", "scotland": "Scotland", "northern-ireland": "Northern Ireland"}
BEYOND = {**NATIONS, LONDON: "A London borough"}  # what is no council of England, as it is listed
ELSEWHERE, ANOTHER_AREA = "other", "Another area"  # so that no caller has to take a guess
MOST_GUESSES = 3  # councils of one area code: with "another area" they make a menu of four

_AREA_CODE = re.compile(r"0[12][0-9]{1,3}")


class Kind(StrEnum):
    """What a place is."""

    DISTRICT = "district"  # a district council of today, in a county
    FORMER = "former-district"  # one that was merged into the council of today
    PLACE = "place"  # a town, or a part of a city
    COUNTY = "county"  # larger than a council: it is listed by the councils in it
    COUNCIL = "council"  # of another country
    NATION = "nation"  # another country itself


WIDE = frozenset({Kind.COUNTY, Kind.NATION})  # what callers name instead of the area itself


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the area of a council; the fields are the columns of ``places.csv``."""

    name: str
    kind: str
    council: str  # the GSS code of the council that deals with schools there, or one of ``BEYOND``
    source: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of where callers may live, beside the councils themselves."""

    places: tuple[Place, ...] = ()
    area_codes: Mapping[str, tuple[str, ...]] | None = None  # "01483": GSS codes, or ``BEYOND``

    def guesses(self, number: str) -> tuple[str, ...]:
        """Return the areas that a landline number (E.164) may lie in, by its area code; for any
        other number none."""
        digits = f"0{number[3:]}" if number.startswith("+44") else ""
        for length in (5, 4, 3):  # the longest code that fits: 01483 before 0148
            found = (self.area_codes or {}).get(digits[:length])
            if found:
                return found
        return ()


def load_whereabouts(folder: Path) -> Whereabouts:
    """Read the two files in this folder.

    Raises BookError with one line for each mistake: file, line, column, what is wrong, the remedy.
    """
    report = Report()
    found = read_whereabouts(folder, folder.as_posix(), report)
    if report.errors:
        raise BookError("\n".join(str(finding) for finding in report.findings))
    return found


def read_whereabouts(folder: Path, name: str, report: Report) -> Whereabouts:
    """All places and area codes without mistakes; every mistake is reported, under this name of
    the folder. The councils' own mistakes are not told again."""
    councils = {one.entry.gss_code for one in read_councils(folder, name, Report())}
    known = {*councils, *BEYOND} if councils else None
    table = Table(folder / FILE, f"{name}/{FILE}", _columns(), report)
    places: dict[tuple[str, str], Place] = {}
    for line, row in table.rows():
        wrong = [*_place_faults(row, places), *_council_faults(row, known)]
        for fault in wrong:
            table.error(line, fault)
        if not wrong:
            places[row["name"], row["council"]] = Place(**row)
    table = Table(folder / CODES_FILE, f"{name}/{CODES_FILE}", CODE_COLUMNS, report)
    codes: dict[str, tuple[str, ...]] = {}
    for line, row in table.rows():
        before = codes.get(row["area_code"], ())
        wrong = [*_code_faults(row, before), *_council_faults(row, known)]
        for fault in wrong:
            table.error(line, fault)
        if not wrong:
            codes[row["area_code"]] = (*before, row["council"])
    return Whereabouts(tuple(places.values()), codes)


def _columns() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Place))


def _place_faults(row: Row, places: Collection[tuple[str, str]]) -> Iterator[Fault]:
    """What is wrong with a row of ``places.csv``, its council apart."""
    if not re.search("[A-Za-z]", row["name"]):
        yield "name", "F006", "there are no letters to spell it by", "write the name"
    if (row["name"], row["council"]) in places:
        yield "name", "F004", f"{row['name']} is there twice", "take one of the rows out"
    kinds = [kind.value for kind in Kind]
    if row["kind"] not in kinds:
        message = f'"{row["kind"]}" is not a kind of place'
        yield "kind", "F007", message, f"kinds: {', '.join(kinds)}"
    if not row["source"]:
        yield "source", "F006", "nobody can look it up", "say where this is written"


def _code_faults(row: Row, before: tuple[str, ...]) -> Iterator[Fault]:
    """What is wrong with a row of ``area-codes.csv``, its council apart."""
    if not _AREA_CODE.fullmatch(row["area_code"]):
        message = f'"{row["area_code"]}" is not an area code of the UK'
        yield "area_code", "F007", message, "write it like 01483"
    if row["council"] in before:
        yield "council", "F004", "it is there twice for this code", "take one of the rows out"
    elif len(before) >= MOST_GUESSES:
        message = f"{row['area_code']} has more than {MOST_GUESSES} councils"
        yield "area_code", "F007", message, "too many for a guess: take all its rows out"


def _council_faults(row: Row, known: Collection[str] | None) -> Iterator[Fault]:
    """Whether the council of a row is one. ``known`` are all that may stand there, or None where
    the councils could not be read."""
    if known is not None and row["council"] not in known:
        message = f'"{row["council"]}" is neither a council in councils.csv nor another country'
        remedy = did_you_mean(row["council"], known) or f"countries: {', '.join(NATIONS)}"
        yield "council", "F007", message, remedy
