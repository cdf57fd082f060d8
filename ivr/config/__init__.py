"""The settings: read once, from the environment or `.env`, and never changed while running.

An empty value counts as unset. Folders that are unset lie beside the package, so that the `ivr`
command works from any directory. Keys that nobody set are made on first use and kept in the
``IVR_VAR`` folder; with PostgreSQL they must be set, as several machines have to share them.
No message of this package ever quotes a secret.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ivr.config import keys, values
from ivr.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "IVR_"

Folder = Annotated[Path, AfterValidator(values.from_here)]
WebAddress = Annotated[str, AfterValidator(values.web_address)]


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

    database_url: Annotated[str, AfterValidator(values.database_url)] = Field(
        default="",
        repr=False,  # it may hold a password
        description="The database: `sqlite+aiosqlite:///FILE`, or `postgresql+asyncpg://...` for"
        " several workers or machines. Unset: `helpline.db` in `IVR_VAR`.",
    )
    public_url: WebAddress = Field(
        default="",
        description="The address at which Twilio reaches the helpline, such as"
        " `https://line.example.org`; signatures are checked against it."
        " Needed with a Twilio token. Unset in demo mode: the address that was dialled.",
    )
    twilio_account_sid: Annotated[str, AfterValidator(values.account_sid)] = Field(
        default="", description="Twilio's name for your account: `AC...`."
    )
    twilio_auth_token: SecretStr = Field(
        default=SecretStr(""),
        description="The account's auth token; several, comma-separated, while one is being"
        " changed. Unset: demo mode.",
    )
    twilio_number: Annotated[str, AfterValidator(values.international_number)] = Field(
        default="",
        description="The helpline's own number, such as `+441632960123`; the number shown when"
        " the helpline calls someone.",
    )
    text_from: Annotated[str, AfterValidator(values.text_sender)] = Field(
        default="",
        description="Whom texts come from: a number of yours that can send them, such as"
        " `+447400123456`, or a name of up to 11 letters and digits, which nobody can answer."
        " Unset: nothing offers texts.",
    )
    twilio_api_url: WebAddress = Field(
        default="https://api.twilio.com", description="Another base for Twilio's REST API."
    )
    secret_keys: Annotated[SecretStr, AfterValidator(values.fernet_keys)] = Field(
        default=SecretStr(""),
        description="Fernet keys, comma-separated: the first seals, all unseal. Unset: one is made"
        " in `IVR_VAR` with SQLite; an error with PostgreSQL.",
    )
    search_key: Annotated[SecretStr, AfterValidator(values.long_enough)] = Field(
        default=SecretStr(""),
        description="Key of the hash by which numbers are found, and of references; it must never"
        " change. Unset: as for `IVR_SECRET_KEYS`.",
    )
    speech: Annotated[Literal["clips", "say"], values.one_of("clips", "say")] = Field(
        default="clips",
        description="`clips`: audio made here or recorded by a person. `say`: Twilio's own voice.",
    )
    listen: Annotated[bool, BeforeValidator(values.yes_or_no)] = Field(
        default=False,
        description="`yes`: a caller may say the name of their council or place, beside the keys,"
        " which are open all the same. Twilio then turns what is said into words, at a price; they"
        " are not kept. Unset: `no`.",
    )
    flows: Folder = Field(
        default=ROOT / "flows", description="The folder of flow files. Unset: `flows`."
    )
    prompts: Folder = Field(
        default=ROOT / "prompts", description="The folder of prompts. Unset: `prompts`."
    )
    var: Folder = Field(
        default=ROOT / "var",
        description="The folder for what the helpline makes itself: database, keys, clips, books,"
        " and the spool of wishes that wait for the database. Unset: `var`.",
    )
    other_number: Annotated[str, AfterValidator(values.number_to_give)] = Field(
        default="",
        description="A number to give when all else fails, spaced as it should be read out. Unset:"
        " none is spoken.",
    )
    access_needs: Annotated[str, AfterValidator(values.access_needs)] = Field(
        default="message,someone-else,slower",
        description="What staff can do for a caller, comma-separated, and so what a caller is asked"
        " after a call-back is saved: `message`, `someone-else`, `slower`, `interpreter`, `relay`;"
        " `none` asks nothing. Unset: the first three.",
    )
    retention_months: int = Field(
        default=3,
        ge=1,
        le=12,
        description="How many months after a call-back is over its number is erased: 1 to 12."
        " Callers are told. Unset: 3.",
    )
    verified_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        description="How many days the number of an advice service is read out after a named person"
        " rang it: 1 to 3650. Unset: 365.",
    )
    published_days: int = Field(
        default=180,
        ge=1,
        le=3650,
        description="The same, after somebody saw it on the service's or the council's own page."
        " Unset: 180.",
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=9,
        description="How many proxies of your own stand before the helpline: as many entries at the"
        " end of `X-Forwarded-For` are believed, so that whoever guesses at passwords is told"
        " from everybody else. Unset: 0.",
    )
    safety_lead: str = Field(
        default="",
        description="Who leads on safeguarding, and how staff reach them; shown on every request."
        " Unset: staff are told to ask.",
    )
    safety_steps: str = Field(
        default="",
        description="Your own steps when somebody may not be safe, separated by `;`; shown beneath"
        " 999. Unset: none are shown.",
    )
    safety_phones: Annotated[str, AfterValidator(values.mobiles)] = Field(
        default="",
        description="UK mobiles, comma-separated, such as `+447400123456`, that are texted when a"
        " request is marked urgent. Unset, or without `IVR_TEXT_FROM`: nobody is texted, and the"
        " page, `/readyz` and `ivr doctor` say so.",
    )
    metrics_token: Annotated[SecretStr, AfterValidator(values.long_enough)] = Field(
        default=SecretStr(""),
        description="Who sends this as a bearer token reads the figures at `/metrics`; at least 16"
        " characters. Unset: nobody does, but this machine in demo mode.",
    )
    demo: Annotated[bool | None, BeforeValidator(values.yes_or_no)] = Field(
        default=None,
        description="`yes` forces demo mode (loopback only, drama numbers accepted), `no` forbids"
        " it. Unset: demo mode when there is no Twilio token.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Check what no value can be checked for alone, and fill in what follows from others."""
        if self.demo is False and not values.listed(self.twilio_auth_token):
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
        self.__dict__["database_url"] = database  # frozen for everyone else
        return self

    @property
    def demo_mode(self) -> bool:
        """Whether this helpline is a rehearsal: loopback only, drama numbers accepted."""
        return not values.listed(self.twilio_auth_token) if self.demo is None else self.demo

    @property
    def shared_database(self) -> bool:
        """Whether several machines may share the database (it is PostgreSQL)."""
        return self.database_url.startswith("postgresql")

    @property
    def access_needs_met(self) -> tuple[str, ...]:
        """The access needs that staff can meet, by their names."""
        return tuple(need for need in self.access_needs.split(",") if need != values.NO_NEEDS)

    @property
    def safety_steps_listed(self) -> tuple[str, ...]:
        """The steps when somebody may not be safe, one by one."""
        return tuple(step.strip() for step in self.safety_steps.split(";") if step.strip())

    @property
    def safety_phones_listed(self) -> tuple[str, ...]:
        """The mobiles that are texted when a request is marked urgent, one by one."""
        return tuple(filter(None, self.safety_phones.split(",")))

    @cached_property
    def auth_tokens(self) -> tuple[str, ...]:
        """The tokens that a signature may be made with; the first signs.

        In demo mode it is one of our own, made on first use and kept in ``IVR_VAR/demo-token``.
        """
        if self.demo_mode:
            return (keys.kept(self.var / "demo-token", keys.new_key),)
        return values.listed(self.twilio_auth_token)

    @cached_property
    def fernet_keys(self) -> tuple[bytes, ...]:
        """The keys that seal: the first seals, all unseal. Made on first use if unset."""
        given = values.listed(self.secret_keys)
        made = given or (keys.kept(self.var / "secret-keys", keys.new_fernet_key),)
        return tuple(key.encode() for key in made)

    @cached_property
    def hash_key(self) -> bytes:
        """The key of keyed hashes (IVR_SEARCH_KEY). Made on first use if unset."""
        given = self.search_key.get_secret_value()
        return (given or keys.kept(self.var / "search-key", keys.new_key)).encode()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment and `.env`, or from ``environ`` alone.

    Raises SettingsError with one line for each setting that cannot be used.
    """
    try:
        return Settings() if environ is None else _given(environ)
    except ValidationError as problem:
        lines = [_complaint(error) for error in problem.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from None


class _GivenSettings(Settings):
    """Settings that come from what they are made with, and from nowhere else."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _given(environ: Mapping[str, str]) -> Settings:
    """Make settings that come from this mapping and nowhere else."""
    ours = {name.upper(): value for name, value in environ.items() if value}
    given: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in ours.items()
        if name.startswith(PREFIX)
    }
    return Settings.model_construct(**dict(_GivenSettings(**given)))


# What is never quoted in a message. The database's address may hold a password.
_SECRET = ("twilio_auth_token", "secret_keys", "search_key", "metrics_token", "database_url")


def _complaint(error: Mapping[str, object]) -> str:
    remedy = str(error["msg"]).removeprefix("Value error, ")
    place = error["loc"]
    if not (isinstance(place, tuple) and place):
        return remedy
    field = str(place[0]).lower().removeprefix(PREFIX.lower())
    name = PREFIX + field.upper()
    if field in _SECRET:
        return f"{name} cannot be used. {remedy}"
    return f"{name} is {str(error['input'])!r}. {remedy}"
