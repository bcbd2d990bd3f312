from __future__ import annotations

import base64

import pytest

from tests.emulator.wire import POOLS, Wire

PROJECTS = "/fabrikam-prime/_apis/projects"


def test_arm_answers_a_missing_token_with_a_challenge(wire: Wire) -> None:
    answer = wire.arm("GET", f"{POOLS}/old-pool", token=None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer authorization_uri="https://login.')
    assert answer.json()["error"]["code"] == "AuthenticationFailed"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer nobody", "InvalidAuthenticationToken"),
        ("Bearer devops-op", "InvalidAuthenticationToken"),
        ("Basic Og==", "AuthenticationFailedInvalidHeader"),
    ],
)
def test_arm_takes_only_bearer_tokens_of_its_own_audience(wire: Wire, header: str, code: str) -> None:
    """A token for Azure DevOps is worth nothing in ARM: one audience each."""
    answer = wire.arm("GET", f"{POOLS}/old-pool", token=None, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_azure_devops_answers_a_wrong_token_with_a_page_and_203(wire: Wire, method: str) -> None:
    """A success status with HTML: the trap into which clients fall that look at the status only."""
    answer = wire.devops(method, PROJECTS, token="arm-op")
    assert answer.status_code == 203
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Sign in" in answer.text


def test_azure_devops_can_redirect_to_the_sign_in_page_instead(wire: Wire) -> None:
    wire.do.switch("devops.sign-in", "302")
    answer = wire.devops("GET", PROJECTS, token=None)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/_signin")


def test_with_the_suppress_header_a_wrong_token_is_an_empty_401(wire: Wire) -> None:
    answer = wire.devops("GET", PROJECTS, token="nobody", headers={"X-TFS-FedAuthRedirect": "Suppress"})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_a_patch_with_a_wrong_token_is_a_401_in_json(wire: Wire) -> None:
    answer = wire.devops("PATCH", "/fabrikam-prime/_apis/distributedtask/pools/1", {}, token="nobody")
    assert answer.status_code == 401
    assert answer.json()["typeKey"] == "UnauthorizedRequestException"
    assert answer.json()["message"].startswith("TF400813")


def test_a_personal_access_token_comes_with_basic_and_an_empty_user(wire: Wire) -> None:
    header = "Basic " + base64.b64encode(b":devops-op").decode()
    answer = wire.devops("GET", PROJECTS, token=None, headers={"Authorization": header})
    assert answer.status_code == 200


def test_a_basic_header_that_is_no_base64_is_a_wrong_token(wire: Wire) -> None:
    answer = wire.devops("GET", PROJECTS, token=None, headers={"Authorization": "Basic %%%"})
    assert answer.status_code == 203


@pytest.mark.parametrize(("name", "status"), [("reader", 200), ("pools", 200), ("stranger", 403)])
def test_arm_lets_those_read_who_have_a_role_at_or_above_the_pool(wire: Wire, name: str, status: int) -> None:
    answer = wire.arm("GET", f"{POOLS}/old-pool", token=f"arm-{name}")
    assert answer.status_code == status


@pytest.mark.parametrize(("name", "status"), [("reader", 403), ("pools", 202), ("stranger", 403)])
def test_arm_lets_those_write_whose_role_says_so(wire: Wire, name: str, status: int) -> None:
    answer = wire.arm("PATCH", f"{POOLS}/old-pool", {"tags": {"a": "b"}}, token=f"arm-{name}")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "AuthorizationFailed"
        assert "Microsoft.DevOpsInfrastructure/pools/write" in answer.json()["error"]["message"]
