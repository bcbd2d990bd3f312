"""A list that lost an entry never means more: it is left out as a whole, named, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from reconciler.tools.spec_writer import Draft
from tests.shell import Shell
from tests.tools.convert.samples import (
    CERTIFICATE,
    CREATOR,
    IDENTITY,
    MACHINES,
    ONE,
    SECRETS,
    SUBSCRIPTION,
    bicep,
    converted,
    fabric,
    left_out,
    profile,
    resource,
    template,
)

Json = Any
HERE = ("--subscription", SUBSCRIPTION, "--resource-group", "rg-build")
UNKNOWN = "UNKNOWN"
"""Stands in these samples where a file has a parameter without a value."""

OTHER = IDENTITY.replace("/build", "/other")
GITHUB: Json = {"kind": "GitHub", "organizations": [{"url": "https://github.com/fabrikam"}]}
DAYS: Json = [{"08:00:00": 1, "18:00:00": 0}, *[{} for _ in range(6)]]


def _organization(**more: Json) -> Json:
    return {"organizationProfile": {**profile([{**ONE[0], **more}]), "permissionProfile": CREATOR}}


def _accounts(**lists: Json) -> Json:
    return {"organizationProfile": profile(ONE, {"kind": "SpecificAccounts", **lists})}


def _days(days: Json) -> Json:
    predictions = {"timeZone": "UTC", "daysData": days}
    manual = {"kind": "Manual"}
    return {
        "agentProfile": {
            "kind": "Stateless",
            "resourcePredictionsProfile": manual,
            "resourcePredictions": predictions,
        },
        "maximumConcurrency": 4,
    }


LISTS: list[tuple[str, Json, Json, str]] = [
    ("only project", _organization(projects=[UNKNOWN]), {}, "organizations[0].projects"),
    ("one project of two", _organization(projects=["dev", UNKNOWN]), {}, "organizations[0].projects"),
    ("users", _accounts(users=["ann@fabrikam.com", UNKNOWN]), {}, "permissionProfile.users"),
    ("groups", _accounts(groups=[UNKNOWN], users=["ann@fabrikam.com"]), {}, "permissionProfile.groups"),
    (
        "repositories",
        {
            "organizationProfile": {
                **GITHUB,
                "organizations": [{**GITHUB["organizations"][0], "repositories": [UNKNOWN]}],
            }
        },
        {},
        "organizations[0].repositories",
    ),
    (
        "organizations",
        {"organizationProfile": {**profile(ONE), "organizations": [ONE[0], UNKNOWN]}},
        {},
        "organizationProfile.organizations",
    ),
    (
        "images",
        {"fabricProfile": {**fabric(), "images": [*MACHINES["images"], UNKNOWN]}},
        {},
        "fabricProfile.images",
    ),
    (
        "aliases",
        {"fabricProfile": {**fabric(), "images": [{**MACHINES["images"][0], "aliases": ["win", UNKNOWN]}]}},
        {},
        "images[0].aliases",
    ),
    (
        "certificates",
        {
            "fabricProfile": fabric(
                secretsManagementSettings={**SECRETS, "observedCertificates": [CERTIFICATE, UNKNOWN]}
            )
        },
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}},
        "observedCertificates",
    ),
    ("day of a week", _days([*DAYS[:3], UNKNOWN, *DAYS[4:]]), {}, "daysData"),
    ("hour of a day", _days([{"08:00:00": 1, "18:00:00": UNKNOWN}, *DAYS[1:]]), {}, "daysData"),
    (
        "identities",
        {},
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}, OTHER: UNKNOWN}}},
        "userAssignedIdentities",
    ),
]
NAMES = [row[0] for row in LISTS]


def _replaced(value: Json, unknown: Json) -> Json:
    if isinstance(value, dict):
        return {key: _replaced(item, unknown) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, unknown) for item in value]
    return unknown if value == UNKNOWN else value


def _with_parameter(properties: Json, more: Json) -> dict[str, str]:
    return {"a.json": template(_replaced(properties, "[parameters('missing')]"), **_replaced(more, "[utcNow()]"))}


def _with_expression(properties: Json, more: Json) -> dict[str, str]:
    return {"a.json": template(_replaced(properties, "[concat('a', 'b')]"), **_replaced(more, "[concat('a', 'b')]"))}


def _with_dots(properties: Json, more: Json) -> dict[str, str]:
    return {"a.json": template(properties, **more).replace(f'"{UNKNOWN}"', "...")}


def _bicep(properties: Json, more: Json) -> dict[str, str]:
    return {"a.bicep": "param missing string\n" + resource(properties, **more).replace(f"'{UNKNOWN}'", "missing")}


def _interpolated(properties: Json, more: Json) -> dict[str, str]:
    text = resource(properties, **more).replace(f"'{UNKNOWN}'", "'${missing}-x'")
    return {"a.bicep": "param missing string\n" + text}


def _ternary(properties: Json, more: Json) -> dict[str, str]:
    text = resource(properties, **more).replace(f"'{UNKNOWN}'", "wide ? 'a' : 'b'")
    return {"a.bicep": "param wide bool = true\n" + text}


def _through_variable(properties: Json, more: Json) -> dict[str, str]:
    text = f"param missing string\nvar all = {bicep(properties)}\n" + resource({"x": 1}, **more)
    text = text.replace("properties: {\nx: 1\n}", "properties: all")
    return {"a.bicep": text.replace(f"'{UNKNOWN}'", "missing")}


def _through_module(properties: Json, more: Json) -> dict[str, str]:
    """As `bicep build` compiles a module: the outer template passes the properties to the inner one."""
    inner = json.loads(template({}, **_replaced(more, "[parameters('missing')]")))
    inner["parameters"] = {"all": {"type": "object"}}
    inner["resources"][0]["properties"] = "[parameters('all')]"
    passed = {"all": {"value": _replaced(properties, "[parameters('missing')]")}}
    call = {
        "type": "Microsoft.Resources/deployments",
        "properties": {
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": passed,
            "template": inner,
        },
    }
    return {"a.json": json.dumps({"parameters": {"missing": {"type": "string"}}, "resources": [call]})}


ROUTES = [
    _with_parameter,
    _with_expression,
    _with_dots,
    _bicep,
    _interpolated,
    _ternary,
    _through_variable,
    _through_module,
]


def _find(value: Json, key: str) -> list[Json]:
    """Everything that stands under this key, at any depth."""
    if isinstance(value, list):
        return [found for item in value for found in _find(item, key)]
    if not isinstance(value, dict):
        return []
    return [item for name, item in value.items() if name == key] + [
        found for item in value.values() for found in _find(item, key)
    ]


@pytest.mark.parametrize("route", ROUTES, ids=[one.__name__.strip("_") for one in ROUTES])
@pytest.mark.parametrize(("properties", "more", "named"), [row[1:] for row in LISTS], ids=NAMES)
def test_a_list_with_an_unknown_entry_is_left_out_as_a_whole(
    route: Callable[[Json, Json], dict[str, str]], properties: Json, more: Json, named: str
) -> None:
    files = route(properties, more)
    draft = converted(files)

    path = next(iter(files))
    lines = [line for line in left_out(draft) if f"{named}: " in line]
    assert len(lines) == 1, left_out(draft)
    assert "all of it, because of entry " in lines[0] or "has dots where its value belongs" in lines[0]
    assert lines[0].startswith(f"left out: {path}:")
    assert _find(draft.document, named.rpartition(".")[2].partition("[")[0]) == [], "no shorter list stands there"


INVALID: list[tuple[str, Json, Json, str]] = [
    ("empty project", _organization(projects=["dev", ""]), {}, "projects"),
    ("null for a project", _organization(projects=[None]), {}, "projects"),
    ("project that is a number", _organization(projects=[4]), {}, "projects"),
    ("project twice", _organization(projects=["dev", "Dev"]), {}, "projects"),
    ("user in two lines", _accounts(users=["ann@fabrikam.com", "bob\n"]), {}, "users"),
    ("expression that is a text", _organization(projects=["[[x]"]), {}, "projects"),
    ("organization without url", {"organizationProfile": profile([*ONE, {"projects": []}])}, {}, "organizations"),
    (
        "image of nothing",
        {"fabricProfile": {**fabric(), "images": [{"buffer": "*"}, *MACHINES["images"]]}},
        {},
        "images",
    ),
    ("hour that is none", _days([{"08:00:00": 1, "9 o'clock": 0}, *DAYS[1:]]), {}, "daysData"),
    (
        "identity that is none",
        {},
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}, "build": {}}}},
        "userAssignedIdentities",
    ),
]


@pytest.mark.parametrize(("properties", "more", "key"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID])
def test_a_list_with_an_invalid_entry_is_left_out_as_a_whole(properties: Json, more: Json, key: str) -> None:
    draft = converted({"a.json": template(properties, **more)})

    assert [line for line in left_out(draft) if key in line and line.startswith("left out: a.json:1: ")] != []
    assert _find(draft.document, key) == []


def test_what_replaces_properties_and_is_unknown_takes_them_along() -> None:
    """A spread may hold the very list that stands before it."""
    text = resource(_organization(projects=["dev"])).replace("projects: [\n'dev'\n]", "projects: [\n'dev'\n]\n...more")
    known = converted({"a.bicep": "var more = {\nparallelism: 2\n}\n" + text})
    partly = converted({"a.bicep": "param missing string\nvar more = {\nprojects: [missing]\n}\n" + text})
    unknown = converted({"a.bicep": "param more object\n" + text})

    assert _find(known.document, "projects") == [["dev"]]
    assert _find(known.document, "parallelism") == [4], "what stands after a spread wins"
    assert _find(partly.document, "projects") == []
    assert _find(unknown.document, "projects") == []
    assert any("projects: ...more may replace it" in line for line in left_out(partly)), left_out(partly)
    assert any("more has no value here" in line for line in left_out(unknown)), left_out(unknown)


@pytest.mark.parametrize("name", ["a.json", "a.bicep"])
def test_nothing_is_written_until_it_is_asked_for(shell: Shell, name: str) -> None:
    properties = {"maximumConcurrency": 4, **_organization(projects=[UNKNOWN])}
    route = _with_parameter if name == "a.json" else _bicep
    shell.write(name, route(properties, {})[name])

    refused = shell.run("convert", name, *HERE)
    as_json = shell.run("convert", name, *HERE, "--output", "json")
    partial = shell.run("convert", name, *HERE, "--partial")
    whole = json.dumps({"parameters": {"missing": {"value": "dev"}}})
    shell.write("p.json", whole)
    complete = shell.run("convert", name, "--parameters", "p.json", *HERE)

    assert (refused.code, refused.out) == (1, "")
    named = [line for line in refused.err.splitlines() if line.startswith("error: fabrikam-managed-pool: left out: ")]
    assert len(named) == 1
    assert f"{name}:" in named[0]
    assert "organizations[0].projects" in named[0]
    assert as_json.code == 1
    (one,) = as_json.document["specs"]
    assert (one["name"], one["document"], len(one["leftOut"])) == ("fabrikam-managed-pool", None, 1)
    assert partial.code == 2
    assert "projects:" not in "".join(line for line in partial.out.splitlines() if not line.lstrip().startswith("#"))
    assert f"# {named[0].partition('pool: ')[2]}" in partial.out
    assert complete.code == 0
    assert _find(yaml.safe_load(complete.out), "projects") == [["dev"]]
    assert "left out" not in complete.out + complete.err


def test_harmless_notes_leave_a_spec_complete(shell: Shell) -> None:
    slip = {"url": ONE[0]["url"], "projects": "dev"}
    text = template({"organizationProfile": profile([slip]), "provisioningState": "Succeeded"}, dependsOn=[])
    shell.write("a.json", text)

    done = shell.run("convert", "a.json", *HERE)

    assert done.code == 0
    assert "projects is one text, dev; written as the list that it has to be" in done.err
    assert "not written, set by the service: properties.provisioningState" in done.err
    assert "not written, part of no spec: dependsOn" in done.err
    assert "left out" not in done.err


def test_nulls_are_absent_and_those_of_unknown_names_are_named(shell: Shell) -> None:
    """As `az resource show` prints a pool."""
    printed = {
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-other/providers/x/pools/fabrikam-az",
        "name": "fabrikam-az",
        "type": "Microsoft.DevOpsInfrastructure/pools",
        "location": "eastus",
        "identity": None,
        "managedBy": None,
        "createdTime": "2026-06-01T00:00:00Z",
        "properties": {**_organization(projects=["dev"], alias=None), "newer": None},
    }
    shell.write("a.json", json.dumps(printed))

    done = shell.run("convert", "a.json", *HERE)

    assert done.code == 0
    assert "not written, null: managedBy, properties.newer" in done.err
    assert "not written, part of no spec: id, createdTime" in done.err
    assert "is in resource group rg-other; rg-build is written" in done.err
    assert _find(yaml.safe_load(done.out), "projects") == [["dev"]]


def test_a_draft_counts_what_it_lacks_once() -> None:
    draft = Draft({"a": 1})
    draft.leave_out(("a",), "x")
    draft.leave_out(("a",), "x")

    assert draft.left_out == ["left out: x"]
    assert draft.notes == [(("a",), "left out: x")]
