"""Run seeds: `python -m tests.simulation --seeds 1000`. Exit code 1 where a rule was broken."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tests.simulation import virtual

virtual.install()

if TYPE_CHECKING:
    from tests.simulation.runner import Options


def main() -> int:
    """Read the options, and run."""
    from tests.simulation import runner  # noqa: PLC0415 - only now may the program be imported

    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--start", type=int, default=1, help="the first one")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--length", type=int, default=9, help="steps of a history at most, time aside")
    parser.add_argument("--seconds", type=float, default=0.0, help="begin no more seeds after so many seconds; 0: all")
    parser.add_argument("--trace", action="store_true", help="print the traces")
    parser.add_argument("--case", default="", help="play this file instead of seeds")
    parser.add_argument("--mutant", default="", help="break the program in this way, to see that it is noticed")
    parser.add_argument("--shrink", default="", help="write each failing history, shortened, into this folder")
    parser.add_argument(
        "--rows", default="", help="append a row for each seed to this file; seeds in it are not repeated"
    )
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth seed")
    parser.add_argument("--quiet", action="store_true", help="print only what failed")
    options: Options = parser.parse_args(namespace=runner.Options())
    return runner.run(options)


if __name__ == "__main__":
    sys.exit(main())
