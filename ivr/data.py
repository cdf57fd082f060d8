"""The data beside the flows: opening hours, councils, places.

Where some of it is broken, what needs it fails, and all else goes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ivr.directory.entries import Council
from ivr.directory.loading import load_councils
from ivr.directory.places import Whereabouts, load_whereabouts
from ivr.errors import BookError
from ivr.hours import Hours, load_hours

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Data:
    """What was read; of what is broken, nothing."""

    hours: Hours
    councils: tuple[Council, ...]
    whereabouts: Whereabouts
    faults: Mapping[str, str]  # what cannot be used, and why


def read_data(folder: Path) -> Data:
    """Read what is in this folder. Nothing is raised."""
    faults: dict[str, str] = {}

    def read(load: Callable[[Path], Part], path: Path, nothing: Part, name: str) -> Part:
        try:
            return load(path)
        except BookError as problem:
            faults[name] = str(problem)
            return nothing

    nobody: tuple[Council, ...] = ()
    return Data(
        hours=read(load_hours, folder / "hours.yaml", Hours({}), "hours"),
        whereabouts=read(load_whereabouts, folder, Whereabouts(), "places"),
        councils=read(load_councils, folder, nobody, "directory"),
        faults=faults,
    )
