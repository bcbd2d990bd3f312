"""The git token goes to one host, and no file names that host for a token of the environment."""

from __future__ import annotations

import pytest

from reconciler.bootstrap.specs import git_authorization
from reconciler.config.settings import PREFIX, Settings, SettingsInvalid

TOKEN = {"GIT_TOKEN": "canary"}
GITHUB = "https://github.com/fabrikam/specs.git#main:pools"
EVIL = "https://evil.example/fabrikam/specs.git"


def prefixed(given: dict[str, str]) -> dict[str, str]:
    return {PREFIX + name: value for name, value in given.items()}


def read(
    environ: dict[str, str], file: dict[str, str] | None = None, options: dict[str, str] | None = None
) -> Settings:
    return Settings.read(prefixed(environ), beneath=prefixed(file or {}), above=prefixed(options or {}))


@pytest.mark.parametrize(
    ("environ", "file", "options", "host"),
    [
        (TOKEN, {}, {}, ""),
        ({"SPECS": GITHUB}, {}, {}, ""),
        ({**TOKEN, "SPECS": GITHUB}, {}, {}, "github.com"),
        ({**TOKEN, "SPECS": "https://git.example:8443/x.git"}, {}, {}, "git.example:8443"),
        ({**TOKEN, "SPECS": "https://git.example:443/x.git"}, {}, {}, "git.example"),
        ({**TOKEN, "SPECS": "https://GitHub.com/x.git"}, {}, {}, "github.com"),
        ({**TOKEN, "SPECS": "specs/"}, {}, {}, ""),
        ({**TOKEN, "SPECS": "repository#main"}, {}, {}, ""),
        (TOKEN, {}, {"SPECS": GITHUB}, "github.com"),
        ({**TOKEN, "SPECS": GITHUB}, {}, {"SPECS": EVIL}, "github.com"),
        ({**TOKEN, "SPECS": "specs/"}, {}, {"SPECS": GITHUB}, "github.com"),
        ({**TOKEN, "GIT_HOST": "github.com"}, {}, {"SPECS": EVIL}, "github.com"),
        ({**TOKEN, "GIT_HOST": "github.com:443"}, {}, {"SPECS": EVIL}, "github.com"),
        ({**TOKEN, "GIT_HOST": "github.com:8443"}, {}, {"SPECS": EVIL}, "github.com:8443"),
        ({**TOKEN, "GIT_HOST": "GitHub.com", "SPECS": EVIL}, {}, {}, "github.com"),
        ({**TOKEN, "GIT_HOST": "github.com"}, {"SPECS": EVIL}, {}, "github.com"),
        ({**TOKEN, "GIT_HOST": "github.com"}, {"SPECS": EVIL, "GIT_HOST": "evil.example"}, {}, "github.com"),
        ({**TOKEN, "SPECS": GITHUB}, {"SPECS": EVIL}, {}, "github.com"),
        ({}, {**TOKEN, "SPECS": GITHUB}, {}, "github.com"),
        ({}, {**TOKEN, "GIT_HOST": "github.com"}, {"SPECS": EVIL}, "github.com"),
        ({"SPECS": GITHUB}, TOKEN, {}, "github.com"),
    ],
)
def test_the_token_is_for_one_host(
    environ: dict[str, str], file: dict[str, str], options: dict[str, str], host: str
) -> None:
    assert read(environ, file, options).git_host == host


@pytest.mark.parametrize(
    ("environ", "file", "options"),
    [
        (TOKEN, {"SPECS": EVIL}, {}),
        (TOKEN, {"GIT_HOST": "evil.example"}, {"SPECS": EVIL}),
        (TOKEN, {"GIT_HOST": "evil.example", "SPECS": EVIL}, {}),
        ({**TOKEN, "SPECS": GITHUB}, {"GIT_HOST": "evil.example"}, {}),
        (TOKEN, {**TOKEN, "SPECS": EVIL}, {}),
    ],
)
def test_a_file_names_no_host_for_a_token_of_the_environment(
    environ: dict[str, str], file: dict[str, str], options: dict[str, str]
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read(environ, file, options)

    (problem,) = caught.value.problems
    assert problem.startswith("RECONCILER_GIT_TOKEN: set in the environment, but its host comes from the env file; ")
    assert problem.endswith("RECONCILER_GIT_HOST=evil.example")
    assert "canary" not in problem


@pytest.mark.parametrize(
    "host", ["https://github.com", "github.com/x", "ann@github.com", "github.com:x", "a b", "[::1"]
)
def test_a_host_that_is_none_is_an_error(host: str) -> None:
    with pytest.raises(SettingsInvalid, match="RECONCILER_GIT_HOST: no host name"):
        read({**TOKEN, "GIT_HOST": host})


@pytest.mark.parametrize(
    ("url", "gets"),
    [
        ("https://github.com/fabrikam/specs.git", "Basic"),
        ("https://github.com:443/fabrikam/specs.git", "Basic"),
        ("https://github.com.evil.example/fabrikam/specs.git", ""),
        ("https://evil.example/github.com/specs.git", ""),
        ("https://xgithub.com/specs.git", ""),
        ("https://github.com:8443/specs.git", ""),
        ("https://api.github.com/specs.git", ""),
        ("https://dev.azure.com/fabrikam/_git/specs", "Basic of Azure DevOps"),
        ("https://dev.azure.com.evil.example/fabrikam/_git/specs", ""),
        ("https://dev.azure.com@evil.example/fabrikam/_git/specs", ""),
    ],
)
def test_another_remote_gets_no_token(url: str, gets: str) -> None:
    """Azure Repos gets the identity for Azure DevOps, since the git token is not for it."""
    settings = read({**TOKEN, "SPECS": GITHUB, "CREDENTIAL": "pat", "PAT": "canary-pat"})
    authorization = git_authorization(settings, url)
    held = authorization() if authorization else ""

    assert {"": "", "Basic eC1hY2Nlc3MtdG9rZW46Y2FuYXJ5": "Basic", "Basic OmNhbmFyeS1wYXQ=": "Basic of Azure DevOps"}[
        held
    ] == gets
