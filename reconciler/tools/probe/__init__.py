"""What nothing published says of the services, asked of one organization by reading what is there already.

::

    ground   what the questions stand on: projects, queues and agent pools of one organization, and one verb, GET
    answer   how an answer is put together, with its evidence
    lists    is the list without a project, or without an id, complete; does a missing queue say that it is missing
    people   names of roles, and whether the access control list shows the inheritance switch
    pools    how agent pools of Managed DevOps Pools look, what ARM echoes, what an alias names
    rates    what answers say of the rate limit
    asking   all of it for one organization (`probed`)

Nothing here can write: it holds readers, and an enquirer whose only verb is GET. Whoever makes it sees to it that
the connections beneath send nothing else either. Questions that only a write could answer are not asked; how a person
asks them is in `reconciler.survey.capabilities.questions`.
"""

from __future__ import annotations

from reconciler.tools.probe.asking import probed
from reconciler.tools.probe.organization import ProbeOrganization

__all__ = ["ProbeOrganization", "probed"]
