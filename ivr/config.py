"""The settings: read once, from the environment or `.env`, and never changed while running.

An empty value counts as unset. Folders that are unset lie beside the package, so that the `ivr`
command works from any directory. Keys that nobody set are made on first use and kept in the
``IVR_VAR`` folder; with PostgreSQL they must be set, as several machines have to share them.
No message of this module ever quotes a secret.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import EnvSettingsSource

from ivr.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "IVR_"
DEMO_URL = "http://127.0.0.1:8000"  # where a helpline in demo mode listens unless told otherwise
SHORTEST_SEARCH_KEY = 16  # characters; ours have 43

# The ranges whose number may be given to a caller: landlines, 03, mobiles, freephone.
_FAIR_NUMBER = re.compile(r"0(?:[123]\d{8,9}|7[1-9]\d{8}|80[08]\d{6,7})")


# --- what each value must be -----------------------------------------------------------------


def _database_url(value: str) -> str:
    if value and not value.startswith(("sqlite+aiosqlite:", "postgresql+asyncpg:")):
        raise ValueError("It must begin with sqlite+aiosqlite: or postgresql+asyncpg:.")
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if value and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError("It must be an address such as https://line.example.org.")
    if parts.query or parts.fragment:
        raise ValueError("It must end before any ? or #.")
    return value.rstrip("/")


def _account_sid(value: str) -> str:
    if value and not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
        raise ValueError("It must be AC and 32 hexadecimal digits, as Twilio's console shows it.")
    return value


def _international_number(value: str) -> str:
    if value and not re.fullmatch(r"\+[1-9]\d{6,14}", value):
        raise ValueError("It must be written like +441632960123, without spaces.")
    return value


def _number_to_give(value: str) -> str:
    """Hold the number to the ranges that cost a caller nothing unusual; keep its grouping."""
    printed = " ".join(value.split())
    if printed and not _FAIR_NUMBER.fullmatch(printed.replace(" ", "")):
        raise ValueError(
            "It must be a UK number beginning 01, 02, 03, 07 (not 070) or 080,"
            " spaced as it should be read out."
        )
    return printed


def _fernet_keys(value: SecretStr) -> SecretStr:
    for position, key in enumerate(_listed(value), start=1):
        try:
            usable = len(base64.urlsafe_b64decode(key)) == 32
        except (ValueError, binascii.Error):
            usable = False
        if not usable:
            raise ValueError(
                f"Key {position} is not 32 bytes in URL-safe base64. Make one with:"
                ' python -c "from cryptography.fernet import Fernet;'
                ' print(Fernet.generate_key().decode())"'
            )
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < SHORTEST_SEARCH_KEY:
        raise ValueError(f"It must have at least {SHORTEST_SEARCH_KEY} characters.")
    return value


def _one_of(*allowed: str) -> BeforeValidator:
    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"It must be {' or '.join(allowed)}.")
        return value

    return BeforeValidator(check)


def _yes_or_no(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    meaning = {"yes": True, "true": True, "1": True, "on": True}
    meaning |= {"no": False, "false": False, "0": False, "off": False}
    if str(value).strip().lower() not in meaning:
        raise ValueError("It must be yes or no.")
    return meaning[str(value).strip().lower()]


def _from_here(value: Path) -> Path:
    return value.expanduser().absolute()


def _listed(value: SecretStr) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.get_secret_value().split(",") if part.strip())


Folder = Annotated[Path, AfterValidator(_from_here)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


# --- the settings ----------------------------------------------------------------------------


class Settings(BaseSettings):
    """Every setting of the helpline, checked. Make one with :func:`load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        env_file=(ROOT / ".env", ".env"),
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="",
        repr=False,  # it may hold a password
        description="The database: `sqlite+aiosqlite:///FILE`, or `postgresql+asyncpg://...` for"
        " several workers or machines. Unset: `helpline.db` in `IVR_VAR`.",
    )
    public_url: WebAddress = Field(
        default="",
        description="The address at which Twilio reaches the helpline, such as"
        " `https://line.example.org`; signatures are checked against it."
        f" Needed with a Twilio token. In demo mode, unset: `{DEMO_URL}`.",
    )
    twilio_account_sid: Annotated[str, AfterValidator(_account_sid)] = Field(
        default="", description="Twilio's name for your account: `AC...`."
    )
    twilio_auth_token: SecretStr = Field(
        default=SecretStr(""),
        description="The account's auth token; several, comma-separated, while one is being"
        " changed. Unset: demo mode.",
    )
    twilio_number: Annotated[str, AfterValidator(_international_number)] = Field(
        default="",
        description="The helpline's own number, such as `+441632960123`; the number shown when"
        " the helpline calls someone.",
    )
    twilio_api_url: WebAddress = Field(
        default="https://api.twilio.com", description="Another base for Twilio's REST API."
    )
    secret_keys: Annotated[SecretStr, AfterValidator(_fernet_keys)] = Field(
        default=SecretStr(""),
        description="Fernet keys, comma-separated: the first seals, all unseal. Unset: one is made"
        " in `IVR_VAR` with SQLite; an error with PostgreSQL.",
    )
    search_key: Annotated[SecretStr, AfterValidator(_long_enough)] = Field(
        default=SecretStr(""),
        description="Key of the hash by which numbers are found, and of references; it must never"
        " change. Unset: as for `IVR_SECRET_KEYS`.",
    )
    speech: Annotated[Literal["clips", "say"], _one_of("clips", "say")] = Field(
        default="clips",
        description="`clips`: audio made here or recorded by a person. `say`: Twilio's own voice.",
    )
    flows: Folder = Field(
        default=ROOT / "flows", description="The folder of flow files. Unset: `flows`."
    )
    prompts: Folder = Field(
        default=ROOT / "prompts", description="The folder of prompts. Unset: `prompts`."
    )
    var: Folder = Field(
        default=ROOT / "var",
        description="The folder for what the helpline makes itself: database, keys, clips,"
        " compiled books. Unset: `var`.",
    )
    other_number: Annotated[str, AfterValidator(_number_to_give)] = Field(
        default="",
        description="A number to give when all else fails, spaced as it should be read out. Unset:"
        " none is spoken.",
    )
    demo: Annotated[bool | None, BeforeValidator(_yes_or_no)] = Field(
        default=None,
        description="`yes` forces demo mode (loopback only, drama numbers accepted), `no` forbids"
        " it. Unset: demo mode when there is no Twilio token.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Check what no value can be checked for alone, and fill in what follows from others."""
        if self.demo is False and not _listed(self.twilio_auth_token):
            raise ValueError(
                "IVR_TWILIO_AUTH_TOKEN is not set, and IVR_DEMO forbids demo mode."
                " Set the token, or unset IVR_DEMO."
            )
        if not self.demo_mode and not self.public_url:
            raise ValueError(
                "IVR_PUBLIC_URL is not set, but IVR_TWILIO_AUTH_TOKEN is. Set the address at"
                " which Twilio reaches the helpline, such as https://line.example.org."
            )
        for name in ("secret_keys", "search_key"):
            if self.shared_database and not getattr(self, name).get_secret_value():
                raise ValueError(
                    f"{PREFIX}{name.upper()} is not set. With PostgreSQL it must be, and be the"
                    " same on every machine."
                )
        database = self.database_url or f"sqlite+aiosqlite:///{self.var / 'helpline.db'}"
        filled = {"database_url": database, "public_url": self.public_url or DEMO_URL}
        self.__dict__.update(filled)  # frozen for everyone else
        return self

    @property
    def demo_mode(self) -> bool:
        """Whether this helpline is a rehearsal: loopback only, drama numbers accepted."""
        return not _listed(self.twilio_auth_token) if self.demo is None else self.demo

    @property
    def shared_database(self) -> bool:
        """Whether several machines may share the database (it is PostgreSQL)."""
        return self.database_url.startswith("postgresql")

    @cached_property
    def auth_tokens(self) -> tuple[str, ...]:
        """The tokens that a signature may be made with; the first signs.

        In demo mode it is one of our own, made on first use and kept in ``IVR_VAR/demo-token``.
        """
        if self.demo_mode:
            return (_kept(self.var / "demo-token", _new_search_key),)
        return _listed(self.twilio_auth_token)

    @cached_property
    def fernet_keys(self) -> tuple[bytes, ...]:
        """The keys that seal: the first seals, all unseal. Made on first use if unset."""
        given = _listed(self.secret_keys)
        made = given or (_kept(self.var / "secret-keys", _new_fernet_key),)
        return tuple(key.strip().encode() for text in made for key in text.split(","))

    @cached_property
    def hash_key(self) -> bytes:
        """The key of keyed hashes (IVR_SEARCH_KEY). Made on first use if unset."""
        given = self.search_key.get_secret_value()
        return (given or _kept(self.var / "search-key", _new_search_key)).encode()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment and `.env`, or from ``environ`` alone.

    Raises SettingsError with one line for each setting that cannot be used.
    """
    try:
        return Settings() if environ is None else _given(environ)
    except ValidationError as problem:
        lines = [_complaint(error, environ) for error in problem.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from None


def _given(environ: Mapping[str, str]) -> Settings:
    """Make settings that come from this mapping and nowhere else."""

    class GivenSettings(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            source = EnvSettingsSource(settings_cls)
            source.env_vars = {name.lower(): value for name, value in environ.items() if value}
            return (source,)

    return Settings.model_construct(**dict(GivenSettings()))


# Values that may be quoted in a message. The database's address may hold a password.
_SECRET = ("twilio_auth_token", "secret_keys", "search_key", "database_url")


def _complaint(error: Mapping[str, object], environ: Mapping[str, str] | None) -> str:
    remedy = str(error["msg"]).removeprefix("Value error, ")
    place = error["loc"]
    if not (isinstance(place, tuple) and place):
        return remedy
    field = str(place[0]).lower().removeprefix(PREFIX.lower())
    name = PREFIX + field.upper()
    if field in _SECRET:
        return f"{name} cannot be used. {remedy}"
    value = error.get("input")
    return f"{name} is {str(value)!r}. {remedy}"


# --- keys of our own -------------------------------------------------------------------------


def _new_fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _new_search_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Read a key from its file; if there is none, make it.

    The file appears with its whole content at once, and only if nobody was quicker: two processes
    that start together read the same key.
    """
    try:
        if not path.exists():
            _write_once(path, make())
        kept = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise SettingsError(
            f"A key cannot be kept in {path} ({reason})."
            " IVR_VAR must be a folder that the helpline may write to."
        ) from None
    if not kept:
        raise SettingsError(f"The key in {path} is empty. Restore it, or remove the file.")
    return kept


def _write_once(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if the file is there: the first one to come wins
        except FileExistsError:
            return
    finally:
        draft.unlink()
