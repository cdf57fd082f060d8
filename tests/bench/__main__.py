"""``python -m tests.bench``: measure, and print a table. Exits 1 if a target was missed."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import turns
from tests.bench.listening import all_clips, first_words
from tests.bench.parts import parts_of_a_turn
from tests.bench.report import Row, data, machine, table
from tests.bench.reporting import reporting
from tests.bench.saving import saving
from tests.bench.speed import QUICK, THOROUGH, floods, many_calls, side_by_side


def main() -> int:
    """Measure everything that DESIGN.md promises in numbers."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter: about a minute")
    parser.add_argument("--json", action="store_true", help="print the figures as data")
    chosen = parser.parse_args()
    begun = time.monotonic()
    with TemporaryDirectory(prefix="helpline-bench-") as folder:
        rows = _measured(Path(folder), chosen.quick)
    if chosen.json:
        print(json.dumps(data(rows, machine()), indent=1))
    else:
        where = machine()
        print(
            f"{where['processor']}, {where['cores']} cores, {where['system']}, Python"
            f" {where['python']}, {where['at']}; {time.monotonic() - begun:.0f} s\n"
        )
        print(table(rows))
    return 1 if any(row.held is False for row in rows) else 0


def _measured(folder: Path, quick: bool) -> list[Row]:
    var = folder / "var"
    var.mkdir()
    house = turns.house(var)
    effort = QUICK if quick else THOROUGH
    stages: dict[str, Callable[[], list[Row]]] = {
        "making all clips": lambda: all_clips(house),
        "waiting for first words": lambda: first_words(folder, var, effort.rounds),
        "our turn, a bare route and Flask": lambda: side_by_side(house, var, effort),
        "10,000 calls at once": lambda: many_calls(house, var, effort),
        "turns amid forged requests": lambda: floods(house, var, effort),
        "saving and claiming call-backs": lambda: saving(folder, effort.rounds, effort.saves),
        "the reports page": lambda: reporting(folder, effort.rounds),
        "the parts of a turn": lambda: parts_of_a_turn(house),
    }
    rows: list[Row] = []
    for number, (name, stage) in enumerate(stages.items(), start=1):
        print(f"{number}/{len(stages)} {name}", end="", file=sys.stderr, flush=True)
        begun = time.monotonic()
        rows += stage()
        print(f", {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return rows


if __name__ == "__main__":
    sys.exit(main())
