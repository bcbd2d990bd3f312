"""The published Python SDK, as it is, against the emulator; only its https-only policy is replaced by one for http."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.mgmt.devopsinfrastructure import DevOpsInfrastructureMgmtClient
from azure.mgmt.devopsinfrastructure.models import Pool

from tests.emulator.wire import GROUP, SUBSCRIPTION, VERSION, Wire, body, organizations

PRIME: dict[str, Any] = {"url": "https://dev.azure.com/fabrikam-prime", "projects": ["dev"], "openAccess": True}


class Fixed:
    """A credential with one token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        del scopes, more
        return AccessToken(self._token, 2**33)


class OverHttp(BearerTokenCredentialPolicy[Any, Any]):
    """The SDK refuses to send a token over http; on loopback it is let."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options["enforce_https"] = False
        super().on_request(request)


def client(wire: Wire, **more: Any) -> DevOpsInfrastructureMgmtClient:
    credential = Fixed(wire.running.tokens["arm"])
    policy = OverHttp(credential, "https://management.azure.com/.default")
    more = {"api_version": VERSION, "polling_interval": 0, **more}
    return DevOpsInfrastructureMgmtClient(
        credential, SUBSCRIPTION, base_url=wire.running.arm, authentication_policy=policy, **more
    )


@pytest.fixture
def sdk(wire: Wire) -> Iterator[DevOpsInfrastructureMgmtClient]:
    for kind in ("create", "update", "delete"):
        wire.do.switch(f"arm.{kind}-seconds", 0.1)
    # Without Retry-After the SDK polls at its own interval, here none.
    wire.do.switch("arm.retry-after", 0)
    with client(wire) as found:
        yield found


def test_a_pool_is_created_by_the_poller(wire: Wire, sdk: DevOpsInfrastructureMgmtClient) -> None:
    """With Retry-After as the service declares it: the poller waits its second."""
    wire.do.switch("arm.retry-after", 1)
    raw = body(organizationProfile=organizations(PRIME))
    created = sdk.pools.begin_create_or_update(GROUP, "p-sdk", Pool(raw)).result()
    assert created.properties is not None
    assert created.properties.provisioning_state == "Succeeded"
    assert created["properties"]["organizationProfile"]["kind"] == "AzureDevOps"
    assert wire.do.state()["organizations"][0]["agentPools"][1]["queues"][0]["openAccess"]


def test_the_poller_resumes_from_its_token(wire: Wire, sdk: DevOpsInfrastructureMgmtClient) -> None:
    wire.do.switch("arm.create-seconds", 60)
    token = sdk.pools.begin_create_or_update(GROUP, "p-sdk", body(), polling=True).continuation_token()
    wire.do.settle()
    with client(wire) as again:
        resumed = again.pools.begin_create_or_update(GROUP, "p-sdk", body(), continuation_token=token)
        assert resumed.result().name == "p-sdk"


def test_a_failed_creation_is_an_exception_with_the_code_of_the_operation(sdk: DevOpsInfrastructureMgmtClient) -> None:
    raw = body(organizationProfile=organizations({"url": "https://dev.azure.com/nobody-here"}))
    with pytest.raises(HttpResponseError) as caught:
        sdk.pools.begin_create_or_update(GROUP, "p-sdk", raw).result()
    assert caught.value.error is not None
    assert caught.value.error.code == "PoolProvisioningFailed"


def test_read_modify_put_keeps_what_the_model_does_not_know(wire: Wire, sdk: DevOpsInfrastructureMgmtClient) -> None:
    """SDK 1.0.0 has no runtimeConfiguration; its models carry unknown keys both ways."""
    wire.created("p-sdk", body(runtimeConfiguration={"workFolder": "/w"}))
    found = sdk.pools.get(GROUP, "p-sdk")
    assert found.properties is not None
    found.properties.maximum_concurrency = 4
    found.tags = {"team": "build"}
    changed = sdk.pools.begin_create_or_update(GROUP, "p-sdk", found).result()
    assert changed["properties"]["runtimeConfiguration"] == {"workFolder": "/w"}
    assert changed.tags == {"team": "build"}


def test_update_and_delete_follow_the_location_header(wire: Wire, sdk: DevOpsInfrastructureMgmtClient) -> None:
    updated = sdk.pools.begin_update(GROUP, "old-pool", {"tags": {"a": "b"}}).result()
    assert updated.tags == {"a": "b"}
    sdk.pools.begin_delete(GROUP, "old-pool").result()
    with pytest.raises(ResourceNotFoundError):
        sdk.pools.get(GROUP, "old-pool")
    sdk.pools.begin_delete(GROUP, "old-pool").result()
    assert wire.do.state()["subscriptions"][0]["pools"] == []


def test_lists_follow_next_links(wire: Wire, sdk: DevOpsInfrastructureMgmtClient) -> None:
    for name in ("p-a", "p-b"):
        wire.created(name, body(organizationProfile=organizations({"url": PRIME["url"]})))
    wire.do.switch("arm.page-size", 1)
    assert [pool.name for pool in sdk.pools.list_by_subscription()] == ["old-pool", "p-a", "p-b"]
    assert [pool.name for pool in sdk.pools.list_by_resource_group(GROUP)] == ["old-pool", "p-a", "p-b"]


def test_the_other_operations_of_the_sdk_work(sdk: DevOpsInfrastructureMgmtClient) -> None:
    assert next(iter(sdk.sku.list_by_location("eastus")))["properties"]["family"]
    assert next(iter(sdk.subscription_usages.usages("eastus"))).limit
    assert next(iter(sdk.image_versions.list_by_image(GROUP, "ubuntu-24.04")))["properties"]["version"]
    assert next(iter(sdk.operations.list())).name
    assert list(sdk.resource_details.list_by_pool(GROUP, "old-pool")) == []


def test_the_default_api_version_of_the_sdk_is_served(wire: Wire) -> None:
    with client(wire, api_version="2024-10-19") as old:
        assert old.pools.get(GROUP, "old-pool").name == "old-pool"
