"""The last step of the demo: the same engine as a service, event-driven, with a periodic full resync."""

from __future__ import annotations

import time
from collections.abc import Callable

from reconciler.demo.scenario import POOL, PRIME, RELEASE, Scenario
from reconciler.demo.serving import Serving

PROJECT = "fabrikam-dev"
LONGEST = 20.0
"""Seconds within which the service has to act."""
LOOK = 0.02
"""Seconds between two reads of the emulator."""
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
NEVER = "0 0 0 1 1 *"
"""A timer that must not be what repairs; once a year."""
EVERY_TWO_SECONDS = "*/2 * * * * *"


def as_a_service(scenario: Scenario) -> None:
    """7: events and the timer."""
    scenario.output.heading("7  As a service: event-driven, with a periodic full resync.")
    _go_live(scenario)
    with scenario.output.serve("--no-timers") as serving:
        for source, queue in (("arm", "pool-events"), ("audit", "devops-events")):
            scenario.emulation.subscribe(source, f"{serving.url}/runtime/webhooks/eventgrid/{queue}")
        scenario.output.say(f"  Dan closes open access of {PRIME}/{PROJECT} by hand, and tags the other pool.")
        _tag(scenario)
        _closed(scenario)
        seconds = _until(lambda: _open(scenario))
        scenario.output.check(f"open again {seconds:.1f} s after the click", seconds < LONGEST)
        _until(lambda: _ran(serving, POOL, "audit") and _ran(serving, RELEASE, "event"))
        scenario.output.check("an entry of the audit stream started the run", _ran(serving, POOL, "audit"))
        scenario.output.check("an event of ARM started a run; nothing to change", _ran(serving, RELEASE, "event"))
        code = serving.stop()
        scenario.output.check("stopped by SIGTERM with exit code 0", code == 0, code)
    scenario.output.say("  Events are off, and Dan closes it again.")
    _closed(scenario)
    # A state file of its own: messages that the first service left on its queues must not be what repairs.
    timers = {"SWEEP_SCHEDULE": EVERY_TWO_SECONDS, "SWEEP_SECONDS": "1", "GIT_SCHEDULE": NEVER, "AUDIT_SCHEDULE": NEVER}
    _go_live(scenario, STATE="timer.db")
    with scenario.output.serve(STATE="timer.db", **timers) as serving:
        seconds = _until(lambda: _open(scenario))
        scenario.output.check(f"open again {seconds:.1f} s after the start, with a resync every 2 s", seconds < LONGEST)
        _until(lambda: _ran(serving, POOL, "sweep"))
        scenario.output.check("the resync repaired it", _ran(serving, POOL, "sweep"), serving.runs())
        code = serving.stop()
        scenario.output.check("stopped by SIGTERM with exit code 0", code == 0, code)


def _go_live(scenario: Scenario, **more: str) -> None:
    """A service only reports until the owner of its state sets a mode."""
    done = scenario.output.run("mode", "set", "enforce", "--reason", "the demo goes live", **more)
    scenario.output.check("the service may write", done.code == 0, done.code)


def _closed(scenario: Scenario) -> None:
    queue = scenario.estate().queue(PRIME, POOL, PROJECT)
    scenario.output.check(f"{PROJECT} is open before", queue is not None and _open(scenario))
    number = (queue or {}).get("id")
    path = f"{PRIME}/{PROJECT}/_apis/pipelines/pipelinepermissions/queue/{number}"
    scenario.emulation.by_hand("dan", "PATCH", path, {"allPipelines": {"authorized": False}})


def _tag(scenario: Scenario) -> None:
    path = f"{SUBSCRIPTION}/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/{RELEASE}"
    scenario.emulation.in_portal("dan", "PATCH", path, {"tags": {"owner": "dan"}})


def _open(scenario: Scenario) -> bool:
    return scenario.estate().open(PRIME, POOL, PROJECT)


def _ran(serving: Serving, pool: str, trigger: str) -> bool:
    return any((run["pool"], run["trigger"]) == (pool, trigger) for run in serving.runs())


def _until(holds: Callable[[], bool]) -> float:
    """Seconds until the condition was true; `LONGEST` where it was not."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > LONGEST:
            return LONGEST
        time.sleep(LOOK)
    return time.monotonic() - begun
