"""`apply` says at once what it waits for, since when, until when, and what would help; a lease is waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event

import pytest

from emulator import Running
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.sqlite.store import Local
from reconciler.cli.apply_run import ApplyRun
from reconciler.cli.run_reporter import RunReporter
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection
from reconciler.cli.stopping import StopRequest
from reconciler.engine import Outcome, Result
from reconciler.errors import Forbidden, Throttled
from reconciler.spec.model import Spec
from tests.cli.process import Desk
from tests.engine.stage import SPEC, Stage, converged, without_first_queue
from tests.engine.test_arrivals import hidden

POOL = "fabrikam-managed-pool"
HOLDER = "build-7, process 42 (since 12:00:03 UTC)"


@dataclass
class Applied:
    """An apply whose pauses pass by the stage's clock."""

    stage: Stage
    pauses: list[float] = field(default_factory=list)
    during: Callable[[], None] = lambda: None
    """What happens in each pause."""

    def run(self, timeout: float = 3600.0, spec: Spec = SPEC, plan_hash: str | None = None) -> list[Result]:
        """To its end."""

        def wait(_stop: Event, seconds: float) -> bool:
            self.pauses.append(seconds)
            self.stage.clock.seconds += seconds
            self.during()
            return False

        screen, reconciler = Screen(), self.stage.reconciler
        with screen.progress("reading", None) as progress:
            stop, reporter = StopRequest(lambda _line: None, wait), RunReporter(15.0)
            reporter.bind(progress, stop)
            run = ApplyRun(
                reconciler, Selection((spec,), (), "c0ffee", 0, named=True), reporter, progress, stop, as_planned=True
            )
            run.until(timeout, plan_hash)
        return run.results()


def lines(err: str) -> list[str]:
    return [line for line in err.splitlines() if "waiting" in line or "timeout" in line]


def test_a_lease_that_another_process_holds_is_waited_for_and_named_at_once(online: Desk) -> None:
    """Host, process, since when and until when; and as soon as it is free the apply goes on."""
    assert online.run("apply").code == 0
    with closing(Local(online.folder / "state.db", SystemClock())) as store:
        lease = store.leases.acquire(POOL, 60, HOLDER)
        process = online.start("apply", POOL, "--output", "json")
        assert process.stderr
        said = next(line for line in process.stderr if "waiting for" in line)
        lease.release()
        out, err = process.communicate(timeout=90)

    assert said.startswith(f"{POOL}: waiting for the lease: pool {POOL}: {HOLDER} holds its lease until ")
    assert "UTC at most; goes on by itself once the lease is free" in said
    assert process.returncode == 0, err
    (result,) = json.loads(out)["results"]
    assert (result["outcome"], result["failures"]) == ("in-sync", [])


def test_a_lease_is_tried_again_within_the_timeout_and_named_where_that_is_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = converged()
    stage.desk.held.add(SPEC.key)
    applied = Applied(stage)

    (result,) = applied.run(timeout=130.0)

    assert [failure.error.reason for failure in result.failures] == ["LeaseHeld"]
    assert sum(applied.pauses) == pytest.approx(130.0)
    assert max(applied.pauses) <= 5.0
    first, *others = lines(capsys.readouterr().err)
    assert first.startswith("pool-1: waiting for the lease: pool-1: another worker has it; goes on by itself")
    assert [line.partition(", for ")[2].partition(":")[0] for line in others if "still waiting" in line] == [
        "60 s",
        "2 min",
    ]
    assert "pool-1: --timeout is over, and it is not finished: waiting for the lease" in others[-1]


def test_without_time_to_wait_a_held_lease_is_an_error_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    stage = converged()
    stage.desk.held.add(SPEC.key)
    applied = Applied(stage)

    (result,) = applied.run(timeout=0.0)

    assert (result.outcome, applied.pauses) == (Outcome.FAILED, [])
    assert "--timeout is over" in capsys.readouterr().err


def test_a_plan_hash_still_binds_after_a_wait_for_the_lease() -> None:
    """The first run planned nothing, so the next one must not take whatever it finds for approved."""
    stage = without_first_queue()
    stage.estate.open.clear()
    stage.desk.held.add(SPEC.key)
    released: list[float] = []

    def free() -> None:
        released.append(1.0)
        stage.desk.held.discard(SPEC.key)

    applied = Applied(stage, during=free)
    (result,) = applied.run(plan_hash="0" * 64)

    assert released
    assert "Refused" in [failure.error.reason for failure in result.failures]
    assert stage.estate.writes == []


def test_a_throttled_service_is_named_at_once_with_until_when_and_what_helps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = converged()
    stage.fail("queues", Throttled("fabrikam-prime: 429", retry_after=90.0))

    Applied(stage).run(timeout=0.0)

    first, over = lines(capsys.readouterr().err)
    assert first == (
        "pool-1: waiting for the service; throttled by the service until 12:01:30 UTC: fabrikam-prime: 429; goes on by "
        "itself; what helps is fewer calls by the same identity"
    )
    assert "pool-1: --timeout is over" in over


def test_an_agent_pool_that_has_to_appear_is_named_at_once_and_repeated_until_it_is_overdue(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An hour and five reads: then it is an error that the result names; the pace is one line a minute at most."""
    stage = hidden()
    applied = Applied(stage)

    (result,) = applied.run(timeout=7200.0)

    assert result.outcome is Outcome.STALLED
    first, *others = lines(capsys.readouterr().err)
    assert first.startswith(
        "pool-1: waiting for what does not exist yet, since 2026-06-01 12:00:00 UTC: fabrikam-prime: there is no agent"
    )
    assert "`mdp-reconciler doctor` shows whether the identity may see it" in first
    assert len(others) == pytest.approx(sum(applied.pauses) / 60, abs=2)


def test_a_refusal_that_no_wait_helps_with_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    stage = converged()
    stage.fail("queues", Forbidden("403"))
    applied = Applied(stage)

    applied.run()

    assert lines(capsys.readouterr().err) == []
    assert applied.pauses == []


def test_json_on_standard_output_stays_pure_while_it_waits(online: Desk, cloud: Running) -> None:
    cloud.do.switch("arm.update-seconds", 3600)
    ended = online.run("apply", POOL, "--timeout", "0", "--output", "json")
    assert ended.code == 2, ended.err
    assert json.loads(ended.out)["results"][0]["outcome"] == "progressing"
    (said, over) = lines(ended.err)[-2:]
    assert f"{POOL}: waiting for the write of pool {POOL}, an ARM operation since" in said
    assert f"{POOL}: --timeout is over" in over
    assert "an ARM operation since" in over
