r"""Names of people's things: pools, organizations, projects, principals, pipelines.

Sources: Microsoft Learn, «Naming restrictions and conventions» of Azure DevOps (organizations, projects); the ARM
document devopsinfrastructure 2026-06-02 and the Azure Verified Module for pools (44 characters, no dot at the end).

The forms of principals are in `reconciler.spec.principals`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from reconciler.spec.forms import CheckedText, Reference, pattern
from reconciler.spec.principals import account_problem, is_local_group, principal_problem
from reconciler.spec.problem import show

_ORGANIZATION = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?"
_DEVOPS_URL = re.compile(
    rf"https://(?:dev\.azure\.com/({_ORGANIZATION})|({_ORGANIZATION})\.visualstudio\.com)/?", re.IGNORECASE | re.ASCII
)
_DEVOPS_HOST = re.compile(
    r"https?://(?:[^/@]*@)?(?:dev\.azure\.com|[^/]+\.visualstudio\.com)(/.*)?", re.IGNORECASE | re.ASCII
)
_GITHUB_URL = r"https://(?:www\.)?github\.com/[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/?"
_NOT_IN_PROJECTS = frozenset("/:\\~&%;@'\"?<>|#$*}{,+=[]")
_LONGEST_POOL, _SHORTEST_POOL, _LONGEST_PROJECT = 44, 3, 64


@lru_cache(maxsize=1024)
def organization_of(url: str) -> str | None:
    """The bare lower-case name in either form of an organization's URL; specs name the same few, several times each."""
    found = _DEVOPS_URL.fullmatch(url)
    return (found[1] or found[2]).lower() if found else None


@lru_cache(maxsize=1024)
def organization_key(url: str) -> str:
    """What two URLs of one organization have in common, to compare entries of ARM bodies and specs.

    The bare name where the URL is one of an Azure DevOps organization, else the URL without scheme, ``www.`` and case.
    """
    text = url.strip()
    return organization_of(text) or text.rpartition("://")[2].casefold().removeprefix("www.").rstrip("/")


def organization_url(value: str) -> str | None:
    """What is wrong with the URL of an Azure DevOps organization."""
    if organization_of(value):
        return None
    hint = "write https://dev.azure.com/{organization}"
    if (found := _DEVOPS_HOST.fullmatch(value)) and (found[1] or "").strip("/").count("/"):
        hint += " alone, and its projects under projects"
    return f"is {show(value)}; {hint}"


def project_name(value: str) -> str | None:
    """What is wrong with the name of a project."""
    if not value.strip() or value != value.strip():
        return f"is {show(value)}; write the project's name without spaces around it"
    if len(value) > _LONGEST_PROJECT:
        return f"is {show(value)}, {len(value)} characters long; a project's name has at most {_LONGEST_PROJECT}"
    if wrong := sorted(_NOT_IN_PROJECTS & set(value)):
        more = "; the organization stands above, in url" if "/" in wrong else ""
        return f"is {show(value)}; a project's name cannot hold {' '.join(wrong)}{more}"
    if value[0] in "_." or value[-1] == ".":
        return f"is {show(value)}; a project's name cannot begin with _ or ., nor end with ."
    return None


def project_reference(value: str) -> str | None:
    """What is wrong with ``organization/project``."""
    organization, slash, project = value.partition("/")
    if not slash or "/" in project or organization_name(organization):
        return f"is {show(value)}; write organization/project, such as fabrikam-prime/fabrikam-dev"
    return project_name(project)


def organization_name(value: str) -> str | None:
    """What is wrong with the bare name of an organization."""
    if re.fullmatch(_ORGANIZATION, value):
        return None
    if name := organization_of(value):
        return f"is a URL; write the bare name, {name}"
    return f"is {show(value)}; write an organization's bare name: at most 50 letters, digits and hyphens"


def pool_name(value: str) -> str | None:
    """What is wrong with the name of a pool."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9.-]*", value):
        return f"is {show(value)}; a pool's name is letters, digits, hyphens and dots, the first a letter or digit"
    if value.endswith("."):
        return f"is {show(value)}; a pool's name cannot end with a dot"
    if not _SHORTEST_POOL <= len(value) <= _LONGEST_POOL:
        return f"is {show(value)}, {len(value)} characters long; a pool's name has {_SHORTEST_POOL} to {_LONGEST_POOL}"
    return None


def principal(value: str) -> str | None:
    r"""What is wrong with a principal of `access`."""
    problem = principal_problem(value)
    return f"is {show(value)}; {problem}" if problem else None


def account(value: str) -> str | None:
    """What is wrong with a user or group of `permissionProfile`, which ARM resolves in Entra."""
    problem = account_problem(value)
    where = "; a group of Azure DevOps belongs in access.roles" if is_local_group(value) else ""
    return f"is {show(value)}; {problem}{where}" if problem else None


def pipeline_path(value: str) -> str | None:
    """What is wrong with a pipeline that is named by its folder and name."""
    if value.startswith("\\") and not value.endswith("\\") and "\\\\" not in value and "/" not in value:
        return None
    return rf"is {show(value)}; write the path from the top, '\folder\name' in single quotes, or the pipeline's id"


def resource_group_name(value: str) -> str | None:
    """What is wrong with the name of a resource group (Microsoft Learn: naming rules for Azure resources)."""
    if re.fullmatch(r"[\w().-]{0,89}[\w()-]", value):
        return None
    return f"is {show(value)}; a resource group's name has 1 to 90 letters, digits and _ ( ) - ., and no dot at the end"


OrganizationUrl = Annotated[str, CheckedText(organization_url, format="uri")]
GitHubUrl = Annotated[str, pattern(_GITHUB_URL, "https://github.com/{organization}")]
ProjectName = Annotated[str, CheckedText(project_name, minLength=1, maxLength=64)]
ProjectReference = Annotated[str, CheckedText(project_reference, pattern="^[^/]+/[^/]+$")]
OrganizationName = Annotated[str, CheckedText(organization_name, pattern=f"^{_ORGANIZATION}$")]
PoolName = Annotated[str, CheckedText(pool_name, pattern="^[a-zA-Z0-9][a-zA-Z0-9-.]*$", minLength=3, maxLength=44)]
Principal = Annotated[str, CheckedText(principal)]
Account = Annotated[str, CheckedText(account)]
Pipeline = Annotated[str | int, Reference(pipeline_path, pattern=r"^\\.*[^\\]$")]
ResourceGroupName = Annotated[str, CheckedText(resource_group_name, minLength=1, maxLength=90)]
