"""A role that is asked for and cannot be seen is a closed door."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from reconciler.service.http.access import require_role
from reconciler.service.http.message import HttpProblem

ROLE = "Reconcile.Write"


def principal(document: Any) -> dict[str, str]:
    return {"x-ms-client-principal": base64.b64encode(json.dumps(document).encode()).decode()}


def claims(*pairs: tuple[str, Any]) -> dict[str, str]:
    return principal({"auth_typ": "aad", "claims": [{"typ": typ, "val": val} for typ, val in pairs]})


@pytest.mark.parametrize("typ", ["roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"])
def test_the_role_opens_under_either_name_of_the_claim(typ: str) -> None:
    require_role(claims(("name", "ann"), (typ, ROLE)), ROLE, platform_authenticates=True)


def test_without_a_role_asked_for_function_keys_are_the_lock() -> None:
    require_role({}, "", platform_authenticates=False)


CASES = [
    ("a header that anybody could have sent", claims(("roles", ROLE)), False, 403),
    ("nobody signed in", {}, True, 401),
    ("another role", claims(("roles", "Reconcile.Read")), True, 403),
    ("the right word in the wrong claim", claims(("name", ROLE)), True, 403),
    ("a value that is no text", claims(("roles", [ROLE])), True, 403),
    ("claims that are no list", principal({"claims": {"typ": "roles", "val": ROLE}}), True, 403),
    ("a list of something else", principal({"claims": [ROLE]}), True, 403),
    ("no object", principal([]), True, 403),
    ("not base64", {"x-ms-client-principal": "%%"}, True, 403),
    ("not JSON", {"x-ms-client-principal": base64.b64encode(b"{").decode()}, True, 403),
]


@pytest.mark.parametrize(("reason", "headers", "platform", "status"), CASES)
def test_everything_else_stays_outside(reason: str, headers: dict[str, str], platform: bool, status: int) -> None:
    with pytest.raises(HttpProblem) as caught:
        require_role(headers, ROLE, platform_authenticates=platform)

    assert caught.value.status == status, reason
