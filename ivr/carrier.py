"""Twilio's REST API, as far as we need it: it rings somebody, and calls us back when they answer.

Spoken over HTTP directly: Twilio's own client for asyncio ignores the timeout that it is given.
Ringing is never repeated by itself. Twilio does not know that two requests are the same, so when no
answer came, nobody can say whether a phone rings.
"""

import asyncio
from dataclasses import dataclass

import httpx

from ivr.errors import HelplineError

PATIENCE_S = 10.0  # seconds for Twilio's answer
VERSION = "2010-04-01"


class CarrierError(HelplineError):
    """Twilio refused to ring; the number, the account or the balance may be wrong."""


class CarrierSilentError(HelplineError):
    """Twilio did not answer. It may ring all the same: wait a minute before you try again."""


@dataclass(frozen=True)
class Carrier:
    """An account of Twilio's."""

    api_url: str  # IVR_TWILIO_API_URL
    account_sid: str
    token: str
    number: str  # the helpline's own (E.164): whoever is rung sees it

    @property
    def can_ring(self) -> bool:
        """Whether the settings say all that is needed."""
        return bool(self.account_sid and self.token and self.number)

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
        try:
            async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as client:
                answer = await client.post(
                    f"{self.api_url}/{VERSION}/Accounts/{self.account_sid}/Calls.json",
                    data=asked,
                    auth=(self.account_sid, self.token),
                    timeout=PATIENCE_S,
                )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise CarrierError("Twilio cannot be reached; nobody is rung.") from None
        except (TimeoutError, httpx.HTTPError):
            raise CarrierSilentError from None
        return _call_of(answer)


def _call_of(answer: httpx.Response) -> str:
    """The id of the call that was made. The answer's own words are for developers, and may hold the
    number: only Twilio's error number is told."""
    try:
        told = answer.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    if answer.status_code >= 500:
        raise CarrierSilentError
    sid = told.get("sid")
    if answer.is_success and isinstance(sid, str) and sid:
        return sid
    raise CarrierError(f"Twilio refused to ring (error {told.get('code') or answer.status_code}).")
