"""Stopped in the middle of its writes: standard output, the stored status and both planes say the same."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from emulator import Running
from reconciler.cli import results
from reconciler.cli.run_reporter import PoolWrites, RunReporter
from reconciler.engine import events
from reconciler.errors import Forbidden
from reconciler.plan.model import Plan
from reconciler.plan.wording import change_words
from tests.cli.process import Desk
from tests.forking import Process
from tests.plan.render.samples import LARGER, MADE, OPENED, REMOVED
from tests.scenarios.truth import Truth

POOL = "fabrikam-managed-pool"
PLAN = Plan(POOL, "", (LARGER, MADE, OPENED, REMOVED))


def wait_for(process: Process, text: str) -> None:
    assert process.stderr
    assert any(text in line for line in process.stderr), f"never said {text}"


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM)])
def test_a_write_that_is_cut_off_is_neither_written_nor_forgotten(
    online: Desk, cloud: Running, signals: tuple[signal.Signals, signal.Signals]
) -> None:
    """A write hangs: those before it are written and not verified, its result is not known, the rest is not begun."""
    cloud.do.fault("slow", route="roleassignments.set", count=None, seconds=600)
    process = online.start("apply", POOL, "--output", "json")
    wait_for(process, "+ administrator fabrikam-tailspin ann@fabrikam.com")
    while "ann" not in Truth(cloud.do.state()).administrators("fabrikam-tailspin", POOL):
        assert process.poll() is None
    os.kill(process.pid, signals[0])
    wait_for(process, "stopping after this step")
    os.kill(process.pid, signals[1])
    out, err = process.communicate(timeout=90)

    assert process.returncode == 130, err
    assert "Traceback" not in err
    document = json.loads(out)
    (cut_off,) = document["interrupted"]
    assert cut_off["verified"] == []
    assert cut_off["resultNotKnown"] == "roles:administrator:fabrikam-tailspin ann@fabrikam.com"
    known = [*cut_off["written"], cut_off["resultNotKnown"], *cut_off["notBegun"]]
    assert sorted(known) == sorted(cut_off["planned"])
    status: dict[str, Any] = json.loads(online.run("status", POOL, "--output", "json").out)["pools"][0]
    run = status["lastRun"]
    assert (run["outcome"], run["verified"]) == ("failed", 0)
    assert 0 < run["written"] <= len(cut_off["written"]), "of the last run alone"
    ready = next(one for one in status["conditions"] if one["type"] == "Ready")
    assert ready["reason"] == "Interrupted"
    assert f"result not known: {change_words(cut_off['resultNotKnown'])}" in ready["message"]


def reporter_after(*heard: events.Event) -> RunReporter:
    reporter = RunReporter(15.0)
    for event in heard:
        reporter(event)
    return reporter


def test_after_three_of_four_writes_three_are_written_and_none_is_verified() -> None:
    """It said «0 changes are in force»."""
    heard: list[events.Event] = [events.PassStarted(POOL, 1, PLAN, 4)]
    for index, change in enumerate((LARGER, MADE, OPENED), 1):
        heard += [events.Applying(POOL, index, 4, change), events.Applied(POOL, index, 4, change, pending=False)]

    writes = reporter_after(*heard).writes[POOL]

    assert results.truth(POOL, writes) == [
        f"{POOL}   interrupted; 4 planned, 3 written, 0 verified",
        f"  written, not verified: ~ pool {POOL}: maximumConcurrency 4 → 6",
        "  written, not verified: + queue fabrikam-prime/fabrikam-dev: none → fabrikam-managed-pool",
        "  written, not verified: + open access fabrikam-tailspin/Web: none → all pipelines",
        "  not begun: - administrator fabrikam-prime  bob@fabrikam.com: Administrator → none",
    ]


def test_each_change_of_the_plan_is_in_exactly_one_place() -> None:
    heard: list[events.Event] = [
        events.PassStarted(POOL, 1, PLAN, 4),
        events.Applying(POOL, 1, 4, LARGER),
        events.Failed(POOL, LARGER, Forbidden("403")),
        events.Applying(POOL, 2, 4, MADE),
        events.Applied(POOL, 2, 4, MADE, pending=False),
        events.Verified(POOL, (MADE,)),
        events.Applying(POOL, 3, 4, OPENED),
    ]

    writes = reporter_after(*heard).writes[POOL]

    assert isinstance(writes, PoolWrites)
    assert (list(writes.failed), list(writes.verified), writes.sending) == ([LARGER.id], [MADE.id], OPENED)
    assert (writes.unverified, writes.not_begun) == ([], [REMOVED])
