"""What both services say to requests that no handler ever sees."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.emulator.wire import POOLS, PROVIDER, SUBSCRIPTION, UNREGISTERED, Wire, body

POOL = f"{POOLS}/old-pool"
AGENT_POOLS = "/fabrikam-prime/_apis/distributedtask/pools"


def test_arm_knows_no_such_route(wire: Wire) -> None:
    answer = wire.arm("GET", f"{POOL}/wheels")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "InvalidResourceType")


def test_azure_devops_knows_no_such_route(wire: Wire) -> None:
    answer = wire.devops("GET", "/fabrikam-prime/_apis/wheels")
    assert answer.status_code == 404
    assert answer.json()["eventId"] == 3000


def test_a_method_that_a_route_does_not_have_is_405_and_names_those_it_has(wire: Wire) -> None:
    answers = (wire.arm("POST", POOL), wire.devops("PUT", AGENT_POOLS))
    assert [answer.status_code for answer in answers] == [405, 405]
    assert answers[0].headers["Allow"] == "DELETE, GET, PATCH, PUT"
    assert "GET" in answers[1].headers["Allow"]


def test_a_body_that_is_no_json_is_400(wire: Wire) -> None:
    headers = {"Content-Type": "application/json"}
    arm = wire.arm("PUT", f"{POOLS}/p-new", data=b"{'a'", headers=headers)
    devops = wire.devops("POST", AGENT_POOLS, data=b"{'a'", headers=headers)
    assert (arm.status_code, arm.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert devops.status_code == 400
    assert devops.json()["typeKey"]


def test_a_body_that_is_json_but_no_object_is_400(wire: Wire) -> None:
    answer = wire.put("p-new", [1])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_a_content_type_other_than_json_is_415(wire: Wire) -> None:
    headers = {"Content-Type": "text/plain"}
    arm = wire.arm("PUT", f"{POOLS}/p-new", data=b"{}", headers=headers)
    devops = wire.devops("POST", AGENT_POOLS, data=b"{}", headers=headers)
    assert (arm.status_code, arm.json()["error"]["code"]) == (415, "UnsupportedMediaType")
    assert (devops.status_code, devops.json()["typeKey"]) == (415, "VssRequestContentTypeNotSupportedException")


def test_a_body_of_more_than_four_megabytes_is_413(wire: Wire) -> None:
    large = {"location": "x" * (4 * 1024 * 1024)}
    assert wire.put("p-new", large).status_code == 413
    assert wire.devops("POST", AGENT_POOLS, large).status_code == 413


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (POOL.replace(SUBSCRIPTION, "00000000-0000-0000-0000-000000000000"), "SubscriptionNotFound"),
        (POOL.replace("rg-build", "rg-none"), "ResourceGroupNotFound"),
        (f"{POOLS}/none", "ResourceNotFound"),
    ],
)
def test_arm_says_what_it_is_that_does_not_exist(wire: Wire, path: str, code: str) -> None:
    answer = wire.arm("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)
    assert answer.headers["x-ms-failure-cause"] == "gateway"


def test_an_unregistered_provider_is_409_until_somebody_registers_it(wire: Wire) -> None:
    """The SDK's own policy reads this code and registers."""
    pools = f"/subscriptions/{UNREGISTERED}{PROVIDER}/pools"
    refused = wire.arm("GET", pools)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    provider = f"/subscriptions/{UNREGISTERED}{PROVIDER}"
    assert wire.arm("GET", provider, version="2021-04-01").json()["registrationState"] == "NotRegistered"
    assert wire.arm("POST", f"{provider}/register", version="2021-04-01").json()["registrationState"] == "Registered"
    assert wire.arm("GET", pools).status_code == 200


@pytest.mark.parametrize(
    ("version", "code"), [(None, "MissingApiVersionParameter"), ("2020-01-01", "InvalidResourceType")]
)
def test_arm_wants_an_api_version_that_the_provider_has(wire: Wire, version: str | None, code: str) -> None:
    answer = wire.arm("GET", POOL, version=version)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_names_in_paths_and_queries_are_found_whatever_their_case(wire: Wire) -> None:
    path = POOL.upper()
    answer = wire.arm("GET", f"{path}?API-VERSION=2026-06-02", version=None)
    assert (answer.status_code, answer.json()["name"]) == (200, "old-pool")


@pytest.mark.parametrize("version", ["2024-10-19", "2025-01-21", "2025-09-20", "2026-06-02", "2023-12-13-preview"])
def test_every_published_api_version_is_taken(wire: Wire, version: str) -> None:
    assert wire.arm("GET", POOL, version=version).status_code == 200


def test_azure_devops_takes_the_version_from_the_query_or_the_accept_header(wire: Wire) -> None:
    path = "/fabrikam-prime/_apis/connectionData"
    by_header = {"Accept": "application/json;api-version=7.1-preview.1"}
    assert wire.devops("GET", path, version="7.1-preview.1").status_code == 200
    answer = wire.devops("GET", path, version=None, headers=by_header)
    assert answer.status_code == 200
    assert "api-version=7.1-preview.1" in answer.headers["Content-Type"]


@pytest.mark.parametrize("carrier", ["query", "header"])
def test_a_preview_only_route_wants_the_preview_flag(wire: Wire, carrier: str) -> None:
    path = "/fabrikam-prime/_apis/connectionData"
    headers = {"Accept": "application/json;api-version=7.1"} if carrier == "header" else {}
    answer = wire.devops("GET", path, version="7.1" if carrier == "query" else None, headers=headers)
    assert (answer.status_code, answer.json()["typeKey"]) == (400, "VssInvalidPreviewVersionException")
    assert 'The requested version "7.1" of the resource is under preview' in answer.json()["message"]


@pytest.mark.parametrize(
    ("version", "key"),
    [("9.9", "VssVersionOutOfRangeException"), ("seven", "VssInvalidApiResourceVersionException")],
)
def test_a_version_that_azure_devops_does_not_have_is_400(wire: Wire, version: str, key: str) -> None:
    answer = wire.devops("GET", AGENT_POOLS, version=version)
    assert (answer.status_code, answer.json()["typeKey"]) == (400, key)


def test_azure_devops_wants_a_version_with_every_write(wire: Wire) -> None:
    answer = wire.devops("POST", AGENT_POOLS, {"name": "x"}, version=None)
    assert (answer.status_code, answer.json()["typeKey"]) == (400, "VssVersionNotSpecifiedException")
    assert wire.devops("GET", AGENT_POOLS, version=None).status_code == 200


def test_answers_carry_the_ids_that_support_asks_for(wire: Wire) -> None:
    arm = wire.arm("GET", POOL, headers={"x-ms-client-request-id": "mine"}).headers
    assert arm["x-ms-client-request-id"] == "mine"
    assert arm["x-ms-request-id"] != arm["x-ms-routing-request-id"]
    assert arm["x-ms-ratelimit-remaining-subscription-reads"] == "11999"
    assert arm["ETag"].startswith('"')
    devops = wire.devops("GET", AGENT_POOLS, headers={"X-TFS-Session": "mine"}).headers
    assert devops["X-TFS-Session"] == "mine"
    assert {"ActivityId", "X-VSS-E2EID", "X-VSS-UserData"} <= set(devops)


def test_a_connection_stays_open_from_request_to_request(wire: Wire) -> None:
    wire.do.reset_log()
    parts = urlsplit(wire.running.arm)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    for _ in range(5):
        connection.request("GET", f"{POOL}?api-version=2026-06-02", headers={"Authorization": "Bearer arm-op"})
        assert connection.getresponse().read()
    connection.close()
    assert wire.do.counters()["arm"] == {"reads": 5, "writes": 0, "connections": 1}


def test_a_crash_of_a_handler_is_a_500_and_no_hang(wire: Wire, capfd: pytest.CaptureFixture[str]) -> None:
    """An estate is not checked as strictly as a PUT, so that one can look at what cannot be; this body has no images."""
    estate = wire.do.state()
    del estate["subscriptions"][0]["pools"][0]["properties"]["fabricProfile"]["images"]
    wire.do.replace(estate)
    answer = wire.arm("GET", POOL)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "InternalServerError")
    assert "KeyError" in capfd.readouterr().err


def test_a_write_after_all_this_still_works(wire: Wire) -> None:
    assert wire.created("p-new", body())["properties"]["provisioningState"] == "Succeeded"
