"""The sixteen questions without a published answer, in one table; `docs/capabilities.md` is compared with it.

A question that reads can answer has words for its answers. One that only a write could answer is not asked: it says
what the write would change, and how an administrator tries it on a scratch pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MARKS, ECHO = "agent-pool-marks", "arm-open-access"
QUEUE_LIST, AUTHORIZED_LIST = "organization-queue-list", "authorized-list"
MISSING_QUEUE, POOL_ROLES = "missing-queue-permissions", "pool-roles"
INHERITANCE, ALIAS, RATES = "inheritance-flag", "alias-names-pool", "rate-headers"

COMPLETE, INCOMPLETE, REFUSED = "complete", "incomplete", "refused"


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """One of the sixteen."""

    number: int
    name: str
    """As the file has it."""
    asks: str
    yes: str = ""
    """The answer that goes with «seen yes»; empty: `probe` does not ask this one."""
    no: tuple[str, ...] = ()
    """The answers that go with «seen no»."""
    not_asked: str = ""
    """What is not asked, and what asking it would change; empty where all of it is asked."""
    by_hand: str = ""
    """How to ask that."""

    @property
    def asked(self) -> bool:
        """Whether `probe` asks it, in part at least."""
        return bool(self.yes)


_SCRATCH = "on a scratch pool and in a scratch project"

QUESTIONS: tuple[ProbeQuestion, ...] = (
    ProbeQuestion(
        1, MARKS, "Do agent pools of Managed DevOps Pools carry what no others do (agentCloudId, options, owner)?",
        "marked", ("plain",),
    ),
    ProbeQuestion(
        2, ECHO, "Does ARM answer with openAccess of an organization?", "echoed", (),
        not_asked="what a changed value does: it would change who may run on a pool",
        by_hand=f"{_SCRATCH}: PUT with openAccess turned round, then read pipelinepermissions of its queues",
    ),
    ProbeQuestion(
        3, "permission-profile-change", "Does a changed permissionProfile alter roles or inheritance?",
        not_asked="it would change the administrators of a pool",
        by_hand=f"{_SCRATCH}: roleassignments before and after a PUT with another permissionProfile",
    ),
    ProbeQuestion(
        4, "queues-follow-projects", "Do queues come with new projects, and go with projects that leave the list?",
        not_asked="it would make a project, or take one from a pool",
        by_hand=f"{_SCRATCH}: create a project under «all projects» and list its queues after an hour; "
        "take a project from the list by PUT and list its queues",
    ),
    ProbeQuestion(
        5, QUEUE_LIST, "Does the list of agent queues without a project hold those of all projects?",
        COMPLETE, (INCOMPLETE, REFUSED),
    ),
    ProbeQuestion(
        6, AUTHORIZED_LIST, "Does the list of authorized resources without an id hold every open queue?",
        COMPLETE, (INCOMPLETE, REFUSED),
    ),
    ProbeQuestion(
        7, MISSING_QUEUE, "Do pipeline permissions of a queue that does not exist say so?", "not-found", ("empty",),
    ),
    ProbeQuestion(
        8, POOL_ROLES, "Are the roles of agent pools Reader, Service Account and Administrator?",
        "as-documented", ("otherwise",),
    ),
    ProbeQuestion(
        9, INHERITANCE, "Does the access control list show the inheritance switch of an agent pool?",
        "follows", ("apart",),
        not_asked="whether inherited roles are copied when it is switched off: it would take roles away",
        by_hand=f"{_SCRATCH}: roleassignments before and after PATCH with inheritPermissions=false",
    ),
    ProbeQuestion(
        10, "second-write", "What does ARM answer to a second write during an operation, and to If-Match?",
        not_asked="it would write a pool twice",
        by_hand=f"{_SCRATCH}: two PUTs with another tag, the second at once; then one with a stale If-Match",
    ),
    ProbeQuestion(
        11, "patch-merges", "Does PATCH merge into nested objects, or replace them?",
        not_asked="it would write a pool, and could take properties from it",
        by_hand=f"{_SCRATCH}: PATCH with one property of a nested object, then GET",
    ),
    ProbeQuestion(
        12, "pool-events", "Does Event Grid tell of writes of pools, when, and does Resource Notifications?",
        not_asked="it would make an event subscription and write a pool",
        by_hand="an event subscription with a test receiver; change a tag of a pool, compare the times",
    ),
    ProbeQuestion(
        13, "audit-events", "Which shape do audit events have on Event Grid?",
        not_asked="it would make an audit stream of the organization",
        by_hand="a stream to a test topic; authorize a queue by hand and look at the event after an hour",
    ),
    ProbeQuestion(
        14, ALIAS, "Is an alias the name of the agent pool in Azure DevOps?", "alias", ("resource",),
        not_asked="whether an alias can be changed: it would rename a pool",
        by_hand=f"{_SCRATCH}: PUT with another alias, then list agent pools",
    ),
    ProbeQuestion(
        15, RATES, "Do answers say how much of the rate limit is used?", "told", (),
        not_asked="what a call costs under load: it would slow the organization for this identity",
        by_hand="Organization settings, Usage: TSTU of this identity in an hour with a known number of calls",
    ),
    ProbeQuestion(
        16, "updates-keep-access", "Do later ARM updates leave roles and open access as Azure DevOps has them?",
        not_asked="it would write a pool, and could take access from people",
        by_hand=f"{_SCRATCH}: set a role and open access by hand, press «Apply» in the portal, read both again",
    ),
)  # fmt: skip

named: Mapping[str, ProbeQuestion] = {question.name: question for question in QUESTIONS}
"""By name."""
