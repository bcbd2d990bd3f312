"""What depends on a pool, counted before it may be deleted and created again; and every reason not to.

A few properties belong to a pool for ever (`reconciler.facets.support.mutability`: only by a new pool). A pool's name
is unique in all of Azure (ARM document, name availability), so the new one cannot stand beside the old one: the old one
goes first. With it go the agent pool of each organization, its queues, open access, single authorizations and roles.
What the spec names is created again by the other facets; everything else is lost for good. Both are lines of the plan,
by name, and so part of what is approved: an authorization that is granted in the meantime makes another plan.

Whatever cannot be counted is a reason not to, and so is a machine at work, an operation that did not succeed, and a
spec that does not name everything of the resource itself. Names, subscriptions and resource groups are not replaced:
another one of these is another pool.

::

    dependents   what depends on the pool, counted: reads
    locks        the change, and every objection to it: pure
"""

from __future__ import annotations

from reconciler.facets.support.replacement.dependents import Dependents, count
from reconciler.facets.support.replacement.locks import KIND, change, forgotten, objections

__all__ = ["KIND", "Dependents", "change", "count", "forgotten", "objections"]
