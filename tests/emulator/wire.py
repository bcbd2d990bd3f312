"""What the emulator's tests share: one estate, and a client that speaks plain HTTP to both planes.

Every answer is checked against the published documents where they are at hand (`tests.openapi`).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from emulator import Running
from emulator.control import Control
from tests import openapi

Json = Any
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
UNREGISTERED = "99999999-2222-3333-4444-555555555555"
GROUP = "rg-build"
VERSION = "2026-06-02"
GROUP_PATH = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
PROVIDER = "/providers/Microsoft.DevOpsInfrastructure"
POOLS = f"{GROUP_PATH}{PROVIDER}/pools"

PROPERTIES: dict[str, Json] = {
    "maximumConcurrency": 4,
    "organizationProfile": {
        "kind": "AzureDevOps",
        "organizations": [
            {
                "url": "https://dev.azure.com/fabrikam-prime",
                "projects": ["dev"],
                "parallelism": 4,
                "openAccess": True,
            }
        ],
        "permissionProfile": {"kind": "CreatorOnly"},
    },
    "agentProfile": {"kind": "Stateless"},
    "fabricProfile": {
        "kind": "Vmss",
        "sku": {"name": "Standard_D2ads_v5"},
        "images": [{"wellKnownImageName": "ubuntu-24.04", "buffer": "*"}],
    },
}
ESTATE: dict[str, Json] = {
    "principals": [
        {"name": "operator", "kind": "managedIdentity", "armToken": "arm-op", "devopsToken": "devops-op"},
        {"name": "ann", "kind": "user", "upn": "ann@fabrikam.com"},
        {"name": "stranger", "kind": "user", "upn": "stranger@fabrikam.com", "roles": []},
        {
            "name": "reader",
            "kind": "user",
            "upn": "reader@fabrikam.com",
            "roles": [{"role": "Reader", "scope": f"/subscriptions/{SUBSCRIPTION}"}],
        },
        {
            "name": "pools",
            "kind": "user",
            "upn": "pools@fabrikam.com",
            "roles": [{"role": "DevOps Infrastructure Contributor", "scope": GROUP_PATH}],
        },
    ],
    "subscriptions": [
        {
            "id": SUBSCRIPTION,
            "name": "Build",
            "resourceGroups": [GROUP, "rg-other"],
            "pools": [{"name": "old-pool", "resourceGroup": GROUP, "location": "eastus", "properties": PROPERTIES}],
        },
        {"id": UNREGISTERED, "name": "Fresh", "resourceGroups": [GROUP], "registered": False},
    ],
    "organizations": [
        {
            "name": "fabrikam-prime",
            "identities": ["operator", "ann"],
            "administrators": ["operator"],
            "projects": ["dev", "test"],
            "agentPools": [{"name": "old-pool", "queues": ["dev"]}],
        },
        {
            "name": "fabrikam-second",
            "identities": ["operator"],
            "administrators": ["operator"],
            "projects": ["web"],
        },
    ],
}


def body(location: str = "eastus", **properties: Json) -> dict[str, Json]:
    """A pool's body, with some of its properties replaced."""
    return {"location": location, "properties": {**copy.deepcopy(PROPERTIES), **properties}}


def organizations(*listed: Json, **profile: Json) -> dict[str, Json]:
    """An organization profile."""
    return {"kind": "AzureDevOps", "organizations": list(listed), **profile}


@dataclass
class Wire:
    """Both planes over HTTP, as the operator by default."""

    running: Running
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def do(self) -> Control:
        """The control port."""
        return self.running.do

    def arm(
        self, method: str, path: str, raw: Json = None, *, version: str | None = VERSION, **more: Json
    ) -> requests.Response:
        """A call to ARM; a path that is a whole URL is taken as it is."""
        url = path if path.startswith("http") else self.running.arm + path
        if version and "api-version=" not in url:
            url += ("&" if "?" in url else "?") + f"api-version={version}"
        answer = self._send("arm", method, url, raw, **more)
        if version == VERSION:
            self._check("arm", answer)
        return answer

    def devops(
        self, method: str, path: str, raw: Json = None, *, version: str | None = "7.1-preview.1", **more: Json
    ) -> requests.Response:
        """A call to Azure DevOps."""
        url = self.running.devops + path
        if version:
            url += ("&" if "?" in url else "?") + f"api-version={version}"
        return self._send("devops", method, url, raw, **more)

    def put(self, name: str, raw: Json, **more: Json) -> requests.Response:
        """PUT a pool."""
        return self.arm("PUT", f"{POOLS}/{name}", raw, **more)

    def created(self, name: str, raw: Json) -> dict[str, Json]:
        """PUT a pool, let time go by, and get it."""
        answer = self.put(name, raw)
        assert answer.status_code in {200, 201}, answer.text
        self.do.settle()
        return self.pool(name)

    def pool(self, name: str, version: str = VERSION) -> dict[str, Json]:
        """A pool as ARM shows it."""
        answer = self.arm("GET", f"{POOLS}/{name}", version=version)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def operation(self, answer: requests.Response) -> dict[str, Json]:
        """The status of the operation that an answer began."""
        return dict(self.arm("GET", answer.headers["Azure-AsyncOperation"]).json())

    def _send(
        self, plane: str, method: str, url: str, raw: Json, *, token: str | None = "", **more: Json
    ) -> requests.Response:
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers.setdefault("Authorization", f"Bearer {token or self.running.tokens[plane]}")
        if raw is not None:
            more["json"] = raw
        more.setdefault("allow_redirects", False)
        return self.session.request(method, url, headers=headers, **{"timeout": 20, **more})

    @staticmethod
    def _check(plane: str, answer: requests.Response) -> None:
        """An answer of the emulator fits the published document wherever that describes the route."""
        request = answer.request
        parts = urlsplit(str(request.url))
        found = answer.json() if answer.content and "json" in answer.headers.get("Content-Type", "") else None
        wrong = openapi.validate_response(
            plane, str(request.method), parts.path, dict(parse_qsl(parts.query)), status=answer.status_code, body=found
        )
        assert wrong == [], f"{request.method} {parts.path} {answer.status_code}: {wrong}"
