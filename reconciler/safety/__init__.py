"""What decides, beside spec and policy, whether a run may write: stored apart from all other state.

::

    documents   JSON documents behind an index that says which of them must exist (`SafetyDocuments`)
    modes       how far writing goes: deployment, organization, pool; the strictest setting counts (`WriteMode`)
    pauses      an organization, a pool or a field of one that is not written until a moment; beside the mode
    agent_pools ids of agent pools that are a pool's own, by generation
    approvals   the spec that was approved last for a pool
    operators   the deployed service's own identity in each organization
    facts       all of it as one run knows it (`SafetyFacts`), each part known or `Unknown`
    deployment  reads the facts once per run, and writes them (`Safety`)

The store is `Stores.safety`: a container (Azure) or table (SQLite) of its own, which the ingress cannot write. What
cannot be read blocks writing in what it governs; reading goes on.
"""

from __future__ import annotations

from reconciler.safety.deployment import Safety
from reconciler.safety.documents import SafetyDocuments, SafetyIndex
from reconciler.safety.facts import SafetyFacts, Unknown
from reconciler.safety.modes import HoldKind, Modes, ModeScope, ModeSetting
from reconciler.spec.model import WriteMode

__all__ = [
    "HoldKind",
    "ModeScope",
    "ModeSetting",
    "Modes",
    "Safety",
    "SafetyDocuments",
    "SafetyFacts",
    "SafetyIndex",
    "Unknown",
    "WriteMode",
]
