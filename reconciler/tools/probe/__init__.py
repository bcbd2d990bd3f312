"""`probe`: detects undocumented Azure DevOps behaviour with read-only calls to one organization.

::

    organization  its projects, queues and agent pools, one verb (GET), and how an answer is built with its evidence
    lists         whether lists without a project or an id are complete; what a missing queue looks like
    people        names of roles, and whether the access control list shows the inheritance switch
    pools         how agent pools of Managed DevOps Pools look, what ARM returns, what an alias names, rate limit
    run           all questions about one organization (`run_probe`)

Nothing here can write: it holds readers, and `bootstrap.questions` gives it connections that send GET requests only.
Questions that need a write are left to people: `reconciler.survey.capabilities.questions` says how.
"""

from __future__ import annotations

from reconciler.tools.probe.organization import ProbeOrganization
from reconciler.tools.probe.run import run_probe

__all__ = ["ProbeOrganization", "run_probe"]
