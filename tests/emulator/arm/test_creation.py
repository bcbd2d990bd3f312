from __future__ import annotations

import re
from typing import Any

from tests.emulator.wire import POOLS, Wire, body, organizations

PRIME = {"url": "https://dev.azure.com/fabrikam-prime", "projects": ["dev"]}
SECOND = {"url": "https://dev.azure.com/fabrikam-second"}


def test_a_creation_runs_from_accepted_over_provisioning_to_succeeded(wire: Wire) -> None:
    """The course that was recorded of the service; `Provisioning` is no terminal word for a poller."""
    answer = wire.put("p-new", body())
    assert answer.status_code == 201
    assert answer.json()["properties"]["provisioningState"] == "Accepted"
    assert wire.operation(answer)["status"] == "Provisioning"
    assert "endTime" not in wire.operation(answer)
    wire.do.advance(1.2)
    assert wire.pool("p-new")["properties"]["provisioningState"] == "Provisioning"
    wire.do.advance(1)
    done = wire.operation(answer)
    assert (done["status"], done["properties"]) == ("Succeeded", None)
    assert done["endTime"] > done["startTime"]
    assert wire.pool("p-new")["properties"]["provisioningState"] == "Succeeded"


def test_the_answer_carries_the_headers_of_the_recording(wire: Wire) -> None:
    answer = wire.put("p-new", body())
    status, result = answer.headers["Azure-AsyncOperation"], answer.headers["Location"]
    form = (
        r".*/providers/Microsoft.DevOpsInfrastructure/locations/EASTUS/operationStatuses/[0-9a-f-]{36}\*[0-9A-F]{64}\?"
    )
    assert re.match(form, status)
    assert {"t=", "c=", "s=", "h="} <= {part[:2] for part in status.split("?")[1].split("&")}
    assert "/providers/Microsoft.CloudTest/locations/eastus/operations/" in result
    assert answer.headers["x-ms-providerhub-traffic"] == "True"
    assert answer.headers["Retry-After"] == "1"
    wire.do.settle()
    assert wire.arm("GET", result).json()["name"] == "p-new"


def test_retry_after_can_be_left_out(wire: Wire) -> None:
    """Clients then wait for as long as they like: az for 30 s."""
    wire.do.switch("arm.retry-after", 0)
    assert "Retry-After" not in wire.put("p-new", body()).headers


def test_a_changed_signature_is_refused_and_an_unknown_operation_not_found(wire: Wire) -> None:
    url = wire.put("p-new", body()).headers["Azure-AsyncOperation"]
    assert wire.arm("GET", url[:-1] + ("0" if url[-1] != "0" else "1")).status_code == 403
    assert wire.arm("GET", url.split("?")[0]).status_code == 403
    assert wire.arm("GET", re.sub(r"\*[0-9A-F]{64}", "*00", url)).status_code == 404


def test_creation_makes_agent_pool_queue_and_open_access_in_azure_devops(wire: Wire) -> None:
    wire.put("p-new", body())
    assert _agent_pools(wire, "fabrikam-prime") == ["old-pool"], "nothing is there before the operation ends"
    wire.do.settle()
    pool = _agent_pool(wire, "fabrikam-prime", "p-new")
    assert [queue["project"] for queue in pool["queues"]] == ["dev"]
    assert pool["queues"][0]["openAccess"]


def test_creation_by_somebody_unknown_to_the_organization_fails_inside_the_operation(wire: Wire) -> None:
    profile = organizations(SECOND)
    answer = wire.put("p-new", body(organizationProfile=profile), token="arm-ann")
    assert answer.status_code == 201
    wire.do.settle()
    failed = wire.operation(answer)
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "PoolProvisioningFailed")
    assert "was not found in the Azure DevOps organization provided" in failed["error"]["message"]
    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 404
    assert wire.arm("GET", answer.headers["Location"]).status_code == 409


def test_a_failed_creation_can_leave_the_pool_behind(wire: Wire) -> None:
    wire.do.switch("arm.failed-create", "kept")
    wire.put("p-new", body(organizationProfile=organizations({"url": "https://dev.azure.com/nobody-here"})))
    wire.do.settle()
    assert wire.pool("p-new")["properties"]["provisioningState"] == "Failed"


def test_where_one_organization_fails_the_others_are_as_before(wire: Wire) -> None:
    nobody = {"url": "https://dev.azure.com/nobody-here", "parallelism": 2}
    profile = organizations({**PRIME, "parallelism": 2}, nobody)
    answer = wire.put("p-new", body(organizationProfile=profile))
    wire.do.settle()
    assert wire.operation(answer)["status"] == "Failed"
    assert _agent_pools(wire, "fabrikam-prime") == ["old-pool"]


def test_a_pool_without_listed_projects_gets_a_queue_in_every_project(wire: Wire) -> None:
    wire.created("p-new", body(organizationProfile=organizations({"url": PRIME["url"]})))
    pool = _agent_pool(wire, "fabrikam-prime", "p-new")
    assert sorted(queue["project"] for queue in pool["queues"]) == ["dev", "test"]


def test_an_alias_names_the_agent_pool_unless_switched_off(wire: Wire) -> None:
    wire.created("p-new", body(organizationProfile=organizations({**PRIME, "alias": "Builders"})))
    assert "Builders" in _agent_pools(wire, "fabrikam-prime")
    wire.do.switch("arm.alias-names-pool", False)
    wire.created("p-two", body(organizationProfile=organizations(PRIME, alias="Others")))
    assert _agent_pools(wire, "fabrikam-prime") == ["old-pool", "Builders", "p-two"]


def test_the_old_form_of_an_organizations_url_is_the_same_organization(wire: Wire) -> None:
    wire.created("p-new", body(organizationProfile=organizations({"url": "https://fabrikam-second.visualstudio.com/"})))
    assert _agent_pools(wire, "fabrikam-second") == ["p-new"]


def test_a_pool_of_github_makes_nothing_in_azure_devops(wire: Wire) -> None:
    profile = {"kind": "GitHub", "organizations": [{"url": "https://github.com/fabrikam"}]}
    assert wire.created("p-new", body(organizationProfile=profile))["properties"]["organizationProfile"] == profile
    assert _agent_pools(wire, "fabrikam-prime") == ["old-pool"]


def test_system_data_says_who_created_and_who_changed_last(wire: Wire) -> None:
    wire.created("p-new", body())
    wire.put("p-new", body(maximumConcurrency=4), token="arm-pools")
    found = wire.pool("p-new")["systemData"]
    assert (found["createdByType"], found["lastModifiedByType"]) == ("ManagedIdentity", "User")
    assert found["lastModifiedBy"] == "pools@fabrikam.com"
    assert found["lastModifiedAt"] > found["createdAt"]


def test_assigned_identities_get_their_ids_filled_in(wire: Wire) -> None:
    name = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi"
    raw = {**body(), "identity": {"type": "UserAssigned", "userAssignedIdentities": {name: {}}}}
    found = wire.created("p-new", raw)["identity"]
    assert set(found["userAssignedIdentities"][name]) == {"principalId", "clientId"}
    both = {**body(), "identity": {**raw["identity"], "type": "SystemAssigned,UserAssigned"}}
    assert wire.created("p-new", both)["identity"].keys() >= {"principalId", "tenantId"}


def _agent_pools(wire: Wire, organization: str) -> list[str]:
    for found in wire.do.state()["organizations"]:
        if found["name"] == organization:
            return [pool["name"] for pool in found["agentPools"]]
    raise LookupError(organization)


def _agent_pool(wire: Wire, organization: str, name: str) -> dict[str, Any]:
    found = next(item for item in wire.do.state()["organizations"] if item["name"] == organization)
    return dict(next(pool for pool in found["agentPools"] if pool["name"] == name))
