"""Ten thousand events on one pool, and one event on each of a thousand: runs, requests and what is left."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import estates
from benchmarks.deployments import ARM, DEAD, GOOD, deliver, deployed, moved, written
from benchmarks.measure import Emulated, Row, Table, apart, at_least, at_most, emulated
from benchmarks.worker import StillClock, desk
from reconciler.documents import Json, moment_of
from reconciler.engine import load_status
from reconciler.ports.clock import MARGIN
from reconciler.service.queue.coalesce import BURST, PACE
from reconciler.service.triggers import messages

TITLE = "Storms of events"
GAP = 2.0
"""Seconds of its clock between two events of a burst that lasts for hours."""
ONE = estates.Size(1, 3)
OF_ONE = 20
"""The most requests of a run of one pool: its first reads all there is."""
OF_BODY = 3
"""The most requests of a run about the body in ARM of a pool: it is read, and so may be the agent pool."""


def run(*, quick: bool = False) -> Table:
    """All figures."""
    rows = [
        *_delivered(20 if quick else 10_000),
        *_spread(200 if quick else 10_000),
        *_many(estates.Size(4, 3, 2) if quick else estates.Size(100, 5, 10)),
    ]
    how = (
        "Event Grid bodies are posted to a `serve` process with a SQLite file, in ten deliveries, the last after "
        "the rest was worked off; counted are the runs of its log, the requests at the emulator, and what is "
        f"left on all queues. A burst may have one more run for each {PACE.total_seconds():.0f} s that it lasts. "
        f"*Over hours*: one event each {GAP:.0f} s of the worker's clock, in one process, where each may be a run "
        "until they are a burst. *One cause*: resources of the group of all pools were moved, which is also "
        "their first look; *a cause each*: ARM wrote each pool. The law of their requests: 2N + 20 for each "
        f"organization of N projects, and {OF_BODY} for each pool."
    )
    return Table(TITLE, how, tuple(rows))


def _delivered(count: int) -> list[Row]:
    (name,) = ONE.names(0)
    with deployed(ONE, {}) as (made, stack):
        serving = made.start(stack)
        part, begun = count // 10, time.monotonic()
        for number in range(9):
            deliver(serving, ARM, [written(name, number * part + one) for one in range(part)])
        made.idle()
        deliver(serving, ARM, [written(name, 9 * part + one) for one in range(part)])
        last = made.context.clock.now()
        made.idle()
        runs, spans = made.runs(), int((time.monotonic() - begun) / PACE.total_seconds())
        what = f"{count:,} events on one pool"
        return [
            *_outcome(what, runs, 4 + spans),
            at_least(f"{what}: runs that began after the last", sum(_begun(one) > last for one in runs), 1, count=True),
            at_most(f"{what}: requests for each run", made.reads() / len(runs), OF_ONE, count=True),
            at_most(f"{what}: writes", made.writes(), 0, count=True),
            at_most(f"{what}: messages left, dead letters too", made.left() + made.left(DEAD), 0, count=True),
            at_most(f"{what}: lines of the log about them", len(made.ends()), 2 * BURST + 4 * len(runs), count=True),
        ]


def _outcome(what: str, runs: Sequence[dict[str, Json]], most: int) -> list[Row]:
    return [
        at_least(f"{what}: runs", len(runs), 1, count=True),
        at_most(f"{what}: runs", len(runs), most, count=True),
        at_most(f"{what}: runs that left work", sum(line["outcome"] not in GOOD for line in runs), 0, count=True),
    ]


def _begun(run: dict[str, Json]) -> datetime:
    """By the log's line, which is written at its end."""
    return (moment_of(run["at"]) or datetime.min.replace(tzinfo=UTC)) - timedelta(seconds=run["seconds"])


def _spread(count: int) -> list[Row]:
    """Deterministic: nothing happens but by the worker's own clock."""
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(ONE)) as cloud:
        (Path(folder) / "specs").mkdir()
        estates.write(ONE, f"{folder}/specs")
        (runs, covered, left, hours), _ = apart(_over_hours, cloud, folder, count)
        first = int(BURST * GAP / MARGIN.total_seconds())  # before so many came that they are a burst
        what = f"{count:,} events over {count * GAP / 3600:.1f} hours"
        return [
            at_most(f"{what}: runs", runs, 4 + first + int(hours / PACE), count=True),
            at_most(f"{what}: events that no later run covers", int(not covered), 0, count=True),
            at_most(f"{what}: requests for each run", cloud.do.count(writes=False) / runs, OF_ONE, count=True),
            at_most(f"{what}: writes", cloud.do.count(writes=True), 0, count=True),
            at_most(f"{what}: messages left, dead letters too", left, 0, count=True),
        ]


def _over_hours(cloud: Emulated, folder: str, count: int) -> tuple[int, bool, int, timedelta]:
    """Runs, whether one began after the last event, messages left, and how long it took by the worker's clock."""
    one = desk(cloud, folder, StillClock())
    begin = one.clock.now()
    events, (name,) = one.context.outbox.events, ONE.names(0)
    for number in range(count):
        one.clock.ahead += GAP
        for text in messages.pool_changed(one.context, json.dumps(written(name, number)), inserted=one.clock.now()):
            events.put(text)
        while taken := events.take(1, 300):
            messages.work(one.context, taken[0].text, taken[0].inserted)
            events.ack(taken[0])
    last = one.clock.now()
    one.drain()
    began = load_status(one.context.state, name).run
    names = (one.context.outbox.events, one.context.outbox.sweeps, *map(one.context.queues.named, DEAD))
    runs = sum(result in GOOD for result in one.runs.results)
    covered, left = began is not None and began.started + MARGIN > last, sum(queue.length() for queue in names)
    return runs, covered, left, one.clock.now() - begin


def _many(size: estates.Size) -> list[Row]:
    names = [name for number in range(size.organizations) for name in size.names(number)]
    law = size.organizations * (2 * size.projects + 20) + OF_BODY * len(names)
    storms = {"one cause": [moved()], "a cause each": [written(name, one) for one, name in enumerate(names)]}
    rows: list[Row] = []
    with deployed(size, {}) as (made, stack):
        serving = made.start(stack)
        for title, events in storms.items():
            made.cloud.do.reset_log()
            before = len(made.runs())
            deliver(serving, ARM, events)
            made.idle()
            runs, what = made.runs()[before:], f"{len(names):,} pools, {title}"
            rows += [
                *_outcome(what, runs, len(names)),
                at_most(f"{what}: pools without a run", len(set(names) - {one["pool"] for one in runs}), 0, count=True),
                at_most(f"{what}: requests", made.reads(), law, count=True),
                at_most(f"{what}: writes", made.writes(), 0, count=True),
                at_most(f"{what}: messages left, dead letters too", made.left() + made.left(DEAD), 0, count=True),
            ]
    return rows
