"""The policy that `policy init` writes: the plan under it is the plan without one, and nothing beyond the specs passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reconciler.plan import guards
from reconciler.plan.model import Change
from reconciler.plan.policy import Policy, load, problems, uses
from reconciler.plan.policy.model import folded
from reconciler.plan.targets import CreatePool, OpenAccess, PipelineAuthorization, UpdatePool
from reconciler.spec import loader
from reconciler.spec.model import Organization, Spec
from reconciler.tools.policy import draft_policy, text
from tests.examples import tries
from tests.policy.estate import (
    ANN,
    BASE,
    CERTIFICATE,
    CLIENT,
    FABRIC,
    FOREIGN_IMAGE,
    GUEST,
    IDENTITY,
    NAME,
    ORGANIZATIONS,
    OTHER_SUBNET,
    PRIME,
    PRODUCTION,
    PROPERTIES,
    SCRIPT,
    SUBNET,
    TAILSPIN,
    changed,
    differing,
    estate,
    parsed,
    plan,
    rules,
)

Json = Any
EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "specs").iterdir())


def generated(*documents: Mapping[str, Json]) -> Policy:
    return load(text(draft_policy([parsed(one) for one in documents]).allow).encode())


PLACES = st.sampled_from([f"{PRIME}/Web", f"{PRIME}/App", f"{PRIME}/Lab"])
WHO = st.sampled_from([ANN, GUEST, "carol@fabrikam.com", f"[{PRIME}]\\Platform"])


def _some(item: st.SearchStrategy[Json], most: int = 2) -> st.SearchStrategy[list[Json]]:
    return st.lists(item, max_size=most, unique_by=lambda one: one if isinstance(one, str) else one["project"])


ORGANIZATION_LISTS: st.SearchStrategy[Json] = st.tuples(
    st.lists(st.sampled_from(["Web", "App"]), unique=True), st.sampled_from([{}, {"openAccess": True}]), st.booleans()
).map(
    lambda drawn: [
        {"url": f"https://dev.azure.com/{PRIME}", "projects": drawn[0], **drawn[1]},
        *([{"url": f"https://{TAILSPIN}.visualstudio.com", "projects": []}] if drawn[2] else []),
    ]
)
ACCESS = st.fixed_dictionaries({
    "openAccess": _some(st.builds(lambda place, allow: {"project": place, "allow": allow}, PLACES, st.booleans())),
    "pipelines": _some(
        st.builds(
            lambda place, one: {"project": place, "pipelines": [one]}, PLACES, st.sampled_from([41, "\\release\\nightly"])
        )
    ),
    "roles": st.builds(
        lambda who, inherit: [{"organization": PRIME, "administrators": who, "inherit": inherit}],
        st.lists(WHO, min_size=1, max_size=2, unique=True),
        st.booleans(),
    ),
    "queueRoles": _some(
        st.builds(lambda place, role, who: {"project": place, role: [who]}, PLACES, st.sampled_from(["users", "readers"]), WHO)
    ),
})  # fmt: skip
IMAGES = st.sampled_from([
    [{"wellKnownImageName": "ubuntu-24.04"}],
    [{"wellKnownImageName": "windows-2025"}],
    [{"resourceId": FOREIGN_IMAGE}],
    [SCRIPT],
])  # fmt: skip
CERTIFICATES = {"secretsManagementSettings": {"observedCertificates": [CERTIFICATE], "keyExportable": False}}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Json]:
    """A spec of the one pool that uses any of what a policy limits."""
    organizations = draw(ORGANIZATION_LISTS)
    listed = [f"{PRIME}/{name}" for one in organizations[:1] for name in one["projects"]]
    access = {
        section: [one for one in entries if section == "roles" or not listed or one["project"] in listed]
        for section, entries in draw(ACCESS).items()
    }
    return changed(
        ((*PROPERTIES, "maximumConcurrency"), draw(st.integers(2, 1000))),
        (ORGANIZATIONS, organizations),
        ((*FABRIC, "images"), draw(IMAGES)),
        ((*FABRIC, "sku"), {"name": draw(st.sampled_from(["Standard_D2ads_v5", "Standard_D64ads_v5"]))}),
        ((*FABRIC, "networkProfile", "subnetId"), draw(st.sampled_from([SUBNET, OTHER_SUBNET, SUBNET.lower()]))),
        ((*FABRIC, "osProfile"), draw(st.sampled_from([{}, {"logonType": "Interactive"}, CERTIFICATES]))),
        (
            ("pool", "identity"),
            {"type": "UserAssigned", "userAssignedIdentities": {draw(st.sampled_from([IDENTITY, PRODUCTION])): {}}},
        ),
        (("access",), access),
    )


VALID = documents()


def organization(spec: Spec, name: str) -> Organization:
    return next(one for one in spec.organizations if one.name == name)


@settings(deadline=None, max_examples=tries(20, soaked=40))
@given(VALID, st.booleans())
def test_the_plan_under_a_generated_policy_is_the_plan_without_a_policy(document: dict[str, Json], there: bool) -> None:
    without = plan(document, Policy(), estate(pools=there))

    found = plan(document, generated(document), estate(pools=there))

    assert differing(found) == differing(without)
    assert without.changes


def spellings(change: Change) -> list[Change]:
    """The change as specs may name it: a pipeline by its id or its path, which a policy does not tell apart."""
    if not isinstance(change.target, PipelineAuthorization):
        return [change]
    return [replace(change, target=replace(change.target, pipeline=one)) for one in (41, "\\release\\nightly")]


@settings(deadline=None, max_examples=tries(30, soaked=60), phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(VALID, VALID, st.booleans())
def test_nothing_beyond_the_specs_passes(known: dict[str, Json], other: dict[str, Json], there: bool) -> None:
    """Of another spec passes what the known one names as well, and nothing else; by the guards, which know no policy."""
    policy, spec = generated(known), parsed(known)
    spec = replace(spec, organizations=tuple(replace(one, silent=frozenset()) for one in spec.organizations))
    allowed = uses.of_creation(spec.body)
    world = estate(pools=there)

    found = plan(other, policy, world)

    for change in found.changes:
        if isinstance(change.target, CreatePool | UpdatePool):
            before = next(iter(world.documents.values()), {})
            used = uses.of_update(change.target.body) if there else uses.of_creation(change.target.body)
            had = uses.of_update(before) if there else {}
            for name, values in used.items():
                if name not in ("organizations", "projects", "open_access", "principals", "inheritance"):
                    fold = {folded(one) for one in (*allowed[name], *had.get(name, ()))}
                    assert {folded(one) for one in values} <= fold, name
            most = max(uses.machines(spec.body) or 0, (uses.machines(before) or 0) if there else 0)
            assert (uses.machines(change.target.body) or 0) <= most
        elif not change.narrows:
            refused = [guards.refuse(spec, [one], Policy(materialise=True), today=None) for one in spellings(change)]
            wide = isinstance(change.target, OpenAccess) and organization(spec, change.target.place.organization)
            named = wide and not wide.projects and wide.open_access  # no pattern says all but one
            assert named or () in map(tuple, refused), change.subject


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_has_a_policy_under_which_it_is_created(path: Path) -> None:
    loaded = loader.load({path.name: path.read_bytes()})
    written = text(draft_policy(loaded.specs).allow, ("a comment with a\nline break",)).encode()

    assert problems(written) == ()
    assert [one.given["pools"] for one in load(written).allow] == [(spec.name,) for spec in loaded.specs]


def test_pools_that_use_the_same_share_an_entry() -> None:
    twin = changed((("name",), "fabrikam-twin"))

    assert [one.given["pools"] for one in draft_policy([parsed(twin), parsed(BASE)]).allow] == [(NAME, "fabrikam-twin")]


def test_another_pool_is_not_allowed_what_the_first_one_is() -> None:
    """Each entry is about its pools alone."""
    one = changed((("access",), {"openAccess": [{"project": f"{PRIME}/Web", "allow": True}]}))
    twin = changed((("name",), "fabrikam-twin"))

    policy = generated(one, twin)

    assert policy.for_pool(NAME).open_access == (f"{PRIME}/Web",)
    assert policy.for_pool("Fabrikam-Twin").open_access == ()
    assert policy.for_pool("fabrikam-third").pools == ()
    assert set(policy.anywhere.pools or ()) == {NAME, "fabrikam-twin"}


def test_a_project_that_a_spec_closes_is_not_opened_by_its_policy() -> None:
    """Where a spec means all projects, no pattern says all but one, and a note tells so."""
    closed = (("access", "openAccess"), [{"project": f"{PRIME}/Web", "allow": False}])
    some = changed(((*ORGANIZATIONS, 0, "openAccess"), True), closed)
    every = changed(((*ORGANIZATIONS, 0, "projects"), []), closed, base=some)

    assert generated(some).for_pool(NAME).open_access == (f"{PRIME}/App",)
    assert draft_policy([parsed(some)]).notes == ()
    assert draft_policy([parsed(every)]).notes == (
        f"{NAME}: openAccess: {PRIME}/* allows {PRIME}/Web too, which the spec closes",
    )


def test_consent_and_wildcards_are_left_to_a_person() -> None:
    """What is refused without a policy is not allowed by a generated one, and a name is never taken for a pattern."""
    document = changed(
        (("replace",), "allowed"),
        (("armApiVersion",), "2026-09-01-preview"),
        (("access", "roles"), [{"organization": PRIME, "administrators": ["a*@fabrikam.com"]}]),
    )

    draft = draft_policy([parsed(document)])

    assert sorted(draft.notes) == [
        f"{NAME}: names armApiVersion 2026-09-01-preview; name that in armApiVersions to agree",
        f"{NAME}: principals: a*@fabrikam.com is left out: as a pattern it would match others",
        f"{NAME}: roles: {PRIME}/Administrator=a*@fabrikam.com is left out: as a pattern it would match others",
        f"{NAME}: says replace: allowed; name it in replacePools to agree that it is deleted",
    ]
    assert not {"replace_pools", "arm_api_versions", "principals", "roles", "materialise"} & draft.allow[0].given.keys()


NAMED = [
    ((("pool", "identity"), {"type": "UserAssigned", "userAssignedIdentities": {PRODUCTION: {}}}), "identities"),
    (((*FABRIC, "networkProfile", "subnetId"), OTHER_SUBNET), "subnets"),
    (((*FABRIC, "images"), [{"resourceId": FOREIGN_IMAGE}]), "images"),
    (((*PROPERTIES, "maximumConcurrency"), 1000), "max-concurrency"),
    (((*FABRIC, "osProfile"), {"logonType": "Interactive"}), "logon-types"),
    ((("access",), {"pipelines": [{"project": f"{PRIME}/Web", "pipelines": [41]}]}), "pipelines"),
    ((("access",), {"roles": [{"organization": PRIME, "inherit": True}]}), "inheritance"),
    (((*FABRIC, "images"), [SCRIPT]), "identities"),
]
NAMES = ["identity", "subnet", "image", "machines", "interactive", "pipeline", "inheritance", "script"]


@pytest.mark.parametrize(("edit", "rule"), NAMED, ids=NAMES)
def test_what_passed_under_the_tightest_policy_is_refused_by_a_generated_one(edit: Any, rule: str) -> None:
    """A production identity, another subnet, a foreign image, 1,000 machines, a desktop, a pipeline, inherited roles."""
    found = plan(changed(edit), generated(BASE))

    assert (rules(found), found.changes) == ({f"policy-{rule}"}, ())
    assert CLIENT not in str(generated(BASE))


TIGHTEST = b"""
subscriptions: [11111111-2222-3333-4444-555555555555]
resourceGroups: [rg-build]
organizations: [fabrikam-prime]
projects: [fabrikam-prime/*]
principals: []
openAccess: false
createPools: false
"""


@pytest.mark.parametrize(("edit", "rule"), NAMED, ids=NAMES)
def test_the_old_format_keeps_its_meaning(edit: Any, rule: str) -> None:
    """What policy/v1 has no field for is allowed there, as it was, under the tightest one."""
    found = plan(changed(edit), load(TIGHTEST))

    assert (rules(found), len(found.changes)) == (set(), 1), rule
