"""The mode over HTTP: operators see it, the owner alone sets it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.triggers import TriggerContext, composition
from reconciler.service.triggers.web import answer
from tests.deployment import Deployment, deployed, enforce, with_options, work_off

OWN, OPERATE, ID = "Reconciler.Own", "Reconciler.Operate", "00000000-0000-0000-0000-00000000a001"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as one:
        yield one


@pytest.fixture
def context(deployment: Deployment) -> TriggerContext:
    return with_options(deployment.context(), role=OPERATE, platform_authenticates=True)


def signed_in(*roles: str, **claims: str) -> dict[str, str]:
    given = [{"typ": "roles", "val": role} for role in roles]
    given += [{"typ": name, "val": value} for name, value in ({"oid": ID} | claims).items()]
    text = base64.b64encode(json.dumps({"claims": given}).encode()).decode()
    return {"x-ms-client-principal": text, "content-type": "application/json"}


NO_OWNERS: list[tuple[str, dict[str, str], int]] = [
    ("operating is not owning", signed_in(OPERATE), 403),
    ("a key alone, which the host has checked", {"x-functions-key": "k"}, 401),
    ("another role", signed_in("Reconciler.Owner"), 403),
    ("a role in the wrong case", signed_in("reconciler.own"), 403),
    ("a name that is the role's", signed_in(OPERATE, name=OWN), 403),
    ("claims that cannot be read", {"x-ms-client-principal": "%%"}, 403),
]
"""Callers who may not do what the owner alone does."""


def put(context: TriggerContext, body: Any, headers: dict[str, str] | None = None) -> HttpResponse:
    given = signed_in(OWN) if headers is None else headers
    return answer(context, "set_mode", HttpRequest("PUT", "/api/mode", headers=given, body=json.dumps(body).encode()))


def get(context: TriggerContext, headers: dict[str, str]) -> HttpResponse:
    return answer(context, "mode", HttpRequest("GET", "/api/mode", headers=headers))


STOP = {"mode": "stop", "reason": "incident 7"}


def test_the_owner_sets_it_and_operators_see_it(context: TriggerContext) -> None:
    assert put(context, STOP).status == 200
    shown = get(context, signed_in(OPERATE))

    assert (shown.status, shown.body["mode"]) == (200, "stop")
    setting = shown.body["settings"][-1]
    assert (setting["reason"], setting["place"].rpartition(" by ")[2]) == ("incident 7", ID)
    assert put(context, STOP | {"mode": "enforce"}).body["mode"] == "enforce"


def test_an_organization_and_a_pool_have_their_own(context: TriggerContext) -> None:
    put(context, STOP | {"organization": "Fabrikam-Prime"})
    shown = put(context, STOP | {"pool": "build-pool"}).body
    assert shown["mode"] == "enforce"
    assert [(one["organization"], one["pool"]) for one in shown["settings"][2:]] == [
        ("fabrikam-prime", None), (None, "build-pool"),
    ]  # fmt: skip
    cleared = put(context, STOP | {"mode": None, "pool": "build-pool"}).body
    assert [one["organization"] for one in cleared["settings"][2:]] == ["fabrikam-prime"]


@pytest.mark.parametrize(
    ("reason", "headers", "status"),
    NO_OWNERS,
)
def test_only_the_owner_sets_it(context: TriggerContext, reason: str, headers: dict[str, str], status: int) -> None:
    assert put(context, STOP, headers).status == status, reason
    assert get(context, signed_in(OPERATE)).body["mode"] == "enforce"


def test_a_header_counts_only_where_the_platform_authenticates(context: TriggerContext) -> None:
    """Elsewhere anybody could send it: `serve`, or an app whose authentication is off."""
    for role in (OPERATE, ""):
        bare = with_options(context, role=role, platform_authenticates=False)
        assert put(bare, STOP).status == 403
    assert put(with_options(context, role=""), STOP, signed_in(OPERATE)).status == 403, "whatever role others need"
    assert put(context, STOP, signed_in(OWN, **{"http://schemas.microsoft.com/identity/claims/objectidentifier": "b"})
               ).status == 403, "two ids"  # fmt: skip


BAD: list[Any] = [
    None, [], "stop", {}, {"mode": "stop"}, {"reason": "x"}, STOP | {"mode": "Stop"}, STOP | {"mode": 1},
    STOP | {"mode": ["stop"]}, STOP | {"reason": ""}, STOP | {"reason": " \n"}, STOP | {"reason": "x" * 501},
    STOP | {"reason": 7}, STOP | {"by": "ben"}, STOP | {"organization": ""}, STOP | {"organization": "a/b"},
    STOP | {"organization": None}, STOP | {"organization": "../index"}, STOP | {"pool": "x"},
    STOP | {"pool": {}}, STOP | {"organization": "a", "pool": "abc"},
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_bad_input_changes_nothing(context: TriggerContext, body: Any) -> None:
    assert put(context, body).status == 400
    assert get(context, signed_in(OPERATE)).body["mode"] == "enforce"


def test_health_says_which_mode_counts_and_fails_in_a_stop(context: TriggerContext) -> None:
    def check() -> tuple[bool, str]:
        response = answer(context, "health", HttpRequest("GET", "/api/health"))
        (found,) = [one for one in response.body["checks"] if one["name"] == "mode"]
        return found["ok"], found["detail"]

    assert check() == (True, "mode enforce")
    put(context, STOP | {"mode": "report", "organization": "fabrikam-prime"})
    assert check() == (True, "mode enforce, 1 of organizations and pools")
    put(context, STOP)
    assert check() == (False, "mode stop, 1 of organizations and pools")


def test_the_plan_over_http_says_what_holds_it_back(deployment: Deployment, context: TriggerContext) -> None:
    deployment.close_access("build-pool", "Web")
    put(context, STOP)
    request = HttpRequest("GET", "/api/pools/build-pool/plan", {"name": "build-pool"}, headers=signed_in(OPERATE))

    body = answer(context, "plan", request).body
    assert body["notApplied"][0].startswith("not applied: mode stop (set ")


def test_a_service_without_a_mode_writes_nothing(deployment: Deployment, tmp_path: Path) -> None:
    """A new deployment, whatever its templates say."""
    given = deployment.environment | {"RECONCILER_STATE": str(tmp_path / "new.db")}
    context = composition.build(Settings.read(given), Hosting.read(given), clock=deployment.clock)
    deployment.close_access("build-pool", "Web")
    request = HttpRequest("POST", "/api/pools/build-pool/reconcile", {"name": "build-pool"})
    deployment.cloud.do.reset_log()

    assert answer(context, "reconcile_pool", request).status == 202
    work_off(context)
    assert deployment.cloud.do.count(writes=True) == 0
    enforce(context)
    assert answer(context, "reconcile_pool", request).status == 202
    work_off(context)
    assert deployment.is_open("build-pool", "Web")
