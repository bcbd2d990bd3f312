"""Runs many seeds, and says what came of them."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter, process_time

from tests.simulation import processes, wire
from tests.simulation.histories import history
from tests.simulation.play import Outcome, play


class Options(argparse.Namespace):
    """The options of the command line."""

    seeds: int
    start: int
    jobs: int
    length: int
    seconds: float
    trace: bool
    case: str
    mutant: str
    shrink: str
    markdown: bool


def run(options: Options) -> int:
    """Run, print, and return the exit code."""
    logging.getLogger("reconciler").setLevel(logging.CRITICAL)
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    processes.install()
    wire.connect()
    begun, used = perf_counter(), process_time()
    counts: Counter[str] = Counter()
    failed = 0
    for seed in range(options.start, options.start + options.seeds):
        if options.seconds and perf_counter() - begun > options.seconds:
            break
        steps = history(seed, options.length)
        outcome = play(seed, steps)
        counts += outcome.counts
        counts["seeds"] += 1
        if options.trace:
            sys.stdout.buffer.write(outcome.text)
        print(f"seed {seed} {hashlib.sha256(outcome.text).hexdigest()[:16]} {outcome.violation or 'ok'}", flush=True)
        failed += bool(outcome.violation)
    print(f"{dict(counts)} {process_time() - used:.1f} s of CPU", file=sys.stderr)
    return 1 if failed else 0
