"""The host of a repository, by its URL."""

from __future__ import annotations

from reconciler.adapters.code_hosts.azure_repos import AzureRepos
from reconciler.adapters.code_hosts.github import GitHub
from reconciler.adapters.code_hosts.place import HostKind, RepositoryPlace
from reconciler.adapters.code_hosts.session import HostAccess


def code_host(place: RepositoryPlace, access: HostAccess) -> GitHub | AzureRepos:
    """The host that a repository is on."""
    return GitHub(place, access) if place.kind is HostKind.GITHUB else AzureRepos(place, access)
