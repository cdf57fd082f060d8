"""The clips, over HTTP.

GET /audio/<hash>.wav      fixed words: the address says all about them, so it is kept a year
GET /audio/<sealed>.wav    words known only in a call: fixed fragments, spliced by any worker,
                           good for 15 minutes, kept nowhere
GET /audio/<either>.txt    the words
"""

import json
from urllib.parse import urlsplit

from quart import Quart, Response

from ivr.core.saying import Line
from ivr.errors import SealError
from ivr.sealing import Sealer
from ivr.speech.clips import Clips

GOOD_FOR = 15 * 60  # seconds
A_YEAR = "public, max-age=31536000, immutable"
KEPT_NOWHERE = "no-store"
KIND = "audio"
NO_CALL = ""  # Twilio fetches clips without saying for which call
TYPES = {"wav": "audio/wav", "txt": "text/plain; charset=utf-8"}


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


def audio_routes(app: Quart, clips: Clips, sealer: Sealer) -> None:
    """Give the application its audio routes."""

    @app.get("/audio/<name>.<ending>")
    async def audio(name: str, ending: str) -> Response:
        fixed = clips.text(name)
        content = (
            _content(clips, fixed, [name], ending)
            if fixed is not None
            else _spliced(clips, sealer, name, ending)
        )
        if content is None:
            return Response(b"", 404, headers={"Cache-Control": KEPT_NOWHERE})
        keep = A_YEAR if fixed is not None else KEPT_NOWHERE
        return Response(content, content_type=TYPES[ending], headers={"Cache-Control": keep})


def _spliced(clips: Clips, sealer: Sealer, sealed: str, ending: str) -> bytes | None:
    try:
        words, *names = json.loads(sealer.unseal(KIND, NO_CALL, sealed, GOOD_FOR))
    except SealError:
        return None
    return _content(clips, words, names, ending)


def _content(clips: Clips, words: str, names: list[str], ending: str) -> bytes | None:
    if ending == "txt":
        return words.encode()
    return clips.splice(names) if ending == "wav" else None
