"""An agent pool is approved over HTTP by the owner alone; the CLI's checks hold there too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.triggers import TriggerContext
from reconciler.service.triggers.web import answer
from tests.deployment import POOLS, Deployment, deployed, plan_of, with_options
from tests.service.http.test_mode import ID, NO_OWNERS, OPERATE, OWN, signed_in

POOL = "build-pool"
PRIME = POOLS[POOL]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as one:
        yield one


@pytest.fixture
def context(deployment: Deployment) -> TriggerContext:
    """The agent pool of one pool was deleted and created again by hand: another one has its name."""
    made = with_options(deployment.context(), role=OPERATE, platform_authenticates=True)
    reconcile(made)
    deployment.cloud.do.edit("delete-pool", organization=PRIME, pool=POOL)
    deployment.cloud.do.edit("create-pool", organization=PRIME, pool=POOL)
    return made


def reconcile(context: TriggerContext) -> None:
    """One run. Not by messages: a pool that waits for its owner requests a later one, and no two are made at once."""
    specs = context.catalogue.specs()
    with context.worker.reconciler.look([specs.by_key[POOL]], shared=False) as look:
        look.reconcile(specs.by_key[POOL], specs.revision)


def number_of(deployment: Deployment, organization: str = PRIME, pool: str = POOL) -> int:
    (found,) = [one for one in deployment.cloud.do.state()["organizations"] if one["name"] == organization]
    return next(int(one["id"]) for one in found["agentPools"] if one["name"] == pool)


def put(context: TriggerContext, body: Any, headers: dict[str, str] | None = None, pool: str = POOL) -> HttpResponse:
    given = signed_in(OWN) if headers is None else headers
    path = f"/api/pools/{pool}/agent-pool"
    request = HttpRequest("PUT", path, {"name": pool}, headers=given, body=json.dumps(body).encode())
    return answer(context, "approve_agent_pool", request)


def approvals(context: TriggerContext) -> list[Any]:
    body = context.safety.documents.load(f"agent-pools/{POOL}", context.safety.documents.index())
    return list((body or {})["approvals"])


def test_the_owner_approves_and_the_pool_comes_in_sync(deployment: Deployment, context: TriggerContext) -> None:
    number = number_of(deployment)
    deployment.cloud.do.reset_log()
    reconcile(context)
    assert deployment.cloud.do.count(writes=True) == 0

    done = put(context, {"organization": PRIME.title(), "id": number})

    assert (done.status, done.body["approved"], done.body["former"]) == (200, True, None), done.body
    assert "is recorded" in done.body["missing"]
    (approval,) = approvals(context)
    assert (approval["organization"], approval["id"], approval["by"]) == (PRIME, number, ID)
    assert deployment.cloud.do.count(writes=True) == 0, "approving writes on neither plane"
    for _ in range(4):  # the queue and its access follow one after the other
        reconcile(context)
    assert deployment.is_open(POOL, "Web")
    assert plan_of(context, POOL) == []
    deployment.cloud.do.reset_log()
    reconcile(context)
    assert deployment.cloud.do.count(writes=True) == 0
    assert put(context, {"organization": PRIME, "id": number}).body["approved"] is False


@pytest.mark.parametrize(
    ("reason", "headers", "status"),
    NO_OWNERS,
)
def test_only_the_owner_approves(
    deployment: Deployment, context: TriggerContext, reason: str, headers: dict[str, str], status: int
) -> None:
    body = {"organization": PRIME, "id": number_of(deployment)}
    assert put(context, body, headers).status == status, reason
    bare = with_options(context, platform_authenticates=False)
    assert put(bare, body, headers | signed_in(OWN)).status == 403, "a header counts only where the platform sets it"
    assert approvals(context) == []


BAD: list[Any] = [
    None, [], 7, {}, {"organization": PRIME}, {"id": 7}, {"organization": PRIME, "id": "7"},
    {"organization": PRIME, "id": True}, {"organization": PRIME, "id": 7.0}, {"organization": PRIME, "id": 0},
    {"organization": PRIME, "id": -1}, {"organization": PRIME, "id": 2**31}, {"organization": "", "id": 7},
    {"organization": "../x", "id": 7}, {"organization": None, "id": 7}, {"organization": PRIME, "id": 7, "by": "ann"},
]  # fmt: skip


def test_bad_input_approves_nothing(context: TriggerContext) -> None:
    assert [put(context, body).status for body in BAD] == [400] * len(BAD)
    assert approvals(context) == []


def test_what_cannot_be_approved_says_why(deployment: Deployment, context: TriggerContext) -> None:
    """No such pool or agent pool, another organization, another name, and a policy that does not allow it."""
    number = number_of(deployment)
    assert put(context, {"organization": PRIME, "id": number}, pool="bulid-pool").status == 404
    missing = put(context, {"organization": PRIME, "id": 4711})
    assert (missing.status, "there is no agent pool 4711" in missing.body["detail"]) == (404, True)
    elsewhere = put(context, {"organization": "fabrikam-other", "id": number})
    assert (elsewhere.status, "does not name the organization" in elsewhere.body["detail"]) == (409, True)
    policy = deployment.folder / "policy.yaml"
    policy.write_text(f"apiVersion: policy/v2\nallow:\n- pools: [{POOL}]\n")
    tight = with_options(deployment.context(POLICY=str(policy)), platform_authenticates=True)
    refused = put(tight, {"organization": PRIME, "id": number})
    assert (refused.status, refused.body["detail"].endswith(f"add {PRIME}/{POOL}#{number} to agentPools")) == (
        409,
        True,
    )
    assert approvals(context) == []
