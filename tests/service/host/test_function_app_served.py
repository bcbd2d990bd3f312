"""The real function app, served: told by events, asked by HTTP, on a file and on a storage account."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.blob import ContainerClient

from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.service.host.host import Host, ServeOptions
from reconciler.service.host.run import host
from reconciler.service.triggers import composition
from tests.contract.azurite import Azurite
from tests.deployment import CANARY, Deployment, deployed, enforce, spec, until
from tests.service.host.serving import Serving, serving

KEY = f"function-{CANARY}"


def of(environment: Mapping[str, str], options: ServeOptions) -> Host:
    """A host with one context behind it and the functions alike."""
    hosting = Hosting.read(environment)
    context = composition.build(Settings.read(environment, beneath=state(environment)), hosting)
    composition.use(context)
    enforce(context)
    return host(hosting, context.queues, options)


@contextmanager
def served(deployment: Deployment) -> Iterator[Serving]:
    """In this process, whose environment says nothing of it."""
    with serving(of(deployment.environment, ServeOptions(port=0, timers=False, retry=0.1, grace=30.0))) as running:
        yield running


@pytest.fixture(params=["file", "storage"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Deployment, Serving]]:
    more = {"RECONCILER_FUNCTION_KEY": KEY}
    if request.param == "storage":
        azurite: Azurite = request.getfixturevalue("azurite")
        with ContainerClient.from_connection_string(azurite.connection, "reconciler") as container:
            if container.exists():
                container.delete_container()
        names = {
            f"RECONCILER_{name}_QUEUE": f"q{uuid4().hex}" for name in ("WORK", "SWEEP", "POOL_EVENTS", "DEVOPS_EVENTS")
        }
        more |= {"RECONCILER_STATE": "", "RECONCILER_STORAGE": azurite.connection, **names}
    with deployed(tmp_path, more) as deployment, served(deployment) as serving_it:
        yield deployment, serving_it


def test_events_of_both_planes_reach_their_pools_and_http_tells(running: tuple[Deployment, Serving]) -> None:
    """From the click in Azure DevOps to the proven repair, with every part but the clouds in place."""
    deployment, serving_it = running
    hosting = Hosting.read(deployment.environment)
    for source, schema, name in (("arm", "cloudevents", "POOL_EVENTS"), ("audit", "eventgrid", "DEVOPS_EVENTS")):
        queue = hosting.bound[f"RECONCILER_{name}_QUEUE"]
        url = f"{serving_it.url}/runtime/webhooks/eventgrid/{queue}"
        headers = {"aeg-sas-key": KEY}
        deployment.cloud.do.subscribe(url, sources=[source], schema=schema, headers=headers)

    deployment.close_access("build-pool", "Web")
    deployment.cloud.do.edit("create-project", organization="fabrikam-tailspin", name="New")
    until(lambda: deployment.is_open("build-pool", "Web") and deployment.is_open("test-pool", "New"))

    def ready() -> bool:
        pools = serving_it.ask("GET", "/api/pools", x_functions_key=KEY).json["pools"]
        return {str(pool["ready"]) for pool in pools} == {"True"}

    until(ready)
    assert serving_it.ask("GET", "/api/pools/build-pool/plan", x_functions_key=KEY).json["changes"] == []
    assert serving_it.ask("GET", "/api/health").status == 200

    def heard() -> bool:
        """Repairs are audited too, and those entries arrive as well."""
        delivered: int = sum(one["delivered"] for one in deployment.cloud.do.subscriptions())
        return delivered == len(deployment.cloud.do.events())

    until(heard)


def test_a_wish_over_http_and_a_signed_push_are_done(running: tuple[Deployment, Serving]) -> None:
    deployment, serving_it = running
    deployment.close_access("build-pool", "Api")
    accepted = serving_it.ask("POST", "/api/pools/Build-Pool/reconcile", x_functions_key=KEY)
    assert (accepted.status, accepted.headers["location"]) == (202, "/api/pools/build-pool")
    until(lambda: deployment.is_open("build-pool", "Api"))

    revision = deployment.commit(**{"test-pool": spec("test-pool", mode="report")})
    body = json.dumps({"ref": "refs/heads/main"}).encode()
    signature = "sha256=" + hmac.new(f"github-{CANARY}".encode(), body, hashlib.sha256).hexdigest()
    pushed = serving_it.ask(
        "POST", "/api/github/push", body, Content_Type="application/json", X_GitHub_Event="push",
        X_GitHub_Delivery="d-1", X_Hub_Signature_256=signature,
    )  # fmt: skip
    assert (pushed.status, pushed.json) == (202, {"looking": True})

    def applied() -> bool:
        status = serving_it.ask("GET", "/api/pools/test-pool", x_functions_key=KEY).json["status"]
        return bool(status and status["attemptedRevision"] == revision)

    until(applied)


def test_nobody_gets_in_without_the_key_or_the_signature(running: tuple[Deployment, Serving]) -> None:
    _, serving_it = running

    assert serving_it.ask("GET", "/api/pools").status == 401
    assert serving_it.ask("POST", "/api/github/push", b"{}").status == 401
    refused = serving_it.ask("POST", "/api/azure-repos/push", b"{}")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="reconciler"')
