"""Who may use a pool: `properties.organizationProfile` of the ARM body.

Sources: azure-rest-api-specs, devopsinfrastructure 2026-06-02; Microsoft Learn, configure security.
"""

# ruff: noqa: N815 - the names are ARM's
from typing import Annotated, Literal, Required

from pydantic import Field

from reconciler.spec.fields import Closed, said
from reconciler.spec.forms import Text
from reconciler.spec.names import Account, GitHubUrl, OrganizationUrl, ProjectName

MAXIMUM_CONCURRENCY = 10_000


class OrganizationBody(Closed, total=False):
    """One Azure DevOps organization that may use the pool."""

    url: Required[
        Annotated[
            OrganizationUrl,
            said("The organization's URL, in either published form.", "https://dev.azure.com/fabrikam-tailspin"),
        ]
    ]
    projects: Annotated[
        list[ProjectName],
        said(
            "Names of the projects that may use the pool. Empty: all projects, also those created tomorrow. Absent: "
            "those that ARM has now; an organization that ARM does not have yet needs the field.",
            ["fabrikam-dev", "fabrikam-test"],
        ),
    ]
    parallelism: Annotated[
        int,
        said(
            "Machines that this organization may use at once; all organizations add up to maximumConcurrency.",
            2,
            ge=0,
            le=MAXIMUM_CONCURRENCY,
        ),
    ]
    openAccess: Annotated[
        bool,
        said(
            "Whether all pipelines of these projects may use the pool without an approval. ARM heeds it at creation "
            "alone; the reconciler keeps it true for ever, in every project. Absent: not managed.",
            True,
        ),
    ]
    alias: Annotated[
        Text,
        said(
            "Name of the agent pool in this organization. Absent: the name that ARM has now; at creation the "
            "profile's alias, else the pool's name.",
            "build-linux",
        ),
    ]


class PermissionProfileBody(Closed, total=False):
    """Who administers the agent pools in Azure DevOps. ARM heeds it at creation alone; the reconciler keeps it true."""

    kind: Required[
        Annotated[
            Literal["Inherit", "CreatorOnly", "SpecificAccounts"],
            said(
                "Inherit: permissions of the organization hold. CreatorOnly: inheritance is off. "
                "SpecificAccounts: the users and groups below are administrators.",
                "CreatorOnly",
            ),
        ]
    ]
    users: Annotated[
        list[Account],
        said("Addresses, user principal names or Entra object ids; with SpecificAccounts only.", ["ann@fabrikam.com"]),
    ]
    groups: Annotated[
        list[Account],
        said(
            "Addresses or Entra object ids of groups; with SpecificAccounts only.",
            ["aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"],
        ),
    ]


class AzureDevOpsOrganizationProfile(Closed, total=False):
    """Azure DevOps organizations that may use the pool."""

    kind: Required[Annotated[Literal["AzureDevOps"], said("The platform.")]]
    organizations: Required[
        Annotated[list[OrganizationBody], said("The organizations, each at most once.", min_length=1)]
    ]
    permissionProfile: Annotated[
        PermissionProfileBody, said("Who administers the agent pools in these organizations.", {"kind": "CreatorOnly"})
    ]
    alias: Annotated[
        Text,
        said(
            "Name of the agent pools in Azure DevOps, where an organization has no alias of its own. Absent: the name "
            "that ARM has now; at creation the pool's name.",
            "build-linux",
        ),
    ]
    description: Annotated[
        str, said("Text added to the agent pools' description in Azure DevOps.", "Linux builds of Fabrikam")
    ]
    updateDescription: Annotated[bool, said("Whether the service writes that description.", True)]


class GitHubOrganization(Closed, total=False):
    """One GitHub organization that may use the pool."""

    url: Required[Annotated[GitHubUrl, said("The organization's URL.", "https://github.com/fabrikam")]]
    repositories: Annotated[
        list[Text],
        said("Repositories that may use the pool. Empty or absent: all.", ["https://github.com/fabrikam/web"]),
    ]


class GitHubOrganizationProfile(Closed, total=False):
    """GitHub organizations that may use the pool; the reconciler manages the ARM resource alone."""

    kind: Required[Annotated[Literal["GitHub"], said("The platform.")]]
    organizations: Required[
        Annotated[list[GitHubOrganization], said("The organizations, each at most once.", min_length=1)]
    ]


OrganizationProfile = Annotated[AzureDevOpsOrganizationProfile | GitHubOrganizationProfile, Field(discriminator="kind")]
