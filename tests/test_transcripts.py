"""Golden transcripts: whole calls, as a person would read them.

Each file in ``tests/transcripts/`` begins with what the call is about, who is on duty if anybody
is, and how it is played; where texts can be sent, its name says "by-text";
the rest is written by ``make test`` with ``--update`` and read by people:

    .venv/bin/python -m pytest tests/test_transcripts.py --update
"""

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from ivr.app import create_app
from ivr.config import Settings, load_settings
from ivr.database import Database, upgrade
from ivr.duty.keys import Keys
from ivr.duty.roster import Roster
from ivr.handset import Caller, Phone, parse, scripted, transcript
from ivr.numbers import usable
from tests.standins import Twilio, twilio

FOLDER = Path(__file__).parent / "transcripts"
KEY = "c2VjcmV0LWtleS1vZi10aGUtdHJhbnNjcmlwdHMtMDE="  # references are the same in every run
TEXTS = {  # a helpline that is no rehearsal, and can send texts
    "IVR_TWILIO_AUTH_TOKEN": "the-token-of-the-transcripts",
    "IVR_TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "IVR_TEXT_FROM": "+447400123499",
}
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ABOUT = re.compile(
    r"\A# (?P<about>.+)\n(?P<duty>(?:\$ ivr duty on .+\n)*)\$ ivr call (?P<arguments>.+)\n\n"
)
ON_DUTY = re.compile(r"\$ ivr duty on (\S+) --phone (\S+)\n")


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.txt"))


@asynccontextmanager
async def ringing(
    var: Path, arguments: list[str], database: str = "", duty: str = "", texts: str = ""
) -> AsyncIterator[tuple[Phone, tuple[str, ...]]]:
    """A phone for a call as its transcript describes it, and the tokens to play."""
    settings = load_settings(
        {
            "IVR_VAR": str(var),
            "IVR_PUBLIC_URL": "http://helpline.test",
            "IVR_SPEECH": "say",
            "IVR_SECRET_KEYS": KEY,
            "IVR_SEARCH_KEY": KEY,
            **({"IVR_DATABASE_URL": database} if database else {}),
            **({**TEXTS, "IVR_TWILIO_API_URL": texts} if texts else {}),
        }
    )
    if not database:
        await upgrade(settings.database_url)
    await go_on_duty(settings, duty)
    app = create_app(settings, clock=lambda: MONDAY)
    caller = Caller(call_sid="CA" + "1" * 32)
    if "--withheld" in arguments:
        caller = Caller(number="anonymous", country="", call_sid=caller.call_sid)
    if "--from" in arguments:
        number = usable(arguments[arguments.index("--from") + 1], demo=False)
        caller = Caller(number=number, call_sid=caller.call_sid)
    token, transport = settings.auth_tokens[0], httpx.ASGITransport(app)
    async with (
        app.test_app(),
        Phone("http://helpline.test", token, caller, transport=transport) as phone,
    ):
        yield phone, parse(arguments[arguments.index("--keys") + 1])


async def go_on_duty(settings: Settings, duty: str) -> None:
    """The people whom a transcript names, in its order."""
    database = Database(settings.database_url)
    roster = Roster(database, Keys(settings.fernet_keys, settings.hash_key), lambda: MONDAY)
    for name, phone in ON_DUTY.findall(duty):
        await roster.on(name, usable(phone, demo=True), MONDAY + timedelta(hours=8))
    await database.close()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
async def test_a_call_is_what_its_transcript_says(
    path: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = path.read_text()
    head = ABOUT.match(text)
    assert head, f"{path.name} must begin with '# what it is about' and '$ ivr call --keys ...'"
    arguments = shlex.split(head["arguments"])
    (tmp_path / "a file").touch()  # so that no database can ever be made beneath it
    gone = f"sqlite+aiosqlite:///{tmp_path}/a file/no.db" if "gone" in path.stem else ""
    if "no-disk" in path.stem:
        (tmp_path / "spool").touch()  # so that no wish can be kept beneath it
    with twilio() if "by-text" in path.stem else nullcontext(Twilio()) as standin:
        texts = standin.address
        async with ringing(tmp_path, arguments, gone, head["duty"], texts) as (phone, tokens):
            played = await scripted(phone, tokens)
    assert not played.remaining, "the line closed before the script was done"
    heard = head[0] + transcript(played.turns).rstrip() + "\n"
    if request.config.getoption("--update"):
        path.write_text(heard)
    assert heard == path.read_text()
