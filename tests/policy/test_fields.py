"""Every field of policy/v2: what it allows and what it denies, in other letter case, by id and by another name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.plan.policy import rules as policy_rules
from reconciler.plan.policy.fields import BY_NAME, ROWS, Kind
from tests.facets.world import World
from tests.policy.estate import (
    ANN,
    CAROL,
    CERTIFICATE,
    CLIENT,
    FABRIC,
    FOREIGN_IMAGE,
    GUEST,
    NAME,
    ORGANIZATIONS,
    OTHER_SUBNET,
    PRIME,
    PRODUCTION,
    PROPERTIES,
    SCRIPT,
    SCRIPTS,
    SUBSCRIPTION,
    TAILSPIN,
    changed,
    estate,
    plan,
    rules,
    wide,
)

Json = Any
PRIME_BODY = {"url": f"https://dev.azure.com/{PRIME}", "projects": ["Web", "App"]}
TAILSPIN_BODY = {"url": f"https://{TAILSPIN.upper()}.visualstudio.com/", "projects": []}


def opened() -> Json:
    """Open access in Web: a change that every place of a policy is asked about."""
    return changed((("access", "openAccess"), [{"project": f"{PRIME}/Web", "allow": True}]))


def granted(who: str) -> Json:
    return changed((("access", "roles"), [{"organization": PRIME, "administrators": [who]}]))


def on_queue(role: str) -> Json:
    entry = {"project": f"{PRIME}/Web", role: [ANN]}
    return changed((("access", "queueRoles"), [entry]))


def authorized(pipeline: str | int) -> Json:
    grant = {"project": f"{PRIME}/Web", "pipelines": [pipeline]}
    return changed((("access", "pipelines"), [grant]))


def with_identity(kind: str, *ids: str) -> Json:
    assigned: Json = {"userAssignedIdentities": {one: {} for one in ids}} if ids else {}
    return changed((("pool", "identity"), {"type": kind, **assigned}))


def certificates() -> Json:
    settings = {"observedCertificates": [CERTIFICATE], "keyExportable": False}
    return changed(
        ((*FABRIC, "osProfile"), {"secretsManagementSettings": settings}),
        (("pool", "identity"), {"type": "UserAssigned", "userAssignedIdentities": {PRODUCTION: {}}}),
    )


@dataclass(frozen=True)
class Scene:
    """A change of the spec, and what the policy calls it."""

    field: str
    subject: str
    document: Callable[[], Json]
    others: tuple[str, ...] = ()
    """Patterns that allow it as well."""
    near: tuple[str, ...] = ()
    """Patterns that do not, though they come close."""
    world: Callable[[], World] = estate
    id: str = ""


SCENES = (
    Scene("pools", NAME, opened, near=("fabrikam-managed", "fabrikam-release-*")),
    Scene("subscriptions", SUBSCRIPTION, opened, near=("11111111-2222-3333-4444-55555555555?5",)),
    Scene("resourceGroups", "rg-build", opened, near=("rg-buil",)),
    Scene("organizations", PRIME, opened, near=("fabrikam", "prime", f"github.com/{PRIME}")),
    Scene(
        "organizations",
        TAILSPIN,
        lambda: changed((ORGANIZATIONS, [PRIME_BODY, TAILSPIN_BODY])),
        near=(PRIME, f"https://dev.azure.com/{TAILSPIN}"),
        id="in-the-body",
    ),
    Scene("projects", f"{PRIME}/Web", opened, near=(f"{PRIME}/We", f"{TAILSPIN}/*", "Web")),
    Scene(
        "projects",
        f"{PRIME}/Lab",
        lambda: changed(((*ORGANIZATIONS, 0, "projects"), ["Web", "App", "Lab"])),
        near=(f"{PRIME}/Web",),
        id="in-the-body",
    ),
    Scene(
        "projects",
        f"{PRIME}/*",
        lambda: changed(((*ORGANIZATIONS, 0, "projects"), [])),
        near=(f"{PRIME}/Lab", f"{PRIME}/?", f"{PRIME}/???", f"{PRIME}/[!x]*"),
        id="all",
    ),
    Scene("principals", ANN, lambda: granted(ANN), near=("ann", "*@contoso.com", "*#EXT#*")),
    Scene("principals", GUEST, lambda: granted(GUEST), ("*#ext#@*",), ("*@fabrikam.onmicrosoft.com", "*"), id="guest"),
    Scene(
        "roles",
        f"{PRIME}/Administrator",
        lambda: granted(ANN),
        ("*/administrator", f"{PRIME}/Administrator={ANN}", "*=*@fabrikam.com"),
        (f"{PRIME}/User", f"{PRIME}/Web/Administrator", f"{PRIME}/Administrator=bob@fabrikam.com", "Administrator"),
    ),
    Scene(
        "roles",
        f"{PRIME}/Web/User",
        lambda: on_queue("users"),
        (f"{PRIME}/*/User={ANN.upper()}",),
        (f"{PRIME}/User", f"{PRIME}/App/User", f"{PRIME}/Web/Reader", f"{PRIME}/Web/User={CAROL}"),
        id="on-a-queue",
    ),
    Scene("openAccess", f"{PRIME}/Web", opened, near=(f"{PRIME}/App", f"{PRIME}", f"{TAILSPIN}/*")),
    Scene(
        "pipelines",
        f"{PRIME}/Web/\\release\\nightly",
        lambda: authorized("\\release\\nightly"),
        (f"{PRIME}/Web/41", f"{PRIME}/Web/\\release\\*"),
        (f"{PRIME}/Web/\\nightly", f"{PRIME}/App/*", f"{PRIME}/Web/4"),
    ),
    Scene(
        "pipelines",
        f"{PRIME}/Web/41",
        lambda: authorized(41),
        near=(f"{PRIME}/Web/\\release\\nightly", f"{PRIME}/Web/141"),
        id="by-id",
    ),
    Scene(
        "inheritance",
        PRIME,
        lambda: changed((("access", "roles"), [{"organization": PRIME, "inherit": True}])),
        near=(TAILSPIN, "fabrikam"),
    ),
    Scene(
        "identities",
        PRODUCTION,
        lambda: with_identity("UserAssigned", PRODUCTION.lower()),
        near=("SystemAssigned", "production", PRODUCTION.replace("production", "build")),
    ),
    Scene(
        "identities", "SystemAssigned", lambda: with_identity("SystemAssigned"), near=("/*", "UserAssigned"), id="own"
    ),
    Scene("identities", CLIENT, lambda: changed(((*FABRIC, "images"), [SCRIPT])), near=("/*",), id="of-a-script"),
    Scene(
        "subnets",
        OTHER_SUBNET,
        lambda: changed(
            ((*FABRIC, "networkProfile", "subnetId"), OTHER_SUBNET.replace("resourceGroups", "RESOURCEGROUPS"))
        ),
        near=("none", "databases", OTHER_SUBNET.replace("databases", "agents")),
    ),
    Scene(
        "images",
        FOREIGN_IMAGE,
        lambda: changed(((*FABRIC, "images"), [{"resourceId": FOREIGN_IMAGE}])),
        near=("ubuntu-24.04", FOREIGN_IMAGE.replace("contoso", "fabrikam")),
    ),
    Scene(
        "images",
        "windows-2025",
        lambda: changed(((*FABRIC, "images"), [{"wellKnownImageName": "windows-2025"}])),
        near=("windows", "ubuntu-*", "/*"),
        id="well-known",
    ),
    Scene("certificates", CERTIFICATE, certificates, near=("https://contoso.vault.azure.net/*", "signing")),
    Scene(
        "skus",
        "Standard_D64ads_v5",
        lambda: changed(((*FABRIC, "sku", "name"), "Standard_D64ads_v5")),
        near=("Standard_D2ads_v5", "Standard_D?ads_v5"),
    ),
    Scene(
        "logonTypes",
        "Interactive",
        lambda: changed(((*FABRIC, "osProfile"), {"logonType": "Interactive"})),
        near=("Service", "Inter"),
    ),
    Scene(
        "provisioningScripts",
        f"{SCRIPTS}/scripts/setup.sh",
        lambda: changed(((*FABRIC, "images"), [SCRIPT])),
        near=(SCRIPTS, f"{SCRIPTS}/other/*"),
    ),
    Scene(
        "armApiVersions",
        "2026-09-01-preview",
        lambda: changed((("armApiVersion",), "2026-09-01-preview"), ((*PROPERTIES, "maximumConcurrency"), 5)),
        near=("2026-09-01", "2026-0?-01"),
    ),
)


def _patterns(scene: Scene) -> Mapping[str, tuple[Json, bool]]:
    name = scene.subject
    allowed = {
        "exact": [name],
        "upper-case": [name.upper()],
        "lower-case": [name.lower()],
        "among-others": ["something-else", name],
        "wildcard": [f"{name[:-1]}*"],
        "one-character": [f"?{name[1:]}"],
        **{f"also-{index}": [pattern] for index, pattern in enumerate(scene.others)},
    }
    denied = {
        "empty": [],
        "absent": None,
        "longer": [f"{name}-2"],
        "shorter": [name[1:]],
        **{f"near-{index}": [pattern] for index, pattern in enumerate(scene.near)},
    }
    return {**{key: (one, True) for key, one in allowed.items()}, **{key: (one, False) for key, one in denied.items()}}


CASES = [
    pytest.param(scene, patterns, allowed, id=f"{scene.field}{'-' if scene.id else ''}{scene.id}-{key}")
    for scene in SCENES
    for key, (patterns, allowed) in _patterns(scene).items()
    if not (scene.field == "pools" and patterns is None)  # an entry without pools is no entry
    if not (scene.id == "all" and key == "one-character")
]


@pytest.mark.parametrize(("scene", "patterns", "allowed"), CASES)
def test_a_field_allows_what_it_names_and_nothing_else(scene: Scene, patterns: Json, allowed: bool) -> None:
    policy = wide(**{scene.field: patterns})

    found = plan(scene.document(), policy, scene.world())

    rule = BY_NAME[scene.field].rule
    if allowed:
        assert (rules(found), bool(found.changes)) == (set(), True)
        return
    assert rules(found) == {rule}
    assert all(re.search(r" \(policy:\d+( does not name it)?\)$", one.message) for one in found.refusals)


@pytest.mark.parametrize("scene", SCENES, ids=[f"{one.field}-{one.id}" for one in SCENES])
def test_a_file_that_names_nothing_allows_nothing(scene: Scene) -> None:
    """Deny by default: an entry that is about the pool, and says no more."""
    nothing = dict.fromkeys([row.name for row in ROWS if row.name != "pools"])

    found = plan(scene.document(), wide(**nothing), scene.world())

    assert found.changes == ()
    assert found.refusals


# --- flags and numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "allowed"), [(1000, True), (10_000, True), (999, False), (4, False), (0, False), (None, False)]
)
def test_a_pool_is_raised_to_no_more_machines_than_allowed(most: int | None, allowed: bool) -> None:
    found = plan(changed(((*PROPERTIES, "maximumConcurrency"), 1000)), wide(maxConcurrency=most))

    assert rules(found) == (set() if allowed else {"policy-max-concurrency"})


@pytest.mark.parametrize("most", [0, 3])
def test_a_pool_may_always_be_lowered_or_kept(most: int) -> None:
    """What it has already is carried on, whatever the policy says now."""
    lowered = plan(changed(((*PROPERTIES, "maximumConcurrency"), 2)), wide(maxConcurrency=most))
    kept = plan(changed((("pool", "tags"), {"team": "build"})), wide(maxConcurrency=most))

    assert [(rules(found), len(found.changes)) for found in (lowered, kept)] == [(set(), 1)] * 2


@pytest.mark.parametrize(("flag", "allowed"), [(True, True), (False, False), (None, False)])
def test_a_pool_is_created_only_where_that_is_allowed(flag: bool | None, allowed: bool) -> None:
    found = plan(changed(), wide(createPools=flag), estate(pools=False))

    assert rules(found) == (set() if allowed else {"policy-create-pools"})


@pytest.mark.parametrize(("flag", "allowed"), [(True, True), (False, False), (None, False)])
def test_a_person_is_added_to_an_organization_only_where_that_is_allowed(flag: bool | None, allowed: bool) -> None:
    found = plan(granted(CAROL), wide(materialise=flag))

    assert rules(found) == (set() if allowed else {"policy-materialise"})


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        ([f"{PRIME}/{NAME}#7"], True),
        ([f"{PRIME}/{NAME}#7".upper()], True),
        ([f"{PRIME}/*#7"], True),
        ([f"{PRIME}/{NAME}#*"], True),
        ([f"{PRIME}/{NAME}#17"], False),
        ([f"{PRIME}/{NAME}#"], False),
        ([f"{PRIME}/{NAME}"], False),
        ([f"{TAILSPIN}/{NAME}#7"], False),
        ([], False),
        (None, False),
    ],
)
def test_an_agent_pool_is_named_with_its_id(patterns: list[str] | None, allowed: bool) -> None:
    policy = wide(agentPools=patterns).for_pool(NAME)

    found = [rule for rule, _ in policy_rules.agent_pool(policy, PRIME, NAME, 7)]

    assert found == ([] if allowed else ["policy-agent-pools"])


def test_every_field_has_its_cases() -> None:
    """`replacePools` and `maxRoleRemovals` have theirs beside the guards that hold them."""
    scenes = {scene.field for scene in SCENES}
    flags = {row.name for row in ROWS if row.kind is not Kind.PATTERNS}

    assert {row.name for row in ROWS} - scenes - flags == {"agentPools", "replacePools"}
    assert len(CASES) > 250
