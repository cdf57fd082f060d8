"""Signing in: passwords, one-time codes, waits after failures, and sessions that end.

Failures count by where they come from: a device that this person has signed in with before, or
else the name together with the network address. So whoever guesses at a colleague's password locks
out only themselves: the colleague's own browser is known by a cookie (OWASP, "Slow Down Online
Guessing Attacks with Device Cookies").

Only a refusal counts, after the check: an attempt that ends in BusyError, NoDatabaseError, a
cancelled request or an unexpected exception says nothing about the password.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import pyotp
from sqlalchemy import Update, bindparam, delete, text, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ivr.database import Database, Moment
from ivr.errors import HelplineError
from ivr.names import BARRED, name_key
from ivr.people import passwords
from ivr.people.passwords import Hashing
from ivr.people.register import signed_out
from ivr.people.tables import Deed, Failures, Person, Role, Session
from ivr.vault import UnreadableError, Vault

IDLE = timedelta(hours=1)  # a session that nobody used for so long has ended
LONGEST = timedelta(hours=12)  # a shift; then everybody signs in again
SEEN_EVERY = timedelta(minutes=1)  # how exactly it is written down when a session was used
FAILURES = 5  # from one place, for one name ...
WITHIN = timedelta(minutes=15)  # ... in this time; then they must wait
HALF_MINUTE = 30  # seconds for which a code is good; the one before still is (RFC 6238, 5.2)
ISSUER = "School support helpline"

# One statement, so that those who try at the same moment are counted one after another.
ONE_MORE = text(
    "INSERT INTO sign_in_failures (place, tries, began_at) VALUES (:place, 1, :now)"
    " ON CONFLICT (place) DO UPDATE SET tries = sign_in_failures.tries + 1 RETURNING tries"
).bindparams(bindparam("now", type_=Moment))


class RefusedError(HelplineError):
    """The name, the password or the code is not right."""


class WaitError(HelplineError):
    """There were too many attempts from here; wait a quarter of an hour, and try again."""


class WrongPasswordError(HelplineError):
    """This is not your present password."""


class WrongCodeError(HelplineError):
    """This code is not right, or is too old; give the one that the app shows now."""


class Secrets(Vault):
    """Seals what people sign in with, and makes the keyed hashes of sessions and devices."""

    about = "people"


@dataclass(frozen=True, slots=True)
class Member:
    """Whoever is signed in."""

    id: int
    name: str
    role: Role
    must_change: bool
    codes: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody gave to sign in, and from where."""

    name: str
    password: str
    code: str = ""
    device: str = ""  # the cookie of a known device, if there was one
    address: str = ""  # of the network


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that began: its token, and the cookie by which the device is known from now on."""

    token: str
    device: str


@dataclass(frozen=True)
class Entrance:
    """Lets people in, and knows who is."""

    database: Database
    secrets: Secrets
    clock: Callable[[], datetime]  # gives the time now, aware
    barred: frozenset[str] = BARRED  # keys of names that are treated as unknown
    hashing: Hashing = field(default_factory=Hashing)

    async def sign_in(self, attempt: Attempt) -> SignedIn:
        """Begin a session.

        Raises:
            RefusedError: the name, the password or the code is wrong; it does not say which.
            WaitError: the rate limit of this place is reached, whatever the password.
            BusyError: too many sign-ins wait for their hash.
        """
        place = self._place(attempt)
        person = await self._claimed(attempt.name, place)
        kept = person.password if person else ""
        fits = await self.hashing.fits(kept, attempt.password[: passwords.LONGEST + 1])
        try:
            if person is None or not fits:
                raise RefusedError
            token = await self._begin(person, self._step(person, attempt.code), place)
        except RefusedError:
            await self._count(place)
            raise
        return SignedIn(token, self._device(attempt.name))

    async def who(self, token: str, is_use: bool = True) -> Member | None:
        """Return whose session this is; None if it has ended, or never was.

        A page that only listens for news does not use the session: it ends though it is open.
        """
        now = self.clock()
        query = (
            select(Session, Person)
            .join(Person, col(Person.id) == col(Session.person_id))
            .where(
                col(Session.token_hash) == self._hash("session", token),
                col(Session.seen_at) > now - IDLE,
                col(Session.began_at) > now - LONGEST,
                *self._admitted,
            )
        )
        async with self.database.reading() as reading:
            found = (await reading.exec(query)).one_or_none()
        if found is None:
            return None
        session, person = found
        if is_use and now - session.seen_at >= SEEN_EVERY:
            seen = update(Session).where(col(Session.token_hash) == session.token_hash)
            async with self.database.writing() as writing:
                await writing.exec(seen.values(seen_at=now))
        return Member(
            id=person.id or 0,
            name=person.name,
            role=Role(person.role),
            must_change=person.is_temporary,
            codes=bool(person.code_secret),
        )

    async def sign_out(self, token: str) -> None:
        """End this session."""
        ended = delete(Session).where(col(Session.token_hash) == self._hash("session", token))
        async with self.database.writing() as session:
            await session.exec(ended)

    async def change_password(self, member: Member, old: str, new: str) -> str:
        """Give a person the password that they chose, and end all their sessions but a new one,
        whose token is returned. Raises WrongPasswordError, WeakPasswordError."""
        person = await self._proved(member, old)
        passwords.check(new, person.name)
        if new == old:
            raise passwords.WeakPasswordError("Choose another password than the present one.")
        kept = await self.hashing.hashed(new)
        token, now = secrets.token_urlsafe(32), self.clock()
        same = (col(Person.id) == member.id) & (col(Person.password) == person.password)
        change = update(Person).where(same).values(password=kept, is_temporary=False)
        async with self.database.writing() as session:
            if not (await session.exec(change)).rowcount:
                raise WrongPasswordError  # it was reset meanwhile
            await session.exec(signed_out(person))
            session.add(self._session(token, member.id))
            session.add(Deed(at=now, who=person.name, what="password changed"))
        return token

    def new_code_secret(self) -> str:
        """Draw a secret of one-time codes, for an app to learn."""
        return pyotp.random_base32()

    def code_address(self, member: Member, secret: str) -> str:
        """Return the address (otpauth:) by which an app learns a secret."""
        return pyotp.TOTP(secret).provisioning_uri(name=member.name, issuer_name=ISSUER)

    def sealed_secret(self, member: Member, secret: str) -> str:
        """Seal a secret for the form in which this person confirms it."""
        return self.secrets.seal(f"{member.id} {secret}")

    def unsealed_secret(self, member: Member, sealed: str) -> str:
        """Return the secret that was sealed for this person. Raises UnreadableError."""
        whose, _, secret = self.secrets.unseal(sealed).partition(" ")
        if whose != str(member.id):
            raise UnreadableError
        return secret

    async def use_codes(self, member: Member, secret: str, code: str) -> None:
        """From now on, a person signs in with codes too. Raises WrongCodeError unless their app
        shows the right one."""
        step = _step_of(secret, code, self.clock())
        if not step:
            raise WrongCodeError
        await self._set_codes(member, self.secrets.seal(secret), step, "codes switched on")

    async def stop_codes(self, member: Member, password: str) -> None:
        """From now on, a person signs in without codes. Raises WrongPasswordError: whoever finds a
        page left open must not be able to take them away."""
        await self._proved(member, password)
        await self._set_codes(member, "", 0, "codes switched off")

    def token_for_forms(self, token: str) -> str:
        """Return what every form of a session must bring back: nobody else can know it."""
        return self._hash("form", token)

    async def _proved(self, member: Member, password: str) -> Person:
        """The person behind a session, who knows the password. Raises WrongPasswordError."""
        async with self.database.reading() as reading:
            person = (await reading.exec(select(Person).where(Person.id == member.id))).one()
        if not await self.hashing.fits(person.password, password[: passwords.LONGEST + 1]):
            raise WrongPasswordError
        return person

    async def _set_codes(self, member: Member, sealed: str, step: int, what: str) -> None:
        change = update(Person).where(col(Person.id) == member.id)
        async with self.database.writing() as session:
            await session.exec(change.values(code_secret=sealed, code_used=step))
            session.add(Deed(at=self.clock(), who=member.name, what=what))

    @property
    def _admitted(self) -> tuple[Any, ...]:
        """The conditions on a person who may sign in."""
        return col(Person.removed_at).is_(None), col(Person.name_key).not_in(self.barred)

    async def _claimed(self, name: str, place: str) -> Person | None:
        """Whom this name stands for. Raises WaitError when the place has reached its limit."""
        tries = select(Failures.tries).where(
            col(Failures.place) == place, col(Failures.began_at) > self.clock() - WITHIN
        )
        person = select(Person).where(col(Person.name_key) == name_key(name), *self._admitted)
        async with self.database.reading() as session:
            if ((await session.exec(tries)).one_or_none() or 0) >= FAILURES:
                raise WaitError
            return (await session.exec(person)).one_or_none()

    async def _begin(self, person: Person, step: int, place: str) -> str:
        """Begin a session after a check that passed, and return its token.

        Raises RefusedError when the password or the code has stopped being good since the check,
        WaitError when other attempts reached the limit of the place meanwhile.
        """
        token, now = secrets.token_urlsafe(32), self.clock()
        async with self.database.writing() as session:
            await self._clear(session, place)
            if not (await session.exec(_still_good(person, step))).rowcount:
                raise RefusedError
            ended = col(Session.began_at) <= now - LONGEST
            await session.exec(delete(Session).where(ended))
            session.add(self._session(token, person.id or 0))
            session.add(Deed(at=now, who=person.name, what="signed in"))
        return token

    async def _clear(self, session: AsyncSession, place: str) -> None:
        """Forget the failures of a place. Raises WaitError when they had reached the limit.

        One statement deletes and reads, so that it waits for the count of a concurrent refusal.
        """
        cleared = delete(Failures).where(col(Failures.place) == place)
        given = cleared.returning(col(Failures.tries), col(Failures.began_at))
        for tries, began_at in (await session.exec(given)).all():
            if tries >= FAILURES and began_at > self.clock() - WITHIN:
                raise WaitError

    async def _count(self, place: str) -> None:
        """Count a refusal. Raises WaitError beyond the limit: concurrent guesses learn no more than
        the same guesses one after another."""
        now = self.clock()
        over = delete(Failures).where(col(Failures.began_at) <= now - WITHIN)
        async with self.database.writing() as session:
            await session.exec(over)
            connection = await session.connection()
            counted = await connection.execute(ONE_MORE, {"place": place, "now": now})
            if counted.scalar_one() > FAILURES:
                raise WaitError

    def _place(self, attempt: Attempt) -> str:
        """What failures are counted by."""
        nonce, _, proof = attempt.device.partition(".")
        if proof and hmac.compare_digest(proof.encode(), self._proof(attempt.name, nonce).encode()):
            return self._hash("device", nonce)
        return self._hash("place", f"{name_key(attempt.name)}\0{_network(attempt.address)}")

    def _device(self, name: str) -> str:
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._proof(name, nonce)}"

    def _proof(self, name: str, nonce: str) -> str:
        return self._hash("known device", f"{name_key(name)}\0{nonce}")

    def _step(self, person: Person, code: str) -> int:
        """Which half minute a person's code belongs to; 0 if they use none. Raises RefusedError."""
        if not person.code_secret:
            return 0
        try:
            step = _step_of(self.secrets.unseal(person.code_secret), code, self.clock())
        except UnreadableError:
            step = 0
        if step <= person.code_used:
            raise RefusedError
        return step

    def _session(self, token: str, person_id: int) -> Session:
        now = self.clock()
        hashed = self._hash("session", token)
        return Session(token_hash=hashed, person_id=person_id, began_at=now, seen_at=now)

    def _hash(self, purpose: str, text: str) -> str:
        return self.secrets.digest(purpose, text).hex()


def _step_of(secret: str, code: str, now: datetime) -> int:
    """The half minute whose code this is, among this one and its neighbours; else 0."""
    made, step = pyotp.TOTP(secret), int(now.timestamp()) // HALF_MINUTE
    digits = "".join(code.split())
    near = (each for each in (step, step - 1, step + 1) if made.generate_otp(each) == digits)
    return next(near, 0)


def _still_good(person: Person, step: int) -> Update:
    """Use a code up, unless it was just used, or the person was reset or removed meanwhile."""
    same = (col(Person.id) == person.id) & (col(Person.password) == person.password)
    used = col(Person.code_used)
    newer = update(Person).where(same & (used < step) if step else same)
    return newer.values(code_used=step or used)


def _network(address: str) -> str:
    """The network of an address: a home has 2^64 addresses of IPv6, and one of IPv4."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address
