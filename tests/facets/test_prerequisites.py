"""What has to hold around a pool: told where it was seen to be missing, never in the way where it was not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.facet import Observation
from reconciler.errors import Forbidden, Refused
from reconciler.facets import prerequisites
from reconciler.facets.support.prerequisites import Named, named
from reconciler.facets.support.prerequisites.vaults import RANGES
from reconciler.plan.model import Action, Change, GapKind, Risk, Route
from reconciler.plan.policy import Policy
from reconciler.plan.rights.checks import Check, CheckResult
from reconciler.plan.rights.required import Grant
from reconciler.ports.azure_resources import Assignment, Right
from reconciler.spec.model import Mode, Spec
from tests.facets.around import BODY, IDENTITY, PRINCIPAL, SUBNET, VAULT, Around
from tests.facets.frame import NOW, PRIME, organization, spec
from tests.facets.world import Org, World

CUSTOM = "5d58bcaf-24a5-4b20-bdb6-eed9f69fbe4c"
READS = ("identity", "subnet", "vaults", "assignments", "rights", "tenant")
SECRETS = "let build read secrets"
MISSING: dict[str, Callable[[Around], object]] = {
    f"{IDENTITY} be in the tenant of {PRIME}": lambda around: setattr(around, "tenant_of_identity", "another"),
    f"{SUBNET} be delegated to the service": lambda around: around.delegations.clear(),
    f"key vault build-vault {SECRETS}": lambda around: around.assigned.clear(),
    "key vault build-vault read certificates while the pool is written": lambda around: setattr(
        around, "own", Right(("*",))
    ),
    "key vault build-vault admit the service's addresses": lambda around: around.vault["networkAcls"]["ipRules"].pop(),
}
"""Subject of the gap → how it comes to be."""


def pool(body: dict[str, Any] | None = None) -> Spec:
    return spec(organization(), body=BODY if body is None else body)


def look(around: Around | None, wanted: Spec | None = None, world: World | None = None) -> Observation[Any]:
    here = world or World({PRIME: Org()})
    here.surroundings = around
    wanted = wanted or pool()
    desired = prerequisites.parse(wanted, NOW)
    assert desired is not None
    return prerequisites.observe(wanted, desired, here)


def verdicts(around: Around, wanted: Spec | None = None, world: World | None = None) -> dict[str, CheckResult]:
    return {check.what: check.verdict for check in look(around, wanted, world).value}


def test_where_all_holds_nothing_is_said() -> None:
    around = Around()
    seen = look(around)

    assert (seen.gaps, seen.remarks) == ((), ())
    assert {check.verdict for check in seen.value} == {CheckResult.OK}
    assert set(around.asked) == set(READS)


@pytest.mark.parametrize("subject", MISSING)
def test_what_is_missing_is_for_somebody_to_act_on(subject: str) -> None:
    around = Around()
    MISSING[subject](around)

    seen = look(around)

    assert [(gap.subject, gap.kind) for gap in seen.gaps] == [(subject, GapKind.DEGRADED)]
    assert seen.remarks == ()


def test_a_finding_says_who_gives_what_to_whom_and_how() -> None:
    around = Around(assigned=[], vault={"networkAcls": {"defaultAction": "Deny"}, "enableRbacAuthorization": True})

    messages = [gap.message for gap in look(around).gaps]

    assert messages == [
        (
            f"key vault build-vault: to let build read secrets it needs Key Vault Secrets User on {VAULT} for {IDENTITY}: "
            "az role assignment create --assignee-object-id OBJECT_ID --role 4633458b-17de-408a-b874-0445c86b69e6 "
            f"--scope {VAULT}"
        ),
        (
            "key vault build-vault: to admit the service's addresses it needs the ranges of tag DevOpsInfrastructure in the "
            "vault's firewall at key vault build-vault for the service: az keyvault network-rule add --name build-vault "
            f"--ip-address {' '.join(RANGES)}"
        ),
    ]


def test_a_deployment_that_does_not_look_says_nothing() -> None:
    assert look(None) == Observation(())


@pytest.mark.parametrize(
    "body", [{}, {"identity": {"type": "SystemAssigned"}}, {"properties": {"fabricProfile": None}}]
)
def test_a_spec_that_points_to_nothing_is_not_looked_at(body: dict[str, Any]) -> None:
    """So a converged estate of such pools pays no read for this facet."""
    assert prerequisites.parse(pool(body), NOW) is None


@pytest.mark.parametrize("what", READS)
def test_a_read_that_is_refused_is_a_remark(what: str) -> None:
    seen = look(Around(refused={what}))

    assert seen.gaps == ()
    assert seen.remarks
    assert all(f"{what}: the identity lacks a right" in remark.message for remark in seen.remarks)


@given(st.sets(st.sampled_from(READS)), st.sets(st.sampled_from(sorted(MISSING))))
def test_what_cannot_be_seen_blocks_nothing(refused: set[str], missing: set[str]) -> None:
    """Refusing reads never makes a gap; each question is answered, a gap, or a remark, and never two of them."""
    around = Around(refused=refused)
    for subject in missing:
        MISSING[subject](around)

    seen = look(around)
    gaps, remarks = {gap.subject for gap in seen.gaps}, {remark.subject for remark in seen.remarks}

    assert gaps <= missing
    assert not gaps & remarks
    assert gaps == missing or refused
    assert bool(remarks) is bool(refused & set(around.asked))
    assert all(gap.kind is GapKind.DEGRADED for gap in seen.gaps)


def test_an_organization_that_cannot_be_asked_proves_nothing_of_tenants() -> None:
    """Also where it says no: it is the operator that is not let in then, not the identity."""
    world = World({PRIME: Org(trouble={"me": Forbidden("no such user")})})

    assert verdicts(Around(), world=world)[f"be in the tenant of {PRIME}"] is CheckResult.UNKNOWN


@pytest.mark.parametrize(
    ("scope", "role", "verdict"),
    [
        (VAULT.upper(), "known", CheckResult.OK),
        ("/subscriptions/1111", "known", CheckResult.OK),
        ("/providers/Microsoft.Management/managementGroups/all", "known", CheckResult.OK),
        ("/", "known", CheckResult.OK),
        (f"{VAULT}-two", "known", CheckResult.MISSING),
        (VAULT, "reads", CheckResult.OK),
        (VAULT, "writes", CheckResult.MISSING),
        (VAULT, "excepts", CheckResult.MISSING),
        (f"{VAULT}-two", "reads", CheckResult.MISSING),
    ],
)
def test_a_role_counts_by_what_it_allows_and_where(scope: str, role: str, verdict: CheckResult) -> None:
    """People make roles of their own; that one is not known here proves nothing."""
    action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    rights = {
        "reads": Right((), (), ("Microsoft.KeyVault/vaults/secrets/*",)),
        "writes": Right(("*",), (), ("Microsoft.KeyVault/vaults/keys/*",)),
        "excepts": Right((), (), ("*",), (action,)),
    }
    around = Around()
    around.assigned = [Assignment(CUSTOM if role in rights else around.assigned[0].role, scope)]
    around.roles = {CUSTOM: rights.get(role, Right(()))}

    assert verdicts(around)[SECRETS] is verdict


def test_a_role_whose_definition_is_hidden_proves_nothing() -> None:
    around = Around(assigned=[Assignment(CUSTOM, VAULT)], refused={"role"})

    assert verdicts(around)[SECRETS] is CheckResult.UNKNOWN


@pytest.mark.parametrize(
    ("permissions", "verdict"),
    [(["Get", "List"], CheckResult.OK), (["all"], CheckResult.OK), (["List"], CheckResult.UNKNOWN)],
)
def test_access_policies_prove_that_a_right_is_there_and_never_that_it_is_not(
    permissions: list[str], verdict: CheckResult
) -> None:
    """One of them may name a group of the identity."""
    policy = {"objectId": PRINCIPAL.upper(), "permissions": {"secrets": permissions}}
    found = verdicts(Around(vault={"accessPolicies": [{"objectId": "another"}, policy]}))

    assert found[SECRETS] is verdict
    assert "read certificates while the pool is written" not in found


def test_a_closed_public_network_was_not_seen() -> None:
    around = Around()
    around.vault["publicNetworkAccess"] = "Disabled"

    assert verdicts(around)["admit the service's addresses"] is CheckResult.UNKNOWN


def test_a_vault_of_another_subscription_was_not_seen() -> None:
    elsewhere = {"properties": {"fabricProfile": {"osProfile": {"secretsManagementSettings": {
        "observedCertificates": ["https://elsewhere.vault.azure.net/secrets/one"]}}}}}  # fmt: skip

    assert verdicts(Around(), pool(elsewhere)) == {"see the vault": CheckResult.UNKNOWN}


@pytest.mark.parametrize(
    ("document", "verdict"), [({"principalId": PRINCIPAL}, CheckResult.OK), ({}, CheckResult.UNKNOWN)]
)
def test_an_identity_that_the_pool_has_of_its_own_is_found_in_the_pool(document: Any, verdict: CheckResult) -> None:
    """Before there is a pool, its identity is not known."""
    wanted = pool({**BODY, "identity": {"type": "SystemAssigned"}})
    world = World({PRIME: Org()})
    world.documents[wanted.pool_id.casefold()] = {"identity": document}

    assert verdicts(Around(), wanted, world)["let fabrikam-managed-pool read secrets"] is verdict


def test_only_who_writes_the_pool_reads_certificates() -> None:
    assert "read certificates while the pool is written" not in verdicts(Around(), replace(pool(), mode=Mode.REPORT))


def test_a_pool_for_github_has_no_tenant_to_compare() -> None:
    around = Around()
    wanted = spec(body=BODY)

    assert {check.place for check in look(around, wanted).value} == {SUBNET, "key vault build-vault"}


checks = st.builds(
    Check,
    st.text(),
    st.text(),
    st.sampled_from(Mode),
    st.sampled_from(CheckResult),
    st.builds(Grant, st.text(), st.text(), st.text(), st.text()),
)
requests = st.builds(
    Change,
    st.just("prerequisites"),
    st.text(),
    st.text(),
    st.sampled_from(Action),
    st.none(),
    st.none(),
    st.sampled_from(Risk),
    st.sampled_from(Route),
)


@given(st.lists(checks, max_size=4).map(tuple))
def test_nothing_is_ever_planned(observed: tuple[Check, ...]) -> None:
    assert prerequisites.diff(Named(subnet=SUBNET), observed) == ()


@given(st.lists(checks, max_size=2).map(tuple), st.lists(requests, max_size=3))
def test_whatever_is_asked_is_refused(observed: tuple[Check, ...], asked: list[Change]) -> None:
    """Also where a diff that is not empty was written; and nothing is written where the guard was not called."""
    refusals = prerequisites.guard(observed, asked, Policy())

    assert [refusal.change for refusal in refusals] == asked
    for change in asked:
        with pytest.raises(Refused, match="are not written"):
            prerequisites.apply(change, World().writers)


def test_what_a_spec_points_to() -> None:
    assert named(pool()) == Named((IDENTITY,), vaults=("build-vault",), subnet=SUBNET)
