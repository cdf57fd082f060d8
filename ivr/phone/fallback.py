"""The last resort: what Twilio hears when everything else of ours is broken.

It imports nothing of ours, so that flows, prompts and database may all be gone. It speaks a fixed
message and leads the call back: to where it was, at most once, and after that to the beginning.
"""

import re
from zlib import crc32

VOICE = 'voice="Polly.Amy-Neural" language="en-GB"'
MARK = "again=1"  # in an address that has been resumed once
POSITION = re.compile(r"/([\w-]+)(\?.*)?", re.ASCII)  # what stands behind the path of the voice
OTHER_ROUTES = ("fallback", "status")
HOLD_ON = (
    "Sorry. Something went wrong on our side. You have done nothing wrong. "
    "Please stay on the line. I will try again."
)
BROKEN = (
    "Sorry. Our helpline is not working just now. You have done nothing wrong. "
    "If someone is in danger now, hang up, and ring 9 9 9. "
    "To try our line again, press any key, or just wait."
)
OTHER_WAY = "You can also ring us on {number}."
LONGEST_WAIT = 20  # seconds


def last_resort(failed: str, public_url: str, voice_path: str, other_number: str = "") -> str:
    """The TwiML for a call that failed.

    Args:
        failed: the address that failed (Twilio's ``ErrorUrl``), or empty.
        public_url: the address of this helpline, without a path.
        voice_path: the path of its voice routes.
        other_number: a number to give, as it is read out; empty gives none.
    """
    ours, address = _spelt(public_url) + voice_path, _spelt(failed.partition("#")[0])
    position = POSITION.fullmatch(address[len(ours) :]) if address.startswith(ours) else None
    if position is None or position[1] in OTHER_ROUTES:
        return _broken(voice_path, other_number)  # not ours, or the call had not begun
    if MARK in (position[2] or ""):
        # Turns must not count from zero again, so this is not the address of a new call, but that
        # of a position which cannot be read: another one for each that failed, always the same.
        return _broken(f"{voice_path}/{crc32(failed.encode()):08x}", other_number)
    return _document(
        f"<Say {VOICE}>{HOLD_ON}</Say>"
        f'<Pause length="2"/>'
        f'<Redirect method="POST">{voice_path}/{position[1]}?{MARK}</Redirect>'
    )


def _spelt(address: str) -> str:
    """An address in one spelling of its host: Twilio's may differ from ours in case and port."""
    found = re.match(r"(https?)://([^/?#]*)", address, re.IGNORECASE)
    if not found:
        return address
    scheme, host = found[1].lower(), found[2].lower()
    host = host.removesuffix(":443" if scheme == "https" else ":80")
    return f"{scheme}://{host}{address[found.end() :]}"


def _broken(onward: str, other_number: str) -> str:
    """The fixed message, and on any key or none a new attempt."""
    other = f" {OTHER_WAY.format(number=_spoken(other_number))}" if other_number else ""
    return _document(
        f'<Gather input="dtmf" action="{onward}" method="POST" numDigits="1"'
        f' timeout="{LONGEST_WAIT}" finishOnKey="" actionOnEmptyResult="true">'
        f"<Say {VOICE}>{BROKEN}{other}</Say></Gather>"
        f'<Redirect method="POST">{onward}</Redirect>'
    )


def _spoken(number: str) -> str:
    """The number digit by digit, with a pause between its printed groups."""
    return ", ".join(" ".join(group) for group in number.split())


def _document(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'
