"""An organization that knows nothing of the operator yet, and who may give it what."""

from __future__ import annotations

import copy
from typing import Any

ROBOT = "22222222-3333-4444-5555-666666666666"
"""Object id of the operator's service principal."""
CLIENT = "77777777-3333-4444-5555-666666666666"
"""Its application (client) id."""

ESTATE: dict[str, Any] = {
    "principals": [
        {"name": "root", "kind": "user", "upn": "root@fabrikam.com", "displayName": "Root Root"},
        {"name": "ann", "kind": "user", "upn": "ann@fabrikam.com", "displayName": "Ann Arbor"},
        {"name": "bob", "kind": "user", "upn": "bob@fabrikam.com", "displayName": "Bob Bobson"},
        {"name": "robot", "kind": "managedIdentity", "displayName": "Robot", "oid": ROBOT, "applicationId": CLIENT},
        {"name": "other", "kind": "servicePrincipal", "displayName": "Other"},
    ],
    "organizations": [
        {
            "name": "prime",
            "identities": ["root", "ann", "bob", "other"],
            "administrators": ["root"],
            "projects": ["dev", "test"],
            "groups": [{"name": "[dev]\\Project Administrators", "members": ["ann"]}],
            "roles": {"Reader": ["ann", "bob"], "Administrator": ["other"]},
            "agentPools": [{"name": "build", "queues": ["dev"]}],
        },
        {"name": "second", "identities": ["root"], "administrators": ["root"], "projects": ["web"]},
    ],
}


def estate(**prime: Any) -> dict[str, Any]:
    """The estate with some keys of its first organization replaced."""
    found = copy.deepcopy(ESTATE)
    found["organizations"][0] |= prime
    return found
