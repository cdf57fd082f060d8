"""All that the texts of one house need, together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ivr.messages.optouts import OptOuts
from ivr.messages.outbox import Outbox
from ivr.messages.thread import Thread

Compose = Callable[[str], str]  # a text about a topic, or about a council; raises LookupError


@dataclass(frozen=True)
class Post:
    """What writes, sends and reads texts."""

    outbox: Outbox
    optouts: OptOuts
    thread: Thread
    composers: Mapping[str, Compose]  # write texts, by their kind
    finish: Callable[[str], str]  # adds to a text how to stop them; raises UnsendableError
    can_text: bool  # whether the settings say all that sending needs
