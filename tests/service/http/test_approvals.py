"""Approvals of plans over HTTP: by the owner alone, and of the plan that is made at that moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.triggers import TriggerContext
from reconciler.service.triggers.web import answer
from tests.deployment import Deployment, deployed, with_options, work_off
from tests.service.http.test_mode import ID, NO_OWNERS, OPERATE, OWN, signed_in

POOL, OTHER = "build-pool", "test-pool"
POLICY = """
apiVersion: policy/v2
allow: [{pools: ['*'], subscriptions: ['*'], resourceGroups: ['*'], organizations: ['*'], projects: ['*'], openAccess: ['*']}]
caps: {widenings: {pool: {run: 0}}}
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as one:
        yield one


@pytest.fixture
def context(deployment: Deployment, tmp_path: Path) -> TriggerContext:
    """Under a policy that opens nothing without an approval, and with a project that a person closed."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    deployment.close_access(POOL, "Web")
    context = deployment.context(POLICY=str(policy))
    return with_options(context, role=OPERATE, platform_authenticates=True)


def approve(context: TriggerContext, body: Any, headers: dict[str, str] | None = None) -> HttpResponse:
    given = signed_in(OWN) if headers is None else headers
    text = json.dumps(body).encode()
    return answer(context, "approve", HttpRequest("POST", "/api/approvals", headers=given, body=text))


def shown(context: TriggerContext, pool: str = POOL) -> Any:
    request = HttpRequest("GET", f"/api/pools/{pool}/plan", {"name": pool}, headers=signed_in(OPERATE))
    return answer(context, "plan", request).body


def run(context: TriggerContext) -> None:
    request = HttpRequest("POST", f"/api/pools/{POOL}/reconcile", {"name": POOL}, headers=signed_in(OPERATE))
    assert answer(context, "reconcile_pool", request).status == 202
    work_off(context)


def approved(context: TriggerContext) -> list[str]:
    return [name for name in context.safety.documents.index().names if name.startswith("approvals/")]


def test_what_a_cap_holds_back_is_written_after_the_owner_approved_it(
    deployment: Deployment, context: TriggerContext
) -> None:
    run(context)
    assert not deployment.is_open(POOL, "Web")
    plan = shown(context)
    assert [one["rule"] for one in plan["refusals"]] == ["cap-widenings"]

    done = approve(context, {"pool": POOL.upper(), "hash": plan["hash"].upper()})

    assert done.status == 200
    assert {name: done.body[name] for name in ("pool", "hash", "by")} == {"pool": POOL, "hash": plan["hash"], "by": ID}
    assert shown(context)["refusals"] == []
    run(context)
    assert deployment.is_open(POOL, "Web")
    deployment.cloud.do.reset_log()
    run(context)
    assert deployment.cloud.do.count(writes=True) == 0


@pytest.mark.parametrize(
    ("reason", "headers", "status"),
    NO_OWNERS,
)
def test_only_the_owner_approves(context: TriggerContext, reason: str, headers: dict[str, str], status: int) -> None:
    body = {"pool": POOL, "hash": shown(context)["hash"]}

    assert approve(context, body, headers).status == status, reason
    assert approve(with_options(context, platform_authenticates=False), body).status == 403
    assert approved(context) == []


def test_another_plan_is_not_approved(deployment: Deployment, context: TriggerContext) -> None:
    """Of this pool as it was before, or of another pool."""
    before = shown(context)["hash"]
    deployment.close_access(POOL, "Api")

    for found in (before, shown(context, OTHER)["hash"], "0" * 64):
        refused = approve(context, {"pool": POOL, "hash": found})
        assert (refused.status, "is not the plan of build-pool now" in refused.body["detail"]) == (409, True)
    assert approved(context) == []


HASH = "a" * 64
BAD: list[Any] = [
    None, [], "x", {}, {"pool": POOL}, {"hash": HASH}, {"pool": POOL, "hash": HASH[1:]}, {"pool": POOL, "hash": 7},
    {"pool": POOL, "hash": None}, {"pool": POOL, "hash": "g" * 64}, {"pool": POOL, "hash": f"{HASH}\n"},
    {"pool": POOL, "hash": [HASH]}, {"pool": 7, "hash": HASH}, {"pool": "x", "hash": HASH}, {"pool": "", "hash": HASH},
    {"pool": "../index", "hash": HASH}, {"pool": POOL, "hash": HASH, "by": "ann"}, {"pools": [POOL], "hash": HASH},
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_bad_input_approves_nothing(context: TriggerContext, body: Any) -> None:
    assert approve(context, body).status == 400
    assert approved(context) == []


def test_a_pool_that_no_spec_names_is_not_found(context: TriggerContext) -> None:
    assert approve(context, {"pool": "other-pool", "hash": HASH}).status == 404
