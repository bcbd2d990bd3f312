"""How calls say whose they are: the `User-Agent` names the deployment, which an audit log may keep."""

from __future__ import annotations

import re

PRODUCT = "mdp-reconciler"
_NAMED = re.compile(rf"{PRODUCT} \(deployment ([A-Za-z0-9._-]{{1,63}})\)")


def user_agent(deployment: str) -> str:
    """For calls to a service; `deployment`: as it is set, empty where it is not. A product and a comment (RFC 9110)."""
    return f"{PRODUCT} (deployment {deployment})" if deployment else PRODUCT


def deployment_of(agent: str) -> str:
    """The deployment whose call this was; empty where that cannot be told."""
    found = _NAMED.search(agent)
    return found[1] if found else ""
