"""Plans, applies and verifies one pool at a time.

::

    planner     what would be done (`Planner`): holds readers only
    reconciler  one pool under one lease (`Reconciler`)
    look        the pools of one message, under the lease of their organization (`OrganizationLook`)
    packed      what looks keep of unchanged pools in one document of the organization
    recorder    the record of a run's writes: intent, result, and what a read showed
    gate        what the owner's modes allow to be written (`WriteGate`)
    proofs      whether an agent pool is provably an ARM pool's own
    ownership   what of a plan may be written by that, and what is recorded of agent pools (`Claims`)
    approving   the owner's approval of an agent pool
    approving_plans  the owner's approval of a plan by its hash
    history     what was written, read from the record for people
    record_import  adds the entries of another record, which onboarding wrote
    attribution  who made the drift that a change corrects, and how sure that is
    fights      what two owners change in turns, and is corrected no more
    sightings   who changed something, as events reported it
    undoing     the spec and the plan that undo writes of the record
    written_fields  names of what a write sets, in plans and in the record
    spec_lines  the line of a spec's file that is behind a change
    naming      where people may be named, and what stands for them elsewhere (`NameRules`)
    spending    what was written in 24 hours, counted from the record for caps over time
    steps       apply and verify; the only place that writes
    run_state   one run while it goes on, and what may be done next
    assessment  the end of a run as one value
    causes      the table of conditions by cause
    verdict     an assessment sorted into causes: result, conditions, next read
    ending      every way in which a run ends, stored and returned
    renewal   renews a lease in the background for as long as a block runs
    tenure      the lease while it is held, and the limits of a run (`RunLimits`)
    waits       what is waited for, and until when: missing things, unknown members, operations in flight
    without_effect  lines that were written, confirmed and are there again
    memory      status and evidence between runs
    status      conditions, and what is known between runs
    notices     what people read about a pool: once, and only where something changed
    notice_state  notices as a status keeps them
    telling     how a run's notices name people
    stored      parts of a pool's document beside conditions
    backoff     delays after failures, with jitter from a hash
    facet       the contract of a facet: five functions
    snapshots   evidence between processes
    fresh       a plan for writing, on facts that are read now
    rate_needs  what organizations need for a full resync, and what their rate budgets allow
    operators   who the deployed service is in each organization, on record
    unnamed     pools with a stored status that no spec names any more
    outlook     what happens next with a pool, when, and where its runbook is
    result      the value that is returned (`Result`)
    events      the events of a run, for listeners
"""

from __future__ import annotations

from reconciler.engine.memory import load_evidence, load_status
from reconciler.engine.naming import NameRules
from reconciler.engine.planner import Planner
from reconciler.engine.reconciler import Reconciler
from reconciler.engine.result import Failure, Outcome, Result
from reconciler.engine.tenure import RunLimits

__all__ = [
    "Failure",
    "NameRules",
    "Outcome",
    "Planner",
    "Reconciler",
    "Result",
    "RunLimits",
    "load_evidence",
    "load_status",
]
