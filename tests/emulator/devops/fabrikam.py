"""The estate of these tests, and a client that calls it as one of its principals.

Every answer is checked against the published documents where they are at hand (`tests.openapi`).
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from emulator import Running
from emulator.control import Control
from tests import openapi

Json = Any
NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
POOL_ROLE, ALL_POOLS_ROLE = "distributedtask.agentpoolrole", "distributedtask.globalagentpoolrole"
QUEUE_ROLE, ALL_QUEUES_ROLE = "distributedtask.agentqueuerole", "distributedtask.globalagentqueuerole"
POOLS = "/_apis/distributedtask/pools"
QUEUES = "/{project}/_apis/distributedtask/queues"

KNOWN = re.compile(
    r"\.properties\..+: is not in the document"
    r"|\._links\.\w+: is not in the document"
    r"|body\[\d+\]\.(domain|principalName|mailAddress|description|applicationId): is not in the document"
    r"|\.(descriptor|members\[\d+\]|memberOf\[\d+\]): .* is not of type 'object'"
    r"|body\.count: [01] is not of type 'object'|body\.value\.aad\w*\.\w+: is not in the document"
    r"|\.data\.\w+: .* is not of type 'object'|body\.members: is not in the document"
    r"|\.process(\.(phases|yamlFilename))?: is not in the document"
    r"|\.operationResults?(\[\d+\])?\.result: .* is not of type 'string'"
)
"""Where the documents describe the serialiser's classes and the published examples show something else: bags of
properties and of links are maps, identity descriptors are texts, a query answers with whole subjects, a lookup wraps its map, the result of
an entitlement is the entitlement, data of audit entries are texts and numbers, clients read `members` of people,
the process of a definition is one of the derived classes."""

ESTATE: dict[str, Json] = {
    "principals": [
        {"name": "operator", "kind": "managedIdentity", "displayName": "Pool Operator"},
        {"name": "root", "kind": "user", "upn": "root@fabrikam.com", "displayName": "Root Root"},
        {"name": "ann", "kind": "user", "upn": "ann@fabrikam.com", "displayName": "Ann Arbor"},
        {"name": "bob", "kind": "user", "upn": "bob@fabrikam.com", "displayName": "Bob Bobson"},
        {"name": "carl", "kind": "user", "upn": "carl@fabrikam.com", "displayName": "Carl Carlson"},
        {"name": "robot", "kind": "servicePrincipal", "displayName": "Robot"},
        {"name": "crew", "kind": "group", "displayName": "Crew", "mail": "crew@fabrikam.com"},
    ],
    "organizations": [
        {
            "name": "Prime",
            "identities": ["root", "operator", "ann", "bob"],
            "administrators": ["root"],
            "groups": [{"name": "[Prime]\\Platform", "members": ["ann"]}],
            "roles": {"Administrator": ["operator"]},
            "projects": [
                {"name": "dev", "roles": {"Administrator": ["operator"]}},
                {
                    "name": "test",
                    "roles": {"Creator": ["operator"]},
                    "pipelines": [{"id": 6, "name": "nightly", "path": "\\release"}, {"id": 15, "name": "daily"}],
                },
                {"name": "secret", "hiddenFrom": ["operator"]},
                {"name": "foreign"},
            ],
            "agentPools": [
                {
                    "name": "build",
                    "id": 7,
                    "createdBy": "ann",
                    "roles": {"Administrator": ["ann"], "Reader": ["[Prime]\\Platform"]},
                    "queues": [
                        {"project": "dev", "id": 70, "openAccess": {"by": "ann", "on": "2026-01-02T03:04:05Z"}},
                        {"project": "test", "id": 71, "pipelines": [6], "roles": {"Administrator": ["operator"]}},
                        {"project": "secret", "id": 72, "openAccess": True},
                        {"project": "foreign", "id": 73},
                    ],
                },
                {"name": "other", "id": 8, "queues": [{"project": "dev", "id": 80}]},
                {"name": "unseen", "id": 9, "hiddenFrom": ["operator"]},
            ],
        },
        {"name": "second", "identities": ["operator", "ann"], "administrators": ["operator"], "projects": ["web"]},
    ],
}


def estate(**prime: Json) -> dict[str, Json]:
    """The estate with some keys of its first organization replaced."""
    found = copy.deepcopy(ESTATE)
    found["organizations"][0] |= prime
    return found


@dataclass
class Caller:
    """A principal with a token that calls one organization."""

    running: Running
    session: requests.Session
    name: str = "operator"
    organization: str = "prime"

    @property
    def do(self) -> Control:
        """The control port."""
        return self.running.do

    def by(self, name: str) -> Caller:
        """The same organization as another principal."""
        return Caller(self.running, self.session, name, self.organization)

    def at(self, organization: str) -> Caller:
        """The same in another organization."""
        return Caller(self.running, self.session, self.name, organization)

    def call(
        self, method: str, path: str, raw: Json = None, /, *, version: str = "7.1-preview.1", **query: Json
    ) -> requests.Response:
        """One call; the answer must fit the document that describes the route."""
        url = f"{self.running.devops}/{self.organization}{quote(path)}"
        names = {name.rstrip("_").replace("__", "$"): str(value) for name, value in query.items()}
        headers = {"Authorization": f"Bearer devops-{self.name}", "X-TFS-FedAuthRedirect": "Suppress"}
        if method == "PATCH" and "entitlements/" in path:
            headers["Content-Type"] = "application/json-patch+json"
        answer = self.session.request(
            method, url, json=raw, params={**names, "api-version": version}, headers=headers, timeout=20
        )
        body = answer.json() if answer.content else None
        wrong = openapi.validate_response(
            "devops", method, urlsplit(url).path, names, status=answer.status_code, body=body
        )
        wrong = [one for one in wrong if not KNOWN.search(one)]
        assert wrong == [], f"{method} {path} {answer.status_code}: {wrong}"
        return answer

    def ok(self, method: str, path: str, raw: Json = None, /, **more: Json) -> Json:
        """The body of an answer that has to be a success."""
        answer = self.call(method, path, raw, **more)
        assert 200 <= answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def values(self, method: str, path: str, raw: Json = None, /, **more: Json) -> list[Json]:
        """The items of a wrapped list, whose count has to be right."""
        body = self.ok(method, path, raw, **more)
        assert body["count"] == len(body["value"])
        return list(body["value"])

    def refused(self, method: str, path: str, raw: Json = None, /, **more: Json) -> tuple[int, str]:
        """Status and type key of a refusal in the service's shape."""
        answer = self.call(method, path, raw, **more)
        body = answer.json()
        assert set(body) == {"$id", "innerException", "message", "typeName", "typeKey", "errorCode", "eventId"}
        return answer.status_code, body["typeKey"]

    def local(self, name: str) -> str:
        """The local id of an identity, as the estate shows it."""
        found = self.do.state()["organizations"]
        organization = next(one for one in found if one["name"].lower() == self.organization)
        people = organization["identities"] + organization["groups"]
        return str(next(one["id"] for one in people if one.get("principal", one.get("name")) == name))

    def project(self, name: str) -> str:
        """The id of a project, as the estate shows it."""
        found = self.do.state()["organizations"]
        organization = next(one for one in found if one["name"].lower() == self.organization)
        return str(next(one["id"] for one in organization["projects"] if one["name"] == name))


def things(caller: Caller) -> list[Json]:
    """The estate's organizations without counters, to see that nothing changed."""
    return [
        {key: value for key, value in one.items() if key != "counters"} for one in caller.do.state()["organizations"]
    ]
