"""Both hosts on loopback with one repository each, and the adapter that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.code_hosts.azure_repos import AzureRepos
from reconciler.adapters.code_hosts.factory import code_host
from reconciler.adapters.code_hosts.github import GitHub
from reconciler.adapters.code_hosts.place import RepositoryPlace
from reconciler.adapters.code_hosts.session import HostAccess
from tests.code_hosts import azure_repos, github
from tests.code_hosts.serving import CodeHostServer, running

MAIN, HEAD = "a" * 40, "b" * 40
TOKEN = "canary-token-that-must-not-show-up"
MARK = "<!-- reconciler: plan -->"
KINDS = ("github", "azure-repos")


@dataclass
class Host:
    """One running host."""

    kind: str
    server: Any
    repository: Any
    adapter: GitHub | AzureRepos
    number: int
    slept: list[float] = field(default_factory=list)

    def bodies(self) -> list[str]:
        """Comments of the pull request that are no system's."""
        found = self.repository.bodies() if self.kind == "github" else self.repository.bodies(self.number)
        return [text for text in found if "published the pull request" not in text]

    def say(self, text: str, author: str = "ann") -> Any:
        """A comment of another person."""
        return self.server.say(self.repository, self.number, text, author)

    def delete(self, said: Any) -> None:
        """Delete it, as its author does."""
        if self.kind == "github":
            self.repository.comments.remove(said)
        else:
            self.server.delete(said)

    def statuses(self, commit: str = HEAD) -> list[tuple[str, str]]:
        """State and description, oldest first."""
        found = self.repository.statuses.get(commit, [])
        return [(one["state"], one["description"]) for one in (reversed(found) if self.kind == "github" else found)]

    @property
    def url(self) -> str:
        """Of the repository, for people."""
        return URLS[self.kind]


URLS = {
    "github": "https://github.com/fabrikam/pools",
    "azure-repos": "https://dev.azure.com/fabrikam-prime/Platform%20Team/_git/pools",
}
_BRANCHES = {"main": MAIN, "change": HEAD, "other": "c" * 40}


def adapter_of(
    kind: str, api: str, token: str = TOKEN, sleep: Callable[[float], None] = lambda _: None
) -> GitHub | AzureRepos:
    """The adapter, whose API is at this address."""
    place = RepositoryPlace.of(URLS[kind], api=api)
    return code_host(place, HostAccess(lambda: f"Bearer {token}", allow_loopback=True, sleep=sleep))


@contextmanager
def hosted(kind: str, *, rights: tuple[str, ...] | None = None) -> Iterator[Host]:
    """A host with a repository, three branches, and a pull request from `change` to `main`."""
    server: CodeHostServer = github.GitHub() if kind == "github" else azure_repos.AzureRepos()
    with running(server):
        shape: Any = github if kind == "github" else azure_repos
        server.let("setup", *shape.ALL, name="setup")
        server.let(TOKEN, *(shape.ALL if rights is None else rights))
        made: Any = server
        names = ("fabrikam", "pools") if kind == "github" else ("fabrikam-prime", "Platform Team", "pools")
        repository = made.add(*names, dict(_BRANCHES))
        first = adapter_of(kind, server.url, "setup")
        number = first.open_pull_request("change", "main", "Change", "").number
        first.close()
        slept: list[float] = []
        adapter = adapter_of(kind, server.url, sleep=slept.append)
        server.requests.clear()
        try:
            yield Host(kind, server, repository, adapter, number, slept)
        finally:
            adapter.close()
