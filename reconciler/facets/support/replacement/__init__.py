"""What depends on a pool, counted before it may be deleted and created again; and every reason not to.

A few properties belong to a pool for ever (`reconciler.facets.support.mutability`: only by a new pool). A pool's name
is unique in all of Azure (ARM document, name availability), so the new one cannot stand beside the old one: the old one
goes first. With it go the agent pool of each organization, its queues, open access, single authorizations and roles.
What the spec names is created again by the other facets; everything else is lost for good, and pipelines that name the
old queue by its id need it chosen again. Both are lines of the plan,
by name, and so part of what is approved: an authorization that is granted in the meantime makes another plan.

Approvals and checks on a queue are a reason not to replace it: the new queue would be used without them. Whatever
cannot be counted is a reason not to, and so is a machine at work, an operation that did not succeed, and a spec that
does not name everything of the resource itself. Names, subscriptions and resource groups are not replaced: another name
is another pool, and a pool that is in another place was moved (`reconciler.facets.support.moves`).

::

    dependents   what depends on the pool, counted: reads
    checks       an approval or check as text, without secrets
    network      whether the service may take the pool out of its subnet: reads
    locks        the change, and every objection to it: pure
"""

from __future__ import annotations

from reconciler.facets.support.replacement.dependents import Dependents, count
from reconciler.facets.support.replacement.locks import KIND, change, forgotten, objections

__all__ = ["KIND", "Dependents", "change", "count", "forgotten", "objections"]
