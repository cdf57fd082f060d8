"""Where the time of a turn goes: its parts one by one, over the turns of a call."""

import re
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from ivr.conversation import Visit
from ivr.core.call import Ask
from ivr.core.engine import advance
from ivr.handset import Caller
from ivr.house import House
from ivr.phone.audio import Addresses
from ivr.phone.hearing import hear
from ivr.phone.routes import voice_path
from ivr.phone.signature import is_signed, parameters, posted
from ivr.phone.twiml import Writer
from tests.bench import turns
from tests.bench.report import Row

TIMES = 200
CALL = "CA" + "0" * 32


def parts_of_a_turn(house: House) -> list[Row]:
    """Microseconds, each the mean over the turns of a call, the median of five."""
    call = turns.a_call(house)
    book, sealer = house.shelf.loaded.book, house.sealer
    steps = [(one.position, hear(one.fields, {})) for one in call]
    said = [
        one for one in (advance(book, *step)[1] for step in steps) if not isinstance(one.then, Ask)
    ]
    sealed = [sealer.seal_position(CALL, one.position) for one in call]
    sent = [_sent(turns.request(house, Caller(), "0" * 16, one)) for one in call]
    lexicon = {term: entry.say for term, entry in house.shelf.loaded.lexicon.items()}
    writer = Writer(voice_path(turns.PUBLIC), lexicon)
    clip = Addresses(house.clips, sealer, turns.PUBLIC).clip
    timed: dict[str, tuple[Callable[..., object], Sequence[tuple[Any, ...]]]] = {
        "read the form": (parameters, [(body,) for _, body, _ in sent]),
        "read it and check the signature": (_checked, sent),
        "unseal the position": (
            lambda one: sealer.unseal_position(CALL, one),
            [(one,) for one in sealed],
        ),
        "advance": (lambda position, heard: advance(book, position, heard), steps),
        "seal the position": (
            lambda one: sealer.seal_position(CALL, one.position),
            [(one,) for one in call],
        ),
        "write TwiML": (
            lambda one: writer.write(one, one.lines, one.held, sealed[0], clip),
            [(one,) for one in said],
        ),
        "note the journey": (house.journeys.record, [(Visit("0" * 16, 1, "keys", ("a/b",)),)]),
    }
    return [Row(f"  {name}", f"{_microseconds(*part):.0f} us") for name, part in timed.items()]


def _sent(request: bytes) -> tuple[str, bytes, str]:
    """The address, the body and the signature of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    signature = re.search(r"X-Twilio-Signature: (\S+)", head.decode())
    return turns.PUBLIC + head.split()[1].decode(), body, signature[1] if signature else ""


def _checked(url: str, body: bytes, signature: str) -> None:
    if not is_signed([turns.TOKEN], url, posted(url, body, True) or [], signature):
        raise SystemExit("A signature that we made is not taken.")


def _microseconds(part: Callable[..., object], given: Sequence[tuple[Any, ...]]) -> float:
    return median(_once(part, given) for _ in range(5))


def _once(part: Callable[..., object], given: Sequence[tuple[Any, ...]]) -> float:
    begun = time.perf_counter()
    for _ in range(TIMES):
        for arguments in given:
            part(*arguments)
    return (time.perf_counter() - begun) / TIMES / len(given) * 1e6
