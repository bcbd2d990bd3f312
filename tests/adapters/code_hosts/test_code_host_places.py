"""Which URLs name a repository, where its API is, and which token goes there."""

from __future__ import annotations

import pytest

from reconciler.adapters.code_hosts.place import RepositoryPlace
from reconciler.adapters.code_hosts.session import HostAccess, HostSession
from reconciler.bootstrap.code_hosts import code_host
from reconciler.config.settings import PREFIX, Settings, SettingsInvalid
from reconciler.errors import Forbidden, ReconcilerError, Refused, SpecInvalid

GITHUB = "https://github.com/fabrikam/pools"
AZURE = "https://dev.azure.com/fabrikam-prime/Platform%20Team/_git/pools"
AZURE_PATH = "/fabrikam-prime/Platform%20Team/_apis/git/repositories/pools"


def settings(**given: str) -> Settings:
    return Settings.read({PREFIX + name: value for name, value in given.items()})


@pytest.mark.parametrize(
    ("url", "kind", "api", "path"),
    [
        (GITHUB, "github", "https://api.github.com", "/repos/fabrikam/pools"),
        ("https://github.com/fabrikam/pools.git", "github", "https://api.github.com", "/repos/fabrikam/pools"),
        ("https://GitHub.com/fabrikam/pools/", "github", "https://api.github.com", "/repos/fabrikam/pools"),
        ("https://ann@github.com/fabrikam/pools", "github", "https://api.github.com", "/repos/fabrikam/pools"),
        ("https://octo.ghe.com/f/p", "github", "https://api.octo.ghe.com", "/repos/f/p"),
        ("https://git.example:8443/f/p.git", "github", "https://git.example:8443/api/v3", "/repos/f/p"),
        ("http://127.0.0.1:9/f/p", "github", "http://127.0.0.1:9/api/v3", "/repos/f/p"),
        (AZURE, "azure-repos", "https://dev.azure.com", AZURE_PATH),
        ("https://fabrikam-prime@dev.azure.com/fabrikam-prime/Platform Team/_git/pools", "azure-repos",
         "https://dev.azure.com", AZURE_PATH),
        ("https://dev.azure.com/fabrikam-prime/_git/pools", "azure-repos", "https://dev.azure.com",
         "/fabrikam-prime/pools/_apis/git/repositories/pools"),
        ("https://fabrikam-prime.visualstudio.com/DefaultCollection/Platform%20Team/_git/pools", "azure-repos",
         "https://dev.azure.com", AZURE_PATH),
        ("https://fabrikam-prime.visualstudio.com/_git/pools", "azure-repos", "https://dev.azure.com",
         "/fabrikam-prime/pools/_apis/git/repositories/pools"),
        ("http://127.0.0.1:9/o/p/_git/r", "azure-repos", "http://127.0.0.1:9", "/o/p/_apis/git/repositories/r"),
    ],
)  # fmt: skip
def test_a_url_says_where_the_api_is(url: str, kind: str, api: str, path: str) -> None:
    place = RepositoryPlace.of(url)
    assert (place.kind, place.api, place.path) == (kind, api, path)
    assert "@" not in place.web


@pytest.mark.parametrize(
    "url",
    [
        "", "specs/", "git@github.com:f/p.git", "ssh://git@github.com/f/p", "https://github.com/f",
        "https://github.com/f/p/tree/main", "https://gitlab.com/f/p", "https://bitbucket.org/f/p",
        "https://dev.azure.com/o/p", "https://dev.azure.com/_git/r", "https://dev.azure.com/a/b/c/_git/r",
        "https://dev.azure.com/o/p/_git/r/pullrequest/1", "https://github.com/../p", "https://github.com/f/..%2fp",
        "https://github.com/f/p%0a", "https://[", "https://github.com:x/f/p", "https://github.com/f/.git",
    ],
)  # fmt: skip
def test_a_url_of_no_repository_is_one_clear_line(url: str) -> None:
    with pytest.raises(SpecInvalid, match=r"dev\.azure\.com") as raised:
        RepositoryPlace.of(url)
    assert "\n" not in str(raised.value)


def test_names_cannot_leave_their_place_in_a_path() -> None:
    place = RepositoryPlace.of("https://dev.azure.com/o/a%3Fb%23c/_git/r%20%C3%A9")
    assert place.path == "/o/a%3Fb%23c/_apis/git/repositories/r%20%C3%A9"


@pytest.mark.parametrize("path", ["@evil.example/x", ".evil.example/", "//evil.example"])
def test_no_other_host_gets_the_token(path: str) -> None:
    session = HostSession(
        "https://api.github.com", "github", HostAccess(lambda: pytest.fail("the token was asked for"))
    )
    if path.startswith("//"):
        assert RepositoryPlace.of(GITHUB, api="https://api.github.com/").api == "https://api.github.com"
        return
    with pytest.raises(Refused, match="gets no token"):
        session.call("GET", path, "x")


def test_the_git_token_goes_to_its_own_host_alone() -> None:
    given = {"GIT_TOKEN": "canary", "GIT_HOST": "github.com"}
    code_host(settings(**given), GITHUB).close()
    for other in ("https://git.example/f/p", "https://evil.example/f/p"):
        with pytest.raises(Forbidden, match="RECONCILER_GIT_HOST=") as raised:
            code_host(settings(**given), other)
        assert "canary" not in str(raised.value)


def test_azure_repos_takes_the_credential_for_azure_devops_where_no_git_token_is_its_own() -> None:
    code_host(settings(CREDENTIAL="pat", PAT="canary"), AZURE).close()
    with pytest.raises(Forbidden, match="not signed in"):
        code_host(settings(CREDENTIAL="pat", PAT="canary"), GITHUB)


@pytest.mark.parametrize("api", ["https://evil.example", "http://127.0.0.1:9", "https://api.github.com", "x"])
def test_the_api_is_elsewhere_on_loopback_alone_and_where_that_is_allowed(api: str) -> None:
    with pytest.raises(SettingsInvalid, match="GIT_API"):
        settings(GIT_API=api)


def test_a_repository_on_loopback_needs_leave() -> None:
    given = {"GIT_TOKEN": "canary", "GIT_HOST": "127.0.0.1:9"}
    with pytest.raises(ReconcilerError, match="loopback"):
        code_host(settings(**given), "http://127.0.0.1:9/f/p")
    code_host(settings(**given, ALLOW_LOOPBACK="1"), "http://127.0.0.1:9/f/p").close()
