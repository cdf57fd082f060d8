"""What people do with the directory: change a record, say that they checked it, undo a change.

Every change is an event that is kept, with all values before and after. It is heard by the next
call of this worker, and within seconds by those of all others.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database
from ivr.directory.checking import (
    Fault,
    Values,
    faults,
    faults_of_change,
    faults_of_drama,
    international,
)
from ivr.directory.current import Current
from ivr.directory.entries import CHANGEABLE, Entry, Vouching
from ivr.directory.tables import DirectoryChange
from ivr.errors import HelplineError
from ivr.hours import LONDON
from ivr.numbers import printed

LONGEST_NAME = 64  # characters, of who did it


class Why(StrEnum):
    """What a change was for."""

    EDIT = "edit"
    VERIFY = "verify"
    IMPORT = "import"
    UNDO = "undo"


class QuickerError(HelplineError):
    """A colleague changed this service meanwhile. Look at what they did, and try again."""


class NoSuchCouncilError(HelplineError):
    """There is no council with this code in the directory."""


class NoSuchChangeError(HelplineError):
    """There is no such change of this service."""


class FaultyError(HelplineError):
    """Some of these values cannot be written into the directory."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Take the faults; ``fields`` has the first of each column, in words, by column."""
        self.faults = tuple(faults)
        said = [(column, f"{what} ({remedy})") for column, _, what, remedy in faults]
        self.fields = dict(reversed(said))
        super().__init__("\n".join(f"{column}: {what}" for column, what in said))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Values that a record shall have; columns that are missing stay as they are."""

    record: str  # the code of any council that has it
    values: Values
    follows: int  # the last change that whoever wants it has seen; 0: none


@dataclass(frozen=True)
class Editor:
    """Changes records. Councils that share a service have one record: it is changed for both."""

    database: Database
    current: Current
    clock: Callable[[], datetime]  # gives the time now, aware

    def day(self) -> date:
        """Return London's day."""
        return self.clock().astimezone(LONDON).date()

    def entry(self, code: str) -> Entry:
        """Return what is known now of this council. Raises NoSuchCouncilError."""
        try:
            return self.current.now().council(code).entry
        except KeyError:
            raise NoSuchCouncilError(f"{code} is no council in the directory.") from None

    def last_change(self, code: str) -> int:
        """Return the number of the last change of this council's record, as ``follows`` of the
        next one; 0 if it is as in the file. Raises NoSuchCouncilError."""
        return self.current.last_change(self.entry(code).recorded)

    async def history(self, code: str) -> Sequence[DirectoryChange]:
        """Return every change of this council's record, the newest first. Raises
        NoSuchCouncilError."""
        mine = col(DirectoryChange.record) == self.entry(code).recorded
        query = select(DirectoryChange).where(mine).order_by(col(DirectoryChange.id).desc())
        async with self.database.reading() as session:
            return (await session.exec(query)).all()

    async def values_after(self, code: str, change: int) -> Values | None:
        """Return the values that this council's record had after this change of it, 0 for those of
        the file; None if it is no change of this record. Raises NoSuchCouncilError."""
        record = self.entry(code).recorded
        if not change:
            return self.current.filed(record).values
        async with self.database.reading() as session:
            found = await session.get(DirectoryChange, change)
        return found.new if found and found.record == record else None

    def faults(self, code: str, values: Values) -> list[Fault]:
        """Return what is wrong with these values, as those of this council today. Raises
        NoSuchCouncilError."""
        old = self.entry(code).values
        return list(self._faults(old, old | completed(values), Why.EDIT))

    async def change(
        self, code: str, values: Values, follows: int, who: str, why: Why = Why.EDIT
    ) -> None:
        """Give a council's record these values; columns that are missing stay as they are. What
        changes nothing is not noted.

        Raises FaultyError, QuickerError, NoSuchCouncilError, NoDatabaseError.
        """
        await self.change_all([Wanted(code, values, follows)], who, why)

    async def change_all(self, wanted: Sequence[Wanted], who: str, why: Why) -> None:
        """Change several records, each once, in one transaction: all of them, or none.

        Raises as ``change`` does.
        """
        try:
            async with self.database.writing() as session:
                for one in wanted:
                    await self._change(session, one, who, why)
        except IntegrityError:
            raise QuickerError from None
        finally:
            await self.current.look()

    async def verify(
        self,
        code: str,
        who: str,
        number: str = "",
        by: str = "",
        service_name: str = "",
        follows: int | None = None,
    ) -> None:
        """Note that a named person rang this service today, and that its number is this one.

        Args:
            code: The council's.
            who: Who notes it.
            number: As it is printed, "0113 378 5020"; "" for the one that is there.
            by: Who rang, if not whoever notes it.
            service_name: Its name, where another or none is there.
            follows: The last change that they have seen; None: whatever was the last.

        Raises as ``change`` does.
        """
        entry = self.entry(code)
        values = {"state": Vouching.VERIFIED.value, "checked_by": by or who}
        values["checked_on"] = self.day().isoformat()
        if service_name:
            values["service_name"] = service_name
        if number:
            values |= _number(entry, number)
        seen = self.last_change(code) if follows is None else follows
        await self.change(code, values, seen, who, Why.VERIFY)

    async def undo(self, code: str, change: int, who: str) -> None:
        """Give a council's record the values again that it had before its last change, which this
        is. This is a new change. Raises NoSuchCouncilError, NoSuchChangeError if it is none of this
        record, QuickerError if it is not the last, FaultyError if no record may have the old
        values."""
        record = self.entry(code).recorded
        async with self.database.reading() as session:
            undone = await session.get(DirectoryChange, change)
        if undone is None or undone.record != record:
            raise NoSuchChangeError
        await self.change(record, undone.old, change, who, Why.UNDO)

    def _faults(self, old: Values, new: Values, why: Why) -> Iterator[Fault]:
        """What is wrong with a change, whichever way it comes."""
        # What is brought back was there before: who checked it then is known.
        yield from faults(new) if why is Why.UNDO else faults_of_change(old, new, self.day())
        yield from faults_of_drama(new, self.current.now().periods)

    async def _change(self, session: AsyncSession, wanted: Wanted, who: str, why: Why) -> None:
        entry, now = self.entry(wanted.record), self.clock()
        mine = col(DirectoryChange.record) == entry.recorded
        query = select(DirectoryChange).where(mine).order_by(col(DirectoryChange.id).desc())
        last = (await session.exec(query.limit(1))).first()
        if (last.id if last else 0) != wanted.follows:
            raise QuickerError
        old = entry.changed(last.new).values if last else self.current.filed(entry.recorded).values
        new = old | completed(wanted.values)
        if wrong := list(self._faults(old, new, why)):
            raise FaultyError(wrong)
        if new == old:
            return
        session.add(
            DirectoryChange(
                record=entry.recorded,
                follows=wanted.follows,
                who=who[:LONGEST_NAME],
                at=now,
                why=why.value,
                old=old,
                new=new,
            )
        )


def completed(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a record among these, each in one line; a number that is only given as
    printed, in E.164 too."""
    given = {name: _in_one_line(values[name]) for name in CHANGEABLE if name in values}
    if "phone_printed" in given and not given.get("phone"):
        given["phone"] = international(given["phone_printed"])
    return given


def merged(
    typed: Values, base: Values | None, now: Values
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what somebody typed who began with the values ``base``, as if they had begun with
    those of ``now``: only what they changed differs from it. What a colleague changed too is told
    by column, and so is what was typed where nobody knows the base (None)."""
    values, told = {}, {}
    for name in typed:
        text, holds = _in_one_line(typed[name]), now[name]
        is_mine = base is not None and text != base[name]
        values[name] = text if is_mine else holds
        if text == holds:
            continue
        if base is None:
            told[name] = f"You typed “{text}”." if text else "You left this empty."
        elif is_mine and base[name] != holds:
            wrote = f"wrote “{holds}” here" if holds else "emptied this"
            told[name] = f"A colleague {wrote} meanwhile."
    return values, told


def _in_one_line(text: str) -> str:
    """The text without line breaks, and without the fixed spaces that pages are printed with."""
    return re.sub(r"\s*[\r\n\t]\s*|[\u00a0\u2007\u2009\u202f]", " ", text).strip()


def _number(entry: Entry, number: str) -> dict[str, str]:
    """The values of a number that was rung. What is known of where another one was printed does
    not vouch for it."""
    number = _in_one_line(number)
    phone = international(number) or number
    if phone == entry.phone and " " not in number.strip():
        return {}
    grouped = number if " " in number.strip() else printed(phone)
    values = {"phone": phone, "phone_printed": grouped}
    return values if phone == entry.phone else values | {"source_url": "", "source_date": ""}
