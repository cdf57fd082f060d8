"""The requests that the servers are measured with: turns of a real call, exactly as Twilio sends
them, signed, each with its own sealed position."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import environ
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlencode

import httpx

from ivr.app import create_app
from ivr.config import load_settings
from ivr.core.call import Position
from ivr.handset import Caller, Phone
from ivr.handset.webhook import signature
from ivr.house import House, build

PUBLIC = "https://line.example.org"
TOKEN = "0123456789abcdef0123456789abcdef"  # nobody's
NUMBER = "+447400123456"

# Menus, an answer heard to its end by saying nothing, again, slower, star, and a council by three
# letters. It saves nothing: what a save costs is measured apart (saving.py).
ADDED = ("Digits", "FinishedOnKey", "msg")
SCRIPT = "1 1 1 - - 1 1 4 1 - # 9 * * 3 227 1".split()


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the call stood, and the fields that Twilio's form then added."""

    position: Position
    fields: Mapping[str, str]


def settings(var: Path) -> dict[str, str]:
    """The environment of a helpline in production, with everything it keeps in ``var``."""
    return {
        "IVR_VAR": str(var),
        "IVR_PUBLIC_URL": PUBLIC,
        "IVR_TWILIO_AUTH_TOKEN": TOKEN,
        "IVR_SPEECH": "clips",
    }


def environment(var: Path) -> dict[str, str]:
    """The same for a process: whatever this machine has set for the helpline is left out."""
    others = {name: value for name, value in environ.items() if not name.startswith("IVR_")}
    return others | settings(var)


def house(var: Path) -> House:
    """The parts of that helpline, in this process."""
    return build(load_settings(settings(var)))


def a_call(parts: House) -> list[Turn]:
    """The turns of a real call after its greeting, found by making it."""
    return asyncio.run(_a_call(parts))


async def _a_call(parts: House) -> list[Turn]:
    # httpx types an application by plain mappings, Quart by hypercorn's own.
    door = httpx.ASGITransport(create_app(parts.settings))  # type: ignore[arg-type]
    turns = []
    async with Phone(PUBLIC, TOKEN, Caller(number=NUMBER), transport=door) as phone:
        await phone.dial()
        for token in SCRIPT:
            await (phone.silence() if token == "-" else phone.press(token))
            if phone.last is None:
                raise RuntimeError("the handset sent nothing")
            sealed = phone.last.url.removeprefix(f"{PUBLIC}/voice/")
            position = parts.sealer.unseal_position(phone.caller.call_sid, sealed)
            form = phone.last.form
            turns.append(Turn(position, {name: form[name] for name in ADDED if name in form}))
    return turns


def requests(parts: House, calls: int, turns_each: int) -> list[bytes]:
    """Signed requests of this many calls, ready to send: the first turn of every call, then the
    second of every call ... Calls begin at different places of the script."""
    script = a_call(parts)
    callers = [Caller(number=NUMBER) for _ in range(calls)]
    journeys = [token_hex(8) for _ in callers]
    return [
        request(parts, caller, journey, script[(number + turn) % len(script)])
        for turn in range(turns_each)
        for number, (caller, journey) in enumerate(zip(callers, journeys, strict=True))
    ]


def request(parts: House, caller: Caller, journey: str, turn: Turn) -> bytes:
    """One turn as it crosses the wire."""
    position = replace(turn.position, journey=journey)
    path = f"/voice/{parts.sealer.seal_position(caller.call_sid, position)}"
    form = caller.form("in-progress", turn.fields)
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\n"
        "Host: line.example.org\r\n"
        "User-Agent: TwilioProxy/1.1\r\n"
        "Accept: */*\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "I-Twilio-Idempotency-Token: 3a5bb4a2-6f0e-4a0c-8d5c-1f0d6f2a9a3e\r\n"
        f"X-Twilio-Signature: {signature(TOKEN, PUBLIC + path, form)}\r\n"
        "\r\n"
    )
    return head.encode() + body
