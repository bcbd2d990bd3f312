"""What has to hold around a pool: found over HTTP, named with its remedy, and never in the way of anything."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import Running
from reconciler.facets.support.prerequisites.vaults import RANGES
from tests.shell import DEMO, Shell

RELEASE = "fabrikam-release-pool"
SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-build"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/build"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/fabrikam-vault"
PRINCIPAL = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
TENANT = "7a394543-62fd-4274-a7d2-8fac775942b6"
"""Of the emulated organizations."""
CLOSED = {"defaultAction": "Deny", "ipRules": [{"value": one} for one in RANGES]}


@pytest.fixture
def with_vault(signed_in: Shell) -> Shell:
    """The release pool fetches a certificate with one identity."""
    text = (DEMO / "specs" / f"{RELEASE}.yaml").read_text()
    identity = f"  identity: {{ type: UserAssigned, userAssignedIdentities: {{ {IDENTITY}: {{}} }} }}\n"
    secrets = (
        "      osProfile:\n        secretsManagementSettings:\n          certificateStoreLocation: LocalMachine\n"
        "          observedCertificates: ['https://fabrikam-vault.vault.azure.net/secrets/build']\n"
        "          keyExportable: false\n"
    )
    text = text.replace("  properties:\n", f"{identity}  properties:\n", 1)
    signed_in.write(f"specs/{RELEASE}.yaml", text.replace("      kind: Vmss\n", f"      kind: Vmss\n{secrets}"))
    return signed_in


def surround(
    world: Running,
    *,
    vault: dict[str, Any] | None = None,
    tenant: str = TENANT,
    roles: tuple[tuple[str, str], ...] = (("Key Vault Secrets User", VAULT),),
    operator: tuple[tuple[str, str], ...] = (("Owner", SUBSCRIPTION), ("Key Vault Certificate User", VAULT)),
) -> None:
    """An identity, a vault, and what each may do."""
    state = world.do.state()
    owner = next(one for one in state["principals"] if one["name"] == "operator")
    owner["roles"] = [{"role": role, "scope": scope} for role, scope in operator]
    given = [{"role": role, "scope": scope} for role, scope in roles]
    state["principals"].append({"name": "build", "kind": "managedIdentity", "oid": PRINCIPAL, "roles": given})
    found: list[dict[str, Any]] = [
        {"id": IDENTITY, "name": "build", "properties": {"tenantId": tenant, "principalId": PRINCIPAL}}
    ]
    if vault is not None:
        found.append({"id": VAULT, "name": "fabrikam-vault", "properties": {"enableRbacAuthorization": True, **vault}})
    state["subscriptions"][0]["resources"] = found
    world.do.replace(state)


def around(shell: Shell, *arguments: str) -> dict[str, str]:
    """What → verdict, of the checks that this page is about."""
    document = shell.run("doctor", RELEASE, "--output", "json", *arguments).document
    places = (IDENTITY, "key vault fabrikam-vault")
    return {check["what"]: check["verdict"] for check in document["checks"] if check["place"] in places}


def test_the_story_of_machines_that_would_not_start(with_vault: Shell, world: Running) -> None:
    """The identity lacks the role and the firewall is shut; both are said before anybody waits for a machine."""
    surround(
        world, vault={"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "4.198.194.0/24"}]}}, roles=()
    )

    ended = with_vault.run("doctor", RELEASE)

    assert ended.code == 2
    lines = [line.strip() for line in ended.out.splitlines()]
    at = lines.index("missing  key vault fabrikam-vault: let build read secrets")
    assert lines[at + 1] == f"mode report requires Key Vault Secrets User on {VAULT}"
    assert lines[at + 2] == f"for {IDENTITY}"
    at = lines.index("missing  key vault fabrikam-vault: admit the service's addresses")
    assert lines[at + 3] == (f"az keyvault network-rule add --name fabrikam-vault --ip-address {' '.join(RANGES[1:])}")


def test_where_all_holds_nothing_is_missing(with_vault: Shell, world: Running) -> None:
    surround(world, vault={"networkAcls": CLOSED})

    assert set(around(with_vault).values()) == {"ok"}
    assert len(around(with_vault)) == 6


def test_a_role_on_another_vault_is_none(with_vault: Shell, world: Running) -> None:
    surround(world, vault={}, roles=(("Key Vault Secrets User", f"{VAULT}-two"), ("Reader", VAULT)))

    assert around(with_vault)["let build read secrets"] == "missing"


def test_a_role_that_people_made_counts_by_what_it_allows(with_vault: Shell, world: Running) -> None:
    surround(world, vault={}, roles=(("Reads secrets, made by hand", VAULT),))

    assert around(with_vault)["let build read secrets"] == "ok"


def test_doctor_looks_also_where_plans_do_not(
    with_vault: Shell, world: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person runs it, and may see more than the deployment."""
    surround(world, vault={}, roles=())
    monkeypatch.setenv("RECONCILER_PREREQUISITES", "0")

    plan = with_vault.run("plan", RELEASE, "--output", "json").document["plans"][0]

    assert [gap for gap in plan["gaps"] if gap["facet"] == "prerequisites"] == []
    assert around(with_vault)["let build read secrets"] == "missing"


def test_a_plan_ends_with_two_where_something_is_missing(with_vault: Shell, world: Running) -> None:
    """As for everything that an administrator has to act on; what was not seen does not count."""
    surround(world, vault={}, roles=())

    plan = with_vault.run("plan", RELEASE)

    assert plan.code == 2
    assert "? prerequisites  key vault fabrikam-vault let build read secrets" in plan.out


def test_an_identity_of_another_tenant_is_named_with_both(with_vault: Shell, world: Running) -> None:
    other = "99999999-0000-1111-2222-bbbbbbbbbbbb"
    surround(world, vault={}, tenant=other)

    ended = with_vault.run("doctor", RELEASE)

    assert f"the identity is of tenant {other}, the organization of {TENANT}" in ended.out


def test_who_writes_the_pool_reads_certificates(with_vault: Shell, world: Running) -> None:
    """Needed for mode enforce alone."""
    surround(world, vault={}, operator=(("Owner", SUBSCRIPTION),))

    assert around(with_vault)["read certificates while the pool is written"] == "missing"
    assert "read certificates while the pool is written" in around(with_vault, "--mode", "enforce")


@pytest.mark.parametrize(
    ("vault", "what"),
    [
        ({"enableRbacAuthorization": False}, "let build read secrets"),
        ({"publicNetworkAccess": "Disabled"}, "admit the service's addresses"),
        (None, "see the vault"),
    ],
)
def test_what_cannot_be_seen_is_unknown_and_says_so(
    with_vault: Shell, world: Running, vault: dict[str, Any] | None, what: str
) -> None:
    surround(world, vault=vault)

    assert around(with_vault)[what] == "unknown"


@pytest.mark.parametrize(
    ("route", "what"),
    [
        ("RoleAssignments_ListForScope", "let build read secrets"),
        ("Vaults_ListBySubscription", "see the vault"),
        ("Resources_Get", "be in the tenant of fabrikam-prime"),
    ],
)
def test_a_refused_look_is_no_finding(with_vault: Shell, world: Running, route: str, what: str) -> None:
    """The operator may well work without these rights; then a person has to check."""
    surround(world, vault={})
    world.do.fault("403", route=route, count=None)

    assert around(with_vault)[what] == "unknown"


def test_an_identity_that_is_gone_is_missing(with_vault: Shell) -> None:
    assert around(with_vault)["be in the tenant of fabrikam-prime"] == "missing"


def test_a_tenant_that_nobody_tells_is_compared_by_hand(with_vault: Shell, world: Running) -> None:
    surround(world, vault={"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "::/0"}]}}, tenant="")

    found = around(with_vault)

    assert found["be in the tenant of fabrikam-prime"] == "unknown"
    assert found["admit the service's addresses"] == "missing"


SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets/agents"


@pytest.mark.parametrize(
    ("delegations", "verdict"),
    [
        ([{"properties": {"serviceName": "microsoft.devopsinfrastructure/pools"}}], "ok"),
        ([{"properties": {"serviceName": "Microsoft.Web/serverFarms"}}], "missing"),
        (None, "missing"),
    ],
)
def test_a_subnet_has_to_be_delegated(
    signed_in: Shell, world: Running, delegations: list[dict[str, Any]] | None, verdict: str
) -> None:
    """ARM says so only when the pool is put."""
    text = (DEMO / "specs" / f"{RELEASE}.yaml").read_text()
    network = f"      kind: Vmss\n      networkProfile: {{ subnetId: {SUBNET} }}\n"
    signed_in.write(f"specs/{RELEASE}.yaml", text.replace("      kind: Vmss\n", network))
    state = world.do.state()
    found = [] if delegations is None else [{"id": SUBNET, "properties": {"delegations": delegations}}]
    state["subscriptions"][0]["resources"] = found
    world.do.replace(state)

    checks = signed_in.run("doctor", RELEASE, "--output", "json").document["checks"]
    world.do.fault("403", route="Resources_GetChild", count=None)
    refused = signed_in.run("doctor", RELEASE, "--output", "json").document["checks"]

    assert {one["what"]: one["verdict"] for one in checks if one["place"] == SUBNET}[
        "be delegated to the service"
    ] == verdict
    assert {one["what"]: one["verdict"] for one in refused if one["place"] == SUBNET}[
        "be delegated to the service"
    ] == "unknown"
