"""Which host a repository is on, and where the host's REST API is.

::

    https://github.com/OWNER/REPOSITORY                  GitHub: https://api.github.com
    https://NAME.ghe.com/OWNER/REPOSITORY                GitHub with data residency: https://api.NAME.ghe.com
    https://HOST/OWNER/REPOSITORY                        GitHub Enterprise Server: https://HOST/api/v3
    https://dev.azure.com/ORG/PROJECT/_git/REPOSITORY    Azure Repos; without PROJECT it has the repository's name
    https://ORG.visualstudio.com/PROJECT/_git/REPOSITORY the same by its older name

A name may be percent-encoded, and a ``.git`` behind it is no part of it. Sources: GitHub, "Getting started with the
REST API" of GitHub Enterprise Server and of GitHub Enterprise Cloud with data residency; Microsoft Learn, "Azure DevOps
Services REST API Reference" and "Allowed address lists and network connections" (both names of an organization).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from reconciler.config.endpoints import remote_host
from reconciler.errors import SpecInvalid

AZURE = "https://dev.azure.com"
_OLD_AZURE = ".visualstudio.com"
_RESIDENT = ".ghe.com"
_OTHERS = frozenset({"gitlab.com", "bitbucket.org", "codeberg.org"})
"""Hosts with two names in a URL as well, and with another API."""


class HostKind(StrEnum):
    """Which API a host has."""

    GITHUB = "github"
    AZURE_REPOS = "azure-repos"


@dataclass(frozen=True, slots=True)
class RepositoryPlace:
    """A repository at its host."""

    kind: HostKind
    web: str
    """URL for people, without a slash at its end."""
    api: str
    """Base of the host's API: scheme, host and, where it has one, a path."""
    names: tuple[str, ...]
    """GitHub: owner, repository. Azure Repos: organization, project, repository."""

    @classmethod
    def of(cls, url: str, *, api: str = "") -> RepositoryPlace:
        """The place of a repository by its https URL; `SpecInvalid` where it is on no host that is known here.

        `api`: takes the place of the usual base of the API.
        """
        host = remote_host(url)
        parts = urlsplit(url) if host else None
        names = [unquote(name) for name in parts.path.split("/") if name] if parts else []
        if parts is None or any(name in (".", "..") or "/" in name or not name.isprintable() for name in names):
            raise SpecInvalid(_problem(host or url))
        found = _azure(host, parts.scheme, names) or _github(host, parts.scheme, names)
        if found is None:
            raise SpecInvalid(_problem(host))
        return cls(found.kind, found.web, api.rstrip("/") or found.api, found.names)

    @property
    def path(self) -> str:
        """The repository below `api`."""
        names = [quote(name, safe="") for name in self.names]
        if self.kind is HostKind.GITHUB:
            return f"/repos/{'/'.join(names)}"
        organization, project, repository = names
        return f"/{organization}/{project}/_apis/git/repositories/{repository}"

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(self.names)}"


def _azure(host: str, scheme: str, names: list[str]) -> RepositoryPlace | None:
    if "_git" not in names or names.index("_git") != len(names) - 2:
        return None
    before, repository = names[:-2], names[-1]
    api = AZURE if host == "dev.azure.com" else f"{scheme}://{host}"
    if host.endswith(_OLD_AZURE):
        api = AZURE
        before = [host.removesuffix(_OLD_AZURE), *(name for name in before if name.lower() != "defaultcollection")]
    if len(before) not in (1, 2):
        return None
    organization, project = before[0], before[1] if len(before) > 1 else repository
    quoted = [quote(name, safe="") for name in (organization, project, repository)]
    web = f"{api}/{quoted[0]}/{quoted[1]}/_git/{quoted[2]}"
    return RepositoryPlace(HostKind.AZURE_REPOS, web, api, (organization, project, repository))


def _github(host: str, scheme: str, names: list[str]) -> RepositoryPlace | None:
    if len(names) != 2 or host in _OTHERS or host == "dev.azure.com" or host.endswith(_OLD_AZURE):  # noqa: PLR2004 - owner, name
        return None
    owner, repository = names[0], names[1].removesuffix(".git")
    if not repository:
        return None
    api = f"{scheme}://{host}/api/v3"
    if host == "github.com" or host.endswith(_RESIDENT):
        api = f"{scheme}://api.{host}"
    web = f"{scheme}://{host}/{quote(owner, safe='')}/{quote(repository, safe='')}"
    return RepositoryPlace(HostKind.GITHUB, web, api, (owner, repository))


def _problem(shown: str) -> str:
    return (
        f"repository on {shown[:200] or 'no host'}: pull requests are known of https://HOST/OWNER/REPOSITORY on GitHub "
        "and https://dev.azure.com/ORG/PROJECT/_git/REPOSITORY"
    )
