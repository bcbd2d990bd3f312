"""What a spec leaves out is what ARM has: each field by itself, absent, null and empty told apart."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.spec.loader import load
from reconciler.spec.model import Organization, Spec
from reconciler.spec.settled import created_in_silence, settled
from tests.scenarios.drafts import POOL, PRIME, organization, spec

ABSENT = object()
SILENT = frozenset({"projects", "alias"})


def written(**fields: Any) -> Spec:
    """The spec of a pool for one organization; a field that is `ABSENT` is not in the file."""
    profile = fields.pop("profile", ABSENT)
    one = {**organization(PRIME), **fields}
    document = spec(POOL, [{key: value for key, value in one.items() if value is not ABSENT}])
    if profile is not ABSENT:
        document["pool"]["properties"]["organizationProfile"]["alias"] = profile
    loaded = load({"spec.yaml": str(document).encode()})
    assert not loaded.problems, loaded.problems
    return loaded.specs[0]


def observed(profile: Any = ABSENT, url: str = f"https://{PRIME}.VisualStudio.com/", **fields: Any) -> dict[str, Any]:
    """The resource as ARM has it."""
    given = {"kind": "AzureDevOps", "organizations": [{"url": url, **fields}]}
    if profile is not ABSENT:
        given["alias"] = profile
    return {"properties": {"organizationProfile": given}}


def only(found: Spec) -> Organization:
    (one,) = found.organizations
    return one


@pytest.mark.parametrize(
    ("desired", "arms", "projects"),
    [
        (ABSENT, ["Web"], ("Web",)),
        (ABSENT, [], ()),
        (ABSENT, None, ()),
        ([], ["Web"], ()),
        (["Api"], ["Web"], ("Api",)),
        (["Api"], [], ("Api",)),
    ],
)
def test_projects(desired: Any, arms: Any, projects: tuple[str, ...]) -> None:
    one = only(settled(written(projects=desired), observed(projects=arms)))
    assert (one.projects, one.silent) == (projects, frozenset())


@pytest.mark.parametrize(
    ("alias", "profile", "arms_alias", "arms_profile", "agent_pool"),
    [
        (ABSENT, ABSENT, ABSENT, ABSENT, POOL),
        (ABSENT, ABSENT, "own", ABSENT, "own"),
        (ABSENT, ABSENT, ABSENT, "shared", "shared"),
        (ABSENT, ABSENT, "own", "shared", "own"),
        (ABSENT, ABSENT, None, "", POOL),
        (ABSENT, "desired", ABSENT, "shared", "desired"),
        (ABSENT, "desired", "own", "shared", "own"),
        ("desired", ABSENT, "own", "shared", "desired"),
        ("desired", "other", "own", "shared", "desired"),
    ],
)
def test_alias(alias: Any, profile: Any, arms_alias: Any, arms_profile: Any, agent_pool: str) -> None:
    fields = {} if arms_alias is ABSENT else {"alias": arms_alias}
    one = only(settled(written(alias=alias, profile=profile), observed(arms_profile, **fields)))
    assert (one.agent_pool, one.silent) == (agent_pool, frozenset())


@pytest.mark.parametrize("document", [None, {}, {"properties": None}, observed(url="https://dev.azure.com/another")])
def test_where_arm_has_no_such_organization_its_projects_stay_unknown(document: Any) -> None:
    """The alias of a creation is the pool's name; its projects are not guessed."""
    one = only(settled(written(projects=ABSENT), document))
    assert (one.agent_pool, one.silent) == (POOL, frozenset({"projects"}))
    assert only(settled(written(), document)).silent == frozenset()


def test_the_profiles_alias_in_arm_counts_for_another_organization() -> None:
    one = only(settled(written(), observed("shared", url="https://dev.azure.com/another")))
    assert one.agent_pool == "shared"


def test_what_is_not_read_stays_silent() -> None:
    assert only(written(projects=ABSENT)).silent == SILENT
    assert only(written(alias="own")).silent == frozenset()


@pytest.mark.parametrize("field", ["projects", "alias", "openAccess", "parallelism"])
def test_null_is_refused_on_both_planes(field: str) -> None:
    document = spec(POOL, [organization(PRIME)])
    document["pool"]["properties"]["organizationProfile"]["organizations"][0][field] = None
    (problem,) = load({"spec.yaml": str(document).replace("None", "null").encode()}).problems
    assert "has no value; write one, or remove the field" in problem.message


def test_only_a_new_organization_of_azure_devops_needs_a_list() -> None:
    body = written(projects=ABSENT).body
    github = {
        "properties": {"organizationProfile": {"kind": "GitHub", "organizations": [{"url": "https://github.com/x"}]}}
    }

    assert [rule for rule, _ in created_in_silence(body, {})] == ["projects-not-named"]
    assert list(created_in_silence(body, observed(projects=["Web"]))) == []
    assert list(created_in_silence(written(projects=[]).body, {})) == []
    assert list(created_in_silence(github, {})) == []


@pytest.mark.parametrize(
    ("state", "leaving"), [("Deleting", True), ("deleting", True), ("Updating", False), (None, False)]
)
def test_whether_arm_deletes_the_pool_is_known_of_each_organization(state: str | None, *, leaving: bool) -> None:
    document = observed(projects=["Web"])
    document["properties"]["provisioningState"] = state

    for named in (written(projects=["Web"], alias="Builds"), written()):
        assert only(settled(named, document)).leaving is leaving


def test_a_name_of_an_agent_pool_that_the_caller_gives_counts_whatever_the_spec_says() -> None:
    named = written(projects=["Web"], alias="Builds")

    assert only(settled(named, observed(), {PRIME: "Production"})).agent_pool == "Production"
    assert settled(named, observed(), {PRIME: "Builds"}) is named
    assert settled(named, None) is named
