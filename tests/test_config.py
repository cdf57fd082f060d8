"""The settings: what they default to, what they refuse, and which keys they make."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from ivr.config import ROOT, Settings, load_settings
from ivr.errors import SettingsError

KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
POSTGRES = "postgresql+asyncpg://user:hunter2@db/helpline"
LIVE = {"IVR_TWILIO_AUTH_TOKEN": "t0ken", "IVR_PUBLIC_URL": "https://line.example.org"}


def complaint(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return str(caught.value)


def test_nothing_needs_to_be_set() -> None:
    """A bare checkout is a helpline in demo mode, with SQLite beside the code."""
    settings = load_settings({})
    assert settings.demo_mode
    assert settings.public_url == ""  # signatures are checked against the address dialled
    assert settings.database_url == f"sqlite+aiosqlite:///{ROOT}/var/helpline.db"
    assert (settings.flows, settings.prompts) == (ROOT / "flows", ROOT / "prompts")
    assert settings.speech == "clips"
    assert settings.other_number == ""
    assert settings.listen is False  # no speech is ever required


def test_an_empty_value_counts_as_unset() -> None:
    """Compose files and unit files set variables to nothing; that changes nothing."""
    assert load_settings(dict.fromkeys(map(name_of, Settings.model_fields), "")) == load_settings(
        {}
    )


def name_of(field: str) -> str:
    return f"IVR_{field.upper()}"


def test_every_setting_is_described() -> None:
    """The README's table is made of these sentences."""
    undescribed = [name for name, field in Settings.model_fields.items() if not field.description]
    assert undescribed == []


def test_settings_cannot_be_changed_while_running() -> None:
    """They are read once."""
    with pytest.raises(ValidationError, match="frozen"):
        load_settings({}).speech = "say"


def test_dotenv_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is for what stays, the environment for what changes."""
    (tmp_path / ".env").write_text("IVR_SPEECH=say\nIVR_OTHER_NUMBER=01632 960 001\nOTHER=1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVR_OTHER_NUMBER", "01632 960 002")
    settings = load_settings()
    assert (settings.speech, settings.other_number) == ("say", "01632 960 002")


def test_a_given_mapping_is_all_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests and rehearsals do not depend on the machine they run on."""
    monkeypatch.setenv("IVR_SPEECH", "shout")
    assert load_settings({}).speech == "clips"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("IVR_SPEECH", "shout", "IVR_SPEECH is 'shout'. It must be clips or say."),
        ("IVR_DEMO", "maybe", "IVR_DEMO is 'maybe'. It must be yes or no."),
        ("IVR_LISTEN", "maybe", "IVR_LISTEN is 'maybe'. It must be yes or no."),
        ("IVR_PUBLIC_URL", "line.example.org", "IVR_PUBLIC_URL is 'line.example.org'. It must"),
        ("IVR_PUBLIC_URL", "https://x.org/?a=b", "It must end before any ? or #."),
        ("IVR_TWILIO_ACCOUNT_SID", "me", "IVR_TWILIO_ACCOUNT_SID is 'me'. It must be AC"),
        ("IVR_TWILIO_NUMBER", "01632 960123", "written like +441632960123"),
        ("IVR_TEXT_FROM", "Special Help Line", "IVR_TEXT_FROM is 'Special Help Line'. It must be"),
        ("IVR_TEXT_FROM", "07400 123456", "a name of up to 11 letters"),
        ("IVR_TEXT_FROM", "Help-Line", "written like +447400123456"),
        ("IVR_OTHER_NUMBER", "0909 879 0123", "IVR_OTHER_NUMBER is '0909 879 0123'. It must"),
        ("IVR_OTHER_NUMBER", "0701 234 5678", "07 (not 070)"),
        ("IVR_SEARCH_KEY", "short", "IVR_SEARCH_KEY cannot be used. It must have at least 16"),
        (
            "IVR_METRICS_TOKEN",
            "nonsense",
            "IVR_METRICS_TOKEN cannot be used. It must have at least",
        ),
        ("IVR_SECRET_KEYS", f"{KEY},nonsense", "IVR_SECRET_KEYS cannot be used. Key 2 is not"),
        ("IVR_SECRET_KEYS", "nonsense!", "Key 1 is not"),
        ("IVR_DATABASE_URL", "postgres://u:hunter2@h/d", "IVR_DATABASE_URL cannot be used."),
        ("IVR_DATABASE_URL", "sqlite+aiosqlite:///:memory:", "It must name a file, like sqlite"),
        ("IVR_DATABASE_URL", "sqlite+aiosqlite:ivr.db", "It must be like sqlite+aiosqlite:////v"),
        ("IVR_DATABASE_URL", "postgresql+asyncpg://u:hunter2@h:port/d", "It must be like sqlite+"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_remedy(
    name: str, value: str, message: str
) -> None:
    """The message quotes setting and value; a secret is never quoted."""
    said = complaint({name: value})
    assert message in said
    assert "hunter2" not in said
    assert "nonsense" not in said


@pytest.mark.parametrize("value", ["", "sqlite+aiosqlite:", "sqlite+aiosqlite:///"])
def test_sqlite_without_a_file_is_the_usual_file(value: str, tmp_path: Path) -> None:
    settings = load_settings({"IVR_DATABASE_URL": value, "IVR_VAR": str(tmp_path)})
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/helpline.db"


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody should have to start the helpline five times to mend five settings."""
    said = complaint({"IVR_SPEECH": "shout", "IVR_DEMO": "maybe"})
    assert [line.split()[0] for line in said.splitlines()] == ["IVR_SPEECH", "IVR_DEMO"]


def test_a_twilio_token_ends_demo_mode_and_needs_the_public_address() -> None:
    """Without it no signature could be checked."""
    assert not load_settings(LIVE).demo_mode
    assert "IVR_PUBLIC_URL is not set" in complaint({"IVR_TWILIO_AUTH_TOKEN": "t0ken"})


def test_demo_mode_can_be_forced_and_forbidden(tmp_path: Path) -> None:
    """Forced, it never signs with the real token; forbidden, a missing token is an error."""
    forced = load_settings({**LIVE, "IVR_DEMO": "yes", "IVR_VAR": str(tmp_path)})
    assert forced.demo_mode
    assert "t0ken" not in forced.auth_tokens
    assert "IVR_DEMO forbids" in complaint({"IVR_DEMO": "no"})


def test_several_tokens_and_keys_while_one_is_being_changed() -> None:
    """The first signs or seals, all are believed."""
    settings = load_settings(
        {
            **LIVE,
            "IVR_TWILIO_AUTH_TOKEN": "new, old,",
            "IVR_SECRET_KEYS": f"{KEY}, {OTHER_KEY}",
        }
    )
    assert settings.auth_tokens == ("new", "old")
    assert settings.fernet_keys == (KEY.encode(), OTHER_KEY.encode())


def test_the_public_address_has_no_slash_at_its_end() -> None:
    """The path that is appended begins with one."""
    settings = load_settings({**LIVE, "IVR_PUBLIC_URL": "https://line.example.org/"})
    assert settings.public_url == "https://line.example.org"


def test_no_secret_is_shown_when_settings_are_printed() -> None:
    """They end up in logs and bug reports."""
    settings = load_settings(
        {
            **LIVE,
            "IVR_DATABASE_URL": POSTGRES,
            "IVR_SECRET_KEYS": KEY,
            "IVR_SEARCH_KEY": "a long enough search key",
            "IVR_METRICS_TOKEN": "a token for metrics",
        }
    )
    for secret in ("t0ken", "hunter2", KEY, "long enough", "for metrics"):
        assert secret not in repr(settings)
        assert secret not in str(settings)


def test_with_postgresql_the_keys_must_be_set() -> None:
    """Several machines share that database, and must share the keys."""
    assert "IVR_SECRET_KEYS is not set" in complaint({"IVR_DATABASE_URL": POSTGRES})
    said = complaint({"IVR_DATABASE_URL": POSTGRES, "IVR_SECRET_KEYS": KEY})
    assert "IVR_SEARCH_KEY is not set" in said


def test_keys_are_made_once_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    """A restart finds the keys of the last start."""
    environ = {"IVR_VAR": str(tmp_path / "var")}
    first, second = load_settings(environ), load_settings(environ)
    assert first.fernet_keys == second.fernet_keys
    assert first.hash_key == second.hash_key
    assert first.auth_tokens == second.auth_tokens
    files = sorted((tmp_path / "var").iterdir())
    assert [file.name for file in files] == ["demo-token", "search-key", "secret-keys"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_settings_alone_make_no_files(tmp_path: Path) -> None:
    """Checking flows on a read-only machine needs no keys."""
    load_settings({"IVR_VAR": str(tmp_path / "var")})
    assert not (tmp_path / "var").exists()


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    """Whoever is first makes the key; the others read it."""
    script = (
        "import sys; from ivr.config import load_settings;"
        "settings = load_settings({'IVR_VAR': sys.argv[1]}); sys.stdin.read();"
        "print(settings.fernet_keys, settings.hash_key, settings.auth_tokens)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "var")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        for _ in range(4)
    ]
    for process in started:  # all of them wait on their input, then go
        assert process.stdin is not None
        process.stdin.close()
    said = set()
    for process in started:
        assert process.stdout is not None
        said.add(process.stdout.read())
        process.stdout.close()
        assert process.wait() == 0
    assert len(said) == 1


def test_who_comes_second_takes_the_first_ones_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when the file appeared after looking for it."""
    (tmp_path / "search-key").write_text("the key of the other process")
    monkeypatch.setattr(Path, "exists", lambda path: False)
    settings = load_settings({"IVR_VAR": str(tmp_path)})
    assert settings.hash_key == b"the key of the other process"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_that_cannot_be_kept_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """A key that is lost at the next start would lose every number with it."""
    (tmp_path / "file").write_text("")
    settings = load_settings({"IVR_VAR": str(tmp_path / "file" / "var")})
    with pytest.raises(SettingsError, match="IVR_VAR must be a folder"):
        _ = settings.hash_key


def test_an_emptied_key_file_is_not_replaced(tmp_path: Path) -> None:
    """What the old key sealed could never be read again."""
    (tmp_path / "search-key").write_text("\n")
    with pytest.raises(SettingsError, match="is empty"):
        _ = load_settings({"IVR_VAR": str(tmp_path)}).hash_key
