"""The handset's HTTP: signed requests out, documents and clips back."""

import ssl
from functools import cache
from urllib.parse import urlsplit

import httpx

from ivr.handset.verbs import HandsetError
from ivr.handset.webhook import Webhook, signature

PATIENCE = httpx.Timeout(15, connect=10)  # seconds, as Twilio's
XML_TYPES = ("text/xml", "application/xml")


@cache
def _trusted() -> ssl.SSLContext:
    """Loading the certificates takes longer than a local call; once is enough."""
    return httpx.create_ssl_context()


class Wire:
    """The way to one helpline.

    Addresses are public ones, as Twilio would call and sign them; those that begin with ``public``
    are dialled at ``base`` instead.
    """

    def __init__(
        self, base: str, public: str, token: str, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._base = base
        self._public = public
        self._token = token
        self._http = httpx.AsyncClient(
            transport=transport, timeout=PATIENCE, verify=_trusted(), trust_env=False
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def deliver(self, webhook: Webhook) -> bytes:
        """Send a signed request, and return the document that it is answered with."""
        response = await self._sent(webhook)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind not in XML_TYPES:
            url = _as_sent(webhook.address)
            raise HandsetError(f"{url}: the answer is {kind or 'of no type'}, and must be text/xml")
        return response.content

    async def _sent(self, webhook: Webhook, good: tuple[int, ...] = (200,)) -> httpx.Response:
        url = _as_sent(webhook.address)
        signed = signature(self._token, url, webhook.body)
        headers = {"X-Twilio-Signature": signed, "User-Agent": "TwilioProxy/1.1"}
        return await self._request(webhook.method, url, webhook.body, headers, good)

    async def notify(self, webhook: Webhook) -> None:
        """Send a signed request that is answered with no document: a status callback."""
        await self._sent(webhook, (200, 204))

    async def clip(self, url: str) -> bytes:
        """The sound of a clip."""
        return (await self._request("GET", url)).content

    async def words(self, clip: str) -> str:
        """The words of a clip, which are found beside it: ``.txt`` for ``.wav``."""
        parts = urlsplit(clip)
        if not parts.path.endswith(".wav"):
            raise HandsetError(f"{clip}: only a clip that is a .wav has its words beside it")
        path = f"{parts.path.removesuffix('.wav')}.txt"
        response = await self._request("GET", parts._replace(path=path).geturl())
        return response.content.decode(errors="replace").strip()

    async def _request(
        self,
        method: str,
        url: str,
        data: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        good: tuple[int, ...] = (200,),
    ) -> httpx.Response:
        """The answer, if there is one and its status is good."""
        try:
            response = await self._http.request(
                method, self._dialled(url), data=data or None, headers=headers
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise HandsetError(f"{url}: nobody answers ({reason})") from error
        if response.status_code not in good:
            raise HandsetError(f"{url}: answered {response.status_code}; the caller is lost")
        return response

    def _dialled(self, url: str) -> str:
        """Where a public address is really found."""
        rest = url.removeprefix(self._public)
        return self._base + rest if rest != url and rest[:1] in ("", "/", "?") else url


def _as_sent(url: str) -> str:
    """The address as it crosses the wire, which is what both sides sign: no fragment, and
    characters that may not travel are percent-encoded; host and port stay as they are written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{httpx.URL(url).raw_path.decode()}"
