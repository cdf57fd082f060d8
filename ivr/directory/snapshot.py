"""What people changed last, as a value, and as the text of a file: read anew, it is checked like
any other. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ivr.directory.checking import faults
from ivr.directory.entries import CHANGEABLE, Council
from ivr.errors import HelplineError


class DamagedError(HelplineError):
    """The file of what was changed last is damaged, or was written by another version."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The last change of each record that people changed: its number, and the values since."""

    last: Mapping[str, int] = field(default_factory=dict)  # by record
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def overlaid(councils: Iterable[Council], snapshot: Snapshot) -> Iterator[Council]:
    """The councils of the file, as they are since they were changed."""
    for council in councils:
        values = snapshot.values.get(council.entry.recorded)
        yield replace(council, entry=council.entry.changed(values)) if values else council


def packed(snapshot: Snapshot) -> str:
    """The snapshot as text."""
    records = {
        record: {"change": change, "values": dict(snapshot.values[record])}
        for record, change in snapshot.last.items()
    }
    return json.dumps({"records": records}, indent=1, ensure_ascii=False)


def unpacked(text: str) -> tuple[Snapshot, tuple[str, ...]]:
    """The snapshot of this text, without the records that could not have been written; and the
    codes of these. Raises DamagedError if there are no records to be told apart."""
    try:
        records = dict(json.loads(text)["records"])
    except (ValueError, TypeError, LookupError, RecursionError):
        raise DamagedError from None
    last: dict[str, int] = {}
    values: dict[str, Mapping[str, str]] = {}
    dropped = []
    for record, one in records.items():
        try:
            last[record], values[record] = int(one["change"]), _values(one["values"])
        except (ValueError, TypeError, LookupError, OverflowError):
            last.pop(record, None)
            dropped.append(str(record))
    return Snapshot(last, values), tuple(dropped)


def _values(read: Mapping[str, str]) -> dict[str, str]:
    """All values of one record. Raises ValueError if they could not have been written."""
    values = {column: read[column] for column in CHANGEABLE}
    if not all(isinstance(value, str) for value in values.values()) or any(faults(values)):
        raise ValueError("these are no values of a record")
    return values
