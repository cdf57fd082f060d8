"""The register of people: adding them, changing what they may do, removing them."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database
from ivr.errors import HelplineError
from ivr.names import BARRED, name_key
from ivr.people import passwords
from ivr.people.passwords import Hashing
from ivr.people.tables import Deed, Person, Role, Session

LONGEST_NAME = 64


class NoSuchPersonError(HelplineError):
    """There is nobody of this name; `ivr staff list` shows everybody."""


class BadNameError(HelplineError):
    """A name has 2 to 64 letters, digits, spaces, and . ' - or @ among them."""


class NameTakenError(HelplineError):
    """Somebody has this name already; give another, or `ivr staff reset` their password."""


class LastAdministratorError(HelplineError):
    """Nobody else could manage people; make somebody else an administrator first."""


class NoSuchRoleError(HelplineError):
    """There is no such role; there are adviser, supervisor and administrator."""


class BarredNameError(HelplineError):
    """This account is for demo mode only, and cannot be used here; add one of another name."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person as others see them: the fields are those of ``ivr staff list --json``."""

    name: str
    role: str
    codes: bool  # do they sign in with one-time codes too?
    must_change: bool  # is their password one that they were given?
    added_at: datetime
    barred: bool = False  # an account of demo mode, outside it: it cannot be used, only removed


@dataclass(frozen=True)
class Register:
    """Adds, changes and removes people. Each change is recorded, with who made it."""

    database: Database
    clock: Callable[[], datetime]  # gives the time now, aware
    barred: frozenset[str] = BARRED  # keys of names whose accounts can only be removed
    hashing: Hashing = field(default_factory=Hashing)

    async def everybody(self) -> list[Colleague]:
        """Return everybody who has not been removed, by name; barred accounts too."""
        query = select(Person).where(col(Person.removed_at).is_(None))
        async with self.database.reading() as session:
            found = (await session.exec(query.order_by(col(Person.name_key)))).all()
        return [
            Colleague(
                name=one.name,
                role=one.role,
                codes=bool(one.code_secret),
                must_change=one.is_temporary,
                added_at=one.added_at,
                barred=one.name_key in self.barred,
            )
            for one in found
        ]

    async def is_empty(self) -> bool:
        """Whether nobody was ever added."""
        async with self.database.reading() as session:
            return (await session.exec(select(Person.id).limit(1))).first() is None

    async def add(self, name: str, role: str, by: str, password: str = "") -> str:
        """Add a person, or bring back one who was removed, and return their first password.

        Unless a password is given, they must choose another when they first sign in. Raises
        BadNameError, BarredNameError, NameTakenError, NoSuchRoleError.
        """
        name, role = _name(name), _role(role).value
        self._admit(name)
        first = password or passwords.temporary()
        kept = await self.hashing.hashed(first)
        person = Person(
            name=name,
            name_key=name_key(name),
            role=role,
            password=kept,
            is_temporary=not password,
            added_at=self.clock(),
        )
        try:
            async with self.database.writing() as session:
                known = await _found(session, name)
                if known is not None and known.removed_at is None:
                    raise NameTakenError(f"{known.name} has an account already; give another name.")
                person.id = known.id if known else None
                await session.merge(person)
                session.add(self._deed(by, f"added as {role}", person))
        except IntegrityError:  # at the same moment
            raise NameTakenError(f"{name} has an account already; give another name.") from None
        return first

    async def give_role(self, name: str, role: str, by: str) -> None:
        """Change what a person may do. Raises NoSuchPersonError, BarredNameError,
        NoSuchRoleError, LastAdministratorError."""
        wanted = _role(role)
        self._admit(name)
        async with self.database.writing() as session:
            person = await _there(session, name)
            if wanted is not Role.ADMINISTRATOR:
                await self._others_can_manage(session, person)
            person.role = wanted.value
            session.add(person)
            session.add(self._deed(by, f"made {wanted}", person))

    async def remove(self, name: str, by: str) -> None:
        """Remove a person: they are signed out at once. Raises NoSuchPersonError,
        LastAdministratorError."""
        async with self.database.writing() as session:
            person = await _there(session, name)
            await self._others_can_manage(session, person)
            person.removed_at, person.code_secret, person.password = self.clock(), "", ""
            session.add(person)
            await session.exec(signed_out(person))
            session.add(self._deed(by, "removed", person))

    async def reset(self, name: str, by: str) -> str:
        """Give a person a new password, which they must change, and no one-time codes; return it.

        They are signed out everywhere. Raises NoSuchPersonError, BarredNameError.
        """
        self._admit(name)
        first = passwords.temporary()
        kept = await self.hashing.hashed(first)
        async with self.database.writing() as session:
            person = await _there(session, name)
            person.password, person.is_temporary, person.code_secret = kept, True, ""
            session.add(person)
            await session.exec(signed_out(person))
            session.add(self._deed(by, "password reset", person))
        return first

    async def note(self, who: str, what: str, about: str = "") -> None:
        """Record that somebody did something that is not about one request."""
        async with self.database.writing() as session:
            session.add(Deed(at=self.clock(), who=who, what=what, about=about))

    def _admit(self, name: str) -> None:
        """Raise BarredNameError for a name that no account may be used under."""
        if name_key(name) in self.barred:
            raise BarredNameError(
                f'The account "{" ".join(name.split())}" is for demo mode only, and cannot be used'
                " here. Add one of another name with `ivr staff add`; `ivr staff remove` takes"
                " this one away."
            )

    async def _others_can_manage(self, session: AsyncSession, person: Person) -> None:
        """Raise LastAdministratorError unless another administrator is left. It writes to them all
        first, so that concurrent removals wait for one another. A barred account is none."""
        managing = (
            (col(Person.role) == Role.ADMINISTRATOR.value)
            & col(Person.removed_at).is_(None)
            & col(Person.name_key).not_in(self.barred)
        )
        await session.exec(update(Person).where(managing).values(role=Role.ADMINISTRATOR.value))
        others = select(func.count()).where(managing, col(Person.id) != person.id)
        is_one = person.role == Role.ADMINISTRATOR.value and person.name_key not in self.barred
        if is_one and (await session.exec(others)).one() == 0:
            raise LastAdministratorError

    def _deed(self, who: str, what: str, person: Person) -> Deed:
        return Deed(at=self.clock(), who=who[:LONGEST_NAME], what=what, about=person.name)


def signed_out(person: Person) -> Any:
    """The statement that ends every session of a person."""
    return delete(Session).where(col(Session.person_id) == person.id)


def _name(name: str) -> str:
    shown = " ".join(unicodedata.normalize("NFKC", name).split())
    fair = all(letter.isalnum() or letter in " .'’-@" for letter in shown)
    if not (fair and 2 <= len(shown) <= LONGEST_NAME and len(name_key(shown)) <= LONGEST_NAME):
        raise BadNameError
    return shown


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise NoSuchRoleError(f'There is no role "{name}"; there are {", ".join(Role)}.') from None


async def _found(session: AsyncSession, name: str) -> Person | None:
    query = select(Person).where(col(Person.name_key) == name_key(name))
    return (await session.exec(query)).one_or_none()


async def _there(session: AsyncSession, name: str) -> Person:
    person = await _found(session, name)
    if person is None or person.removed_at is not None:
        raise NoSuchPersonError(f'There is nobody called "{name}"; `ivr staff list` shows all.')
    return person
