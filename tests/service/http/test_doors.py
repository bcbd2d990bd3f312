"""Every HTTP function by itself keeps out who has not signed in: the platform lets all requests through to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.service.host.http import path_of
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers.web import answer
from tests.deployment import CANARY, deployed, with_options
from tests.infra.naming import functions, trigger
from tests.service.http.test_mode import OPERATE

OPEN = {"health", "openapi", "page_file"}
"""What says nothing about pools."""
HTTP = {
    str(function.get_function_name()): trigger(function)
    for function in functions()
    if trigger(function)["type"] == "httpTrigger"
}
HEADERS = {
    "nothing": {},
    "a key alone": {"x-functions-key": CANARY},
    "claims that cannot be read": {"x-ms-client-principal": CANARY},
    "names that the platform adds beside the claims": {
        "x-ms-client-principal-name": "ann",
        "x-ms-client-principal-id": "1",
    },
    "a browser": {"accept": "text/html,*/*", "sec-fetch-site": "none"},
    "a page of another site": {"accept": "text/html", "sec-fetch-site": "cross-site", "origin": "https://evil.example"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_who_has_not_signed_in_learns_and_requests_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    with deployed(tmp_path) as deployment:
        context = with_options(deployment.context(), role=OPERATE, platform_authenticates=True)
        for name in sorted(set(HTTP) - OPEN):
            (method,) = HTTP[name]["methods"]
            params = {"name": "build-pool"}
            path = path_of(HTTP[name]["route"]).replace("{name}", "build-pool")
            response = answer(context, name, HttpRequest(method, path, params, headers=headers))

            assert response.status in (302, 401, 403), name
            assert response.status != 302 or response.headers["Location"].startswith("/.auth/login/aad?"), name
            assert b"InSync" not in response.content(), name
            assert CANARY.encode() not in response.content(), name
        assert context.outbox.events.length() + context.outbox.sweeps.length() == 0
        assert list(context.state.names("")) == []
