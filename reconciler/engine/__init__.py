"""Read, observe, plan, guard, apply, prove, report: what turns a spec into two true planes.

::

    planner     what would be done (`Planner`): holds readers only
    reconciler  one pool under one lease (`Reconciler`)
    steps       apply and prove; the only place that writes
    run_state   one run's notes, and what may be done next
    tenure      the lease while it is held, and the budget (`RunLimits`)
    waits       what is waited for, and until when: arrivals, members that no directory knows, operations in flight
    memory      status and evidence between runs
    facet       the contract of a facet: five functions
    status      conditions, and what is known between runs
    stored      what a pool's document holds beside conditions
    backoff     delays after failures, with jitter from a hash
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
from reconciler.engine.tenure import RunLimits

__all__ = ["Failure", "Outcome", "Planner", "Reconciler", "Result", "RunLimits", "load_evidence", "load_status"]
