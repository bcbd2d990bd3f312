"""Settings: all problems at once, tokens to no strange place, secrets in no message."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from reconciler.config.endpoints import ARM_HOSTS, DEVOPS_HOSTS, IDENTITY_HOSTS
from reconciler.config.settings import (
    PREFIX,
    VARIABLES,
    CredentialKind,
    Secret,
    Settings,
    SettingsInvalid,
    child_environment,
    secrets,
)

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "settings.md").read_text()
LOOPBACK = {
    "RECONCILER_ALLOW_LOOPBACK": "1",
    "RECONCILER_ARM_ENDPOINT": "http://127.0.0.1:7001",
    "RECONCILER_DEVOPS_ENDPOINT": "http://localhost:7002/",
    "RECONCILER_CREDENTIAL": "static",
    "RECONCILER_ARM_TOKEN": "canary-arm",
    "RECONCILER_DEVOPS_TOKEN": "canary-devops",
}


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.read(environ)
    return caught.value.problems


def test_nothing_set_means_the_public_cloud_and_no_specs() -> None:
    settings = Settings.read({"XDG_STATE_HOME": "/s"})

    assert settings.specs == ""
    assert settings.state == "/s/reconciler/state.db"
    assert settings.policy is None
    assert settings.arm_endpoint == "https://management.azure.com"
    assert settings.devops_endpoint == "https://dev.azure.com"
    assert settings.identity_endpoint == "https://vssps.dev.azure.com"
    assert settings.credential is CredentialKind.DEFAULT
    assert (settings.budget, settings.http_timeout, settings.parallel) == (240.0, 30.0, 16)


def test_state_lies_in_the_users_home_where_nothing_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One file for the user: two shells in two checkouts hold one lease for one pool."""
    monkeypatch.setenv("HOME", "/home/ann")

    assert Settings.read({}).state == "/home/ann/.local/state/reconciler/state.db"


def test_the_environment_counts_more_than_what_lies_beneath() -> None:
    """A `.env` file gives defaults; it never overrides a variable of the environment."""
    beneath = {"RECONCILER_STATE": "file.db", "RECONCILER_BUDGET": "60"}

    settings = Settings.read({"RECONCILER_STATE": "typed.db"}, beneath=beneath)

    assert (settings.state, settings.budget) == ("typed.db", 60.0)


def test_the_process_environment_is_read_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_BUDGET", "61")

    assert Settings.read().budget == 61.0


def test_on_loopback_identities_are_asked_for_at_the_devops_endpoint() -> None:
    settings = Settings.read(LOOPBACK)

    assert settings.identity_endpoint == settings.devops_endpoint == "http://localhost:7002"


def test_a_given_identity_endpoint_counts_on_loopback_too() -> None:
    settings = Settings.read({**LOOPBACK, "RECONCILER_IDENTITY_ENDPOINT": "http://127.0.0.1:7003"})

    assert settings.identity_endpoint == "http://127.0.0.1:7003"


@pytest.mark.parametrize(
    ("environ", "problem", "reason"),
    [
        (
            {"RECONCILER_ARM_ENDPOINT": "http://management.azure.com"},
            (
                "RECONCILER_ARM_ENDPOINT: 'http://management.azure.com' is not https on one of management.azure.com, "
                "management.chinacloudapi.cn, management.usgovcloudapi.net"
            ),
            "a token over http can be read on the way",
        ),
        (
            {"RECONCILER_DEVOPS_ENDPOINT": "https://dev.azure.com.evil.example"},
            "RECONCILER_DEVOPS_ENDPOINT: 'https://dev.azure.com.evil.example' is not https on one of dev.azure.com",
            "a token for Azure DevOps goes to Azure DevOps",
        ),
        (
            {"RECONCILER_DEVOPS_ENDPOINT": "https://dev.azure.com/fabrikam"},
            "RECONCILER_DEVOPS_ENDPOINT: more than scheme, host and port; give 'https://dev.azure.com' alone",
            "the organization comes from the spec",
        ),
        (
            {"RECONCILER_ARM_ENDPOINT": "http://127.0.0.1:7001"},
            "RECONCILER_ARM_ENDPOINT: 'http://127.0.0.1:7001' is on loopback; set RECONCILER_ALLOW_LOOPBACK=1 if this is a test",
            "whoever sets one variable must not redirect tokens to a local listener",
        ),
        (
            {"RECONCILER_ALLOW_LOOPBACK": "1", "RECONCILER_ARM_ENDPOINT": "http://192.168.0.1"},
            (
                "RECONCILER_ARM_ENDPOINT: 'http://192.168.0.1' is not https on one of management.azure.com, "
                "management.chinacloudapi.cn, management.usgovcloudapi.net"
            ),
            "the neighbour's machine is not loopback",
        ),
        (
            {"RECONCILER_ALLOW_LOOPBACK": "1", "RECONCILER_ARM_ENDPOINT": "ftp://127.0.0.1"},
            "RECONCILER_ARM_ENDPOINT: 'ftp://127.0.0.1' is on loopback; set RECONCILER_ALLOW_LOOPBACK=1 if this is a test",
            "another scheme is not spoken",
        ),
        (
            {"RECONCILER_ARM_ENDPOINT": "https://[oops"},
            "RECONCILER_ARM_ENDPOINT: not a URL",
            "a URL that cannot be parsed is named all the same",
        ),
        (
            {"RECONCILER_DEVOPS_ENDPOINT": "https://[oops"},
            "RECONCILER_DEVOPS_ENDPOINT: not a URL",
            "and does not confuse what is derived from it",
        ),
        (
            {"RECONCILER_ALLOW_LOOPBACK": "yes"},
            "RECONCILER_ALLOW_LOOPBACK: 'yes' is neither 0 nor 1",
            "a switch that guards tokens is not guessed",
        ),
        (
            {"RECONCILER_CREDENTIAL": "static-token"},
            "RECONCILER_CREDENTIAL: 'static-token' is none of default, managed, pat, static",
            "unknown kinds are not defaulted",
        ),
        (
            {"RECONCILER_CREDENTIAL": "pat"},
            "RECONCILER_PAT: not set, but RECONCILER_CREDENTIAL=pat needs it",
            "known at the start, not at the first call",
        ),
        (
            {"RECONCILER_BUDGET": "4m"},
            "RECONCILER_BUDGET: '4m' is not a number from 5 to 3600",
            "the unit is seconds",
        ),
        (
            {"RECONCILER_PARALLEL": "64"},
            "RECONCILER_PARALLEL: '64' is not a whole number from 1 to 16",
            "Azure DevOps throttles by consumer",
        ),
        (
            {"RECONCILER_POLCY": "policy.yaml"},
            "RECONCILER_POLCY: no such setting; the nearest is RECONCILER_POLICY",
            "a policy that silently does not count is the worst of them",
        ),
        (
            {"RECONCILER_SPECS": "https://ann:canary@github.com/fabrikam/pools.git"},
            "RECONCILER_SPECS: the URL holds credentials; give them as RECONCILER_GIT_TOKEN and leave them out here",
            "URLs end up in messages and process lists",
        ),
        (
            {"RECONCILER_ARM_ENDPOINT": "https://canary@management.azure.com"},
            "RECONCILER_ARM_ENDPOINT: the URL holds credentials; leave them out, tokens come from RECONCILER_CREDENTIAL",
            "the same for endpoints",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_with_the_remedy(environ: dict[str, str], problem: str, reason: str) -> None:
    assert problems(environ) == (problem,), reason


def test_static_tokens_do_not_leave_the_machine() -> None:
    """All four endpoints are named, for one left out is where the token would go."""
    found = problems(
        {"RECONCILER_CREDENTIAL": "static", "RECONCILER_ARM_TOKEN": "canary-1", "RECONCILER_DEVOPS_TOKEN": "canary-2"}
    )

    assert [line.split(":")[0] for line in found] == [
        "RECONCILER_ARM_ENDPOINT",
        "RECONCILER_DEVOPS_ENDPOINT",
        "RECONCILER_IDENTITY_ENDPOINT",
        "RECONCILER_MEMBERS_ENDPOINT",
    ]
    assert "canary" not in "".join(found)


def test_all_problems_are_reported_at_once() -> None:
    found = problems({"RECONCILER_BUDGET": "x", "RECONCILER_PARALLEL": "0", "RECONCILER_CREDENTIAL": "static"})

    assert [line.split(":")[0] for line in found] == [
        "RECONCILER_BUDGET",
        "RECONCILER_PARALLEL",
        "RECONCILER_ARM_TOKEN",
        "RECONCILER_DEVOPS_TOKEN",
        "RECONCILER_ARM_ENDPOINT",
        "RECONCILER_DEVOPS_ENDPOINT",
        "RECONCILER_IDENTITY_ENDPOINT",
        "RECONCILER_MEMBERS_ENDPOINT",
    ]


def test_variables_that_are_not_ours_are_left_alone() -> None:
    """Only what looks like a slip is an error: other programs may share the prefix."""
    assert Settings.read({"RECONCILER_SOMETHING_ELSE": "1", "PATH": "/bin"}).budget == 240.0


def test_a_secret_shows_itself_to_nobody() -> None:
    """Settings end up in a debugger or a log one day."""
    settings = Settings.read(
        {
            **LOOPBACK,
            "RECONCILER_PAT": "canary-pat",
            "RECONCILER_GIT_TOKEN": "canary-git",
            "RECONCILER_STATE": "AccountKey=canary-key",
        }
    )

    assert "canary" not in repr(settings)
    assert "canary" not in str(settings.arm_token)
    assert settings.arm_token.reveal() == "canary-arm"


def test_what_must_be_struck_out_of_a_text_is_known() -> None:
    """A traceback may hold anything; these values are taken out of it. A connection string counts as a secret."""
    environ = {"RECONCILER_PAT": "canary", "RECONCILER_STATE": "AccountKey=k", "RECONCILER_SPECS": "specs"}

    assert set(secrets(environ)) >= {"canary", "AccountKey=k"}
    assert "specs" not in secrets(environ)


def test_a_process_of_ours_gets_these_settings_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo must not reach real endpoints because a variable was set around it."""
    monkeypatch.setenv("RECONCILER_ARM_ENDPOINT", "https://management.azure.com")
    monkeypatch.setenv("SOMETHING", "else")

    child = child_environment({"RECONCILER_SPECS": "specs"})

    assert {name: text for name, text in child.items() if name.startswith(PREFIX)} == {"RECONCILER_SPECS": "specs"}
    assert child["SOMETHING"] == "else"


def test_secrets_compare_by_value_and_know_whether_they_are_set() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a")
    assert not Secret("")
    assert repr(Secret("")) == "Secret(not set)"


def test_every_field_is_a_variable_of_the_same_name() -> None:
    """The error of `arm_endpoint` names RECONCILER_ARM_ENDPOINT, and a reader finds one from the other."""
    by_the_platform = {"insights", "instance", "state_named"}

    ours = {field.name for field in fields(Settings)} - by_the_platform  # or they follow from a variable
    assert ours == {variable.name.lower() for variable in VARIABLES}


@pytest.mark.parametrize("environ", [{}, LOOPBACK, {"RECONCILER_POLICY": "p.yaml", "RECONCILER_PARALLEL": "2"}])
def test_each_row_reads_what_its_field_holds(environ: dict[str, str]) -> None:
    """The row's reader and the field's type stand side by side, and no type checker compares them."""
    settings, kinds = Settings.read(environ), get_type_hints(Settings)
    names = [row.name.lower() for row in VARIABLES]

    assert [name for name in names if not isinstance(getattr(settings, name), kinds[name])] == []


@pytest.mark.parametrize(
    ("name", "hosts"), [("ARM", ARM_HOSTS), ("DEVOPS", DEVOPS_HOSTS), ("IDENTITY", IDENTITY_HOSTS)]
)
def test_the_documentation_names_the_hosts_that_a_token_may_go_to(name: str, hosts: frozenset[str]) -> None:
    (line,) = re.findall(rf"^\| `{PREFIX}{name}_ENDPOINT` \| ([^|]*) \|$", DOCUMENT, re.MULTILINE)

    assert set(re.findall(r"`([^`]+)`", line)) == hosts


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES if variable.secret])
def test_a_reference_that_nobody_resolved_is_not_taken_for_the_secret(name: str) -> None:
    """App Service leaves it in the setting as it was written: a secret that anybody can guess."""
    reference = "@Microsoft.KeyVault(SecretUri=https://canary.vault.azure.net/secrets/x)"
    found = problems({**LOOPBACK, PREFIX + name: reference})

    assert [line for line in found if "reference to a Key Vault that was not resolved" in line] == list(found)
    assert found[0].startswith(PREFIX + name)
    assert "canary" not in found[0]
