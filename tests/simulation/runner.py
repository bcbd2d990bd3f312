"""Runs many seeds, and says what came of them."""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter, process_time

from tests.simulation import figures, processes, wire
from tests.simulation.histories import history
from tests.simulation.intended import Json
from tests.simulation.mutants import MUTANTS
from tests.simulation.play import Outcome, play
from tests.simulation.shrink import Case, rule_of, shrunk

COLLECT = 20
"""Histories after which garbage is collected: the collector's own times cost a tenth of each history."""


class Options(argparse.Namespace):
    """The options of the command line."""

    seeds: int
    start: int
    jobs: int
    every: int
    length: int
    seconds: float
    trace: bool
    case: str
    mutant: str
    shrink: str
    rows: str
    quiet: bool


def run(options: Options) -> int:
    """Run, print, and return the exit code."""
    for name in ("reconciler", "azure", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if options.jobs > 1:
        return _side_by_side(options)
    prepare()
    used, counts = process_time(), Counter[str]()
    failed: list[tuple[int, Sequence[Json], Outcome]] = []
    for name, seed, steps in _chosen(options):
        outcome = _told(name, seed, steps, options)
        counts += outcome.counts
        counts["histories"] += 1
        if counts["histories"] % COLLECT == 1:
            gc.collect()
        if counts["histories"] == 1:
            gc.freeze()  # what the first one imported stays
        if outcome.violation:
            failed.append((seed, steps, outcome))
            if options.mutant:
                break
    counts["failed histories"] += len(failed)
    counts["seconds of CPU"] += round(process_time() - used)
    for one in failed if options.shrink else ():
        _shorten(*one, options)
    sys.stderr.write(json.dumps(dict(sorted(counts.items()))) + "\n")
    return 1 if failed else 0


def prepare() -> None:
    """Make this process one that simulates."""
    processes.install()
    wire.connect()
    gc.disable()


def _told(name: str, seed: int, steps: Sequence[Json], options: Options) -> Outcome:
    """Play one history; all that is kept of it is kept at once."""
    begun = process_time()
    outcome = _played(seed, steps, options)
    if options.rows and not options.case:
        row = figures.row(seed, options.length, outcome.violation, outcome.counts, process_time() - begun)
        figures.append(Path(options.rows), row)
    if options.trace:
        sys.stdout.buffer.write(outcome.text)
        sys.stdout.flush()
    if outcome.violation or not options.quiet:
        _say(f"{name} {hashlib.sha256(outcome.text).hexdigest()[:16]} {outcome.violation or 'ok'}")
    if outcome.violation and options.shrink:
        _kept(Case(seed, rule_of(outcome.violation), outcome.violation, tuple(steps)), options)
    return outcome


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _chosen(options: Options) -> Iterator[tuple[str, int, Sequence[Json]]]:
    if options.case:
        case = Case.read(Path(options.case))
        yield Path(options.case).stem, case.seed, case.steps
        return
    begun = perf_counter()
    known = figures.played(Path(options.rows), options.length) if options.rows else set()
    for seed in range(options.start, options.start + options.seeds, options.every):
        if seed in known:
            continue
        if options.seconds and perf_counter() - begun > options.seconds:
            return
        yield f"seed {seed}", seed, history(seed, options.length)


def _played(seed: int, steps: Sequence[Json], options: Options) -> Outcome:
    return play(seed, steps, MUTANTS[options.mutant] if options.mutant else None)


def _kept(case: Case, options: Options) -> None:
    folder = Path(options.shrink)
    folder.mkdir(parents=True, exist_ok=True)
    case.write(folder / f"seed-{case.seed}.json")


def _shorten(seed: int, steps: Sequence[Json], outcome: Outcome, options: Options) -> None:
    rule = rule_of(outcome.violation)
    shorter = shrunk(steps, lambda tried: rule_of(_played(seed, tried, options).violation) == rule)
    why = _played(seed, shorter, options).violation
    _kept(Case(seed, rule, why, tuple(shorter)), options)


def _side_by_side(options: Options) -> int:
    """Each process has a time of its own, so processes share nothing but the list of seeds."""
    started = []
    for number in range(options.jobs):
        more = [f"--{name}={value}" for name in ("shrink", "rows") if (value := getattr(options, name))]
        command = [
            sys.executable, "-m", "tests.simulation", f"--seeds={options.seeds - number}",
            f"--start={options.start + number}", f"--every={options.jobs}", f"--length={options.length}",
            f"--seconds={options.seconds}", "--quiet", *more,
        ]  # fmt: skip
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    counts, failed = Counter[str](), 0
    for process in started:
        _, problems = process.communicate()
        last = problems.splitlines()[-1:] or ["{}"]
        if not last[0].startswith("{"):
            sys.stderr.write(problems)
        else:
            counts += Counter(json.loads(last[0]))
        failed |= process.returncode
    sys.stderr.write(json.dumps(dict(sorted(counts.items()))) + "\n")
    return 1 if failed else 0
