"""Rights in Azure DevOps: what somebody has to give, where to click, and who may give it.

The words that `doctor` (which asks what is missing) and `onboard` (which gives it) have to share: one grant is told the
same way by both. Pure values; nothing is asked here.

Roles: Microsoft Learn, Create and manage agent pools (agent pool roles, agent queue roles) and Managed DevOps Pools,
prerequisites; membership of service principals: Use service principals and managed identities; who may add whom: Add
users or groups to a team or project. Bits: security namespace DistributedTask, vsts-rest-api-specs security 7.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

VIEW, ADMINISTER, USE, CREATE = 1, 8, 16, 32
"""Bits of the security namespace DistributedTask."""

ADMINISTRATOR, READER = "Administrator", "Reader"
COLLECTION_ADMINISTRATORS = "Project Collection Administrators"
PROJECT_ADMINISTRATORS = "Project Administrators"
READERS = "Readers"


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody has to give."""

    role: str
    """As the service names it."""
    where: str
    whom: str
    remedy: str
    """Where to click, or which command."""


def site(organization: str, project: str = "") -> str:
    """Address of the web pages of an organization or a project."""
    base = f"https://dev.azure.com/{organization}"
    return f"{base}/{quote(project)}" if project else base


def membership(organization: str, whom: str) -> Grant:
    """The access level with which everything begins."""
    page = f"{site(organization)}/_settings/users"
    who = "the service principal itself, not a group"
    return Grant("user with access level Basic", organization, whom, f"{page}, Add users: {who}")


def on_pools(organization: str, role: str, whom: str) -> Grant:
    """A role at the level of all agent pools, which covers those made tomorrow.

    The service was seen to refuse that somebody changes their own role on one pool
    (terraform-provider-azuredevops #1592).
    """
    page = f"{site(organization)}/_settings/agentpools"
    return Grant(role, f"all agent pools of {organization}", whom, f"{page}, Security, Add: role {role}")


def in_project(organization: str, project: str, role: str, whom: str) -> Grant:
    """A place in the group that reads a project."""
    page = f"{site(organization, project)}/_settings/permissions"
    return Grant(role, f"{organization}/{project}", whom, f"{page}, {READERS}, Members, Add")


def on_queues(organization: str, project: str, role: str, whom: str) -> Grant:
    """A role on all agent pools of a project."""
    page = f"{site(organization, project)}/_settings/agentqueues"
    return Grant(role, f"all agent pools of {organization}/{project}", whom, f"{page}, Security, Add: role {role}")
