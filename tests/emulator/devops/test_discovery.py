"""How clients find their way, and what the audit log and the hooks say."""

from __future__ import annotations

import pytest

from emulator.devops.routes import ROUTES
from tests.emulator.devops.fabrikam import Caller

HOOKS = "/_apis/hooks/subscriptions"
HOOK = {
    "publisherId": "tfs",
    "eventType": "git.push",
    "consumerId": "webHooks",
    "consumerActionId": "httpRequest",
    "publisherInputs": {},
    "consumerInputs": {"url": "http://127.0.0.1:9/push", "httpHeaders": "X-Key: hunter2", "basicAuthPassword": "x"},
}


def test_every_location_leads_to_a_route(operator: Caller) -> None:
    """A location whose template has no route would be a promise that the table cannot keep."""
    table = operator.values("OPTIONS", "/_apis")
    served = [route.template.lower().split("/") for route in ROUTES]

    for one in table:
        known = {"{area}": one["area"], "{resource}": one["resourceName"]}
        filled = one["routeTemplate"]
        for placeholder, value in known.items():
            filled = filled.replace(placeholder, value)
        parts = f"/{{organization}}/{filled.lower()}".split("/")
        fits = any(_fits(parts, template) or _fits(parts[:-1], template) for template in served)
        assert fits, one["routeTemplate"]
    assert len({one["id"] for one in table}) == len(table)


def _fits(parts: list[str], template: list[str]) -> bool:
    return len(parts) == len(template) and all(
        wanted == found or wanted.startswith("{") for found, wanted in zip(parts, template, strict=True)
    )


def test_the_table_is_found_whatever_the_case_of_the_organization(operator: Caller) -> None:
    assert operator.at("PRIME").values("OPTIONS", "/_apis") == operator.values("OPTIONS", "/_apis")
    assert operator.at("nowhere").call("OPTIONS", "/_apis").status_code == 404


def test_areas_are_none_or_all(operator: Caller) -> None:
    assert operator.values("GET", "/_apis/ResourceAreas") == []
    operator.do.switch("devops.resource-areas", "full")
    areas = operator.values("GET", "/_apis/ResourceAreas")

    assert {one["name"] for one in areas} > {"distributedtask", "build", "core", "Graph", "IMS"}
    assert all(one["locationUrl"].endswith("/") for one in areas)
    assert operator.ok("GET", f"/_apis/ResourceAreas/{areas[0]['id']}") == areas[0]
    assert operator.call("GET", "/_apis/ResourceAreas/x").status_code == 404


def test_the_caller_learns_their_local_id(operator: Caller) -> None:
    found = operator.ok("GET", "/_apis/ConnectionData")

    assert found["authenticatedUser"]["id"] == operator.local("operator")
    plain = operator.refused("GET", "/_apis/ConnectionData", version="7.1")
    assert plain == (400, "VssInvalidPreviewVersionException")


@pytest.mark.parametrize(
    ("path", "preview"),
    [
        ("/_apis/projects", False),
        ("/_apis/distributedtask/pools", False),
        ("/dev/_apis/distributedtask/queues", False),
        ("/dev/_apis/pipelines/pipelinepermissions/queue/70", True),
        ("/dev/_apis/build/authorizedresources", True),
        ("/_apis/securityroles/scopes/distributedtask.agentpoolrole/roledefinitions", True),
    ],
)
def test_preview_only_routes_want_the_word(operator: Caller, path: str, preview: bool) -> None:
    """Which are released is known from the service's own table."""
    assert operator.call("GET", path, version="7.1").status_code == (400 if preview else 200)
    assert operator.call("GET", path, version="7.2-preview.1").status_code == 200


def test_the_audit_log_is_newest_first_in_batches(root: Caller) -> None:
    for name in ("one", "two", "three"):
        root.do.edit("create-project", organization="prime", name=name)
    path = "/_apis/audit/auditlog"
    first = root.ok("GET", path, batchSize=2)
    rest = root.ok("GET", path, batchSize=2, continuationToken=first["continuationToken"])

    names = [e["projectName"] for e in first["decoratedAuditLogEntries"] + rest["decoratedAuditLogEntries"]]
    assert names == ["three", "two", "one"]
    assert (first["hasMore"], rest["hasMore"]) == (True, False)
    moment = first["decoratedAuditLogEntries"][1]["timestamp"]
    later = root.ok("GET", path, startTime=moment)["decoratedAuditLogEntries"]
    assert [e["projectName"] for e in later] == ["three", "two"]
    earlier = root.ok("GET", path, endTime="2020-01-01T00:00:00")["decoratedAuditLogEntries"]
    assert earlier == []
    assert root.refused("GET", path, startTime="yesterday") == (400, "ArgumentException")
    assert root.by("operator").refused("GET", path) == (403, "AccessDeniedException")


def test_the_audit_log_can_be_wrapped_or_switched_off(root: Caller) -> None:
    root.do.switch("devops.audit", "off")
    root.do.edit("create-project", organization="prime", name="quiet")
    assert root.ok("GET", "/_apis/audit/auditlog")["decoratedAuditLogEntries"] == []
    root.do.switch("devops.audit-wrapped", "on")
    answer = root.session.get(
        f"{root.running.devops}/prime/_apis/audit/auditlog?api-version=7.1-preview.1",
        headers={"Authorization": "Bearer devops-root"},
        timeout=20,
    )
    assert list(answer.json()) == ["value"]


def test_a_third_stream_to_one_kind_of_target_is_refused(root: Caller) -> None:
    path = "/_apis/audit/streams"
    body = {"consumerType": "AzureEventGrid", "consumerInputs": {"EventGridTopicAccessKey": "hunter2"}}
    made = [root.ok("POST", path, body) for _ in range(2)]

    assert "hunter2" not in str(made)
    assert root.refused("POST", path, body) == (400, "ArgumentException")
    assert root.refused("POST", path, {"consumerType": "Pigeon"}) == (400, "ArgumentException")
    assert root.refused("PUT", f"{path}/{made[0]['id']}", status="sleepy") == (400, "ArgumentException")
    assert root.refused("GET", f"{path}/99") == (404, "AuditStreamNotFoundException")
    assert root.ok("GET", f"{path}/{made[0]['id']}")["consumerType"] == "AzureEventGrid"


def test_what_a_hook_keeps_secret_comes_back_masked(root: Caller) -> None:
    made = root.ok("POST", HOOKS, HOOK)

    assert "hunter2" not in str(made)
    assert "hunter2" not in str(root.ok("GET", f"{HOOKS}/{made['id']}"))
    assert root.values("GET", HOOKS, publisherId="rm") == []
    assert root.refused("GET", f"{HOOKS}/unknown") == (404, "SubscriptionNotFoundException")


@pytest.mark.parametrize(("url", "status"), [("http://127.0.0.1:9/x", 400), ("https://example.org/x", 200)])
def test_targets_on_loopback_can_be_refused_as_the_service_does(root: Caller, url: str, status: int) -> None:
    root.do.switch("devops.hook-loopback", "refused")
    assert root.call("POST", HOOKS, {**HOOK, "consumerInputs": {"url": url}}).status_code == status
    local = {**HOOK, "consumerInputs": {"url": "http://localhost/x"}}
    assert root.call("POST", HOOKS, local).status_code == 400


@pytest.mark.parametrize(
    "body", [None, {}, {**HOOK, "eventType": ""}, {**HOOK, "consumerInputs": {}}, {**HOOK, "consumerInputs": 5}]
)
def test_a_hook_is_not_made_of_nonsense(root: Caller, body: object) -> None:
    assert root.refused("POST", HOOKS, body)[0] == 400
    assert root.values("GET", HOOKS) == []
    assert root.by("operator").refused("POST", HOOKS, HOOK) == (403, "AccessDeniedException")


def test_what_happens_is_published_as_it_happens(operator: Caller) -> None:
    operator.ok("POST", "/_apis/distributedtask/pools", {"name": "fresh"})
    published = [one["event"] for one in operator.do.events(source="audit")]

    assert published[-1]["actionId"] == "Library.AgentPoolCreated"
    assert published[-1]["data"]["AgentPoolName"] == "fresh"
    assert published[-1]["actorDisplayName"] == "Pool Operator"
