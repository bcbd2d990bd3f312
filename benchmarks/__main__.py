"""`python -m benchmarks`: measures, and prints the tables of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Row, Table, imported_once

SHORT = ("worker", "converged", "parsing", "duplicates", "repair", "fleet", "start")
LONG = ("storm", "takeover", "longrun")
"""Those that take most of an hour: named, or with `--long`."""
ALL = SHORT + LONG


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where a goal of counts is missed; goals of time depend on the machine and are only reported."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(ALL)}")
    parser.add_argument("--long", action="store_true", help=f"without a name: {', '.join(LONG)}; else all others")
    parser.add_argument("--quick", action="store_true", help="small estates, counts alone")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(ALL))
    if unknown:
        parser.error(f"no benchmark is named {unknown[0]!r}; there are: {', '.join(ALL)}")
    if given.quick:
        imported_once()
    print(f"{machine()}\n", flush=True)
    missed = []
    for name in given.names or (LONG if given.long else SHORT):
        begun = time.monotonic()
        table: Table = importlib.import_module(f"benchmarks.{name}").run(quick=given.quick)
        print("\n".join(lines(table)), flush=True)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        missed += [f"{table.title}: {row.what}: {row.value}, {row.goal}" for row in table.rows if missed_count(row)]
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return int(bool(missed))


def missed_count(row: Row) -> bool:
    """Whether this row is an error on any machine."""
    return row.count and not row.met


def lines(table: Table) -> Iterator[str]:
    """The table as Markdown."""
    yield from (f"## {table.title}", "", table.how, "", "| what | value | goal |", "| --- | ---: | ---: |")
    for row in table.rows:
        mark = "" if row.met else " **missed**"
        yield f"| {row.what} | {row.value}{mark} | {row.goal} |"
    yield ""


def machine() -> str:
    """What it was measured on, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}; load at the start {load}."
    )


def _processor() -> str:
    try:
        found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    except OSError:
        found = []
    return found[0].partition(":")[2].strip() if found else platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())
