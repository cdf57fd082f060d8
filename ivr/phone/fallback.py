"""The last resort: what Twilio hears when everything else of ours is broken.

It imports nothing of ours but the signature check, so that flows, prompts and database may all be
gone. It speaks a fixed message and leads the call back: to where it was, at most once, and after
that to the beginning.
"""

from xml.sax.saxutils import escape, quoteattr

from ivr.phone.signature import parameters

VOICE = 'voice="Polly.Amy-Neural" language="en-GB"'
MARK = "again=1"  # in an address that has been resumed once
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


def last_resort(body: bytes, public_url: str, voice_path: str, other_number: str = "") -> str:
    """The TwiML for a call that failed. ``ErrorUrl`` in ``body`` says where it failed.

    Args:
        body: the form body of Twilio's request.
        public_url: the address of this helpline, without a path.
        voice_path: the path of its voice routes.
        other_number: a number to give, as it is read out; empty gives none.
    """
    failed = dict(parameters(body)).get("ErrorUrl", "")
    path = failed.removeprefix(public_url).partition("#")[0]
    if failed.startswith(public_url) and _can_resume(path, voice_path):
        return _document(
            f"<Say {VOICE}>{HOLD_ON}</Say>"
            f'<Pause length="2"/>'
            f'<Redirect method="POST">{escape(path.partition("?")[0])}?{MARK}</Redirect>'
        )
    other = OTHER_WAY.format(number=_spoken(other_number)) if other_number else ""
    words = f"<Say {VOICE}>{BROKEN} {escape(other)}</Say>"
    return _document(
        f'<Gather input="dtmf" action={quoteattr(voice_path)} method="POST" numDigits="1"'
        f' timeout="{LONGEST_WAIT}" finishOnKey="">{words}</Gather>'
        f'<Redirect method="POST">{escape(voice_path)}</Redirect>'
    )


def _can_resume(path: str, voice_path: str) -> bool:
    """Whether this is a position of a call that has not been resumed before."""
    address, _, query = path.partition("?")
    sealed = address.removeprefix(f"{voice_path}/")
    return sealed != address and bool(sealed) and "/" not in sealed and MARK not in query


def _spoken(number: str) -> str:
    """The number digit by digit, with a pause between its printed groups."""
    return ", ".join(" ".join(group) for group in number.split())


def _document(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'
