"""More spec files than the limits of a deployment allow: one problem, and the pools of the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import load_status
from reconciler.service.triggers import TriggerContext, timers
from tests.deployment import Deployment, spec, take, with_options, work_off
from tests.service.triggers.test_quarantine_and_health import health

WHY = "3 spec files, and the first 2 by name are read; narrow the folder in RECONCILER_SPECS, or raise RECONCILER_GIT_FILES"
LEFT_OUT = f"third-pool.yaml:1: left out: {WHY}"


def limited(deployment: Deployment, files: int) -> TriggerContext:
    """A new process with that limit, whose resync requests all pools at once."""
    return with_options(deployment.context(GIT_FILES=str(files)), sweep_seconds=0.0)


def outcomes(context: TriggerContext) -> dict[str, str]:
    """Reason of `Ready` of each pool."""
    found = {key: load_status(context.state, key) for key in ("build-pool", "test-pool", "third-pool")}
    return {
        key: next((one.reason for one in status.conditions if one.kind.value == "Ready"), "")
        for key, status in found.items()
    }


def specs_check(context: TriggerContext) -> Any:
    return health(context)[1]["specs"]


@pytest.mark.parametrize("cold", [False, True])
def test_a_commit_beyond_the_limit_is_one_problem_and_the_pools_that_are_read_go_on(
    deployment: Deployment, cold: bool
) -> None:
    """A process that starts then and one that read the commit before do the same."""
    context = limited(deployment, 2)
    timers.sweep(context)
    work_off(context)
    assert outcomes(context) == {"build-pool": "InSync", "test-pool": "InSync", "third-pool": ""}
    deployment.commit(**{"third-pool": spec("build-pool").replace("name: build-pool", "name: third-pool")})
    deployment.close_access("build-pool", "Web")
    context = limited(deployment, 2) if cold else context
    timers.watch_git(context)
    timers.sweep(context)
    work_off(context)

    assert deployment.is_open("build-pool", "Web")
    assert outcomes(context) == {"build-pool": "InSync", "test-pool": "InSync", "third-pool": ""}
    specs = context.catalogue.specs()
    assert [str(problem) for problem in specs.problems] == [LEFT_OUT]
    assert specs_check(context) == {"name": "specs", "ok": False, "detail": f"1 spec files are left out: {WHY}"}
    assert health(context)[0] == 503


def test_a_pool_whose_file_is_behind_the_limit_says_so_until_it_is_raised(deployment: Deployment) -> None:
    context = limited(deployment, 20_000)
    timers.sweep(context)
    work_off(context)
    lowered = limited(deployment, 1)
    timers.sweep(lowered)
    take(lowered.outbox.sweeps)
    assert outcomes(lowered)["test-pool"] == "SpecInvalid"
    condition = next(one for one in load_status(lowered.state, "test-pool").conditions if one.reason == "SpecInvalid")
    assert condition.message.startswith("test-pool.yaml: left out: 2 spec files, and the first 1 by name are read;")

    raised = limited(deployment, 2)
    timers.sweep(raised)
    work_off(raised)
    assert outcomes(raised)["test-pool"] == "InSync"
    assert specs_check(raised) == {"name": "specs", "ok": True, "detail": "2 pools, 0 problems"}
