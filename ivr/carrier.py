"""Twilio's REST API, as far as we need it: it rings somebody, or sends a text.

Spoken over HTTP directly: Twilio's own client for asyncio ignores the timeout that it is given.
Nothing is repeated by itself here. Twilio does not know that two requests are the same, so when no
answer came, nobody can say whether a phone rings, or a text is on its way.
"""

import asyncio
from dataclasses import dataclass

import httpx

from ivr.errors import HelplineError

PATIENCE_S = 10.0  # seconds for Twilio's answer
VERSION = "2010-04-01"
#: Statuses of an answer that says that Twilio has done nothing, and may later: a token is being
#: changed, an account is suspended, or too much is asked at once.
NOT_NOW = (401, 403, 429)


class CarrierError(HelplineError):
    """Twilio refused; the number, the account or the balance may be wrong."""

    def __init__(self, message: str = "", code: int = 0) -> None:
        """Take Twilio's error number, or the status of its answer, beside the message."""
        super().__init__(message)
        self.code = code


class CarrierBusyError(CarrierError):
    """Twilio could not be reached, does not let us in, or has too much to do.

    It has done nothing, and may later.
    """


class CarrierSilentError(HelplineError):
    """Twilio did not answer. It may ring all the same: wait a minute before you try again."""


@dataclass(frozen=True)
class Carrier:
    """An account of Twilio's."""

    api_url: str  # IVR_TWILIO_API_URL
    account_sid: str
    token: str
    number: str  # the helpline's own (E.164): whoever is rung sees it
    text_from: str = ""  # whom texts come from: a number (E.164) or a name (IVR_TEXT_FROM)

    @property
    def can_ring(self) -> bool:
        """Whether the settings say all that ringing needs."""
        return bool(self.account_sid and self.token and self.number)

    @property
    def can_text(self) -> bool:
        """Whether the settings say all that sending texts needs."""
        return bool(self.account_sid and self.token and self.text_from)

    async def ring(self, to: str, url: str, status_url: str, seconds: int) -> str:
        """Ring a number (E.164) for so many seconds, and return Twilio's id of the call.

        Once they answer, Twilio asks ``url`` what to say; when the call has ended, however it did,
        it tells ``status_url``. Raises CarrierError, CarrierSilentError.
        """
        asked = {
            "To": to,
            "From": self.number,
            "Url": url,
            "StatusCallback": status_url,
            "StatusCallbackEvent": "completed",
            "Timeout": str(seconds),
        }
        return await self._asked("Calls", asked, "to ring", "nobody is rung")

    async def send(self, to: str, body: str, status_url: str) -> str:
        """Send a text to a number (E.164), and return Twilio's id of the message.

        How it fares is told to ``status_url``. Raises CarrierError, CarrierBusyError (it was not
        sent, and can be sent later), CarrierSilentError (nobody can say whether it was sent).
        """
        asked = {"To": to, "From": self.text_from, "Body": body, "StatusCallback": status_url}
        return await self._asked("Messages", asked, "to send it", "nothing is sent")

    async def _asked(self, what: str, asked: dict[str, str], to_do: str, undone: str) -> str:
        """Ask Twilio once to make a call or a message, and return its id."""
        try:
            async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as client:
                answer = await client.post(
                    f"{self.api_url}/{VERSION}/Accounts/{self.account_sid}/{what}.json",
                    data=asked,
                    auth=(self.account_sid, self.token),
                    timeout=httpx.Timeout(PATIENCE_S, connect=PATIENCE_S / 2),
                )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise CarrierBusyError(f"Twilio cannot be reached; {undone}.") from None
        except (TimeoutError, httpx.HTTPError):
            raise CarrierSilentError from None
        return _made(answer, to_do)


def _made(answer: httpx.Response, to_do: str) -> str:
    """The id of what was made. The answer's own words are for developers, and may hold the number:
    only Twilio's error number is told."""
    try:
        told = answer.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    if answer.status_code >= 500:
        raise CarrierSilentError
    sid, code = told.get("sid"), told.get("code")
    if answer.is_success and isinstance(sid, str) and sid:
        return sid
    if answer.is_success:  # it was made, and we cannot say what
        raise CarrierSilentError
    code = code if isinstance(code, int) else answer.status_code
    refused = CarrierBusyError if answer.status_code in NOT_NOW else CarrierError
    raise refused(f"Twilio refused {to_do} (error {code}).", code)
