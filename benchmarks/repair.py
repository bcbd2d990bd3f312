"""From an event to a verified repair: the calls that had to wait for one another, and the time that they took."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import estates, waves
from benchmarks.measure import LATENCY, Emulated, Row, Table, apart, at_most, emulated, shown, timed
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.ports.clock import MARGIN
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.triggers import composition, messages

TITLE = "Event to verified repair"
SIZE = estates.Size(3, 8)


def run(*, quick: bool = False) -> Table:
    """All figures."""
    latency = 0.0 if quick else LATENCY
    sequence = _in_sequence()
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(SIZE), latency) as cloud:
        estates.write(SIZE, folder)
        (outcome, seconds), _ = apart(_repaired, cloud, folder)
        requests = cloud.do.requests()
        opened = _open(cloud)
    rows: tuple[Row, ...] = (
        at_most("repairs that are missing", int(not (opened and outcome)), 0, count=True),
        at_most("calls in sequence", sequence, 8, count=True),
        at_most("calls in all", len(requests), 12, count=True),
        at_most("writes", sum(1 for one in requests if one["write"]), 1, count=True),
    )
    if latency:
        rows += (
            shown("wall from event to verification", seconds, "s"),
            at_most("wall against the sum of round trips", seconds / (sequence * latency), 1.5, "×"),
        )
    how = (
        f"Open access is closed by hand in one of {SIZE.projects} projects ({SIZE.pools} pools). The audit event goes "
        "through `devops_changed` and `worker` of a warm process; wall from the event until the repair was read back, "
        f"without time in queues. Every answer takes {LATENCY * 1000:.0f} ms. Calls in sequence: the same once more, "
        "with an emulator that answers only when nothing else goes on in the worker, and then all that wait."
    )
    return Table(TITLE, how, rows)


def _in_sequence() -> int:
    """Waves of calls, of which each needed an answer of the one before."""
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(SIZE)) as cloud:
        estates.write(SIZE, folder)
        with waves.counted(cloud, waves.caller_in(folder)) as found:
            apart(_repaired, cloud, folder, True)
        return len(found)


def _repaired(cloud: Emulated, folder: str, held: bool = False) -> tuple[bool, float]:
    given = cloud.environment(str(Path(folder) / "state.db"), folder)
    context = composition.build(Settings.read(given), Hosting.read(given))
    context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="benchmark", by="benchmark")
    (name,) = SIZE.names(0)[:1]
    work = json.dumps({"keys": [name]})
    messages.work(context, work, datetime.now(UTC))  # a warm process, as most are
    time.sleep(MARGIN.total_seconds() + 0.5)  # a message within seconds of a run's start would be postponed
    cloud.do.reset_log()
    place = {"organization": estates.organization_name(0), "project": "project-0003", "pool": name}
    cloud.do.edit("close-access", **place)
    (published,) = cloud.do.events("audit")[-1:]
    with timed() as wall, waves.held(cloud, folder) if held else nullcontext():
        for message in messages.devops_changed(context, json.dumps(published["event"])):
            if name in message:
                messages.work(context, message, datetime.now(UTC))
    document = context.state.load(f"pools/{name}")
    return document is not None and document.body["lastRun"]["outcome"] == "applied", wall()


def _open(cloud: Emulated) -> bool:
    (organization,) = cloud.do.state()["organizations"]
    (pool,) = [one for one in organization["agentPools"] if one["name"] == SIZE.names(0)[0]]
    (queue,) = [one for one in pool["queues"] if one["project"] == "project-0003"]
    return bool(queue["openAccess"])
