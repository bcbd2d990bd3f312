"""What the HTTP functions write is what the ingress may write: seen by calling them, compared with the templates."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext
from reconciler.service.triggers.web import answer
from tests.deployment import CANARY, Deployment, deployed, spec, with_options
from tests.infra.bicep import Expression
from tests.infra.world import world
from tests.service.http.test_mode import OPERATE, signed_in

NAMES = world().names
DOORS = [name for name in NAMES["httpFunctions"] if name not in NAMES["notOnIngress"]]
JSON = {"content-type": "application/json"}
PERSON = signed_in(OPERATE)
PUSH = json.dumps({"ref": "refs/heads/main"}).encode()
HOOK = {"id": "delivery-2", "eventType": "git.push", "resource": {"refUpdates": [{"name": "refs/heads/main"}]}}


def requests() -> dict[str, HttpRequest]:
    """One for each HTTP function that gets as far as it can."""
    signature = hmac.new(f"github-{CANARY}".encode(), PUSH, hashlib.sha256).hexdigest()
    hub = {
        "x-hub-signature-256": f"sha256={signature}",
        "x-github-delivery": "delivery-1",
        "x-github-event": "push",
        **JSON,
    }
    pool = {"name": "build-pool"}
    return {
        "reconcile": HttpRequest("POST", "/api/reconcile", headers={"idempotency-key": "k1"}),
        "reconcile_pool": HttpRequest(
            "POST", "/api/pools/build-pool/reconcile", pool, headers={"idempotency-key": "k2"}
        ),
        "pools": HttpRequest("GET", "/api/pools"),
        "pool": HttpRequest("GET", "/api/pools/build-pool", pool),
        "health": HttpRequest("GET", "/api/health"),
        "openapi": HttpRequest("GET", "/api/openapi.json"),
        "github_push": HttpRequest("POST", "/api/github/push", headers=hub, body=PUSH),
        "azure_repos_push": HttpRequest(
            "POST",
            "/api/azure-repos/push",
            headers={"x-reconciler-secret": f"repos-{CANARY}", **JSON},
            body=json.dumps(HOOK).encode(),
        ),
        "page_overview": HttpRequest("GET", "/", headers=PERSON),
        "page_organization": HttpRequest(
            "GET", "/organizations/fabrikam-prime", {"name": "fabrikam-prime"}, headers=PERSON
        ),
        "page_pool": HttpRequest("GET", "/pools/build-pool", pool, headers=PERSON),
        "page_reconcile": HttpRequest(
            "POST", "/pools/build-pool/reconcile", pool, headers={**PERSON, "hx-request": "true"}
        ),
        "page_file": HttpRequest("GET", "/assets/page.css", {"name": "page.css"}),
    }


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as one:
        yield one


def ask_everything(context: TriggerContext) -> None:
    """As a caller with the operator's role, as the ingress is deployed: without what reads the two planes."""
    ingress = with_options(context, role=OPERATE, platform_authenticates=True, plans=False)
    for name, request in requests().items():
        response = answer(ingress, name, replace(request, headers={**PERSON, **request.headers}))

        assert response.status in (200, 202), (name, response.body)


def test_every_function_of_the_ingress_is_asked() -> None:
    assert sorted(requests()) == sorted(DOORS)


def test_what_is_remembered_is_what_the_ingress_may_write(deployment: Deployment) -> None:
    """Statuses and leases are in the same container: a right to write those would let it forge them."""
    context = deployment.context()
    ask_everything(context)

    assert list(context.state.names("")) == sorted(NAMES["ingressWrites"])
    assert not any(name.startswith(("pools/", "follow-ups/")) for name in NAMES["ingressWrites"])


def test_wishes_go_to_the_queue_that_the_ingress_may_write_to(deployment: Deployment) -> None:
    """Also many at once: a push that changes many files, a request for every pool."""
    params = world().files["main.bicep"].modules["ingressApp"].value["params"]
    context = deployment.context()
    ask_everything(context)
    few = context.outbox.events.length()
    deployment.commit(**{f"pool-{n}": spec(f"pool-{n}", "fabrikam-prime") for n in range(30)})
    answer(deployment.context(), "reconcile", HttpRequest("POST", "/api/reconcile"))

    assert context.outbox.events.length() > few > 0
    assert context.outbox.sweeps.length() == 0
    assert params["queueNames"] == [Expression("names.queues.RECONCILER_WORK_QUEUE")]
