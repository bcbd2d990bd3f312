"""Runs many seeds, and says what came of them."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter, process_time

from tests.simulation import processes, wire
from tests.simulation.histories import history
from tests.simulation.intended import Json
from tests.simulation.mutants import MUTANTS
from tests.simulation.play import Outcome, play
from tests.simulation.shrink import Case, rule_of, shrunk

SHOWN = ("exchanges", "writes", "messages", "edits", "converged", "not converged")


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
    for name in ("reconciler", "azure", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if options.jobs > 1:
        return _side_by_side(options)
    processes.install()
    wire.connect()
    used, failed, counts = process_time(), 0, Counter[str]()
    for name, seed, steps in _chosen(options):
        outcome = _played(seed, steps, options)
        counts += outcome.counts
        counts["histories"] += 1
        if options.trace:
            sys.stdout.buffer.write(outcome.text)
            sys.stdout.flush()
        _say(f"{name} {hashlib.sha256(outcome.text).hexdigest()[:16]} {outcome.violation or 'ok'}")
        if outcome.violation:
            failed += 1
            if options.shrink:
                _shorten(seed, steps, outcome, options)
            if options.mutant:
                break
    counts["failed histories"] += failed
    counts["seconds of CPU"] += round(process_time() - used)
    sys.stderr.write(json.dumps(dict(sorted(counts.items()))) + "\n")
    if options.markdown:
        _say(markdown(counts))
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def markdown(counts: Counter[str]) -> str:
    """The figures as rows of a table."""
    rows = ["| histories | failed | " + " | ".join(SHOWN) + " |", "| ---: | ---: | " + "---: | " * len(SHOWN)]
    figures = [counts["histories"], counts["failed histories"], *(counts[name] for name in SHOWN)]
    return "\n".join([*rows, "| " + " | ".join(f"{one:,}" for one in figures) + " |"])


def _chosen(options: Options) -> Iterator[tuple[str, int, Sequence[Json]]]:
    if options.case:
        case = Case.read(Path(options.case))
        yield Path(options.case).stem, case.seed, case.steps
        return
    begun = perf_counter()
    for seed in range(options.start, options.start + options.seeds):
        if options.seconds and perf_counter() - begun > options.seconds:
            return
        yield f"seed {seed}", seed, history(seed, options.length)


def _played(seed: int, steps: Sequence[Json], options: Options) -> Outcome:
    return play(seed, steps, MUTANTS[options.mutant] if options.mutant else None)


def _shorten(seed: int, steps: Sequence[Json], outcome: Outcome, options: Options) -> None:
    rule = rule_of(outcome.violation)
    shorter = shrunk(steps, lambda tried: rule_of(_played(seed, tried, options).violation) == rule)
    why = _played(seed, shorter, options).violation
    folder = Path(options.shrink)
    folder.mkdir(parents=True, exist_ok=True)
    Case(seed, rule, why, tuple(shorter)).write(folder / f"seed-{seed}.json")


def _side_by_side(options: Options) -> int:
    """Each process has a time of its own, so processes share nothing but the list of seeds."""
    share, rest = divmod(options.seeds, options.jobs)
    started, start = [], options.start
    for number in range(options.jobs):
        seeds = share + (number < rest)
        more = [f"--shrink={options.shrink}"] if options.shrink else []
        command = [
            sys.executable, "-m", "tests.simulation", f"--seeds={seeds}", f"--start={start}",
            f"--length={options.length}", f"--seconds={options.seconds}", *more,
        ]  # fmt: skip
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        start += seeds
    counts, failed = Counter[str](), 0
    for process in started:
        out, problems = process.communicate()
        lines = out.splitlines()
        for line in lines:
            if not line.endswith(" ok"):
                _say(line)
        last = problems.splitlines()[-1:] or ["{}"]
        if not last[0].startswith("{"):
            sys.stderr.write(problems)
        else:
            counts += Counter(json.loads(last[0]))
        failed |= process.returncode
    sys.stderr.write(json.dumps(dict(sorted(counts.items()))) + "\n")
    if options.markdown:
        _say(markdown(counts))
    return 1 if failed else 0
