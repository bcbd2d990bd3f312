"""The file around the ARM body: which pool, how far the operator may go, and what ARM has no words for."""

# ruff: noqa: N815 - the names are those of the file, spelt like ARM's
from functools import cache
from typing import Annotated, Literal, Required

from pydantic import TypeAdapter

from reconciler.spec.body import PoolBody
from reconciler.spec.fields import Closed, said
from reconciler.spec.forms import ApiVersion, Day, Guid, Span, Text
from reconciler.spec.model import ARM_API_VERSION, PARTS
from reconciler.spec.names import (
    OrganizationName,
    Pipeline,
    PoolName,
    Principal,
    ProjectReference,
    ResourceGroupName,
)

Project = Annotated[
    ProjectReference,
    said("organization/project, one of the pool's.", "fabrikam-prime/fabrikam-dev"),
]
Exclusive = Annotated[
    bool, said("Whether what is not listed is removed; only assigned entries, never inherited ones.", default=False)
]


class OpenAccessExceptionDocument(Closed, total=False):
    """One project that differs from its organization's openAccess."""

    project: Required[Project]
    allow: Required[Annotated[bool, said("Whether all pipelines of the project may use the pool.", True)]]
    until: Annotated[Day, said("Last day, in UTC, on which the exception counts; it needs a reason.", "2026-12-31")]
    reason: Annotated[Text, said("Why, for those who read the plan.", "load-test campaign")]


class PipelineGrantDocument(Closed, total=False):
    """Single pipelines that may use the pool where open access is off."""

    project: Required[Project]
    pipelines: Required[
        Annotated[
            list[Pipeline],
            said("Pipelines by path from the top, or by id.", ["\\release\\nightly", 42]),
        ]
    ]
    exclusive: Exclusive


class PoolRolesDocument(Closed, total=False):
    """Administrators of the agent pool in one organization, beside those of permissionProfile."""

    organization: Required[
        Annotated[OrganizationName, said("Bare name of one of the pool's organizations.", "fabrikam-prime")]
    ]
    administrators: Annotated[
        list[Principal],
        said("Addresses, groups of Azure DevOps, or Entra object ids.", ["[fabrikam-prime]\\Platform"]),
    ]
    exclusive: Exclusive
    inherit: Annotated[
        bool,
        said("Whether the agent pool inherits roles of the organization. Absent: permissionProfile decides.", False),
    ]


class AgentPoolFlags(Closed, total=False):
    """What the agent pool itself holds in one organization, and ARM has no words for."""

    organization: Required[
        Annotated[OrganizationName, said("Bare name of one of the pool's organizations.", "fabrikam-tailspin")]
    ]
    autoProvision: Required[
        Annotated[
            bool,
            said(
                "Whether Azure DevOps gives a queue to each new project at once, and not the reconciler at its next "
                "run. true only where projects is empty. Absent: not managed.",
                True,
            ),
        ]
    ]


class QueueRolesDocument(Closed, total=False):
    """Roles on the pool's queue in one project; a role that is absent is not managed."""

    project: Required[Project]
    readers: Annotated[list[Principal], said("May view the queue.", ["[fabrikam-dev]\\Readers"])]
    users: Annotated[list[Principal], said("May use the pool in pipelines.", ["[fabrikam-dev]\\Contributors"])]
    creators: Annotated[list[Principal], said("May use the pool and create queues.", ["ann@fabrikam.com"])]
    administrators: Annotated[list[Principal], said("May do all that, and give roles.", ["ann@fabrikam.com"])]
    exclusive: Exclusive


class WithoutQueue(Closed, total=False):
    """A project of the pool that has no queue, and shall get none."""

    project: Required[Project]
    reason: Annotated[Text, said("Why, for those who read the plan.", "found so when the pool was imported")]


class AccessDocument(Closed, total=False):
    """What ARM has no words for."""

    openAccess: Annotated[
        list[OpenAccessExceptionDocument], said("Exceptions to the organizations' openAccess, one a project.")
    ]
    pipelines: Annotated[
        list[PipelineGrantDocument], said("Single pipelines that may use the pool, one entry a project.")
    ]
    roles: Annotated[list[PoolRolesDocument], said("Administrators and inheritance, one entry an organization.")]
    agentPools: Annotated[
        list[AgentPoolFlags], said("What the agent pools themselves hold, one entry an organization.")
    ]
    queueRoles: Annotated[list[QueueRolesDocument], said("Roles on the queues, one entry a project.")]
    withoutQueue: Annotated[
        list[WithoutQueue],
        said("Projects that the pool's organizations name or include, and that are left without a queue."),
    ]


class DisruptionDocument(Closed, total=False):
    """What becomes of jobs that run while a change recycles agents."""

    agents: Required[
        Annotated[
            Literal["atOnce", "whenQuiet"],
            said("whenQuiet: changes that recycle agents wait until no machine is at work. atOnce: they do not."),
        ]
    ]
    atMost: Annotated[
        Span, said("How long they wait, d.hh:mm:ss, at most one week.", "0.12:00:00", default="1.00:00:00")
    ]
    afterwards: Annotated[
        Literal["proceed", "stay"],
        said(
            "proceed: then the changes are made. stay: then they are not made, and a person has to act.",
            default="proceed",
        ),
    ]


class PauseDocument(Closed, total=False):
    """Parts of the pool that are planned and reported, and not written until a date."""

    fields: Required[
        Annotated[
            list[Text],
            said(
                f"What is not written: {', '.join(PARTS)}, or a field of the ARM resource as the plan names it. A "
                "write to ARM carries all its lines, so it waits as a whole.",
                ["roles", "fabricProfile.images"],
                min_length=1,
            ),
        ]
    ]
    until: Required[Annotated[Day, said("Last day, in UTC, of the pause.", "2026-12-31")]]
    reason: Required[Annotated[Text, said("Why, for those who read the plan.", "audit of the administrators")]]


class SpecDocument(Closed, total=False):
    """One pool, as git wants it."""

    apiVersion: Required[Annotated[Literal["reconciler/v1"], said("Version of this format.")]]
    kind: Required[Annotated[Literal["ManagedDevOpsPool"], said("What the document describes.")]]
    name: Required[Annotated[PoolName, said("Name of the pool, unique in all of Azure.", "fabrikam-managed-pool")]]
    subscription: Required[
        Annotated[Guid, said("Id of the Azure subscription.", "11111111-2222-3333-4444-555555555555")]
    ]
    resourceGroup: Required[Annotated[ResourceGroupName, said("The pool's resource group.", "rg-build")]]
    armApiVersion: Annotated[
        ApiVersion,
        said(
            f"A version of the ARM document that is newer than {ARM_API_VERSION}, for this pool alone. Fields that are "
            "not known to this release are then sent as written, with a warning. The policy has to allow it.",
            "2026-07-03-preview",
        ),
    ]
    mode: Annotated[
        Literal["enforce", "report", "pause"],
        said(
            "enforce: both planes are made as the spec says. report: plan only. pause: the same, until a date.",
            default="enforce",
        ),
    ]
    until: Annotated[Day, said("For mode pause: last day, in UTC, of the pause.", "2026-12-31")]
    reason: Annotated[Text, said("Why the mode is not enforce; mode pause needs one.", "migration of the network")]
    pauses: Annotated[list[PauseDocument], said("Parts of the pool that are not written until a date.")]
    pool: Required[Annotated[PoolBody, said("The ARM resource.")]]
    access: Annotated[AccessDocument, said("What ARM has no words for; optional.")]
    disruption: Annotated[DisruptionDocument, said("Whether changes that recycle agents wait for a quiet moment.")]
    replace: Annotated[
        Literal["refused", "allowed"],
        said(
            "allowed: the pool may be deleted and created again where only a new one can have what the spec says, if "
            "the policy of the deployment agrees. Take the word out again afterwards.",
            default="refused",
        ),
    ]
    repairDefinitions: Annotated[
        bool,
        said(
            "true: after a replacement, pipelines whose definition names an old queue by its id are changed to the new "
            "one, as their default and in classic jobs. The operator has to be allowed to edit them.",
            default=False,
        ),
    ]


@cache
def adapter() -> TypeAdapter[SpecDocument]:
    """The checks of all of it, built when the first file is read: that takes a tenth of a second."""
    return TypeAdapter(SpecDocument)
