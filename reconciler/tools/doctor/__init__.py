"""Can we read, can we write: every organization, project and resource group that the specs touch, without an effect.

::

    azure     resource groups, subnets and identities, by the list of the caller's own permissions
    devops    organizations, agent pools and projects, by reads and by bits of the caller's own rights
    knowledge   whether what was found out about organizations by asking is fresh enough to count (`known`)
    asking    all of it for some specs (`examined`)

One question and its answer are a `reconciler.rights.checks.Check`; what has to hold around a pool is asked by
`reconciler.facets.support.prerequisites`, as the facet of that name asks it. What must work for mode report is asked
for every spec, what must work for mode enforce only where a spec is enforced. Nothing is tried out: whether something
may be written is asked, never written.
"""

from __future__ import annotations

from reconciler.tools.doctor.checks import examined, known

__all__ = ["examined", "known"]
