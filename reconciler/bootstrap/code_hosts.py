"""The host of the specs' repository, with the token that is for it. Apart from the rest: few commands need one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.config.endpoints import remote_host
from reconciler.config.settings import PREFIX, Settings
from reconciler.errors import Forbidden

if TYPE_CHECKING:
    from reconciler.adapters.code_hosts.azure_repos import AzureRepos
    from reconciler.adapters.code_hosts.github import GitHub
    from reconciler.adapters.code_hosts.place import RepositoryPlace


def code_host(settings: Settings, url: str) -> GitHub | AzureRepos:
    """The host of a repository by its https URL (`reconciler.ports.code_hosts.CodeHost`); close it afterwards.

    Raises `SpecInvalid` for a URL of no known host, `Forbidden` where there is no token for it.
    """
    from reconciler.adapters.code_hosts.factory import code_host as made  # noqa: PLC0415 - `validate` needs no host
    from reconciler.adapters.code_hosts.place import RepositoryPlace  # noqa: PLC0415 - likewise
    from reconciler.adapters.code_hosts.session import HostAccess  # noqa: PLC0415 - likewise

    place = RepositoryPlace.of(url, api=settings.git_api)
    access = HostAccess(_authorization(settings, place, url), allow_loopback=settings.allow_loopback)
    return made(place, access)


def _authorization(settings: Settings, place: RepositoryPlace, url: str) -> Callable[[], str]:
    """The git token towards its host, or towards Azure Repos the credential for Azure DevOps.

    GitHub's API takes a token as Bearer; Azure DevOps takes personal access tokens and those of a pipeline as Basic.
    """
    from reconciler.adapters.code_hosts.place import HostKind  # noqa: PLC0415 - see above
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - likewise

    hosts = {remote_host(url), remote_host(place.web)}
    if settings.git_token and settings.git_host in hosts:
        reveal = settings.git_token.reveal
        return git.bearer(reveal) if place.kind is HostKind.GITHUB else git.basic(reveal)
    if place.kind is HostKind.AZURE_REPOS and place.api == settings.devops_endpoint:
        from reconciler.bootstrap.connections import credential_of  # noqa: PLC0415 - see above

        return credential_of(settings).devops_header
    remedy = f"set {PREFIX}GIT_TOKEN, and {PREFIX}GIT_HOST={remote_host(url)}"
    raise Forbidden(f"{place}: not signed in: no token is set for {remote_host(url)}; {remedy}")
