"""Demo mode: only this machine is answered, and whoever tries the helpline out can sign in."""

from ipaddress import ip_address

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from ivr.config import Settings
from ivr.config.keys import kept
from ivr.names import DEMO_NAME
from ivr.people.passwords import temporary
from ivr.people.register import Register
from ivr.people.tables import Role
from ivr.refusal import refuse


async def welcome(settings: Settings, register: Register) -> None:
    """In demo mode, whoever tries the helpline out has an account for the staff pages."""
    if settings.demo_mode and await register.is_empty():
        password = demo_password(settings)
        await register.add(DEMO_NAME, Role.ADMINISTRATOR, by="first run", password=password)


def demo_password(settings: Settings) -> str:
    """The password of the account ``demo``: made on first use, kept in IVR_VAR/demo-password."""
    return kept(settings.var / "demo-password", temporary)


class LoopbackOnly:
    """Demo mode answers this machine alone: its token is no secret worth the name."""

    def __init__(self, onward: ASGIFramework) -> None:
        self._onward = onward

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Pass on what comes from this machine; all else gets 403 and nothing more."""
        if scope["type"] != "http" or _is_here(scope):
            return await self._onward(scope, receive, send)
        return await refuse(scope, receive, send)


def _is_here(scope: HTTPScope) -> bool:
    here = ("<local>", None)  # who calls the application itself names no client
    client = str((scope.get("client", here) or ("", None))[0])
    try:
        address = ip_address(client.partition("%")[0]) if client != "<local>" else None
        mapped = getattr(address, "ipv4_mapped", None)  # of IPv4, on a socket of IPv6
        return address is None or (mapped or address).is_loopback
    except ValueError:  # a socket file has no address, and need not be on this machine's side
        return False
