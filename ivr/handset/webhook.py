"""What Twilio sends: the form fields of a call, and the signature over them."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from urllib.parse import urlencode

PLACES = ("City", "Country", "State", "Zip")


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """Twilio's ``X-Twilio-Signature``: over the exact address, and a POST's sorted fields."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def new_sid(kind: str) -> str:
    """A fresh identifier as Twilio makes them; ``kind`` is its two letters ("CA" is a call)."""
    return f"{kind}{token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request of Twilio's, at the public address. It can be sent again: Twilio may, too."""

    url: str
    form: Mapping[str, str]
    method: str = "POST"

    @property
    def address(self) -> str:
        """The address with, for a GET, the fields in its query."""
        if self.method == "POST":
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}{urlencode(self.form)}"

    @property
    def body(self) -> dict[str, str]:
        """The fields of a POST; a GET has none."""
        return dict(self.form) if self.method == "POST" else {}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who rings whom, as Twilio's form says it. One of these is one call."""

    number: str = "+447700900123"
    country: str = "GB"
    to: str = "+441632960000"
    account_sid: str = "AC" + "0" * 32
    call_sid: str = field(default_factory=lambda: new_sid("CA"))

    @classmethod
    def withheld(cls) -> "Caller":
        """One who hides the number: Twilio spells ANONYMOUS on the keys of a phone, and then takes
        what comes out for a number in Lesotho (+266)."""
        return cls(number="+266696687", country="LS")

    def leg(self, number: str) -> "Leg":
        """The leg to somebody whom the line rings for this caller."""
        return Leg(self, number)

    def form(self, status: str, fields: Mapping[str, str]) -> dict[str, str]:
        """Twilio's usual fields, and these. Most places are empty, as they are for UK numbers."""
        ours = {"Called": self.to, "To": self.to, "Caller": self.number, "From": self.number}
        places = {end + place: "" for end in ours for place in PLACES}
        countries = {
            "CalledCountry": "GB",
            "ToCountry": "GB",
            "CallerCountry": self.country,
            "FromCountry": self.country,
        }
        return {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.call_sid,
            "CallStatus": status,
            "CallToken": '{"parentCallInfoToken":"eyJhbGciOiJFUzI1NiJ9.e30"}',
            "Direction": "inbound",
            **ours,
            **places,
            **countries,
            **fields,
        }


@dataclass(frozen=True, slots=True)
class Leg:
    """The other leg of a call, to a number that is rung on the caller's behalf."""

    caller: Caller
    number: str
    call_sid: str = field(default_factory=lambda: new_sid("CA"))

    def form(self, status: str, fields: Mapping[str, str]) -> dict[str, str]:
        """Twilio's usual fields of such a leg, and these; it names the caller's call."""
        shown = Caller(self.caller.to, to=self.number, call_sid=self.call_sid)
        mine = {"ParentCallSid": self.caller.call_sid, "Direction": "outbound-dial"}
        return shown.form(status, {**mine, **fields})
