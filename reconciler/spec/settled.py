"""The spec of one run: what its organizations leave out is what ARM has for them now.

A field that a spec does not name is not managed, on both planes. ARM then keeps its value; Azure DevOps has to be
compared with that value, not with a default: a spec without `projects` is not about all projects, and one without
`alias` not about an agent pool that is named like the pool. Pure; the caller has read the document in this run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from reconciler.spec.model import Organization, Spec
from reconciler.spec.names import organization_key

Json = Mapping[str, Any]
NO_NAMES: Mapping[str, str] = MappingProxyType({})


def settled(spec: Spec, document: Json | None, names: Mapping[str, str] = NO_NAMES) -> Spec:
    """The spec with ARM's `projects` and `alias` where it names none; `document`: the resource, None where none exists.

    What ARM has no value for stays silent, but for `alias`: where ARM has no such organization, creation takes the
    profile's alias, else the pool's name. `names`: organization → its agent pool, which counts whatever the spec says.
    """
    organizations = tuple(_organizations(spec, document, names))
    return spec if organizations == spec.organizations else spec.with_organizations(organizations)


def state_of(document: Json | None) -> str:
    """`provisioningState` of a pool, as ARM spells it; empty where there is none."""
    properties: Json = (document or {}).get("properties") or {}
    return str(properties.get("provisioningState") or "")


def created_in_silence(body: Json, observed: Json) -> Iterator[tuple[str, str]]:
    """Rule and reason for each organization that a PUT would create in ARM without saying for which projects."""
    profile = _profile(body)
    known = {organization_key(str(one.get("url") or "")) for one in _profile(observed).get("organizations") or ()}
    for one in profile.get("organizations") or ():
        name = organization_key(str(one.get("url") or ""))
        if profile.get("kind") == "AzureDevOps" and name not in known and "projects" not in one:
            reason = (
                f"the spec names no projects for {name}, and ARM does not have it yet, so ARM would take all of them; "
                "write projects with their names, or projects: [] where all are meant"
            )
            yield "projects-not-named", reason


def _organizations(spec: Spec, document: Json | None, names: Mapping[str, str]) -> Iterator[Organization]:
    observed, desired = _profile(document or {}), _profile(spec.body)
    alias = desired.get("alias") or observed.get("alias")
    leaving = state_of(document).casefold() == "deleting"
    for one in spec.organizations:
        agent_pool, projects, silent = one.agent_pool, one.projects, one.silent
        if not silent and not leaving and names.get(one.name, agent_pool) == agent_pool:
            yield one
            continue
        if silent:
            entry = _entry(observed, one.name)
            if "alias" in silent:
                agent_pool = str((entry or {}).get("alias") or alias or spec.name)
            if "projects" in silent and entry is not None:
                projects = tuple(map(str, entry.get("projects") or ()))
            silent = silent & {"projects"} if entry is None else frozenset()
        yield Organization(
            one.name,
            names.get(one.name, agent_pool),
            projects,
            one.open_access,
            one.parallelism,
            one.without_queue,
            one.auto_provision,
            silent,
            leaving,
        )


def _entry(profile: Json, organization: str) -> Json | None:
    """The last of this organization, as a dictionary of them would have it."""
    found = None
    for one in profile.get("organizations") or ():
        if organization_key(str(one.get("url") or "")) == organization:
            found = one
    return found


def _profile(document: Json) -> Json:
    found: Json = (document.get("properties") or {}).get("organizationProfile") or {}
    return found
