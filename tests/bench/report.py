"""What was measured, as a table for people or as data."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

VERDICTS = {True: "held", False: "MISSED", None: ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured. Without a target it only informs."""

    what: str
    measured: str
    target: str = ""
    held: bool | None = None


def machine() -> dict[str, str]:
    """Where and when this was measured."""
    return {
        "processor": _processor(),
        "cores": str(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(rows: Sequence[Row]) -> str:
    """The rows in columns."""
    cells = [("", "measured", "target", ""), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, str, str, str]:
    return row.what, row.measured, row.target, VERDICTS[row.held]


def data(rows: Sequence[Row], where: Mapping[str, str]) -> dict[str, object]:
    """The same for ``--json``."""
    return {"machine": where, "measured": [asdict(row) for row in rows]}
