"""What a change of one property does: whom it lets in or takes something from, by its old and new value."""

from __future__ import annotations

import pytest

from reconciler.documents import Json
from reconciler.facets.support import mutability
from reconciler.facets.support.body_rules import objections, touched
from reconciler.facets.support.mutability import TABLE, PropertyRule, Way
from reconciler.plan.model import Detail, Risk

ORGANIZATION = "organizationProfile.organizations[fabrikam]"
PROJECTS, IDENTITIES = f"{ORGANIZATION}.projects", "identity.userAssignedIdentities"
IMAGES, SCRIPT = "fabricProfile.images", "fabricProfile.images[ubuntu].provisioningScriptEntryPoint"


@pytest.mark.parametrize(
    ("path", "before", "after", "risk"),
    [
        ("maximumConcurrency", 4, 3, Risk.NARROWS),
        ("maximumConcurrency", 4, 4, Risk.NEUTRAL),
        ("maximumConcurrency", 1, 2, Risk.NEUTRAL),
        ("maximumConcurrency", 1, None, Risk.NARROWS),
        ("maximumConcurrency", None, 1, Risk.NEUTRAL),
        ("maximumConcurrency", None, 0, Risk.NEUTRAL),
        ("maximumConcurrency", None, None, Risk.NEUTRAL),
        (ORGANIZATION, None, {}, Risk.WIDENS),
        (ORGANIZATION, {}, None, Risk.NARROWS),
        (ORGANIZATION, {}, {"a": 1}, Risk.NEUTRAL),
        (PROJECTS, [], ["Web"], Risk.NARROWS),
        (PROJECTS, None, ["Web"], Risk.NARROWS),
        (PROJECTS, ["Web"], [], Risk.WIDENS),
        (PROJECTS, ["Web"], None, Risk.WIDENS),
        (PROJECTS, ["Web"], ["WEB", "Api"], Risk.WIDENS),
        (PROJECTS, ["Web", "Api"], ["web"], Risk.NARROWS),
        (PROJECTS, ["Web"], ["Api"], Risk.NARROWS),
        (IDENTITIES, [], ["/one"], Risk.WIDENS),
        (IDENTITIES, None, ["/one"], Risk.WIDENS),
        (IDENTITIES, ["/one"], None, Risk.NARROWS),
        (IDENTITIES, ["/one"], ["/ONE", "/two"], Risk.WIDENS),
        (IDENTITIES, ["/one"], ["/two"], Risk.NARROWS),
        ("fabricProfile.sku.name", "a", "b", Risk.RESTARTS),
        ("tags.a", "a", "b", Risk.NEUTRAL),
    ],
)
def test_a_change_is_judged_by_both_values(path: str, before: Json, after: Json, risk: Risk) -> None:
    assert mutability.row_for(path).judge(before, after) is risk


@pytest.mark.parametrize(
    ("path", "before", "after", "grants"),
    [
        (PROJECTS, ["Web"], ["Api"], True),
        (PROJECTS, ["Web", "Api"], ["web"], False),
        (PROJECTS, [], ["Web"], False),
        (PROJECTS, ["Web"], ["Web", "Api"], False),
        (IDENTITIES, ["/one"], ["/two"], True),
        (IDENTITIES, ["/one"], ["/ONE"], False),
        (IDENTITIES, ["/one", "/two"], None, False),
        ("tags", ["a"], ["b"], False),
    ],
)
def test_a_list_that_takes_from_some_may_give_to_others(path: str, before: Json, after: Json, grants: bool) -> None:
    assert mutability.row_for(path).grants(before, after) is grants


@pytest.mark.parametrize(
    ("path", "before", "after", "brings"),
    [
        (IMAGES, ["a"], ["a", "b"], True),
        (IMAGES, ("a", "b"), ("B",), False),
        (SCRIPT, "run.sh", "other.sh", True),
        (SCRIPT, None, "run.sh", True),
        (SCRIPT, "", "run.sh", True),
        (SCRIPT, "run.sh", "RUN.sh", False),
        (SCRIPT, "run.sh", "", False),
        (SCRIPT, "run.sh", None, False),
        ("fabricProfile.sku.name", "a", "b", False),
    ],
)
def test_code_that_was_not_there_is_brought(path: str, before: Json, after: Json, brings: bool) -> None:
    assert mutability.row_for(path).brings_code(before, after) is brings


def test_a_property_that_is_newer_than_the_version_or_unknown_is_not_documented() -> None:
    tomorrow = mutability.row_for("fabricProfile.tomorrow", "2026-06-02")
    early = mutability.row_for("runtimeConfiguration.a", "2025-09-19")

    for row, path, version in [
        (tomorrow, "fabricProfile.tomorrow", "2026-06-02"), (early, "runtimeConfiguration.a", "2025-09-19"),
    ]:  # fmt: skip
        assert (row.path, row.way, row.since) == (path, Way.UNKNOWN, version)
        assert row.judge(1, 2) is Risk.RESTARTS
        assert row.note == "what an update does is not documented"
    assert mutability.row_for("runtimeConfiguration.a", "2025-09-20").way is Way.IN_PLACE


def test_a_field_of_a_later_release_counts_as_granting() -> None:
    unknown = Detail("properties.tomorrow", 1, 2, Risk.NEUTRAL)
    known = Detail(PROJECTS, 1, 2, Risk.NARROWS, note="n")

    assert mutability.beyond_this_release(known) is known
    found = mutability.beyond_this_release(unknown)
    assert (found.path, found.before, found.after) == ("properties.tomorrow", 1, 2)
    assert (found.risk, found.note) == (Risk.WIDENS, "not known to this release")


def test_names_and_defaults_go_by_the_last_part_of_a_path() -> None:
    assert mutability.names(Way.SERVICE) == {"provisioningState", "isEphemeral", "ipAddresses"}
    assert mutability.names(Way.SERVICE, Way.REPLACE) == {
        "provisioningState", "isEphemeral", "ipAddresses", "location",
    }  # fmt: skip
    assert {"tags", "identity", "runtimeConfiguration"} <= mutability.names(Way.IN_PLACE)
    assert mutability.names() == frozenset()
    defaults = mutability.defaults()
    assert (defaults["parallelism"], defaults["keyExportable"], defaults["timeZone"]) == (0, False, "UTC")
    assert len(defaults) == len({row.path.rpartition(".")[2] for row in TABLE if row.default is not None})


def test_the_table_says_what_an_absent_value_means() -> None:
    rows = mutability.table().splitlines()

    assert rows[0] == "| property | how it is changed | since | absent in ARM's response | |"
    assert rows[1] == "| --- | --- | --- | --- | --- |"
    assert "| `location` | only by a new pool | 2024-10-19 |  |  |" in rows
    assert any("| means `false` |" in row and "keyExportable" in row for row in rows)
    assert any("| means `UTC` | stand-by agents only |" in row for row in rows)
    assert any("| says nothing | counts while a pool is created |" in row for row in rows)
    assert len(rows) == len(TABLE) + 2


def test_a_rule_of_no_list_grants_nothing() -> None:
    rule = PropertyRule("x", Way.IN_PLACE)

    assert not rule.grants(["a"], ["b"])
    assert not rule.brings_code(["a"], ["b"])


# --- rules of a whole body -----------------------------------------------------------------------------------------


def body(**properties: Json) -> dict[str, Json]:
    return {"location": "westeurope", "properties": {"maximumConcurrency": 2, **properties}}


def test_a_body_is_held_to_the_rules_of_specs_but_for_what_it_carries_on() -> None:
    wrong = body(maximumConcurrency=0)

    assert list(objections(body())) == []
    ((rule, reason),) = objections(wrong)
    assert rule == "invalid-body"
    assert reason.startswith("the body to be sent is invalid: pool.properties.maximumConcurrency ")
    assert list(objections(wrong, body())) == [(rule, reason)]
    assert list(objections(wrong, wrong)) == []
    assert list(objections({**body(), "etag": 7, "name": None})) == [], "what is not sent does not count"
    assert list(objections({**body(), "tags": None, "properties": {"maximumConcurrency": None}})) == []
    absent = body(agentProfile={"kind": "Stateless", "resourcePredictions": {"daysData": [{"08:00:00": None}]}})
    assert list(objections(absent)) == [], "a null means absent, in lists too"


def test_a_field_that_is_not_known_is_let_through_for_a_newer_version_alone() -> None:
    newer = body(tomorrowProfile={"a": 1})

    assert [rule for rule, _ in objections(newer)] == ["invalid-body"]
    assert list(objections(newer, version="2099-01-01")) == []
    assert list(objections(newer, newer)) == []
    wrong = body(maximumConcurrency=0, tomorrowProfile={"a": 1})
    assert len(list(objections(wrong, version="2099-01-01"))) == 1
    assert list(objections(wrong, wrong, "2099-01-01")) == []


def test_where_two_documents_differ() -> None:
    before = {"properties": {"a": {"b": 1, "c": [1]}, "same": 1}, "tags": {"x": 1}, "gone": 1}
    after = {"properties": {"a": {"b": 2, "c": [1, 2]}, "same": 1}, "tags": {"x": 1}, "new": None}

    assert list(touched(before, after, ())) == ["gone", "a.b", "a.c"]
    assert list(touched({}, {"b": 1}, ("a",))) == ["a.b"]
    assert list(touched({"a": {"b": 1}, "c": 1}, {"a": 1, "c": {"d": 1}}, ())) == ["a", "c"]
    assert list(touched(after, after, ())) == []
