"""The clips, over HTTP.

GET /audio/<hash>.wav      fixed words: the address says all about them, so it is kept a year;
                           made at once if this machine has not made them yet
GET /audio/<sealed>.wav    words known only in a call: fixed fragments, spliced by any worker,
                           good for 15 minutes, kept nowhere
GET /audio/<either>.txt    the words
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from quart import Quart, Response

from ivr.core.saying import Line
from ivr.errors import SealError
from ivr.sealing import Sealer
from ivr.speech.clips import Clips
from ivr.speech.score import is_name

GOOD_FOR = 15 * 60  # seconds
A_YEAR = "public, max-age=31536000, immutable"
KEPT_NOWHERE = "no-store"
KIND = "audio"
NO_CALL = ""  # Twilio fetches clips without saying for which call
TYPES = {"wav": "audio/wav", "txt": "text/plain; charset=utf-8"}

Make = Callable[[Sequence[str]], Awaitable[bool]]


class Addresses:
    """The addresses of lines' clips, as TwiML gives them to the phone."""

    def __init__(self, clips: Clips, sealer: Sealer, public_url: str) -> None:
        self._clips, self._sealer = clips, sealer
        self._path = f"{urlsplit(public_url).path.rstrip('/')}/audio"
        self._names: dict[tuple[Line, bool], str] = {}  # a book has some hundreds

    def clip(self, line: Line, slow: bool) -> str:
        """The address of this line's clip, or nothing while it has not been made."""
        if not line.private:
            name = self._names.get((line, slow)) or self._name(line, slow)
            return f"{self._path}/{name}.wav" if self._clips.has(name) else ""
        names = self._clips.fragments(line, slow)
        if names is None:
            return ""
        content = json.dumps([line.text, *names]).encode()
        return f"{self._path}/{self._sealer.seal(KIND, NO_CALL, content)}.wav"

    def _name(self, line: Line, slow: bool) -> str:
        name = self._names[line, slow] = self._clips.name(line, slow)
        return name


def audio_routes(app: Quart, clips: Clips, sealer: Sealer, make: Make) -> None:
    """Give the application its audio routes. ``make`` has missing clips made, if they are ours."""

    @app.get("/audio/<name>.<ending>")
    async def audio(name: str, ending: str) -> Response:
        fixed = is_name(name)
        words, names = ("", [name]) if fixed else _unsealed(sealer, name)
        content = _content(clips, words, names, ending)
        if content is None and names and ending in TYPES and await make(names):
            content = _content(clips, words, names, ending)
        if content is None:
            return Response(b"", 404, headers={"Cache-Control": KEPT_NOWHERE})
        keep = A_YEAR if fixed else KEPT_NOWHERE
        return Response(content, content_type=TYPES[ending], headers={"Cache-Control": keep})


def _unsealed(sealer: Sealer, sealed: str) -> tuple[str, list[str]]:
    """The words and the names of their parts; nothing if it is not sealed by us, or too old."""
    try:
        words, *names = json.loads(sealer.unseal(KIND, NO_CALL, sealed, GOOD_FOR))
    except SealError:
        return "", []
    return words, names


def _content(clips: Clips, words: str, names: list[str], ending: str) -> bytes | None:
    if not names:
        return None
    if ending == "txt":
        text = words or clips.text(names[0])
        return None if text is None else text.encode()
    return clips.splice(names) if ending == "wav" else None
