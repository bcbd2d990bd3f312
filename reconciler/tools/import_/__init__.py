"""`import`: writes a spec for every pool of some subscriptions, with the access that was observed.

::

    observe    reads the ARM pools, and what Azure DevOps has of each (`observe_pools`)
    drafts     drafts the spec of one pool, with a comment wherever a value is a guess or was not read (`draft_spec`)
    unmanaged  pools without a spec, and pools that exist on one plane only (`find_unmanaged`)

Nothing here can write.
"""

from __future__ import annotations

from reconciler.tools.import_.drafts import body_of, draft_spec
from reconciler.tools.import_.observe import ImportedPool, observe_pools, organizations_of, spec_name
from reconciler.tools.import_.unmanaged import UnmanagedPool, find_unmanaged

__all__ = [
    "ImportedPool",
    "UnmanagedPool",
    "body_of",
    "draft_spec",
    "find_unmanaged",
    "observe_pools",
    "organizations_of",
    "spec_name",
]
