"""Ten thousand runs in one process, over years of its clock: whether memory, descriptors, state file or log grow."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import estates, slopes
from benchmarks.deployments import GOOD
from benchmarks.duplicates import RUNS, event
from benchmarks.measure import Emulated, Row, Table, apart, at_most, emulated, shown
from benchmarks.slopes import Sample, Written
from benchmarks.takeover import azurite
from benchmarks.worker import Desk, desk
from reconciler.adapters.store_limits import RECORD_DAYS
from reconciler.service.host.lines import log_to
from reconciler.service.triggers import messages, timers

TITLE = "Ten thousand runs"
DEPLOYMENT = "longrun"
SIZE = estates.Size(1, 3)
IN_ACCOUNT = 5
"""Of so many runs one is repeated with a storage account, where each takes ten times as long."""
DAYS = 2000
"""Over which the runs are spread. In each step an event and the resync that is overdue by then run, and the second half
begins long after the first entries of the record were too old to be kept."""
KEPT = 31 * (2 + -(-RECORD_DAYS // 28))
"""Days at most of which entries are kept: whole months, and a month counts as 28 days."""
EXACT = ("documents", "messages", "leases", "descriptors", "threads")
NEARLY = (
    "objects",
    "blocks of Python's memory",
    "bytes of documents",
    "pages of the file",
    "bytes of its write-ahead log",
    "log lines",
    "log bytes",
    "reads",
)
"""Beside resident memory, which takes more runs than a quick benchmark has."""


def run(*, quick: bool = False, runs: int = 10_000) -> Table:
    """All figures; `runs`: of each pool, converged or with drift."""
    count, each = (120, 3) if quick else (runs, 10)
    often = f"drift in every {2 * each}th run"
    rows = rows_of("converged", _estate(count, 0, {}), count, 0, quick=quick)
    rows += rows_of(often, _estate(count, each, {}), count, each, quick=quick)
    fewer = count // (2 if quick else IN_ACCOUNT)
    with azurite() as account:
        store = {"STATE": account, "CONTAINER": DEPLOYMENT}
        rows += rows_of(f"Azurite, {often}", _estate(fewer, each, store), fewer, each, quick=quick)
    how = (
        f"{count:,} runs of one pool in {SIZE.projects} projects by one process with a state file, over {DAYS:,} "
        f"days of its clock, and {fewer:,} by one whose documents are in Azurite: "
        "an Event Grid event in each step, and the resync that is overdue by then; Git and "
        "the audit log are looked at between. Each figure is the growth in 1,000 runs by least squares over the "
        "second half, and the level there; what rests on an allocator or on lengths of texts may seem to grow by "
        f"{QUICK if quick else slopes.NOISE:g} %. Log lines, log bytes and reads are those between two samples. "
        f"The law of the record: three entries for a repair and two for a month, of {KEPT} days."
    )
    return Table(TITLE, how, tuple(rows))


def _estate(count: int, drift: int, store: Mapping[str, str]) -> list[Sample]:
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(SIZE)) as cloud:
        (Path(folder) / "specs").mkdir()
        estates.write(SIZE, f"{folder}/specs")
        return apart(_sampled, cloud, folder, count, drift, store)[0]


def rows_of(title: str, samples: list[Sample], count: int, drift: int, *, quick: bool) -> list[Row]:
    """The rows of so many runs. `drift`: steps between two queues that are closed by hand; 0: none is."""
    last = samples[-1]
    kept = KEPT / (DAYS / (count // 2))
    nearly = [what for what in NEARLY if what in last and (not quick or what in AT_ONCE)]
    rows = [
        at_most(f"{title}: runs that left work", int(last["others"]), 0, count=True),
        at_most(f"{title}: writes, but one for each drift", int(last["writes"] - last["repairs"]), 0, count=True),
        *(slopes.none(title, samples, what) for what in EXACT),
        *(slopes.little(title, samples, what, QUICK if quick else slopes.NOISE) for what in nearly),
    ]
    if drift:
        most = 3 * (1 + int(kept / drift)) + 2 * (KEPT // 28)
        rows.append(at_most(f"{title}: entries of the record", int(last["entries of the record"]), most, count=True))
    if not quick:
        rows.append(slopes.little(title, samples, "resident memory"))
        rows.append(shown(f"{title}: CPU of a run", 1000 * last["cpu"] / last["runs"], "ms"))
    return rows


AT_ONCE = frozenset({"objects", "blocks of Python's memory", "log lines", "reads"})
"""What a hundred runs show. The write-ahead log is filled up to its bound first, and the file swings with months."""
QUICK = 5.0
"""Per cent of noise there: caches of a fixed size are still being filled."""


def _sampled(cloud: Emulated, folder: str, count: int, drift: int, store: Mapping[str, str]) -> list[Sample]:
    """Fifty samples at most, each at the same place between two repairs. `store`: a storage account, if any."""
    written = Written()
    with log_to((), written):
        one = _desk(cloud, folder, store)
        stored = (
            partial(slopes.of_account, one.context, **store) if store else partial(slopes.of_file, f"{folder}/state.db")
        )
        return _played(one, stored, count, drift, written)


def _played(one: Desk, stored: Callable[[], Sample], count: int, drift: int, written: Written) -> list[Sample]:
    found = list[Sample]()
    steps = count // 2
    between = max(1, steps // min(50, steps // 3) // max(drift, 1)) * max(drift, 1)
    begun, threads = time.process_time(), threading.active_count()
    done = others = writes = 0
    for number in range(1, steps + 1):
        _step(one, number, DAYS * 86_400 / steps, drift=bool(drift) and number % drift == 0)
        if number % between:
            continue
        results = [result for result in one.runs.results if result in RUNS]
        done, others = done + len(results), others + sum(one not in GOOD for one in results)
        counted = one.cloud.do.counters()["total"]
        writes += counted["writes"]
        counts = {
            "repairs": number // drift if drift else 0,
            "runs": done,
            "others": others,
            "writes": writes,
            "reads": counted["reads"],
        }
        logged = {"log lines": written.lines, "log bytes": written.bytes, "cpu": time.process_time() - begun}
        found.append({**slopes.of_process(threads), **stored(), **counts, **logged})
        written.lines = written.bytes = 0
        one.runs.results.clear()
        one.cloud.do.reset_log()
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def _desk(cloud: Emulated, folder: str, store: Mapping[str, str]) -> Desk:
    """Messages are in the state file even where documents are in an account, which hides messages by its own clock."""
    beside = desk(cloud, folder, DEPLOYMENT=DEPLOYMENT)
    if not store:
        return beside
    one = desk(cloud, folder, beside.clock, DEPLOYMENT=DEPLOYMENT, **store)
    queues = beside.context.outbox
    outbox = replace(one.context.outbox, events=queues.events, sweeps=queues.sweeps)
    worker = replace(one.context.worker, outbox=outbox)
    return replace(one, context=replace(one.context, queues=beside.context.queues, outbox=outbox, worker=worker))


def _step(one: Desk, number: int, seconds: float, *, drift: bool) -> None:
    one.later(seconds)
    if drift:
        place = {"organization": estates.organization_name(0), "project": "project-0001", "pool": SIZE.names(0)[0]}
        one.cloud.do.edit("close-access", **place)
    timers.watch_git(one.context)
    timers.watch_audit(one.context)
    for text in messages.pool_changed(one.context, json.dumps(event(number)), inserted=one.clock.now()):
        one.context.outbox.events.put(text)
    one.drain()
