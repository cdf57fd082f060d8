"""What a caller wishes in one key press, as data: it can be put in the spool and read back."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter


class Kind(StrEnum):
    """What is wished of a call-back request."""

    SAVE = "save"  # ring me; joined to the open request of the same number, if there is one
    KEEP = "keep"  # I have asked before: leave it as it is
    CANCEL = "cancel"  # do not ring me after all
    TEXT = "text"  # a text message: as SAVE, but of an open request it changes no time
    NEED = "need"  # how to ring me: added to the request of an earlier wish
    SAFETY = "safety"  # someone is not safe: added to that of an earlier wish, or the open one


PRESSED = "pressed"  # the caller pressed "someone is not safe": more than having heard of safety


@dataclass(frozen=True, slots=True)
class Wish:
    """One effect that a caller asked for. Entering it twice is entering it once."""

    kind: Kind
    effect: str  # keyed hash of call, turn and step
    reference: str  # the six digits that the caller is told
    number: str = field(repr=False)  # E.164: whose request it is
    at: datetime  # when it was wished
    slot: str = ""  # any, morning or afternoon; only of SAVE and TEXT, as all that follows
    due_at: datetime | None = None  # by when we said that we would ring
    topic: str = ""
    council: str = ""
    request: int = 0  # of KEEP, CANCEL and SAFETY: the request that the caller was told of
    of: str = ""  # only of NEED and SAFETY: the effect of the earlier wish
    need: str = ""  # only of NEED and TEXT: one of those of IVR_ACCESS_NEEDS
    wanted: bool = False  # only of NEED and TEXT: whether the caller said yes
    own: bool = False  # only of NEED: the caller rings from the phone that is to be rung
    words: str = field(default="", repr=False)  # only of TEXT: what it says
    safety: str = ""  # PRESSED if the caller pressed that someone is not safe; of SAVE and KEEP
    told: str = ""  # the outcome that the caller has heard already


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a wish: the caller hears this, now and whenever the wish is repeated."""

    outcome: str
    reference: str


_JSON = TypeAdapter(Wish)


def packed(wish: Wish) -> bytes:
    """Write a wish as JSON."""
    return _JSON.dump_json(wish)


def unpacked(content: bytes) -> Wish:
    """Read a wish from its JSON. Raises ValueError if it is none."""
    return _JSON.validate_json(content)
