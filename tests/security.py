"""Groups of tests that show what was tried against the program and held; docs/security-tests.md is made from them.

A case is one parametrised test, or as many as its marker `cases` says: the length of a table that one test goes
through. Places are files and folders below `tests`, or one test of a file; a place may be a pattern, and one without a
test counts for nothing, so that a group finds what is added under its name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """One row of the page."""

    name: str
    tried: str
    """What is tried, in one sentence."""
    least: int
    """Cases that the group has to have."""
    places: tuple[str, ...]


GROUPS: tuple[SecurityGroup, ...] = (
    SecurityGroup(
        "organization URLs",
        "texts that resemble the URL or name of an organization name none",
        70,
        (
            "spec/test_organization_urls.py",
            "spec/test_one_rule.py::test_an_organization_has_one_name_whatever_its_url",
            "spec/test_loader.py::test_an_organization_cannot_be_named_by_letters_that_only_look_right",
            "adapters/devops/test_devops_reads.py::test_what_is_no_name_of_an_organization_is_not_called",
        ),
    ),
    SecurityGroup(
        "redirects and links",
        "no redirect, page link, operation URL or setting leads a token to another host",
        350,
        (
            "adapters/test_network_redirects.py",
            "adapters/arm/test_links.py",
            "adapters/arm/test_arm_writes.py::test_an_operation_url_that_leads_elsewhere_gets_no_request",
            "adapters/devops/test_session_hardening.py::test_a_url_beside_the_organizations_own_gets_no_token",
            "adapters/devops/test_session_hardening.py::test_no_redirect_is_followed_with_or_without_the_package",
            "config/test_endpoints.py",
            "config/test_git_host.py",
            "config/test_storage_endpoints.py",
        ),
    ),
    SecurityGroup(
        "ownership and identity",
        "an agent pool, group or person with another's name is not taken for it",
        60,
        (
            "adapters/devops/test_identities.py::test_what_others_choose_makes_no_one_a_principal",
            "scenarios/test_principals.py",
            "scenarios/test_ownership.py",
            "scenarios/test_lockout.py",
            "engine/test_proofs.py",
            "safety/test_agent_pools.py",
        ),
    ),
    SecurityGroup(
        "policy",
        "what no entry of the policy allows is refused, in every field, spelling and form of an id",
        80,
        ("plan/test_policy*.py", "scenarios/test_policies.py", "policy"),
    ),
    SecurityGroup(
        "rendering",
        "texts of others are harmless in every output: each text in each output is a case",
        150,
        ("documents/test_hostile_texts.py", "plan/render/test_render_*.py"),
    ),
    SecurityGroup(
        "HTTP",
        "hosts, origins, keys, headers, bodies and paths that are none get nothing and stop nothing",
        120,
        ("service/host/test_http_hostile.py", "service/http/test_access.py", "service/http/test_webhooks.py"),
    ),
    SecurityGroup(
        "git",
        "packs, trees, links and remotes that are made to harm end within their limits",
        60,
        ("adapters/git/test_hostile_packs.py", "adapters/git/test_git_memory.py", "adapters/git/test_git_trees.py"),
    ),
    SecurityGroup(
        "messages",
        "queue messages that mean nothing are dropped and counted",
        100,
        ("service/triggers/test_hostile_messages.py",),
    ),
    SecurityGroup(
        "canaries",
        "secrets planted in every output: each secret in each output is a case, and 0 bytes of one are found",
        13,
        ("documents/test_every_output.py", "scenarios/test_secrets.py", "telemetry/test_nothing_secret.py"),
    ),
)
