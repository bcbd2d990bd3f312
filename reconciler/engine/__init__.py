"""Read, observe, plan, guard, apply, prove, report: what turns a spec into two true planes.

::

    planner     what would be done (`Planner`): holds readers only
    reconciler  one pool under one lease (`Reconciler`)
    steps       apply and prove; the only place that writes
    work        one run's notes, and what may be done next
    tenure      the lease while it is held, and the budget (`Limits`)
    flight      long operations: asked about, never waited for
    arrivals    what is awaited, and for how long
    memory      status and evidence between runs
    resting     members whom no directory knows: not asked for at every look
    verdict     what a run came to: one word, three conditions, when to look again
    ending      every way in which a run ends, stored and handed back
    result      the value that is handed back (`Result`)
    events      what a listener is told meanwhile
"""

from __future__ import annotations

from reconciler.engine.memory import load_evidence, load_status
from reconciler.engine.planner import Planner
from reconciler.engine.reconciler import Reconciler
from reconciler.engine.result import Failure, Outcome, Result
from reconciler.engine.tenure import Limits

__all__ = ["Failure", "Limits", "Outcome", "Planner", "Reconciler", "Result", "load_evidence", "load_status"]
