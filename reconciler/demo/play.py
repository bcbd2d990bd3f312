"""`play`: the emulator, `serve` with its status page, and a panel to cause drift, until Ctrl-C."""

from __future__ import annotations

import time
import urllib.request

from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE
from reconciler.cli.options import NoColor
from reconciler.demo.command import perform
from reconciler.demo.drift import CAUSES, PROJECT
from reconciler.demo.panel import Panel
from reconciler.demo.scenario import POOL, PRIME, Scenario

_TIMERS = {
    "SWEEP_SCHEDULE": "0 * * * * *",
    "SWEEP_SECONDS": "60",
    "GIT_SCHEDULE": "*/10 * * * * *",
    "AUDIT_SCHEDULE": "*/10 * * * * *",
    "MAX_AGE": "60",
}
"""Shorter than a deployment's, so that one does not wait for what a resync finds. Every resync reads everything: a log
that was switched off says no more than one in which nothing happens."""


def play(*, no_color: NoColor = False) -> int:
    """Open the status page over an emulated estate, with a panel to cause drift. Ctrl-C ends it."""
    try:
        return perform([playing], keep=False, color=not no_color)
    except KeyboardInterrupt:  # how one ends it
        return DONE


def playing(scenario: Scenario) -> None:
    """Serve until it is interrupted."""
    output, emulation = scenario.output, scenario.emulation
    done = output.run("mode", "set", "enforce", "--reason", "play")
    output.check("the service may write", done.code == 0, done.code)
    clock = SystemClock()
    with output.serve(**_TIMERS) as serving:
        for source, queue in (("arm", "pool-events"), ("audit", "devops-events")):
            emulation.subscribe(source, f"{serving.url}/runtime/webhooks/eventgrid/{queue}")
        _reconcile(serving.url)
        with Panel(CAUSES, lambda cause: cause.do(emulation), clock.now, serving.url) as panel:
            output.say("")
            output.say(f"  Status page   {serving.url}/", "bold")
            output.say(f"  Cause drift   {panel.url}/", "bold")
            output.say(f"  Begin with: Close a queue, then open {POOL} → {PRIME} → {PROJECT}. Ctrl-C ends it.")
            while True:
                output.waiting()
                time.sleep(0.2)


def _reconcile(url: str) -> None:
    """The estate of the demo begins out of sync: that is repaired at once."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(f"{url}/api/reconcile", b"", method="POST"), timeout=20):  # noqa: S310 - loopback
        return
